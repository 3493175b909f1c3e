"""The families of models that the service can load: each has a text file and scores a matrix of encoded features."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bento.model.lightgbm_library import CONTRIBUTIONS, RAW_SCORE, Booster, LibraryError

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

    def __init__(self, text: str) -> None:
        """Read the text, as `lightgbm.Booster.model_to_string` gives it; raise FamilyError where it is no model."""
        self.text = text
        try:
            self._booster = Booster(text)
            self.feature_names = self._booster.feature_names()
        except LibraryError as error:
            raise FamilyError(str(error)) from error

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the file; see `Predictor`."""
        try:
            return cls((folder / cls.FILE).read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise FamilyError(str(error).splitlines()[0]) from error

    def save(self, folder: Path) -> None:
        """Write the file."""
        (folder / self.FILE).write_text(self.text, "utf-8")

    def log_odds(self, matrix: Matrix) -> Vector:
        """Compute the log-odds of default, one for each row."""
        return self._booster.predict(matrix, RAW_SCORE)

    def contributions(self, matrix: Matrix) -> tuple[Matrix, float]:
        """Compute exact TreeSHAP values (rows x features) and their base value."""
        raw = self._booster.predict(matrix, CONTRIBUTIONS).reshape(len(matrix), -1)
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
