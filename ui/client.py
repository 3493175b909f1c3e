"""Client of the scoring service: sends credit files, returns validated answers or raises one named fault."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from ui.answers import AnswerPart, Explanation, Prediction, Text

HISTORIES = (
    "bureau",
    "bureau_balance",
    "previous_application",
    "POS_CASH_balance",
    "installments_payments",
    "credit_card_balance",
)

CreditFile = dict[str, Any]
"""One credit file as JSON: the object `application`, and a list of rows for each history."""

FaultKind = Literal[
    "unreachable",
    "not_ready",
    "timeout",
    "rejected",
    "unauthorised",
    "too_large",
    "too_many",
    "conflict",
    "failed",
    "unexpected",
    "file_too_large",
    "file_not_json",
    "file_repeats_key",
    "file_not_object",
    "file_without_application",
    "file_not_csv",
    "file_of_no_table",
    "files_mixed",
    "files_without_application",
]

STATUS_FAULTS: dict[int, FaultKind] = {
    401: "unauthorised",
    403: "unauthorised",
    404: "unexpected",
    405: "unexpected",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    429: "too_many",
    503: "not_ready",
    504: "timeout",
}


@dataclass(frozen=True)
class Detail:
    """The error of one rejected field."""

    field: str
    kind: str
    message: str
    text: dict[str, str] | None = None
    """The message in both languages, where the service has it in both."""


class NoAnswerError(Exception):
    """A request without an answer: the kind of fault, for which `messages` has a text, and the service's details.

    `details` are the rejected fields, `reason` is the service's own message, `wait` its `Retry-After` in seconds.
    """

    def __init__(
        self,
        kind: FaultKind,
        status: int | None = None,
        details: tuple[Detail, ...] = (),
        reason: str = "",
        wait: int | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status = status
        self.details = details
        self.reason = reason
        self.wait = wait


@dataclass(frozen=True)
class Column:
    """Type, limits and categories of one column; a flag is 1 for yes and 0 for no."""

    kind: Literal["integer", "number", "category", "flag"]
    minimum: float | None
    maximum: float | None
    categories: tuple[str, ...]
    required: bool
    labels: Mapping[str, Text] = field(default_factory=dict)
    """The words of categories."""
    unit: str = ""


Tables = dict[str, dict[str, Column]]
"""The columns that the service declares, by table."""


class _FieldError(AnswerPart):
    loc: tuple[int | str, ...]
    type: str
    msg: str
    text: Text | None = None


class _Problem(AnswerPart):
    """The body of an error (RFC 9457)."""

    detail: str
    errors: tuple[_FieldError, ...]


Answer = TypeVar("Answer", bound=AnswerPart)


LOOPBACK = ("all://127.0.0.1", "all://localhost", "all://[::1]")
"""Addresses of this machine, which no proxy of the environment can reach for us."""


def connect(address: str, seconds: float, key: str = "") -> httpx.Client:
    """Return a client of the service with the access key, if there is one, and a timeout in seconds.

    Raises NoAnswerError: unreachable, if the address is invalid; unauthorised, if the key is not printable ASCII.
    """
    if not (key.isascii() and key.isprintable()):
        raise NoAnswerError("unauthorised")
    try:
        return httpx.Client(
            base_url=address,
            timeout=seconds,
            headers={"Authorization": f"Bearer {key}"} if key else None,
            mounts=dict.fromkeys(LOOPBACK),
        )
    except httpx.InvalidURL as error:
        raise NoAnswerError("unreachable") from error


def shown_address(address: str) -> str:
    """Return an address as it is shown: without user and password.

    >>> shown_address("http://me:word@127.0.0.1:3000")
    'http://127.0.0.1:3000'
    """
    scheme, separator, place = address.rpartition("://")
    return f"{scheme}{separator}{place.rpartition('@')[2]}"


def check_ready(service: httpx.Client) -> None:
    """Raise NoAnswerError where the service is unreachable or not ready."""
    request(service, "GET", "/readyz")


def declared_tables(service: httpx.Client) -> Tables:
    """Return the columns of the tables with their limits and categories, once the service is ready.

    Raises NoAnswerError where the service is unreachable, not ready, or describes no application.
    """
    check_ready(service)
    document = _json(request(service, "GET", "/docs.json"))
    try:
        content = document["paths"]["/explain"]["post"]["requestBody"]["content"]
        tables = _resolved(document, content["application/json"]["schema"])["properties"]
        rows = {name: _resolved(document, table.get("items", table)) for name, table in tables.items()}
        return {
            name: {
                column: _column(_resolved(document, schema), required=column in row.get("required", ()))
                for column, schema in row["properties"].items()
            }
            for name, row in {"application": rows.pop("application"), **rows}.items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise NoAnswerError("unexpected") from error


def simulate(service: httpx.Client, credit_file: CreditFile) -> Prediction:
    """Request what would be decided on a credit file; the service records nothing.

    Raises NoAnswerError where the service is unreachable, rejects the file, or sends an answer of another shape.
    """
    prediction = validated(Prediction, request(service, "POST", "/predict?purpose=simulation", credit_file))
    if not prediction.simulated:
        raise NoAnswerError("unexpected")
    return prediction


def decide(service: httpx.Client, credit_file: CreditFile, key: str, officer: str, correction: str = "") -> Prediction:
    """Request the decision on a credit file, with the officer's name and, for a corrected file, why it was corrected.

    A second request with the same `key` (`Idempotency-Key`) gets the same decision, recorded once; then `replayed` is
    true. Raises NoAnswerError as `simulate` does.
    """
    headers = {"Idempotency-Key": key, "Officer": quote(officer), "Correction": quote(correction)}
    response = request(
        service,
        "POST",
        "/predict?purpose=decision",
        credit_file,
        {name: value for name, value in headers.items() if value},
    )
    prediction = validated(Prediction, response)
    if prediction.simulated:  # a decision that is not recorded
        raise NoAnswerError("unexpected")
    return prediction.model_copy(update={"replayed": response.headers.get("Idempotent-Replayed") == "true"})


def explain(service: httpx.Client, credit_file: CreditFile) -> Explanation:
    """Request the explanation of a credit file's score; the service neither decides nor records.

    Raises NoAnswerError as `simulate` does.
    """
    return validated(Explanation, request(service, "POST", "/explain", credit_file))


def request(
    service: httpx.Client,
    method: str,
    path: str,
    credit_file: CreditFile | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Send a request, with a JSON body or none, and return the answer; raise NoAnswerError where it is no success."""
    body = None if credit_file is None else json.dumps(credit_file, allow_nan=False).encode()
    try:
        response = service.request(
            method, path, content=body, headers={"Content-Type": "application/json", **(headers or {})}
        )
    except httpx.TimeoutException as error:
        raise NoAnswerError("timeout") from error
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise NoAnswerError("unreachable") from error
    if response.is_success:
        return response
    status = response.status_code
    kind: FaultKind = "unexpected"
    if status in STATUS_FAULTS:
        kind = STATUS_FAULTS[status]
    elif response.is_client_error:
        kind = "rejected"
    elif response.is_server_error:
        kind = "failed"
    details, reason = _problem(response)
    wait = response.headers.get("Retry-After", "")
    raise NoAnswerError(kind, status, details, reason, int(wait) if wait.isdecimal() else None)


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise NoAnswerError("unexpected", response.status_code) from error


def validated(model: type[Answer], response: httpx.Response) -> Answer:
    """Return the answer as its model; raise NoAnswerError where it has another shape."""
    received = _json(response)
    try:
        return model.model_validate({**received, "received": received})
    except (TypeError, ValidationError) as error:
        raise NoAnswerError("unexpected") from error


def _problem(response: httpx.Response) -> tuple[tuple[Detail, ...], str]:
    """Return the rejected fields and the message of a problem (RFC 9457); empty for a body of another shape."""
    try:
        problem = _Problem.model_validate_json(response.content)
    except ValidationError:
        return (), ""
    details = (Detail(".".join(map(str, fault.loc)), fault.type, fault.msg, fault.text) for fault in problem.errors)
    return tuple(details), problem.detail


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, or the alternative that is not null, to the schema itself."""
    if "$ref" in schema:
        return _resolved(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for alternative in schema.get("anyOf", ()):
        if alternative.get("type") != "null":
            return _resolved(document, alternative)
    return schema


def _column(schema: Mapping[str, Any], *, required: bool) -> Column:
    kinds: dict[str, Literal["integer", "number"]] = {"integer": "integer", "number": "number"}
    unit = schema.get("unit", "")
    return Column(
        kind="flag" if unit == "flag" else kinds.get(schema["type"], "category"),
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
        categories=tuple(schema.get("enum", schema.get("examples", ()))),
        required=required,
        labels=TypeAdapter(dict[str, Text]).validate_python(schema.get("labels", {})),
        unit=unit,
    )
