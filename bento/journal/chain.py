"""The chain of the journal: each entry gets a code (HMAC) that covers its columns and the code before it.

An entry that is altered no longer fits its code, one that is deleted leaves a gap, and one that is inserted without the
key has no code. Each process appends to a chain by itself, so that processes do not wait for each other. The key stays
with the journal, encrypted under the master key; without one the chain has no secret key: it then shows accidents, and
what was changed before a head that the log names.
"""

import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from bento.journal.schema import CHAIN, PERSONAL
from bento.journal.vault import JournalKeys

Row = Mapping[Any, Any]
"""A row of a table by the names of its columns."""
DECISION, REVIEW, CONTEST, PURGE = "decision", "review", "contest", "purge"
KEPT: dict[str, tuple[str, ...]] = {
    DECISION: tuple(
        "id decided_at key_id idempotency_hash credit_file_hash features_hash decision threshold model_name "
        "model_version model_tag bento code rules".split()
    ),
    REVIEW: ("id", "decision_id", "reviewed_at", "key_id", "verdict", "outcome"),
    CONTEST: ("id", "decision_id", "contested_at", "key_id"),
    PURGE: ("id", "purged_at"),
}
"""By kind of entry the columns that never change."""
EMPTIED: dict[str, tuple[str, ...]] = {DECISION: PERSONAL, REVIEW: ("content",), CONTEST: ("content",), PURGE: ()}
"""By kind of entry the columns that a purge empties."""
_UNKEYED = b"credit-scoring/journal/chain without a key"
_START = b""
"""Stands for the code before the first."""
_INSERT = CHAIN.insert()
_LAST = (
    sa.select(CHAIN.c.position, CHAIN.c.mac)
    .where(CHAIN.c.writer == sa.bindparam("appended_by"))
    .order_by(CHAIN.c.position.desc())
    .limit(1)
)


class Head(NamedTuple):
    """The last entry of a chain; -1 for one without entries."""

    writer: str
    position: int
    mac: bytes

    def __str__(self) -> str:
        return f"{self.writer} {self.position} {self.mac.hex()}"


class Link(NamedTuple):
    """An entry as the chain covers it: the codes of its columns."""

    kind: str
    entry: str
    kept: bytes
    personal: bytes | None


def link(keys: JournalKeys, kind: str, row: Row, *, keyed: bool = True) -> Link:
    """Return the codes of an entry, from the row of its table."""
    key = _key(keys, keyed=keyed)
    personal = _digest(key, row, EMPTIED[kind]) if EMPTIED[kind] else None
    return Link(kind, row["id"], _digest(key, row, KEPT[kind]), personal)


def code(keys: JournalKeys, head: Head, added: Link, *, keyed: bool = True) -> bytes:
    """Return the code of the entry after `head`."""
    parts = (head.mac, head.writer, str(head.position + 1), added.kind, added.entry, added.kept, added.personal)
    return _hmac(_key(keys, keyed=keyed), parts)


def append(connection: sa.Connection, keys: JournalKeys, writer: str, links: Iterable[Link]) -> Head:
    """Append entries to the chain of a writer, within the transaction that writes them.

    The head is read each time: the transaction before may have failed, or another file may have replaced the database.
    """
    keyed, rows = keys.chain is not None, []
    head = last(connection, writer)
    for added in links:
        mac = code(keys, head, added, keyed=keyed)
        head = Head(writer, head.position + 1, mac)
        rows.append({**head._asdict(), **added._asdict(), "keyed": keyed})
    if rows:
        connection.execute(_INSERT, rows)
    return head


def last(connection: sa.Connection, writer: str) -> Head:
    """Return the head of a writer's chain."""
    row = connection.execute(_LAST, {"appended_by": writer}).first()
    return Head(writer, -1, _START) if row is None else Head(writer, row.position, row.mac)


def covered(connection: sa.Connection, keys: JournalKeys, kind: str, entries: set[str]) -> set[str]:
    """Return those of some entries that the chain covers."""
    query = sa.select(CHAIN.c.entry).where(CHAIN.c.entry.in_(entries), CHAIN.c.kind == kind)
    return set(connection.execute(query.where(CHAIN.c.keyed == (keys.chain is not None))).scalars())


def altered(
    connection: sa.Connection, keys: JournalKeys, kind: str, rows: Sequence[Row], *, purged: Set[str]
) -> dict[str, bool | None]:
    """Return by id whether entries differ from what the chain covers; None for one that is not in the chain.

    `purged` holds the ids of those whose personal columns a purge has emptied.
    """
    keyed, covered = keys.chain is not None, defaultdict[str, list[Any]](list)
    query = sa.select(CHAIN.c.entry, CHAIN.c.kept, CHAIN.c.personal)
    query = query.where(CHAIN.c.entry.in_([row["id"] for row in rows]), CHAIN.c.kind == kind, CHAIN.c.keyed == keyed)
    for row in connection.execute(query):
        covered[row.entry].append(row)
    return {
        row["id"]: differs(link(keys, kind, row, keyed=keyed), covered[row["id"]], purged=row["id"] in purged)
        if row["id"] in covered
        else None
        for row in rows
    }


def differs(link: Link, covered: Sequence[Any], *, purged: bool) -> bool:
    """Whether the codes of an entry differ from those in rows of the chain."""
    return any(row.kept != link.kept or (not purged and row.personal != link.personal) for row in covered)


def _key(keys: JournalKeys, *, keyed: bool) -> bytes:
    return keys.chain if keyed and keys.chain is not None else _UNKEYED


def _digest(key: bytes, row: Row, columns: Sequence[str]) -> bytes:
    return _hmac(key, [part for name in columns for part in (name, row[name])])


def _hmac(key: bytes, parts: Iterable[Any]) -> bytes:
    """Return the HMAC-SHA256 of values, each with its type and length, so that no two lists have the same text."""
    texts = []
    for part in parts:
        text = _text(part)
        texts += [len(text).to_bytes(8, "big"), text]
    return hmac.digest(key, b"".join(texts), "sha256")


def _text(value: Any) -> bytes:
    match value:
        case None:
            return b"n"
        case bytes():
            return b"b" + value
        case datetime():
            return b"t" + value.astimezone(UTC).isoformat(timespec="microseconds").encode()
        case int() | float():
            return b"f" + float(value).hex().encode()
        case _:
            return b"s" + str(value).encode()
