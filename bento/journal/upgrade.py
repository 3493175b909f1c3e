"""Upgrade the schema of a journal."""

import os
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from bento import os_fault
from bento.journal.entries import JournalError, JournalUnavailableError
from bento.journal.seal import seal
from bento.journal.store import Journal
from bento.settings import LIMITS

MIGRATIONS = Path(__file__).parent / "migrations"
FIRST_WITH_CHAIN = "0003"
"""The first schema whose entries are in the chain from the start."""


def upgrade(journal: Journal) -> tuple[str | None, str | None]:
    """Apply the missing migrations in one transaction; make the SQLite file if there is none.

    Entries from before there was a chain are then taken into it, in portions: the service may write in between.

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
    with journal.transaction() as connection:
        if connection.dialect.name == "postgresql":  # processes that start together upgrade one after the other
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LIMITS.maintenance_timeout_s}s'"))
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('alembic_version'))"))
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LIMITS.statement_timeout_s}s'"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise JournalError(f"{journal.address} holds a journal of schema {before}, newer than this code") from error
    if before is not None and before < FIRST_WITH_CHAIN:
        seal(journal)
    return before, journal.revision()
