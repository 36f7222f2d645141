"""The audit log: written in the transaction of what it tells, never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from service.domain.audit import AuditEvent, AuditFilter, AuditPage
from service.store.clock import new_id
from service.store.tables import audit_events


def write(
    connection: Connection,
    *,
    tenant: str,
    actor: str,
    kind: str,
    subject: str,
    detail: dict[str, Any],
    now: datetime,
) -> None:
    """Add an event. `detail` holds no secret and nothing that an article says."""
    connection.execute(
        insert(audit_events).values(
            id=new_id(),
            tenant=tenant,
            at=now,
            actor=actor,
            kind=kind,
            subject=subject,
            detail=detail,
        )
    )


def page(
    connection: Connection, wanted: AuditFilter, *, tenant: str, after: str | None, limit: int
) -> AuditPage:
    """The tenant's events, newest first."""
    table = audit_events.c
    query = (
        select(audit_events)
        .where(table.tenant == tenant)
        .order_by(table.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(table.id < after)
    for column, value in ((table.kind, wanted.kind), (table.subject, wanted.subject)):
        if value is not None:
            query = query.where(column == value)
    if wanted.created_after is not None:
        query = query.where(table.at > wanted.created_after)
    if wanted.created_before is not None:
        query = query.where(table.at < wanted.created_before)
    found = [
        AuditEvent(row.id, row.tenant, row.at, row.actor, row.kind, row.subject, row.detail)
        for row in connection.execute(query)
    ]
    more = len(found) > limit
    found = found[:limit]
    return AuditPage(tuple(found), found[-1].id if more else None)
