import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bento.api import recording
from bento.api.problems import ALTERED, Problem, ProblemError
from bento.api.recording import Recorder, entry_of
from bento.api.schemas import Prediction
from bento.journal.entries import Entry, JournalUnavailableError, OutcomeUnknownError
from bento.journal.purge import purge
from bento.journal.store import Journal
from bento.journal.writer import Writer
from bento.model.fingerprint import code_fingerprint
from bento.model.manifest import ModelVersion
from bento.policy import Decision, ExpectedCost
from bento.rules.rulebook import Rulebook
from bento.scoring.score import ScoredApplication
from tests.support.journals import CLIENT, NOW, SECONDS, another, entry, execute, locked, opened, rows, wait_for

RULEBOOK = Rulebook.read()
Record = Callable[[Writer, list[Entry]], list[bytes | Problem]]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with opened(f"sqlite:///{tmp_path}/journal.db") as made:
        yield made


@pytest.fixture
def writer(journal: Journal) -> Iterator[Writer]:
    made = Writer(journal)
    yield made
    made.close()


def _recorded(recorder: Recorder, way: str, entries: list[Entry]) -> list[bytes | Problem]:
    return recorder.record_and_wait(entries) if way == "in a thread" else asyncio.run(recorder.record(entries))


@pytest.fixture(params=["in the loop", "in a thread"])
def way(request: pytest.FixtureRequest) -> str:
    """Both ways to record."""
    return str(request.param)


@pytest.fixture
def recorded(way: str) -> Record:
    return lambda writer, entries: _recorded(Recorder(writer), way, entries)


def test_a_written_decision_is_answered_unchanged(recorded: Record, writer: Writer, journal: Journal):
    entries = [entry(answer=f"{number}".encode()) for number in range(3)]
    answers = recorded(writer, entries)
    assert all(answer is decided.answer for answer, decided in zip(answers, entries, strict=True))
    assert sorted(journal.ids()) == sorted(decided.id for decided in entries)


def test_the_same_request_gets_the_same_answer_again(recorded: Record, writer: Writer, journal: Journal):
    first, again = (entry(idempotency_hash="i" * 64, answer=word) for word in (b"first", b"again"))
    assert recorded(writer, [first]) == [b"first"]
    assert recorded(writer, [again]) == [b"first"]
    assert journal.ids() == [first.id]


def test_another_body_under_an_idempotency_key_is_a_conflict(recorded: Record, writer: Writer, journal: Journal):
    recorded(writer, [entry(idempotency_hash="i" * 64)])
    conflict, own = recorded(writer, [entry(idempotency_hash="i" * 64, credit_file_hash="d" * 64), entry()])
    assert isinstance(conflict, Problem)
    assert (conflict.status, conflict.detail) == (409, recording.OTHER_BODY)
    assert own == entry().answer
    assert len(journal.ids()) == 2


def test_a_purged_decision_is_a_conflict_under_its_idempotency_key(recorded: Record, writer: Writer, journal: Journal):
    recorded(writer, [entry(idempotency_hash="i" * 64)])
    purge(journal, NOW + timedelta(days=1), NOW)
    (purged,) = recorded(writer, [entry(idempotency_hash="i" * 64)])
    assert isinstance(purged, Problem)
    assert (purged.status, purged.detail) == (409, recording.PURGED)


def test_a_journal_that_takes_too_long_is_a_503_and_writes_nothing_later(
    way: str, writer: Writer, journal: Journal, caplog: pytest.LogCaptureFixture
):
    with another(journal) as other, locked(other):
        first = writer.submit([kept := entry()])
        wait_for(first.running)
        began = time.monotonic()
        with pytest.raises(ProblemError) as caught:
            _recorded(Recorder(writer, timeout_s=0.1), way, [entry()])
        assert time.monotonic() - began < 1
    problem = caught.value.problem
    assert (problem.status, problem.detail) == (503, recording.NOT_WRITTEN)
    assert "the journal was not written: not in time" in caplog.text
    assert first.result(SECONDS) == [None]
    assert writer.submit([last := entry()]).result(SECONDS) == [None]
    assert sorted(journal.ids()) == sorted([kept.id, last.id])


def test_a_write_that_has_begun_in_time_but_not_ended_is_a_504(
    way: str, writer: Writer, journal: Journal, caplog: pytest.LogCaptureFixture
):
    with another(journal) as other, locked(other), pytest.raises(ProblemError) as caught:
        _recorded(Recorder(writer, timeout_s=0.2), way, [decided := entry()])
    problem = caught.value.problem
    assert (problem.status, problem.detail) == (504, recording.NOT_KNOWN)
    assert "it is not known whether the journal was written: not in time" in caplog.text
    assert writer.submit([entry()]).result(SECONDS) == [None]
    assert decided.id in journal.ids()  # so that "nothing was decided" would have been untrue


def test_a_lost_commit_is_a_504(recorded: Record, writer: Writer, monkeypatch: pytest.MonkeyPatch):
    def fail(_: list[Entry]) -> None:
        raise OutcomeUnknownError("database: connection lost, while it was committed")

    monkeypatch.setattr(writer.journal, "write", fail)
    with pytest.raises(ProblemError) as caught:
        recorded(writer, [entry()])
    assert (caught.value.problem.status, caught.value.problem.detail) == (504, recording.NOT_KNOWN)


def test_an_altered_decision_under_an_idempotency_key_is_a_stated_problem(
    recorded: Record, writer: Writer, journal: Journal
):
    recorded(writer, [entry(idempotency_hash="i" * 64)])
    execute(journal, "DROP TRIGGER decisions_no_update", "UPDATE decisions SET threshold = 0.5")
    with pytest.raises(ProblemError) as caught:
        recorded(writer, [entry(idempotency_hash="i" * 64)])
    assert (caught.value.problem.status, caught.value.problem.type) == (500, ALTERED)
    assert len(journal.ids()) == 1


def test_a_journal_that_fails_is_a_503_with_its_reason_in_the_log(
    recorded: Record, writer: Writer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    caplog.set_level(logging.DEBUG)

    def fail(_: list[Entry]) -> None:
        raise JournalUnavailableError("database: disk is full")

    monkeypatch.setattr(writer.journal, "write", fail)
    with pytest.raises(ProblemError) as caught:
        recorded(writer, [entry()])
    problem = caught.value.problem
    assert (problem.status, problem.detail) == (503, recording.NOT_WRITTEN)
    assert "the journal was not written: database: disk is full" in caplog.text
    assert str(CLIENT) not in caplog.text


# Entries


@pytest.fixture
def answer() -> Prediction:
    return Prediction(
        decision_id="4f1d7f2e-0b7e-4c6e-8a53-1f0e2a9d6b10",
        purpose="decision",
        decided_at=NOW,
        SK_ID_CURR=CLIENT,
        probability_of_default=0.25,
        score_points=500,
        decision=Decision.REFUSED,
        threshold=0.09,
        review_band=None,
        expected_cost=ExpectedCost(if_granted=2.5, if_refused=0.75),
        rules=[],
        rules_version=RULEBOOK.version,
        reasons=None,
        model=ModelVersion(name="credit_scoring", version="3"),
        warnings=[],
    )


@pytest.fixture
def scored() -> ScoredApplication:
    return ScoredApplication(
        log_odds=-1.1,
        probability=0.25,
        decision=Decision.REFUSED,
        rules=[],
        features_hash="f" * 64,
        null_share=0.5,
        reasons=None,
    )


def test_an_entry_holds_request_decision_and_answer(answer: Prediction, scored: ScoredApplication, journal: Journal):
    sent = b'{"application": {"SK_ID_CURR": 471100299}}'
    made = entry_of(answer, scored, sent, "a1b2c3d4", None, "credit_scoring:abc", "credit_scoring:def", RULEBOOK)
    assert journal.write([made]) == [None]
    stored = journal.find(str(answer.decision_id))
    assert stored is not None
    assert stored.credit_file == sent
    assert stored.credit_file_hash == hashlib.sha256(sent).hexdigest()
    assert Prediction.model_validate_json(stored.answer or b"") == answer
    assert (stored.decided_at, stored.decision, stored.threshold, stored.probability) == (NOW, "refused", 0.09, 0.25)
    assert (stored.model_name, stored.model_version, stored.key_id) == ("credit_scoring", "3", "a1b2c3d4")
    assert (stored.model_tag, stored.bento, stored.code) == (
        "credit_scoring:abc",
        "credit_scoring:def",
        code_fingerprint(),
    )
    assert stored.features_hash == "f" * 64
    assert journal.rulebook(stored.rules) == RULEBOOK
    assert rows(journal)[0]["idempotency_hash"] is None


def test_an_idempotency_key_is_stored_as_a_hash_with_the_api_key(answer: Prediction, scored: ScoredApplication):
    def hash_of(key_id: str, idempotency_key: str) -> str | None:
        return entry_of(answer, scored, b"{}", key_id, idempotency_key, "a:b", "c:d", RULEBOOK).idempotency_hash

    hashes = {hash_of(key_id, key) for key_id in ("a1b2c3d4", "e5f6a7b8") for key in ("loan-1", "loan-2")}
    assert len(hashes) == 4
    assert hash_of("a1b2c3d4", "loan-1") in hashes
    assert all(len(text or "") == 64 and "loan" not in (text or "") for text in hashes)


def test_a_simulation_has_no_entry(answer: Prediction, scored: ScoredApplication):
    answer.decision_id = None
    with pytest.raises(AssertionError):
        entry_of(answer, scored, b"{}", "a1b2c3d4", None, "a:b", "c:d", RULEBOOK)


def test_decisions_of_one_turn_of_the_event_loop_are_committed_together(writer: Writer, journal: Journal):
    commits: list[None] = []
    sa.event.listen(journal.engine, "commit", lambda _: commits.append(None))
    recorder, entries = Recorder(writer), [entry() for _ in range(4)]

    async def decide(decided: Entry) -> list[bytes | Problem]:
        hashlib.pbkdf2_hmac("sha256", b"", b"", 300_000)  # as scoring does, it lets the thread of the journal run
        return await recorder.record([decided])

    async def decide_all() -> None:
        await asyncio.gather(*map(decide, entries))

    asyncio.run(decide_all())

    assert sorted(journal.ids()) == sorted(decided.id for decided in entries)
    assert len(commits) == 1
