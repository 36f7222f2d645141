"""Which jobs the workers must be told about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, or_, select, update

from service.domain.job import Job, JobState
from service.store.rows import to_job
from service.store.tables import jobs

# The web process rings right after its commit; a sweeper that looks in between would ring twice.
RINGING_SECONDS = 2


def due(
    connection: Connection, *, redeliver_after: int, limit: int, now: datetime
) -> tuple[Job, ...]:
    """Jobs to ring for, the longest waiting first."""
    silent = now - timedelta(seconds=redeliver_after)
    in_outbox = and_(
        jobs.c.state == JobState.QUEUED.value,
        jobs.c.rung_at.is_(None),
        jobs.c.updated_at <= now - timedelta(seconds=RINGING_SECONDS),
    )
    not_picked_up = and_(jobs.c.state == JobState.QUEUED.value, jobs.c.rung_at <= silent)
    lease_ran_out = and_(
        jobs.c.state == JobState.RUNNING.value,
        jobs.c.lease_until <= now,
        or_(
            jobs.c.rung_at.is_(None),
            jobs.c.rung_at < jobs.c.lease_until,
            jobs.c.rung_at <= silent,
        ),
    )
    query = (
        select(jobs)
        .where(or_(in_outbox, not_picked_up, lease_ran_out))
        .order_by(jobs.c.id)
        .limit(limit)
    )
    return tuple(to_job(row) for row in connection.execute(query))


def rung(connection: Connection, job_ids: Sequence[str], *, now: datetime) -> None:
    """The broker has these jobs' messages. Says nothing new to a caller: the version stays."""
    if job_ids:
        connection.execute(update(jobs).where(jobs.c.id.in_(job_ids)).values(rung_at=now))
