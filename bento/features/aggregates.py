"""Aggregates over the rows of one client, all of one table computed together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bento.features.arrays import Program
from bento.features.definitions import ZERO_WITHOUT_ROWS, Aggregate, Function
from bento.features.rows import ClientRows, Vector

Matrix = NDArray[np.float64]
"""Selections x rows."""
Flags = NDArray[np.bool_]


class Aggregates:
    """Named aggregates of one table.

    Each value and each window's test is computed once. Each selection, which is a value in the rows of a window, is a
    row of one matrix, over which each function is computed for all selections together: a client has so few rows that
    the number of calls decides.
    """

    def __init__(self, aggregates: Sequence[tuple[str, Aggregate]]) -> None:
        self._names: dict[Function, list[tuple[str, int]]] = {}
        """By function, the names of the aggregates and the numbers of their selections."""
        self._expressions: list[pl.Expr] = []
        inputs: dict[bytes, int] = {}
        selections: dict[tuple[int, int], int] = {}
        for name, aggregate in aggregates:
            test = -1 if aggregate.window is None else self._input(aggregate.window.test, inputs)
            selection = (self._input(aggregate.value, inputs), test)
            number = selections.setdefault(selection, len(selections))
            self._names.setdefault(aggregate.function, []).append((name, number))
        self._selections = list(selections)
        """Positions of the value and of the test among the expressions; -1 for all rows."""

    def compute(self, rows: ClientRows) -> dict[str, float]:
        """Return each aggregate over the rows, of which there is at least one; NaN where it is null.

        Raises:
            FloatingPointError: see `Program.run`.
        """
        if not self._names:
            return {}
        arrays = self._program.run(rows)
        selected = _Selected.of(arrays, *self._positions, len(rows))
        with np.errstate(all="ignore"):
            return {
                name: value
                for function, names in self._names.items()
                for (name, _), value in zip(names, _values(function, selected, self._numbers[function]), strict=True)
            }

    @cached_property
    def _program(self) -> Program:
        return Program(self._expressions)

    @cached_property
    def _positions(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        values, tests = zip(*self._selections, strict=True)
        return np.array(values), np.array(tests)

    @cached_property
    def _numbers(self) -> dict[Function, NDArray[np.intp]]:
        return {function: np.array([number for _, number in names]) for function, names in self._names.items()}

    def _input(self, expression: pl.Expr, positions: dict[bytes, int]) -> int:
        """Return the position of an expression, which is kept once."""
        position = positions.setdefault(expression.meta.serialize(), len(positions))
        if position == len(self._expressions):
            self._expressions.append(expression)
        return position


@dataclass(frozen=True)
class _Selected:
    """The values of each selection; texts are numbered, as only whether they are there and equal is asked of them."""

    values: Matrix
    """NaN where a value is null or its row is not selected."""
    is_known: Flags
    counts: Vector
    rows: Flags
    """The rows that are selected."""
    tested: Flags
    """Whether the test is known for any row."""

    @classmethod
    def of(cls, arrays: Sequence[Any], values: NDArray[np.intp], tests: NDArray[np.intp], length: int) -> "_Selected":
        matrix = np.empty((len(arrays) + 1, length))
        for position, array in enumerate(arrays):
            matrix[position] = _numbered(array) if isinstance(array, np.ndarray) and array.dtype.hasobject else array
        matrix[-1] = 1.0  # the test of all rows
        test = matrix[tests]
        rows = test == 1
        selected = np.where(rows, matrix[values], np.nan)
        is_known = ~np.isnan(selected)
        return cls(selected, is_known, is_known.sum(axis=1), rows, np.logical_or.reduce(~np.isnan(test), axis=1))

    def part(self, numbers: NDArray[np.intp]) -> "_Selected":
        """Return some of the selections."""
        return _Selected(*(part[numbers] for part in vars(self).values()))


def _numbered(texts: NDArray[Any]) -> Vector:
    numbers: dict[Any, float] = {None: np.nan}
    return np.array([numbers.setdefault(text, float(len(numbers))) for text in texts.tolist()])


def _values(function: Function, selected: _Selected, numbers: NDArray[np.intp]) -> list[float]:
    part = selected.part(numbers)
    values = _FUNCTIONS[function](part)
    if function in ZERO_WITHOUT_ROWS:
        is_unknown = (part.counts == 0) & (part.rows.any(axis=1) | ~part.tested)
        values = np.where(is_unknown, np.nan, values)
    result: list[float] = values.tolist()
    return result


def _sum(selected: _Selected) -> Vector:
    return np.asarray(np.where(selected.is_known, selected.values, 0.0).sum(axis=1))


def _std(selected: _Selected) -> Vector:
    """Compute standard deviations of the differences from the first value: exactly 0 if all are equal."""
    first = selected.values[np.arange(len(selected.values)), selected.is_known.argmax(axis=1)]
    distances = np.where(selected.is_known, selected.values - first[:, None], 0.0)
    means = distances.sum(axis=1) / selected.counts
    squares = np.where(selected.is_known, distances - means[:, None], 0.0) ** 2
    return np.where(selected.counts > 1, np.sqrt(squares.sum(axis=1) / (selected.counts - 1)), np.nan)


def _different(selected: _Selected) -> Vector:
    return np.array(
        [len(set(row[is_known].tolist())) for row, is_known in zip(selected.values, selected.is_known, strict=True)]
    )


_FUNCTIONS: dict[Function, Callable[[_Selected], Vector]] = {
    "len": lambda selected: np.full(len(selected.values), selected.values.shape[1], np.float64),
    "count": lambda selected: selected.counts,
    "mean": lambda selected: _sum(selected) / selected.counts,
    "max": lambda selected: np.fmax.reduce(selected.values, axis=1),
    "min": lambda selected: np.fmin.reduce(selected.values, axis=1),
    "sum": _sum,
    "std": _std,
    "n_unique": _different,
}
