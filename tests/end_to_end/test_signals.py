"""What a running service reports: every line of its log as JSON, and every metric that rules and dashboard read."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.support.deadlines import wait_until
from tests.support.monitoring import metrics_read
from tests.support.services import FILES, Service, served

LOG_TIMEOUT_S = 10.0
"""Seconds for a line to be written once its request is answered."""


@pytest.fixture(scope="module")
def service(bento_tag: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a service that logs as JSON, and have it decide, review, refuse and fail to find."""
    folder = tmp_path_factory.mktemp("signals")
    with served(bento_tag, f"sqlite:///{folder}/journal.db", folder, SCORING_LOG_FORMAT="json") as running:
        yield running


def _lines(service: Service) -> list[dict]:
    return [json.loads(line) for line in service.log.read_text("utf-8").splitlines()]


def _lines_of(service: Service, answer: httpx.Response) -> list[dict]:
    """Return the lines of the request log that belong to an answer: they are written once it is sent."""
    identifier = answer.headers["X-Request-ID"]

    def lines() -> list[dict]:
        return [line for line in _lines(service) if line.get("request_id") == identifier and "route" in line]

    wait_until(lambda: bool(lines()), LOG_TIMEOUT_S)
    return lines()


def _line(service: Service, answer: httpx.Response) -> dict:
    (line,) = _lines_of(service, answer)
    return line


def _review(decision: str) -> dict:
    verdict = "confirmed" if decision == "granted" else "overturned"
    return {"verdict": verdict, "outcome": "granted", "reason": "papers were seen", "reviewer": "N. N."}


def test_a_decision_is_logged_with_its_id_its_key_and_its_model(service: Service):
    answer = service.predict(headers={"X-Request-ID": "order-17"})

    line, content = _line(service, answer), answer.json()
    assert line["request_id"] == "order-17"
    assert line["decision_id"] == content["decision_id"]
    assert (line["key_id"], line["model_version"]) == ("local", content["model"]["version"])
    assert (line["method"], line["route"], line["status"]) == ("POST", "/predict", 200)


def test_a_repeated_request_is_logged_with_the_first_decision(service: Service):
    headers = {"Idempotency-Key": "twice"}
    first, second = service.predict(headers=headers), service.predict(headers=headers)

    assert _line(service, first)["decision_id"] == _line(service, second)["decision_id"] == second.json()["decision_id"]


def test_a_batch_is_logged_with_the_ids_of_its_decisions(service: Service):
    answer = service.post("/predict_batch", {"credit_files": FILES[:2]})

    decided = [item["prediction"]["decision_id"] for item in answer.json()["results"]]
    assert _line(service, answer)["decision_ids"] == decided


def test_a_decision_that_is_read_or_reviewed_is_logged_with_its_id(service: Service):
    decision = service.predict().json()
    path = f"/decisions/{decision['decision_id']}"

    for answer in (service.get(path), service.post(f"{path}/review", _review(decision["decision"]))):
        assert answer.status_code in (200, 201), answer.text
        assert _line(service, answer)["decision_id"] == decision["decision_id"]


def test_a_refused_request_is_logged_without_what_it_held(service: Service):
    answer = service.post("/predict?name=Camille", {"application": {"AMT_CREDIT": "Camille Martin"}})

    assert answer.status_code == 422
    assert _line(service, answer)["status"] == 422
    assert "Camille" not in service.log.read_text("utf-8")


def test_a_forged_line_stays_within_its_own(service: Service):
    answer = service.get("/x%0a%7b%22level%22:%22INFO%22,%22message%22:%22forged%22%7d%1b[31m")

    assert _line(service, answer)["route"] == "elsewhere"
    assert "forged" not in service.log.read_text("utf-8")


@pytest.mark.promise("every line of the log is one JSON object, from the start of the service")
def test_every_line_is_one_json_object(service: Service):
    _line(service, service.predict())

    for line in _lines(service):
        assert {"level", "logger", "message", "time"} <= line.keys()


def test_nothing_personal_is_in_the_log(service: Service):
    for file in FILES:
        _line(service, service.predict(file))
    text = service.log.read_text("utf-8")

    for file in FILES:
        application = file["application"]
        for column in ("SK_ID_CURR", "AMT_CREDIT", "AMT_INCOME_TOTAL", "DAYS_BIRTH", "OCCUPATION_TYPE"):
            value = application.get(column)
            assert value is None or not re.search(rf"(?<![\w.-]){re.escape(str(value))}(?![\w.])", text), column


@pytest.mark.promise("every metric that an alert or the dashboard reads is in /metrics")
def test_every_metric_of_rules_and_dashboard_is_served(service: Service):
    decision = service.predict().json()
    service.post(f"/decisions/{decision['decision_id']}/review", _review(decision["decision"]))
    service.predict({"application": FILES[0]["application"] | {"NAME_INCOME_TYPE": "Astronaut"}})
    implausible = FILES[0]["application"] | {"AMT_INCOME_TOTAL": 1e12, "AMT_ANNUITY": 1.0}
    service.predict({"application": implausible})

    served_names = set(re.findall(r"^([a-zA-Z_:]\w*)(?:\{| )", service.get("/metrics").text, re.MULTILINE))

    assert metrics_read() - served_names == set()


def test_build_and_readiness_are_stated(service: Service):
    text = service.get("/metrics").text
    card = service.get("/model").json()

    (build,) = re.findall(r"^credit_build_info\{(.*)\} 1\.0$", text, re.MULTILINE)
    labels = dict(re.findall(r'(\w+)="([^"]*)"', build))
    assert labels == {
        "model": card["model"]["name"],
        "version": card["model"]["version"],
        "bento": card["bento"],
        "code": card["code"],
        "rules": card["rules_version"],
    }
    assert re.search(r"^credit_ready 1\.0$", text, re.MULTILINE)
    assert re.search(r"^credit_journal_ready 1\.0$", text, re.MULTILINE)


def test_a_journal_that_is_away_shows_in_the_metrics(service: Service):
    files = list(service.log.parent.glob("journal.db*"))
    for file in files:
        file.rename(file.with_name(f"away_{file.name}"))
    try:
        assert re.search(r"^credit_journal_ready 0\.0$", service.get("/metrics").text, re.MULTILINE)
        assert not service.is_ready()
    finally:
        for file in files:
            file.with_name(f"away_{file.name}").rename(file)
    assert re.search(r"^credit_journal_ready 1\.0$", service.get("/metrics").text, re.MULTILINE)
