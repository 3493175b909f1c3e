"""The file of a journal in SQLite: connections are used only while it is the one that they opened."""

import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DisconnectionError

from bento.journal.causes import Cause, FileError

COMPANIONS = ("-wal", "-shm")
"""Ends of the names of the write-ahead log, which holds the latest decisions, and of its index."""


class SqliteFile:
    """Discards connections to a file that is no longer at its path, and refuses to connect to a half of a journal.

    A connection to a file that was moved, removed or replaced stays open, and would write decisions that no journal
    holds. If there is no file, SQLite would make an empty one, which would stand where the missing one belongs. If
    another file lies beside the write-ahead log of the former, SQLite would take its pages for those of the new one
    and damage it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: os.stat_result | None = None
        self._companions: dict[str, tuple[os.stat_result, int | None]] = {}
        self._changing = threading.RLock()
        """Held while they change: no descriptor may be closed twice."""

    def watch(self, engine: sa.Engine) -> None:
        """Check the file whenever a connection is opened or used."""
        sa.event.listen(engine, "do_connect", self._connect)
        sa.event.listen(engine, "connect", self._remember)
        sa.event.listen(engine, "checkout", self._compare)

    def is_same(self, connection: Any) -> bool:
        """Whether the file at the path is the one that a connection of SQLAlchemy was opened on."""
        opened: os.stat_result = connection.connection.info["file"]
        status = _status(self.path)
        if status is None or not os.path.samestat(opened, status):
            return False
        with self._changing:
            self._remember_companions()
        return True

    def _connect(self, dialect: sa.Dialect, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        with self._changing:
            record.info["file"] = status = self._required_status()
            self._refuse_half_of_a_journal(status)
        existing = f"{self.path.absolute().as_uri()}?mode=rw"  # it may be moved before SQLite opens it
        try:
            return dialect.connect(existing, *arguments[1:], **options, uri=True)
        except sqlite3.OperationalError:
            self._required_status()
            raise

    def _refuse_half_of_a_journal(self, status: os.stat_result) -> None:
        if self._opened is None or os.path.samestat(self._opened, status):
            return
        for suffix, (companion, _) in self._companions.items():
            path = Path(f"{self.path}{suffix}")
            beside = _status(path)
            if beside is not None and os.path.samestat(companion, beside):
                raise FileError(
                    f"the file was replaced, and {path.name} of the former is still beside it; nothing is written to "
                    "it: stop the service, then put the file there with python -m bento journal restore",
                    "replaced",
                )
        self._opened = None
        self._forget_companions()

    def _remember(self, _: Any, record: Any) -> None:
        with self._changing:
            status = self._required_status()
            if not os.path.samestat(record.info["file"], status):
                raise FileError("the file was replaced while it was opened", "replaced")
            self._opened = status
            self._forget_companions()  # SQLite removes them with the last connection, and makes new ones
            self._remember_companions()

    def _remember_companions(self) -> None:
        """Remember which files lie beside the open one; SQLite makes them at the first write."""
        for suffix in COMPANIONS:
            if suffix in self._companions:
                continue
            path = Path(f"{self.path}{suffix}")
            status = _status(path)
            if status is not None:
                self._companions[suffix] = status, _kept_open(path)

    def _compare(self, _: Any, record: Any, __: Any) -> None:
        if not os.path.samestat(record.info["file"], self._required_status()):
            raise DisconnectionError("the file is another")
        with self._changing:
            self._remember_companions()

    def _forget_companions(self) -> None:
        for _, descriptor in self._companions.values():
            if descriptor is not None:
                os.close(descriptor)
        self._companions = {}

    def _required_status(self) -> os.stat_result:
        try:
            return self.path.stat()
        except OSError as error:
            cause: Cause = "missing" if isinstance(error, FileNotFoundError) else "rights"
            raise FileError(f"the file cannot be used: {error.strerror}", cause) from error


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _kept_open(path: Path) -> int | None:
    """Keep the number of a file from being given to another one, by a descriptor where the system has O_PATH.

    Closing any other descriptor of the index would end the locks that SQLite holds on it in this process.
    """
    flag = getattr(os, "O_PATH", None)
    try:
        return None if flag is None else os.open(path, flag)
    except OSError:
        return None
