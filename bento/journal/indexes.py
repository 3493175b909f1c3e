"""Make the indexes of the journal that read all decisions, while the service writes."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from bento.journal.database import translated_errors
from bento.journal.schema import METADATA
from bento.journal.store import Journal

ROWS_READ_AT_ONCE = 20_000
"""Rows that one query reads ahead: some 40 MB of decisions."""


def make_indexes(journal: Journal) -> None:
    """Make the indexes that are declared with `postgresql_concurrently`, where one is missing or was left half made.

    PostgreSQL makes them while others write. SQLite lets no other process write meanwhile: the table is read before,
    in portions and without a lock, so that the index is made of what is in memory.

    Raises:
        JournalUnavailableError: an index is not made; make it again.
    """
    for table in METADATA.sorted_tables:
        for index in table.indexes:
            if not index.dialect_options["postgresql"]["concurrently"]:
                continue
            if journal.engine.dialect.name == "postgresql":
                _make_concurrently(journal, index)
            else:
                _make_from_memory(journal, table, index)


@contextmanager
def session(journal: Journal) -> Iterator[sa.Connection]:
    """Open a session of PostgreSQL without a transaction; its settings and locks end with it."""
    engine = journal.engine.execution_options(isolation_level="AUTOCOMMIT")
    with translated_errors(journal.address), engine.connect() as connection:
        connection.detach()
        yield connection


def _make_concurrently(journal: Journal, index: sa.Index) -> None:
    with session(journal) as connection:
        query = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
        is_valid = connection.execute(query, {"name": index.name}).scalar()
        if is_valid:
            return
        # It may take as long as it needs, and waits for every transaction that began before; the service does not wait.
        for setting in ("statement_timeout", "lock_timeout"):
            connection.execute(sa.text(f"SET {setting} = 0"))
        if is_valid is not None:  # PostgreSQL leaves an index without use where it was interrupted
            connection.execute(sa.schema.DropIndex(index))
        index.create(connection)


def _make_from_memory(journal: Journal, table: sa.Table, index: sa.Index) -> None:
    with journal.reader() as connection:
        if any(stored["name"] == index.name for stored in sa.inspect(connection).get_indexes(table.name)):
            return
    _read_ahead(journal, table, index)
    with journal.transaction() as connection:
        index.create(connection, checkfirst=True)


def _read_ahead(journal: Journal, table: sa.Table, index: sa.Index) -> None:
    """Read what an index is made of once, in the order in which SQLite stores it: the system keeps these pages."""
    place: sa.ColumnElement[int] = sa.literal_column("rowid")
    condition = index.dialect_options["sqlite"]["where"]
    columns = [sa.case((condition, column)).label(column.name) for column in index.columns]
    last: int | None = 0
    while last is not None:
        query = sa.select(place.label("place"), *columns).select_from(table).where(place > last).order_by(place)
        rows = query.limit(ROWS_READ_AT_ONCE).subquery()
        read = (sa.func.count(rows.c[column.name]) for column in columns)
        with journal.reader() as connection:
            last = connection.execute(sa.select(sa.func.max(rows.c.place), *read)).scalar()
