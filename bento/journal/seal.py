"""Take entries into the chain that were written without it, or without its key."""

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


def outside(kind: str, *, keyed: bool, after: str = "", limit: int) -> sa.Select[tuple[object, ...]]:
    """Return the query of the rows of one kind that the chain does not cover, in alphabetical order of their ids."""
    _, table, condition = next(entries for entries in _ENTRIES if entries[0] == kind)
    covered = sa.exists().where(CHAIN.c.entry == table.c.id, CHAIN.c.kind == kind, CHAIN.c.keyed == keyed)
    return sa.select(table).where(table.c.id > after, condition, ~covered).order_by(table.c.id).limit(limit)


def seal(journal: Journal, size: int = LIMITS.max_purged_per_transaction) -> int:
    """Take all entries into the chain that it does not cover, as they are now, `size` in one transaction.

    Returns:
        How many there were.

    Raises:
        JournalUnavailableError: it is not certain that all were taken; seal again.
    """
    total = 0
    for kind, _, _ in _ENTRIES:
        after, count = "", size
        while count == size:
            with journal.appending() as connection:
                keyed = journal.writing_keys(connection).chain is not None
                query = outside(kind, keyed=keyed, after=after, limit=size)
                rows = connection.execute(query).mappings().all()
                journal.append(connection, kind, rows)
            count = len(rows)
            total += count
            after = rows[-1]["id"] if rows else after
            if count == size:
                journal.pause()
    return total
