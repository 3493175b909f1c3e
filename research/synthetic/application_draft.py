"""Applications in the making: values so far, and draws that follow the scores of the copula."""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bento.data.tables import APPLICATION
from research.synthetic.calibration_statistics import (
    APPLICATIONS,
    grid_quantile,
    ordered_shares,
    ordered_values,
    pick,
    quantile,
    statistics,
    table_statistics,
)
from research.synthetic.copula import copula
from research.synthetic.frames import Flags, Floats


@dataclass
class ApplicationDraft:
    """Applications of a chunk of clients; arrays of shape (clients,).

    `scores` holds the latent scores of the copula; `values` numbers, for categories positions in `ordered_values`;
    `missing` which values stay empty.
    """

    scores: dict[str, Floats]
    train: Flags
    rng: np.random.Generator
    values: dict[str, Floats] = field(default_factory=dict)
    missing: dict[str, Flags] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.train)

    def chance(self) -> Floats:
        """Draw a uniform rank for every client."""
        return self.rng.random(len(self))

    def by_table(self, name: str, rank: Floats) -> Floats:
        """Return values of `name` at `rank`, by the marginals of the table of each client."""
        values = np.empty(len(self))
        for table, rows in zip(APPLICATIONS, (self.train, ~self.train), strict=True):
            column = table_statistics(table)[name]
            if column.quantiles_known:
                values[rows] = grid_quantile(column.quantiles_known, rank[rows])
            elif column.quantiles:
                values[rows] = quantile(column, rank[rows])
            else:
                values[rows] = self.code(name, pick(ordered_shares(table, name), rank[rows]))
        return values

    def code(self, name: str, positions: NDArray[np.intp]) -> Floats:
        """Return the numbers at positions of `ordered_values`; categories stay positions."""
        if APPLICATION[name].kind == "category":
            return positions.astype(np.float64)
        return np.array([float(value) for value in ordered_values(name)])[positions]

    def share(self, name: str, value: str) -> Floats:
        """Return the share of `value` in the table of each client."""
        train, test = (table_statistics(table)[name].shares.get(value, 0.0) for table in APPLICATIONS)
        return np.where(self.train, train, test)

    def rank_given(self, name: str, *parents: str) -> Floats:
        """Return the rank of the part of a column's score that the scores of `parents` do not explain.

        In application_test a few columns are shifted against their cells.
        """
        weights, spread = _regression(name, parents)
        explained = sum(weight * self.scores[parent] for weight, parent in zip(weights, parents, strict=True))
        shift = np.where(self.train, 0.0, statistics()["joint"]["test_shift"].get(name, 0.0))
        return ndtr((self.scores[name] - explained) / spread + shift)

    def is_(self, name: str, *values: str) -> Flags:
        """Tell for each client whether a filled category is one of `values`."""
        categories = ordered_values(name)
        return np.isin(self.values[name], [categories.index(value) for value in values if value in categories])


@cache
def _regression(name: str, parents: tuple[str, ...]) -> tuple[tuple[float, ...], float]:
    """Return the weights of the scores of `parents` in that of `name`, and the standard deviation of the rest."""
    among = np.array([[copula().correlation(one, other) for other in parents] for one in parents])
    with_name = np.array([copula().correlation(name, parent) for parent in parents])
    weights = np.linalg.solve(among, with_name)
    return tuple(weights.tolist()), float(np.sqrt(1 - weights @ with_name))
