"""The contents of `scoring.json` and `examples.json` in a model folder."""

import math
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bento import NAME
from bento.features.definitions import Value
from bento.policy import DEFAULT_COSTS, CostAssumptions, ReviewBand

SCORING_FILE = "scoring.json"
EXAMPLES_FILE = "examples.json"
FOLDER_FORMAT = "6"
"""Version of the content of a model folder: 2 adds `reference.json`, 3 the digests of the files, 4 names the groups and
medians of `reference.json`, 5 adds the typical values of features, the fields that credit files hold, usual ranges and
the loans that are sold to it, 6 writes a linear model as knots with their effects, and adds blends."""
FOLDER_IN_STORE = "mlflow_model/artifacts/model"
"""Path of the model folder inside the MLflow model that the BentoML store imports."""


class _Content(BaseModel):
    """Content of a file; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid")


class ModelFeature(_Content):
    """One column of the model's matrix: how its values are encoded, and what an unknown value is read as."""

    name: str
    categories: list[str] = Field(
        default=[], description="that training saw, in the order of their codes; empty for a number"
    )
    null_share: float = Field(default=0, ge=0, le=1, description="share of the training clients without a value")
    typical: Value = Field(
        default=None,
        description="median, or most frequent category, that is read in place of an unknown value; "
        "null where training saw enough unknown values to learn what they mean",
    )

    @model_validator(mode="after")
    def _has_a_typical_value_of_its_kind(self) -> Self:
        if self.typical is not None and math.isnan(self.encoded(self.typical)):
            raise ValueError(f"{self.name} has no category {self.typical}, which it names as typical")
        return self

    def encoded(self, value: Value) -> float:
        """Encode a value as a number: a category as its code; null and categories that training did not see as NaN."""
        if isinstance(value, str):
            return self._codes.get(value, math.nan)
        return math.nan if value is None else value

    @cached_property
    def encoded_typical(self) -> float:
        """The number that the predictor reads in place of an unknown value; NaN where it has learnt what that means."""
        return self.encoded(self.typical)

    @cached_property
    def _codes(self) -> dict[str, float]:
        return {category: float(code) for code, category in enumerate(self.categories)}


class Calibration(_Content):
    """Affine map of the predictor's log-odds: slope * x + intercept."""

    slope: float = 1.0
    intercept: float = 0.0


class DataSource(_Content):
    """The data from which a model, or a figure, was computed."""

    data: str = Field(description="synthetic or real")
    clients: int
    seed: int | None = None
    fingerprint: str

    @property
    def tag(self) -> str:
        """The short name of the source in the registry."""
        return f"{self.data}:{self.fingerprint[:16]}"


class ModelManifest(_Content):
    """The content of `scoring.json`: all that a decision and its record need beside the predictor."""

    family: str = Field(description="of the predictor: a name of bento.model.predictors.FAMILIES")
    features: list[ModelFeature]
    calibration: Calibration = Calibration()
    costs: CostAssumptions = DEFAULT_COSTS
    threshold: float = Field(ge=0, le=1)
    review_band: ReviewBand | None = Field(default=None, description="where a person decides; null while it is off")
    training_data: DataSource
    code_version: str
    metrics: dict[str, float]

    @model_validator(mode="after")
    def _reviews_around_the_threshold(self) -> Self:
        if self.review_band and not self.review_band.low <= self.threshold <= self.review_band.high:
            raise ValueError("the review band must contain the threshold")
        return self


class Example(_Content):
    """One synthetic credit file with its features and score at training."""

    credit_file: dict[str, Any]
    features: dict[str, Value]
    log_odds: float
    probability_of_default: float


class Examples(_Content):
    """The content of `examples.json`."""

    catalogue: str = Field(description="catalogue_hash() at training")
    files: dict[str, str] = Field(description="digests() of the folder at training")
    examples: list[Example] = Field(min_length=1)


class ModelVersion(BaseModel):
    """Which model answered."""

    name: str = Field(examples=[NAME])
    version: str = Field(description="version in the model registry", examples=["3"])
