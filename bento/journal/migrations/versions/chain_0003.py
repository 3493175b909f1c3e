"""The chain over all entries, the keys of the journal itself, and keys of clients that a backup may leave out."""

import sqlalchemy as sa
from alembic import op

from bento.journal.migrations.append_only import append_only

revision = "0003"
down_revision = "0002"

REFERENCE = ", \n\tFOREIGN KEY(data_key) REFERENCES client_keys (client)"
"""The constraint as SQLAlchemy wrote it in revision 0001."""


def upgrade() -> None:
    """Make both tables; a decision may name a client's key that this database does not hold."""
    op.create_table(
        "chain",
        sa.Column("writer", sa.String(36), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("entry", sa.String(36), nullable=False),
        sa.Column("keyed", sa.Boolean, nullable=False),
        sa.Column("kept", sa.LargeBinary, nullable=False),
        sa.Column("personal", sa.LargeBinary),
        sa.Column("mac", sa.LargeBinary, nullable=False),
    )
    op.create_index("chain_entry", "chain", ["entry"])
    columns = ("writer", "position", "kind", "entry", "keyed", "kept", "personal", "mac")
    append_only("chain", columns, (), None, unique=("writer position",))
    op.create_table(
        "journal_keys",
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("wrapped_key", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        _drop_reference_in_sqlite()
    else:
        op.drop_constraint("decisions_data_key_fkey", "decisions")


def _drop_reference_in_sqlite() -> None:
    """Edit the stored text of the table: SQLite cannot drop a constraint otherwise, but by copying every decision.

    https://www.sqlite.org/lang_altertable.html#otheralter describes the steps.
    """
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    edited = connection.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, '') WHERE type = 'table' AND name = 'decisions' "
        "AND instr(sql, ?) > 0",
        (REFERENCE, REFERENCE),
    )
    assert edited.rowcount == 1  # noqa: S101 - or else the table is not as revision 0001 made it
    connection.exec_driver_sql(f"PRAGMA schema_version = {int(version) + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
