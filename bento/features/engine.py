"""How features are evaluated: grouped where there are many clients, value by value where there is one."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import polars as pl

from bento.features.definitions import Aggregate, Composite, Feature

Value: TypeAlias = float | str | None


class Selection:
    """Some features of one table, and what it takes to evaluate them; made once for each set of features.

    The formulas are the same for many clients and for one. For many, each is an expression, and all go into one
    group-by. For one, planning hundreds of expressions over a handful of rows would take nearly all the time: there,
    each value of an `Aggregate` is computed once, each window picks its rows once, and the function is called on them.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self.needed = frozenset[str]().union(*(feature.roots for feature in features))
        """The columns that the formulas read."""
        self._columns = [feature.column for feature in features]
        self._plain: dict[str, str] = {}
        self._others: list[pl.Expr] = []
        self._aggregates: list[tuple[str, Callable[[pl.Series], Value], int, int | None]] = []
        self._inputs: list[pl.Expr] = []
        self.finishes: list[pl.Expr] = []
        """Over the results of `of_one_client`: the expressions of the features that are still to be made of them."""
        self.unfinished: list[str] = []
        """The names under which `of_one_client` returns what `finishes` is computed from."""
        places: dict[bytes, int] = {}
        for feature in features:
            formula = feature.formula
            if isinstance(formula, Aggregate):
                self._add(feature.name, formula, places)
            elif isinstance(formula, Composite):
                names = [f"{feature.name}/{number}" for number, _ in enumerate(formula.aggregates)]
                for name, aggregate in zip(names, formula.aggregates, strict=True):
                    self._add(name, aggregate, places)
                self.unfinished += names
                self.finishes.append(formula.finish(*map(pl.col, names)).alias(feature.name))
            elif formula.meta.is_column():
                self._plain[feature.name] = formula.meta.output_name()
            else:
                self._others.append(formula.alias(feature.name))

    def _add(self, name: str, aggregate: Aggregate, places: dict[bytes, int]) -> None:
        test = None if aggregate.window is None else self._place(aggregate.window.test, places)
        function = getattr(pl.Series, aggregate.function)
        self._aggregates.append((name, function, self._place(aggregate.value, places), test))

    def _place(self, expression: pl.Expr, places: dict[bytes, int]) -> int:
        """The position of an expression among the inputs, where equal ones stand once."""
        place = places.setdefault(expression.meta.serialize(), len(places))
        if place == len(self._inputs):
            self._inputs.append(expression.alias(str(place)))
        return place

    def of_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row of features for each row of a table that has one for each client."""
        return rows.select(self._columns)

    def of_clients(self, rows: pl.DataFrame, clients: pl.Series) -> pl.DataFrame:
        """One row of features for each client, in the order of `clients` (unique SK_ID_CURR).

        A client without rows gets what the formulas make of no row: 0 for a count or a sum, null for a mean.
        """
        of_none = rows.clear().select(self._columns).row(0, named=True)
        filled = [pl.col(name).fill_null(value) for name, value in of_none.items() if value is not None]
        return (
            clients.to_frame("SK_ID_CURR")
            .join(rows.group_by("SK_ID_CURR").agg(self._columns), on="SK_ID_CURR", how="left", maintain_order="left")
            .with_columns(filled)
            .select(list(of_none))
        )

    def of_one_client(self, rows: pl.DataFrame) -> dict[str, Value]:
        """The features of the client whom all the rows belong to, some still to be finished.

        A number may have any type, and need not be finite.
        """
        values: dict[str, Value] = {}
        if self._plain:
            row = rows.row(0, named=True)
            values |= {name: row[column] for name, column in self._plain.items()}
        if self._others:
            values |= rows.select(self._others).row(0, named=True)
        inputs = rows.select(self._inputs).get_columns() if self._inputs else []
        picked: dict[tuple[int, int | None], pl.Series] = {}
        for name, function, value, test in self._aggregates:
            if (value, test) not in picked:
                picked[value, test] = inputs[value] if test is None else inputs[value].filter(inputs[test])
            values[name] = function(picked[value, test])
        return values
