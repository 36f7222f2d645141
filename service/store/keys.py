"""API keys: made, found, used, changed; each change with its line in the audit log."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from service.domain.audit import KEY_CREATED, KEY_REFUSED, KEY_REVOKED, KEY_ROTATED, OPERATOR
from service.domain.errors import NotFoundError, StateConflictError
from service.domain.key import ApiKey, KeyGrant, Scope, StoredKey, Token
from service.store import audit, tenants
from service.store.tables import api_keys

# Knowing the minute is enough to find keys that nobody uses, and costs one write a minute.
USED_EVERY = timedelta(minutes=1)

# Whoever holds a revoked key must not be able to fill the audit log with it.
REFUSED_EVERY = timedelta(hours=1)


def create(connection: Connection, grant: KeyGrant, *, now: datetime) -> tuple[ApiKey, Token]:
    """A new key, and its tenant when it is the first. The token is kept nowhere."""
    tenants.add(connection, grant.tenant, now=now)
    token = Token.new()
    connection.execute(
        insert(api_keys).values(
            id=token.key_id,
            tenant=grant.tenant,
            name=grant.name,
            scopes=sorted(grant.scopes),
            secret_sha256=token.digest,
            requests_per_minute=grant.requests_per_minute,
            articles_per_day=grant.articles_per_day,
            created_at=now,
            expires_at=grant.expires_at,
        )
    )
    detail = {"name": grant.name, "scopes": sorted(grant.scopes)}
    _note(connection, grant.tenant, KEY_CREATED, token.key_id, detail, now=now)
    return ApiKey(token.key_id, grant, now), token


def find(connection: Connection, key_id: str) -> StoredKey | None:
    """The key and what proves it."""
    row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
    if row is None:
        return None
    return StoredKey(_to_key(row), row.secret_sha256, row.previous_sha256, row.previous_until)


def exist(connection: Connection) -> bool:
    """Whether there is any key at all, good or not."""
    return connection.execute(select(api_keys.c.id).limit(1)).first() is not None


def every(connection: Connection, tenant: str | None) -> tuple[ApiKey, ...]:
    """All keys, of one tenant or of all, the oldest first."""
    query = select(api_keys).order_by(api_keys.c.tenant, api_keys.c.created_at, api_keys.c.id)
    if tenant is not None:
        query = query.where(api_keys.c.tenant == tenant)
    return tuple(_to_key(row) for row in connection.execute(query))


def revoke(connection: Connection, key_id: str, *, now: datetime) -> ApiKey:
    """End the key now; a second time changes nothing. Raises `NotFoundError`."""
    changed = connection.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    key = _known(connection, key_id)
    if changed.rowcount == 1:
        _note(connection, key.grant.tenant, KEY_REVOKED, key_id, {}, now=now)
    return key


def rotate(
    connection: Connection, key_id: str, *, grace: timedelta, now: datetime
) -> tuple[ApiKey, Token]:
    """Give the key a new secret; the old one is good for `grace` longer.

    Raises `NotFoundError`, or `StateConflictError` for a key that has ended.
    """
    token = Token.new(key_id)
    # The row is changed first, so that two rotations do not both take the same secret for the old.
    connection.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id)
        .values(
            previous_sha256=api_keys.c.secret_sha256,
            previous_until=now + grace,
            secret_sha256=token.digest,
        )
    )
    key = _known(connection, key_id)
    ended = key.ended(now)
    if ended is not None:
        raise StateConflictError(f"key {key_id} is {ended}")
    detail = {"grace_seconds": int(grace.total_seconds())}
    _note(connection, key.grant.tenant, KEY_ROTATED, key_id, detail, now=now)
    return key, token


def used(connection: Connection, key_id: str, *, now: datetime) -> None:
    """Note that the key was used, at most once a minute."""
    connection.execute(
        update(api_keys)
        .where(
            api_keys.c.id == key_id,
            or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at <= now - USED_EVERY),
        )
        .values(last_used_at=now)
    )


def refused(connection: Connection, key_id: str, reason: str, *, now: datetime) -> None:
    """Note that the key was used after its end, at most once an hour."""
    changed = connection.execute(
        update(api_keys)
        .where(
            api_keys.c.id == key_id,
            or_(api_keys.c.refused_at.is_(None), api_keys.c.refused_at <= now - REFUSED_EVERY),
        )
        .values(refused_at=now)
        .returning(api_keys.c.tenant)
    ).first()
    if changed is not None:
        audit.write(
            connection,
            tenant=changed.tenant,
            actor=key_id,
            kind=KEY_REFUSED,
            subject=key_id,
            detail={"reason": reason},
            now=now,
        )


def _known(connection: Connection, key_id: str) -> ApiKey:
    row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no key {key_id}")
    return _to_key(row)


def _to_key(row: Row[Any]) -> ApiKey:
    grant = KeyGrant(
        tenant=row.tenant,
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        requests_per_minute=row.requests_per_minute,
        articles_per_day=row.articles_per_day,
        expires_at=row.expires_at,
    )
    return ApiKey(row.id, grant, row.created_at, row.last_used_at, row.revoked_at)


def _note(
    connection: Connection,
    tenant: str,
    kind: str,
    key_id: str,
    detail: dict[str, Any],
    *,
    now: datetime,
) -> None:
    audit.write(
        connection,
        tenant=tenant,
        actor=OPERATOR,
        kind=kind,
        subject=key_id,
        detail=detail,
        now=now,
    )
