"""What a caller may do to a job or an article: cancel, retry, delete."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, update

from service.domain.errors import StateConflictError
from service.domain.job import Job, JobState
from service.store import records, tenants
from service.store.deliveries import job_ended
from service.store.forgetting import Reason, forget
from service.store.tables import jobs

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
    if not forget(connection, [article_id], tenant=tenant, reason=Reason.DELETED, now=now):
        raise records.absent(connection, article_id, tenant=tenant)
