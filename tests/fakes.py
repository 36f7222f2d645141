"""In-memory store and doorbell: the ports of `service.domain.ports` without SQL and a broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from service.domain.analysis import StoredAnalysis
from service.domain.article import AnalysisOptions, Article
from service.domain.audit import AuditEvent, AuditFilter, AuditPage
from service.domain.delivery import EVENT_OF_STATE, Delivery, DeliveryState
from service.domain.errors import (
    AnalysisNotReadyError,
    GoneError,
    IdempotencyInFlightError,
    IdempotencyMismatchError,
    NotFoundError,
    QueueFullError,
    StateConflictError,
    StoreUnavailableError,
)
from service.domain.job import Job, JobFailure, JobState, Priority, Stage
from service.domain.key import ApiKey, KeyGrant, Quota, Scope, StoredKey, Token
from service.domain.ports import (
    DeliveryFigures,
    DeliveryFilter,
    DeliveryPage,
    IdempotencyClaim,
    JobFilter,
    JobPage,
    QueueFigures,
    Receipt,
    StoreFigures,
    Submission,
    Window,
    WorkerInfo,
)
from service.domain.tenant import DEFAULT_TENANT


@dataclass
class FakeStore:
    """A `ServiceStore`, and the `ApiStore` of the tenant `default`. `finish`, `fail` and `run` do
    what a worker would; `document`, when set, finishes every job as soon as it is submitted;
    `away` makes every call fail, `full` refuses new jobs."""

    away: bool = False
    full: bool = False
    document: dict[str, Any] | None = None
    workers: tuple[WorkerInfo, ...] = ()
    max_attempts: int = 3
    in_flight: set[str] = field(default_factory=set)
    stored_keys: dict[str, StoredKey] = field(default_factory=dict)
    used_keys: list[str] = field(default_factory=list)
    refused_keys: list[tuple[str, str]] = field(default_factory=list)
    events: list[AuditEvent] = field(default_factory=list)
    quotas: list[Quota | None] = field(default_factory=list)
    rung_ids: list[str] = field(default_factory=list)
    tenants: dict[str, FakeStore] = field(default_factory=dict)
    _articles: dict[str, Article] = field(default_factory=dict)
    _jobs: dict[str, Job] = field(default_factory=dict)
    _analyses: dict[str, StoredAnalysis] = field(default_factory=dict)
    _answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    _deliveries: dict[str, Delivery] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)
    _ids: count[int] = field(default_factory=lambda: count(1))

    def add_key(
        self, *scopes: Scope, tenant: str = DEFAULT_TENANT, token: Token | None = None, **more: Any
    ) -> Token:
        """A key with these scopes; `more` is of its grant, or `revoked_at`."""
        token = token or Token.new()
        ended = {"revoked_at": more.pop("revoked_at", None)}
        grant = KeyGrant(tenant, "a key", frozenset(scopes), **more)
        key = ApiKey(token.key_id, grant, datetime.now(UTC), **ended)
        self.stored_keys[token.key_id] = StoredKey(key, token.digest)
        return token

    def has_keys(self) -> bool:
        self.ping()
        return bool(self.stored_keys)

    def find_key(self, key_id: str) -> StoredKey | None:
        self.ping()
        return self.stored_keys.get(key_id)

    def key_used(self, key_id: str) -> None:
        self.ping()
        self.used_keys.append(key_id)

    def key_refused(self, key_id: str, reason: str) -> None:
        self.refused_keys.append((key_id, reason))

    def audit_events(self, wanted: AuditFilter, *, after: str | None, limit: int) -> AuditPage:
        self.ping()
        newest_first = sorted(self.events, key=lambda event: event.id, reverse=True)
        found = [event for event in newest_first if wanted.kind in {None, event.kind}]
        found = [event for event in found if after is None or event.id < after]
        page = tuple(found[:limit])
        return AuditPage(page, page[-1].id if len(found) > limit else None)

    def for_tenant(self, tenant: str, quota: Quota | None = None) -> FakeStore:
        self.quotas.append(quota)
        if tenant == DEFAULT_TENANT:
            return self
        return self.tenants.setdefault(tenant, FakeStore())

    def submit(
        self,
        articles: Sequence[tuple[Article, AnalysisOptions]],
        *,
        priority: Priority,
        batch_id: str | None = None,
        idempotency: IdempotencyClaim | None = None,
    ) -> Submission:
        self.ping()
        if idempotency is not None:
            if idempotency.key in self.in_flight:
                raise IdempotencyInFlightError(idempotency.key)
            if idempotency.key in self._answers:
                fingerprint, body = self._answers[idempotency.key]
                if fingerprint != idempotency.fingerprint:
                    raise IdempotencyMismatchError(idempotency.key)
                return Submission((), body)
        if self.full:
            raise QueueFullError("full")
        receipts = []
        for article, options in articles:
            job = self._new_job(article, options, priority, batch_id)
            self._articles[article.id] = article
            self._jobs[job.id] = job
            receipts.append(Receipt(article.id, job.id))
            if self.document is not None:
                self.finish(job.id, self.document)
        if idempotency is not None:
            body = idempotency.respond(receipts)
            self._answers[idempotency.key] = (idempotency.fingerprint, body)
        return Submission(tuple(receipts))

    def job(self, job_id: str) -> Job:
        self._check(job_id)
        try:
            return self._jobs[job_id]
        except KeyError as err:
            raise NotFoundError(job_id) from err

    def jobs(self, wanted: JobFilter, *, after: str | None, limit: int) -> JobPage:
        self.ping()
        found = [
            job
            for job in sorted(self._jobs.values(), key=lambda job: job.id, reverse=True)
            if (after is None or job.id < after) and self._matches(job, wanted)
        ]
        page = tuple(found[:limit])
        return JobPage(page, page[-1].id if len(found) > limit else None)

    def cancel(self, job_id: str) -> Job:
        job = self.job(job_id)
        if job.state in {JobState.SUCCEEDED, JobState.FAILED}:
            raise StateConflictError(f"A job that has {job.state} cannot be cancelled.")
        if job.state is JobState.CANCELLED:
            return job
        return self._change(job, state=JobState.CANCELLED, finished_at=datetime.now(UTC))

    def retry(self, job_id: str) -> Job:
        job = self.job(job_id)
        if job.state is not JobState.FAILED:
            raise StateConflictError("Only failed jobs can be retried.")
        return self._change(
            job, state=JobState.QUEUED, attempts=0, failure=None, stage=None, finished_at=None
        )

    def article(self, article_id: str) -> Article:
        self._check(article_id)
        try:
            return self._articles[article_id]
        except KeyError as err:
            raise NotFoundError(article_id) from err

    def latest_job(self, article_id: str) -> Job:
        self.article(article_id)
        return max(
            (job for job in self._jobs.values() if job.article_id == article_id),
            key=lambda job: job.id,
        )

    def analysis(self, article_id: str) -> StoredAnalysis:
        job = self.latest_job(article_id)
        try:
            return self._analyses[article_id]
        except KeyError as err:
            raise AnalysisNotReadyError(job.id, job.state) from err

    def delete_article(self, article_id: str) -> None:
        self.article(article_id)
        del self._articles[article_id]
        self._analyses.pop(article_id, None)
        ended = {job.id for job in self._jobs.values() if job.article_id == article_id}
        self._jobs = {key: job for key, job in self._jobs.items() if key not in ended}
        told = {one.id for one in self._deliveries.values() if one.article_id == article_id}
        self._deliveries = {key: one for key, one in self._deliveries.items() if key not in told}
        self._gone |= {article_id, *ended, *told}

    def delivery(self, delivery_id: str) -> Delivery:
        self._check(delivery_id)
        try:
            return self._deliveries[delivery_id]
        except KeyError as err:
            raise NotFoundError(delivery_id) from err

    def deliveries(self, wanted: DeliveryFilter, *, after: str | None, limit: int) -> DeliveryPage:
        self.ping()
        newest_first = sorted(self._deliveries.values(), key=lambda one: one.id, reverse=True)
        created_after, created_before = wanted.created_after, wanted.created_before
        found = [
            one
            for one in newest_first
            if (after is None or one.id < after)
            and wanted.state in {None, one.state}
            and wanted.type in {None, one.type}
            and wanted.job_id in {None, one.job_id}
            and wanted.batch_id in {None, one.batch_id}
            and wanted.url in {None, one.url}
            and (created_after is None or one.created_at > created_after)
            and (created_before is None or one.created_at < created_before)
        ]
        page = tuple(found[:limit])
        return DeliveryPage(page, page[-1].id if len(found) > limit else None)

    def redeliver(self, delivery_id: str) -> Delivery:
        again = replace(
            self.delivery(delivery_id),
            state=DeliveryState.PENDING,
            attempts=0,
            next_attempt_at=datetime.now(UTC),
            delivered_at=None,
            failure=None,
        )
        self._deliveries[delivery_id] = again
        return again

    def rung(self, job_ids: Sequence[str]) -> None:
        self.rung_ids += job_ids

    def live_workers(self, *, within: int) -> tuple[WorkerInfo, ...]:
        self.ping()
        return self.workers

    def figures(self, *, workers_within: int) -> StoreFigures:
        self.ping()
        queued = [job for job in self._jobs.values() if job.state is JobState.QUEUED]
        failed = [job for job in self._jobs.values() if job.failure is not None]
        return StoreFigures(
            tuple(
                QueueFigures(priority, JobState.QUEUED, len(found), 12.0, len(found), 12.0, 0)
                for priority in Priority
                if (found := [job for job in queued if job.priority is priority])
            ),
            dict(Counter(worker.pipeline_version for worker in self.workers)),
            dict(Counter(job.failure.code for job in failed if job.failure)),
            DeliveryFigures(
                pending=sum(
                    one.state is DeliveryState.PENDING for one in self._deliveries.values()
                ),
                overdue=7.0 if self._deliveries else 0.0,
            ),
        )

    def ping(self) -> None:
        if self.away:
            raise StoreUnavailableError("the fake is away")

    def run(self, job_id: str, stage: Stage) -> None:
        """A worker has reached `stage`."""
        self._change(
            self._jobs[job_id], state=JobState.RUNNING, stage=stage, started_at=datetime.now(UTC)
        )

    def finish(self, job_id: str, document: dict[str, Any]) -> None:
        """A worker has stored `document`."""
        now = datetime.now(UTC)
        job = self._change(
            self._jobs[job_id], state=JobState.SUCCEEDED, stage=Stage.STORE, finished_at=now
        )
        self._analyses[job.article_id] = StoredAnalysis(
            job.article_id, job.id, str(document["pipeline_version"]), now, document
        )

    def fail(self, job_id: str, failure: JobFailure) -> None:
        """A worker has given up."""
        job = self._jobs[job_id]
        self._change(job, state=JobState.FAILED, failure=failure, finished_at=datetime.now(UTC))

    def _new_job(
        self,
        article: Article,
        options: AnalysisOptions,
        priority: Priority,
        batch_id: str | None,
    ) -> Job:
        now = datetime.now(UTC)
        return Job(
            id=str(UUID(int=next(self._ids))),
            article_id=article.id,
            state=JobState.QUEUED,
            priority=priority,
            options=options,
            attempts=0,
            max_attempts=self.max_attempts,
            created_at=now,
            updated_at=now,
            version=1,
            batch_id=batch_id,
        )

    def _change(self, job: Job, **changes: Any) -> Job:
        now = datetime.now(UTC)
        changed = replace(job, updated_at=now, version=job.version + 1, **changes)
        self._jobs[job.id] = changed
        url = job.options.callback_url
        if changed.state.is_final and url is not None:
            id_ = str(UUID(int=next(self._ids)))
            self._deliveries[id_] = Delivery(
                id=id_,
                type=EVENT_OF_STATE[changed.state],
                job_id=job.id,
                article_id=job.article_id,
                url=url,
                state=DeliveryState.PENDING,
                attempts=0,
                created_at=now,
                updated_at=now,
                batch_id=job.batch_id,
                next_attempt_at=now,
            )
        return changed

    def _check(self, id_: str) -> None:
        self.ping()
        if id_ in self._gone:
            raise GoneError("It was here and has been deleted.")

    def _matches(self, job: Job, wanted: JobFilter) -> bool:
        source = self._articles[job.article_id].source
        after, before = wanted.created_after, wanted.created_before
        return (
            wanted.state in {None, job.state}
            and wanted.batch_id in {None, job.batch_id}
            and wanted.article_id in {None, job.article_id}
            and wanted.source in {None, source}
            and (after is None or job.created_at > after)
            and (before is None or job.created_at < before)
        )


@dataclass
class FakeDoorbell:
    """A `Doorbell` that writes down who rang; `away` refuses every message."""

    away: bool = False
    rings: list[tuple[str, Priority]] = field(default_factory=list)
    tries: int = 0

    def ring(self, job_id: str, priority: Priority) -> bool:
        self.tries += 1
        if not self.away:
            self.rings.append((job_id, priority))
        return not self.away

    def ping(self) -> bool:
        return not self.away


@dataclass
class FakeLimiter:
    """A `Limiter` whose minute never ends."""

    hits: Counter[str] = field(default_factory=Counter)

    def hit(self, name: str, limit: int) -> Window:
        self.hits[name] += 1
        return Window(self.hits[name] <= limit, max(0, limit - self.hits[name]), 42)
