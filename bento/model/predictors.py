"""The families of models that the service can load: each has a text file and scores a matrix of encoded features."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bento.model.lightgbm_library import CONTRIBUTIONS, RAW_SCORE, Booster, LibraryError
from bento.model.tree_contributions import TreeContributions

Matrix = NDArray[np.float64]
"""Rows x columns."""
Vector = NDArray[np.float64]
EFFECT_ROWS = 4096
"""Rows of which an additive model computes the effects at a time: its arrays are some times larger than the matrix."""
Content = TypeVar("Content", bound=BaseModel)


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
        if self._tables is not None:
            return self._tables.contributions(matrix)
        raw = self._booster.predict(matrix, CONTRIBUTIONS).reshape(len(matrix), -1)
        return raw[:, :-1], float(raw[0, -1])

    @cached_property
    def _tables(self) -> TreeContributions | None:
        return TreeContributions.of(self.text)


class Term(BaseModel):
    """What the values of one feature add to the log-odds in an additive model.

    A number has `knots`: it adds the item of `effects` at a knot, a straight line between two of them, and no more
    beyond the outermost. A category has none: it adds the item of `effects` at its code.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    feature: str
    knots: list[float] = Field(default=[], description="values of a number, ascending; empty for a category")
    effects: list[float] = Field(min_length=1)
    missing: float = Field(description="what a missing value adds")
    mean: float = Field(description="what the feature adds on average over the training rows")

    @model_validator(mode="after")
    def _has_an_effect_at_each_knot(self) -> Self:
        if self.knots and len(self.knots) != len(self.effects):
            raise ValueError(f"{self.feature} has {len(self.knots)} knots and {len(self.effects)} effects")
        if any(later <= earlier for earlier, later in pairwise(self.knots)):
            raise ValueError(f"the knots of {self.feature} do not ascend")
        return self


class LinearPredictor(BaseModel):
    """A logistic regression on pieces of lines, as JSON; a contribution is what a feature adds less its mean."""

    FILE: ClassVar[str] = "linear.json"

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    intercept: float
    terms: list[Term] = Field(min_length=1)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the file; see `Predictor`."""
        return _read(cls, folder)

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
        """Compute what each feature adds (rows x features)."""
        parts = [matrix[start : start + EFFECT_ROWS] for start in range(0, len(matrix), EFFECT_ROWS)]
        return np.vstack([self._lines.effects(part) for part in parts]) if parts else np.empty(matrix.shape)

    @cached_property
    def _lines(self) -> "_Lines":
        return _Lines(self.terms)


class _Lines:
    """The terms as arrays: one call of NumPy for all of them, since 100 calls would take half of a decision's time."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._missing = np.array([term.missing for term in terms])
        self._numbers = np.array([at for at, term in enumerate(terms) if term.knots], dtype=np.intp)
        self._categories = np.array([at for at, term in enumerate(terms) if not term.knots], dtype=np.intp)
        numbers = [terms[at] for at in self._numbers]
        # One knot is a line of no width, so that every number has a line.
        lines = [[*pairwise(term.knots)] or [(term.knots[0],) * 2] for term in numbers]
        rises = [[right - left for left, right in pairwise(term.effects)] or [0.0] for term in numbers]
        self._column = np.repeat(self._numbers, [len(of_term) for of_term in lines])
        self._low, self._high = np.array([line for of_term in lines for line in of_term]).reshape(-1, 2).T
        width = self._high - self._low
        self._slope = np.array([rise for of_term in rises for rise in of_term]) / np.where(width > 0, width, 1.0)
        self._first = np.cumsum([0, *(len(of_term) for of_term in lines)], dtype=np.intp)[:-1]
        self._start = np.array([term.effects[0] for term in numbers])
        effects = [terms[at].effects for at in self._categories]
        self._by_code = np.array([effect for of_term in effects for effect in of_term])
        self._offset = np.cumsum([0, *map(len, effects)], dtype=np.intp)[:-1]

    def effects(self, matrix: Matrix) -> Matrix:
        """Compute what each feature adds (rows x features)."""
        result, missing = np.empty(matrix.shape), np.isnan(matrix)
        if len(self._numbers):
            within = np.clip(matrix[:, self._column], self._low, self._high) - self._low
            result[:, self._numbers] = np.add.reduceat(within * self._slope, self._first, axis=1) + self._start
        if len(self._categories):
            codes = np.where(missing, 0.0, matrix)[:, self._categories].astype(np.intp)
            result[:, self._categories] = self._by_code[self._offset + codes]
        np.copyto(result, self._missing, where=missing)
        return result


class BlendPredictor(BaseModel):
    """A weighted sum, on log-odds, of other families' predictors in the same folder; contributions are summed alike."""

    FILE: ClassVar[str] = "blend.json"

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, arbitrary_types_allowed=True)

    weights: dict[str, Annotated[float, Field(ge=0)]] = Field(
        min_length=1, description="by family; the directions of the parts hold for their sum, as no weight is negative"
    )
    parts: dict[str, Any] = Field(default={}, exclude=True, description="the predictor of each family")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the files of the blend and of its parts; see `Predictor`."""
        weights = _read(cls, folder).weights
        return cls.of({name: _family(name, PARTS).load(folder) for name in weights}, weights)

    @classmethod
    def of(cls, parts: Mapping[str, Predictor], weights: Mapping[str, float]) -> Self:
        """Blend predictors, by family; raise FamilyError where they are for different features."""
        if len({tuple(part.feature_names) for part in parts.values()}) != 1:
            raise FamilyError(f"the parts of {cls.FILE} name different features; train again")
        return cls(weights=dict(weights), parts=dict(parts))

    def save(self, folder: Path) -> None:
        """Write the files of the blend and of its parts."""
        (folder / self.FILE).write_text(self.model_dump_json(indent=1) + "\n")
        for part in self.parts.values():
            part.save(folder)

    @property
    def feature_names(self) -> list[str]:
        """The columns of the matrix."""
        names: list[str] = next(iter(self.parts.values())).feature_names
        return names

    def log_odds(self, matrix: Matrix) -> Vector:
        """Compute the log-odds of default, one for each row."""
        return np.asarray(sum(weight * self.parts[name].log_odds(matrix) for name, weight in self.weights.items()))

    def contributions(self, matrix: Matrix) -> tuple[Matrix, float]:
        """Compute the weighted sum of the parts' contributions (rows x features), and of their base values."""
        parts = [(weight, *self.parts[name].contributions(matrix)) for name, weight in self.weights.items()]
        total = np.asarray(sum(weight * contributions for weight, contributions, _ in parts))
        return total, float(sum(weight * base for weight, _, base in parts))


PARTS: dict[str, Any] = {"lightgbm": BoosterPredictor, "linear": LinearPredictor}
"""Families that a blend may be made of."""
FAMILIES: dict[str, Any] = PARTS | {"blend": BlendPredictor}
"""By the name in `scoring.json`. How to add one: docs/add_a_family.md."""


def load_predictor(family: str, folder: Path, names: Sequence[str]) -> Predictor:
    """Load the predictor of a model folder; raise FamilyError where it is unknown, broken or for other features."""
    predictor: Predictor = _family(family, FAMILIES).load(folder)
    if predictor.feature_names != list(names):
        raise FamilyError(f"{predictor.FILE} and scoring.json name different features; train again")
    return predictor


def _family(name: str, families: Mapping[str, Any]) -> Any:
    if name not in families:
        raise FamilyError(f"this code has no model family {name!r}, only {', '.join(families)}")
    return families[name]


def _read(content: type[Content], folder: Path) -> Content:
    """Read the JSON file of a family; raise FamilyError where it is missing or broken."""
    try:
        return content.model_validate_json((folder / content.FILE).read_bytes())  # type: ignore[attr-defined]
    except OSError as error:
        raise FamilyError(str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise FamilyError(f"{folder / content.FILE}: {where} {first['msg']}".replace(":  ", ": ")) from error  # type: ignore[attr-defined]
