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
from bento.settings import JOURNAL_VARIABLE, LIMITS


def open_engine(address: str, timeout_s: int = LIMITS.statement_timeout_s) -> sa.Engine:
    """Create the engine of a journal's SQLite or PostgreSQL database; it connects when it is first used.

    Raises:
        JournalError: the URL is invalid, or of another kind of database.
    """
    try:
        url = sa.make_url(address)
        kind = url.get_backend_name()
        if kind == "postgresql":
            return _postgresql_engine(url, timeout_s)
        if kind == "sqlite":
            if url.database in (None, "", ":memory:") or url.query:
                raise JournalError(f"{JOURNAL_VARIABLE} must name a file: sqlite:///folder/journal.db")
            return _sqlite_engine(url, Path(url.database), timeout_s)
    except (ArgumentError, ValueError):
        # `from None`, without the message of the cause: it may quote a part of the password.
        raise JournalError(
            f"{JOURNAL_VARIABLE} is no address such as postgresql://user:password@host:5432/database; "
            "write @ and : in a password as %40 and %3A"
        ) from None
    raise JournalError(f"{JOURNAL_VARIABLE} names a database of kind {kind}; known are sqlite and postgresql")


@contextmanager
def translated_errors(address: str) -> Iterator[None]:
    """Turn errors of the database into `JournalUnavailableError` with one line of its message."""
    try:
        yield
    except DBAPIError as error:
        lines = str(error.orig).strip().splitlines() or ["no message"]
        # `from None`: the further lines of PostgreSQL's message may quote the row, which a traceback would repeat.
        raise JournalUnavailableError(f"{address}: {lines[0]}") from None
    except SQLAlchemyError as error:  # such as no free connection in time
        raise JournalUnavailableError(f"{address}: {str(error).splitlines()[0]}") from error


def _postgresql_engine(url: sa.URL, timeout_s: int) -> sa.Engine:
    milliseconds = 1000 * timeout_s
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={
            "connect_timeout": timeout_s,
            "tcp_user_timeout": milliseconds,
            "options": f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds} "
            "-c timezone=UTC -c synchronous_commit=on",
        },
        pool_pre_ping=True,
        pool_timeout=timeout_s,
        hide_parameters=True,  # parameters are personal data, which must not reach a log or an error text
    )


def _sqlite_engine(url: sa.URL, path: Path, timeout_s: int) -> sa.Engine:
    engine = sa.create_engine(url.set(drivername="sqlite"), pool_timeout=timeout_s, hide_parameters=True)
    _check_file_identity(engine, path)
    sa.event.listen(engine, "connect", lambda connection, _: _configure_sqlite(connection, timeout_s))
    sa.event.listen(engine, "begin", _begin_in_sqlite)
    return engine


def _check_file_identity(engine: sa.Engine, path: Path) -> None:
    """Discard connections to a file that is no longer at its path, and refuse to connect if there is none.

    A connection to a file that was moved, removed or replaced stays open, and would write decisions that no journal
    holds. If there is no file, SQLite would make an empty one.
    """

    def identity() -> tuple[int, int]:
        try:
            status = path.stat()
        except OSError as error:
            raise sqlite3.OperationalError(f"the file cannot be used: {error.strerror}") from error
        return status.st_dev, status.st_ino

    def require_file(*_: Any) -> None:
        identity()

    def remember(_: Any, record: Any) -> None:
        record.info["file"] = identity()

    def compare(_: Any, record: Any, __: Any) -> None:
        if record.info["file"] != identity():
            raise DisconnectionError("the file is another")

    sa.event.listen(engine, "do_connect", require_file)
    sa.event.listen(engine, "connect", remember)
    sa.event.listen(engine, "checkout", compare)


def _configure_sqlite(connection: Any, timeout_s: int) -> None:
    connection.isolation_level = None  # transactions begin in `_begin_in_sqlite`
    for setting in (
        f"busy_timeout = {1000 * timeout_s}",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {setting}")
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # SQLite's busy timeout does not apply while another process creates the same new file.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin_in_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at the start: SQLite fails a reading transaction that has to wait for it later."""
    if not connection.get_execution_options().get("reading"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
