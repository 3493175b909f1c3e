"""Write decisions to the journal before they are answered: one that is not durably written is not answered."""

import asyncio
import concurrent.futures
import hashlib
import logging
from collections.abc import Sequence

from bento.api.problems import Problem, ProblemError, problem, unreadable
from bento.api.schemas import Prediction
from bento.journal.entries import Entry, JournalUnavailableError, OutcomeUnknownError, StoredDecision
from bento.journal.vault import AlteredError, VaultError
from bento.journal.writer import WriteFuture, Writer
from bento.model.fingerprint import code_fingerprint
from bento.rules.rulebook import Rulebook
from bento.scoring.score import ScoredApplication
from bento.settings import LIMITS

log = logging.getLogger("bentoml.credit_scoring")

NOT_WRITTEN = "the journal cannot be written at present, so nothing was decided; try again later"
NOT_KNOWN = (
    "the journal did not answer in time, so it is not known whether this was decided; ask again with the same "
    "Idempotency-Key"
)
OTHER_BODY = "this Idempotency-Key was used with another body; take a new key for a new request"
PURGED = "the decision under this Idempotency-Key has been purged; take a new key to decide anew"


def entry_of(
    prediction: Prediction,
    scored: ScoredApplication,
    credit_file: bytes,
    key_id: str,
    idempotency_key: str | None,
    model_tag: str,
    bento: str,
    rulebook: Rulebook,
) -> Entry:
    """Return the journal's entry of a decision; `credit_file` is JSON as it was sent."""
    assert prediction.decision_id is not None  # noqa: S101 - only decisions are journalled
    idempotency_hash = (
        None if idempotency_key is None else hashlib.sha256(f"{key_id}\n{idempotency_key}".encode()).hexdigest()
    )
    return Entry(
        id=prediction.decision_id,
        client=prediction.SK_ID_CURR,
        credit_file=credit_file,
        credit_file_hash=hashlib.sha256(credit_file).hexdigest(),
        answer=prediction.model_dump_json().encode(),
        decided_at=prediction.decided_at,
        key_id=key_id,
        idempotency_hash=idempotency_hash,
        features_hash=scored.features_hash,
        decision=prediction.decision,
        threshold=prediction.threshold,
        probability=prediction.probability_of_default,
        model_name=prediction.model.name,
        model_version=prediction.model.version,
        model_tag=model_tag,
        bento=bento,
        code=code_fingerprint(),
        rules=rulebook.version,
        rulebook=rulebook,
    )


class Recorder:
    """Has decisions written, and returns for each the answer that the journal now holds.

    That is the entry's own, or that of the earlier decision under the same Idempotency-Key.
    """

    def __init__(self, writer: Writer, timeout_s: float = LIMITS.journal_timeout_s) -> None:
        self.writer, self.timeout_s = writer, timeout_s

    async def record(self, entries: Sequence[Entry]) -> list[bytes | Problem]:
        """Have decisions written, and wait in the event loop.

        Raises:
            ProblemError: 503 where nothing is written, nor will be; 504 where that is not known.
        """
        # The event loop first scores the other requests of this turn: their entries are then handed over together, and
        # a transaction of four takes a third of the processor time of four transactions.
        await asyncio.sleep(0)
        writing = self.writer.submit(entries)
        waiting = asyncio.wrap_future(writing)
        # An error that comes too late is in the log by then; asyncio would report it once more, with its traceback.
        waiting.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        try:
            await asyncio.wait({waiting}, timeout=self.timeout_s)
        except asyncio.CancelledError:  # the request was given up
            writing.cancel()
            raise
        return _results(entries, writing)

    def record_and_wait(self, entries: Sequence[Entry]) -> list[bytes | Problem]:
        """Have decisions written, and block the calling thread; errors as `record`."""
        writing = self.writer.submit(entries)
        concurrent.futures.wait({writing}, self.timeout_s)
        return _results(entries, writing)


def _results(entries: Sequence[Entry], writing: WriteFuture) -> list[bytes | Problem]:
    """Return the results of a write; one that has not begun by now is called back."""
    if writing.cancel():
        log.error("the journal was not written: not in time")
        raise ProblemError(problem(503, NOT_WRITTEN))
    if not writing.done():  # it has begun, and may be committed yet
        log.error("it is not known whether the journal was written: not in time")
        raise ProblemError(problem(504, NOT_KNOWN))
    try:
        return _idempotent_results(entries, writing.result())
    except OutcomeUnknownError as error:
        log.error("it is not known whether the journal was written: %s", error)
        raise ProblemError(problem(504, NOT_KNOWN)) from error
    except JournalUnavailableError as error:
        log.error("the journal was not written: %s", error)
        raise ProblemError(problem(503, NOT_WRITTEN)) from error
    except VaultError as error:
        log.error("the journal was not written: %s", error)
        raise ProblemError(unreadable(is_altered=isinstance(error, AlteredError))) from error


def _idempotent_results(entries: Sequence[Entry], existing: Sequence[StoredDecision | None]) -> list[bytes | Problem]:
    return [_idempotent_result(entry, decision) for entry, decision in zip(entries, existing, strict=True)]


def _idempotent_result(entry: Entry, existing: StoredDecision | None) -> bytes | Problem:
    """Return the answer under an Idempotency-Key, or why there is none; `existing` is the decision that has the key."""
    if existing is None:
        return entry.answer
    if existing.credit_file_hash != entry.credit_file_hash:
        return problem(409, OTHER_BODY)
    return problem(409, PURGED) if existing.answer is None else existing.answer
