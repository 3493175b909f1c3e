"""Verify the chain: name every entry that was altered, deleted or inserted since it was written."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bento.journal import chain
from bento.journal.chain import CONTEST, DECISION, PURGE, REVIEW, Head, Link
from bento.journal.schema import CHAIN, CONTESTS, DECISIONS, REVIEWS
from bento.journal.seal import Stretch, outside, stretches, tables
from bento.journal.store import Journal
from bento.journal.vault import JournalKeys
from bento.settings import LIMITS

_HEAD = re.compile(r"journal head ([0-9a-f-]{36}) (\d+) ([0-9a-f]{64})")


@dataclass
class Verified:
    """How much was verified, counted as the faults are read."""

    entries: int = 0
    chains: int = 0


def faults(
    journal: Journal, verified: Verified, logged: Iterable[Head] = (), size: int = LIMITS.max_purged_per_transaction
) -> Iterator[str]:
    """Yield each fault as a sentence; `logged` are heads that the log of the service names.

    Rows are read `size` at a time. What is appended meanwhile may be left out, and is no fault.

    Raises:
        JournalUnavailableError: the database does not answer.
    """
    with journal.reader() as connection:
        keys = journal.reading_keys(connection)
    writers = list(_writers(journal))
    for kind, column in tables():
        for stretch in stretches(journal, column, size):
            yield from _outside(journal, keys, kind, stretch)
    for writer in writers:
        verified.chains += 1
        for rows in _portions(journal, writer, size):
            verified.entries += len(rows)
            yield from _faults_of_rows(journal, keys, rows)
        yield from _gaps(journal, keys, writer, size)
    yield from _lost_heads(journal, logged)


def logged_heads(path: Path) -> list[Head]:
    """Return the heads that a log of the service names; raise OSError where it cannot be read."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        return [
            Head(match[1], int(match[2]), bytes.fromhex(match[3])) for line in lines if (match := _HEAD.search(line))
        ]


def _writers(journal: Journal) -> Iterator[str]:
    """Yield the names of all chains, each found by the index: a query of all distinct ones would read every entry."""
    after: str | None = ""
    while True:
        with journal.reader() as connection:
            after = connection.execute(sa.select(sa.func.min(CHAIN.c.writer)).where(CHAIN.c.writer > after)).scalar()
        if after is None:
            return
        yield after


def _outside(journal: Journal, keys: JournalKeys, kind: str, stretch: Stretch) -> Iterator[str]:
    with journal.reader() as connection:
        query = outside(kind, stretch, keyed=keys.chain is not None)
        ids = [row["id"] for row in connection.execute(query).mappings()]
    for entry in ids:
        if kind == PURGE:
            yield f"decision {entry} was emptied, but not by a purge of this journal"
        else:
            yield f"{kind} {entry} is not in the chain: forged, or written before there was one (journal seal)"


def _portions(journal: Journal, writer: str, size: int) -> Iterator[Sequence[Any]]:
    after = -1
    while True:
        query = sa.select(CHAIN).where(CHAIN.c.writer == writer, CHAIN.c.position > after)
        with journal.reader() as connection:
            rows = connection.execute(query.order_by(CHAIN.c.position).limit(size)).all()
        if not rows:
            return
        yield rows
        after = rows[-1].position


def _gaps(journal: Journal, keys: JournalKeys, writer: str, size: int) -> Iterator[str]:
    """Yield what is wrong with the rows of a chain themselves: each depends on the one before."""
    head = Head(writer, -1, b"")
    for rows in _portions(journal, writer, size):
        for row in rows:
            if row.position != head.position + 1:
                yield f"chain {writer}: entries {head.position + 1} to {row.position - 1} were deleted"
            else:
                added = Link(row.kind, row.entry, row.kept, row.personal)
                if chain.code(keys, head, added, keyed=row.keyed) != row.mac:
                    yield f"chain {writer}: entry {row.position} ({row.kind} {row.entry}) is forged or was altered"
            head = Head(writer, row.position, row.mac)


def _faults_of_rows(journal: Journal, keys: JournalKeys, rows: Sequence[Any]) -> Iterator[str]:
    """Yield the entries that are not as rows of the chain cover them."""
    names = {row.entry for row in rows}
    with journal.reader() as connection:
        decisions = _by_id(connection, sa.select(DECISIONS).where(DECISIONS.c.id.in_(names)))
        entries = {DECISION: decisions, PURGE: decisions}
        for kind, table in ((REVIEW, REVIEWS), (CONTEST, CONTESTS)):
            query = sa.select(table, DECISIONS.c.purged_at).outerjoin(DECISIONS, DECISIONS.c.id == table.c.decision_id)
            entries[kind] = _by_id(connection, query.where(table.c.id.in_(names)))
    for row in rows:
        stored = entries.get(row.kind, {}).get(row.entry)
        if stored is None:
            yield f"{DECISION if row.kind == PURGE else row.kind} {row.entry} was deleted"
        elif row.kind == PURGE and stored["purged_at"] is None:
            yield f"decision {row.entry}: its purge was undone"
        else:
            is_purged = stored["purged_at"] is not None
            link = chain.link(keys, row.kind, stored, keyed=row.keyed)
            if chain.differs(link, [row], purged=is_purged and row.kind != PURGE):
                yield f"{DECISION if row.kind == PURGE else row.kind} {row.entry} was altered"


def _by_id(connection: sa.Connection, query: sa.Select[Any]) -> dict[str, Mapping[str, Any]]:
    return {row["id"]: row for row in connection.execute(query).mappings()}  # type: ignore[misc]


def _lost_heads(journal: Journal, logged: Iterable[Head]) -> Iterator[str]:
    for head in logged:
        query = sa.select(CHAIN.c.mac).where(CHAIN.c.writer == head.writer, CHAIN.c.position == head.position)
        with journal.reader() as connection:
            mac = connection.execute(query).scalar()
        if mac is None:
            yield f"chain {head.writer}: entry {head.position}, which the log names, was deleted"
        elif mac != head.mac:
            yield f"chain {head.writer}: entry {head.position} is another than the log names"
