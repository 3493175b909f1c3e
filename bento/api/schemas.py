"""Request and response models of the service, from which its OpenAPI document is made."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json

from bento.api.problems import Problem
from bento.data.credit_file import FieldWarning
from bento.data.json_keys import kept_keys
from bento.data.received import Received, no_json
from bento.features.definitions import Group
from bento.i18n import Wording
from bento.model.manifest import ModelVersion
from bento.policy import CostAssumptions, Decision, ExpectedCost, ReviewBand
from bento.rules.check import RuleHit
from bento.rules.rulebook import Rulebook
from bento.scoring.reasons import Reason

MAX_CREDIT_FILES = 100
"""Credit files in one batch; larger sets are scored as a portfolio."""

Purpose = Literal["decision", "simulation"]
"""A decision is journalled and binds; a simulation answers "what if" and leaves no trace."""


class Prediction(BaseModel):
    """The decision on one application."""

    decision_id: str | None = Field(description="under which the decision is journalled; null for a simulation")
    purpose: Purpose
    decided_at: datetime
    SK_ID_CURR: int
    probability_of_default: float = Field(ge=0, le=1)
    score_points: float = Field(description="600 at odds of 50 good to 1 bad, 20 more for each doubling of the odds")
    decision: Decision = Field(description="the model's, unless a rule makes it stricter")
    rules: list[RuleHit] = Field(default=[], description="the lender's rules that apply, each a ground of the decision")
    rules_version: str | None = Field(default=None, description="of the rules in force; null before there were any")
    threshold: float = Field(description="probability of default from which an application is refused")
    review_band: ReviewBand | None = Field(description="where a person decides; null while that is off")
    expected_cost: ExpectedCost | None = Field(description="null where a rule refuses what the model would not")
    reasons: list[Reason] | None = Field(description="what weighed most; null where reasons were not asked for")
    model: ModelVersion
    warnings: list[FieldWarning] = Field(description="what was scored although it was not understood, or is missing")
    officer: str | None = Field(default=None, description="the person who asked for the decision, where named")
    correction: str | None = Field(default=None, description="why the officer corrected the client's file, if so")


class BatchRequest(Received):
    """Up to 100 credit files, each answered or refused by itself."""

    credit_files: list[Any] = Field(min_length=1, max_length=MAX_CREDIT_FILES)

    @classmethod
    def _read(cls, document: bytes, **settings: Any) -> tuple[Self, int]:
        """Parse, then validate: in one step it takes twice as long, and the worker answers nothing else meanwhile."""
        try:
            content = from_json(document)
        except ValueError as error:
            raise no_json(cls.__name__, str(error)) from None
        return cls.model_validate(content, **settings), kept_keys(content, levels=3)


class BatchItem(BaseModel):
    """The result for one credit file of a batch: either a prediction or a problem."""

    prediction: Prediction | None = None
    problem: Problem | None = None


class BatchPrediction(BaseModel):
    """One item for each credit file, in their order."""

    results: list[BatchItem]


class Review(Received):
    """A person's review of a decision: confirmed or overturned, with a reason."""

    model_config = ConfigDict(str_strip_whitespace=True)

    verdict: Literal["confirmed", "overturned"]
    outcome: Literal["granted", "refused"] = Field(description="the outcome that holds for the client from now on")
    reason: str = Field(min_length=10, max_length=2000, description="why, in writing")
    reviewer: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="who decides: the name of the API key, also where left out; to be given where no keys are used",
    )
    contests: int | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="how many contests of the client the reviewer has read: where the decision has more, nothing is "
        "written (409)",
    )


class ReviewOut(BaseModel):
    """A review as the journal holds it."""

    verdict: Literal["confirmed", "overturned"]
    outcome: Literal["granted", "refused"] = Field(description="the outcome that holds for the client from then on")
    reason: str | None = Field(description="why, in writing; null once the decision is purged")
    reviewer: str | None = Field(description="who decided; null once the decision is purged")
    reviewed_at: datetime
    key_id: str


class Contest(Received):
    """What the client says against a decision, in his own words, as a person took it down."""

    model_config = ConfigDict(str_strip_whitespace=True)

    statement: str = Field(min_length=1, max_length=10_000, description="the client's own words")
    recorder: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="who takes it down: the name of the API key, also where left out; to be given where no keys are "
        "used",
    )


class ContestOut(BaseModel):
    """A contest as the journal holds it."""

    statement: str | None = Field(description="the client's own words; null once the decision is purged")
    recorder: str | None = Field(description="who took it down; null once the decision is purged")
    contested_at: datetime
    key_id: str


State = Literal["waiting", "contested", "reviewed", "settled", "purged"]
"""waiting: for a person, as the model or a rule leaves the decision to one; contested: by the client, and no
review has come after; reviewed: by a person; settled: decided by model and rules, and neither of these."""


class DecisionSummary(BaseModel):
    """A decision in a list; what concerns the person is null once it is purged, or where the entry cannot be used."""

    decision_id: str
    decided_at: datetime
    state: State | None = None
    SK_ID_CURR: int | None = None
    decision: Decision | None = None
    outcome: Decision | None = Field(default=None, description="the decision, or what the latest review made of it")
    probability_of_default: float | None = None
    model: ModelVersion | None = None
    reviews: int = Field(default=0, description="how many there are")
    contests: int = Field(default=0, description="how many there are")
    contested_at: datetime | None = Field(default=None, description="when the client contested last")
    problem: Problem | None = Field(default=None, description="why the entry cannot be used: altered, or unreadable")


class DecisionPage(BaseModel):
    """A page of decisions, newest first."""

    decisions: list[DecisionSummary]
    next: str | None = Field(description="`after` of the next page; null on the last")


class ReplayOut(BaseModel):
    """The same credit file decided again with the model, the code and the rules that decided."""

    decision_id: str
    verdict: Literal["same", "different", "other code", "other model", "purged"] = Field(
        description="other code, other model: no longer those of the service, so that nothing was compared"
    )
    differences: list[str]


class DecisionOut(BaseModel):
    """A journalled decision: what was decided, on what data, by which model, and why.

    Once purged, what concerns the person is null: id, time, outcome, hashes and versions stay.
    """

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
    rules: list[RuleHit] | None = Field(description="the rules that applied")
    rules_version: str | None = Field(description="of the rules that were in force; null before there were any")
    reasons: list[Reason] | None
    warnings: list[FieldWarning] | None
    officer: str | None = Field(default=None, description="the person who asked for the decision, where named")
    correction: str | None = Field(default=None, description="why the officer corrected the client's file, if so")
    credit_file: dict[str, object] | None
    state: State
    reviews: list[ReviewOut] = Field(description="oldest first; none is ever rewritten")
    contests: list[ContestOut] = Field(description="oldest first; none is ever rewritten")


class CatalogueEntry(BaseModel):
    """One feature that the model uses."""

    feature: str
    group: Group
    meaning: Wording
    unit: str
    risk: int = Field(description="+1 where the business expects a higher value to mean more risk, -1 less, 0 unknown")


class ModelCard(BaseModel):
    """Facts about the model that decides."""

    model: ModelVersion
    bento: str
    code: str = Field(description="fingerprint of the code that decides")
    family: str
    threshold: float
    review_band: ReviewBand | None
    costs: CostAssumptions
    rules_version: str
    rules: Rulebook = Field(description="the lender's rules, applied before the model decides")
    training_data: dict[str, object]
    code_version: str
    metrics: dict[str, float]
    features: list[CatalogueEntry]
