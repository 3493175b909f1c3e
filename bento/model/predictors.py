"""The families of models that the service can load: each has a text file and scores a matrix of encoded features."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    import lightgbm

Matrix = NDArray[np.float64]
"""Rows x columns."""
Vector = NDArray[np.float64]


class FamilyError(RuntimeError):
    """The file of a family cannot be used; the message gives the reason in one line."""


class Predictor(Protocol):
    """A family of models. A matrix is rows x features in the order of `feature_names`; NaN is a missing value."""

    FILE: ClassVar[str]
    """Name of the family's file in the model folder: text, never pickle."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the file; raise FamilyError where it is missing or broken."""
        ...

    def save(self, folder: Path) -> None:
        """Write the file."""
        ...

    @property
    def feature_names(self) -> list[str]:
        """The columns of the matrix."""
        ...

    def log_odds(self, matrix: Matrix) -> Vector:
        """Compute the log-odds of default, one for each row."""
        ...

    def contributions(self, matrix: Matrix) -> tuple[Matrix, float]:
        """Compute what each feature adds to the log-odds (rows x features), and the base value to which it is added."""
        ...


class BoosterPredictor:
    """A LightGBM booster in LightGBM's text format; its contributions are exact TreeSHAP values."""

    FILE: ClassVar[str] = "model.txt"

    def __init__(self, booster: "lightgbm.Booster") -> None:
        self.booster = booster

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the file; see `Predictor`."""
        import lightgbm  # noqa: PLC0415 - takes a third of a second, which a process without a booster saves

        try:
            return cls(lightgbm.Booster(model_file=folder / cls.FILE))
        except (OSError, lightgbm.basic.LightGBMError) as error:
            raise FamilyError(str(error).splitlines()[0]) from error

    def save(self, folder: Path) -> None:
        """Write the file."""
        self.booster.save_model(folder / self.FILE)

    @property
    def feature_names(self) -> list[str]:
        """The columns of the matrix."""
        return list(self.booster.feature_name())

    def log_odds(self, matrix: Matrix) -> Vector:
        """Compute the log-odds of default, one for each row."""
        return np.asarray(self.booster.predict(matrix, raw_score=True, num_threads=1))

    def contributions(self, matrix: Matrix) -> tuple[Matrix, float]:
        """Compute exact TreeSHAP values (rows x features) and their base value."""
        raw = np.asarray(self.booster.predict(matrix, pred_contrib=True, num_threads=1))
        return raw[:, :-1], float(raw[0, -1])


class Term(BaseModel):
    """One feature of a linear model.

    A number adds `weight` times its value, clipped to `low` and `high`, plus `offset` to the log-odds; a category adds
    the item of `effects` at its code.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    feature: str
    low: float = 0.0
    high: float = 0.0
    weight: float = 0.0
    offset: float = 0.0
    effects: list[float] = []
    missing: float = Field(description="what a missing value adds")
    mean: float = Field(description="what the feature adds on average over the training rows")


class LinearPredictor(BaseModel):
    """A linear model as coefficients in JSON; a contribution is what a feature adds less its mean."""

    FILE: ClassVar[str] = "linear.json"

    model_config = ConfigDict(extra="forbid", frozen=True)

    intercept: float
    terms: list[Term]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the file; see `Predictor`."""
        try:
            return cls.model_validate_json((folder / cls.FILE).read_bytes())
        except (OSError, ValidationError) as error:
            raise FamilyError(str(error).splitlines()[0]) from error

    def save(self, folder: Path) -> None:
        """Write the file."""
        (folder / self.FILE).write_text(self.model_dump_json(indent=1) + "\n")

    @property
    def feature_names(self) -> list[str]:
        """The columns of the matrix."""
        return [term.feature for term in self.terms]

    def log_odds(self, matrix: Matrix) -> Vector:
        """Compute the log-odds of default, one for each row."""
        return np.asarray(self.intercept + self._effects(matrix).sum(axis=1))

    def contributions(self, matrix: Matrix) -> tuple[Matrix, float]:
        """Compute each effect less its mean (rows x features), and the log-odds at mean effects."""
        means = np.array([term.mean for term in self.terms])
        return self._effects(matrix) - means, float(self.intercept + means.sum())

    def _effects(self, matrix: Matrix) -> Matrix:
        return np.column_stack([_effect(term, matrix[:, position]) for position, term in enumerate(self.terms)])


def _effect(term: Term, values: Vector) -> Vector:
    missing = np.isnan(values)
    if term.effects:
        effects = np.array(term.effects)[np.where(missing, 0, values).astype(np.int64)]
    else:
        effects = term.weight * np.clip(values, term.low, term.high) + term.offset
    return np.where(missing, term.missing, effects)


FAMILIES: dict[str, Any] = {"lightgbm": BoosterPredictor, "linear": LinearPredictor}
"""By the name in `scoring.json`. How to add one: docs/add_a_family.md."""


def load_predictor(family: str, folder: Path, names: Sequence[str]) -> Predictor:
    """Load the predictor of a model folder; raise FamilyError where it is unknown, broken or for other features."""
    if family not in FAMILIES:
        raise FamilyError(f"this code has no model family {family!r}, only {', '.join(FAMILIES)}")
    predictor: Predictor = FAMILIES[family].load(folder)
    if predictor.feature_names != list(names):
        raise FamilyError(f"{predictor.FILE} and scoring.json name different features; train again")
    return predictor
