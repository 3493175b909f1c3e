"""Take entries into the chain that were written without it, or without its key."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from bento.journal import chain
from bento.journal.schema import CHAIN, CONTESTS, DECISIONS, REVIEWS
from bento.journal.store import Journal
from bento.settings import LIMITS

_ENTRIES: tuple[tuple[str, sa.Table, sa.ColumnElement[bool]], ...] = (
    (chain.DECISION, DECISIONS, sa.true()),
    (chain.REVIEW, REVIEWS, sa.true()),
    (chain.CONTEST, CONTESTS, sa.true()),
    (chain.PURGE, DECISIONS, DECISIONS.c.purged_at.is_not(None)),
)


class Stretch(NamedTuple):
    """Neighbouring ids of a table, in alphabetical order: those after `after`, up to and including `last`."""

    after: str
    last: str


def stretches(journal: Journal, column: sa.Column[Any], size: int) -> Iterator[Stretch]:
    """Divide a table by its primary key, `size` rows at a time: one query over all rows could take many minutes."""
    after = ""
    while True:
        page = sa.select(column).where(column > after).order_by(column).limit(size).subquery()
        with journal.reader() as connection:
            last = connection.execute(sa.select(sa.func.max(page.c[column.name]))).scalar()
        if last is None:
            return
        yield Stretch(after, last)
        after = last


def tables() -> Iterator[tuple[str, sa.Column[Any]]]:
    """Yield each kind of entry with the primary key of its table."""
    for kind, table, _ in _ENTRIES:
        yield kind, table.c.id


def outside(kind: str, stretch: Stretch, *, keyed: bool) -> sa.Select[tuple[object, ...]]:
    """Return the query of the rows of one kind, in a stretch of ids, that the chain does not cover."""
    _, table, condition = next(entries for entries in _ENTRIES if entries[0] == kind)
    covered = sa.exists().where(CHAIN.c.entry == table.c.id, CHAIN.c.kind == kind, CHAIN.c.keyed == keyed)
    query = sa.select(table).where(table.c.id > stretch.after, table.c.id <= stretch.last, condition, ~covered)
    return query.order_by(table.c.id)


def seal(journal: Journal, size: int = LIMITS.max_purged_per_transaction) -> int:
    """Take all entries into the chain that it does not cover, as they are now, `size` in one transaction at most.

    Returns:
        How many there were.

    Raises:
        JournalUnavailableError: it is not certain that all were taken; seal again.
    """
    total, keyed = 0, journal.vault.encrypts
    for kind, column in tables():
        for stretch in stretches(journal, column, size):
            with journal.reader() as connection:
                if connection.execute(outside(kind, stretch, keyed=keyed).limit(1)).first() is None:
                    continue  # nothing to write: the lock is left to the service
            with journal.appending() as connection:
                rows = connection.execute(outside(kind, stretch, keyed=keyed)).mappings().all()
                journal.append(connection, kind, rows)
            total += len(rows)
            journal.pause()
    return total
