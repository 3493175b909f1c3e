"""One shape for the body of every error: RFC 9457, application/problem+json."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from bento.data.credit_file import MAX_NAME_LENGTH


class Fault(BaseModel):
    """One thing that is wrong with a request; never the value itself."""

    loc: list[str | int] = Field(description="path of the field, such as application, AMT_CREDIT")
    type: str = Field(examples=["float_type"])
    msg: str = Field(examples=["Input should be a valid number"])


class Problem(BaseModel):
    """The body of every error (RFC 9457, application/problem+json)."""

    type: Literal["about:blank"] = "about:blank"
    status: int
    title: str = Field(description="the status in words")
    detail: str = Field(description="what is wrong, and what to do")
    errors: list[Fault] = Field(default=[], description="the fields at fault, where there are any")


class ProblemError(Exception):
    """The request is not answered; holds the problem to say instead."""

    def __init__(self, found: Problem) -> None:
        super().__init__(found.detail)
        self.problem = found


MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 2
"""Seconds after which it is worth trying again where the service is busy, or its journal away."""
MAX_ERRORS = 100
"""Fields at fault that one answer names."""
OF_A_REQUEST = "IODescriptor"
"""How BentoML titles what is wrong with a request; a validation error of anything else is a fault of this service."""

DETAILS = {
    400: "the request cannot be read",
    401: "give an API key: Authorization: Bearer KEY",
    403: "the API key does not allow this",
    404: "there is nothing at this address",
    405: "this address does not answer this method",
    408: "the request did not arrive in time; send it in one go",
    409: "what is asked contradicts what is recorded",
    413: "the request is too large",
    415: "send JSON in UTF-8, uncompressed: Content-Type: application/json",
    422: "fields are missing or wrong",
    429: "too many requests; wait, then try again",
    500: "the service failed; the request is not to blame, and nothing was decided",
    503: "the service cannot decide at present, and nothing was decided; try again later",
    504: "no answer in time; ask again with the same Idempotency-Key",
}


def problem(status: int, detail: str | None = None, errors: Sequence[Fault] = ()) -> Problem:
    """The body of an error; what is wrong in general where no detail is given."""
    return Problem(
        status=status,
        title=HTTPStatus(status).phrase,
        detail=detail or DETAILS.get(status, HTTPStatus(status).phrase.lower()),
        errors=list(errors[:MAX_ERRORS]),
    )


def response(found: Problem, headers: dict[str, str] | None = None) -> Response:
    """The problem as an HTTP response; it says when to try again where that may help."""
    headers = dict(headers or {})
    if found.status in (429, 503):
        headers.setdefault("Retry-After", str(RETRY_AFTER))
    if found.status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return Response(found.model_dump_json(), found.status, headers, MEDIA_TYPE)


def invalid(error: ValidationError) -> Problem:
    """What is wrong with a request that does not fit its model; never with a value in it."""
    return _invalid(error.errors(include_url=False, include_context=False, include_input=False))


def reshaped(status: int, body: bytes) -> Problem:
    """An error that something else worded, such as BentoML or Starlette, in our shape."""
    try:
        content = json.loads(body)
    except ValueError:
        return problem(status)
    if not isinstance(content, dict):
        return problem(status)
    faults = content.get("detail")
    if not (isinstance(faults, list) and all(isinstance(fault, dict) and "loc" in fault for fault in faults)):
        return problem(status)
    if not str(content.get("error")).endswith(OF_A_REQUEST):
        return problem(500)
    return _invalid(faults)


def _invalid(faults: Sequence[Any]) -> Problem:
    named = [
        Fault(loc=[_short(part) for part in fault["loc"]], type=fault["type"], msg=fault["msg"]) for fault in faults
    ]
    if any(fault.type == "json_invalid" for fault in named):
        return problem(400, "the body is no JSON", named)
    count = f"{len(named)} fields are" if len(named) > 1 else "a field is"
    return problem(422, f"{count} missing or wrong", named)


def _short(part: str | int) -> str | int:
    """A part of a path; the name of an unknown field is the sender's own, and may be of any length."""
    return part[:MAX_NAME_LENGTH] if isinstance(part, str) else part
