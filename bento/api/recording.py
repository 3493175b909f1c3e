"""Between a decision and its answer: the journal. What is not durably written is not given."""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import Future

from bento.api.problems import Problem, ProblemError, problem
from bento.api.schemas import Prediction
from bento.journal.entries import Entry, JournalUnavailableError, StoredDecision
from bento.journal.writer import Writer
from bento.model.fingerprint import code_fingerprint
from bento.scoring.score import ScoredApplication

log = logging.getLogger("bentoml.credit_scoring")

JOURNAL_TIMEOUT_S = 3.0
"""Seconds for the journal to write."""
NOT_WRITTEN = "the journal cannot be written at present, so nothing was decided; try again later"
OTHER_BODY = "this Idempotency-Key was used with another body; take a new key for a new request"
PURGED = "the decision under this Idempotency-Key has been purged; take a new key to decide anew"


def entry_of(
    answer: Prediction,
    scored: ScoredApplication,
    credit_file: bytes,
    key_id: str,
    idempotency_key: str | None,
    model_tag: str,
    bento: str,
) -> Entry:
    """The journal's entry of an answer; `credit_file` as it was sent."""
    assert answer.decision_id is not None  # noqa: S101 - only decisions are journalled
    owned = None if idempotency_key is None else hashlib.sha256(f"{key_id}\n{idempotency_key}".encode()).hexdigest()
    return Entry(
        id=answer.decision_id,
        client=answer.SK_ID_CURR,
        credit_file=credit_file,
        credit_file_hash=hashlib.sha256(credit_file).hexdigest(),
        answer=answer.model_dump_json().encode(),
        decided_at=answer.decided_at,
        key_id=key_id,
        idempotency_hash=owned,
        features_hash=scored.features_hash,
        decision=answer.decision,
        threshold=answer.threshold,
        probability=answer.probability_of_default,
        model_name=answer.model.name,
        model_version=answer.model.version,
        model_tag=model_tag,
        bento=bento,
        code=code_fingerprint(),
    )


async def record(writer: Writer, entries: Sequence[Entry]) -> list[bytes | Problem]:
    """Have decisions written, and give for each the answer that the journal now holds.

    That is the entry's own, or that of the earlier decision under the same Idempotency-Key.

    Raises:
        ProblemError: the journal did not write in time, or cannot.
    """
    writing = writer.submit(entries)
    try:
        rivals = await asyncio.wait_for(asyncio.wrap_future(writing), JOURNAL_TIMEOUT_S)
    except (JournalUnavailableError, TimeoutError) as error:
        raise _not_written(error) from error
    return [_given(entry, rival) for entry, rival in zip(entries, rivals, strict=True)]


def record_waiting(writer: Writer, entries: Sequence[Entry]) -> list[bytes | Problem]:
    """The same for a thread that may wait."""
    writing: Future[list[StoredDecision | None]] = writer.submit(entries)
    try:
        rivals = writing.result(JOURNAL_TIMEOUT_S)
    except (JournalUnavailableError, TimeoutError) as error:
        writing.cancel()
        raise _not_written(error) from error
    return [_given(entry, rival) for entry, rival in zip(entries, rivals, strict=True)]


def _not_written(error: Exception) -> ProblemError:
    log.error("the journal was not written: %s", str(error) or "not in time")
    return ProblemError(problem(503, NOT_WRITTEN))


def _given(entry: Entry, rival: StoredDecision | None) -> bytes | Problem:
    if rival is None:
        return entry.answer
    if rival.credit_file_hash != entry.credit_file_hash:
        return problem(409, OTHER_BODY)
    return problem(409, PURGED) if rival.answer is None else rival.answer
