"""The published and sampled facts about the real data that the generator is held to."""

import json
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FACTS_FILE = Path(__file__).with_name("facts.json")


@dataclass(frozen=True)
class ColumnFacts:
    """What is known of one column: null rate, then either shares of its values or quantiles."""

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
def facts() -> dict[str, Any]:
    """All of `facts.json`."""
    loaded: dict[str, Any] = json.loads(FACTS_FILE.read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=1)
def probabilities() -> NDArray[np.float64]:
    """The probabilities, ascending from 0 to 1, that every list of quantiles belongs to."""
    return np.array(facts()["probabilities"])


@cache
def table_facts(table: str) -> dict[str, ColumnFacts]:
    """Facts of every column of `table` but the identifiers."""
    return {
        name: ColumnFacts(**{key: tuple(value) if isinstance(value, list) else value for key, value in column.items()})
        for name, column in facts()["tables"][table].items()
    }


@lru_cache(maxsize=1)
def observed_correlation() -> tuple[list[str], NDArray[np.float64]]:
    """Names and symmetric matrix of the correlations of normal scores in the application table."""
    correlation = facts()["correlation"]
    names: list[str] = correlation["columns"]
    matrix = np.eye(len(names))
    for row, values in enumerate(correlation["upper_triangle_rows"]):
        matrix[row, row:] = values
    return names, np.triu(matrix) + np.triu(matrix, 1).T
