"""Tenants: made with their first key, held while they are written for, deleted as a whole."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Table, delete, select, text
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.audit import OPERATOR, TENANT_DELETED
from service.domain.errors import NotFoundError, StateConflictError, UnknownTenantError
from service.domain.tenant import DEFAULT_TENANT
from service.store import audit
from service.store.tables import api_keys, articles, jobs, metadata, tenants

# Any number, the same for all of ours.
_POSTGRES_DELETION_LOCK = 7_316_204


def add(connection: Connection, tenant: str, *, now: datetime) -> None:
    """Make the tenant unless there is one of this name."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(
        dialect.insert(tenants).values(id=tenant, created_at=now).on_conflict_do_nothing()
    )


def hold(connection: Connection, tenant: str) -> None:
    """Keep the tenant from being deleted until this transaction ends, as a foreign key would.
    Raises `UnknownTenantError` when it is already."""
    held = connection.execute(
        select(tenants.c.id)
        .where(tenants.c.id == tenant)
        .with_for_update(read=True, key_share=True)
    ).first()
    if held is None:
        raise UnknownTenantError(tenant)


def every(connection: Connection) -> tuple[str, ...]:
    """All tenants by name."""
    return tuple(connection.execute(select(tenants.c.id).order_by(tenants.c.id)).scalars())


def remove(connection: Connection, tenant: str, *, now: datetime) -> None:
    """Delete everything that is the tenant's, its name too unless it is `default`; what stays is
    one event of the audit log.

    Raises `NotFoundError`, or `StateConflictError` when no key would be left: without any the
    service would be open.
    """
    if connection.dialect.name == "postgresql":
        # Two deletions at once could each rely on the other's keys.
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POSTGRES_DELETION_LOCK}
        )
    known = connection.execute(
        select(tenants.c.id).where(tenants.c.id == tenant).with_for_update()
    ).first()
    if known is None:
        raise NotFoundError(f"there is no tenant {tenant}")
    # Jobs before everything, as whoever ends or deletes one locks them; then what these wrote.
    for table in (jobs, articles, *_others()):
        deleted = connection.execute(delete(table).where(table.c.tenant == tenant))
        if table is api_keys and deleted.rowcount and not _any_key(connection):
            raise StateConflictError(
                "these are the last API keys, and a service without any is open to everybody who "
                "reaches it: create a key for another tenant first"
            )
    if tenant != DEFAULT_TENANT:
        connection.execute(delete(tenants).where(tenants.c.id == tenant))
    audit.write(
        connection,
        tenant=tenant,
        actor=OPERATOR,
        kind=TENANT_DELETED,
        subject=tenant,
        detail={},
        now=now,
    )


def _others() -> list[Table]:
    """Every other table with a tenant, those that refer to others first. Read from the tables, so
    that one that comes later is not forgotten."""
    return [
        table
        for table in reversed(metadata.sorted_tables)
        if "tenant" in table.c and table not in (jobs, articles)
    ]


def _any_key(connection: Connection) -> bool:
    return connection.execute(select(api_keys.c.id).limit(1)).first() is not None
