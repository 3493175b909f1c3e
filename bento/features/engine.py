"""Evaluate formulas: as expressions in a group-by for many clients, over arrays for one."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import polars as pl

from bento.features.aggregates import Aggregates
from bento.features.arrays import Program
from bento.features.definitions import Aggregate, Composite, Feature, Value
from bento.features.rows import ClientRows

_HAS_ROWS = "has_rows"


class Evaluator:
    """Evaluates the formulas of some features of one table; made once for each set of features.

    Both ways evaluate the same formulas. For many clients, each formula is an expression, and all are evaluated in one
    group-by. For one client, to plan hundreds of expressions over a few rows would take nearly all the time; there,
    they are compiled once (`Program`), and the aggregates are computed together (`Aggregates`).
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self.needed = frozenset[str]().union(*(feature.roots for feature in features))
        """The columns that the formulas read."""
        self._features = features
        self._columns = [feature.column for feature in features]

    def of_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return one row of features for each row of a table that has one row for each client."""
        return rows.select(self._columns)

    def of_clients(self, rows: pl.DataFrame, clients: pl.Series) -> pl.DataFrame:
        """Return one row of features for each client, in the order of `clients` (unique SK_ID_CURR).

        A client without rows gets the value of the formulas over no row: 0 for a count or a sum, null for a mean.
        """
        without_rows = self.without_rows(rows)
        has_rows = pl.col(_HAS_ROWS).is_not_null()
        filled = [
            pl.when(has_rows).then(name).otherwise(value).alias(name)
            for name, value in without_rows.items()
            if value is not None
        ]
        features = rows.group_by("SK_ID_CURR").agg(*self._columns, pl.lit(True).alias(_HAS_ROWS))
        return (
            clients.to_frame("SK_ID_CURR")
            .join(features, on="SK_ID_CURR", how="left", maintain_order="left")
            .with_columns(filled)
            .select(list(without_rows))
        )

    def without_rows(self, rows: pl.DataFrame) -> dict[str, Value]:
        """Return the features of a client without rows; `rows` are any with the columns of the formulas."""
        return rows.clear().select(self._columns).row(0, named=True)

    def of_one_client(self, rows: ClientRows) -> dict[str, Value]:
        """Return the features of one client's rows, of which there is at least one; numbers may not be finite.

        Raises:
            FloatingPointError: see `Program.run`; `of_rows` or `of_clients` compute these features nevertheless.
        """
        values: dict[str, Value] = {}
        values.update(self._aggregates.compute(rows))
        with np.errstate(all="ignore"):
            for name, composite, names in self._composites:
                values[name] = composite.of_values(values.pop(part) for part in names)
        for feature, array in zip(self._plain, self._program.run(rows), strict=True):
            values[feature.name] = array.item(0) if isinstance(array, np.ndarray) else array
        return values

    @cached_property
    def _plain(self) -> list[Feature]:
        """The features of a single row."""
        return [feature for feature in self._features if isinstance(feature.formula, pl.Expr)]

    @cached_property
    def _program(self) -> Program:
        return Program([feature.expression for feature in self._plain])

    @cached_property
    def _composites(self) -> list[tuple[str, Composite, list[str]]]:
        """The composites, with the names of their parts among the aggregates."""
        return [
            (
                feature.name,
                feature.formula,
                [f"{feature.name}/{number}" for number, _ in enumerate(feature.formula.aggregates)],
            )
            for feature in self._features
            if isinstance(feature.formula, Composite)
        ]

    @cached_property
    def _aggregates(self) -> Aggregates:
        own = [(feature.name, feature.formula) for feature in self._features if isinstance(feature.formula, Aggregate)]
        parts = [
            (name, aggregate)
            for _, composite, names in self._composites
            for name, aggregate in zip(names, composite.aggregates, strict=True)
        ]
        return Aggregates([*own, *parts])
