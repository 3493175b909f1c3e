"""The body of every error, in one shape: RFC 9457, application/problem+json."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from bento.data.credit_file import MAX_NAME_LENGTH
from bento.i18n import Wording
from bento.rules.check import RuleFault

ProblemType = Literal[
    "about:blank",
    "urn:credit-scoring:problem:altered-entry",
    "urn:credit-scoring:problem:unreadable-entry",
    "urn:credit-scoring:problem:keys-not-readable",
    "urn:credit-scoring:problem:no-model",
    "urn:credit-scoring:problem:journal-away",
    "urn:credit-scoring:problem:journal-login",
    "urn:credit-scoring:problem:journal-missing",
    "urn:credit-scoring:problem:journal-replaced",
    "urn:credit-scoring:problem:journal-full",
    "urn:credit-scoring:problem:journal-read-only",
    "urn:credit-scoring:problem:journal-rights",
    "urn:credit-scoring:problem:journal-locked",
    "urn:credit-scoring:problem:journal-damaged",
    "urn:credit-scoring:problem:journal-disk",
    "urn:credit-scoring:problem:journal-other",
]
"""`about:blank` says no more than the status; two concern entries of the journal, and the rest says why /readyz answers
503: `journal-` and a `bento.journal.causes.Cause`, for programs; the log says it in words."""
ALTERED: ProblemType = "urn:credit-scoring:problem:altered-entry"
"""The entry is not as it was written; an operator runs `journal verify`."""
UNREADABLE: ProblemType = "urn:credit-scoring:problem:unreadable-entry"
"""The entry cannot be decrypted: the master key is another, or the key of the client is not in the journal."""


class Fault(BaseModel):
    """One thing that is wrong with a request; never the value itself."""

    loc: list[str | int] = Field(description="path of the field, such as application, AMT_CREDIT")
    type: str = Field(examples=["float_type"])
    msg: str = Field(examples=["Input should be a valid number"])
    text: Wording | None = Field(default=None, description="in both languages, where a rule of the lender is at fault")


class Problem(BaseModel):
    """The body of every error (RFC 9457, application/problem+json)."""

    type: ProblemType = "about:blank"
    status: int
    title: str = Field(description="the status in words")
    detail: str = Field(description="what is wrong, and what to do")
    errors: list[Fault] = Field(default=[], description="the fields at fault, where there are any")


class ProblemError(Exception):
    """The request is answered with a problem."""

    def __init__(self, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem.detail)
        self.problem, self.headers = problem, headers


MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2
"""Seconds after which a client may try again where the service is busy, or its journal does not answer."""
MAX_ERRORS = 100
"""Fields at fault that one answer lists."""
REQUEST_MODEL_SUFFIX = "IODescriptor"
"""Ends the title of BentoML's validation errors of a request; an error of any other model is the service's own."""

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


def problem(
    status: int, detail: str | None = None, errors: Sequence[Fault] = (), kind: ProblemType = "about:blank"
) -> Problem:
    """Return the body of an error; without a detail, the one of its status in `DETAILS`."""
    return Problem(
        type=kind,
        status=status,
        title=HTTPStatus(status).phrase,
        detail=detail or DETAILS.get(status, HTTPStatus(status).phrase.lower()),
        errors=list(errors[:MAX_ERRORS]),
    )


def unreadable(*, is_altered: bool) -> Problem:
    """Return the problem of an entry of the journal that cannot be used as it is."""
    if is_altered:
        return problem(500, "the entry is not as it was written; the operator runs: journal verify", kind=ALTERED)
    return problem(500, "the entry cannot be decrypted with the keys that the service has", kind=UNREADABLE)


def response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Return a problem as an HTTP response, with Retry-After where a later request may succeed."""
    headers = dict(headers or {})
    if problem.status in (429, 503):
        headers.setdefault("Retry-After", str(RETRY_AFTER_S))
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return Response(problem.model_dump_json(), problem.status, headers, MEDIA_TYPE)


def as_http_exception(problem: Problem) -> HTTPException:
    """Return a problem as the exception that BentoML's own endpoints, such as /readyz, can raise."""
    answer = response(problem)
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return HTTPException(problem.status, bytes(answer.body).decode(), headers)


def invalid(error: ValidationError) -> Problem:
    """Return the problem of a request that does not fit its model, without any of its values."""
    return _invalid(error.errors(include_url=False, include_context=False, include_input=False))


def wrong_parameter(place: str, name: str, message: str) -> ProblemError:
    """Return the error of a parameter in `place`, query or header, without its value."""
    return ProblemError(problem(422, f"{name} is wrong", [Fault(loc=[place, name], type="value_error", msg=message)]))


def impossible(faults: Sequence[RuleFault]) -> Problem:
    """Return the problem of an application that is impossible by rules of the lender."""
    return _of_faults(
        [
            Fault(loc=["application", fault.field], type=f"rule_{fault.code}", msg=fault.text.en, text=fault.text)
            for fault in faults
        ]
    )


def reshaped(status: int, body: bytes) -> Problem:
    """Return the problem that replaces an error body of BentoML or Starlette."""
    try:
        content = json.loads(body)
    except ValueError:
        return problem(status)
    if not isinstance(content, dict):
        return problem(status)
    faults = content.get("detail")
    if not (isinstance(faults, list) and all(isinstance(fault, dict) and "loc" in fault for fault in faults)):
        return problem(status)
    if not str(content.get("error")).endswith(REQUEST_MODEL_SUFFIX):
        return problem(500)
    return _invalid(faults)


def _invalid(errors: Sequence[Any]) -> Problem:
    faults = [
        Fault(loc=[_short(part) for part in error["loc"]], type=error["type"], msg=error["msg"]) for error in errors
    ]
    if any(fault.type == "json_invalid" for fault in faults):
        return problem(400, "the body is no JSON", faults)
    return _of_faults(faults)


def _of_faults(faults: Sequence[Fault]) -> Problem:
    count = f"{len(faults)} fields are" if len(faults) > 1 else "a field is"
    return problem(422, f"{count} missing or wrong", faults)


def _short(part: str | int) -> str | int:
    """Shorten a part of a path: the name of an unknown field comes from the sender, and may be of any length."""
    return part[:MAX_NAME_LENGTH] if isinstance(part, str) else part
