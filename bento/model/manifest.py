"""The content of a model folder's JSON files."""

import math
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bento import NAME
from bento.policy import DEFAULT_COSTS, CostAssumptions, ReviewBand

SCORING_FILE = "scoring.json"
EXAMPLES_FILE = "examples.json"
FOLDER_FORMAT = "3"
"""What a model folder holds, raised where that changes: 2 `reference.json`, 3 the digests of its files."""
FOLDER_IN_STORE = "mlflow_model/artifacts/model"
"""Where the model folder stands inside the MLflow model that the Bento store imported."""


class ModelFeature(BaseModel):
    """One column of the model's matrix; `categories` in the order of their codes, empty for a number."""

    model_config = ConfigDict(extra="forbid")

    name: str
    categories: list[str] = []

    @cached_property
    def _codes(self) -> dict[str, float]:
        return {category: float(code) for code, category in enumerate(self.categories)}

    def code(self, value: float | str | None) -> float:
        """A value as the predictor takes it: a number as it is, a category as its code, what is unknown as NaN."""
        if isinstance(value, str):
            return self._codes.get(value, math.nan)
        return math.nan if value is None else value


class Calibration(BaseModel):
    """Affine map of the predictor's log-odds: slope * x + intercept."""

    model_config = ConfigDict(extra="forbid")

    slope: float = 1.0
    intercept: float = 0.0


class DataSource(BaseModel):
    """On what data a model, or a figure, was obtained."""

    model_config = ConfigDict(extra="forbid")

    data: str = Field(description="synthetic or real")
    clients: int
    seed: int | None = None
    fingerprint: str

    @property
    def tag(self) -> str:
        """Short name of the source for the registry."""
        return f"{self.data}:{self.fingerprint[:16]}"


class ModelManifest(BaseModel):
    """What `scoring.json` holds: all that it takes, beside the predictor, to decide and to account for it."""

    model_config = ConfigDict(extra="forbid")

    family: str = Field(
        description="which predictor reads its file in this folder: a name of bento.model.predictors.FAMILIES"
    )
    features: list[ModelFeature]
    calibration: Calibration = Calibration()
    costs: CostAssumptions = DEFAULT_COSTS
    threshold: float = Field(ge=0, le=1)
    review_band: ReviewBand | None = Field(default=None, description="where a person decides; null while that is off")
    training_data: DataSource
    code_version: str
    metrics: dict[str, float]

    @model_validator(mode="after")
    def _reviews_around_the_threshold(self) -> Self:
        if self.review_band and not self.review_band.low <= self.threshold <= self.review_band.high:
            raise ValueError("the review band must contain the threshold")
        return self


class Example(BaseModel):
    """One synthetic credit file and what the model made of it at training."""

    model_config = ConfigDict(extra="forbid")

    credit_file: dict[str, Any]
    features: dict[str, float | str | None]
    log_odds: float
    probability_of_default: float


class Examples(BaseModel):
    """What `examples.json` holds."""

    model_config = ConfigDict(extra="forbid")

    catalogue: str = Field(description="bento.features.catalogue_hash() at training")
    files: dict[str, str] = Field(description="digests() of the folder at training")
    examples: list[Example] = Field(min_length=1)


class ModelVersion(BaseModel):
    """Which model answered."""

    name: str = Field(examples=[NAME])
    version: str = Field(description="version in the model registry", examples=["3"])
