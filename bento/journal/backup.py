"""Back up and restore a journal in SQLite; for PostgreSQL, the lines that do so.

A backup leaves out the keys of clients: once a purge has destroyed them in the journal, what they encrypted cannot be
read from any backup; without a master key nothing is encrypted, and a purge reaches no backup. The keys go to a file by
themselves, which is to be kept for days, not for years.
"""

import contextlib
import fcntl
import os
import shlex
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bento.journal.entries import JournalError, JournalUnavailableError
from bento.journal.schema import CLIENT_KEYS, CONTESTS, DECISIONS, REVIEWS, REVISION
from bento.journal.sqlite_file import COMPANIONS
from bento.journal.store import Journal
from bento.journal.vault import Vault, VaultError
from bento.settings import JOURNAL_VARIABLE

_LOCK_BYTES = 0x40000000, 512
"""Where and how many bytes SQLite locks in a file that is open (https://www.sqlite.org/fileformat.html#the_lock_byte_page)."""
_KEYS_TABLE = "CREATE TABLE client_keys (client VARCHAR(64) PRIMARY KEY, wrapped_key BLOB, created_at DATETIME)"


def backup(journal: Journal, target: Path, keys: Path | None) -> None:
    """Copy a journal in SQLite to a file while it is used, without the keys of clients; these go to `keys`.

    Raises:
        JournalError: a file is there already, or the copy is not sound.
        JournalUnavailableError: the journal cannot be read.
    """
    for path in (target, keys):
        if path is not None and path.exists():
            raise JournalError(f"{path} exists; name another file")
    with contextlib.ExitStack() as parts:
        copy = parts.enter_context(_new_file(target))
        with journal.reader() as connection:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)  # noqa: S101 - the caller has asked for the dialect
            source.backup(copy)  # in one step: writers go on, and it does not start again for each of them
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.execute("PRAGMA secure_delete = ON")
        if keys is not None:
            keys_copy = parts.enter_context(_new_file(keys))
            keys_copy.execute(_KEYS_TABLE)
            rows = copy.execute("SELECT client, wrapped_key, created_at FROM client_keys")
            keys_copy.executemany("INSERT INTO client_keys VALUES (?, ?, ?)", rows)
            keys_copy.commit()
        copy.execute("DELETE FROM client_keys")
        copy.commit()
        _require_sound(copy, target)


def restore(target: Path, source: Path, keys: Path | None, vault: Vault, *, without_keys: bool = False) -> Path | None:
    """Put a backup where the journal is, with the keys of a file, or else those of the present journal.

    The keys of the journal itself are those of the backup, or of the present journal where the master key was changed
    since.

    Returns:
        Where the present journal has been moved to, None if there was none.

    Raises:
        JournalError: a process has the journal open, the backup is damaged or of a newer schema, or there are no keys.
        VaultError: the keys cannot be decrypted.
    """
    with _only_user(target):  # before anything is read, as this may take long
        pass
    with _new_file(target.with_name(f"{target.name}.restored")) as copy:
        with _existing(source) as backup_file:
            backup_file.backup(copy)
        _require_sound(copy, source)
        _require_schema(copy, source)
        needed = copy.execute("SELECT EXISTS (SELECT 1 FROM decisions WHERE data_key IS NOT NULL)").fetchone()[0]
        keys_file = keys or (target if target.exists() else None)
        if needed and not without_keys:
            if keys_file is None:
                raise JournalError(f"{source} holds no keys of clients; name a backup of them with --keys")
            with _existing(keys_file) as present:
                rows = present.execute("SELECT client, wrapped_key, created_at FROM client_keys").fetchall()
            copy.executemany("INSERT OR IGNORE INTO client_keys VALUES (?, ?, ?)", rows)
            copy.commit()
            if vault.encrypts:
                _require_master_key(copy, target, vault)
    with _only_user(target):
        moved = _moved_away(target)
        os.replace(target.with_name(f"{target.name}.restored"), target)
        _flush(target.parent)
    return moved


def check(journal: Journal) -> str:
    """Check that a journal is whole, has the schema of this code, and how much of it can be decrypted.

    Returns:
        What it holds, in one line.

    Raises:
        JournalError: it is not sound, or cannot be used.
    """
    journal.check()
    if journal.engine.dialect.name == "sqlite":
        with journal.reader() as connection:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)  # noqa: S101 - the dialect says so
            _require_sound(source, Path(journal.engine.url.database or ""))
    has_key = sa.exists().where(CLIENT_KEYS.c.client == DECISIONS.c.data_key)
    lost = sa.select(sa.func.count()).select_from(DECISIONS).where(DECISIONS.c.data_key.is_not(None), ~has_key)
    with journal.reader() as connection:
        decisions, reviews, contests = (
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (DECISIONS, REVIEWS, CONTESTS)
        )
        unreadable = connection.execute(lost).scalar_one()
    note = f", {unreadable} of which cannot be decrypted, as their keys are not here" if unreadable else ""
    return f"{journal.address}: sound, {decisions} decisions{note}, {reviews} reviews, {contests} contests"


def postgresql_lines(command: str, target: Path, keys: Path | None) -> list[str]:
    """Return the lines of the shell that back up or restore a journal in PostgreSQL; JOURNAL_URL names it.

    >>> postgresql_lines("restore", Path("journal.dump"), None)
    ['pg_restore --exit-on-error --single-transaction --no-owner --dbname="$JOURNAL_URL" journal.dump']
    """
    url = f'--dbname="${JOURNAL_VARIABLE}"'
    file = shlex.quote(str(target))
    if command == "backup":
        lines = [f"pg_dump --format=custom --exclude-table-data=client_keys {url} --file={file}"]
        extra = "pg_dump --format=custom --data-only --table=client_keys"
        return lines if keys is None else [*lines, f"{extra} {url} --file={shlex.quote(str(keys))}"]
    options = "--exit-on-error --single-transaction --no-owner"
    lines = [f"pg_restore {options} {url} {file}"]
    return lines if keys is None else [*lines, f"pg_restore {options} --data-only {url} {shlex.quote(str(keys))}"]


def _require_master_key(copy: sqlite3.Connection, present: Path, vault: Vault) -> None:
    """Make sure that the master key opens a restored journal; raise VaultError where it does not."""
    wrapped = _wrapped_keys(copy)
    if wrapped is not None:
        try:
            vault.unwrapped_keys(wrapped)
        except VaultError:
            if not present.exists():
                raise
            with _existing(present) as journal:
                renewed = _wrapped_keys(journal)
            if renewed is None:
                raise
            vault.unwrapped_keys(renewed)
            copy.execute("UPDATE journal_keys SET wrapped_key = ?", (renewed,))
            copy.commit()
    for client, wrapped in copy.execute("SELECT client, wrapped_key FROM client_keys LIMIT 1"):
        vault.check(wrapped, client)


def _wrapped_keys(connection: sqlite3.Connection) -> bytes | None:
    """Return the encrypted keys of the journal itself, None where there are none, as in older schemas."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'journal_keys'").fetchone():
        return None
    row = connection.execute("SELECT wrapped_key FROM journal_keys").fetchone()
    return None if row is None else bytes(row[0])


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a new database that only its owner may read, under its name once it is whole and on the disk."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_CREAT | os.O_RDWR, 0o600)
    os.close(descriptor)
    try:
        with _translated(path), contextlib.closing(sqlite3.connect(unfinished)) as connection:
            yield connection
        _flush(unfinished)
        os.replace(unfinished, path)
        _flush(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def _existing(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise JournalError(f"{path}: there is no such file")
    with _translated(path), contextlib.closing(sqlite3.connect(path)) as connection:
        yield connection


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise JournalUnavailableError(f"{path}: {error}") from error


@contextlib.contextmanager
def _only_user(path: Path) -> Iterator[None]:
    """Make sure that no other process has a database open, and that none can use it within the block."""
    if not path.exists():
        yield
        return
    descriptor = os.open(path, os.O_RDWR)
    try:
        start, length = _LOCK_BYTES
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
        yield
    except BlockingIOError as error:
        raise JournalError(f"{path} is open in another process; stop the service first") from error
    finally:
        os.close(descriptor)


def _moved_away(path: Path) -> Path | None:
    """Rename a database and its write-ahead log; its index is made anew by the next process."""
    if not path.exists():
        for suffix in COMPANIONS:
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        return None
    moved = path.with_name(f"{path.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    os.rename(path, moved)
    for suffix in COMPANIONS:
        companion = Path(f"{path}{suffix}")
        if companion.exists():
            os.rename(companion, f"{moved}{suffix}")
    return moved


def _require_sound(connection: sqlite3.Connection, path: Path) -> None:
    broken = []
    try:
        faults = [row[0] for row in connection.execute("PRAGMA integrity_check").fetchall()]
        if faults == ["ok"]:
            broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        faults = [str(error)]
    if faults != ["ok"] or broken:
        reason = f"{len(broken)} rows refer to rows that are missing" if faults == ["ok"] else faults[0]
        raise JournalError(f"{path} is damaged: {' '.join(reason.split())}; restore a backup")


def _require_schema(connection: sqlite3.Connection, path: Path) -> None:
    try:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        raise JournalError(f"{path} holds no journal") from error
    if str(revision) > REVISION:
        raise JournalError(f"{path} holds a journal of schema {revision}, newer than this code ({REVISION})")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
