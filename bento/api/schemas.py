"""What the service answers: the one declaration of its contract, from which OpenAPI is made."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, from_json

from bento import NAME
from bento.data.credit_file import FieldWarning, Received, Wording
from bento.features import Group
from bento.policy import CostAssumptions, Decision, ExpectedCost, ReviewBand

MOST_FILES = 100
"""Credit files in one batch; larger sets are a portfolio's."""

Direction = Literal["raises", "lowers"]
"""Whether something adds to the risk of default, or takes from it."""
Purpose = Literal["decision", "simulation"]
"""A decision is journalled and binds; a simulation answers "what if" and leaves no trace."""


class ModelVersion(BaseModel):
    """Which model answered."""

    name: str = Field(examples=[NAME])
    version: str = Field(description="version in the model registry", examples=["3"])


class Fact(BaseModel):
    """One item of the client's data that weighed."""

    feature: str = Field(description="its name in the feature catalogue")
    value: float | str | None = Field(description="the client's value; null where nothing is known")
    unit: str
    text: Wording = Field(description="the fact in words, such as: instalments over 15 days late: 3 of 12")


class Reason(BaseModel):
    """A concept that weighed on the decision, in words for the client."""

    code: str = Field(description="stable code of the concept", examples=["R11"])
    group: Group
    direction: Direction = Field(description="whether it raises or lowers the risk of default")
    contribution: float = Field(description="what it adds to the log-odds of default")
    text: Wording
    facts: list[Fact]


class Prediction(BaseModel):
    """The decision on one application."""

    model_config = ConfigDict(protected_namespaces=())

    decision_id: str | None = Field(description="under which the decision is journalled; null for a simulation")
    purpose: Purpose
    decided_at: datetime
    SK_ID_CURR: int
    probability_of_default: float = Field(ge=0, le=1)
    score_points: float = Field(description="600 at odds of 50 good to 1 bad, 20 more for each doubling of the odds")
    decision: Decision
    threshold: float = Field(description="probability of default from which an application is refused")
    review_band: ReviewBand | None = Field(description="where a person decides; null while that is off")
    expected_cost: ExpectedCost
    reasons: list[Reason] | None = Field(description="what weighed most; null where reasons were not asked for")
    model: ModelVersion
    warnings: list[FieldWarning] = Field(description="what was scored although it was not understood")


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


class BatchRequest(Received):
    """Up to 100 credit files, each answered or refused by itself."""

    credit_files: list[Any] = Field(min_length=1, max_length=MOST_FILES)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **settings: Any) -> Self:
        """As any model does, but with the parser alone: half the time in which nothing else can be answered."""
        try:
            content = from_json(json_data)
        except ValueError as error:
            fault = InitErrorDetails(type="json_invalid", loc=(), input=None, ctx={"error": str(error)})
            raise ValidationError.from_exception_data(cls.__name__, [fault], hide_input=True) from None
        return cls.model_validate(content, **settings)


class BatchItem(BaseModel):
    """What became of one credit file of a batch: one of the two."""

    prediction: Prediction | None = None
    problem: Problem | None = None


class BatchPrediction(BaseModel):
    """One item for each credit file, in their order."""

    results: list[BatchItem]


class GroupContribution(BaseModel):
    """What a concept adds to the log-odds of default."""

    group: Group
    label: Wording
    contribution: float


class FeatureContribution(BaseModel):
    """What a feature adds to the log-odds of default; positive raises the risk."""

    feature: str
    group: Group
    meaning: Wording
    unit: str
    value: float | str | None
    similar: float | str | None = Field(
        description="median among similar clients, the most frequent for a category; null where most are unknown"
    )
    contribution: float


class SimilarClients(BaseModel):
    """With whom the client's values are compared."""

    description: Wording
    clients: int = Field(description="how many of the training clients they are")


class Change(BaseModel):
    """One amount that would have to be another."""

    column: Literal["AMT_CREDIT", "AMT_GOODS_PRICE", "AMT_ANNUITY"]
    value: float = Field(description="as asked for, in the currency of the loan")
    needed: float


class Counterfactual(BaseModel):
    """The nearest other loan on which the decision would be another, or that there is none."""

    found: bool
    decision: Decision = Field(description="what the decision is on the application as it stands")
    would_be: Decision | None = None
    probability_of_default: float | None = None
    changes: list[Change] = []
    text: Wording


class Explanation(BaseModel):
    """Why the model scores a credit file as it does; it decides nothing and is not journalled.

    `base_value` plus all contributions is `log_odds`, the logit of the probability of default.
    """

    model_config = ConfigDict(protected_namespaces=())

    SK_ID_CURR: int
    probability_of_default: float = Field(ge=0, le=1)
    threshold: float
    log_odds: float
    base_value: float
    groups: list[GroupContribution] = Field(description="largest first")
    contributions: list[FeatureContribution] = Field(description="exact SHAP values, largest first")
    similar_clients: SimilarClients
    counterfactual: Counterfactual
    model: ModelVersion
    warnings: list[FieldWarning]


class Review(BaseModel):
    """What a person makes of a decision."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)

    verdict: Literal["confirmed", "overturned"]
    outcome: Literal["granted", "refused"] = Field(description="what the client is told from now on")
    reason: str = Field(min_length=10, max_length=2000, description="why, in writing")
    reviewer: str = Field(min_length=1, max_length=100, description="who decides, as the bank knows them")


class RecordedReview(Review):
    """A review as the journal holds it."""

    reviewed_at: datetime
    key_id: str


class Record(BaseModel):
    """A journalled decision: what was decided, on what data, by which model, and why.

    Once purged, what concerns the person is null: id, time, outcome, hashes and versions stay.
    """

    model_config = ConfigDict(protected_namespaces=())

    decision_id: str
    decided_at: datetime
    key_id: str
    decision: Decision
    outcome: Decision = Field(description="the decision, or what the latest review made of it")
    threshold: float
    model: ModelVersion
    bento: str
    code: str = Field(description="fingerprint of the code that decided")
    features_hash: str
    credit_file_hash: str
    purged: bool
    probability_of_default: float | None
    reasons: list[Reason] | None
    warnings: list[FieldWarning] | None
    credit_file: dict[str, object] | None
    reviews: list[RecordedReview] = Field(description="oldest first; none is ever rewritten")


class CatalogueEntry(BaseModel):
    """One feature that the model uses."""

    feature: str
    group: Group
    meaning: Wording
    unit: str
    risk: int = Field(description="+1 where the business expects a higher value to mean more risk, -1 less, 0 unknown")


class ModelCard(BaseModel):
    """What there is to know of the model that decides."""

    model_config = ConfigDict(protected_namespaces=())

    model: ModelVersion
    bento: str
    code: str = Field(description="fingerprint of the code that decides")
    family: str
    threshold: float
    review_band: ReviewBand | None
    costs: CostAssumptions
    training_data: dict[str, object]
    code_version: str
    metrics: dict[str, float]
    features: list[CatalogueEntry]
