"""Upgrade the schema of a journal."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from bento import os_fault
from bento.journal.entries import JournalError, JournalUnavailableError
from bento.journal.indexes import make_indexes, session
from bento.journal.seal import seal
from bento.journal.store import Journal
from bento.settings import LIMITS

MIGRATIONS = Path(__file__).parent / "migrations"
FIRST_WITH_CHAIN = "0003"
"""The first schema whose entries are in the chain from the start."""


def upgrade(journal: Journal) -> tuple[str | None, str | None]:
    """Apply the missing migrations in one transaction, then make indexes; make the SQLite file if there is none.

    Entries from before there was a chain are then taken into it, in portions: the service may write in between. An
    upgrade that was interrupted goes on with the next.

    Returns:
        The schema before and after.

    Raises:
        JournalError: the schema is newer than this code.
        JournalUnavailableError: the database does not answer, or its folder cannot be written.
    """
    database = journal.engine.url.database
    if journal.engine.dialect.name == "sqlite" and database:
        path = Path(database)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # only its owner may read it
        except OSError as error:
            raise JournalUnavailableError(os_fault(error)) from error
    before = journal.revision()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with _alone(journal):
        with journal.transaction() as connection:
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise JournalError(
                    f"{journal.address} holds a journal of schema {before}, newer than this code"
                ) from error
        make_indexes(journal)
    if before is not None and before < FIRST_WITH_CHAIN:
        seal(journal)
    return before, journal.revision()


@contextmanager
def _alone(journal: Journal) -> Iterator[None]:
    """Let processes that start together upgrade one after the other; in SQLite the lock of their writes does.

    Those that wait ask again and again: to wait within a statement would hold up the index that another makes, which
    in PostgreSQL waits for every statement that began before.

    Raises:
        JournalUnavailableError: another upgrade takes too long.
    """
    if journal.engine.dialect.name != "postgresql":
        yield
        return
    deadline = time.monotonic() + LIMITS.maintenance_timeout_s
    with session(journal) as connection:
        while not connection.execute(sa.text("SELECT pg_try_advisory_lock(hashtext('alembic_version'))")).scalar():
            if time.monotonic() > deadline:
                raise JournalUnavailableError(f"{journal.address}: another upgrade takes too long", "locked")
            time.sleep(LIMITS.maintenance_pause_s)
        yield
