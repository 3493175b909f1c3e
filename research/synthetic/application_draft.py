"""Applications while the generator fills them, column by column."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bento.data.tables import APPLICATION
from research.synthetic.arrays import Flags, Floats
from research.synthetic.calibration_statistics import table_statistics
from research.synthetic.marginals import (
    APPLICATIONS,
    known_quantile,
    ordered_shares,
    ordered_values,
    pick,
    quantile,
)


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

    def by_table(self, name: str, rank: Floats, *, without_open_ended: bool = False) -> Floats:
        """Return values of `name` at `rank`, by the marginals of the table of each client."""
        values = np.empty(len(self))
        for table, rows in zip(APPLICATIONS, (self.train, ~self.train), strict=True):
            column = table_statistics(table)[name]
            if column.quantiles:
                of_rank = known_quantile if without_open_ended else quantile
                values[rows] = of_rank(column, rank[rows])
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

    def is_(self, name: str, *values: str) -> Flags:
        """Tell for each client whether a filled category is one of `values`."""
        categories = ordered_values(name)
        return np.isin(self.values[name], [categories.index(value) for value in values if value in categories])
