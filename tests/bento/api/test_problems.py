"""One shape for every error, whoever worded it: tried on what BentoML and Starlette really say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from bento.api import problems
from bento.api.middleware.gateway import HEADERS
from bento.api.problems import (
    DETAILS,
    MAX_ERRORS,
    MEDIA_TYPE,
    RETRY_AFTER,
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
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert SECRET not in answer.text
    found = Problem.model_validate_json(answer.content)
    assert found.status == answer.status_code
    return found


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
def test_what_bentoml_says_of_a_bad_request(content: bytes, status: int, faults: list[tuple[str, str]]):
    found = _asked("POST", "/predict", content)
    assert found.status == status
    assert [(".".join(map(str, fault.loc)), fault.type) for fault in found.errors] == faults
    assert found.detail == ("the body is no JSON" if status == 400 else "a field is missing or wrong")


@pytest.mark.parametrize(("method", "path"), [("POST", "/broken"), ("POST", "/unfit"), ("GET", "/unfit")])
def test_a_fault_of_the_service_is_never_laid_on_the_request(method: str, path: str):
    found = _asked(method, path)
    assert (found.status, found.detail, found.errors) == (500, DETAILS[500], [])


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
def test_what_else_is_refused_is_said_in_general(method: str, path: str, status: int):
    found = _asked(method, path)
    assert (found.status, found.detail, found.errors) == (status, DETAILS[status], [])


@given(status=st.sampled_from(sorted(DETAILS)), body=st.one_of(st.binary(max_size=100), st.text(max_size=100)))
def test_whatever_an_error_says_it_gets_the_shape(status: int, body: bytes | str):
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert reshaped(status, said) == problem(status)


@given(
    content=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "detail", "loc"]), inner),
        max_leaves=10,
    )
)
def test_no_json_of_another_shape_breaks_it(content: object):
    assert reshaped(404, json.dumps(content).encode()).status in (404, 422, 500)


def test_problems_say_when_to_try_again_and_how_to_identify_oneself():
    assert response(problem(429)).headers["Retry-After"] == str(RETRY_AFTER)
    assert response(problem(503)).headers["Retry-After"] == str(RETRY_AFTER)
    assert response(problem(503), {"Retry-After": "60"}).headers["Retry-After"] == "60"
    assert response(problem(401)).headers["WWW-Authenticate"] == "Bearer"
    assert {"retry-after", "www-authenticate"}.isdisjoint(response(problem(404)).headers)


def test_a_problem_without_words_of_its_own_says_what_its_status_means():
    assert problem(404) == Problem(status=404, title="Not Found", detail="there is nothing at this address")
    assert problem(418).detail == "i'm a teapot"
    assert problem(404, "there is no decision of this id").detail == "there is no decision of this id"


def test_no_more_faults_are_named_than_can_be_read():
    faults = [Fault(loc=[number], type="missing", msg="Field required") for number in range(MAX_ERRORS + 1)]
    assert problem(422, None, faults).errors == faults[:MAX_ERRORS]


class Careless(BaseModel):
    amount: float
    term: int


def test_a_validation_error_is_told_without_the_values():
    with pytest.raises(ValidationError) as caught:
        Careless.model_validate({"amount": SECRET, "term": SECRET})
    found = invalid(caught.value)
    assert SECRET in str(caught.value)
    assert SECRET not in found.model_dump_json()
    assert (found.status, found.detail) == (422, "2 fields are missing or wrong")
    assert [fault.loc for fault in found.errors] == [["amount"], ["term"]]


def test_the_name_of_an_unknown_field_is_shortened():
    found = _asked("POST", "/predict", json.dumps({"amount": 1, "x" * 1000: 1}).encode())
    assert found.errors[0].loc == ["x" * problems.MAX_NAME_LENGTH]
