"""Group commit: write the entries of many requests in one transaction, with one flush of the disk."""

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple

from prometheus_client import Histogram

from bento.journal.causes import Cause
from bento.journal.entries import Entry, JournalUnavailableError, StoredDecision
from bento.journal.store import Journal
from bento.journal.vault import VaultError
from bento.settings import LIMITS

WriteFuture = Future[list[StoredDecision | None]]
"""The result of `Journal.write` for the entries of one request."""


class _Write(NamedTuple):
    entries: Sequence[Entry]
    future: WriteFuture
    submitted_at: float


JOURNAL_LATENCY = Histogram(
    "credit_journal_seconds",
    "From handing a decision to the journal to its being durably written",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)


class Writer:
    """Writes the entries of many requests with `Journal.write`, in one thread; each request waits for its future.

    Entries whose future was cancelled before their transaction are not written. A transaction is closed at
    `max_decisions_per_commit` entries; writes beyond `max_waiting` fail at once.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        max_decisions_per_commit: int = LIMITS.max_decisions_per_commit,
        max_waiting: int = LIMITS.max_waiting_writes,
        close_timeout_s: float = LIMITS.close_timeout_s,
    ) -> None:
        self.journal = journal
        self.failed_at: float | None = None
        """When the last write failed (`time.monotonic`), None if it succeeded."""
        self.cause: Cause = "other"
        """Why it failed."""
        self._max_decisions_per_commit = max_decisions_per_commit
        self._close_timeout_s = close_timeout_s
        self._waiting: queue.Queue[_Write | None] = queue.Queue(max_waiting)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, entries: Sequence[Entry]) -> WriteFuture:
        """Queue entries; the future returns what `Journal.write` does, or raises JournalUnavailableError."""
        future: WriteFuture = Future()
        try:
            self._waiting.put_nowait(_Write(entries, future, time.monotonic()))
        except queue.Full:
            future.set_exception(JournalUnavailableError("too many decisions wait for the journal", "locked"))
        return future

    def close(self) -> None:
        """Write what is waiting, then end the thread; wait `close_timeout_s` at most, as the database may be frozen."""
        self._waiting.put(None)
        self._thread.join(self._close_timeout_s)

    def _run(self) -> None:
        closed = False
        while not closed:
            group, closed = self._next_group()
            if group:
                self._write(group)

    def _next_group(self) -> tuple[list[_Write], bool]:
        """Wait for a write; return it with all others that wait by then, and whether the writer was closed."""
        group: list[_Write] = []
        count, item = 0, self._waiting.get()
        while item is not None:
            if item.future.set_running_or_notify_cancel():
                group.append(item)
                count += len(item.entries)
            if count >= self._max_decisions_per_commit:
                return group, False
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _write(self, group: list[_Write]) -> None:
        try:
            written = self.journal.write([entry for item in group for entry in item.entries])
        except VaultError as error:
            if len(group) == 1:
                group[0].future.set_exception(error)
            else:  # only the write with the entry that cannot be encrypted must fail
                for item in group:
                    self._write([item])
            return
        except Exception as error:
            self.failed_at = time.monotonic()
            self.cause = error.cause if isinstance(error, JournalUnavailableError) else "other"
            for item in group:
                item.future.set_exception(error)
            return
        self.failed_at = None
        start = 0
        for item in group:
            JOURNAL_LATENCY.observe(time.monotonic() - item.submitted_at)
            item.future.set_result(written[start : start + len(item.entries)])
            start += len(item.entries)
