"""The list of decisions, contests and replay, as they are asked for over HTTP; the model is that of a test."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from bento.api import decisions
from bento.api.keys import ApiKey
from bento.api.listing import CURSOR, MAX_CLIENT, cursor, place_of, selection_of, size_of
from bento.api.problems import Problem, ProblemError
from bento.api.schemas import DecisionPage, DecisionSummary, ReplayOut
from bento.data.credit_file import CreditFile
from bento.journal.listing import Place, Selection
from bento.journal.purge import purge
from bento.journal.store import Journal
from bento.model.fingerprint import code_fingerprint
from bento.model.scoring_model import ScoringModel
from bento.rules.check import Rules
from bento.scoring.score import score
from bento.settings import LIMITS
from tests.support.clients import make_credit_files
from tests.support.journal_answers import ask, state_of
from tests.support.journals import CLIENT, NOW, contest, entry, execute, review, without_triggers

OFFICER = ApiKey(id="e5f6a7b8", scopes=frozenset(["review"]), sha256=64 * "0", created_at=NOW, name="Camille Martin")
HOUR = timedelta(hours=1)


@pytest.fixture
def served(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """An empty journal, and the addresses before it."""
    monkeypatch.setattr(decisions, "_state", lambda: state_of(journal))
    return journal


def _decided(journal: Journal, hours: int = 0, **changes: object) -> str:
    answer = json.dumps({"SK_ID_CURR": CLIENT, "reasons": None, **_ANSWER}).encode()
    journal.write([written := entry(answer=answer, decided_at=NOW + hours * HOUR, **changes)])
    return written.id


_ANSWER: dict[str, Any] = {
    "decision_id": "x",
    "purpose": "decision",
    "decided_at": NOW.isoformat(),
    "probability_of_default": 0.012345678901234567,
    "score_points": 500,
    "decision": "granted",
    "threshold": 1 / 11,
    "review_band": None,
    "expected_cost": None,
    "model": {"name": "credit_scoring", "version": "3"},
    "warnings": [],
}


def _page(query: str = "") -> DecisionPage:
    answer = ask(f"/decisions{query}")
    assert answer.status_code == 200, answer.text
    return DecisionPage.model_validate_json(answer.content)


def _problem(answer: httpx.Response, status: int) -> Problem:
    assert answer.status_code == status, answer.text
    return Problem.model_validate_json(answer.content)


# The list


def test_a_summary_says_what_was_decided_and_what_became_of_it(served: Journal):
    decision_id = _decided(served, decision="refused")
    served.add_review(decision_id, review(verdict="overturned", outcome="granted"))
    served.add_contest(decision_id, contest())

    (summary,) = _page().decisions

    assert summary == DecisionSummary(
        decision_id=decision_id,
        decided_at=NOW,
        state="contested",
        SK_ID_CURR=CLIENT,
        decision="refused",
        outcome="granted",
        probability_of_default=0.012345678901234567,
        model={"name": "credit_scoring", "version": "3"},
        reviews=1,
        contests=1,
        contested_at=contest().contested_at,
    )
    assert "income" not in ask("/decisions").text  # neither credit file nor reasons nor statements


def test_a_purged_decision_is_listed_with_what_stays(served: Journal):
    _decided(served)
    purge(served, NOW + HOUR, NOW + HOUR)
    (summary,) = _page().decisions
    assert (summary.state, summary.SK_ID_CURR, summary.probability_of_default) == ("purged", None, None)
    assert summary.decision == "granted"


def test_the_pages_of_a_list_follow_each_other(served: Journal):
    ids = [_decided(served, hours) for hours in range(5)]
    first = _page("?limit=2")
    _decided(served, 9)
    second = _page(f"?limit=2&after={first.next}")
    third = _page(f"?limit=2&after={second.next}")
    listed = [summary.decision_id for page in (first, second, third) for summary in page.decisions]
    assert listed == ids[::-1]
    assert third.next is None
    assert _page(f"?limit=1&after={second.next}").next is None  # the last page is full


def test_an_altered_entry_is_listed_with_its_problem(served: Journal):
    sound, altered = _decided(served), _decided(served, 1)
    without_triggers(served)
    execute(served, f"UPDATE decisions SET decision = 'refused' WHERE id = '{altered}'")  # noqa: S608
    first, second = _page().decisions
    assert (first.decision_id, second.decision_id) == (altered, sound)
    assert first.problem is not None
    assert first.problem.type.endswith("altered-entry")
    assert first.decision is first.SK_ID_CURR is first.state is None
    assert second.problem is None


def test_each_filter_reaches_the_journal():
    query = "state=contested&outcome=refused&client=7&since=2026-05-04T10:00:00%2B02:00&until=2026-05-05t00:00:00.5z"
    assert selection_of(QueryParams(query)) == Selection(
        state="contested",
        outcome="refused",
        client=7,
        since=datetime(2026, 5, 4, 8, tzinfo=UTC),
        until=datetime(2026, 5, 5, 0, 0, 0, 500_000, tzinfo=UTC),
    )
    assert selection_of(QueryParams("other=1")) == Selection()


WRONG = (
    "state=",
    "state=Waiting",
    "outcome=maybe",
    "client=0",
    "client=-1",
    "client=1.0",
    "client=%201",
    f"client={MAX_CLIENT + 1}",
    "since=2026-05-04",
    "since=2026-05-04T00:00:00",
    "since=2026-13-04T00:00:00Z",
    "until=0",
    "after=x",
    "after=1.2",
    "limit=0",
    "limit=",
    f"limit={LIMITS.max_listed_decisions + 1}",
)


def _read(values: QueryParams) -> tuple[Selection, int, Place | None]:
    return selection_of(values), size_of(values), place_of(values)


@pytest.mark.parametrize("query", WRONG)
def test_a_wrong_parameter_is_named_and_not_repeated(query: str):
    name, _, value = query.partition("=")
    values = QueryParams(query)
    with pytest.raises(ProblemError) as caught:
        _read(values)
    problem = caught.value.problem
    assert (problem.status, problem.detail, problem.errors[0].loc) == (422, f"{name} is wrong", ["query", name])
    assert len(value) < 2 or value not in problem.errors[0].msg.partition("such as")[0]


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_the_first_and_last_moments_are_moments(served: Journal, value: str):
    assert selection_of(QueryParams({"since": value})).since is not None
    assert ask(f"/decisions?since={value.replace('+', '%2B')}").status_code == 200


_MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(5000, 1, 1), timezones=st.just(UTC))


@given(place=st.builds(Place, _MOMENTS, st.uuids().map(str)))
def test_a_cursor_is_read_as_the_place_that_it_was_written_for(place: Place):
    assert CURSOR.fullmatch(cursor(place))
    assert place_of(QueryParams({"after": cursor(place)})) == place


@given(text=st.from_regex(CURSOR, fullmatch=True))
def test_any_text_of_the_form_of_a_cursor_is_a_place(text: str):
    assert place_of(QueryParams({"after": text})) is not None


@given(query=st.dictionaries(st.sampled_from(["state", "client", "since", "until", "after", "limit"]), st.text()))
def test_any_parameters_are_read_or_refused(query: dict[str, str]):
    values, refused = QueryParams(query), list[Problem]()
    for read in (selection_of, size_of, place_of):
        try:
            read(values)
        except ProblemError as error:
            refused.append(error.problem)
    assert all(problem.status == 422 and problem.errors[0].loc[1] in query for problem in refused)


# What the client says

STATEMENT = {"statement": "my income has risen since"}


@pytest.mark.promise("what a client says against a decision is recorded once, in his own words")
def test_a_contest_is_recorded_once_until_a_review_comes(served: Journal):
    address = f"/decisions/{_decided(served, decision='refused')}"

    first = ask(f"{address}/contest", STATEMENT, OFFICER)
    again = ask(f"{address}/contest", STATEMENT, OFFICER)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert first.json()["recorder"] == "Camille Martin"
    assert ask(address).json()["contests"] == [first.json()]
    assert ask(address).json()["state"] == "contested"
    reviewed = {"verdict": "confirmed", "outcome": "refused", "reason": "no payslip was given"}
    assert ask(f"{address}/review", reviewed, OFFICER).status_code == 201
    assert ask(address).json()["state"] == "reviewed"
    assert ask(f"{address}/contest", STATEMENT, OFFICER).headers.get("Idempotent-Replayed") is None
    assert [contest["statement"] for contest in ask(address).json()["contests"]] == 2 * ["my income has risen since"]


def test_a_review_that_does_not_know_a_contest_is_refused(served: Journal):
    address = f"/decisions/{_decided(served, decision='refused')}"
    ask(f"{address}/contest", STATEMENT, OFFICER)
    reviewed = {"verdict": "confirmed", "outcome": "refused", "reason": "no payslip was given", "contests": 0}

    assert "again meanwhile" in _problem(ask(f"{address}/review", reviewed, OFFICER), 409).detail
    assert ask(f"{address}/review", reviewed | {"contests": 1}, OFFICER).status_code == 201


def test_a_contest_needs_words_and_a_person(served: Journal):
    address = f"/decisions/{_decided(served)}/contest"
    assert _problem(ask(address, STATEMENT), 422).errors[0].loc == ["recorder"]
    assert _problem(ask(address, {"statement": " \n"}, OFFICER), 422).errors[0].loc == ["statement"]
    assert _problem(ask(address, STATEMENT | {"recorder": "Another"}, OFFICER), 403)
    assert _problem(ask("/decisions/nothing/contest", STATEMENT, OFFICER), 404)
    assert ask(address, STATEMENT | {"recorder": "A. Officer"}).json()["recorder"] == "A. Officer"


@pytest.mark.promise("an application's key reviews under the name that the request gives, and never without one")
def test_a_key_of_an_application_names_the_person_each_time(served: Journal):
    key = OFFICER.model_copy(update={"name": None, "scopes": frozenset(["review", "delegate"])})
    address = f"/decisions/{_decided(served, decision='refused')}"
    assert _problem(ask(f"{address}/contest", STATEMENT, key), 422).errors[0].loc == ["recorder"]
    assert ask(f"{address}/contest", STATEMENT | {"recorder": "B. Officer"}, key).json()["recorder"] == "B. Officer"
    reviewed = {
        "verdict": "confirmed",
        "outcome": "refused",
        "reason": "no payslip was given",
        "reviewer": "C. Officer",
    }
    assert ask(f"{address}/review", reviewed, key).json()["reviewer"] == "C. Officer"
    assert [written["key_id"] for written in ask(address).json()["reviews"]] == [key.id]


def test_a_purged_decision_cannot_be_contested(served: Journal):
    decision_id = _decided(served)
    purge(served, NOW + HOUR, NOW)
    assert "purged" in _problem(ask(f"/decisions/{decision_id}/contest", STATEMENT, OFFICER), 409).detail


def test_the_latest_remark_stays_the_latest_where_the_clock_is_set_back(served: Journal):
    decision_id = _decided(served)
    future = datetime.now(UTC) + timedelta(days=365)
    served.add_review(decision_id, review(reviewed_at=future))
    ask(f"/decisions/{decision_id}/contest", STATEMENT, OFFICER)
    assert ask(f"/decisions/{decision_id}").json()["state"] == "contested"
    ask(
        f"/decisions/{decision_id}/review",
        {"verdict": "confirmed", "outcome": "granted", "reason": "as was decided before"},
        OFFICER,
    )
    assert ask(f"/decisions/{decision_id}").json()["state"] == "reviewed"


# Deciding again


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ScoringModel:
    return ScoringModel.verified(model_folder)


def _scored(journal: Journal, model: ScoringModel, **changes: object) -> str:
    """Record a decision as the model of a test makes it."""
    content = make_credit_files(1)[0]
    credit_file = CreditFile.model_validate(content)
    state = state_of(journal, verified_model=model)
    scored = score(model, [credit_file], rules=Rules(state.rulebook, model.reference.usual), reasons=False)[0]
    values: dict[str, object] = {
        "answer": json.dumps(_ANSWER | {"SK_ID_CURR": 1, "reasons": None, "decision": scored.decision.value}).encode(),
        "credit_file": json.dumps(content).encode(),
        "probability": scored.probability,
        "decision": scored.decision.value,
        "features_hash": scored.features_hash,
        "threshold": model.threshold,
        "code": code_fingerprint(),
    }
    journal.write([written := entry(**values | changes)])
    return written.id


def _replayed(decision_id: str) -> ReplayOut:
    answer = ask(f"/decisions/{decision_id}/replay")
    assert answer.status_code == 200, answer.text
    return ReplayOut.model_validate_json(answer.content)


def test_a_decision_that_is_replayed_is_the_same_or_says_what_differs(
    journal: Journal, model: ScoringModel, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(decisions, "_state", lambda: state_of(journal, verified_model=model))
    same = _replayed(_scored(journal, model))
    different = _replayed(_scored(journal, model, features_hash="f" * 64))
    assert (same.verdict, same.differences) == ("same", [])
    assert (different.verdict, different.differences) == ("different", ["the features differ"])


def test_what_another_model_or_code_decided_is_not_compared(
    journal: Journal, model: ScoringModel, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(decisions, "_state", lambda: state_of(journal, verified_model=model))
    assert _replayed(_scored(journal, model, model_tag="other:1")).verdict == "other model"
    decision_id = _scored(journal, model, code="other")
    assert _replayed(decision_id).verdict == "other code"
    purge(journal, NOW + HOUR, NOW)
    assert _replayed(decision_id).verdict == "purged"
    _problem(ask("/decisions/nothing/replay"), 404)
