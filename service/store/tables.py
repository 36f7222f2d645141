"""The tables. A job whose `rung_at` is empty is an outbox entry: article, job and outbox entry
are one row each at most, written in one transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from service.domain.tenant import DEFAULT_TENANT, MAX_TENANT_CHARACTERS

# Fixed names: a migration can only drop a constraint that it can name.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(36)
TENANT = String(MAX_TENANT_CHARACTERS)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on every database (SQLite knows no time zones)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert isinstance(value, datetime)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _tenant() -> Column[str]:
    """Whose a row is. No foreign key: SQLite cannot add one to a table without copying it."""
    return Column("tenant", TENANT, nullable=False, server_default=DEFAULT_TENANT)


tenants = Table(
    "tenants",
    metadata,
    Column("id", TENANT, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("tenant", TENANT, ForeignKey("tenants.id"), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    # The secret before the last rotation, and how long it is still good.
    Column("previous_sha256", String(64)),
    Column("previous_until", UtcDateTime),
    Column("requests_per_minute", Integer),
    Column("articles_per_day", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    # When a use after its end was last written into the audit log.
    Column("refused_at", UtcDateTime),
)

daily_usage = Table(
    "daily_usage",
    metadata,
    Column("key_id", String(16), ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("tenant", TENANT, nullable=False),
    Column("articles", Integer, nullable=False),
    Index("ix_daily_usage_day", "day"),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", ID, primary_key=True),
    # The event of a tenant's deletion outlives the tenant.
    Column("tenant", TENANT, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("detail", JSON, nullable=False),
    Index("ix_audit_events_tenant_id", "tenant", "id"),
    Index("ix_audit_events_at", "at"),
)

articles = Table(
    "articles",
    metadata,
    Column("id", ID, primary_key=True),
    Column("text", Text, nullable=False),
    Column("title", Text),
    Column("source", Text, index=True),
    Column("url", Text),
    Column("published_at", UtcDateTime),
    Column("language", Text),
    Column("metadata", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    _tenant(),
    Index("ix_articles_tenant_id", "tenant", "id"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", ID, primary_key=True),
    Column(
        "article_id",
        ID,
        ForeignKey("articles.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("batch_id", ID, index=True),
    Column("state", String(16), nullable=False),
    Column("priority", String(16), nullable=False),
    Column("options", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("stage", String(16)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("failure_code", String(64)),
    Column("failure_detail", Text),
    # The fencing token: grows with every claim, never goes back.
    Column("token", Integer, nullable=False),
    Column("worker_id", String(255)),
    Column("lease_until", UtcDateTime),
    # When the broker last took this job's message; empty: it has not yet.
    Column("rung_at", UtcDateTime),
    _tenant(),
    CheckConstraint(
        "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="state"
    ),
    # The sweeper and the listing by state ask for these.
    Index("ix_jobs_state_rung_at", "state", "rung_at"),
    Index("ix_jobs_state_lease_until", "state", "lease_until"),
    Index("ix_jobs_created_at", "created_at"),
    # The listings of one tenant.
    Index("ix_jobs_tenant_id", "tenant", "id"),
    # What may be kept no longer is found by these.
    Index("ix_jobs_finished_at", "finished_at", "id"),
)

analyses = Table(
    "analyses",
    metadata,
    # The primary key makes it exactly one analysis a job.
    Column("job_id", ID, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "article_id",
        ID,
        ForeignKey("articles.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("pipeline_version", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("document", JSON, nullable=False),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", ID, primary_key=True),
    Column("type", String(32), nullable=False),
    Column("job_id", ID, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    # The job's version as it ended. A failed job that is run again ends a second time.
    Column("job_version", Integer, nullable=False),
    Column("article_id", ID, nullable=False),
    Column("batch_id", ID, index=True),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    # The fencing token: grows with every claim and every wish to send again.
    Column("token", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # While an attempt runs: when its lease ends.
    Column("next_attempt_at", UtcDateTime),
    Column("last_attempt_at", UtcDateTime),
    Column("delivered_at", UtcDateTime),
    Column("last_status", Integer),
    Column("failure_code", String(64)),
    Column("failure_detail", Text),
    Column("rung_at", UtcDateTime),
    _tenant(),
    CheckConstraint("state IN ('pending', 'delivered', 'failed', 'disabled')", name="state"),
    # Exactly one event for each end of a job, whatever the code does.
    UniqueConstraint("job_id", "job_version"),
    Index("ix_webhook_deliveries_state_next_attempt_at", "state", "next_attempt_at"),
    Index("ix_webhook_deliveries_tenant_id", "tenant", "id"),
)

disabled_callbacks = Table(
    "disabled_callbacks",
    metadata,
    # A URL may be longer than an index entry, and it stays when the article that brought it is
    # deleted: the digest is enough to know it again.
    Column("url_sha256", String(64), nullable=False),
    Column("disabled_at", UtcDateTime, nullable=False),
    _tenant(),
    PrimaryKeyConstraint("tenant", "url_sha256"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", String(255), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    # Empty: what was answered has been deleted or has expired since.
    Column("body", Text, nullable=False),
    # The article or batch that the answer speaks of.
    Column("subject", ID, index=True),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    _tenant(),
    PrimaryKeyConstraint("tenant", "key"),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("reason", String(16), nullable=False, server_default="deleted"),
    Column("deleted_at", UtcDateTime, nullable=False, index=True),
    _tenant(),
    Index("ix_tombstones_tenant_id", "tenant", "id"),
)

workers = Table(
    "workers",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("pipeline_version", String(64), nullable=False),
    Column("models", JSON, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False, index=True),
)
