"""Marginal distributions: map a uniform rank to a value with the real data's frequencies."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from research.synthetic.arrays import Floats, Texts
from research.synthetic.calibration_statistics import ColumnStatistics, probabilities, table_statistics

APPLICATIONS = ("application_train", "application_test")


def quantile(column: ColumnStatistics, rank: Floats) -> Floats:
    """Return the values of a column with quantiles at `rank` (shape n, in 0..1); repeated quantiles stay atoms."""
    if column.atoms:
        return np.interp(rank, *_with_atoms(column.quantiles, tuple(column.atoms.items())))
    if column.share_zero:
        return np.interp(rank, *_with_zeros(column.quantiles, column.share_zero))
    return np.interp(rank, probabilities(), column.quantiles)


def known_quantile(column: ColumnStatistics, rank: Floats) -> Floats:
    """Return the values at `rank` among those without the open-ended code."""
    return np.interp(rank, probabilities(), column.quantiles_known)


def grid_quantile(quantiles: list[float], rank: Floats) -> Floats:
    """Return the values at `rank` of a list of quantiles at the common probabilities."""
    return np.interp(rank, probabilities(), quantiles)


def pick(shares: Floats, rank: Floats) -> NDArray[np.intp]:
    """Return the index of the share that each `rank` in 0..1 falls into; the shares need not sum to one."""
    edges = np.cumsum(shares)
    return np.minimum(np.searchsorted(edges / edges[-1], rank, side="right"), len(edges) - 1)


def choose(shares: dict[str, float], rank: Floats) -> Texts:
    """Return the category at each rank, by share, in the order of the mapping."""
    names = np.array(list(shares), dtype=object)
    return names[pick(np.array(list(shares.values())), rank)]


@cache
def ordered_values(name: str) -> tuple[str, ...]:
    """Return the values of an application column with shares: numbers ascending, categories by default rate."""
    columns = [table_statistics(table)[name] for table in APPLICATIONS if name in table_statistics(table)]
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
    return np.concatenate([[0.0, share], probabilities()[above]]), np.concatenate(
        [[0.0, 0.0], np.array(quantiles)[above]]
    )


@cache
def _with_atoms(quantiles: tuple[float, ...], atoms: tuple[tuple[str, float], ...]) -> tuple[Floats, Floats]:
    """Return levels and values of a quantile function with the given atoms, as close to the quantiles as they allow."""
    at = np.array([float(value) for value, _ in atoms])
    mass = np.array([share for _, share in atoms])
    values = np.unique(np.concatenate([quantiles, at]))
    levels = probabilities()
    low = np.array(
        [levels[np.searchsorted(quantiles, value, side="left")] if value in quantiles else np.nan for value in values]
    )
    low = np.where(np.isnan(low), np.interp(values, quantiles, levels), low)
    before = np.array([mass[at < value].sum() for value in values])
    here = np.array([mass[at == value].sum() for value in values])
    smooth = np.clip(np.maximum.accumulate(low - before - 0.5 * here), 0.0, 1 - mass.sum())
    smooth[-1] = 1 - mass.sum()
    return np.column_stack([smooth + before, smooth + before + here]).ravel(), np.repeat(values, 2)
