"""Which workers are alive."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.ports import WorkerInfo
from service.store.rows import to_worker
from service.store.tables import workers

FORGET_AFTER = timedelta(days=1)


def seen(connection: Connection, info: WorkerInfo, *, now: datetime) -> None:
    """Note that the worker lives; forget those that have been silent for a day."""
    values = {
        "id": info.id,
        "pipeline_version": info.pipeline_version,
        "models": list(info.models),
        "started_at": info.started_at,
        "seen_at": now,
    }
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(
        dialect.insert(workers)
        .values(**values)
        .on_conflict_do_update(index_elements=[workers.c.id], set_=values)
    )
    connection.execute(delete(workers).where(workers.c.seen_at < now - FORGET_AFTER))


def gone(connection: Connection, worker_id: str) -> None:
    """Forget a worker that has said goodbye."""
    connection.execute(delete(workers).where(workers.c.id == worker_id))


def live(connection: Connection, *, within: int, now: datetime) -> tuple[WorkerInfo, ...]:
    """Workers heard of in the last `within` seconds, the oldest first."""
    query = (
        select(workers)
        .where(workers.c.seen_at >= now - timedelta(seconds=within))
        .order_by(workers.c.started_at, workers.c.id)
    )
    return tuple(to_worker(row) for row in connection.execute(query))
