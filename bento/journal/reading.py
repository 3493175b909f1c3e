"""Read decisions on a connection: decrypted, and compared with what authenticates them."""

import json
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from bento.journal import chain
from bento.journal.chain import Row
from bento.journal.entries import Entry, StoredDecision
from bento.journal.schema import CLIENT_KEYS, DECISIONS
from bento.journal.vault import AlteredError, JournalKeys, Vault, VaultError

Readable = TypeVar("Readable")
ENCRYPTED = ("credit_file", "answer")
"""Columns of `decisions` that the vault compresses and encrypts."""
_STORED = tuple(name for name in StoredDecision.__dataclass_fields__ if name not in ENCRYPTED)
_IN_ANSWER = {
    "decided_at": ("decided_at",),
    "decision": ("decision",),
    "threshold": ("threshold",),
    "probability": ("probability_of_default",),
    "model_name": ("model", "name"),
    "model_version": ("model", "version"),
    "rules": ("rules_version",),
}
"""Columns that the answer, which is authenticated with encryption, repeats, and where."""


def find(connection: sa.Connection, vault: Vault, keys: JournalKeys, decision_id: str) -> StoredDecision | None:
    """Return the decision of an id, or None.

    Raises:
        VaultError: it cannot be decrypted.
        AlteredError: it is not as it was written.
    """
    decisions = find_all(connection, vault, keys, [decision_id])
    return sound(decisions[decision_id]) if decision_id in decisions else None


def find_all(
    connection: sa.Connection, vault: Vault, keys: JournalKeys, ids: Sequence[str]
) -> dict[str, StoredDecision | VaultError]:
    """Return the decisions of some ids; in place of one that is altered or cannot be decrypted, the error says so."""
    query = (
        sa.select(DECISIONS, CLIENT_KEYS.c.wrapped_key)
        .outerjoin(CLIENT_KEYS, CLIENT_KEYS.c.client == DECISIONS.c.data_key)
        .where(DECISIONS.c.id.in_(ids))
    )
    rows = connection.execute(query).mappings().all()
    purged = {row["id"] for row in rows if row["purged_at"] is not None}
    altered = chain.altered(connection, keys, chain.DECISION, rows, purged=purged)
    decisions: dict[str, StoredDecision | VaultError] = {}
    for row in rows:
        try:
            decisions[row["id"]] = _decision(vault, row, is_altered=altered[row["id"]])
        except VaultError as error:
            decisions[row["id"]] = error
    return decisions


def sound(value: Readable | VaultError) -> Readable:
    """Return what was read; raise the error that stands in its place."""
    if isinstance(value, VaultError):
        raise value
    return value


def existing_decisions(
    connection: sa.Connection, vault: Vault, keys: JournalKeys, entries: Sequence[Entry]
) -> list[StoredDecision | None]:
    """Return for each entry the other decision that has its Idempotency-Key, or None; errors as `find`."""
    hashes = {entry.idempotency_hash for entry in entries if entry.idempotency_hash is not None}
    if not hashes:
        return [None] * len(entries)
    query = sa.select(DECISIONS.c.idempotency_hash, DECISIONS.c.id).where(DECISIONS.c.idempotency_hash.in_(hashes))
    existing = {row.idempotency_hash: row.id for row in connection.execute(query)}
    ids = [existing.get(entry.idempotency_hash, entry.id) for entry in entries]
    return [
        None if decision_id == entry.id else find(connection, vault, keys, decision_id)
        for entry, decision_id in zip(entries, ids, strict=True)
    ]


def require_key(row: Row, what: str) -> None:
    """Raise VaultError where the database does not hold the key of an entry's client."""
    if row["data_key"] is not None and row["wrapped_key"] is None:
        raise VaultError(f"{what} cannot be decrypted: this database does not hold the key of its client")


def _decision(vault: Vault, row: Row, *, is_altered: bool | None) -> StoredDecision:
    opened = {name: _opened(vault, row, name) for name in ENCRYPTED}
    if is_altered is None and opened["answer"] is not None:  # written by code that knew no chain
        is_altered = _contradicts(row, opened["answer"])
    if is_altered:
        raise AlteredError(f"decision {row['id']} is not as it was written; see: python -m bento journal verify")
    return StoredDecision(**{name: row[name] for name in _STORED} | opened)


def _opened(vault: Vault, row: Row, name: str) -> bytes | None:
    if row[name] is None:
        return None
    require_key(row, f"decision {row['id']}")
    return vault.open(row[name], row["wrapped_key"], row["client"], f"{row['id']} {name}")


def _contradicts(row: Row, answer: bytes) -> bool:
    """Whether a column differs from the answer; one that the answer does not have is not compared."""
    content = json.loads(answer)
    if not isinstance(content, dict):
        return False
    for column, path in _IN_ANSWER.items():
        value: Any = content
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None and not _is_equal(row[column], value):
            return True
    return False


def _is_equal(stored: Any, answered: Any) -> bool:
    if isinstance(stored, datetime):
        return stored == datetime.fromisoformat(answered)
    if isinstance(stored, float):
        return math.isclose(stored, answered, rel_tol=1e-12)
    return bool(stored == answered)
