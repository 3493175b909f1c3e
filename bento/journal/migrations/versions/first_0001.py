"""Decisions, their reviews, and the keys of the clients; history is appended, never rewritten."""

import sqlalchemy as sa
from alembic import op

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
    _append_only("decisions", KEPT, (*PERSONAL, "purged_at"), "purged_at", unique=("id", "idempotency_hash"))
    _append_only("reviews", KEPT_OF_REVIEWS, ("content",), None, unique=("id",))


def _append_only(
    table: str, kept: tuple[str, ...], emptied: tuple[str, ...], mark: str | None, unique: tuple[str, ...]
) -> None:
    """Refuse deletes, and every update but that of a purge."""
    distinct = "IS NOT" if op.get_bind().dialect.name == "sqlite" else "IS DISTINCT FROM"
    changed = [f"NEW.{name} {distinct} OLD.{name}" for name in kept]
    filled = [f"NEW.{name} IS NOT NULL" for name in emptied if name != mark]
    if mark is not None:
        changed += [f"OLD.{mark} IS NOT NULL", f"NEW.{mark} IS NULL"]
    refused = " OR ".join([*changed, *filled])
    message = f"{table}: history is appended, never rewritten"
    if op.get_bind().dialect.name == "sqlite":
        for event, when in (("UPDATE", refused), ("DELETE", "1")):
            op.execute(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} WHEN {when} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
        # REPLACE deletes a conflicting row without its triggers.
        taken = " OR ".join(f"{name} = NEW.{name}" for name in ("rowid", *unique))
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "  # noqa: S608 - names from above
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken}) BEGIN SELECT RAISE(IGNORE); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP <> 'UPDATE' THEN RAISE EXCEPTION '{message}'; END IF; "
        f"IF {refused} THEN RAISE EXCEPTION '{message}'; END IF; RETURN NEW; END $$"
    )
    for events, level in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {table}_append_only_{level.lower()} BEFORE {events} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {table}_append_only()"
        )
