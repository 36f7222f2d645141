"""Webhook deliveries, and the URLs that want none any more."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

ID = sa.String(36)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", ID, nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("job_version", sa.Integer(), nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.Column("batch_id", ID),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("next_attempt_at", TIME),
        sa.Column("last_attempt_at", TIME),
        sa.Column("delivered_at", TIME),
        sa.Column("last_status", sa.Integer()),
        sa.Column("failure_code", sa.String(64)),
        sa.Column("failure_detail", sa.Text()),
        sa.Column("rung_at", TIME),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'failed', 'disabled')",
            name=op.f("ck_webhook_deliveries_state"),
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name="fk_webhook_deliveries_job_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.UniqueConstraint("job_id", "job_version", name="uq_webhook_deliveries_job_id"),
    )
    op.create_index("ix_webhook_deliveries_batch_id", "webhook_deliveries", ["batch_id"])
    op.create_index(
        "ix_webhook_deliveries_state_next_attempt_at",
        "webhook_deliveries",
        ["state", "next_attempt_at"],
    )
    op.create_table(
        "disabled_callbacks",
        sa.Column("url_sha256", sa.String(64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("disabled_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("url_sha256", name="pk_disabled_callbacks"),
    )


def downgrade() -> None:
    for table in ("disabled_callbacks", "webhook_deliveries"):
        op.drop_table(table)
