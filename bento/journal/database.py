"""Connections to the journal's database, SQLite or PostgreSQL."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError

from bento.journal.entries import JournalError, JournalUnavailableError
from bento.settings import JOURNAL_VARIABLE

STATEMENT_TIMEOUT_S = 2
"""Seconds that a database may take to take a connection, a statement or a lock before it counts as gone."""
POSTGRESQL_OPTIONS = {
    "connect_timeout": STATEMENT_TIMEOUT_S,
    "tcp_user_timeout": 1000 * STATEMENT_TIMEOUT_S,
    "options": f"-c statement_timeout={1000 * STATEMENT_TIMEOUT_S} -c lock_timeout={1000 * STATEMENT_TIMEOUT_S} "
    "-c timezone=UTC -c synchronous_commit=on",
}


@contextmanager
def _available(address: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig).strip().splitlines() or ["no message"]
        # Not `from error`: what PostgreSQL adds on further lines may quote the row, which a traceback would repeat.
        raise JournalUnavailableError(f"{address}: {said[0]}") from None
    except SQLAlchemyError as error:  # such as no free connection in time
        raise JournalUnavailableError(f"{address}: {str(error).splitlines()[0]}") from error


def _engine(address: str) -> sa.Engine:
    try:
        url = sa.make_url(address)
        kind = url.get_backend_name()
        if kind == "postgresql":
            return sa.create_engine(
                url.set(drivername="postgresql+psycopg"),
                connect_args=POSTGRESQL_OPTIONS,
                pool_pre_ping=True,
                pool_timeout=STATEMENT_TIMEOUT_S,
                # Parameters are personal data: they must not reach a log or an error text.
                hide_parameters=True,
            )
        if kind == "sqlite":
            if url.database in (None, "", ":memory:") or url.query:
                raise JournalError(f"{JOURNAL_VARIABLE} must name a file: sqlite:///folder/journal.db")
            engine = sa.create_engine(
                url.set(drivername="sqlite"), pool_timeout=STATEMENT_TIMEOUT_S, hide_parameters=True
            )
            _keep_to_its_file(engine, Path(url.database))
            sa.event.listen(engine, "connect", _set_up_sqlite)
            sa.event.listen(engine, "begin", _begin_in_sqlite)
            return engine
    except (ArgumentError, ValueError):
        # In words of our own, and `from None`: theirs may quote a part of the password.
        raise JournalError(
            f"{JOURNAL_VARIABLE} is no address such as postgresql://user:password@host:5432/database; "
            "write @ and : in a password as %40 and %3A"
        ) from None
    raise JournalError(f"{JOURNAL_VARIABLE} names a database of kind {kind}; known are sqlite and postgresql")


def _keep_to_its_file(engine: sa.Engine, path: Path) -> None:
    """Have connections end with the file that they opened.

    A file that was moved, removed or put in the place of another stays open: what is written to it then is in no
    journal. And where there is none, SQLite would make an empty one.
    """

    def identity() -> tuple[int, int]:
        try:
            found = path.stat()
        except OSError as error:
            raise sqlite3.OperationalError(f"the file cannot be used: {error.strerror}") from error
        return found.st_dev, found.st_ino

    def look_first(*_: Any) -> None:
        identity()

    def remember(_: Any, record: Any) -> None:
        record.info["file"] = identity()

    def compare(_: Any, record: Any, __: Any) -> None:
        if record.info["file"] != identity():
            raise DisconnectionError("the file is another")

    sa.event.listen(engine, "do_connect", look_first)
    sa.event.listen(engine, "connect", remember)
    sa.event.listen(engine, "checkout", compare)


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_in_sqlite` says
    for setting in (
        f"busy_timeout = {1000 * STATEMENT_TIMEOUT_S}",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {setting}")
    give_up = time.monotonic() + STATEMENT_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # SQLite itself does not wait where another process is making the same new file at this moment.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)


def _begin_in_sqlite(connection: sa.Connection) -> None:
    """Take the lock at once: a transaction that would have to wait for it later could only fail."""
    if not connection.get_execution_options().get("reading"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
