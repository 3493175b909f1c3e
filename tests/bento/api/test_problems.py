import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from bento.api import problems
from bento.api.middleware.problem_details import SECURITY_HEADERS
from bento.api.problems import (
    DETAILS,
    MAX_ERRORS,
    MEDIA_TYPE,
    RETRY_AFTER_S,
    Fault,
    Problem,
    invalid,
    problem,
    reshaped,
    response,
)
from tests.support import small_service
from tests.support.small_service import SECRET


def _asked(method: str, path: str, content: bytes = b'{"amount": 1}') -> Problem:
    answer = small_service.ask(method, path, content)
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert SECRET not in answer.text
    answered = Problem.model_validate_json(answer.content)
    assert answered.status == answer.status_code
    return answered


@pytest.mark.parametrize(
    ("content", "status", "faults"),
    [
        (b'{"amount": "a-secret-amount"}', 422, [("amount", "float_parsing")]),
        (b"{}", 422, [("amount", "missing")]),
        (b"", 422, [("amount", "missing")]),
        (b'{"amount": 1, "other": 2}', 422, [("other", "extra_forbidden")]),
        (b"[]", 422, [("", "model_type")]),
        (b"{", 400, [("", "json_invalid")]),
        (b'"\xff"', 400, [("", "json_invalid")]),
    ],
)
def test_a_bad_request_names_the_fields_at_fault(content: bytes, status: int, faults: list[tuple[str, str]]):
    answered = _asked("POST", "/predict", content)
    assert answered.status == status
    assert [(".".join(map(str, fault.loc)), fault.type) for fault in answered.errors] == faults
    assert answered.detail == ("the body is no JSON" if status == 400 else "a field is missing or wrong")


@pytest.mark.parametrize(("method", "path"), [("POST", "/broken"), ("POST", "/unfit"), ("GET", "/unfit")])
def test_a_fault_of_the_service_is_a_500(method: str, path: str):
    answered = _asked(method, path)
    assert (answered.status, answered.detail, answered.errors) == (500, DETAILS[500], [])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("POST", "/nowhere", 404),
        ("GET", "/predict", 405),
        ("PUT", "/predict", 405),
        ("OPTIONS", "/predict", 405),
        ("DELETE", "/decisions/1", 405),
        ("POST", "/refused", 400),
    ],
)
def test_other_refusals_get_the_detail_of_their_status(method: str, path: str, status: int):
    answered = _asked(method, path)
    assert (answered.status, answered.detail, answered.errors) == (status, DETAILS[status], [])


@given(status=st.sampled_from(sorted(DETAILS)), body=st.one_of(st.binary(max_size=100), st.text(max_size=100)))
def test_an_error_with_any_body_gets_the_problem_of_its_status(status: int, body: bytes | str):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert reshaped(status, content) == problem(status)


@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "detail", "loc"]), inner),
        max_leaves=10,
    )
)
def test_json_of_any_shape_is_reshaped(content: object):
    assert reshaped(404, json.dumps(content).encode()).status in (404, 422, 500)


def test_problems_carry_retry_after_and_www_authenticate():
    assert response(problem(429)).headers["Retry-After"] == str(RETRY_AFTER_S)
    assert response(problem(503)).headers["Retry-After"] == str(RETRY_AFTER_S)
    assert response(problem(503), {"Retry-After": "60"}).headers["Retry-After"] == "60"
    assert response(problem(401)).headers["WWW-Authenticate"] == "Bearer"
    assert {"retry-after", "www-authenticate"}.isdisjoint(response(problem(404)).headers)


def test_a_problem_without_a_detail_takes_that_of_its_status():
    assert problem(404) == Problem(status=404, title="Not Found", detail="there is nothing at this address")
    assert problem(418).detail == "i'm a teapot"
    assert problem(404, "there is no decision of this id").detail == "there is no decision of this id"


def test_the_number_of_faults_in_an_answer_is_limited():
    faults = [Fault(loc=[number], type="missing", msg="Field required") for number in range(MAX_ERRORS + 1)]
    assert problem(422, None, faults).errors == faults[:MAX_ERRORS]


class Careless(BaseModel):
    amount: float
    term: int


def test_a_validation_error_is_reported_without_values():
    with pytest.raises(ValidationError) as caught:
        Careless.model_validate({"amount": SECRET, "term": SECRET})
    answered = invalid(caught.value)
    assert SECRET in str(caught.value)
    assert SECRET not in answered.model_dump_json()
    assert (answered.status, answered.detail) == (422, "2 fields are missing or wrong")
    assert [fault.loc for fault in answered.errors] == [["amount"], ["term"]]


def test_the_name_of_an_unknown_field_is_shortened():
    answered = _asked("POST", "/predict", json.dumps({"amount": 1, "x" * 1000: 1}).encode())
    assert answered.errors[0].loc == ["x" * problems.MAX_NAME_LENGTH]
