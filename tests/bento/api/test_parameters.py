import pytest
from starlette.requests import Request

from bento.api.predictions import idempotency_key_of, purpose_of, switch_of
from bento.api.problems import ProblemError


def _request(query: str = "", **headers: str) -> Request:
    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": "/predict",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        }
    )


@pytest.mark.parametrize(
    ("query", "purpose"),
    [("", "decision"), ("purpose=decision", "decision"), ("other=1&purpose=simulation", "simulation")],
)
def test_the_default_purpose_is_a_decision(query: str, purpose: str):
    assert purpose_of(_request(query)) == purpose


@pytest.mark.parametrize("query", ["purpose=", "purpose=what-if", "purpose=Simulation", "purpose=decision%20"])
def test_an_unknown_purpose_is_a_422_that_does_not_repeat_it(query: str):
    with pytest.raises(ProblemError) as caught:
        purpose_of(_request(query))
    declined = caught.value.problem
    assert (declined.status, declined.detail) == (422, "purpose is wrong")
    assert [(fault.loc, fault.msg) for fault in declined.errors] == [
        (["query", "purpose"], "Input should be decision or simulation")
    ]


@pytest.mark.parametrize(
    ("query", "on"),
    [
        ("", False),
        ("reasons=true", True),
        ("reasons=True", True),
        ("reasons=1", True),
        ("reasons=false", False),
        ("reasons=0", False),
    ],
)
def test_a_switch_is_off_by_default(query: str, on: bool):
    assert switch_of(_request(query), "reasons") is on


@pytest.mark.parametrize("query", ["reasons=", "reasons=yes", "reasons=2", "reasons"])
def test_a_switch_that_is_neither_true_nor_false_is_a_422(query: str):
    with pytest.raises(ProblemError) as caught:
        switch_of(_request(query), "reasons")
    assert caught.value.problem.errors[0].loc == ["query", "reasons"]


@pytest.mark.parametrize("key", ["a", "!", "~", "4f1d7f2e-0b7e-4c6e-8a53-1f0e2a9d6b10", "x" * 200])
def test_an_idempotency_key_is_visible_ascii(key: str):
    assert idempotency_key_of(_request(**{"idempotency-key": key})) == key


def test_without_an_idempotency_key_there_is_none():
    assert idempotency_key_of(_request()) is None


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "a\n", "é", "\x7f", "x" * 201])
def test_another_idempotency_key_is_a_422_that_does_not_repeat_it(key: str):
    with pytest.raises(ProblemError) as caught:
        idempotency_key_of(_request(**{"idempotency-key": key}))
    declined = caught.value.problem
    assert (declined.status, declined.errors[0].loc) == (422, ["header", "Idempotency-Key"])
    assert declined.errors[0].msg == "Input should be 1 to 200 characters of visible ASCII, once"


@pytest.mark.parametrize("second", ["a", "b"])
def test_two_idempotency_keys_are_a_422(second: str):
    request = _request(**{"idempotency-key": "a"})
    request.scope["headers"].append((b"idempotency-key", second.encode()))
    with pytest.raises(ProblemError) as caught:
        idempotency_key_of(request)
    assert caught.value.problem.status == 422
