"""What operators watch, read when it is asked for: nothing is counted up beside the truth.

The cost grows with the open jobs, the recent failures and the webhooks that did not arrive, not
with all jobs that ever were.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, case, func, select

from service.domain.delivery import DeliveryState
from service.domain.job import JobState, Priority
from service.domain.ports import DeliveryFigures, QueueFigures, StoreFigures
from service.store.tables import jobs, webhook_deliveries, workers

RECENT = timedelta(hours=1)

# A failed job's doorbell rang before it failed, by at most the time that a job may wait and run.
# (state, rung_at) has an index, (state, finished_at) has none.
_RUNG_BEFORE_ENDING = timedelta(hours=1)


def read(connection: Connection, *, workers_within: int, now: datetime) -> StoreFigures:
    """The figures as of `now`."""
    return StoreFigures(
        queues=_queues(connection, now),
        workers=_workers(connection, now - timedelta(seconds=workers_within)),
        failures=_failures(connection, now),
        deliveries=_deliveries(connection, now),
    )


def _queues(connection: Connection, now: datetime) -> tuple[QueueFigures, ...]:
    unrung = and_(jobs.c.state == JobState.QUEUED.value, jobs.c.rung_at.is_(None))
    overdue = and_(jobs.c.state == JobState.RUNNING.value, jobs.c.lease_until <= now)
    query = (
        select(
            jobs.c.priority,
            jobs.c.state,
            func.count().label("jobs"),
            func.min(jobs.c.updated_at).label("oldest"),
            func.sum(case((unrung, 1), else_=0)).label("unrung"),
            func.min(case((unrung, jobs.c.updated_at))).label("oldest_unrung"),
            func.sum(case((overdue, 1), else_=0)).label("overdue"),
        )
        .where(jobs.c.state.in_([JobState.QUEUED.value, JobState.RUNNING.value]))
        .group_by(jobs.c.priority, jobs.c.state)
        .order_by(jobs.c.priority, jobs.c.state)
    )
    return tuple(
        QueueFigures(
            priority=Priority(row.priority),
            state=JobState(row.state),
            jobs=row.jobs,
            oldest=_seconds(now, row.oldest),
            unrung=int(row.unrung),
            oldest_unrung=None if row.oldest_unrung is None else _seconds(now, row.oldest_unrung),
            overdue=int(row.overdue),
        )
        for row in connection.execute(query)
    )


def _workers(connection: Connection, since: datetime) -> dict[str, int]:
    query = (
        select(workers.c.pipeline_version, func.count())
        .where(workers.c.seen_at >= since)
        .group_by(workers.c.pipeline_version)
    )
    return {str(row[0]): int(row[1]) for row in connection.execute(query)}


def _failures(connection: Connection, now: datetime) -> dict[str, int]:
    query = (
        select(jobs.c.failure_code, func.count())
        .where(
            jobs.c.state == JobState.FAILED.value,
            jobs.c.rung_at >= now - RECENT - _RUNG_BEFORE_ENDING,
            jobs.c.finished_at >= now - RECENT,
        )
        .group_by(jobs.c.failure_code)
    )
    return {str(row[0]): int(row[1]) for row in connection.execute(query)}


def _deliveries(connection: Connection, now: datetime) -> DeliveryFigures:
    table = webhook_deliveries.c
    undelivered = [state.value for state in DeliveryState if state is not DeliveryState.DELIVERED]
    pending = table.state == DeliveryState.PENDING.value
    query = (
        select(
            table.state,
            func.count().label("deliveries"),
            func.min(case((pending, table.next_attempt_at))).label("next"),
        )
        .where(table.state.in_(undelivered))
        .group_by(table.state)
    )
    found = {row.state: row for row in connection.execute(query)}
    counts = {state: found[state].deliveries if state in found else 0 for state in undelivered}
    waiting = found.get(DeliveryState.PENDING.value)
    overdue = _seconds(now, waiting.next) if waiting is not None else 0.0
    return DeliveryFigures(**counts, overdue=overdue)


def _seconds(now: datetime, then: datetime) -> float:
    # Another machine's clock may be ahead of ours.
    return max(0.0, (now - then).total_seconds())
