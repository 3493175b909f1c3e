"""Between decision and answer: what is given is what the journal holds."""

import asyncio
import hashlib
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bento.api import recording
from bento.api.problems import Problem, ProblemError
from bento.api.recording import entry_of, record, record_waiting
from bento.api.schemas import Prediction
from bento.journal.entries import Entry, JournalUnavailableError
from bento.journal.purge import purge
from bento.journal.store import Journal
from bento.journal.writer import Writer
from bento.model import fingerprint as code
from bento.model.fingerprint import code_fingerprint
from bento.model.manifest import ModelVersion
from bento.policy import Decision, ExpectedCost
from bento.scoring.score import ScoredApplication
from tests.support.journals import CLIENT, NOW, SECONDS, another, entry, locked, opened, rows, wait_for

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


@pytest.fixture(params=["in the loop", "in a thread"])
def recorded(request: pytest.FixtureRequest) -> Record:
    """Both ways to record."""
    if request.param == "in a thread":
        return record_waiting
    return lambda writer, entries: asyncio.run(record(writer, entries))


def test_what_is_written_is_given_as_it_stands(recorded: Record, writer: Writer, journal: Journal):
    entries = [entry(answer=f"{number}".encode()) for number in range(3)]
    given = recorded(writer, entries)
    assert all(answer is decided.answer for answer, decided in zip(given, entries, strict=True))
    assert sorted(journal.ids()) == sorted(decided.id for decided in entries)


def test_the_same_request_gets_the_same_answer_again(recorded: Record, writer: Writer, journal: Journal):
    first, again = (entry(idempotency_hash="i" * 64, answer=word) for word in (b"first", b"again"))
    assert recorded(writer, [first]) == [b"first"]
    assert recorded(writer, [again]) == [b"first"]
    assert journal.ids() == [first.id]


def test_another_body_under_the_same_idempotency_key_is_a_conflict(recorded: Record, writer: Writer, journal: Journal):
    recorded(writer, [entry(idempotency_hash="i" * 64)])
    conflict, own = recorded(writer, [entry(idempotency_hash="i" * 64, credit_file_hash="d" * 64), entry()])
    assert isinstance(conflict, Problem)
    assert (conflict.status, conflict.detail) == (409, recording.OTHER_BODY)
    assert own == entry().answer
    assert len(journal.ids()) == 2


def test_a_purged_decision_is_not_decided_anew_under_its_idempotency_key(
    recorded: Record, writer: Writer, journal: Journal
):
    recorded(writer, [entry(idempotency_hash="i" * 64)])
    purge(journal, NOW + timedelta(days=1), NOW)
    (purged,) = recorded(writer, [entry(idempotency_hash="i" * 64)])
    assert isinstance(purged, Problem)
    assert (purged.status, purged.detail) == (409, recording.PURGED)


def test_a_journal_that_takes_too_long_gives_no_answer_and_nothing_waits_on(
    recorded: Record,
    writer: Writer,
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setattr(recording, "JOURNAL_TIMEOUT_S", 0.1)
    with another(journal) as other, locked(other):
        first = writer.submit([kept := entry()])
        wait_for(first.running)
        began = time.monotonic()
        with pytest.raises(ProblemError) as caught:
            recorded(writer, [entry()])
        assert time.monotonic() - began < 1
    found = caught.value.problem
    assert (found.status, found.detail) == (503, recording.NOT_WRITTEN)
    assert "the journal was not written: not in time" in caplog.text
    assert first.result(SECONDS) == [None]
    assert writer.submit([last := entry()]).result(SECONDS) == [None]
    assert sorted(journal.ids()) == sorted([kept.id, last.id])


def test_a_journal_that_fails_gives_no_answer_and_its_words_stay_in_the_log(
    recorded: Record, writer: Writer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    caplog.set_level(logging.DEBUG)

    def fail(_: list[Entry]) -> None:
        raise JournalUnavailableError("database: disk is full")

    monkeypatch.setattr(writer.journal, "write", fail)
    with pytest.raises(ProblemError) as caught:
        recorded(writer, [entry()])
    found = caught.value.problem
    assert (found.status, found.detail) == (503, recording.NOT_WRITTEN)
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
        reasons=None,
        model=ModelVersion(name="credit_scoring", version="3"),
        warnings=[],
    )


@pytest.fixture
def scored() -> ScoredApplication:
    return ScoredApplication(
        log_odds=-1.1, probability=0.25, decision=Decision.REFUSED, features_hash="f" * 64, null_share=0.5, reasons=None
    )


def test_an_entry_holds_what_was_asked_decided_and_answered(
    answer: Prediction, scored: ScoredApplication, journal: Journal
):
    sent = b'{"application": {"SK_ID_CURR": 471100299}}'
    made = entry_of(answer, scored, sent, "a1b2c3d4", None, "credit_scoring:abc", "credit_scoring:def")
    assert journal.write([made]) == [None]
    found = journal.find(str(answer.decision_id))
    assert found is not None
    assert found.credit_file == sent
    assert found.credit_file_hash == hashlib.sha256(sent).hexdigest()
    assert Prediction.model_validate_json(found.answer or b"") == answer
    assert (found.decided_at, found.decision, found.threshold, found.probability) == (NOW, "refused", 0.09, 0.25)
    assert (found.model_name, found.model_version, found.key_id) == ("credit_scoring", "3", "a1b2c3d4")
    assert (found.model_tag, found.bento, found.code) == (
        "credit_scoring:abc",
        "credit_scoring:def",
        code_fingerprint(),
    )
    assert found.features_hash == "f" * 64
    assert rows(journal)[0]["idempotency_hash"] is None


def test_an_idempotency_key_is_kept_as_a_hash_and_belongs_to_the_api_key(answer: Prediction, scored: ScoredApplication):
    def owned(key_id: str, idempotency_key: str) -> str | None:
        return entry_of(answer, scored, b"{}", key_id, idempotency_key, "a:b", "c:d").idempotency_hash

    hashes = {owned(key_id, key) for key_id in ("a1b2c3d4", "e5f6a7b8") for key in ("loan-1", "loan-2")}
    assert len(hashes) == 4
    assert owned("a1b2c3d4", "loan-1") in hashes
    assert all(len(found or "") == 64 and "loan" not in (found or "") for found in hashes)


def test_a_simulation_has_no_entry(answer: Prediction, scored: ScoredApplication):
    answer.decision_id = None
    with pytest.raises(AssertionError):
        entry_of(answer, scored, b"{}", "a1b2c3d4", None, "a:b", "c:d")


def test_the_fingerprint_is_that_of_every_module_and_of_the_numeric_libraries(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    fingerprint = code_fingerprint.__wrapped__
    assert fingerprint() == code_fingerprint()
    shutil.copytree(Path(code.__file__).parents[1], tmp_path / "bento", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "__file__", str(tmp_path / "bento" / "model" / "fingerprint.py"))
    assert fingerprint() == code_fingerprint()
    changed = tmp_path / "bento" / "journal" / "vault.py"
    changed.write_text(changed.read_text() + "# another line")
    assert fingerprint() != code_fingerprint()
    monkeypatch.undo()
    monkeypatch.setattr(code, "version", lambda library: "0.0")
    assert fingerprint() != code_fingerprint()
