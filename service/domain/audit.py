"""The audit log: who changed what about keys and tenants, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# Whoever runs commands on the service's own machine.
OPERATOR = "operator"

KEY_CREATED = "key.created"
KEY_ROTATED = "key.rotated"
KEY_REVOKED = "key.revoked"
# A key was used after it had been revoked or had expired; written at most once an hour and key.
KEY_REFUSED = "key.refused"
TENANT_DELETED = "tenant.deleted"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One entry. `actor` is a key's id or `operator`; `subject` the id that `kind` is about."""

    id: str
    tenant: str
    at: datetime
    actor: str
    kind: str
    subject: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events to list; `None` does not filter."""

    kind: str | None = None
    subject: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page, newest first. `next_cursor` is the id after which the next page begins."""

    events: tuple[AuditEvent, ...]
    next_cursor: str | None
