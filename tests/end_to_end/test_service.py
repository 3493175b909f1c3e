"""What the real service answers, run in the serving environment on the Bento that the pipeline built."""

import json
import math
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bento.api.openapi import EXAMPLE
from bento.api.schemas import MAX_CREDIT_FILES, BatchPrediction, DecisionOut, ModelCard, Prediction
from bento.data.credit_file import CreditFile
from bento.journal.store import Journal
from bento.journal.vault import Vault
from bento.model.scoring_model import ScoringModel
from bento.policy import expected_cost, score_points
from bento.rules.check import Rules
from bento.rules.rulebook import Rulebook
from bento.scoring.explanation import Explanation
from bento.scoring.score import score
from bento.settings import Settings
from research.cli import ROOT, SERVING_PYTHON
from research.data.example_credit_files import example_credit_files
from research.deployment.processes import service_log
from tests.support.deadlines import timeout_s
from tests.support.services import REQUEST_TIMEOUT_S, problem

Json = dict[str, Any]
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def files() -> list[Json]:
    return example_credit_files(6)


@pytest.fixture(scope="module")
def client(service_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service_url, timeout=timeout_s(REQUEST_TIMEOUT_S)) as http:
        yield http


@pytest.fixture(scope="module")
def journal(service_url: str) -> Iterator[Journal]:
    opened = Journal(Settings.read().journal_address, Vault(None))
    yield opened
    opened.close()


def _decided(client: httpx.Client, file: Json, **options: Any) -> Json:
    answer = client.post("/predict", json=file, **options)
    assert answer.status_code == 200, answer.text
    prediction: Json = answer.json()
    Prediction.model_validate(prediction)
    return prediction


def test_predict_answers_as_the_model_in_process(client: httpx.Client, files: list[Json], model_folder: Path):
    model = ScoringModel(model_folder)
    rules = Rules(Rulebook.read(), model.reference.usual)
    for file in files:
        answer = _decided(client, file)
        (scored,) = score(model, [CreditFile.model_validate(file)], rules=rules, reasons=False)
        features = model.features([CreditFile.model_validate(file)])
        expected = float(model.probability(features)[0])
        assert answer["probability_of_default"] == pytest.approx(expected, abs=1e-12)
        assert answer["decision"] == scored.decision
        assert answer["rules"] == [hit.model_dump() for hit in scored.rules]
        assert answer["rules_version"] == Rulebook.read().version
        assert answer["threshold"] == model.threshold
        assert answer["score_points"] == pytest.approx(score_points(float(model.log_odds(features)[0])), abs=1e-9)
        cost = expected_cost(expected, model.threshold, model.manifest.costs)
        assert answer["expected_cost"] == pytest.approx(cost.model_dump())
        assert answer["model"] == {"name": "credit_scoring", "version": "1"}
        assert answer["SK_ID_CURR"] == file["application"]["SK_ID_CURR"]
        assert answer["review_band"] is None
        cleaned = ["DAYS_LAST_PHONE_CHANGE"] if file["application"]["DAYS_LAST_PHONE_CHANGE"] == 0 else []
        assert [warning["field"] for warning in answer["warnings"]] == [f"application.{name}" for name in cleaned]


@pytest.mark.promise("a decision names its main reasons in English and French")
def test_a_decision_names_its_main_reasons_in_both_languages(client: httpx.Client, files: list[Json]):
    for file in files:
        answer = _decided(client, file)
        reasons = answer["reasons"]
        assert 1 <= len({reason["code"] for reason in reasons}) == len(reasons) <= 4
        if answer["decision"] == "granted" or answer["probability_of_default"] >= answer["threshold"]:
            assert reasons[0]["direction"] == ("lowers" if answer["decision"] == "granted" else "raises")
        else:
            assert answer["rules"]  # the ground is the rule's, although all that weighed may lower the risk
        for reason in reasons:
            assert (reason["contribution"] > 0) == (reason["direction"] == "raises")
            assert all(reason["text"][language] for language in ("en", "fr"))
            assert reason["facts"] or reason["code"].startswith("U") or "other applicants" in reason["text"]["en"]


@pytest.mark.promise("a decision is in the journal, with its request and its answer, before it is answered")
def test_a_decision_is_recorded_with_its_request_and_answer(client: httpx.Client, files: list[Json], journal):
    body = json.dumps(files[4])
    sent = client.post("/predict", content=body, headers={"Content-Type": "application/json"})
    decision = journal.find(sent.json()["decision_id"])
    assert decision.credit_file == body.encode()
    assert decision.answer == sent.content
    assert (decision.decision, decision.probability) == (sent.json()["decision"], sent.json()["probability_of_default"])
    assert decision.key_id == "local"
    assert decision.bento.startswith("credit_scoring:")


@pytest.mark.promise("a simulation answers as a decision does, and leaves no trace")
def test_a_simulation_answers_the_same_and_is_not_recorded(client: httpx.Client, files: list[Json], journal):
    decided = _decided(client, files[3])
    before = len(journal.ids())
    simulated = _decided(client, files[3], params={"purpose": "simulation"})
    assert len(journal.ids()) == before
    assert simulated["decision_id"] is None
    assert simulated["purpose"] == "simulation"
    own = ("decision_id", "purpose", "decided_at")
    assert {name: value for name, value in simulated.items() if name not in own} == {
        name: value for name, value in decided.items() if name not in own
    }


@pytest.mark.promise("the same Idempotency-Key and body get the same decision")
def test_the_same_idempotency_key_and_body_get_the_same_decision(client: httpx.Client, files: list[Json], journal):
    header = {"Idempotency-Key": "one-and-the-same"}
    first, before = client.post("/predict", json=files[2], headers=header), len(journal.ids())
    again = client.post("/predict", json=files[2], headers=header)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(journal.ids()) == before
    other = client.post("/predict", json=files[1], headers=header)
    assert "another body" in problem(other, 409).detail


@pytest.mark.parametrize(
    ("request_of", "place"),
    [
        ({"params": {"purpose": "play"}}, ["query", "purpose"]),
        ({"headers": {"Idempotency-Key": ""}}, ["header", "Idempotency-Key"]),
        ({"headers": {"Idempotency-Key": "x" * 201}}, ["header", "Idempotency-Key"]),
    ],
)
def test_a_wrong_parameter_is_named(client: httpx.Client, files: list[Json], request_of: Json, place: list[str]):
    assert [fault.loc for fault in problem(client.post("/predict", json=files[0], **request_of), 422).errors] == [place]


def test_an_explanation_adds_up_to_the_logit_and_decides_nothing(client: httpx.Client, files: list[Json], journal):
    for file in files:
        before = len(journal.ids())
        answer = client.post("/explain", json=file).json()
        Explanation.model_validate(answer)
        assert "decision" not in answer
        assert "decision_id" not in answer
        assert len(journal.ids()) == before
        probability = answer["probability_of_default"]
        logit = math.log(probability / (1 - probability))
        assert answer["log_odds"] == pytest.approx(logit, abs=1e-9)
        for parts in (answer["contributions"], answer["groups"]):
            total = answer["base_value"] + sum(part["contribution"] for part in parts)
            assert total == pytest.approx(answer["log_odds"], abs=1e-9)
        assert answer["contributions"][0]["meaning"].keys() == {"en", "fr"}
        assert answer["similar_clients"]["clients"] >= 50


def test_proposals_of_other_loans_are_granted_when_they_are_tried(client: httpx.Client):
    tried_loans = 0
    for file in example_credit_files(60):
        counterfactual = client.post("/explain", json=file).json()["counterfactual"]
        assert all(counterfactual["text"][language] for language in ("en", "fr"))
        for proposal in counterfactual["proposals"]:
            changed = {change["column"]: change["needed"] for change in proposal["changes"]}
            tried = file | {"application": file["application"] | changed}
            answer = _decided(client, tried, params={"purpose": "simulation"})
            assert answer["decision"] == "granted" != counterfactual["decision"]
            assert answer["probability_of_default"] == proposal["probability_of_default"]
            tried_loans += 1
    assert tried_loans


def test_unknown_categories_and_columns_are_scored_with_a_warning(client: httpx.Client, files: list[Json]):
    application = files[0]["application"] | {"NAME_INCOME_TYPE": "Astronaut", "SHOE_SIZE": 43}
    application |= {"AMT_INCOME_TOTAL": 1e12, "DAYS_LAST_PHONE_CHANGE": 0}
    answer = _decided(client, {"application": application})
    assert {(warning["kind"], warning["field"]) for warning in answer["warnings"]} == {
        ("unknown_category", "application.NAME_INCOME_TYPE"),
        ("unknown_column", "application.SHOE_SIZE"),
        ("implausible_value", "application.AMT_INCOME_TOTAL"),
        ("taken_as_missing", "application.DAYS_LAST_PHONE_CHANGE"),
    }


IMPLAUSIBLE = [
    ({"AMT_INCOME_TOTAL": 1}, "affordability"),
    ({"AMT_CREDIT": 20_000_000}, "unusual"),
    ({"CNT_CHILDREN": 5, "CNT_FAM_MEMBERS": 1}, "family_without_adult"),
]


@pytest.mark.parametrize(("changes", "rule"), IMPLAUSIBLE)
def test_an_implausible_file_is_never_granted(client: httpx.Client, files: list[Json], changes: Json, rule: str):
    file = files[0] | {"application": files[0]["application"] | changes}
    for answer in (
        _decided(client, file),
        _decided(client, file, params={"purpose": "simulation"}),
        client.post("/predict_batch", json={"credit_files": [file]}).json()["results"][0]["prediction"],
    ):
        assert answer["decision"] != "granted"
        assert rule in [hit["code"] for hit in answer["rules"]]
    explained = client.post("/explain", json=file).json()
    assert explained["rules"] == answer["rules"]


def _with(file: Json, **fields: object) -> bytes:
    return json.dumps(file | {"application": file["application"] | fields}).encode()


BAD_INPUT = [
    (lambda file: _with(file, AMT_CREDIT="much"), 422, ["application", "AMT_CREDIT"]),
    (lambda file: _with(file, AMT_CREDIT=None), 422, ["application", "AMT_CREDIT"]),
    (lambda file: _with(file, AMT_CREDIT=float("nan")), 422, ["application", "AMT_CREDIT"]),
    (lambda file: _with(file, EXT_SOURCE_2=float("-inf")), 422, ["application", "EXT_SOURCE_2"]),
    (lambda file: _with(file, CNT_CHILDREN=1.5), 422, ["application", "CNT_CHILDREN"]),
    (lambda file: _with(file, SHOE_SIZE=float("inf")), 422, ["application", "SHOE_SIZE"]),
    (lambda file: _with(file)[:-2] + b', "AMT_CREDIT": 1}}', 422, ["application", "AMT_CREDIT"]),
    (lambda file: _with(file)[:-1] + b', "application": {}}', 422, ["application"]),
    (lambda file: b"\xef\xbb\xbf" + _with(file), 400, []),
    (lambda file: _with(file, AMT_CREDIT=0), 422, ["application", "AMT_CREDIT"]),
    (lambda file: _with(file, AMT_ANNUITY=0), 422, ["application", "AMT_ANNUITY"]),
    (lambda file: _with(file, AMT_INCOME_TOTAL=0), 422, ["application", "AMT_INCOME_TOTAL"]),
    (lambda file: _with(file, DAYS_BIRTH=-1), 422, ["application", "DAYS_BIRTH"]),
    (lambda file: _with(file, DAYS_BIRTH=-3650), 422, ["application", "DAYS_BIRTH"]),
    (lambda file: _with(file, DAYS_EMPLOYED=100), 422, ["application", "DAYS_EMPLOYED"]),
    (lambda file: _with(file, DAYS_EMPLOYED=-36500), 422, ["application", "DAYS_EMPLOYED"]),
    (lambda file: _with(file, DAYS_BIRTH=-9000, DAYS_EMPLOYED=-9100), 422, ["application", "DAYS_EMPLOYED"]),
    (
        lambda file: json.dumps(file | {"bureau": [{"DAYS_CREDIT": -50000}]}).encode(),
        422,
        ["bureau", 0, "DAYS_CREDIT"],
    ),
    (
        lambda file: json.dumps(file | {"bureau": [{"AMT_CREDIT_SUM_DEBT": -1e12}]}).encode(),
        422,
        ["bureau", 0, "AMT_CREDIT_SUM_DEBT"],
    ),
    (lambda file: json.dumps(file | {"bureau": [{"DAYS_CREDIT": "x"}]}).encode(), 422, ["bureau", 0, "DAYS_CREDIT"]),
    (lambda file: json.dumps(file | {"bureau": [{"SK_ID_CURR": 1}]}).encode(), 422, ["bureau", 0, "SK_ID_CURR"]),
    (lambda file: json.dumps(file | {"burea": []}).encode(), 422, ["burea"]),
    (lambda file: b"{}", 422, ["application"]),
    (lambda file: b"", 422, ["application"]),
    (lambda file: b'{"application": {', 400, []),
    (lambda file: b"[]", 422, []),
    (lambda file: b"\xff\xfe", 400, []),
]


@pytest.mark.parametrize(("body", "status", "path"), BAD_INPUT)
@pytest.mark.parametrize("endpoint", ["/predict", "/explain"])
def test_bad_input_gets_a_problem_with_its_path(client: httpx.Client, files: list[Json], endpoint, body, status, path):
    answer = client.post(endpoint, content=body(files[0]), headers={"Content-Type": "application/json"})
    assert path in [fault.loc for fault in problem(answer, status).errors]


def test_a_batch_answers_or_refuses_each_file_separately_in_order(client: httpx.Client, files: list[Json], journal):
    before = len(journal.ids())
    bad = {"application": files[0]["application"] | {"AMT_CREDIT": "much"}}
    answer = client.post("/predict_batch", json={"credit_files": [files[5], bad, files[0], "no file", files[5]]})
    assert answer.status_code == 200
    results = BatchPrediction.model_validate_json(answer.content).results
    assert [result.prediction is not None for result in results] == [True, False, True, False, True]
    assert [fault.loc for fault in results[1].problem.errors] == [["application", "AMT_CREDIT"]]
    assert results[1].problem.status == results[3].problem.status == 422
    for result, file in ((results[0], files[5]), (results[2], files[0]), (results[4], files[5])):
        alone = _decided(client, file, params={"purpose": "simulation"})
        assert result.prediction.SK_ID_CURR == file["application"]["SK_ID_CURR"]
        assert result.prediction.probability_of_default == pytest.approx(alone["probability_of_default"], rel=1e-12)
        assert result.prediction.reasons is None
    given = {result.prediction.decision_id for result in results if result.prediction}
    assert len(given) == 3
    assert given <= set(journal.ids())
    assert len(journal.ids()) == before + 3


def test_a_repeated_key_in_a_batch_is_refused_with_its_path(client: httpx.Client, files: list[Json], journal):
    before = journal.ids()
    repeating = _with(files[0])[:-2] + b', "AMT_CREDIT": 1}}'
    body = b'{"credit_files": [' + _with(files[1]) + b", " + repeating + b"]}"
    answer = client.post("/predict_batch", content=body, headers={"Content-Type": "application/json"})
    (fault,) = problem(answer, 422).errors
    assert (fault.type, fault.loc) == ("repeated_key", ["credit_files", 1, "application", "AMT_CREDIT"])
    assert journal.ids() == before


def test_a_batch_gives_the_same_reasons_on_request(client: httpx.Client, files: list[Json]):
    parameters = {"reasons": "true", "purpose": "simulation"}
    results = client.post("/predict_batch", params=parameters, json={"credit_files": files}).json()["results"]
    for result, file in zip(results, files, strict=True):
        alone = _decided(client, file, params={"purpose": "simulation"})
        reasons = [(reason["code"], reason["text"]) for reason in result["prediction"]["reasons"]]
        assert reasons == [(reason["code"], reason["text"]) for reason in alone["reasons"]]


def test_a_batch_too_is_idempotent(client: httpx.Client, files: list[Json]):
    header = {"Idempotency-Key": "a-batch"}
    first = client.post("/predict_batch", json={"credit_files": files[:2]}, headers=header).json()["results"]
    again = client.post("/predict_batch", json={"credit_files": [files[0], files[3]]}, headers=header).json()["results"]
    assert again[0] == first[0]
    assert again[1]["problem"]["status"] == 409


def test_a_batch_of_too_many_files_is_refused(client: httpx.Client, files: list[Json]):
    answer = client.post("/predict_batch", json={"credit_files": [files[0]] * (MAX_CREDIT_FILES + 1)})
    assert [fault.loc for fault in problem(answer, 422).errors] == [["credit_files"]]


def test_a_decision_can_be_read_again_with_its_reasons(client: httpx.Client, files: list[Json]):
    decided = _decided(client, files[4])
    record = client.get(f"/decisions/{decided['decision_id']}").json()
    DecisionOut.model_validate(record)
    assert record["reasons"] == decided["reasons"]
    assert record["credit_file"] == files[4]
    assert record["outcome"] == record["decision"] == decided["decision"]
    assert record["reviews"] == []
    results = client.post("/predict_batch", json={"credit_files": [files[4]]}).json()["results"]
    without_reasons = client.get(f"/decisions/{results[0]['prediction']['decision_id']}").json()
    assert without_reasons["reasons"] == decided["reasons"]
    problem(client.get(f"/decisions/{UNKNOWN_ID}"), 404)


@pytest.mark.promise("a review never rewrites the decision that it concerns")
def test_reviews_overturn_and_confirm_without_rewriting_the_decision(client: httpx.Client, files: list[Json]):
    decided = next(answer for file in files if (answer := _decided(client, file))["decision"] != "review")
    address, stands = f"/decisions/{decided['decision_id']}", decided["decision"]
    other = {"granted": "refused", "refused": "granted"}[stands]

    def review(**changes: str) -> httpx.Response:
        return client.post(
            f"{address}/review", json={"reviewer": "R. Viewer", "reason": "income was seen on paper"} | changes
        )

    assert "stands" in problem(review(verdict="confirmed", outcome=other), 409).detail
    assert review(verdict="overturned", outcome=other).status_code == 201
    assert review(verdict="confirmed", outcome=other).status_code == 201
    record = client.get(address).json()
    assert (record["decision"], record["outcome"]) == (stands, other)
    assert [review["verdict"] for review in record["reviews"]] == ["overturned", "confirmed"]
    assert record["reviews"][0]["reason"] == "income was seen on paper"
    short = problem(review(verdict="confirmed", outcome=other, reason="short"), 422)
    assert [fault.loc for fault in short.errors] == [["reason"]]
    valid = {"verdict": "confirmed", "outcome": "granted", "reason": "a good reason", "reviewer": "x"}
    repeating = json.dumps(valid).encode()[:-1] + b', "outcome": "refused"}'
    twice = client.post(f"{address}/review", content=repeating, headers={"Content-Type": "application/json"})
    assert [fault.loc for fault in problem(twice, 422).errors] == [["outcome"]]
    problem(client.post(f"/decisions/{UNKNOWN_ID}/review", json=valid), 404)


def test_a_contested_decision_is_listed_until_it_is_reviewed(client: httpx.Client, files: list[Json]):
    decided = next(answer for file in files if (answer := _decided(client, file))["decision"] != "review")
    address = f"/decisions/{decided['decision_id']}"
    of_client = {"client": decided["SK_ID_CURR"]}

    statement = client.post(f"{address}/contest", json={"statement": "I earn more now", "recorder": "A. Officer"})

    assert statement.status_code == 201
    contested = client.get("/decisions", params={"state": "contested"} | of_client).json()["decisions"]
    assert [listed["decision_id"] for listed in contested] == [decided["decision_id"]]
    assert client.get(f"{address}/replay").json()["verdict"] == "same"
    reviewed = {
        "verdict": "confirmed",
        "outcome": decided["decision"],
        "reason": "no payslip was given",
        "reviewer": "A. Officer",
        "contests": 1,
    }
    assert client.post(f"{address}/review", json=reviewed).status_code == 201
    assert client.get("/decisions", params={"state": "contested"} | of_client).json()["decisions"] == []
    everything = client.get("/decisions", params=of_client).json()["decisions"]
    assert {listed["decision_id"]: listed["state"] for listed in everything}[decided["decision_id"]] == "reviewed"


def test_the_model_card_describes_the_model(client: httpx.Client, model_folder: Path):
    card = ModelCard.model_validate_json(client.get("/model").content)
    scoring = ScoringModel(model_folder).manifest
    assert card.threshold == scoring.threshold
    assert card.rules == Rulebook.read()
    assert card.metrics == scoring.metrics
    assert [feature.feature for feature in card.features] == [feature.name for feature in scoring.features]
    assert all(feature.meaning.fr for feature in card.features)


@pytest.mark.promise("no value of a credit file reaches the log")
def test_rejected_values_do_not_reach_the_log(client: httpx.Client, files: list[Json]):
    client.post(
        "/predict",
        content=_with(files[0], AMT_CREDIT="a-secret-amount", CNT_CHILDREN=7410741.5),
        headers={"Content-Type": "application/json"},
    )
    log = service_log(client.base_url.port or 0).read_text()
    assert "application.AMT_CREDIT (float_type)" in log
    assert "a-secret-amount" not in log
    assert "7410741" not in log
    assert "Traceback" not in log


def test_the_service_is_alive_ready_and_documented(client: httpx.Client):
    assert client.get("/livez").status_code == client.get("/readyz").status_code == 200
    page = client.get("/")
    assert "static_content/swagger-ui-bundle.js" in page.text
    assert "https://" not in page.text
    assert client.get("/static_content/swagger-ui-bundle.js").status_code == 200
    document = client.get("/docs.json").json()
    assert document["paths"].keys() == {
        "/predict",
        "/predict_batch",
        "/explain",
        "/decisions",
        "/decisions/{decision_id}",
        "/decisions/{decision_id}/review",
        "/decisions/{decision_id}/contest",
        "/decisions/{decision_id}/replay",
        "/model",
        "/livez",
        "/readyz",
        "/metrics",
    }
    application = document["components"]["schemas"]["application_row"]["properties"]
    assert application["AMT_CREDIT"]["description"] == "amount of the loan"


def test_the_examples_of_the_documentation_are_accepted(client: httpx.Client):
    for path, methods in client.get("/docs.json").json()["paths"].items():
        if "requestBody" in methods.get("post", {}) and "{" not in path:
            body = methods["post"]["requestBody"]["content"]["application/json"]["example"]
            answer = client.post(path, json=body)
            assert answer.status_code == 200, (path, answer.text)
            assert "problem" not in str(answer.json().get("results", ""))[:12]
    warnings = _decided(client, EXAMPLE)["warnings"]
    assert {warning["kind"] for warning in warnings} == {"missing_field"}
    given = {f"application.{column}" for column in EXAMPLE["application"]}
    assert not given & {warning["field"] for warning in warnings}


@pytest.mark.parametrize("field", ["DAYS_ID_PUBLISH", "CNT_FAM_MEMBERS"])
def test_a_field_that_is_missing_is_named_in_every_answer(client: httpx.Client, files: list[Json], field: str):
    whole = files[3]["application"] | {"DAYS_LAST_PHONE_CHANGE": -900}  # 0 is how the data writes an unknown day
    file = files[3] | {"application": {name: value for name, value in whole.items() if name != field}}

    batch = client.post("/predict_batch", json={"credit_files": [file]}).json()["results"][0]["prediction"]
    for answer in (_decided(client, file), batch, client.post("/explain", json=file).json()):
        assert [(warning["kind"], warning["field"]) for warning in answer["warnings"]] == [
            ("missing_field", f"application.{field}")
        ]


def test_decisions_are_counted(client: httpx.Client, files: list[Json]):
    def counted() -> dict[str, float]:
        lines = client.get("/metrics").text.splitlines()
        return {
            name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line.startswith("credit_"))
        }

    before, decision = counted(), _decided(client, files[0])["decision"]
    odd = {"NAME_INCOME_TYPE": "Astronaut", "AMT_INCOME_TOTAL": 1e12, "DAYS_LAST_PHONE_CHANGE": 0}
    _decided(client, {"application": files[0]["application"] | odd})
    after = counted()

    def more(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert more(f'credit_decisions_total{{outcome="{decision}"}}') >= 1
    assert more("credit_probability_of_default_count") == more("credit_feature_null_share_count") == 2
    assert more("credit_journal_seconds_count") == 2
    assert [more(f'credit_unknown_fields_total{{column="application.{column}"}}') for column in odd] == [1, 1, 1]


IMPORTED = """
import sys
from bento.service import CreditScoring
service = CreditScoring()
assert service.state.model
print(sorted({"pandas", "sklearn", "mlflow", "shap", "evidently", "streamlit"} & set(sys.modules)))
"""


def test_the_service_imports_serving_packages_only(bento_tag: str):
    run = subprocess.run(
        [SERVING_PYTHON, "-c", IMPORTED], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip().endswith("[]")
