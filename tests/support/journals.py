"""Journals to test on: entries, reviews, and what it takes to look behind them."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bento.journal.entries import Entry, StoredReview
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault

VAULTS = {"plain": Vault(None), "encrypted": Vault(bytes(range(32)))}
CLIENT = 471100299
NOW = datetime(2026, 5, 4, 12, 30, 15, 250_000, tzinfo=UTC)
SECONDS = 5
"""Within which whatever is waited for must have come."""


@contextmanager
def opened(url: str, vault: Vault = VAULTS["plain"]) -> Iterator[Journal]:
    """A journal whose schema is up to date."""
    journal = Journal(url, vault)
    upgrade(journal)
    yield journal
    journal.close()


@contextmanager
def another(journal: Journal) -> Iterator[Journal]:
    """The same journal by connections of its own, as another process has it."""
    url = journal.engine.url.render_as_string(hide_password=False)
    other = Journal(url, journal.vault)
    yield other
    other.close()


def entry(**changes: Any) -> Entry:
    """A decision on CLIENT, or what `changes` make of it."""
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
    """A confirmation, a day after the decision, or what `changes` make of it."""
    values: dict[str, Any] = {
        "reviewed_at": NOW + timedelta(days=1),
        "key_id": "e5f6a7b8",
        "verdict": "confirmed",
        "outcome": "granted",
        "reason": "income was proven by pay slips",
        "reviewer": "Camille Martin",
    }
    return StoredReview(**values | changes)


def rows(journal: Journal, table: str = "decisions") -> list[dict[str, Any]]:
    """What a table holds, as the database gives it."""
    with journal.engine.connect() as connection:
        found = connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1"))  # noqa: S608
        return [dict(row) for row in found.mappings()]


def execute(journal: Journal, *statements: str) -> None:
    """Do as somebody with access to the database may."""
    with journal.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


@contextmanager
def locked(journal: Journal) -> Iterator[None]:
    """Keep everybody else from writing."""
    with journal.engine.begin() as connection:  # takes the lock of SQLite
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("LOCK TABLE client_keys, decisions IN SHARE MODE"))
        yield


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something has come true in another thread."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)
