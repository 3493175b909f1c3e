"""Brings the schema of a journal up to date."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config

from bento.journal.store import Journal, JournalUnavailableError

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(journal: Journal) -> tuple[str | None, str | None]:
    """Apply the migrations that are missing, in one transaction; a SQLite file is made where there is none.

    Returns:
        The schema before and after.

    Raises:
        JournalUnavailableError: the database does not answer, or its folder cannot be written.
    """
    database = journal.engine.url.database
    if journal.engine.dialect.name == "sqlite" and database:
        _make_file(Path(database))
    before = journal.revision()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with journal.transaction() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, journal.revision()


def _make_file(path: Path) -> None:
    """An empty file that nobody else may read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise JournalUnavailableError(f"{path}: {error.strerror}") from error
