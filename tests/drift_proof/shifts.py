"""Shifts to inject into applications, each with the column in which it must be found."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

Shift = Callable[[pl.DataFrame, pl.DataFrame, np.random.Generator], tuple[pl.DataFrame, pl.DataFrame]]
"""Returns reference and current applications, of which it has changed the current ones, or both."""


@dataclass(frozen=True)
class Injected:
    """A shift: what it changes, and the columns that must drift; without any, the verdict must be drift."""

    name: str
    columns: tuple[str, ...]
    apply: Shift


def _current(**changes: Callable[[pl.DataFrame, np.random.Generator], pl.Series]) -> Shift:
    def apply(
        reference: pl.DataFrame, current: pl.DataFrame, random: np.random.Generator
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        made = [change(current, random).alias(name) for name, change in changes.items()]
        return reference, current.with_columns(made)

    return apply


def _moved(name: str, deviations: float) -> Callable[[pl.DataFrame, np.random.Generator], pl.Series]:
    """Move all values by a number of robust standard deviations: of the quartiles, as an outlier would inflate it."""

    def change(frame: pl.DataFrame, _: np.random.Generator) -> pl.Series:
        values = frame[name]
        low, high = values.quantile(0.25), values.quantile(0.75)
        assert low is not None
        assert high is not None
        return values + deviations * (high - low) / 1.349

    return change


def _where(name: str, share: float, value: object) -> Callable[[pl.DataFrame, np.random.Generator], pl.Series]:
    """Give a share of the rows another value."""

    def change(frame: pl.DataFrame, random: np.random.Generator) -> pl.Series:
        chosen = pl.Series(random.random(frame.height) < share)
        literal = pl.lit(value, dtype=frame.schema[name])
        return frame.select(pl.when(chosen).then(literal).otherwise(pl.col(name)).alias(name)).to_series()

    return change


def _outlier_and_shift(
    reference: pl.DataFrame, current: pl.DataFrame, random: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    name = "AMT_INCOME_TOTAL"
    reference = reference.with_columns(
        pl.when(pl.int_range(pl.len()) == 0).then(4.9e7).otherwise(pl.col(name)).alias(name)
    )
    return reference, current.with_columns(_moved(name, 0.5)(current, random))


EXTERNAL = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")
SHIFTS = (
    *(
        Injected(f"mean +{size} sd", ("EXT_SOURCE_2",), _current(EXT_SOURCE_2=_moved("EXT_SOURCE_2", size)))
        for size in (0.1, 0.2, 0.5)
    ),
    Injected(
        "category +5 points",
        ("NAME_INCOME_TYPE",),
        _current(NAME_INCOME_TYPE=_where("NAME_INCOME_TYPE", 0.055, "State servant")),
    ),
    Injected("missing +10 points", ("EXT_SOURCE_3",), _current(EXT_SOURCE_3=_where("EXT_SOURCE_3", 0.125, None))),
    Injected("unit x 1000", ("AMT_CREDIT",), _current(AMT_CREDIT=lambda frame, _: frame["AMT_CREDIT"] * 1000)),
    Injected(
        "constant column",
        ("DAYS_ID_PUBLISH",),
        _current(DAYS_ID_PUBLISH=lambda frame, _: pl.Series([-1000] * frame.height)),
    ),
    Injected(
        "category renamed",
        ("NAME_EDUCATION_TYPE",),
        _current(
            NAME_EDUCATION_TYPE=lambda frame, _: frame["NAME_EDUCATION_TYPE"].replace("Higher education", "Higher")
        ),
    ),
    Injected(
        "correlation broken",
        (),
        _current(AMT_ANNUITY=lambda frame, random: frame["AMT_ANNUITY"][random.permutation(frame.height)]),
    ),
    Injected("scores vanish", (), _current(**{name: _where(name, 1.0, None) for name in EXTERNAL})),
    Injected("outlier and +0.5 sd", ("AMT_INCOME_TOTAL",), _outlier_and_shift),
)
