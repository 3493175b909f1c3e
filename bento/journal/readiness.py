"""Whether the journal can be read and written at present."""

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from bento.journal.causes import Cause
from bento.journal.entries import JournalUnavailableError
from bento.journal.schema import CHAIN, CLIENT_KEYS, CONTESTS, DECISIONS, JOURNAL_KEYS, REVIEWS, RULEBOOKS
from bento.journal.store import Journal
from bento.settings import LIMITS

log = logging.getLogger("bentoml.credit_scoring")

_LOCKED = (CLIENT_KEYS, JOURNAL_KEYS, RULEBOOKS, REVIEWS, CONTESTS, CHAIN)
_CACHED_PAGES = 10
"""Pages that SQLite keeps during the probe: further ones are written at once, and a full disk shows before a commit."""
_PROBE_BYTES = 2**18
"""Bytes that the probe writes to SQLite's write-ahead log: with less room than that, decisions fail soon."""
_GRACE_S = 0.5
"""Seconds after the time limit of a statement in which the database still says what it waited for."""
_TEXTS = {column.name: "probe" for column in DECISIONS.c if isinstance(column.type, sa.String) and not column.nullable}
_ROW_OF_PROBE = _TEXTS | {"decided_at": datetime(2000, 1, 1, tzinfo=UTC), "threshold": 0.0}
"""A decision that is never committed."""


class Readiness:
    """Tells whether decisions can be written: by the last write, or else by a write that is rolled back.

    The database is asked at most once in `interval_s` for a write, and each time whether it answers.
    """

    def __init__(self, journal: Journal, interval_s: float = LIMITS.write_probe_interval_s) -> None:
        self._journal, self._interval_s = journal, interval_s
        self._probed_at: float | None = None
        self._fault: JournalUnavailableError | None = None
        self._reported: Cause | None = None
        self._probing = threading.Lock()

    def fault(self) -> JournalUnavailableError | None:
        """Return why nothing can be written, None where it can; a change of its cause is logged.

        Also names the last entry in the log where that is due: after the last decision of a day no other one does.
        """
        self._journal.log_head()
        with self._probing:
            fault = self._in_time(lambda: answer(self._journal)) or self._write_fault()
            cause = None if fault is None else fault.cause
            if cause != self._reported:
                log.error("not ready: %s", fault) if fault else log.info("the journal can be written again")
            self._reported = cause
        return fault

    def _write_fault(self) -> JournalUnavailableError | None:
        now = time.monotonic()
        if self._journal.written_at is not None and now - self._journal.written_at < self._interval_s:
            self._probed_at = None
            return None
        if self._probed_at is None or now - self._probed_at >= self._interval_s:
            self._fault = self._in_time(lambda: probe(self._journal))
            self._probed_at = time.monotonic()
        return self._fault

    def _in_time(self, ask: Callable[[], None]) -> JournalUnavailableError | None:
        """Ask the database in a thread, as a frozen server never answers."""
        answers = queue.SimpleQueue[JournalUnavailableError | None]()

        def run() -> None:
            try:
                ask()
            except JournalUnavailableError as error:
                answers.put(error)
            else:
                answers.put(None)

        threading.Thread(target=run, name="readiness", daemon=True).start()
        try:
            return answers.get(timeout=self._journal.timeout_s + _GRACE_S)
        except queue.Empty:
            return JournalUnavailableError(f"{self._journal.address} does not answer", "away")


def answer(journal: Journal) -> None:
    """Read from the database; raise JournalUnavailableError where it does not answer."""
    with journal.reader() as connection:
        connection.execute(sa.text("SELECT 1"))


def probe(journal: Journal) -> None:
    """Write to the database and roll back; raise JournalUnavailableError where that fails."""
    with journal.rolled_back() as connection:
        if connection.dialect.name == "postgresql":
            # The locks that the service takes, for which the same rights are needed.
            tables = ", ".join(table.name for table in _LOCKED)
            connection.execute(sa.text(f"LOCK TABLE {tables} IN ROW EXCLUSIVE MODE"))
            connection.execute(DECISIONS.insert(), _ROW_OF_PROBE | {"id": str(uuid.uuid4())})
            return
        pages = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
        connection.exec_driver_sql(f"PRAGMA cache_size = {_CACHED_PAGES}")
        try:
            connection.execute(
                DECISIONS.insert(), _ROW_OF_PROBE | {"id": str(uuid.uuid4()), "answer": bytes(_PROBE_BYTES)}
            )
        finally:
            connection.exec_driver_sql(f"PRAGMA cache_size = {pages}")
