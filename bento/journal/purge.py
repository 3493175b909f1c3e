"""Purge: destroy what concerns persons in old decisions, and the keys that no decision needs any more."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from bento.journal.chain import PURGE
from bento.journal.entries import JournalUnavailableError
from bento.journal.schema import CLIENT_KEYS, CONTESTS, DECISIONS, PERSONAL, REVIEWS
from bento.journal.seal import stretches
from bento.journal.store import Journal
from bento.settings import LIMITS


def purge(
    journal: Journal, before: datetime, now: datetime, batch_size: int = LIMITS.max_purged_per_transaction
) -> tuple[int, int]:
    """Empty the personal columns of all decisions before a moment, and destroy the keys that are no longer needed.

    A client's key is destroyed once no later decision needs it: then every copy is unreadable that does not hold the
    key. Backups of `python -m bento journal backup` hold none; copies of the whole database hold those of their time.

    Returns:
        The numbers of decisions emptied and of keys destroyed, `batch_size` in one transaction.

    Raises:
        JournalUnavailableError: it is not certain that everything is purged; purge again.
    """
    emptied = sum(_empty(journal, ids, now) for ids in _old(journal, before, batch_size))
    destroyed = sum(_destroy(journal, clients) for clients in _unneeded(journal, batch_size))
    if journal.engine.dialect.name == "sqlite":
        _clear_log(journal)
    return emptied, destroyed


def _clear_log(journal: Journal) -> None:
    """Remove the copies of emptied rows in the write-ahead log; writers wait for that, so it may not take long."""
    with journal.reader() as connection:
        patience = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * min(journal.timeout_s, LIMITS.statement_timeout_s)}")
        busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience}")
    if busy:
        raise JournalUnavailableError(f"{journal.address}: copies of what was purged are in use; purge again")


def _old(journal: Journal, before: datetime, size: int) -> Iterator[Sequence[str]]:
    """Yield the ids of old decisions, `size` at a time, each query from where the one before ended."""
    after: tuple[datetime, str] | None = None
    order = sa.tuple_(DECISIONS.c.decided_at, DECISIONS.c.id)
    while True:
        # Those that are purged are read too: a query that left them out would pass over all of them at once.
        query = sa.select(DECISIONS.c.decided_at, DECISIONS.c.id, DECISIONS.c.purged_at)
        query = query.where(DECISIONS.c.decided_at < before)
        if after is not None:
            # The first condition is implied by the second; with it the index on `decided_at` is used.
            query = query.where(DECISIONS.c.decided_at >= after[0], order > sa.tuple_(*after, types=_ORDER_TYPES))
        with journal.reader() as connection:
            rows = connection.execute(query.order_by(DECISIONS.c.decided_at, DECISIONS.c.id).limit(size)).all()
        if not rows:
            return
        if ids := [row.id for row in rows if row.purged_at is None]:
            yield ids
            journal.pause()
        after = rows[-1].decided_at, rows[-1].id


def _unneeded(journal: Journal, size: int) -> Iterator[Sequence[str]]:
    column = CLIENT_KEYS.c.client
    for stretch in stretches(journal, column, size):
        query = sa.select(column).where(column > stretch.after, column <= stretch.last, ~_IS_NEEDED)
        with journal.reader() as connection:
            clients = connection.execute(query).scalars().all()
        if clients:
            yield clients
            journal.pause()


def _empty(journal: Journal, ids: Sequence[str], now: datetime) -> int:
    with journal.appending() as connection:
        emptied = connection.execute(
            sa.update(DECISIONS)
            .where(DECISIONS.c.id.in_(ids), DECISIONS.c.purged_at.is_(None))
            .values(purged_at=now, **dict.fromkeys(PERSONAL))
            .returning(DECISIONS.c.id)
        ).scalars()
        purged = [{"id": decision_id, "purged_at": now} for decision_id in emptied]
        for table in (REVIEWS, CONTESTS):
            connection.execute(sa.update(table).where(table.c.decision_id.in_(ids)).values(content=None))
        journal.append(connection, PURGE, purged)
    return len(purged)


def _destroy(journal: Journal, clients: Sequence[str]) -> int:
    unneeded = CLIENT_KEYS.c.client.in_(clients), ~_IS_NEEDED
    with journal.transaction() as connection:
        # Waits for a writer that is using one of the keys at this moment, so that the delete sees its decision.
        lock = sa.select(CLIENT_KEYS.c.client).where(*unneeded).order_by(CLIENT_KEYS.c.client)
        connection.execute(lock.with_for_update(of=CLIENT_KEYS))
        return connection.execute(sa.delete(CLIENT_KEYS).where(*unneeded)).rowcount


_ORDER_TYPES = (DECISIONS.c.decided_at.type, DECISIONS.c.id.type)
_IS_NEEDED = sa.exists().where(DECISIONS.c.data_key == CLIENT_KEYS.c.client)
