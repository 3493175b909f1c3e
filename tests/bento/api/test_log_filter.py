import json
import logging

import pytest
from pydantic import BaseModel, ValidationError

from bento.api.log_filter import MAX_LOGGED_FIELDS, REQUEST_ERRORS, keep_personal_data_out
from tests.support import small_service
from tests.support.small_service import SECRET


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def _logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, tracebacks and arguments included."""
    formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")
    return "\n".join(formatter.format(record) + repr(record.args) for record in caplog.records)


def test_a_rejected_request_is_logged_as_info_without_values(caplog: pytest.LogCaptureFixture):
    content = json.dumps({"amount": SECRET, "Camille Martin": 1}).encode()
    assert small_service.ask("POST", "/predict", content).status_code == 422
    logged = _logged(caplog)
    assert "INFO rejected: amount (float_parsing), body (extra_forbidden)" in logged
    assert "Traceback" not in logged
    assert SECRET not in logged
    assert "Martin" not in logged


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_fault_of_the_service_is_logged_with_its_place_without_values(method: str, caplog: pytest.LogCaptureFixture):
    assert small_service.ask(method, "/unfit").status_code == 500
    if method == "GET":  # under uvicorn, which the test has no part of
        _report("uvicorn.error", {"amount": SECRET})
    logged = _logged(caplog)
    assert "ERROR the service failed, Careless does not fit: amount (float_parsing)" in logged
    assert "model_validate" in logged
    assert SECRET not in logged


def test_other_exceptions_are_logged_unchanged(caplog: pytest.LogCaptureFixture):
    assert small_service.ask("POST", "/broken").status_code == 500
    logged = _logged(caplog)
    assert "ERROR Exception on /broken [POST]" in logged
    assert "ZeroDivisionError" in logged


class Careless(BaseModel):
    amount: float


class Rows(BaseModel):
    rows: list[Careless]


def _report(logger: str, content: object, model: type[BaseModel] = Careless) -> None:
    """Report a failure as uvicorn and BentoML do."""
    keep_personal_data_out()
    try:
        model.model_validate(content)
    except ValidationError as error:
        logging.getLogger(logger).error("Exception in ASGI application\n", exc_info=error)


@pytest.mark.parametrize("logger", REQUEST_ERRORS)
def test_the_number_of_logged_fields_is_limited(logger: str, caplog: pytest.LogCaptureFixture):
    _report(logger, {"rows": [{"amount": SECRET}] * (MAX_LOGGED_FIELDS + 5)}, Rows)
    logged = _logged(caplog)
    assert "rows.19.amount (float_parsing) and 5 more" in logged
    assert "rows.20" not in logged
    assert SECRET not in logged


def test_the_filter_is_installed_once():
    for _ in range(3):
        keep_personal_data_out()
    for name in REQUEST_ERRORS:
        assert [type(present).__name__ for present in logging.getLogger(name).filters].count("_RejectedFields") == 1
