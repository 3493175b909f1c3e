"""Known entry errors of the real data, at their published rates."""

import numpy as np
import polars as pl

from research.synthetic.application_draft import ApplicationDraft
from research.synthetic.arrays import Floats
from research.synthetic.calibration_statistics import statistics
from research.synthetic.marginals import APPLICATIONS, ordered_values

DAYS_IN_CENTURY = 36_525


def with_entry_errors(table: str, frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Replace a few values of a history by impossible ones."""
    for error in statistics()["structure"]["entry_errors"].get(table, ()):
        name = error["column"]
        wrong = pl.Series(rng.random(len(frame)) < error["rate"]) & frame[name].is_not_null()
        if "where" in error:
            column, value = error["where"]
            wrong &= frame[column] == value
        if wrong.any():
            value = pl.lit(error["value"]).cast(frame.schema[name])
            frame = frame.with_columns(pl.when(wrong).then(value).otherwise(pl.col(name)).alias(name))
    return frame


def add_rare_values(draft: ApplicationDraft) -> None:
    """Replace a few values of the applications by rare or impossible ones."""
    values = draft.values
    values.setdefault("FLAG_MOBIL", np.ones(len(draft)))
    for table, rows in zip(APPLICATIONS, (draft.train, ~draft.train), strict=True):
        for name, (value, rate) in statistics()["structure"]["rare_values"].get(table, {}).items():
            wrong = rows & (draft.chance() < rate)
            code = ordered_values(name).index(value) if isinstance(value, str) else value
            values[name] = np.where(wrong, code, values[name])


def with_dates_of_a_century_ago(end: Floats, rng: np.random.Generator) -> Floats:
    """Move a few planned ends of bureau credits back by a century."""
    wrong = rng.random(len(end)) < statistics()["structure"]["century_error_share"]
    return np.where(wrong & ~np.isnan(end), end - DAYS_IN_CENTURY - 3_000, end)
