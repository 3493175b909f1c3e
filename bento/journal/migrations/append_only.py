"""Triggers that refuse to rewrite or delete the rows of a table."""

from alembic import op


def append_only(
    table: str, kept: tuple[str, ...], emptied: tuple[str, ...], mark: str | None, unique: tuple[str, ...]
) -> None:
    """Refuse deletes, and every update but that of a purge; `unique` holds the columns of each key, blanks between."""
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
        keys = [[f"{name} = NEW.{name}" for name in key.split()] for key in ("rowid", *unique)]
        taken = " OR ".join(" AND ".join(columns) for columns in keys)
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


def without_triggers(table: str) -> None:
    """Drop the triggers of `append_only`, within a migration that makes them again."""
    if op.get_bind().dialect.name == "sqlite":
        for event in ("update", "delete", "replace"):
            op.execute(f"DROP TRIGGER {table}_no_{event}")
        return
    for level in ("row", "statement"):
        op.execute(f"DROP TRIGGER {table}_append_only_{level} ON {table}")
    op.execute(f"DROP FUNCTION {table}_append_only()")
