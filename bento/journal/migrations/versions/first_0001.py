"""Decisions, their reviews, and the keys of the clients; history is appended, never rewritten."""

import sqlalchemy as sa
from alembic import op

from bento.journal.migrations.append_only import append_only

revision = "0001"
down_revision = None

KEPT = tuple(
    "id decided_at key_id idempotency_hash credit_file_hash features_hash decision threshold "
    "model_name model_version model_tag bento code".split()
)
"""Columns of a decision that nothing may change."""
PERSONAL = ("client", "data_key", "probability", "credit_file", "answer")
KEPT_OF_REVIEWS = ("id", "decision_id", "reviewed_at", "key_id", "verdict", "outcome")


def upgrade() -> None:
    """Make the three tables, and triggers that refuse to rewrite them."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "client_keys",
        sa.Column("client", sa.String(64), primary_key=True),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("created_at", moment, nullable=False),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("decided_at", moment, nullable=False),
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column("idempotency_hash", sa.String(64), unique=True),
        sa.Column("credit_file_hash", sa.String(64), nullable=False),
        sa.Column("features_hash", sa.String(64), nullable=False),
        sa.Column("decision", sa.String(10), nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
        sa.Column("model_name", sa.String(100), nullable=False),
        sa.Column("model_version", sa.String(100), nullable=False),
        sa.Column("model_tag", sa.String(200), nullable=False),
        sa.Column("bento", sa.String(200), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("client", sa.String(64)),
        sa.Column("data_key", sa.String(64), sa.ForeignKey("client_keys.client")),
        sa.Column("probability", sa.Float),
        sa.Column("credit_file", sa.LargeBinary),
        sa.Column("answer", sa.LargeBinary),
        sa.Column("purged_at", moment),
    )
    for column in ("decided_at", "client", "data_key"):
        op.create_index(f"decisions_{column}", "decisions", [column])
    op.create_table(
        "reviews",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("decision_id", sa.String(36), sa.ForeignKey("decisions.id"), nullable=False, index=True),
        sa.Column("reviewed_at", moment, nullable=False),
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column("verdict", sa.String(10), nullable=False),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("content", sa.LargeBinary),
    )
    append_only("decisions", KEPT, (*PERSONAL, "purged_at"), "purged_at", unique=("id", "idempotency_hash"))
    append_only("reviews", KEPT_OF_REVIEWS, ("content",), None, unique=("id",))
