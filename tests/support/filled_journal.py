"""Fill a journal in SQLite with any number of decisions, quickly: rows and chain are those that the service writes.

They are made by the journal's functions, and written in bulk while the indexes and triggers are away.
"""

import random
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bento.journal import chain
from bento.journal.keys import make_journal_keys
from bento.journal.schema import CHAIN, CLIENT_KEYS, DECISIONS, REVIEWS, Moment
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import JournalKeys, Vault, pack

DECISIONS_OF_A_CLIENT = 3
DECISIONS_OF_A_PROCESS = 100_000
"""Decisions after which another process, with a separate chain, goes on."""
DECISIONS_FOR_A_REVIEW = 50
CREDIT_FILE_BYTES, ANSWER_BYTES = 800, 500
"""Bytes once compressed, as of an application without history, and of an answer with its reasons."""
SECONDS_BETWEEN = 10
"""Seconds from one decision to the next: ten million take three years."""
PORTION = 20_000
_CACHE_KIB = 1_000_000


def fill(url: str, vault: Vault, decisions: int, last: datetime, seed: int = 0) -> None:
    """Make a journal in SQLite that holds decisions, up to the moment `last`; the file must not exist."""
    journal = Journal(url, vault)
    upgrade(journal)
    with journal.transaction() as connection:
        keys = make_journal_keys(connection, vault)
    journal.close()
    with closing(sqlite3.connect(Path(journal.engine.url.database or ""))) as connection, _in_bulk(connection):
        for rows in _portions(vault, keys, decisions, last, random.Random(seed)):  # noqa: S311 - no secret
            for table, values in rows.items():
                _insert(connection, table, values)
            connection.commit()


@contextmanager
def _in_bulk(connection: sqlite3.Connection) -> Iterator[None]:
    """Take indexes and triggers away, and make them again at the end."""
    for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
        connection.execute(f"PRAGMA {setting}")
    query = "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
    parts = connection.execute(query).fetchall()
    for kind, name, _ in parts:
        connection.execute(f"DROP {kind} {name}")
    yield
    for _, _, sql in parts:
        connection.execute(sql)
    connection.commit()


def _portions(
    vault: Vault, keys: JournalKeys, decisions: int, last: datetime, draw: random.Random
) -> Iterator[dict[sa.Table, list[dict[str, Any]]]]:
    clients = max(1, decisions // DECISIONS_OF_A_CLIENT)
    wrapped: dict[str, bytes] = {}
    head = chain.Head("", -1, b"")
    for start in range(0, decisions, PORTION):
        rows: dict[sa.Table, list[dict[str, Any]]] = {CLIENT_KEYS: [], DECISIONS: [], REVIEWS: [], CHAIN: []}
        for number in range(start, min(start + PORTION, decisions)):
            if number % DECISIONS_OF_A_PROCESS == 0:
                head = chain.Head(str(uuid.uuid4()), -1, b"")
            decided_at = last - timedelta(seconds=SECONDS_BETWEEN * (decisions - number))
            client = keys.pseudonym(100_000 + draw.randrange(clients))
            if vault.encrypts and client not in wrapped:
                wrapped[client] = vault.new_key(client)
                rows[CLIENT_KEYS].append({"client": client, "wrapped_key": wrapped[client], "created_at": decided_at})
            decision = _decision(vault, client, wrapped.get(client), decided_at, draw)
            added = [(chain.DECISION, DECISIONS, decision)]
            if number % DECISIONS_FOR_A_REVIEW == 0:
                added.append((chain.REVIEW, REVIEWS, _review(vault, wrapped.get(client), decision)))
            for kind, table, row in added:
                rows[table].append(row)
                link = chain.link(keys, kind, row)
                mac = chain.code(keys, head, link, keyed=keys.chain is not None)
                head = chain.Head(head.writer, head.position + 1, mac)
                rows[CHAIN].append(head._asdict() | link._asdict() | {"keyed": keys.chain is not None})
        yield rows


def _decision(
    vault: Vault, client: str, key: bytes | None, decided_at: datetime, draw: random.Random
) -> dict[str, Any]:
    identity = str(uuid.uuid4())
    # Random bytes have the size of compressed text, and no compression makes them smaller.
    texts = {"credit_file": draw.randbytes(CREDIT_FILE_BYTES), "answer": draw.randbytes(ANSWER_BYTES)}
    return {
        "id": identity,
        "decided_at": decided_at,
        "key_id": "a1b2c3d4",
        "idempotency_hash": draw.randbytes(32).hex(),
        "credit_file_hash": draw.randbytes(32).hex(),
        "features_hash": draw.randbytes(32).hex(),
        "decision": draw.choices(("granted", "refused", "review"), (80, 15, 5))[0],
        "threshold": 0.09,
        "model_name": "credit_scoring",
        "model_version": "3",
        "model_tag": "credit_scoring:of_another_code",
        "bento": "credit_scoring:of_another_code",
        "code": "0" * 64,
        "rules": None,
        "client": client,
        "data_key": None if key is None else client,
        "probability": draw.random(),
        "purged_at": None,
    } | {name: vault.seal(pack(text), key, client, f"{identity} {name}") for name, text in texts.items()}


def _review(vault: Vault, key: bytes | None, decision: Mapping[str, Any]) -> dict[str, Any]:
    identity = str(uuid.uuid4())
    content = pack(b'{"reason": "income was proven by three payslips", "reviewer": "Camille Martin"}')
    return {
        "id": identity,
        "decision_id": decision["id"],
        "reviewed_at": decision["decided_at"] + timedelta(hours=1),
        "key_id": "e5f6a7b8",
        "verdict": "confirmed",
        "outcome": decision["decision"],
        "content": vault.seal(content, key, decision["client"], f"{identity} content"),
    }


def _insert(connection: sqlite3.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    names = [column.name for column in table.c]
    moments = {column.name for column in table.c if isinstance(column.type, Moment)}
    values = ([_as_sqlalchemy_writes(row[name]) if name in moments else row[name] for name in names] for row in rows)
    marks = ", ".join("?" * len(names))
    connection.executemany(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", values)  # noqa: S608


def _as_sqlalchemy_writes(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
