"""Evaluate formulas: as expressions in a group-by for many clients, value by value for one."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from bento.features.definitions import Aggregate, Composite, Feature, Value

_HAS_ROWS = "has_rows"


class Evaluator:
    """Evaluates the formulas of some features of one table; made once for each set of features.

    Both ways evaluate the same formulas. For many clients, each formula is an expression, and all are evaluated in one
    group-by. For one client, to plan hundreds of expressions over a few rows would take nearly all the time; there,
    each value of an `Aggregate` is computed once, each window is filtered once, and the function is called on the
    result.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self.needed = frozenset[str]().union(*(feature.roots for feature in features))
        """The columns that the formulas read."""
        self._columns = [feature.column for feature in features]
        self._plain: dict[str, str] = {}
        self._expressions: list[pl.Expr] = []
        self._aggregates: list[tuple[str, Callable[[pl.Series, pl.Series | None], Value], int, int | None]] = []
        self._inputs: list[pl.Expr] = []
        self._composites: list[tuple[str, Composite, list[str]]] = []
        positions: dict[bytes, int] = {}
        for feature in features:
            formula = feature.formula
            if isinstance(formula, Aggregate):
                self._add(feature.name, formula, positions)
            elif isinstance(formula, Composite):
                names = [f"{feature.name}/{number}" for number, _ in enumerate(formula.aggregates)]
                for name, aggregate in zip(names, formula.aggregates, strict=True):
                    self._add(name, aggregate, positions)
                self._composites.append((feature.name, formula, names))
            elif formula.meta.is_column():
                self._plain[feature.name] = formula.meta.output_name()
            else:
                self._expressions.append(formula.alias(feature.name))

    def of_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return one row of features for each row of a table that has one row for each client."""
        return rows.select(self._columns)

    def of_clients(self, rows: pl.DataFrame, clients: pl.Series) -> pl.DataFrame:
        """Return one row of features for each client, in the order of `clients` (unique SK_ID_CURR).

        A client without rows gets the value of the formulas over no row: 0 for a count or a sum, null for a mean.
        """
        without_rows = rows.clear().select(self._columns).row(0, named=True)
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

    def of_one_client(self, rows: pl.DataFrame) -> dict[str, Value]:
        """Return the features of the only client in the rows; numbers may have any type and may not be finite."""
        values: dict[str, Value] = {}
        if self._plain:
            row = rows.row(0, named=True)
            values |= {name: row[column] for name, column in self._plain.items()}
        if self._expressions:
            values |= rows.select(self._expressions).row(0, named=True)
        inputs = rows.select(self._inputs).get_columns() if self._inputs else []
        filtered: dict[tuple[int, int | None], pl.Series] = {}
        for name, function, value, test in self._aggregates:
            if (value, test) not in filtered:
                filtered[value, test] = inputs[value] if test is None else inputs[value].filter(inputs[test])
            values[name] = function(filtered[value, test], None if test is None else inputs[test])
        with np.errstate(all="ignore"):
            for name, composite, names in self._composites:
                values[name] = composite.of_values(values.pop(part) for part in names)
        return values

    def _add(self, name: str, aggregate: Aggregate, positions: dict[bytes, int]) -> None:
        test = None if aggregate.window is None else self._input(aggregate.window.test, positions)
        self._aggregates.append((name, aggregate.of_series, self._input(aggregate.value, positions), test))

    def _input(self, expression: pl.Expr, positions: dict[bytes, int]) -> int:
        """Return the position of an expression among the inputs, which hold equal expressions once."""
        position = positions.setdefault(expression.meta.serialize(), len(positions))
        if position == len(self._inputs):
            self._inputs.append(expression.alias(str(position)))
        return position
