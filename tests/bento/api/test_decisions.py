"""Reading decisions of the journal, those too that are purged, altered or cannot be decrypted."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from bento.api import decisions
from bento.api.problems import ALTERED, UNREADABLE, Problem
from bento.journal.purge import purge
from bento.journal.store import Journal
from bento.journal.vault import Vault
from tests.support.journal_answers import ask, state_of
from tests.support.journals import NOW, entry, execute, review, without_triggers

ANSWER = b"""{"decision_id": "x", "purpose": "decision", "decided_at": "2026-05-04T12:30:15.250000Z", "SK_ID_CURR": 1,
"probability_of_default": 0.012345678901234567, "score_points": 500, "decision": "granted",
"threshold": 0.09090909090909091, "review_band": null, "expected_cost": null, "reasons": null,
"model": {"name": "credit_scoring", "version": "3"}, "warnings": []}"""


def _get(journal: Journal, decision_id: str, monkeypatch: pytest.MonkeyPatch) -> httpx.Response:
    monkeypatch.setattr(decisions, "_state", lambda: state_of(journal))
    return ask(f"/decisions/{decision_id}")


def _assert_problem(answer: httpx.Response, kind: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    problem = Problem.model_validate_json(answer.content)
    assert problem.type == kind
    assert problem.detail.startswith("the entry ")


def _reviewed(journal: Journal, **changes: Any) -> str:
    decided = entry(answer=ANSWER, **changes)
    journal.write([decided])
    assert journal.add_review(decided.id, review(verdict="overturned", outcome="refused"))
    return decided.id


def test_a_reviewed_decision_is_answered_whole(journal: Journal, monkeypatch: pytest.MonkeyPatch):
    decision_id = _reviewed(journal)

    answer = _get(journal, decision_id, monkeypatch)

    assert answer.status_code == 200
    content = answer.json()
    assert (content["decision"], content["outcome"], content["purged"]) == ("granted", "refused", False)
    assert [(given["reason"], given["reviewer"]) for given in content["reviews"]] == [
        (review().reason, review().reviewer)
    ]


@pytest.mark.promise("a reviewed and purged decision is answered with what stays")
def test_a_reviewed_and_purged_decision_is_answered_with_what_stays(journal: Journal, monkeypatch: pytest.MonkeyPatch):
    decision_id = _reviewed(journal)
    purge(journal, NOW + timedelta(days=1), NOW + timedelta(days=2))

    answer = _get(journal, decision_id, monkeypatch)

    assert answer.status_code == 200
    content = answer.json()
    assert (content["decision"], content["outcome"], content["purged"]) == ("granted", "refused", True)
    assert content["credit_file"] is content["probability_of_default"] is content["reasons"] is None
    (stays,) = content["reviews"]
    assert stays == {
        "verdict": "overturned",
        "outcome": "refused",
        "reason": None,
        "reviewer": None,
        "reviewed_at": "2026-05-05T12:30:15.250000Z",
        "key_id": "e5f6a7b8",
    }


ALTERATIONS = [
    "UPDATE decisions SET threshold = 0.5",
    "UPDATE decisions SET key_id = 'other'",
    "UPDATE decisions SET model_version = '4'",
    "UPDATE decisions SET code = 'other'",
    "UPDATE decisions SET decided_at = '2020-01-01 00:00:00'",
    "UPDATE decisions SET probability = 0.9",
    "UPDATE decisions SET answer = credit_file",
    "UPDATE reviews SET outcome = 'granted'",
    "UPDATE reviews SET content = NULL",
    "INSERT INTO reviews SELECT 'forged', id, decided_at, key_id, 'overturned', 'refused', NULL FROM decisions",
]


@pytest.mark.parametrize("statement", ALTERATIONS)
@pytest.mark.promise("an altered entry is answered with a stated problem")
def test_an_altered_entry_is_a_stated_problem(journal: Journal, statement: str, monkeypatch: pytest.MonkeyPatch):
    decision_id = _reviewed(journal)
    without_triggers(journal)
    execute(journal, statement)

    _assert_problem(_get(journal, decision_id, monkeypatch), ALTERED)


def test_an_entry_whose_key_is_missing_is_a_stated_problem(encrypted: Journal, monkeypatch: pytest.MonkeyPatch):
    decision_id = _reviewed(encrypted)
    execute(encrypted, "DELETE FROM client_keys")

    _assert_problem(_get(encrypted, decision_id, monkeypatch), UNREADABLE)


@pytest.mark.parametrize("vault", [Vault(None), Vault(bytes(32))], ids=["none", "another"])
def test_an_entry_under_a_master_key_that_is_not_given_is_a_stated_problem(
    encrypted: Journal, vault: Vault, monkeypatch: pytest.MonkeyPatch
):
    decision_id = _reviewed(encrypted)
    other = Journal(encrypted.engine.url.render_as_string(hide_password=False), vault)

    _assert_problem(_get(other, decision_id, monkeypatch), UNREADABLE)
    other.close()


def test_an_unknown_decision_is_not_found(journal: Journal, monkeypatch: pytest.MonkeyPatch):
    assert _get(journal, "nothing", monkeypatch).status_code == 404
