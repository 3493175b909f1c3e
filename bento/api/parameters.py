"""The parameters of a request beside its body: purpose, idempotency key, switches."""

import re
from typing import get_args

from starlette.requests import Request

from bento.api.problems import Fault, ProblemError, problem
from bento.api.schemas import Purpose

IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,200}")
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
SWITCH_VALUES = {"true": True, "1": True, "false": False, "0": False}


def purpose_of(request: Request) -> Purpose:
    """Return the query parameter `purpose`.

    Raises:
        ProblemError: it is neither decision nor simulation.
    """
    value = request.query_params.get("purpose", PURPOSES[0])
    if value not in PURPOSES:
        raise _wrong_parameter("query", "purpose", f"Input should be {' or '.join(PURPOSES)}")
    return value


def switch_of(request: Request, name: str) -> bool:
    """Return a query parameter that is true or false, false by default.

    Raises:
        ProblemError: it is neither.
    """
    value = request.query_params.get(name, "false").lower()
    if value not in SWITCH_VALUES:
        raise _wrong_parameter("query", name, "Input should be true or false")
    return SWITCH_VALUES[value]


def idempotency_key_of(request: Request) -> str | None:
    """Return the header `Idempotency-Key`, None where there is none.

    Raises:
        ProblemError: it is empty, longer than 200 characters, or holds others than visible ASCII.
    """
    value = request.headers.get("Idempotency-Key")
    if value is not None and IDEMPOTENCY_KEY.fullmatch(value) is None:
        raise _wrong_parameter("header", "Idempotency-Key", "Input should be 1 to 200 characters of visible ASCII")
    return value


def _wrong_parameter(place: str, name: str, message: str) -> ProblemError:
    return ProblemError(problem(422, f"{name} is wrong", [Fault(loc=[place, name], type="value_error", msg=message)]))
