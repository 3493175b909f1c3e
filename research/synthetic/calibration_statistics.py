"""Published and sampled statistics of the real data, to which the generator is calibrated."""

import json
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from research.synthetic.arrays import Floats

STATISTICS_FILE = Path(__file__).with_name("calibration_statistics.json")


@dataclass(frozen=True)
class ColumnStatistics:
    """Statistics of one column: null rate, then either shares of its values or quantiles."""

    null_rate: float = 0.0
    shares: dict[str, float] = field(default_factory=dict)
    default_rates: dict[str, float] = field(default_factory=dict)
    quantiles: tuple[float, ...] = ()
    quantiles_known: tuple[float, ...] = ()
    """Quantiles without the open-ended code, where the column uses it."""
    share_365243: float = 0.0
    atoms: dict[str, float] = field(default_factory=dict)
    """Published shares of the most frequent amounts."""
    share_zero: float = 0.0
    """Share of zeros where no value is negative."""
    auc: float | None = None


@lru_cache(maxsize=1)
def statistics() -> dict[str, Any]:
    """Load `calibration_statistics.json`."""
    loaded: dict[str, Any] = json.loads(STATISTICS_FILE.read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=1)
def probabilities() -> Floats:
    """Return the ascending probabilities of every list of quantiles."""
    return np.array(statistics()["probabilities"])


@cache
def table_statistics(table: str) -> dict[str, ColumnStatistics]:
    """Return the statistics of every column of `table` except the identifiers."""
    columns = {}
    for name, column in statistics()["tables"][table].items():
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in column.items()
        }
        columns[name] = ColumnStatistics(**values)
    return columns


@lru_cache(maxsize=1)
def observed_correlation() -> tuple[list[str], Floats]:
    """Return names and symmetric matrix of the correlations of normal scores in the application table."""
    correlation = statistics()["correlation"]
    names: list[str] = correlation["columns"]
    matrix = np.eye(len(names))
    for row, values in enumerate(correlation["upper_triangle_rows"]):
        matrix[row, row:] = values
    return names, np.triu(matrix) + np.triu(matrix, 1).T
