"""The scoring service as the page sees it: credit files out, answers or one named fault in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NoReturn, get_args

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

Decision = Literal["granted", "review", "refused"]

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
    "file_not_object",
    "file_without_application",
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
    """What the service says about one field it rejects."""

    field: str
    kind: str
    message: str


class NoAnswerError(Exception):
    """Why there is no answer: a kind the page has words for, and what the service said.

    `details` are the fields at fault, `said` what is wrong in the service's own words, `wait` the seconds after which
    it wants to be asked again.
    """

    def __init__(
        self,
        kind: FaultKind,
        status: int | None = None,
        details: tuple[Detail, ...] = (),
        said: str = "",
        wait: int | None = None,
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status = status
        self.details = details
        self.said = said
        self.wait = wait


@dataclass(frozen=True)
class Column:
    """What the service accepts in one field of the application."""

    kind: Literal["integer", "number", "category"]
    minimum: float | None
    maximum: float | None
    categories: tuple[str, ...]
    required: bool


@dataclass(frozen=True)
class Model:
    """Which model answered."""

    name: str
    version: str


@dataclass(frozen=True)
class Reason:
    """What weighed on a decision: its code, and the sentence for the client."""

    code: str
    raises: bool
    text: Mapping[str, str]


@dataclass(frozen=True)
class FieldWarning:
    """Something in the file that was scored all the same."""

    field: str
    message: Mapping[str, str]


@dataclass(frozen=True)
class ReviewBand:
    """Probabilities of default between which a person decides."""

    low: float
    high: float


@dataclass(frozen=True)
class Prediction:
    """The decision on a credit file; a simulation has no number, for it is not recorded.

    The costs are in units of one good client refused; `received` is the answer as the service sent it.
    """

    decision_id: str | None
    decided_at: datetime
    client: int
    probability: float
    score_points: float
    decision: Decision
    threshold: float
    review_band: ReviewBand | None
    cost_if_granted: float
    cost_if_refused: float
    reasons: tuple[Reason, ...]
    warnings: tuple[FieldWarning, ...]
    model: Model
    received: Mapping[str, Any]

    @property
    def simulated(self) -> bool:
        """Whether it answers "what if", and binds nobody."""
        return self.decision_id is None


@dataclass(frozen=True)
class GroupContribution:
    """What the data of one theme adds to the log-odds of default."""

    label: Mapping[str, str]
    contribution: float


@dataclass(frozen=True)
class FeatureContribution:
    """What one item of data adds to the log-odds of default; `similar` is its median among similar clients."""

    meaning: Mapping[str, str]
    unit: str
    value: float | str | None
    similar: float | str | None
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """Why the model scores a credit file as it does; `received` is the answer as the service sent it."""

    threshold: float
    log_odds: float
    base_value: float
    groups: tuple[GroupContribution, ...]
    features: tuple[FeatureContribution, ...]
    similar: Mapping[str, str]
    similar_clients: int
    counterfactual: Mapping[str, str]
    model: Model
    received: Mapping[str, Any]


def connect(address: str, seconds: float, key: str = "") -> httpx.Client:
    """A connection to the service, with the access key if there is one.

    No answer is waited for longer than `seconds`.

    Raises:
        NoAnswerError: unreachable, if the address is not one; unauthorised, if the key cannot be one.
    """
    if not (key.isascii() and key.isprintable()):
        raise NoAnswerError("unauthorised")
    try:
        return httpx.Client(
            base_url=address, timeout=seconds, headers={"Authorization": f"Bearer {key}"} if key else None
        )
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
        credit_file = _resolved(document, content["application/json"]["schema"])
        application = _resolved(document, credit_file["properties"]["application"])
        required = set(application.get("required", ()))
        return {
            name: _column(_resolved(document, field), required=name in required)
            for name, field in application["properties"].items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise NoAnswerError("unexpected") from error


def predict(service: httpx.Client, credit_file: CreditFile, key: str | None) -> Prediction:
    """The decision on a credit file.

    Args:
        service: the connection.
        credit_file: what is decided on.
        key: the `Idempotency-Key`: asked again under the same, the service answers the same decision and records no
            second one. None asks for a simulation, of which the service records nothing.

    Raises:
        NoAnswerError: the service is away, rejects the file, or answers something else.
    """
    purpose = "simulation" if key is None else "decision"
    headers = {} if key is None else {"Idempotency-Key": key}
    received = _json(_answer(service, "POST", f"/predict?purpose={purpose}", credit_file, headers))
    try:
        number, band, costs = received["decision_id"], received["review_band"], received["expected_cost"]
        if (number is None) != (key is None):
            raise ValueError("a decision without a number, or a simulation with one")
        prediction = Prediction(
            decision_id=None if number is None else str(number),
            decided_at=datetime.fromisoformat(received["decided_at"]),
            client=int(received["SK_ID_CURR"]),
            probability=float(received["probability_of_default"]),
            score_points=float(received["score_points"]),
            decision=_one_of(received["decision"], *get_args(Decision)),
            threshold=float(received["threshold"]),
            review_band=None if band is None else ReviewBand(float(band["low"]), float(band["high"])),
            cost_if_granted=float(costs["if_granted"]),
            cost_if_refused=float(costs["if_refused"]),
            reasons=tuple(
                Reason(
                    str(reason["code"]),
                    _one_of(reason["direction"], "raises", "lowers") == "raises",
                    _both_languages(reason["text"]),
                )
                for reason in received["reasons"]
            ),
            warnings=tuple(
                FieldWarning(str(warning["field"]), _both_languages(warning["message"]))
                for warning in received["warnings"]
            ),
            model=_model(received["model"]),
            received=received,
        )
        if prediction.decision == "review" and prediction.review_band is None:
            raise ValueError("a review without a band")
    except (KeyError, TypeError, ValueError) as error:
        raise NoAnswerError("unexpected") from error
    return prediction


def explain(service: httpx.Client, credit_file: CreditFile) -> Explanation:
    """Why the model scores a credit file as it does; nothing is decided or recorded.

    Raises:
        NoAnswerError: the service is away, rejects the file, or answers something else.
    """
    received = _json(_answer(service, "POST", "/explain", credit_file))
    try:
        return Explanation(
            threshold=float(received["threshold"]),
            log_odds=float(received["log_odds"]),
            base_value=float(received["base_value"]),
            groups=tuple(
                GroupContribution(_both_languages(group["label"]), float(group["contribution"]))
                for group in received["groups"]
            ),
            features=tuple(
                FeatureContribution(
                    _both_languages(item["meaning"]),
                    str(item["unit"]),
                    item["value"],
                    item["similar"],
                    float(item["contribution"]),
                )
                for item in received["contributions"]
            ),
            similar=_both_languages(received["similar_clients"]["description"]),
            similar_clients=int(received["similar_clients"]["clients"]),
            counterfactual=_both_languages(received["counterfactual"]["text"]),
            model=_model(received["model"]),
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


def _answer(
    service: httpx.Client,
    method: str,
    path: str,
    credit_file: CreditFile | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
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
    details, said = _problem(response)
    wait = response.headers.get("Retry-After", "")
    raise NoAnswerError(kind, status, details, said, int(wait) if wait.isdecimal() else None)


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise NoAnswerError("unexpected", response.status_code) from error


def _problem(response: httpx.Response) -> tuple[tuple[Detail, ...], str]:
    """What a problem (RFC 9457) says about each field, and as a whole; nothing where it is worded otherwise."""
    try:
        problem = response.json()
        details = tuple(
            Detail(".".join(str(part) for part in fault["loc"]), str(fault["type"]), str(fault["msg"]))
            for fault in problem["errors"]
        )
        return details, str(problem["detail"])
    except (KeyError, TypeError, ValueError):
        return (), ""


def _model(received: Mapping[str, Any]) -> Model:
    return Model(str(received["name"]), str(received["version"]))


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
