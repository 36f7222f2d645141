"""What a caller may do to a job or an article: cancel, retry, delete."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from service.domain.errors import StateConflictError
from service.domain.job import Job, JobState
from service.store import records, tenants
from service.store.deliveries import job_ended
from service.store.tables import articles, jobs, tombstones, webhook_deliveries

_OPEN = (JobState.QUEUED.value, JobState.RUNNING.value)


def cancel(connection: Connection, job_id: str, *, tenant: str, now: datetime) -> Job:
    """Cancel an open job; the worker that runs it loses its lease with the same statement.

    Raises `StateConflictError` when it has finished otherwise.
    """
    changed = connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.tenant == tenant, jobs.c.state.in_(_OPEN))
        .values(
            state=JobState.CANCELLED.value,
            finished_at=now,
            updated_at=now,
            version=jobs.c.version + 1,
            worker_id=None,
            lease_until=None,
        )
    )
    job = records.job(connection, job_id, tenant=tenant)
    if changed.rowcount == 0 and job.state is not JobState.CANCELLED:
        raise StateConflictError(f"the job is {job.state}")
    if changed.rowcount == 1:
        job_ended(connection, job_id, now=now)
    return job


def retry(connection: Connection, job_id: str, *, tenant: str, now: datetime) -> Job:
    """Queue a failed job again. Raises `StateConflictError` unless it failed."""
    changed = connection.execute(
        update(jobs)
        .where(
            jobs.c.id == job_id,
            jobs.c.tenant == tenant,
            jobs.c.state == JobState.FAILED.value,
        )
        .values(
            state=JobState.QUEUED.value,
            attempts=0,
            stage=None,
            started_at=None,
            finished_at=None,
            failure_code=None,
            failure_detail=None,
            updated_at=now,
            version=jobs.c.version + 1,
            rung_at=None,
        )
    )
    job = records.job(connection, job_id, tenant=tenant)
    if changed.rowcount == 0:
        raise StateConflictError(f"the job is {job.state}")
    return job


def delete_article(connection: Connection, article_id: str, *, tenant: str, now: datetime) -> None:
    """Delete the article with its jobs, analyses and deliveries and remember only the ids.

    Raises `NotFoundError` or `GoneError`.
    """
    tenants.hold(connection, tenant)
    # Jobs first, as a worker that completes one locks them: the other order would deadlock.
    owned = connection.execute(
        select(jobs.c.id).where(jobs.c.article_id == article_id, jobs.c.tenant == tenant)
        .order_by(jobs.c.id).with_for_update()
    ).scalars().all()  # fmt: skip
    told = connection.execute(
        select(webhook_deliveries.c.id).where(webhook_deliveries.c.job_id.in_(owned))
    ).scalars().all()  # fmt: skip
    deleted = connection.execute(
        delete(articles).where(articles.c.id == article_id, articles.c.tenant == tenant)
    )
    if deleted.rowcount == 0:
        raise records.absent(connection, article_id, tenant=tenant)
    connection.execute(
        insert(tombstones),
        [
            {"id": id_, "kind": kind, "deleted_at": now, "tenant": tenant}
            for kind, ids in (("article", [article_id]), ("job", owned), ("delivery", told))
            for id_ in ids
        ],
    )
