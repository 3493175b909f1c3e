"""Marginal distributions: from a uniform rank to a value with the real data's frequencies."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from research.synthetic.facts import ColumnFacts, probabilities, table_facts

Floats = NDArray[np.float64]


def quantile(column: ColumnFacts, rank: Floats, *, known: bool = False) -> Floats:
    """Values of a column known by its quantiles at `rank` (shape n, in 0..1); repeated quantiles stay atoms."""
    return np.interp(rank, probabilities(), column.quantiles_known if known else column.quantiles)


def pick(shares: Floats, rank: Floats) -> NDArray[np.intp]:
    """Index of the share (not necessarily summing to one) that each `rank` in 0..1 falls into."""
    edges = np.cumsum(shares)
    return np.minimum(np.searchsorted(edges / edges[-1], rank, side="right"), len(edges) - 1)


def choose(shares: dict[str, float], rank: Floats) -> NDArray[np.object_]:
    """Categories drawn by share, in the order of the mapping."""
    names = np.array(list(shares), dtype=object)
    return names[pick(np.array(list(shares.values())), rank)]


@lru_cache(maxsize=None)
def ordered_categories(table: str, name: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Values of a column and their shares, numbers ascending, categories by default rate in the training data."""
    shares = table_facts(table)[name].shares
    rates = table_facts("application_train")[name].default_rates
    if rates:
        order = sorted(shares, key=lambda value: (rates.get(value, 0.08), value))
    else:
        order = sorted(shares, key=float)
    return tuple(order), tuple(shares[value] for value in order)
