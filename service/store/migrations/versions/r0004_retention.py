"""What retention needs: why something is gone, whom a stored answer speaks of, when jobs ended."""

import json
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_KEYS = sa.table(
    "idempotency_keys",
    sa.column("key", sa.String(255)),
    sa.column("body", sa.Text()),
    sa.column("subject", sa.String(36)),
)


def upgrade() -> None:
    op.add_column(
        "tombstones",
        sa.Column("reason", sa.String(16), nullable=False, server_default="deleted"),
    )
    op.create_index("ix_jobs_finished_at", "jobs", ["finished_at", "id"])
    op.add_column("idempotency_keys", sa.Column("subject", sa.String(36)))
    op.create_index("ix_idempotency_keys_subject", "idempotency_keys", ["subject"])
    connection = op.get_bind()
    for key, body in connection.execute(sa.select(_KEYS.c.key, _KEYS.c.body)).all():
        connection.execute(
            sa.update(_KEYS)
            .where(_KEYS.c.key == key, _KEYS.c.body == body)
            .values(subject=_subject(body))
        )
    op.drop_column("disabled_callbacks", "url")


def downgrade() -> None:
    # Nothing reads it; what it was is known no longer.
    op.add_column(
        "disabled_callbacks", sa.Column("url", sa.Text(), nullable=False, server_default="")
    )
    op.drop_index("ix_idempotency_keys_subject", "idempotency_keys")
    op.drop_column("idempotency_keys", "subject")
    op.drop_index("ix_jobs_finished_at", "jobs")
    op.drop_column("tombstones", "reason")


def _subject(body: str) -> str | None:
    """The batch or article that a stored answer names."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return None
    named = answer.get("batch_id") or answer.get("article_id")
    return named if isinstance(named, str) else None
