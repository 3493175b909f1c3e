"""Compare two samples column by column: values, missing values, categories that are new or gone, units."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from bento.data.tables import APPLICATION, Column
from bento.features.catalogue import CATALOGUE
from drift.distributions import (
    NONE,
    Distance,
    Floats,
    category_counts,
    category_distance,
    missing_distance,
    number_distance,
    unit_factor,
)

Measure = Literal["number", "category"]

MIN_NEW = 5
"""Rows of a category that the reference lacks from which it is named."""
MIN_GONE = 10.0
"""Rows of a category that the current sample should have, from which it is named where there is none."""
MAX_NAMED = 5
"""Categories that a result names."""


@dataclass(frozen=True)
class Field:
    """A column or feature to compare."""

    name: str
    measure: Measure
    audit_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The result of one column."""

    field: Field
    values: Distance
    missing: Distance
    missing_reference: float
    missing_current: float
    middle_reference: float | str | None
    """Median of a number, most frequent category; None without any value."""
    middle_current: float | str | None
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    factor: float | None = None
    """By which all current values differ, as after a change of unit."""
    note: str = ""
    """Why values were not compared."""

    @property
    def distances(self) -> tuple[Distance, Distance]:
        """Those of values and of missing values."""
        return self.values, self.missing

    def drifted(self, comparisons: int) -> bool:
        """Whether values or missing values drifted, of `comparisons` distances that are judged together."""
        return any(distance.drifted(comparisons) for distance in self.distances)

    @property
    def psi(self) -> float:
        """PSI of values or of missing values, the larger of the two, beyond what chance adds."""
        return max(distance.psi - distance.by_chance for distance in self.distances)


def measure_of(column: Column) -> Measure:
    """Return the kind of a column; flags and ranks are coded as numbers, but are categories."""
    return "category" if column.kind == "category" or column.unit in ("flag", "rank") else "number"


def application_fields(names: Iterable[str] | None = None) -> list[Field]:
    """Return every declared column of the application but the identifier, or those in `names`."""
    chosen = None if names is None else set(names)
    return [
        Field(column.name, measure_of(column), column.audit_only)
        for column in APPLICATION
        if column.kind != "id" and (chosen is None or column.name in chosen)
    ]


def feature_fields(names: Sequence[str]) -> list[Field]:
    """Return features of the catalogue as fields."""
    is_category = {name: CATALOGUE[name].is_category or CATALOGUE[name].unit in ("flag", "rank") for name in names}
    return [Field(name, "category" if is_category[name] else "number") for name in names]


def comparable(applications: pl.DataFrame) -> pl.DataFrame:
    """Return the declared columns with null for codes of "unknown" and infinities.

    Unlike cleaning for the model, it keeps implausible values and unknown categories: they are what drift looks like.
    """
    present = [column for column in APPLICATION if column.name in applications.columns]
    return applications.select(_comparable(column) for column in present)


def _comparable(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    unknown = pl.any_horizontal(pl.lit(value=False), *(value == code for code in column.missing_codes))
    if column.kind == "number":
        unknown |= ~value.is_finite()
    return pl.when(~unknown).then(value).alias(column.name)


def compare(reference: pl.DataFrame, current: pl.DataFrame, fields: Sequence[Field]) -> list[Comparison]:
    """Compare the fields of two frames, a row for each application; an absent column has no values."""
    return [_compare(field, _series(reference, field), _series(current, field)) for field in fields]


def comparisons_in(results: Sequence[Comparison]) -> int:
    """Count the distances that could exceed their limit by chance."""
    return sum(distance.freedom > 0 for result in results for distance in result.distances)


def _series(frame: pl.DataFrame, field: Field) -> pl.Series:
    if field.name in frame.columns:
        return frame[field.name]
    return pl.Series(field.name, [None] * frame.height, dtype=pl.Float64)


def _compare(field: Field, reference: pl.Series, current: pl.Series) -> Comparison:
    sides = (reference, current)
    missing = missing_distance(*((side.null_count(), len(side)) for side in sides))
    shares = [side.null_count() / len(side) for side in sides]
    common: dict[str, Any] = {
        "field": field,
        "missing": missing,
        "missing_reference": shares[0],
        "missing_current": shares[1],
    }
    empty = [name for name, side in zip(("reference", "current"), sides, strict=True) if not side.count()]
    note = "no value on either side" if len(empty) == 2 else f"no value in {empty[0]}" if empty else ""
    if field.measure == "category":
        before, now = (category_counts(side) for side in sides)
        return Comparison(
            **common,
            values=category_distance(before, now) if not empty else NONE,
            middle_reference=_most_frequent(before),
            middle_current=_most_frequent(now),
            new=_named(now, before, lambda name: now[name] >= MIN_NEW) if not empty else (),
            gone=_named(before, now, lambda name: before[name] * current.count() / reference.count() >= MIN_GONE)
            if not empty
            else (),
            note=note,
        )
    numbers = [_numbers(side) for side in sides]
    return Comparison(
        **common,
        values=number_distance(*numbers),
        middle_reference=_median(numbers[0]),
        middle_current=_median(numbers[1]),
        factor=unit_factor(*numbers),
        note=note,
    )


def _numbers(values: pl.Series) -> Floats:
    return values.drop_nulls().cast(pl.Float64).to_numpy()


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if len(values) else None


def _most_frequent(counts: Mapping[str, int]) -> str | None:
    return max(sorted(counts), key=lambda name: counts[name]) if counts else None


def _named(counts: Mapping[str, int], others: Mapping[str, int], is_enough: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the most frequent categories that the other sample lacks."""
    absent = [name for name in counts if name not in others and is_enough(name)]
    return tuple(sorted(absent, key=lambda name: -counts[name])[:MAX_NAMED])
