"""The role of the service in PostgreSQL: it appends and reads, owns nothing, and may not alter anything."""

import re

import psycopg
import sqlalchemy as sa
from psycopg import sql

from bento.journal.entries import JournalError
from bento.journal.schema import CHAIN, CLIENT_KEYS, DECISIONS, JOURNAL_KEYS, REVIEWS, RULEBOOKS
from bento.journal.store import Journal

_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_LOCKED = {CLIENT_KEYS.name: "created_at", DECISIONS.name: "purged_at"}
"""Columns whose update is granted: PostgreSQL asks for that right to lock a row. A trigger refuses the second."""


def grants(role: str) -> list[str]:
    """Return the statements that let a role write and read the journal, to be run by the owner of the tables.

    Raises:
        JournalError: the name is not one that PostgreSQL takes without quotes.
    """
    if _ROLE.fullmatch(role) is None:
        raise JournalError(f"{role!r} is no name of a role: small letters, digits and _, 63 at most")
    tables = ", ".join(table.name for table in (DECISIONS, REVIEWS, RULEBOOKS, CHAIN, CLIENT_KEYS, JOURNAL_KEYS))
    return [
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT ON alembic_version TO {role}",
        f"GRANT SELECT, INSERT ON {tables} TO {role}",
        *(f"GRANT UPDATE ({column}) ON {table} TO {role}" for table, column in _LOCKED.items()),
    ]


def script(role: str) -> str:
    """Return SQL that makes the role of the service and grants what it needs; errors as `grants`."""
    statements = [*grants(role)]
    return "".join(f"{statement};\n" for statement in (f"CREATE ROLE {role} LOGIN", *statements))


def grant(journal: Journal, role: str, password: str | None = None) -> None:
    """Grant a role what the service needs; with a password, make the role where it is missing and set it.

    Errors as `grants`.

    Raises:
        JournalError: the journal is in SQLite, where the rights are those of the file.
        JournalUnavailableError: there is no such role, or the tables belong to another.
    """
    if journal.engine.dialect.name != "postgresql":
        raise JournalError(f"{journal.address} is a file, without roles; its owner and mode say who may write it")
    statements = grants(role)
    with journal.transaction() as connection:
        if password is not None:
            _make(connection, role, password)
        for statement in statements:
            connection.execute(sa.text(statement))


def _make(connection: sa.Connection, role: str, password: str) -> None:
    """Make a role that may log in, unless it is there, and set its password, of which the server is sent a hash."""
    is_there = connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first()
    if is_there is None:
        connection.execute(sa.text(f"CREATE ROLE {role} LOGIN"))
    session: psycopg.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    hashed = session.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    session.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(hashed)))
