"""What a request says beside its body: purpose, idempotency key, switches."""

import re
from typing import get_args

from starlette.requests import Request

from bento.api.problems import Fault, ProblemError, problem
from bento.api.schemas import Purpose

IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,200}")
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
SWITCH = {"true": True, "1": True, "false": False, "0": False}


def purpose_of(request: Request) -> Purpose:
    """The query parameter `purpose`.

    Raises:
        ProblemError: it is no purpose.
    """
    given = request.query_params.get("purpose", PURPOSES[0])
    if given not in PURPOSES:
        raise _wrong("query", "purpose", f"Input should be {' or '.join(PURPOSES)}")
    return given


def switch_of(request: Request, name: str) -> bool:
    """A query parameter that is true or false, false by default.

    Raises:
        ProblemError: it is neither.
    """
    given = request.query_params.get(name, "false").lower()
    if given not in SWITCH:
        raise _wrong("query", name, "Input should be true or false")
    return SWITCH[given]


def idempotency_key_of(request: Request) -> str | None:
    """The header `Idempotency-Key`.

    Raises:
        ProblemError: it is empty, longer than 200 characters, or holds others than visible ASCII.
    """
    given = request.headers.get("Idempotency-Key")
    if given is not None and IDEMPOTENCY_KEY.fullmatch(given) is None:
        raise _wrong("header", "Idempotency-Key", "Input should be 1 to 200 characters of visible ASCII")
    return given


def _wrong(place: str, name: str, message: str) -> ProblemError:
    return ProblemError(problem(422, f"{name} is wrong", [Fault(loc=[place, name], type="value_error", msg=message)]))
