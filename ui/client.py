"""The scoring service as the page sees it: credit files out, answers or one named fault in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import httpx

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
    "failed",
    "unexpected",
    "file_too_large",
    "file_not_json",
    "file_not_object",
    "file_without_application",
]

STATUS_FAULTS: dict[int, FaultKind] = {
    401: "unauthorised",
    403: "unauthorised",
    404: "unexpected",
    405: "unexpected",
    408: "timeout",
    413: "too_large",
    429: "too_many",
    503: "not_ready",
    504: "timeout",
}


@dataclass(frozen=True)
class Detail:
    """What the service says about one field it rejects."""

    field: str
    kind: str
    message: str


class NoAnswerError(Exception):
    """Why there is no answer: a kind the page has words for, and what the service said."""

    def __init__(self, kind: FaultKind, status: int | None = None, details: tuple[Detail, ...] = ()) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status = status
        self.details = details


@dataclass(frozen=True)
class Column:
    """What the service accepts in one field of the application."""

    kind: Literal["integer", "number", "category"]
    minimum: float | None
    maximum: float | None
    categories: tuple[str, ...]
    required: bool


@dataclass(frozen=True)
class GroupReason:
    """What the data of one theme adds to the log-odds of default."""

    label: Mapping[str, str]
    contribution: float


@dataclass(frozen=True)
class FeatureReason:
    """What one item of data adds to the log-odds of default."""

    meaning: Mapping[str, str]
    unit: str
    value: float | str | None
    contribution: float


@dataclass(frozen=True)
class FieldWarning:
    """Something in the file that was scored all the same."""

    field: str
    message: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """A decision with its reasons; `received` is the answer as the service sent it."""

    client: int
    probability: float
    threshold: float
    decision: Literal["granted", "refused"]
    log_odds: float
    base_value: float
    groups: tuple[GroupReason, ...]
    features: tuple[FeatureReason, ...]
    warnings: tuple[FieldWarning, ...]
    model_name: str
    model_version: str
    received: Mapping[str, Any]


def connect(address: str, seconds: float) -> httpx.Client:
    """A connection to the service; no answer is waited for longer than `seconds`.

    Raises:
        NoAnswerError: unreachable, if the address is not one.
    """
    try:
        return httpx.Client(base_url=address, timeout=seconds)
    except httpx.InvalidURL as error:
        raise NoAnswerError("unreachable") from error


def application_columns(service: httpx.Client) -> dict[str, Column]:
    """The fields of the application with their limits and categories, from a service that is ready.

    Raises:
        NoAnswerError: the service is away, not ready, or describes no application.
    """
    _answer(service, "GET", "/readyz")
    document = _json(_answer(service, "GET", "/docs.json"))
    try:
        content = document["paths"]["/explain"]["post"]["requestBody"]["content"]
        application = _resolved(document, content["application/json"]["schema"]["properties"]["application"])
        required = set(application.get("required", ()))
        return {
            name: _column(_resolved(document, field), required=name in required)
            for name, field in application["properties"].items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise NoAnswerError("unexpected") from error


def explain(service: httpx.Client, credit_file: CreditFile) -> Answer:
    """The decision on a credit file, with its reasons.

    Raises:
        NoAnswerError: the service is away, rejects the file, or answers something else.
    """
    body = json.dumps(credit_file, allow_nan=False).encode()
    received = _json(_answer(service, "POST", "/explain", body))
    try:
        return Answer(
            client=int(received["SK_ID_CURR"]),
            probability=float(received["probability_of_default"]),
            threshold=float(received["threshold"]),
            decision=_one_of(received["decision"], "granted", "refused"),
            log_odds=float(received["log_odds"]),
            base_value=float(received["base_value"]),
            groups=tuple(
                GroupReason(_both_languages(group["label"]), float(group["contribution"]))
                for group in received["groups"]
            ),
            features=tuple(
                FeatureReason(
                    _both_languages(item["meaning"]), str(item["unit"]), item["value"], float(item["contribution"])
                )
                for item in received["contributions"]
            ),
            warnings=tuple(
                FieldWarning(str(warning["field"]), _both_languages(warning["message"]))
                for warning in received["warnings"]
            ),
            model_name=str(received["model"]["name"]),
            model_version=str(received["model"]["version"]),
            received=received,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NoAnswerError("unexpected") from error


def read_credit_file(content: bytes, limit: int) -> CreditFile:
    """A credit file as uploaded; what its fields hold is for the service to judge.

    Raises:
        NoAnswerError: more than `limit` bytes, not JSON, not an object, or without application.
    """
    if len(content) > limit:
        raise NoAnswerError("file_too_large")
    try:
        credit_file = json.loads(content, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise NoAnswerError("file_not_json") from error
    if not isinstance(credit_file, dict):
        raise NoAnswerError("file_not_object")
    if not isinstance(credit_file.get("application"), dict):
        raise NoAnswerError("file_without_application")
    return credit_file


def _answer(service: httpx.Client, method: str, path: str, body: bytes | None = None) -> httpx.Response:
    try:
        response = service.request(method, path, content=body, headers={"Content-Type": "application/json"})
    except httpx.TimeoutException as error:
        raise NoAnswerError("timeout") from error
    except (httpx.RequestError, httpx.InvalidURL) as error:
        raise NoAnswerError("unreachable") from error
    if response.is_success:
        return response
    status = response.status_code
    if status in STATUS_FAULTS:
        raise NoAnswerError(STATUS_FAULTS[status], status)
    if response.is_client_error:
        raise NoAnswerError("rejected", status, _details(response))
    raise NoAnswerError("failed" if response.is_server_error else "unexpected", status)


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise NoAnswerError("unexpected", response.status_code) from error


def _details(response: httpx.Response) -> tuple[Detail, ...]:
    """What a rejection says about each field; nothing where it is worded otherwise than agreed."""
    try:
        return tuple(
            Detail(".".join(str(part) for part in item["loc"]), str(item["type"]), str(item["msg"]))
            for item in response.json()["detail"]
        )
    except (KeyError, TypeError, ValueError):
        return ()


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that is meant, past a reference or the alternative of null."""
    if "$ref" in schema:
        return _resolved(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for alternative in schema.get("anyOf", ()):
        if alternative.get("type") != "null":
            return _resolved(document, alternative)
    return schema


def _column(schema: Mapping[str, Any], *, required: bool) -> Column:
    kinds: dict[str, Literal["integer", "number", "category"]] = {"integer": "integer", "number": "number"}
    return Column(
        kind=kinds.get(schema["type"], "category"),
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
        categories=tuple(schema.get("enum", schema.get("examples", ()))),
        required=required,
    )


def _both_languages(wording: Mapping[str, str]) -> dict[str, str]:
    return {"fr": str(wording["fr"]), "en": str(wording["en"])}


def _one_of(value: Any, *known: Any) -> Any:
    if value not in known:
        raise ValueError(f"{value!r} is none of {known}")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
