"""Group commit: the entries of many requests go into the journal in one transaction, and one wait for the disk."""

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

from prometheus_client import Histogram

from bento.journal.entries import Entry, JournalUnavailableError, StoredDecision
from bento.journal.store import Journal
from bento.journal.vault import VaultError

MAX_DECISIONS_PER_COMMIT = 500
"""Entries in one transaction."""
MAX_WAITING_DECISIONS = 2000
"""Writes that may wait for their turn: beyond, the database is too slow for what is asked of it."""
CLOSE_TIMEOUT_S = 5.0
"""Seconds to write what is waiting at the end."""

JOURNAL_LATENCY = Histogram(
    "credit_journal_seconds",
    "From handing a decision to the journal to its being durably written",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)
Answer = Future[list[StoredDecision | None]]


class Writer:
    """Writes what is submitted, in a thread of its own, as `Journal.write` does; whoever submits waits for the future.

    What nobody waits for any longer (a cancelled future) is not written.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.failed_at: float | None = None
        """When the last write failed (`time.monotonic`), None once one has succeeded."""
        self._waiting: queue.Queue[tuple[Sequence[Entry], Answer, float] | None] = queue.Queue(MAX_WAITING_DECISIONS)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, entries: Sequence[Entry]) -> Answer:
        """Have entries written; the future holds what `Journal.write` returns, or JournalUnavailableError."""
        answer: Answer = Future()
        try:
            self._waiting.put_nowait((entries, answer, time.monotonic()))
        except queue.Full:
            answer.set_exception(JournalUnavailableError("too many decisions wait for the journal"))
        return answer

    def close(self) -> None:
        """Write what is waiting, then end; where the database is frozen, nobody waits for it any longer."""
        self._waiting.put(None)
        self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        ended = False
        while not ended:
            group, ended = self._next_group()
            if group:
                self._write(group)

    def _next_group(self) -> tuple[list[tuple[Sequence[Entry], Answer, float]], bool]:
        """All that waits by now, at least one; and whether the end was asked for."""
        group = []
        count, item = 0, self._waiting.get()
        while item is not None:
            if item[1].set_running_or_notify_cancel():
                group.append(item)
                count += len(item[0])
            if count >= MAX_DECISIONS_PER_COMMIT:
                return group, False
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _write(self, group: list[tuple[Sequence[Entry], Answer, float]]) -> None:
        try:
            written = self.journal.write([entry for entries, _, _ in group for entry in entries])
        except VaultError as error:
            if len(group) == 1:
                group[0][1].set_exception(error)
            else:  # whose entry it is must not take the others along
                for one in group:
                    self._write([one])
            return
        except Exception as error:
            self.failed_at = time.monotonic()
            for _, answer, _ in group:
                answer.set_exception(error)
            return
        self.failed_at = None
        start = 0
        for entries, answer, since in group:
            JOURNAL_LATENCY.observe(time.monotonic() - since)
            answer.set_result(written[start : start + len(entries)])
            start += len(entries)
