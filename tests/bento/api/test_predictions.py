"""Decisions with rules, in process: single, in a batch, simulated, repeated, and replayed."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.requests import Request

from bento.api import decisions
from bento.api.keys import LOCAL
from bento.api.openapi import document
from bento.api.predictions import DecisionMaker, refuse_impossible
from bento.api.problems import Problem, ProblemError
from bento.api.process_tuning import ScoringSlots
from bento.api.recording import Recorder
from bento.api.schemas import BatchRequest, DecisionOut, Prediction
from bento.api.state import ServingState
from bento.data.credit_file import CreditFile
from bento.journal import replay as replaying
from bento.journal.replay import replay
from bento.journal.store import Journal
from bento.journal.writer import Writer
from bento.model.manifest import ModelVersion
from bento.model.scoring_model import ScoringModel
from bento.policy import Decision
from bento.rules.check import Rules
from bento.rules.rulebook import Rulebook
from bento.scoring.explanation import explanation
from tests.support.journals import opened, rows
from tests.support.rules import USUAL

Json = dict[str, Any]
GRANTED: Json = {
    "application": {
        "SK_ID_CURR": 700_002,
        "AMT_CREDIT": 300_000,
        "AMT_ANNUITY": 20_000,
        "AMT_GOODS_PRICE": 290_000,
        "AMT_INCOME_TOTAL": 250_000,
        "DAYS_BIRTH": -15_000,
        "DAYS_EMPLOYED": -2_000,
        "NAME_INCOME_TYPE": "Working",
        "NAME_EDUCATION_TYPE": "Higher education",
        "EXT_SOURCE_1": 0.9,
        "EXT_SOURCE_2": 0.9,
        "EXT_SOURCE_3": 0.9,
    },
    "previous_application": [{"SK_ID_PREV": 8_001, "NAME_CONTRACT_STATUS": "Approved", "DAYS_DECISION": -600}],
}
"""An invented file that model and rules grant."""


def _with(**changes: object) -> Json:
    return GRANTED | {"application": GRANTED["application"] | changes}


UNAFFORDABLE = _with(AMT_INCOME_TOTAL=50_000)
MINOR = _with(DAYS_BIRTH=-5_000, DAYS_EMPLOYED=-100)


def _rulebook(**outcomes: str) -> Rulebook:
    """The rules of the project with other outcomes, by code."""
    rulebook = Rulebook.read()
    changed = [rule.model_copy(update={"outcome": outcomes.get(rule.code, rule.outcome)}) for rule in rulebook.rules]
    return Rulebook.model_validate(rulebook.model_dump() | {"rules": [rule.model_dump() for rule in changed]})


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ScoringModel:
    loaded = ScoringModel(model_folder)
    loaded.reference = loaded.reference.model_copy(update={"usual": USUAL})
    return loaded


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with opened(f"sqlite:///{tmp_path}/journal.db") as made:
        yield made


@pytest.fixture
def state(model: ScoringModel, journal: Journal) -> ServingState:
    return ServingState(
        verified_model=model,
        version=ModelVersion(name="credit_scoring", version="3"),
        model_tag="credit_scoring:abc",
        bento_tag="credit_scoring:def",
        journal=journal,
        rulebook=Rulebook.read(),
    )


@pytest.fixture
def writer(journal: Journal) -> Iterator[Writer]:
    made = Writer(journal)
    yield made
    made.close()


def _request(file: Json, query: str = "", key: str | None = None, **texts: str) -> Request:
    headers = [(b"idempotency-key", key.encode())] if key else []
    headers += [(name.encode(), text.encode("latin-1")) for name, text in texts.items()]
    scope = {"type": "http", "query_string": query.encode(), "headers": headers, "api_key": LOCAL, "charge": float}
    return Request(scope | {"body": json.dumps(file).encode()})


class Client:
    """Asks one decision maker."""

    def __init__(self, state: ServingState, writer: Writer) -> None:
        self.maker = DecisionMaker(state, Recorder(writer), ScoringSlots(4))

    def predict(self, file: Json, query: str = "", key: str | None = None, **texts: str) -> Prediction:
        request = _request(file, query, key, **texts)
        answer, _ = asyncio.run(self.maker.predict(CreditFile.model_validate(file), request))
        return Prediction.model_validate_json(answer)

    def batch(self, *files: Json, query: str = "") -> list[Prediction | Problem | None]:
        batch = BatchRequest(credit_files=list(files))
        results = self.maker.predict_batch(batch, _request({}, query)).results
        return [result.prediction or result.problem for result in results]


@pytest.fixture
def client(state: ServingState, writer: Writer) -> Client:
    return Client(state, writer)


def test_a_plausible_file_is_decided_by_the_model_alone(client: Client):
    answer = client.predict(GRANTED)
    assert (answer.decision, answer.rules) == (Decision.GRANTED, [])
    assert answer.rules_version == Rulebook.read().version


def test_officer_and_reason_of_a_correction_stand_in_the_journal(client: Client, journal: Journal):
    names = {"officer": quote("Zoé d'Aÿ"), "correction": quote("L'âge était faux sur le dossier.")}

    answer = client.predict(GRANTED, **names)

    assert (answer.officer, answer.correction) == ("Zoé d'Aÿ", "L'âge était faux sur le dossier.")
    stored = journal.find(answer.decision_id or "")
    assert stored is not None
    written = json.loads(stored.answer or b"")
    assert (written["officer"], written["correction"]) == (answer.officer, answer.correction)
    assert client.predict(GRANTED).officer is None


@pytest.mark.parametrize(
    ("name", "text"),
    [("officer", "%20"), ("officer", "a" * 901), ("officer", "%FF"), ("officer", "a%0Ab"), ("correction", "short")],
)
def test_an_officer_or_reason_that_cannot_be_journalled_is_refused(client: Client, name: str, text: str):
    with pytest.raises(ProblemError) as refusal:
        client.predict(GRANTED, **{name: text})

    assert refusal.value.problem.status == 422
    assert [error.loc for error in refusal.value.problem.errors] == [["header", name.title()]]


def test_an_unaffordable_loan_is_reviewed_and_says_why(client: Client):
    answer = client.predict(UNAFFORDABLE)
    assert answer.probability_of_default < answer.threshold
    assert answer.decision is Decision.REVIEW
    (hit,) = answer.rules
    assert (hit.code, hit.outcome) == ("affordability", "review")
    assert "40% (at most 35%)" in hit.text.en


def test_the_outcome_of_a_rule_is_a_setting(state: ServingState, writer: Writer):
    answer = Client(replace(state, rulebook=_rulebook(affordability="refused")), writer).predict(UNAFFORDABLE)
    assert answer.decision is Decision.REFUSED
    assert answer.probability_of_default < answer.threshold
    assert answer.expected_cost is None  # the model's costs would speak for granting


def test_an_impossible_file_is_a_problem_with_its_field_and_no_decision(client: Client, journal: Journal):
    with pytest.raises(ProblemError) as caught:
        client.predict(MINOR)
    problem = caught.value.problem
    assert (problem.status, problem.detail) == (422, "a field is missing or wrong")
    (fault,) = problem.errors
    assert (fault.loc, fault.type) == (["application", "DAYS_BIRTH"], "rule_age")
    assert fault.text is not None
    assert (
        fault.msg
        == fault.text.en
        == ("An applicant must be an adult, and at most 100 years old. Age: 13 years (from 18 years to 100 years).")
    )
    assert "majeur" in fault.text.fr
    assert journal.ids() == []


def test_a_batch_applies_the_same_rules_to_each_file(client: Client, journal: Journal):
    granted, reviewed, refused_unread = client.batch(GRANTED, UNAFFORDABLE, MINOR, query="reasons=true")
    assert isinstance(granted, Prediction)
    assert isinstance(reviewed, Prediction)
    alone = client.predict(UNAFFORDABLE, "purpose=simulation")
    assert (granted.decision, reviewed.decision) == (Decision.GRANTED, Decision.REVIEW)
    assert (reviewed.rules, reviewed.reasons) == (alone.rules, alone.reasons)
    assert isinstance(refused_unread, Problem)
    assert [fault.loc for fault in refused_unread.errors] == [["application", "DAYS_BIRTH"]]
    assert len(journal.ids()) == 2


def test_a_simulation_applies_the_rules_and_leaves_no_trace(client: Client, journal: Journal):
    assert client.predict(UNAFFORDABLE, "purpose=simulation").decision is Decision.REVIEW
    assert journal.ids() == []
    assert journal.rulebooks() == []


def test_an_explanation_names_the_rules_that_apply(model: ScoringModel, state: ServingState):
    file = CreditFile.model_validate(UNAFFORDABLE)
    explained = explanation(model, file, state.version, [], rules=state.rules)
    assert [hit.code for hit in explained.rules] == ["affordability"]
    with pytest.raises(ProblemError):
        refuse_impossible(CreditFile.model_validate(MINOR), state.rules)


def test_a_repeated_request_gets_its_decision_after_a_change_of_rules(
    client: Client, state: ServingState, writer: Writer
):
    first = client.predict(UNAFFORDABLE, key="loan-1")
    other = Client(replace(state, rulebook=_rulebook(affordability="refused")), writer)
    assert other.predict(UNAFFORDABLE, key="loan-1") == first
    assert other.predict(UNAFFORDABLE, key="loan-2").decision is Decision.REFUSED


# The journal


def test_a_decision_is_journalled_with_the_rules_in_force(
    client: Client, state: ServingState, writer: Writer, journal: Journal
):
    refusing = _rulebook(affordability="refused")
    other = Client(replace(state, rulebook=refusing), writer)
    for number in range(3):
        client.predict(UNAFFORDABLE | {"bureau": []}, key=f"a{number}")
        other.predict(UNAFFORDABLE, key=f"b{number}")
    assert {row["rules"] for row in rows(journal)} == {refusing.version, Rulebook.read().version}
    assert len(rows(journal, "rulebooks")) == 2
    assert journal.rulebook(refusing.version) == refusing


@pytest.fixture
def replayed(model: ScoringModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "model_of", lambda *_: model)


@pytest.mark.usefixtures("replayed")
def test_a_decision_is_replayed_by_the_rules_that_made_it(
    client: Client, state: ServingState, writer: Writer, journal: Journal
):
    refusing = Client(replace(state, rulebook=_rulebook(affordability="refused")), writer)
    for maker, file in ((client, GRANTED), (client, UNAFFORDABLE), (refusing, UNAFFORDABLE)):
        stored = journal.find(str(maker.predict(file).decision_id))
        assert stored is not None
        assert replay(stored, journal.rulebook(stored.rules)).verdict == "same"


@pytest.mark.usefixtures("replayed")
def test_a_replay_by_other_rules_names_what_differs(client: Client, journal: Journal):
    stored = journal.find(str(client.predict(UNAFFORDABLE).decision_id))
    assert stored is not None
    result = replay(stored, Rulebook.none())
    assert result.verdict == "different"
    assert "decision review, now granted" in result.differences
    assert "rules ['affordability'], now []" in result.differences


@pytest.mark.usefixtures("replayed")
def test_a_decision_made_before_there_were_rules_is_replayed_without(
    state: ServingState, writer: Writer, journal: Journal
):
    client = Client(replace(state, rulebook=Rulebook.none()), writer)
    stored = journal.find(str(client.predict(UNAFFORDABLE).decision_id))
    assert stored is not None
    before = {
        name: value
        for name, value in json.loads(stored.answer or b"").items()
        if name not in ("rules", "rules_version")
    }
    stored = replace(stored, rules=None, answer=json.dumps(before).encode())
    assert replay(stored, journal.rulebook(stored.rules)).verdict == "same"
    assert replay(replace(stored, code="0123456789abcdef"), Rulebook.none()).verdict == "other code"
    assert Prediction.model_validate(before).rules == []


def test_a_decision_read_again_names_its_rules(client: Client, state: ServingState):
    decided = client.predict(UNAFFORDABLE)
    request = Request({"type": "http", "path_params": {"decision_id": decided.decision_id}})
    out: DecisionOut = decisions._decision_out(state, *decisions._stored(state, request))
    assert (out.rules, out.rules_version, out.reasons) == (decided.rules, decided.rules_version, decided.reasons)


def test_reasons_that_were_not_asked_for_are_those_under_the_same_rules(
    state: ServingState, writer: Writer, monkeypatch: pytest.MonkeyPatch
):
    state = replace(state, rulebook=_rulebook(affordability="refused"))
    (answer,) = Client(state, writer).batch(UNAFFORDABLE)
    assert isinstance(answer, Prediction)
    alone = Client(state, writer).predict(UNAFFORDABLE, "purpose=simulation")
    later = replace(state, rulebook=Rulebook.none())
    request = Request({"type": "http", "path_params": {"decision_id": answer.decision_id}})
    assert decisions._decision_out(later, *decisions._stored(later, request)).reasons == alone.reasons


# Described


def test_the_model_card_holds_the_rules_and_their_version(state: ServingState, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decisions, "_state", lambda: state)
    card = json.loads(bytes(decisions.model_card(Request({"type": "http"})).body))
    assert card["rules_version"] == Rulebook.read().version
    assert Rulebook.model_validate(card["rules"]) == Rulebook.read()


def test_the_document_describes_rules_in_answers_and_in_the_card():
    schemas = document("test")["components"]["schemas"]
    for name in ("Prediction", "Explanation", "DecisionOut"):
        assert "RuleHit" in json.dumps(schemas[name]["properties"]["rules"])
    assert schemas["ModelCard"]["properties"]["rules"]["$ref"].endswith("/Rulebook")


def test_rules_without_a_model_are_a_503(state: ServingState):
    with pytest.raises(ProblemError) as caught:
        _ = replace(state, verified_model=None).rules
    assert caught.value.problem.status == 503


def test_the_rules_in_force_are_those_of_the_model(state: ServingState, model: ScoringModel):
    assert isinstance(state.rules, Rules)
    assert state.rules is state.rules
    assert state.rules.rulebook is state.rulebook
