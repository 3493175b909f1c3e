"""Journals to test on: entries, reviews, and direct access to their tables."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bento.journal.entries import Entry, StoredContest, StoredReview
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault
from tests.support.deadlines import timeout_s, wait_until

VAULTS = {"plain": Vault(None), "encrypted": Vault(bytes(range(32)))}
CLIENT = 471100299
NOW = datetime(2026, 5, 4, 12, 30, 15, 250_000, tzinfo=UTC)
SECONDS = timeout_s(5)
"""Seconds for what takes a fraction of a second on a quiet machine."""


@contextmanager
def opened(url: str, vault: Vault = VAULTS["plain"]) -> Iterator[Journal]:
    """Open a journal, and bring its schema up to date."""
    journal = Journal(url, vault)
    upgrade(journal)
    yield journal
    journal.close()


@contextmanager
def another(journal: Journal) -> Iterator[Journal]:
    """Open the same journal through separate connections, as another process does."""
    url = journal.engine.url.render_as_string(hide_password=False)
    other = Journal(url, journal.vault)
    yield other
    other.close()


def entry(**changes: Any) -> Entry:
    """Return a decision on CLIENT, with `changes`."""
    content = {"application": {"SK_ID_CURR": CLIENT}, "bureau": [{"DAYS_CREDIT": -n} for n in range(50)]}
    values: dict[str, Any] = {
        "client": CLIENT,
        "credit_file": json.dumps(content).encode(),
        "credit_file_hash": "c" * 64,
        "answer": b'{"decision": "granted"}',
        "decided_at": NOW,
        "key_id": "a1b2c3d4",
        "features_hash": "f" * 64,
        "decision": "granted",
        "threshold": 1 / 11,
        "probability": 0.012345678901234567,
        "model_name": "credit_scoring",
        "model_version": "3",
        "model_tag": "credit_scoring:abc",
        "bento": "credit_scoring:def",
        "code": "0123456789abcdef",
    }
    return Entry(**values | changes)


def review(**changes: Any) -> StoredReview:
    """Return a confirmation of the day after the decision, with `changes`."""
    values: dict[str, Any] = {
        "reviewed_at": NOW + timedelta(days=1),
        "key_id": "e5f6a7b8",
        "verdict": "confirmed",
        "outcome": "granted",
        "reason": "income was proven by three payslips",
        "reviewer": "Camille Martin",
    }
    return StoredReview(**values | changes)


def contest(**changes: Any) -> StoredContest:
    """Return what the client says two days after the decision, with `changes`."""
    values: dict[str, Any] = {
        "contested_at": NOW + timedelta(days=2),
        "key_id": "e5f6a7b8",
        "statement": "my income has risen since",
        "recorder": "Camille Martin",
    }
    return StoredContest(**values | changes)


def rows(journal: Journal, table: str = "decisions") -> list[dict[str, Any]]:
    """Return the rows of a table as the database gives them."""
    with journal.engine.connect() as connection:
        result = connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1"))  # noqa: S608
        return [dict(row) for row in result.mappings()]


def execute(journal: Journal, *statements: str) -> None:
    """Execute statements, as a person with access to the database can."""
    with journal.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def without_triggers(journal: Journal) -> None:
    """Let history be rewritten, as the owner of the tables can."""
    tables = ("decisions", "reviews", "contests", "chain")
    if journal.engine.dialect.name == "postgresql":
        execute(journal, *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables))
    else:
        kinds = ("update", "delete", "replace")
        execute(journal, *(f"DROP TRIGGER {table}_no_{kind}" for table in tables for kind in kinds))


@contextmanager
def locked(journal: Journal) -> Iterator[None]:
    """Keep all other connections from writing."""
    with journal.engine.begin() as connection:  # takes the lock of SQLite
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("LOCK TABLE client_keys, decisions IN SHARE MODE"))
        yield


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait for a condition that another thread fulfils."""
    wait_until(condition, SECONDS, pause_s=0.001)
