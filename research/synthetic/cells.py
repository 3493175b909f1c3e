"""Statistics of one column within cells of others: made from a table, and drawn from."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from research.synthetic.calibration_statistics import pick
from research.synthetic.frames import Floats, Integers

LEVELS = np.linspace(0.0, 1.0, 21)
"""Levels of the quantiles of a cell. The outermost are those of 1 % and 99 %, so that no extreme of a cell is kept."""
MIN_ROWS = 20
"""Fewest rows that a statistic of a cell rests on."""
_DIGITS = 5
_RAKINGS = 50


def band_of(values: Floats, edges: Sequence[float]) -> Integers:
    """Return the band of each value: 0 below the second edge, the last from the last edge on."""
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 1)


def quantiles_by_cell(values: Floats, cell: Integers, cells: int) -> list[list[float]]:
    """Return the quantiles at `LEVELS` of `values` in each cell; a cell of few rows has those of all rows."""
    inner = np.clip(LEVELS, 0.01, 0.99)
    everywhere = np.quantile(values, inner)
    return [
        _rounded(np.quantile(values[cell == index], inner) if np.sum(cell == index) >= MIN_ROWS else everywhere)
        for index in range(cells)
    ]


def shares_by_cell(position: Integers, cell: Integers, cells: int, values: int) -> list[list[float]]:
    """Return the share of each of the `values` positions in each cell, shrunk to the shares of all rows.

    Counts below `MIN_ROWS` count as the shares of all rows say.
    """
    overall = np.bincount(position, minlength=values) / max(len(position), 1)
    result = []
    for index in range(cells):
        counts = np.bincount(position[cell == index], minlength=values).astype(float)
        rare = counts < MIN_ROWS
        counts[rare] = counts[rare].sum() * overall[rare] / max(overall[rare].sum(), 1e-12)
        result.append(_rounded(counts / counts.sum() if counts.sum() else overall))
    return result


def raked(shares: Sequence[Sequence[float]], weights: Integers, overall: Floats) -> list[list[float]]:
    """Return the `shares` of the cells, changed so that over cells of the `weights` they are those `overall`.

    Rows in which a value is known may lie in other cells than all rows.
    """
    table, cells = np.array(shares), weights / max(weights.sum(), 1)
    for _ in range(_RAKINGS):
        table *= overall / np.maximum(cells @ table, 1e-12)
        table /= np.maximum(table.sum(axis=1, keepdims=True), 1e-12)
    return [_rounded(row) for row in table]


def draw_quantiles(quantiles: Sequence[Sequence[float]], cell: Integers, rank: Floats) -> Floats:
    """Return the values at `rank` (in 0..1) of the cell of each row."""
    table = np.array(quantiles)
    place = np.clip(rank * (len(LEVELS) - 1), 0, len(LEVELS) - 1 - 1e-9)
    below = place.astype(np.intp)
    low, high = table[cell, below], table[cell, below + 1]
    return low + (place - below) * (high - low)


def rank_in_cell(quantiles: Sequence[Sequence[float]], cell: Integers, values: Floats) -> Floats:
    """Return the ranks (in 0..1) of `values` among the quantiles of their cells; of equal quantiles, the middle."""
    table = np.array(quantiles)[cell]
    below, within = (table < values[:, None]).sum(axis=1), (table <= values[:, None]).sum(axis=1)
    return np.clip((below + within - 1) / 2 / (len(LEVELS) - 1), 0.0, 1.0)


def draw_positions(shares: Sequence[Sequence[float]] | Floats, cell: Integers, rank: Floats) -> NDArray[np.intp]:
    """Return the position that each `rank` (in 0..1) falls into, by the shares of the cell of each row."""
    table = np.array(shares)
    positions = np.empty(len(rank), dtype=np.intp)
    for index in np.unique(cell):
        rows = cell == index
        positions[rows] = pick(table[index], rank[rows])
    return positions


def _rounded(values: Any) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]
