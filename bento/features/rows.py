"""The rows of a table: a frame of many clients, or arrays of one; and what is computed alike over both.

For the few rows of one client, Polars spends nearly all the time on planning, and hands each step to another thread;
NumPy takes a microsecond for it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bento.features.arrays import Program

Vector = NDArray[np.float64]
Positions = NDArray[np.intp]
Array = NDArray[Any]
"""Numbers with NaN where they are null, tests as 1, 0 and NaN; or texts (dtype object), None where they are null."""


class ClientRows:
    """Rows of one client in one table; `columns` name those that `read` returns, which it does when asked for one.

    Other columns may be added as arrays.
    """

    def __init__(
        self,
        length: int,
        columns: Sequence[str] = (),
        read: Callable[[str], Array] | None = None,
        arrays: Mapping[str, Array] | None = None,
    ) -> None:
        self._length, self._columns, self._read = length, columns, read
        self._arrays = dict(arrays or {})

    @classmethod
    def of_frame(cls, frame: pl.DataFrame) -> "ClientRows":
        """Read the rows of a frame; a NaN counts as null (the readers of files and requests let none pass)."""
        return cls(len(frame), frame.columns, lambda name: _as_array(frame.get_column(name)))

    @classmethod
    def of_values(cls, values: Mapping[str, float | None]) -> "ClientRows":
        """Make a single row of numbers."""
        return cls(1, arrays={name: np.array([value], np.float64) for name, value in values.items()})

    def __len__(self) -> int:
        return self._length

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(dict.fromkeys((*self._columns, *self._arrays)))

    def array(self, name: str) -> Array:
        """Return a column."""
        array = self._arrays.get(name)
        if array is None:
            if self._read is None:
                raise KeyError(f"rows have no column {name}")
            array = self._arrays[name] = self._read(name)
        return array

    def with_arrays(self, arrays: Mapping[str, Array]) -> "ClientRows":
        """Add or replace columns."""
        return ClientRows(self._length, self._columns, self._read, {**self._arrays, **arrays})

    def take(self, positions: Positions, names: Sequence[str]) -> "ClientRows":
        """Return some rows of some columns."""
        return ClientRows(len(positions), arrays={name: self.array(name)[positions] for name in names})


Rows = pl.DataFrame | ClientRows
"""Rows of many clients, or of one."""


def numbers(rows: Rows, name: str) -> Vector:
    """Return a column as numbers, NaN where it is null."""
    return rows.array(name) if isinstance(rows, ClientRows) else as_numbers(rows.get_column(name))


def as_numbers(values: pl.Series) -> Vector:
    """Return a series as numbers, true as 1 and false as 0, NaN where it is null."""
    array: Vector = values.cast(pl.Float64).to_numpy()
    return array


def equals(rows: Rows, name: str, text: str) -> Vector:
    """Compare a column of texts with a text: 1, 0, or NaN where it is null."""
    if isinstance(rows, ClientRows):
        texts = rows.array(name)
        return np.where(np.equal(texts, None), np.nan, np.equal(texts, text))  # type: ignore[call-overload]
    return as_numbers(rows.get_column(name) == text)


def take(rows: Rows, positions: Positions, names: Sequence[str]) -> Rows:
    """Return some rows of some columns."""
    return rows.take(positions, names) if isinstance(rows, ClientRows) else rows[positions, list(names)]


def with_numbers(rows: Rows, columns: Mapping[str, Vector]) -> Rows:
    """Add columns of numbers, null where they are NaN."""
    if isinstance(rows, ClientRows):
        return rows.with_arrays(columns)
    return rows.hstack([pl.Series(name, values, nan_to_null=True) for name, values in columns.items()])


def with_flags(rows: Rows, columns: Mapping[str, Vector]) -> Rows:
    """Add columns of true, false and null: 1, 0 and NaN."""
    if isinstance(rows, ClientRows):
        return rows.with_arrays(columns)
    flags = [pl.Series(name, values, nan_to_null=True).cast(pl.Boolean) for name, values in columns.items()]
    return rows.hstack(flags)


class Derived:
    """A column that an expression makes of others of the same row."""

    def __init__(self, name: str, expression: pl.Expr) -> None:
        self.name, self._column = name, expression.alias(name)

    @cached_property
    def _program(self) -> Program:
        return Program([self._column])

    def add_to(self, rows: Rows) -> Rows:
        """Add the column, or replace the one of its name."""
        if isinstance(rows, ClientRows):
            return rows.with_arrays({self.name: self._program.run(rows)[0]})
        return rows.with_columns(self._column)


def _as_array(values: pl.Series) -> Array:
    if values.dtype == pl.String:
        return np.array(values.to_list(), dtype=object)
    return as_numbers(values)
