"""What the web process and the workers need from a store and from a broker.

`service.store` implements these over SQL, `tests` has small in-memory fakes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from service.domain.analysis import StoredAnalysis
from service.domain.article import AnalysisOptions, Article
from service.domain.audit import AuditFilter, AuditPage
from service.domain.delivery import Attempt, Delivery, DeliveryClaim, DeliveryState, EventType
from service.domain.job import Job, JobFailure, JobState, Priority, Stage
from service.domain.key import Quota, StoredKey


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one accepted article became."""

    article_id: str
    job_id: str


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """The caller's Idempotency-Key and a digest of what was asked with it.

    `respond` turns the receipts into the response body that is stored in the same transaction.
    """

    key: str
    fingerprint: str
    respond: Callable[[Sequence[Receipt]], str]


@dataclass(frozen=True, slots=True)
class Submission:
    """The outcome of a submit. `replayed_body` is set when the key was seen before."""

    receipts: tuple[Receipt, ...]
    replayed_body: str | None = None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; `None` does not filter."""

    state: JobState | None = None
    batch_id: str | None = None
    article_id: str | None = None
    source: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page, newest first. `next_cursor` is the id after which the next page begins."""

    jobs: tuple[Job, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which webhook deliveries to list; `None` does not filter."""

    state: DeliveryState | None = None
    type: EventType | None = None
    job_id: str | None = None
    batch_id: str | None = None
    url: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """One page, newest first. `next_cursor` is the id after which the next page begins."""

    deliveries: tuple[Delivery, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A live worker: what it runs and when it was last heard of."""

    id: str
    pipeline_version: str
    models: tuple[dict[str, Any], ...]
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """The open jobs of one priority and state. Times are seconds before now."""

    priority: Priority
    state: JobState
    jobs: int
    # Since the longest waiting one was queued; for running ones, since the last sign of life.
    oldest: float
    # Queued and not yet taken by the broker; `None` when there are none.
    unrung: int
    oldest_unrung: float | None
    # Running, although the lease has run out.
    overdue: int


@dataclass(frozen=True, slots=True)
class DeliveryFigures:
    """Webhook deliveries that have not arrived. `overdue` is in seconds."""

    pending: int = 0
    failed: int = 0
    disabled: int = 0
    # How long the longest due one has been due; an attempt that runs is not due.
    overdue: float = 0.0


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """What operators watch and only the database knows."""

    queues: tuple[QueueFigures, ...]
    # Pipeline version → live workers that run it.
    workers: dict[str, int]
    # Failure code → jobs that failed within the last hour.
    failures: dict[str, int]
    deliveries: DeliveryFigures


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's right to one attempt at a job until its lease runs out.

    `token` is the fencing token: it grows with every claim of the job, and a write that carries
    an old one is refused.
    """

    job: Job
    article: Article
    token: int
    lease_until: datetime


class ApiStore(Protocol):
    """What the web process asks of the store for one tenant. Unknown ids and those of other
    tenants raise `NotFoundError`, deleted ones `GoneError`, an unreachable database
    `StoreUnavailableError`."""

    def submit(
        self,
        articles: Sequence[tuple[Article, AnalysisOptions]],
        *,
        priority: Priority,
        batch_id: str | None = None,
        idempotency: IdempotencyClaim | None = None,
    ) -> Submission:
        """Write articles, their jobs and their outbox entries in one transaction.

        Raises `IdempotencyMismatchError`, `IdempotencyInFlightError` or `QueueFullError`.
        """
        ...

    def job(self, job_id: str) -> Job: ...

    def jobs(self, wanted: JobFilter, *, after: str | None, limit: int) -> JobPage: ...

    def cancel(self, job_id: str) -> Job:
        """Cancel a queued or running job (again: no change). Finished: `StateConflictError`."""
        ...

    def retry(self, job_id: str) -> Job:
        """Queue a failed job again with a fresh set of attempts, else `StateConflictError`."""
        ...

    def article(self, article_id: str) -> Article: ...

    def latest_job(self, article_id: str) -> Job: ...

    def analysis(self, article_id: str) -> StoredAnalysis:
        """Raises `AnalysisNotReadyError` while there is none."""
        ...

    def delete_article(self, article_id: str) -> None:
        """Delete the article, its jobs and its analysis; the ids answer `GoneError` afterwards."""
        ...

    def rung(self, job_ids: Sequence[str]) -> None:
        """Note that the broker has taken these jobs' messages now."""
        ...

    def delivery(self, delivery_id: str) -> Delivery: ...

    def deliveries(
        self, wanted: DeliveryFilter, *, after: str | None, limit: int
    ) -> DeliveryPage: ...

    def redeliver(self, delivery_id: str) -> Delivery:
        """Make a delivery due now, with a fresh set of attempts, whatever its state. A URL that
        was disabled is called again."""
        ...

    def audit_events(self, wanted: AuditFilter, *, after: str | None, limit: int) -> AuditPage: ...


class ServiceStore(Protocol):
    """What the web process asks of the store for no tenant in particular."""

    def for_tenant(self, tenant: str, quota: Quota | None = None) -> ApiStore:
        """The store as this tenant sees it; what is submitted counts against `quota`."""
        ...

    def has_keys(self) -> bool:
        """Whether there is any API key, good or not."""
        ...

    def find_key(self, key_id: str) -> StoredKey | None:
        """The key with what proves it; `None` when there is none of this id."""
        ...

    def key_used(self, key_id: str) -> None:
        """Note that the key was used now, to the minute."""
        ...

    def key_refused(self, key_id: str, reason: str) -> None:
        """Write into the audit log, at most once an hour, that an ended key was used."""
        ...

    def live_workers(self, *, within: int) -> tuple[WorkerInfo, ...]:
        """Workers heard of in the last `within` seconds."""
        ...

    def figures(self, *, workers_within: int) -> StoreFigures:
        """Queues, workers heard of in the last `workers_within` seconds, recent failures, webhooks
        that have not arrived."""
        ...

    def ping(self) -> None:
        """Raise `StoreUnavailableError` unless the database answers."""
        ...


class WorkerStore(Protocol):
    """What a worker asks of the store."""

    def claim(self, job_id: str, *, worker_id: str, lease: int) -> Claim | None:
        """Compare-and-set `queued` (or `running` with a lease that ran out) to `running`.

        `None`: somebody else holds it, or there is nothing left to do. Counts the attempt; a job
        whose attempts are used up is failed with `attempts_exhausted` and not claimed.
        """
        ...

    def renew(self, claim: Claim, *, stage: Stage, lease: int) -> Claim:
        """Record the stage and extend the lease. Raises `LeaseLostError`."""
        ...

    def complete(self, claim: Claim, document: dict[str, Any], pipeline_version: str) -> None:
        """Store the analysis and finish the job in one transaction. Raises `LeaseLostError`."""
        ...

    def fail(self, claim: Claim, failure: JobFailure, *, retryable: bool) -> JobState:
        """Fail the job, or queue it again while attempts are left. Raises `LeaseLostError`."""
        ...

    def release(self, claim: Claim) -> None:
        """Hand the job back unfinished without counting the attempt (graceful shutdown)."""
        ...

    def due(self, *, redeliver_after: int, limit: int) -> tuple[Job, ...]:
        """Jobs whose doorbell must ring (again): in the outbox, queued and not rung for
        `redeliver_after` seconds, or running with a lease that ran out."""
        ...

    def rung(self, job_ids: Sequence[str]) -> None:
        """Note that the broker has taken these jobs' messages now."""
        ...

    def worker_seen(self, info: WorkerInfo) -> None: ...


class DeliveryStore(Protocol):
    """What sending webhooks asks of the store."""

    def due_deliveries(self, *, redeliver_after: int, limit: int) -> tuple[str, ...]:
        """Ids of deliveries whose time has come and that were not rung for in the last
        `redeliver_after` seconds, the longest due first."""
        ...

    def deliveries_rung(self, delivery_ids: Sequence[str]) -> None:
        """Note that the broker has taken these deliveries' messages now."""
        ...

    def claim_delivery(self, delivery_id: str, *, lease: int) -> DeliveryClaim | None:
        """The right to one attempt for `lease` seconds, counted at once; `None` when it is not
        due, has ended, is held, or its URL has been disabled (which ends it)."""
        ...

    def attempted(self, claim: DeliveryClaim, attempt: Attempt) -> DeliveryState | None:
        """Record how the attempt ended and what follows; `None` when the claim has run out."""
        ...


class RetentionStore(Protocol):
    """What letting go of old rows asks of the store."""

    def expire(self, *, days: int, keep: int, limit: int) -> int:
        """Delete at most `limit` articles whose job ended more than `days` ago, or that are not
        among the `keep` that ended last (0: no such limit), in one transaction. Articles with
        an open job are never touched. Returns how many it were."""
        ...

    def purge(self, *, tombstone_days: int, audit_days: int, limit: int) -> int:
        """Delete at most `limit` each of the marks and keys that are remembered no longer, and of
        the audit events and daily counts older than `audit_days` (0: no such limit)."""
        ...

    def empty_log(self) -> None:
        """Let deleted words go from the database's own log of changes, where that is ours."""
        ...


class Doorbell(Protocol):
    """Tells the workers that a job waits. May fail: the sweeper rings again."""

    def ring(self, job_id: str, priority: Priority) -> bool:
        """Whether the broker took the message; never raises for a broker that is away."""
        ...

    def ping(self) -> bool:
        """Whether the broker answers within the broker timeout."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """Where a key stands in its minute: whether this request fits, how many more do, and the
    seconds until the next minute begins."""

    allowed: bool
    left: int
    seconds: int


class Limiter(Protocol):
    """Counts requests by the minute. Never raises, never waits long."""

    def hit(self, name: str, limit: int) -> Window:
        """Count one request of `name`, of which `limit` fit into a minute."""
        ...
