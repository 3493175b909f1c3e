"""Purge: destroy what concerns persons in old decisions, and the keys that no decision needs any more."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from bento.journal.entries import JournalUnavailableError
from bento.journal.schema import CLIENT_KEYS, DECISIONS, PERSONAL, REVIEWS
from bento.journal.store import Journal
from bento.settings import LIMITS


def purge(
    journal: Journal, before: datetime, now: datetime, batch_size: int = LIMITS.max_purged_per_transaction
) -> tuple[int, int]:
    """Empty the personal columns of all decisions before a moment, and destroy the keys that are no longer needed.

    A client's key is destroyed once no later decision needs it: then every copy, in backups too, is unreadable.

    Returns:
        The numbers of decisions emptied and of keys destroyed, `batch_size` in one transaction.

    Raises:
        JournalUnavailableError: it is not certain that everything is purged; purge again.
    """
    old = sa.select(DECISIONS.c.id).where(DECISIONS.c.decided_at < before, DECISIONS.c.purged_at.is_(None))
    emptied = sum(_empty(journal, ids, now) for ids in _batches(journal, old, batch_size))
    unneeded = sa.select(CLIENT_KEYS.c.client).where(~_IS_NEEDED)
    destroyed = sum(_destroy(journal, clients) for clients in _batches(journal, unneeded, batch_size))
    if journal.engine.dialect.name == "sqlite":
        with journal.reader() as connection:  # removes the copies of emptied rows in the write-ahead log
            busy = connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
        if busy:
            raise JournalUnavailableError(f"{journal.address}: copies of what was purged are in use; purge again")
    return emptied, destroyed


def _batches(journal: Journal, query: sa.Select[str], size: int) -> Iterator[Sequence[str]]:
    with journal.reader() as connection:
        names = connection.execute(query).scalars().all()
    for start in range(0, len(names), size):
        yield names[start : start + size]


def _empty(journal: Journal, ids: Sequence[str], now: datetime) -> int:
    with journal.transaction() as connection:
        emptied = connection.execute(
            sa.update(DECISIONS)
            .where(DECISIONS.c.id.in_(ids), DECISIONS.c.purged_at.is_(None))
            .values(purged_at=now, **dict.fromkeys(PERSONAL))
        ).rowcount
        connection.execute(sa.update(REVIEWS).where(REVIEWS.c.decision_id.in_(ids)).values(content=None))
    return emptied


def _destroy(journal: Journal, clients: Sequence[str]) -> int:
    unneeded = CLIENT_KEYS.c.client.in_(clients), ~_IS_NEEDED
    with journal.transaction() as connection:
        # Waits for a writer that is using one of the keys at this moment, so that the delete sees its decision.
        lock = sa.select(CLIENT_KEYS.c.client).where(*unneeded).order_by(CLIENT_KEYS.c.client)
        connection.execute(lock.with_for_update(of=CLIENT_KEYS))
        return connection.execute(sa.delete(CLIENT_KEYS).where(*unneeded)).rowcount


_IS_NEEDED = sa.exists().where(DECISIONS.c.data_key == CLIENT_KEYS.c.client)
