"""Tenants: made with their first key, held while they are written for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.errors import UnknownTenantError
from service.store.tables import tenants


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
