"""The answers of the scoring service, as far as the page shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Decision = Literal["granted", "review", "refused"]


def _in_both_languages(text: dict[str, str]) -> dict[str, str]:
    if not {"fr", "en"} <= text.keys():
        raise ValueError("a text without French or English")
    return {"fr": text["fr"], "en": text["en"]}


Text = Annotated[dict[str, str], AfterValidator(_in_both_languages)]
"""A text in French and English."""


class AnswerPart(BaseModel):
    """Part of an answer; fields that the page does not show are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Model(AnswerPart):
    """The model that answered."""

    name: str
    version: str


class Reason(AnswerPart):
    """A reason for a decision: its code, and the sentence for the client."""

    code: str
    direction: Literal["raises", "lowers"]
    text: Text


class Rule(AnswerPart):
    """A rule of the lender that applies: its code, and the sentence for the client."""

    code: str
    text: Text


class FieldWarning(AnswerPart):
    """A field that the service did not understand, or that is missing, in a file that it scored nevertheless."""

    kind: str
    field: str
    message: Text


class ReviewBand(AnswerPart):
    """Probabilities of default between which a person decides."""

    low: float
    high: float


class Prediction(AnswerPart):
    """The decision on a credit file; a simulation has no `decision_id`, because it is not recorded."""

    decision_id: str | None
    decided_at: datetime
    client: int = Field(alias="SK_ID_CURR")
    probability: float = Field(alias="probability_of_default")
    score_points: float
    decision: Decision
    threshold: float
    review_band: ReviewBand | None
    rules: tuple[Rule, ...] = ()
    reasons: tuple[Reason, ...]
    warnings: tuple[FieldWarning, ...]
    model: Model
    received: dict[str, Any]
    """The answer as the service sent it."""
    replayed: bool = False
    """Whether the decision had been recorded before, by an equal request."""

    @model_validator(mode="after")
    def _has_ground_where_reviewed(self) -> Self:
        if self.decision == "review" and self.review_band is None and not self.rules:
            raise ValueError("a review without a band or a rule")
        return self

    @property
    def simulated(self) -> bool:
        """Whether it is a simulation."""
        return self.decision_id is None

    @property
    def decided_by_rule(self) -> bool:
        """Whether a rule made the decision stricter than the model's."""
        band = self.review_band
        if not self.rules:
            return False
        if band is not None and band.low <= self.probability < band.high:
            return self.decision != "review"
        return self.decision != ("refused" if self.probability >= self.threshold else "granted")


class GroupContribution(AnswerPart):
    """Contribution of the data of one theme to the log-odds of default."""

    group: str
    label: Text
    contribution: float


class Spread(AnswerPart):
    """The values of a feature below which 10, 25, 50, 75 and 90 % of some clients lie, and their words."""

    values: tuple[float, float, float, float, float]
    texts: tuple[Text, Text, Text, Text, Text]


class FeatureContribution(AnswerPart):
    """Contribution of one feature to the log-odds of default; `similar` is its median among similar clients.

    `value_text` and `similar_text` are in words, with the unit; None where not known.
    """

    group: str
    meaning: Text
    value: float | str | None
    value_text: Text | None
    similar_text: Text | None
    among_all: Spread | None = None
    among_similar: Spread | None = None
    contribution: float


class SimilarClients(AnswerPart):
    """The clients that this one is compared with."""

    description: Text
    clients: int


class Counterfactual(AnswerPart):
    """The nearest other loans that would be granted, in words."""

    text: Text


class Explanation(AnswerPart):
    """The contributions to the score of a credit file."""

    threshold: float
    log_odds: float
    base_value: float
    groups: tuple[GroupContribution, ...]
    features: tuple[FeatureContribution, ...] = Field(alias="contributions")
    similar_clients: SimilarClients
    counterfactual: Counterfactual
    model: Model
    received: dict[str, Any]
    """The answer as the service sent it."""
