"""Forgetting on purpose: what a caller deletes, what is older than it may be kept.

Of an article nothing stays but the ids of its rows, in `tombstones`, and those not for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    exists,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)

from service.domain.job import JobState
from service.store.tables import (
    articles,
    audit_events,
    daily_usage,
    disabled_callbacks,
    idempotency_keys,
    jobs,
    tombstones,
    webhook_deliveries,
)

Keys = tuple[Column[Any], ...]

_OPEN = (JobState.QUEUED.value, JobState.RUNNING.value)


class Reason(StrEnum):
    """Why something is no longer there."""

    DELETED = "deleted"
    EXPIRED = "expired"


def forget(
    connection: Connection,
    article_ids: Sequence[str],
    *,
    tenant: str | None = None,
    reason: Reason,
    now: datetime,
) -> int:
    """Delete the articles with their jobs, analyses, deliveries and stored answers; remember only
    the ids. Returns how many articles there were. With `tenant`, only what is its own."""
    owner = articles.c.tenant == tenant if tenant is not None else true()
    article_ids = connection.execute(
        select(articles.c.id).where(articles.c.id.in_(article_ids), owner)
    ).scalars().all()  # fmt: skip
    # Jobs first, as a worker that completes one locks them: the other order would deadlock.
    owned = connection.execute(
        select(jobs.c.id, jobs.c.tenant, jobs.c.batch_id)
        .where(jobs.c.article_id.in_(article_ids))
        .order_by(jobs.c.id)
        .with_for_update()
    ).all()
    told = connection.execute(
        select(webhook_deliveries.c.id, webhook_deliveries.c.tenant).where(
            webhook_deliveries.c.job_id.in_([row.id for row in owned])
        )
    ).all()
    gone = connection.execute(
        delete(articles)
        .where(articles.c.id.in_(article_ids))
        .returning(articles.c.id, articles.c.tenant)
    ).all()
    if not gone:
        return 0
    batch_ids = {row.batch_id for row in owned if row.batch_id is not None}
    # The key stays while it is remembered anyway: a late repetition of the request must not
    # bring back what was deleted.
    connection.execute(
        update(idempotency_keys)
        .where(idempotency_keys.c.subject.in_([*(row.id for row in gone), *batch_ids]))
        .values(body="", subject=None)
    )
    buried = (("article", gone), ("job", owned), ("delivery", told))
    connection.execute(
        insert(tombstones),
        [
            {
                "id": row.id,
                "tenant": row.tenant,
                "kind": kind,
                "reason": reason.value,
                "deleted_at": now,
            }
            for kind, rows in buried
            for row in rows
        ],
    )
    return len(gone)


def expire(connection: Connection, *, days: int, keep: int, limit: int, now: datetime) -> int:
    """Forget at most `limit` articles whose job ended more than `days` ago or before the `keep`
    that ended last; 0 is no limit. Returns how many there were. Open jobs are left alone."""
    too_old = _too_old(connection, days=days, keep=keep, now=now)
    if too_old is None:
        return 0
    # Another worker that expires at the same time takes the rows that are not locked.
    found = connection.execute(
        _ended(too_old).limit(limit).with_for_update(of=jobs, skip_locked=True)
    )
    article_ids = list(found.scalars())
    if not article_ids:
        return 0
    return forget(connection, article_ids, reason=Reason.EXPIRED, now=now)


def anything_to_expire(connection: Connection, *, days: int, keep: int, now: datetime) -> bool:
    """Whether `expire` would find something; takes no lock."""
    too_old = _too_old(connection, days=days, keep=keep, now=now)
    if too_old is None:
        return False
    return connection.execute(_ended(too_old).limit(1)).first() is not None


def purge(
    connection: Connection,
    *,
    tombstone_days: int,
    audit_days: int,
    idempotency_ttl: int,
    limit: int,
    now: datetime,
) -> int:
    """Drop at most `limit` each of the tombstones, disabled callback URLs and idempotency keys
    that are remembered no longer. With `audit_days` (0: kept for ever) also of the audit events
    that are older, and of the counts of days that were over by then. Returns how many there were.
    """
    buried_before = now - timedelta(days=tombstone_days)
    audited_before = now - timedelta(days=audit_days)
    asked_before = now - timedelta(seconds=idempotency_ttl)
    rules: list[tuple[Keys, Column[Any], datetime | date]] = [
        ((tombstones.c.id,), tombstones.c.deleted_at, buried_before),
        ((disabled_callbacks.c.url_sha256,), disabled_callbacks.c.disabled_at, buried_before),
        ((idempotency_keys.c.key,), idempotency_keys.c.created_at, asked_before),
    ]
    if audit_days:
        last_day = audited_before.astimezone(UTC).date() - timedelta(days=1)
        rules += [
            ((audit_events.c.id,), audit_events.c.at, audited_before),
            ((daily_usage.c.key_id, daily_usage.c.day), daily_usage.c.day, last_day),
        ]
    return sum(_drop_oldest(connection, *rule, limit) for rule in rules)


def _drop_oldest(
    connection: Connection,
    keys: Keys,
    moment: Column[Any],
    before: datetime | date,
    limit: int,
) -> int:
    """Delete at most `limit` rows that are not younger than `before`, the oldest first; `keys` is
    the table's primary key. Returns how many there were."""
    some = select(*keys).where(moment <= before).order_by(moment).limit(limit)
    found = connection.execute(
        delete(moment.table).where(tuple_(*keys).in_(some), moment <= before)
    )
    return found.rowcount


def _too_old(
    connection: Connection, *, days: int, keep: int, now: datetime
) -> ColumnElement[bool] | None:
    """Which ended jobs are to go, or `None` when none can be."""
    conditions: list[ColumnElement[bool]] = []
    if days:
        conditions.append(jobs.c.finished_at <= now - timedelta(days=days))
    if keep:
        # An article has one job, so ended jobs count ended articles, in their index.
        first_too_many = connection.execute(
            select(jobs.c.finished_at, jobs.c.id)
            .where(jobs.c.finished_at.is_not(None))
            .order_by(jobs.c.finished_at.desc(), jobs.c.id.desc())
            .offset(keep)
            .limit(1)
        ).one_or_none()
        if first_too_many is not None:
            moment, id_ = first_too_many
            ended_with_it = and_(jobs.c.finished_at == moment, jobs.c.id <= id_)
            conditions.append(or_(jobs.c.finished_at < moment, ended_with_it))
    return or_(*conditions) if conditions else None


def _ended(too_old: ColumnElement[bool]) -> Select[str]:
    """The articles of these jobs, the longest ended first."""
    other = jobs.alias()
    kept_by_another = exists().where(
        other.c.article_id == jobs.c.article_id,
        other.c.id > jobs.c.id,
    )
    return (
        select(jobs.c.article_id)
        .where(too_old, jobs.c.state.not_in(_OPEN), ~kept_by_another)
        .order_by(jobs.c.finished_at, jobs.c.id)
    )
