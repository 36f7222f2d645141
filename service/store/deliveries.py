"""Webhook deliveries: written as their job ends, claimed, attempted, listed, sent again.

A row is its own outbox entry: it is written in the transaction that ends the job, so there is an
event if and only if the job has ended.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.delivery import (
    EVENT_OF_STATE,
    MAX_ATTEMPTS,
    Attempt,
    Delivery,
    DeliveryClaim,
    DeliveryState,
    event_body,
    pause_after,
    state_after,
)
from service.domain.ports import DeliveryFilter, DeliveryPage
from service.store import records
from service.store.clock import new_id
from service.store.rows import to_delivery, to_job
from service.store.tables import disabled_callbacks, jobs, webhook_deliveries

_LOST = ("worker_lost", "the process that sent it was lost, the last time it was tried")


def job_ended(connection: Connection, job_id: str, *, now: datetime) -> None:
    """Write the event of a job that this transaction has just ended, if anybody wants it."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one()
    job = to_job(row)
    if job.options.callback_url is None:
        return
    connection.execute(
        insert(webhook_deliveries).values(
            id=new_id(),
            type=EVENT_OF_STATE[job.state].value,
            job_id=job.id,
            job_version=job.version,
            article_id=job.article_id,
            batch_id=job.batch_id,
            url=job.options.callback_url,
            body=event_body(job),
            state=DeliveryState.PENDING.value,
            attempts=0,
            token=0,
            created_at=now,
            updated_at=now,
            next_attempt_at=now,
            tenant=row.tenant,
        )
    )


def due(
    connection: Connection, *, redeliver_after: int, limit: int, now: datetime
) -> tuple[str, ...]:
    """Ids to ring for, the longest due first."""
    rung_at = webhook_deliveries.c.rung_at
    found = connection.execute(
        select(webhook_deliveries.c.id)
        .where(
            webhook_deliveries.c.state == DeliveryState.PENDING.value,
            webhook_deliveries.c.next_attempt_at <= now,
            or_(rung_at.is_(None), rung_at <= now - timedelta(seconds=redeliver_after)),
        )
        .order_by(webhook_deliveries.c.next_attempt_at, webhook_deliveries.c.id)
        .limit(limit)
    )
    return tuple(found.scalars())


def rung(connection: Connection, delivery_ids: Sequence[str], *, now: datetime) -> None:
    """The broker has these deliveries' messages."""
    if delivery_ids:
        connection.execute(
            update(webhook_deliveries)
            .where(webhook_deliveries.c.id.in_(delivery_ids))
            .values(rung_at=now)
        )


def claim(
    connection: Connection, delivery_id: str, *, lease: int, now: datetime
) -> DeliveryClaim | None:
    """Take the delivery if it is due. One that used up its attempts, or whose URL has been
    disabled meanwhile, ends instead."""
    free = and_(
        webhook_deliveries.c.id == delivery_id,
        webhook_deliveries.c.state == DeliveryState.PENDING.value,
        webhook_deliveries.c.next_attempt_at <= now,
    )
    row = connection.execute(
        update(webhook_deliveries)
        .where(free)
        .values(
            token=webhook_deliveries.c.token + 1,
            attempts=webhook_deliveries.c.attempts + 1,
            next_attempt_at=now + timedelta(seconds=lease),
            rung_at=None,
        )
        .returning(webhook_deliveries)
    ).one_or_none()
    if row is None:
        return None
    held = DeliveryClaim(to_delivery(row), row.body, row.token)
    if _is_disabled(connection, row.url, tenant=row.tenant):
        _update_held(
            connection,
            held,
            state=DeliveryState.DISABLED.value,
            attempts=row.attempts - 1,
            next_attempt_at=None,
            updated_at=now,
            failure_code="disabled",
            failure_detail="the receiver answered an earlier delivery to this URL with 410",
        )
        return None
    if row.attempts > MAX_ATTEMPTS:
        # Only a process that is killed while it sends leaves an attempt without an end.
        _update_held(
            connection,
            held,
            state=DeliveryState.FAILED.value,
            attempts=MAX_ATTEMPTS,
            next_attempt_at=None,
            updated_at=now,
            failure_code=_LOST[0],
            failure_detail=_LOST[1],
        )
        return None
    return held


def attempted(
    connection: Connection, held: DeliveryClaim, attempt: Attempt, *, now: datetime
) -> DeliveryState | None:
    """Record the attempt; `None` when somebody else has taken the delivery since."""
    attempts = held.delivery.attempts
    state = state_after(attempt, attempts)
    pause = None
    if state is DeliveryState.PENDING:
        pause = timedelta(seconds=pause_after(attempts, random.random()))  # noqa: S311 (no secret)
    failure = attempt.failure
    changed = _update_held(
        connection,
        held,
        state=state.value,
        last_attempt_at=now,
        updated_at=now,
        last_status=attempt.status,
        next_attempt_at=now + pause if pause is not None else None,
        delivered_at=now if state is DeliveryState.DELIVERED else None,
        failure_code=failure.code if failure else None,
        failure_detail=failure.detail if failure else None,
    )
    if not changed:
        return None
    if state is DeliveryState.DISABLED:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        owner = select(webhook_deliveries.c.tenant).where(
            webhook_deliveries.c.id == held.delivery.id
        )
        connection.execute(
            dialect.insert(disabled_callbacks)
            .values(
                tenant=owner.scalar_subquery(),
                url_sha256=_digest(held.delivery.url),
                disabled_at=now,
            )
            .on_conflict_do_nothing()
        )
    return state


def redeliver(connection: Connection, delivery_id: str, *, tenant: str, now: datetime) -> Delivery:
    """Due now, all attempts before it, its URL enabled. Raises `NotFoundError` or `GoneError`."""
    row = connection.execute(
        update(webhook_deliveries)
        .where(webhook_deliveries.c.id == delivery_id, webhook_deliveries.c.tenant == tenant)
        .values(
            state=DeliveryState.PENDING.value,
            attempts=0,
            token=webhook_deliveries.c.token + 1,
            next_attempt_at=now,
            delivered_at=None,
            failure_code=None,
            failure_detail=None,
            updated_at=now,
            rung_at=None,
        )
        .returning(webhook_deliveries)
    ).one_or_none()
    if row is None:
        raise records.absent(connection, delivery_id, tenant=tenant)
    connection.execute(
        delete(disabled_callbacks).where(
            disabled_callbacks.c.tenant == tenant,
            disabled_callbacks.c.url_sha256 == _digest(row.url),
        )
    )
    return to_delivery(row)


def delivery(connection: Connection, delivery_id: str, *, tenant: str) -> Delivery:
    """One delivery. Raises `NotFoundError` or `GoneError`."""
    row = connection.execute(
        select(webhook_deliveries).where(
            webhook_deliveries.c.id == delivery_id, webhook_deliveries.c.tenant == tenant
        )
    ).one_or_none()
    if row is None:
        raise records.absent(connection, delivery_id, tenant=tenant)
    return to_delivery(row)


def page(
    connection: Connection, wanted: DeliveryFilter, *, tenant: str, after: str | None, limit: int
) -> DeliveryPage:
    """Deliveries newest first. Their ids are UUIDv7, so their order is that of the events."""
    table = webhook_deliveries.c
    query = (
        select(webhook_deliveries)
        .where(table.tenant == tenant)
        .order_by(table.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(table.id < after)
    for column, value in (
        (table.state, wanted.state and wanted.state.value),
        (table.type, wanted.type and wanted.type.value),
        (table.job_id, wanted.job_id),
        (table.batch_id, wanted.batch_id),
        (table.url, wanted.url),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.created_after is not None:
        query = query.where(table.created_at > wanted.created_after)
    if wanted.created_before is not None:
        query = query.where(table.created_at < wanted.created_before)
    found = [to_delivery(row) for row in connection.execute(query)]
    more = len(found) > limit
    found = found[:limit]
    return DeliveryPage(tuple(found), found[-1].id if more else None)


def _is_disabled(connection: Connection, url: str, *, tenant: str) -> bool:
    digest = disabled_callbacks.c.url_sha256
    query = select(digest).where(disabled_callbacks.c.tenant == tenant, digest == _digest(url))
    return connection.execute(query).first() is not None


def _update_held(connection: Connection, held: DeliveryClaim, **values: object) -> bool:
    changed = connection.execute(
        update(webhook_deliveries)
        .where(
            webhook_deliveries.c.id == held.delivery.id,
            webhook_deliveries.c.token == held.token,
            webhook_deliveries.c.state == DeliveryState.PENDING.value,
        )
        .values(**values)
    )
    return changed.rowcount == 1


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
