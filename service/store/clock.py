"""The time and the ids that the store gives out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from uuid6 import uuid7

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A UUIDv7: opaque to callers, sorted by the time of its making for the database's index."""
    return str(uuid7())
