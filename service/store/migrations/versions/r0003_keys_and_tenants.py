"""API keys, tenants, the audit log and the daily usage; whose each row is."""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from service.store.migrate import SchemaError

revision = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

ID = sa.String(36)
TENANT = sa.String(63)
TIME = sa.DateTime(timezone=True)

# Columns are added and dropped in place. Alembic's way for SQLite, copying the table, would drop
# the old one, and with it by cascade every row that refers to it.
_OWNED = ("articles", "jobs", "webhook_deliveries", "tombstones")

# Nothing refers to these two, so they may be copied; their primary keys must change.
_KEYED = {"disabled_callbacks": "url_sha256", "idempotency_keys": "key"}


def upgrade() -> None:
    tenants = op.create_table(
        "tenants",
        sa.Column("id", TENANT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
    )
    now = datetime.now(UTC)
    if op.get_bind().dialect.name == "sqlite":
        now = now.replace(tzinfo=None)
    op.bulk_insert(tenants, [{"id": "default", "created_at": now}])
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("tenant", TENANT, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("previous_sha256", sa.String(64)),
        sa.Column("previous_until", TIME),
        sa.Column("requests_per_minute", sa.Integer()),
        sa.Column("articles_per_day", sa.Integer()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("last_used_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.Column("refused_at", TIME),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.id"], name="fk_api_keys_tenant"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_tenant", "api_keys", ["tenant"])
    op.create_table(
        "daily_usage",
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("tenant", TENANT, nullable=False),
        sa.Column("articles", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.id"], name="fk_daily_usage_key_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key_id", "day", name="pk_daily_usage"),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", ID, nullable=False),
        sa.Column("tenant", TENANT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
    )
    op.create_index("ix_audit_events_tenant_id", "audit_events", ["tenant", "id"])
    for table in _OWNED:
        op.add_column(table, _tenant())
        op.create_index(f"ix_{table}_tenant_id", table, ["tenant", "id"])
    for table, key in _KEYED.items():
        with op.batch_alter_table(table) as batch:
            batch.add_column(_tenant())
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", ["tenant", key])


def downgrade() -> None:
    """Raises `SchemaError` while there are other tenants: the revision before would show the
    rows of all of them to everybody."""
    others = sa.text("SELECT id FROM tenants WHERE id <> 'default' ORDER BY id")
    found = op.get_bind().execute(others).scalars().all()
    if found:
        raise SchemaError(
            "revision 0002 knows no tenants and would show everybody's articles to everybody: "
            f"delete these tenants first (`stancewire tenants delete`): {', '.join(found)}"
        )
    for table, key in _KEYED.items():
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", [key])
            batch.drop_column("tenant")
    for table in _OWNED:
        op.drop_index(f"ix_{table}_tenant_id", table)
        op.drop_column(table, "tenant")
    for table in ("audit_events", "daily_usage", "api_keys", "tenants"):
        op.drop_table(table)


def _tenant() -> sa.Column[str]:
    return sa.Column("tenant", TENANT, nullable=False, server_default="default")
