"""What letting go of old audit events and daily counts needs: to find the oldest."""

from collections.abc import Sequence

from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("ix_audit_events_at", "audit_events", ["at"])
    op.create_index("ix_daily_usage_day", "daily_usage", ["day"])


def downgrade() -> None:
    op.drop_index("ix_daily_usage_day", "daily_usage")
    op.drop_index("ix_audit_events_at", "audit_events")
