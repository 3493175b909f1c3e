"""Types of arrays, one element for each client or row, and frames of a declared table from them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bento.data.tables import Table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]

DAYS_IN_MONTH = 30.44


_DIGITS = {"currency": 3, "share": 6, "score": 9}


def spread(counts: Integers) -> tuple[Integers, Integers]:
    """Return parent and position within the parent (0, 1, ...) of every child row, for `counts` rows of each parent."""
    parent = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return parent, np.arange(len(parent)) - first[parent]


def rank_among(score: Floats, rows: Flags) -> Floats:
    """Return the ranks in 0..1 of the scores among those of `rows`."""
    ordered = np.sort(score[rows])
    return np.searchsorted(ordered, score) / max(len(ordered), 1)


def categories(names: Sequence[str], positions: NDArray[np.integer]) -> pl.Series:
    """Return the texts at `positions` of `names`; negative positions become null."""
    not_null = np.asarray(positions) >= 0
    texts = pl.Series(list(names), dtype=pl.String).gather(np.where(not_null, positions, 0).astype(np.uint32))
    return texts if not_null.all() else pl.select(pl.when(pl.Series(not_null)).then(texts)).to_series()


def frame(table: Table, columns: Mapping[str, NDArray[Any] | pl.Series]) -> pl.DataFrame:
    """Return a frame of `table` with its declared order and types; NaN becomes null."""
    series = []
    for column in table:
        values = columns[column.name]
        if not isinstance(values, pl.Series):
            values = pl.Series(values.tolist(), dtype=pl.String) if values.dtype == object else pl.Series(values)
        if values.dtype.is_float():
            values = values.fill_nan(None)
            if column.dtype == pl.Float64:
                values = values.round(_DIGITS[column.unit])
        series.append(values.cast(column.dtype).alias(column.name))
    return pl.DataFrame(series)
