"""Claiming a job and everything a claim allows.

Each statement checks token and state itself, so a worker that was paused, whose lease ran out or
whose job was cancelled or deleted can never write over the one that came after it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, insert, or_, select, update

from service.domain.errors import LeaseLostError
from service.domain.job import JobFailure, JobState, Stage
from service.domain.ports import Claim
from service.store.deliveries import job_ended
from service.store.rows import to_article, to_job
from service.store.tables import analyses, articles, jobs

ATTEMPTS_EXHAUSTED = "attempts_exhausted"


def claim(
    connection: Connection, job_id: str, *, worker_id: str, lease: int, now: datetime
) -> Claim | None:
    """Take the job if it is free. A job that used up its attempts fails instead."""
    until = now + timedelta(seconds=lease)
    free = and_(jobs.c.id == job_id, _free(now))
    taken = connection.execute(
        update(jobs)
        .where(free, jobs.c.attempts < jobs.c.max_attempts)
        .values(
            state=JobState.RUNNING.value,
            attempts=jobs.c.attempts + 1,
            token=jobs.c.token + 1,
            version=jobs.c.version + 1,
            stage=None,
            started_at=case((jobs.c.started_at.is_(None), now), else_=jobs.c.started_at),
            updated_at=now,
            worker_id=worker_id,
            lease_until=until,
        )
    )
    if taken.rowcount == 0:
        if _exhaust(connection, free, now=now):
            job_ended(connection, job_id, now=now)
        return None
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one()
    text = connection.execute(select(articles).where(articles.c.id == row.article_id)).one()
    return Claim(job=to_job(row), article=to_article(text), token=row.token, lease_until=until)


def renew(connection: Connection, held: Claim, *, stage: Stage, lease: int, now: datetime) -> Claim:
    """Record the stage and extend the lease. Raises `LeaseLostError`."""
    until = now + timedelta(seconds=lease)
    # A heartbeat inside one stage is no news for a caller: the version (their ETag) stays.
    moved = case((jobs.c.stage == stage.value, 0), else_=1)
    _update_held(
        connection,
        held,
        stage=stage.value,
        lease_until=until,
        updated_at=now,
        version=jobs.c.version + moved,
    )
    return replace(held, job=replace(held.job, stage=stage), lease_until=until)


def complete(
    connection: Connection,
    held: Claim,
    document: dict[str, Any],
    pipeline_version: str,
    *,
    now: datetime,
) -> None:
    """Store the analysis and finish the job. Raises `LeaseLostError`."""
    _update_held(
        connection,
        held,
        state=JobState.SUCCEEDED.value,
        stage=Stage.STORE.value,
        **_ended(now),
    )
    connection.execute(
        insert(analyses).values(
            job_id=held.job.id,
            article_id=held.job.article_id,
            pipeline_version=pipeline_version,
            created_at=now,
            document=document,
        )
    )
    job_ended(connection, held.job.id, now=now)


def fail(
    connection: Connection, held: Claim, failure: JobFailure, *, retryable: bool, now: datetime
) -> JobState:
    """Fail the job, or queue it again while attempts are left. Raises `LeaseLostError`."""
    if retryable and held.job.attempts < held.job.max_attempts:
        _queue_again(connection, held, now=now)
        return JobState.QUEUED
    _update_held(
        connection,
        held,
        state=JobState.FAILED.value,
        failure_code=failure.code,
        failure_detail=failure.detail,
        **_ended(now),
    )
    job_ended(connection, held.job.id, now=now)
    return JobState.FAILED


def release(connection: Connection, held: Claim, *, now: datetime) -> None:
    """Hand the job back, its attempt uncounted. Raises `LeaseLostError`."""
    _queue_again(connection, held, now=now, attempts=jobs.c.attempts - 1)


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(
        jobs.c.state == JobState.QUEUED.value,
        and_(jobs.c.state == JobState.RUNNING.value, jobs.c.lease_until <= now),
    )


def _exhaust(connection: Connection, free: ColumnElement[bool], *, now: datetime) -> bool:
    failed = connection.execute(
        update(jobs)
        .where(free, jobs.c.attempts >= jobs.c.max_attempts)
        .values(
            state=JobState.FAILED.value,
            token=jobs.c.token + 1,
            failure_code=ATTEMPTS_EXHAUSTED,
            failure_detail="every attempt ended without a result: its worker was lost each time",
            **_ended(now),
        )
    )
    return failed.rowcount == 1


def _queue_again(connection: Connection, held: Claim, *, now: datetime, **changes: object) -> None:
    _update_held(
        connection,
        held,
        state=JobState.QUEUED.value,
        stage=None,
        worker_id=None,
        lease_until=None,
        # Back into the outbox: the sweeper rings.
        rung_at=None,
        updated_at=now,
        version=jobs.c.version + 1,
        **changes,
    )


def _ended(now: datetime) -> dict[str, object]:
    return {
        "finished_at": now,
        "updated_at": now,
        "version": jobs.c.version + 1,
        "worker_id": None,
        "lease_until": None,
    }


def _update_held(connection: Connection, held: Claim, **values: object) -> None:
    # A lease that ran out is still good while nobody has taken the job: the token tells.
    changed = connection.execute(
        update(jobs)
        .where(
            jobs.c.id == held.job.id,
            jobs.c.token == held.token,
            jobs.c.state == JobState.RUNNING.value,
        )
        .values(**values)
    )
    if changed.rowcount == 0:
        raise LeaseLostError(f"job {held.job.id}: claim {held.token} is no longer valid")
