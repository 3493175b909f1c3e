"""What clients state against a decision.

The index of the decisions that wait for a person, `decisions_for_review`, is made by `bento.journal.indexes` after the
transaction of the migrations: it reads all decisions, and within it the service could not write.
"""

import sqlalchemy as sa
from alembic import op

from bento.journal.migrations.append_only import append_only

revision = "0004"
down_revision = "0003"

KEPT = ("id", "decision_id", "contested_at", "key_id")


def upgrade() -> None:
    """Make the table, with triggers that refuse to rewrite it."""
    op.create_table(
        "contests",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("decision_id", sa.String(36), sa.ForeignKey("decisions.id"), nullable=False, index=True),
        sa.Column("contested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.String(40), nullable=False),
        sa.Column("content", sa.LargeBinary),
    )
    append_only("contests", KEPT, ("content",), None, unique=("id",))
