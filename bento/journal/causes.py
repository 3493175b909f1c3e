"""Why a journal cannot be used at present, as a code for programs, from the errors of SQLite and PostgreSQL."""

import sqlite3
from typing import Literal, get_args

Cause = Literal[
    "away", "login", "missing", "replaced", "full", "read-only", "rights", "locked", "damaged", "disk", "other"
]
CAUSES: tuple[Cause, ...] = get_args(Cause)

_OF_SQLITE: dict[int, Cause] = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_CANTOPEN: "rights",
    sqlite3.SQLITE_PERM: "rights",
    sqlite3.SQLITE_AUTH: "rights",
    sqlite3.SQLITE_IOERR: "disk",
}
"""By primary result code (https://www.sqlite.org/rescode.html)."""
_PRIMARY = 0xFF
"""The bits of a result code of SQLite that hold the primary one."""
_OF_POSTGRESQL: dict[str, Cause] = {
    "25006": "read-only",
    "28": "login",
    "3D000": "missing",
    "42P01": "missing",
    "42501": "rights",
    "53100": "full",
    "53": "away",  # no connection, or no memory, is left
    "55P03": "locked",
    "57014": "locked",  # the statement took too long
    "40P01": "locked",
    "58": "disk",
    "XX001": "damaged",
    "XX002": "damaged",
    "08": "away",
    "57": "away",
}
"""By SQLSTATE, or its class (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""
_OF_CONNECTING: dict[str, Cause] = {
    "session is read-only": "read-only",
    "password authentication failed": "login",
    "no password supplied": "login",
    "pg_hba.conf": "login",
    "does not exist": "missing",
}
"""By a part of the message: an error of libpq while it connects has no SQLSTATE."""


class FileError(sqlite3.OperationalError):
    """The file of a journal may not be used, although SQLite would."""

    def __init__(self, message: str, cause: Cause) -> None:
        super().__init__(message)
        self.cause = cause


def cause_of(error: BaseException | None) -> Cause:
    """Return the code of an error of the database's driver.

    >>> cause_of(sqlite3.OperationalError("no such table: decisions"))
    'missing'
    """
    if isinstance(error, FileError):
        return error.cause
    if isinstance(error, sqlite3.Error):
        if str(error).startswith("no such table"):
            return "missing"
        return _OF_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY, "other")
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return _OF_POSTGRESQL.get(state) or _OF_POSTGRESQL.get(state[:2], "other")
    return next((cause for text, cause in _OF_CONNECTING.items() if text in str(error)), "away")
