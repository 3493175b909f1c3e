"""Published and sampled statistics of the real data, and the marginal distributions that follow from them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from research.synthetic.frames import Floats, Texts

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
    columns: dict[str, dict[str, Any]] = statistics()["tables"][table]
    return {
        name: ColumnStatistics(**values | {key: tuple(value) for key, value in values.items() if type(value) is list})
        for name, values in columns.items()
    }


@lru_cache(maxsize=1)
def observed_correlation() -> tuple[list[str], Floats]:
    """Return names and symmetric matrix of the correlations of normal scores in the application table."""
    correlation = statistics()["correlation"]
    names: list[str] = correlation["columns"]
    matrix = np.eye(len(names))
    for row, values in enumerate(correlation["upper_triangle_rows"]):
        matrix[row, row:] = values
    return names, np.triu(matrix) + np.triu(matrix, 1).T


APPLICATIONS = ("application_train", "application_test")


def quantile(column: ColumnStatistics, rank: Floats) -> Floats:
    """Return the values of a column with quantiles at `rank` (shape n, in 0..1); repeated quantiles stay atoms."""
    if column.atoms:
        return np.interp(rank, *_with_atoms(column.quantiles, tuple(column.atoms.items())))
    if column.share_zero:
        return np.interp(rank, *_with_zeros(column.quantiles, column.share_zero))
    return grid_quantile(column.quantiles, rank)


def grid_quantile(quantiles: Sequence[float], rank: Floats) -> Floats:
    """Return the values at `rank` of a list of quantiles at the common probabilities."""
    return np.interp(rank, probabilities(), quantiles)


def pick(shares: Floats, rank: Floats) -> NDArray[np.intp]:
    """Return the index of the share that each `rank` in 0..1 falls into; the shares need not sum to one."""
    edges = np.cumsum(shares)
    return np.minimum(np.searchsorted(edges / edges[-1], rank, side="right"), len(edges) - 1)


def nearest(allowed: Floats, values: Floats) -> Floats:
    """Return the nearest of the ascending `allowed` values."""
    return allowed[np.searchsorted((allowed[1:] + allowed[:-1]) / 2, values)]


def choose(shares: dict[str, float], rank: Floats) -> Texts:
    """Return the category at each rank, by share, in the order of the mapping."""
    names = np.array(list(shares), dtype=object)
    return names[pick(np.array(list(shares.values())), rank)]


@cache
def ordered_values(name: str) -> tuple[str, ...]:
    """Return the values of an application column with shares: numbers ascending, categories by default rate."""
    return in_order([table_statistics(table)[name] for table in APPLICATIONS if name in table_statistics(table)])


def in_order(columns: Sequence[ColumnStatistics]) -> tuple[str, ...]:
    """Return the values of one column with shares in several tables, of which the first has default rates, in order."""
    values = {value for column in columns for value in column.shares}
    rates = columns[0].default_rates
    if rates:
        typical = float(np.mean(list(rates.values())))
        return tuple(sorted(values, key=lambda value: (rates.get(value, typical), value)))
    return tuple(sorted(values, key=float))


def ordered_shares(table: str, name: str) -> Floats:
    """Return the shares of `ordered_values(name)` in one application table."""
    shares = table_statistics(table)[name].shares
    return np.array([shares.get(value, 0.0) for value in ordered_values(name)])


@cache
def _with_zeros(quantiles: tuple[float, ...], share: float) -> tuple[Floats, Floats]:
    """Return levels and values of a quantile function with a share of zeros."""
    above = probabilities() > share
    levels, values = ([0.0, share], probabilities()), ([0.0, 0.0], np.array(quantiles))
    return np.concatenate([levels[0], levels[1][above]]), np.concatenate([values[0], values[1][above]])


@cache
def _with_atoms(quantiles: tuple[float, ...], atoms: tuple[tuple[str, float], ...]) -> tuple[Floats, Floats]:
    """Return levels and values of a quantile function with the given atoms, as close to the quantiles as they allow."""
    at = np.array([float(value) for value, _ in atoms])
    mass = np.array([share for _, share in atoms])
    values = np.unique(np.concatenate([quantiles, at]))
    levels = probabilities()
    first = np.minimum(np.searchsorted(quantiles, values, side="left"), len(levels) - 1)
    low = np.where(np.isin(values, quantiles), levels[first], np.interp(values, quantiles, levels))
    before = np.array([mass[at < value].sum() for value in values])
    here = np.array([mass[at == value].sum() for value in values])
    smooth = np.clip(np.maximum.accumulate(low - before - 0.5 * here), 0.0, 1 - mass.sum())
    smooth[-1] = 1 - mass.sum()
    return np.column_stack([smooth + before, smooth + before + here]).ravel(), np.repeat(values, 2)
