"""`SqlStore`: the domain's `ServiceStore`, `ApiStore`, `WorkerStore` and `DeliveryStore` over one
SQL database.

One method, one transaction; what happens inside is in the module of its noun.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, func, select

from service.domain.analysis import StoredAnalysis
from service.domain.article import AnalysisOptions, Article
from service.domain.audit import AuditFilter, AuditPage
from service.domain.delivery import Attempt, Delivery, DeliveryClaim, DeliveryState
from service.domain.job import Job, JobFailure, JobState, Priority, Stage
from service.domain.key import ApiKey, KeyGrant, Quota, StoredKey, Token
from service.domain.ports import (
    Claim,
    DeliveryFilter,
    DeliveryPage,
    IdempotencyClaim,
    JobFilter,
    JobPage,
    StoreFigures,
    Submission,
    WorkerInfo,
)
from service.domain.tenant import DEFAULT_TENANT
from service.settings import Settings
from service.store import (
    audit,
    claims,
    deliveries,
    endings,
    figures,
    forgetting,
    heartbeats,
    keys,
    outbox,
    records,
    submissions,
    tenants,
)
from service.store.clock import Clock, utc_now
from service.store.engine import empty_log, open_engine, reading, writing
from service.store.migrate import check_not_behind
from service.store.tables import jobs


class SqlStore:
    """Safe to share between threads, not between processes. Every method raises
    `StoreUnavailableError` when the database is away.

    What callers ask is answered as one tenant sees it, by default `default`; `for_tenant` gives
    the view of another. What workers ask is of all tenants.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        max_attempts: int,
        idempotency_ttl: int,
        max_queued: int,
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._max_attempts = max_attempts
        self._idempotency_ttl = idempotency_ttl
        self._max_queued = max_queued
        self._now = clock
        self._tenant = DEFAULT_TENANT
        self._quota: Quota | None = None

    def for_tenant(self, tenant: str, quota: Quota | None = None) -> SqlStore:
        """The same store as `tenant` sees it; what is submitted counts against `quota`."""
        view = copy(self)
        view._tenant = tenant
        view._quota = quota
        return view

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._engine.dispose()

    # What the web process asks for a tenant.

    def submit(
        self,
        articles: Sequence[tuple[Article, AnalysisOptions]],
        *,
        priority: Priority,
        batch_id: str | None = None,
        idempotency: IdempotencyClaim | None = None,
    ) -> Submission:
        with writing(self._engine) as connection:
            return submissions.submit(
                connection,
                articles,
                tenant=self._tenant,
                quota=self._quota,
                priority=priority,
                max_attempts=self._max_attempts,
                max_queued=self._max_queued,
                batch_id=batch_id,
                idempotency=idempotency,
                now=self._now(),
                keep=self._idempotency_ttl,
            )

    def job(self, job_id: str) -> Job:
        with reading(self._engine) as connection:
            return records.job(connection, job_id, tenant=self._tenant)

    def jobs(self, wanted: JobFilter, *, after: str | None, limit: int) -> JobPage:
        with reading(self._engine) as connection:
            return records.page(connection, wanted, tenant=self._tenant, after=after, limit=limit)

    def cancel(self, job_id: str) -> Job:
        with writing(self._engine) as connection:
            return endings.cancel(connection, job_id, tenant=self._tenant, now=self._now())

    def retry(self, job_id: str) -> Job:
        with writing(self._engine) as connection:
            return endings.retry(connection, job_id, tenant=self._tenant, now=self._now())

    def article(self, article_id: str) -> Article:
        with reading(self._engine) as connection:
            return records.article(connection, article_id, tenant=self._tenant)

    def latest_job(self, article_id: str) -> Job:
        with reading(self._engine) as connection:
            return records.latest_job(connection, article_id, tenant=self._tenant)

    def analysis(self, article_id: str) -> StoredAnalysis:
        with reading(self._engine) as connection:
            return records.analysis(connection, article_id, tenant=self._tenant)

    def delete_article(self, article_id: str) -> None:
        with writing(self._engine) as connection:
            endings.delete_article(connection, article_id, tenant=self._tenant, now=self._now())

    def delivery(self, delivery_id: str) -> Delivery:
        with reading(self._engine) as connection:
            return deliveries.delivery(connection, delivery_id, tenant=self._tenant)

    def deliveries(self, wanted: DeliveryFilter, *, after: str | None, limit: int) -> DeliveryPage:
        with reading(self._engine) as connection:
            return deliveries.page(
                connection, wanted, tenant=self._tenant, after=after, limit=limit
            )

    def redeliver(self, delivery_id: str) -> Delivery:
        with writing(self._engine) as connection:
            return deliveries.redeliver(
                connection, delivery_id, tenant=self._tenant, now=self._now()
            )

    def audit_events(self, wanted: AuditFilter, *, after: str | None, limit: int) -> AuditPage:
        with reading(self._engine) as connection:
            return audit.page(connection, wanted, tenant=self._tenant, after=after, limit=limit)

    # What it asks for no tenant in particular.

    def has_keys(self) -> bool:
        with reading(self._engine) as connection:
            return keys.exist(connection)

    def find_key(self, key_id: str) -> StoredKey | None:
        with reading(self._engine) as connection:
            return keys.find(connection, key_id)

    def key_used(self, key_id: str) -> None:
        with writing(self._engine) as connection:
            keys.used(connection, key_id, now=self._now())

    def key_refused(self, key_id: str, reason: str) -> None:
        with writing(self._engine) as connection:
            keys.refused(connection, key_id, reason, now=self._now())

    def live_workers(self, *, within: int) -> tuple[WorkerInfo, ...]:
        with reading(self._engine) as connection:
            return heartbeats.live(connection, within=within, now=self._now())

    def figures(self, *, workers_within: int) -> StoreFigures:
        with reading(self._engine) as connection:
            return figures.read(connection, workers_within=workers_within, now=self._now())

    def ping(self) -> None:
        """A database without our schema, or with an older one, counts as away."""
        with reading(self._engine) as connection:
            check_not_behind(connection)

    def waiting(self) -> int:
        """How many jobs are queued."""
        with reading(self._engine) as connection:
            queued = jobs.c.state == JobState.QUEUED.value
            return connection.execute(
                select(func.count()).select_from(jobs).where(queued)
            ).scalar_one()

    # What the operator asks.

    def create_key(self, grant: KeyGrant) -> tuple[ApiKey, Token]:
        """A new key, and its tenant when it is the first."""
        with writing(self._engine) as connection:
            return keys.create(connection, grant, now=self._now())

    def keys(self, tenant: str | None = None) -> tuple[ApiKey, ...]:
        """All keys, of one tenant or of all."""
        with reading(self._engine) as connection:
            return keys.every(connection, tenant)

    def revoke_key(self, key_id: str) -> ApiKey:
        """End the key now. Raises `NotFoundError`."""
        with writing(self._engine) as connection:
            return keys.revoke(connection, key_id, now=self._now())

    def rotate_key(self, key_id: str, *, grace: timedelta) -> tuple[ApiKey, Token]:
        """A new secret; the old one is good for `grace` longer. Raises `NotFoundError` or
        `StateConflictError`."""
        with writing(self._engine) as connection:
            return keys.rotate(connection, key_id, grace=grace, now=self._now())

    def tenants(self) -> tuple[str, ...]:
        """All tenants by name."""
        with reading(self._engine) as connection:
            return tenants.every(connection)

    def add_tenant(self, tenant: str) -> None:
        """Make the tenant unless there is one of this name."""
        with writing(self._engine) as connection:
            tenants.add(connection, tenant, now=self._now())

    def delete_tenant(self, tenant: str) -> None:
        """Delete everything that is the tenant's. Raises `NotFoundError`, or
        `StateConflictError` when no API key would be left."""
        with writing(self._engine) as connection:
            tenants.remove(connection, tenant, now=self._now())

    # What a worker asks.

    def claim(self, job_id: str, *, worker_id: str, lease: int) -> Claim | None:
        with writing(self._engine) as connection:
            return claims.claim(
                connection, job_id, worker_id=worker_id, lease=lease, now=self._now()
            )

    def renew(self, claim: Claim, *, stage: Stage, lease: int) -> Claim:
        with writing(self._engine) as connection:
            return claims.renew(connection, claim, stage=stage, lease=lease, now=self._now())

    def complete(self, claim: Claim, document: dict[str, Any], pipeline_version: str) -> None:
        with writing(self._engine) as connection:
            claims.complete(connection, claim, document, pipeline_version, now=self._now())

    def fail(self, claim: Claim, failure: JobFailure, *, retryable: bool) -> JobState:
        with writing(self._engine) as connection:
            return claims.fail(connection, claim, failure, retryable=retryable, now=self._now())

    def release(self, claim: Claim) -> None:
        with writing(self._engine) as connection:
            claims.release(connection, claim, now=self._now())

    def due(self, *, redeliver_after: int, limit: int) -> tuple[Job, ...]:
        with reading(self._engine) as connection:
            return outbox.due(
                connection, redeliver_after=redeliver_after, limit=limit, now=self._now()
            )

    def rung(self, job_ids: Sequence[str]) -> None:
        with writing(self._engine) as connection:
            outbox.rung(connection, job_ids, now=self._now())

    def due_deliveries(self, *, redeliver_after: int, limit: int) -> tuple[str, ...]:
        with reading(self._engine) as connection:
            return deliveries.due(
                connection, redeliver_after=redeliver_after, limit=limit, now=self._now()
            )

    def deliveries_rung(self, delivery_ids: Sequence[str]) -> None:
        with writing(self._engine) as connection:
            deliveries.rung(connection, delivery_ids, now=self._now())

    def claim_delivery(self, delivery_id: str, *, lease: int) -> DeliveryClaim | None:
        with writing(self._engine) as connection:
            return deliveries.claim(connection, delivery_id, lease=lease, now=self._now())

    def attempted(self, claim: DeliveryClaim, attempt: Attempt) -> DeliveryState | None:
        with writing(self._engine) as connection:
            return deliveries.attempted(connection, claim, attempt, now=self._now())

    def expire(self, *, days: int, keep: int, limit: int) -> int:
        now = self._now()
        with reading(self._engine) as connection:
            # Most times there is nothing, and then no writer has to wait.
            if not forgetting.anything_to_expire(connection, days=days, keep=keep, now=now):
                return 0
        with writing(self._engine) as connection:
            return forgetting.expire(connection, days=days, keep=keep, limit=limit, now=now)

    def purge(self, *, tombstone_days: int, audit_days: int, limit: int) -> int:
        with writing(self._engine) as connection:
            return forgetting.purge(
                connection,
                tombstone_days=tombstone_days,
                audit_days=audit_days,
                idempotency_ttl=self._idempotency_ttl,
                limit=limit,
                now=self._now(),
            )

    def empty_log(self) -> None:
        empty_log(self._engine)

    def worker_seen(self, info: WorkerInfo) -> None:
        with writing(self._engine) as connection:
            heartbeats.seen(connection, info, now=self._now())

    def worker_gone(self, worker_id: str) -> None:
        """Forget a worker that stops, so that it does not count as alive until it is overdue."""
        with writing(self._engine) as connection:
            heartbeats.gone(connection, worker_id)


def open_store(settings: Settings, *, clock: Clock = utc_now) -> SqlStore:
    """The store of this process. Connects when first used."""
    return SqlStore(
        open_engine(settings.database_url),
        max_attempts=settings.max_attempts,
        idempotency_ttl=settings.idempotency_ttl,
        max_queued=settings.max_queued,
        clock=clock,
    )
