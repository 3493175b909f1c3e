"""Read decisions and reviews on a connection: decrypted, and compared with what authenticates them."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bento.journal import chain
from bento.journal.chain import Row
from bento.journal.entries import Entry, StoredDecision, StoredReview
from bento.journal.schema import CLIENT_KEYS, DECISIONS, REVIEWS
from bento.journal.vault import AlteredError, JournalKeys, Vault, VaultError

ENCRYPTED = ("credit_file", "answer")
"""Columns of `decisions` that the vault compresses and encrypts."""
PLAIN_OF_REVIEWS = ("reviewed_at", "key_id", "verdict", "outcome")
_STORED = tuple(name for name in StoredDecision.__dataclass_fields__ if name not in ENCRYPTED)
PAGE_SIZE = 500
"""Decisions that one query reads: a page takes some 15 MB, and larger ones are not read faster."""
_WITH_KEY = sa.select(DECISIONS, CLIENT_KEYS.c.wrapped_key).outerjoin(
    CLIENT_KEYS, CLIENT_KEYS.c.client == DECISIONS.c.data_key
)
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
    row = connection.execute(_WITH_KEY.where(DECISIONS.c.id == decision_id)).mappings().first()
    if row is None:
        return None
    return _decision(vault, keys, row, chain.covering(connection, keys, chain.DECISION, [decision_id]))


def decided_between(
    connection: sa.Connection,
    vault: Vault,
    keys: JournalKeys,
    start: datetime,
    end: datetime,
    after: StoredDecision | None,
    limit: int,
) -> list[StoredDecision]:
    """Return the first `limit` decisions from `start` up to, not including, `end`, oldest first; errors as `find`.

    With `after`, the last decision of one page, those of the page that follows.
    """
    query = _WITH_KEY.where(DECISIONS.c.decided_at >= start, DECISIONS.c.decided_at < end)
    if after is not None:
        place = sa.tuple_(DECISIONS.c.decided_at, DECISIONS.c.id)
        # The first condition is implied by the second, which cannot use the index on `decided_at`.
        query = query.where(DECISIONS.c.decided_at >= after.decided_at, place > (after.decided_at, after.id))
    query = query.order_by(DECISIONS.c.decided_at, DECISIONS.c.id).limit(limit)
    rows = connection.execute(query).mappings().all()
    covering = chain.covering(connection, keys, chain.DECISION, [row["id"] for row in rows])
    return [_decision(vault, keys, row, covering) for row in rows]


def reviews_of(connection: sa.Connection, vault: Vault, keys: JournalKeys, decision_id: str) -> list[StoredReview]:
    """Return the reviews of a decision, oldest first; errors as `find`."""
    query = (
        sa.select(REVIEWS, DECISIONS.c.data_key, DECISIONS.c.purged_at, CLIENT_KEYS.c.wrapped_key)
        .join(DECISIONS, DECISIONS.c.id == REVIEWS.c.decision_id)
        .outerjoin(CLIENT_KEYS, CLIENT_KEYS.c.client == DECISIONS.c.data_key)
        .where(REVIEWS.c.decision_id == decision_id)
        .order_by(REVIEWS.c.reviewed_at, REVIEWS.c.id)
    )
    rows = connection.execute(query).mappings().all()
    covering = chain.covering(connection, keys, chain.REVIEW, [row["id"] for row in rows])
    return [_review(vault, keys, row, covering.get(row["id"], ())) for row in rows]


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


def _decision(vault: Vault, keys: JournalKeys, row: Row, covering: Mapping[str, Sequence[Any]]) -> StoredDecision:
    """Return the decision of a row of `_WITH_KEY`, of which `covering` holds the entries of the chain."""
    decision_id = row["id"]
    is_purged = row["purged_at"] is not None
    is_altered = chain.is_altered(keys, chain.DECISION, row, covering.get(decision_id, ()), purged=is_purged)
    opened = {name: _opened(vault, row, name) for name in ENCRYPTED}
    if is_altered is None and opened["answer"] is not None:  # written by code that knew no chain
        is_altered = _contradicts(row, opened["answer"])
    if is_altered:
        raise AlteredError(f"decision {decision_id} is not as it was written; see: python -m bento journal verify")
    return StoredDecision(**{name: row[name] for name in _STORED} | opened)


def _opened(vault: Vault, row: Row, name: str) -> bytes | None:
    if row[name] is None:
        return None
    _require_key(row, f"decision {row['id']}")
    return vault.open(row[name], row["wrapped_key"], row["client"], f"{row['id']} {name}")


def _review(vault: Vault, keys: JournalKeys, row: Row, covering: Sequence[Any]) -> StoredReview:
    is_purged = row["purged_at"] is not None
    content: dict[str, Any] = {"reason": None, "reviewer": None}
    if row["content"] is not None:
        _require_key(row, f"review {row['id']}")
        text = vault.open(row["content"], row["wrapped_key"], row["data_key"] or "", f"{row['id']} content")
        content = json.loads(text)
    lacks_content = row["content"] is None and not is_purged
    if lacks_content or chain.is_altered(keys, chain.REVIEW, row, covering, purged=is_purged):
        raise AlteredError(f"review {row['id']} is not as it was written; see: python -m bento journal verify")
    return StoredReview(**{name: row[name] for name in PLAIN_OF_REVIEWS}, **content)


def _require_key(row: Row, what: str) -> None:
    if row["data_key"] is not None and row["wrapped_key"] is None:
        raise VaultError(f"{what} cannot be decrypted: this database does not hold the key of its client")


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
