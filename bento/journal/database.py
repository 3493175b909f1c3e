"""Connections to the journal's database, SQLite or PostgreSQL."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from bento.journal.causes import cause_of
from bento.journal.entries import JournalError, JournalUnavailableError, OutcomeUnknownError
from bento.settings import JOURNAL_VARIABLE, LIMITS

_SEVERAL_HOSTS = re.compile(
    r"(?P<start>postgresql[^/]*://(?:[^/]*@)?)(?P<hosts>[^/@]*,[^/@?]*)(?P<path>/[^?]*)?(?P<query>\?.*)?"
)
"""A URL of libpq with several hosts, which SQLAlchemy writes as parameters."""
_READ_ONLY = "25006"
"""SQLSTATE of a write to a server that is, or became, a standby."""
_NOT_COMMITTED_IN_SQLITE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
"""Errors at a commit after which no mark of the commit is in the write-ahead log."""
_CONNECTION_LOST = ("08", "57")
"""Classes of SQLSTATE that end a connection."""


def open_engine(address: str, timeout_s: int = LIMITS.statement_timeout_s) -> sa.Engine:
    """Create the engine of a journal's SQLite or PostgreSQL database; it connects when it is first used.

    Raises:
        JournalError: the URL is invalid, or of another kind of database.
    """
    try:
        url = sa.make_url(_with_hosts_as_parameters(address))
        kind = url.get_backend_name()
        if kind == "postgresql":
            return _postgresql_engine(url, timeout_s)
        if kind == "sqlite":
            if url.database in (None, "", ":memory:") or url.query:
                raise JournalError(f"{JOURNAL_VARIABLE} must name a file: sqlite:///folder/journal.db")
            return _sqlite_engine(url, timeout_s)
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
        raise JournalUnavailableError(f"{address}: {lines[0]}", cause_of(error.orig)) from None
    except SQLAlchemyError as error:  # such as no free connection in time
        raise JournalUnavailableError(f"{address}: {str(error).splitlines()[0]}", "away") from error


@contextmanager
def commit_errors(address: str) -> Iterator[None]:
    """Turn errors of a commit into `OutcomeUnknownError` where the transaction may be committed all the same."""
    try:
        yield
    except DBAPIError as error:
        if _is_rolled_back(error.orig):
            raise
        lines = str(error.orig).strip().splitlines() or ["no message"]
        raise OutcomeUnknownError(f"{address}: {lines[0]}, while it was committed", cause_of(error.orig)) from None


def insert_new(connection: sa.Connection, table: sa.Table) -> Any:
    """Return an insert that leaves out rows whose key is there; its result has the number of the others."""
    return _insert_new(connection.dialect.name, table)


@cache
def _insert_new(dialect: str, table: sa.Table) -> Any:
    """Made once: SQLAlchemy takes as long to make a statement as SQLite to run it."""
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    return statement.on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def _is_rolled_back(error: BaseException | None) -> bool:
    """Whether an error at a commit says for certain that nothing was committed."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        return code in _NOT_COMMITTED_IN_SQLITE
    state = getattr(error, "sqlstate", None)
    return state is not None and not state.startswith(_CONNECTION_LOST)


def _with_hosts_as_parameters(address: str) -> str:
    match = _SEVERAL_HOSTS.fullmatch(address)
    if match is None:
        return address
    hosts = "&".join(f"host={host}" for host in match["hosts"].split(","))
    return f"{match['start']}{match['path'] or '/'}?{hosts}" + (match["query"] or "").replace("?", "&", 1)


def _postgresql_engine(url: sa.URL, timeout_s: int) -> sa.Engine:
    # A command that waits longer for a lock would hold up the service, whose statements queue behind it.
    short_s = min(timeout_s, LIMITS.statement_timeout_s)
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={
            "target_session_attrs": url.query.get("target_session_attrs", "read-write"),
            "connect_timeout": short_s,
            "tcp_user_timeout": 1000 * short_s,
            "options": f"-c statement_timeout={1000 * timeout_s} -c lock_timeout={1000 * short_s} "
            "-c timezone=UTC -c synchronous_commit=on",
        },
        pool_pre_ping=True,
        pool_timeout=timeout_s,
        hide_parameters=True,  # parameters are personal data, which must not reach a log or an error text
    )
    sa.event.listen(engine, "handle_error", _discard_read_only)
    return engine


def _discard_read_only(context: sa.ExceptionContext) -> None:
    """Discard the connections to a server that has become a standby; the next ones look for the one that is not."""
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True


def _sqlite_engine(url: sa.URL, timeout_s: int) -> sa.Engine:
    engine = sa.create_engine(url.set(drivername="sqlite"), pool_timeout=timeout_s, hide_parameters=True)
    sa.event.listen(engine, "connect", lambda connection, _: _configure_sqlite(connection, timeout_s))
    sa.event.listen(engine, "begin", _begin_in_sqlite)
    return engine


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
