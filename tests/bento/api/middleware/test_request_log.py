"""Each request is logged once, with its id and without anything that the sender chose."""

import logging
from typing import Any

import pytest

from bento.api.middleware.request_log import HEADER
from tests.support import small_service
from tests.support.small_service import SECRET, ask

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the fields of the lines of the request log."""
    return [vars(record) for record in caplog.records if record.name == "bentoml.access"]


@pytest.mark.promise("one log line a request: id, route, status, duration, key; nothing of the sender")
def test_a_request_is_logged_once(caplog: pytest.LogCaptureFixture):
    answer = ask("POST", "/predict")

    (line,) = lines(caplog)
    assert line["request_id"] == answer.headers[HEADER]
    assert (line["method"], line["route"], line["status"], line["key_id"]) == ("POST", "/predict", 200, "local")
    assert 0 < line["ms"] < 60_000


def test_an_id_of_the_sender_is_logged_and_answered(caplog: pytest.LogCaptureFixture):
    answer = ask("POST", "/predict", **{HEADER: "order-17/3"})

    assert answer.headers[HEADER] == lines(caplog)[0]["request_id"] == "order-17/3"


@pytest.mark.parametrize("presented", ["a b", "x" * 129, "forged\x1b[31m", "id,other", ""])
def test_an_id_of_other_characters_is_replaced(presented: str, caplog: pytest.LogCaptureFixture):
    answer = ask("POST", "/predict", **{HEADER: presented})

    assert answer.headers[HEADER] == lines(caplog)[0]["request_id"]
    assert len(answer.headers[HEADER]) == 32


def test_without_an_id_the_trace_id_of_traceparent_is_taken():
    assert ask("POST", "/predict", traceparent=TRACEPARENT).headers[HEADER] == TRACE_ID


@pytest.mark.parametrize("traceparent", ["nonsense", TRACEPARENT.replace(TRACE_ID, "0" * 32), TRACEPARENT.upper()])
def test_a_broken_traceparent_is_ignored(traceparent: str):
    answer = ask("POST", "/predict", traceparent=traceparent)

    assert answer.headers[HEADER] not in (TRACE_ID, "0" * 32)


def test_two_requests_have_two_ids():
    first, second = small_service.ask_all([("POST", "/predict", b'{"amount": 1}')] * 2)

    assert first.headers[HEADER] != second.headers[HEADER]


@pytest.mark.parametrize("path", [f"/{SECRET}", "/decisions/x%0a2026-01-01 [INFO] forged%1b[31m", f"/predict?{SECRET}"])
def test_the_path_is_logged_as_its_template(path: str, caplog: pytest.LogCaptureFixture):
    ask("GET", path)

    (line,) = lines(caplog)
    assert line["route"] in ("elsewhere", "/decisions/{decision_id}", "/predict")
    assert SECRET not in str(line)
    assert "forged" not in str(line)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/broken", 500), ("POST", "/slow", 504), ("GET", "/predict", 405)]
)
def test_every_error_is_logged_and_has_an_id(method: str, path: str, status: int, caplog: pytest.LogCaptureFixture):
    answer = ask(method, path)

    (line,) = lines(caplog)
    assert answer.status_code == line["status"] == status
    assert answer.headers[HEADER] == line["request_id"]


def test_health_checks_are_not_logged_but_have_an_id(caplog: pytest.LogCaptureFixture):
    answer = ask("GET", "/livez")

    assert answer.status_code == 200
    assert len(answer.headers[HEADER]) == 32
    assert lines(caplog) == []
