"""How many articles a key has submitted today, counted in the transaction that stores them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.errors import QuotaExceededError
from service.domain.key import Quota
from service.store.tables import daily_usage


def count(
    connection: Connection, quota: Quota, articles: int, *, tenant: str, now: datetime
) -> None:
    """Count `articles` more for the key's day (in UTC). Raises `QuotaExceededError` when they are
    more than what is left, and then counts none."""
    day = now.astimezone(UTC).date()
    mine = (daily_usage.c.key_id == quota.key_id, daily_usage.c.day == day)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(
        dialect.insert(daily_usage)
        .values(key_id=quota.key_id, day=day, tenant=tenant, articles=0)
        .on_conflict_do_nothing()
    )
    # The condition and the sum are one statement: parallel requests wait for each other's row.
    counted = connection.execute(
        update(daily_usage)
        .where(*mine, daily_usage.c.articles + articles <= quota.articles_per_day)
        .values(articles=daily_usage.c.articles + articles)
    )
    if counted.rowcount == 0:
        used = connection.execute(select(daily_usage.c.articles).where(*mine)).scalar_one()
        raise QuotaExceededError(
            quota.articles_per_day, max(0, quota.articles_per_day - used), _until_tomorrow(now)
        )


def _until_tomorrow(now: datetime) -> int:
    """Whole seconds until the next day in UTC, at least one."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((today + timedelta(days=1) - now).total_seconds()) + 1
