"""Building frames of a declared table from arrays."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bento.tables import Table


def spread(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Parent index and position within the parent (0, 1, ...) of every child row, for `counts` rows each."""
    parent = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return parent, np.arange(len(parent)) - first[parent]


def frame(table: Table, columns: Mapping[str, NDArray | pl.Series]) -> pl.DataFrame:
    """A frame of `table` with its declared order and types; NaN becomes null."""
    series = []
    for column in table:
        values = columns[column.name]
        if not isinstance(values, pl.Series):
            values = pl.Series(values.tolist(), dtype=pl.String) if values.dtype == object else pl.Series(values)
        if values.dtype.is_float():
            values = values.fill_nan(None)
            if column.dtype == pl.Float64:
                values = values.round(6 if column.unit in ("share", "score") else 3)
        series.append(values.cast(column.dtype).alias(column.name))
    return pl.DataFrame(series)
