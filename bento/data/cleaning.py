"""Replace the known anomalies of the data by null, once, for training and serving alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from math import inf
from operator import or_
from typing import Any

import polars as pl

from bento.data.tables import TABLES, Column

IS_OPEN, IS_OPEN_FROM = "IS_OPEN", "DAYS_LAST_DUE"
"""Column added to previous_application: whether the last due date is ahead, as it is while the credit is open, where
the data's code for "no such date" stands for it; and the column it is read from."""
MAX_ROWS_INSPECTED = 500
"""Rows up to which values, nearly always sound, are inspected in Python: Polars would need longer to replace none."""


@dataclass(frozen=True)
class _Rule:
    """The anomalies of one column: missing codes, values outside the plausible range, and unknown categories."""

    column: Column
    cleaned: pl.Expr

    def anomalies(self, values: Iterable[Any]) -> set[Any]:
        """Return the anomalous ones of some values."""
        present = set(values)
        present.discard(None)
        if self.column.categories:
            return present - self.column.known_categories
        codes = present.intersection(self.column.missing_codes)
        low, high = self.column.plausible_range
        if low == -inf and high == inf:
            return codes
        return codes | {value for value in present if not low <= value <= high}


def clean(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Replace each missing code, implausible value and unknown category in the tables by null, and add `IS_OPEN`.

    Declared columns may be absent; others pass through.
    """
    return {name: _cleaned(name, frame) for name, frame in tables.items()}


def cleaned_values(table: str, column: str, values: list[Any]) -> list[Any]:
    """Replace the values of a declared column as `clean` does."""
    rule = _rules_by_column(table).get(column)
    if rule is None or not (anomalies := rule.anomalies(values)):
        return values
    return [None if value in anomalies else value for value in values]


@cache
def _rules_by_column(table: str) -> dict[str, _Rule]:
    return {column.name: rule for column in TABLES[table] if (rule := _rule(column)) is not None}


def _cleaned(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    rules, added = _rules(table, tuple(frame.columns))
    if len(frame) <= MAX_ROWS_INSPECTED:
        rules = [rule for rule in rules if rule.anomalies(frame.get_column(rule.column.name).to_list())]
    columns = [*(rule.cleaned for rule in rules), *added]
    return frame.with_columns(columns) if columns else frame


@cache
def _rules(table: str, columns: tuple[str, ...]) -> tuple[list[_Rule], list[pl.Expr]]:
    """Return the rules of a table's columns, and the columns to add."""
    declared = (column for column in TABLES[table] if column.name in columns)
    rules = [rule for column in declared if (rule := _rule(column)) is not None]
    is_open = (pl.col(IS_OPEN_FROM) > 0).alias(IS_OPEN)
    return rules, [is_open] if table == "previous_application" and IS_OPEN_FROM in columns else []


def _rule(column: Column) -> _Rule | None:
    value, low, high = pl.col(column.name), column.plausible_minimum, column.plausible_maximum
    tests = [value == code for code in column.missing_codes]
    if column.categories:
        tests = [~value.is_in(column.known_categories)]
    if low is not None:
        tests.append(value < low)
    if high is not None:
        tests.append(value > high)
    if not tests:
        return None
    return _Rule(column, pl.when(reduce(or_, tests)).then(None).otherwise(value).alias(column.name))
