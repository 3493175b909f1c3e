"""The rules in force at each decision, each version of them stored once."""

import sqlalchemy as sa
from alembic import op

from bento.journal.migrations.append_only import append_only, without_triggers
from bento.journal.migrations.versions.first_0001 import KEPT, PERSONAL

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of the rules, and let each decision name theirs; earlier decisions name none."""
    op.create_table(
        "rulebooks",
        sa.Column("version", sa.String(64), primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
    )
    append_only("rulebooks", ("version", "content", "kept_at"), (), None, unique=("version",))
    without_triggers("decisions")
    op.execute("ALTER TABLE decisions ADD COLUMN rules VARCHAR(64) REFERENCES rulebooks (version)")
    append_only("decisions", (*KEPT, "rules"), (*PERSONAL, "purged_at"), "purged_at", unique=("id", "idempotency_hash"))
