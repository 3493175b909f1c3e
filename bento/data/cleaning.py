"""The data's known anomalies become nulls, once, for training and serving alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from math import inf
from operator import or_
from typing import Any

import polars as pl

from bento.data.tables import OPEN_ENDED, TABLES, Column

IS_OPEN, IS_OPEN_FROM = "IS_OPEN", "DAYS_LAST_DUE"
"""Added to previous_application: the loan has no last due date yet, which its open-ended date says."""
MAX_ROWS_INSPECTED = 500
"""Up to here, to look at values that are nearly always sound is quicker than to have the engine mend them."""


@dataclass(frozen=True)
class _Rule:
    """How one column is mended, and which values surely need no mending: what is not null, a code or out of bounds."""

    column: str
    mended: pl.Expr
    codes: frozenset[float | str]
    low: float | None
    high: float | None

    def leaves(self, values: Iterable[Any]) -> bool:
        """Whether no value is anomalous, beyond doubt."""
        bounded = self.low is not None or self.high is not None
        low, high = -inf if self.low is None else self.low, inf if self.high is None else self.high
        known = [value for value in values if value is not None]
        return self.codes.isdisjoint(known) and (not bounded or all(low <= value <= high for value in known))


def clean(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables, each declared missing code and implausible value replaced by null.

    Args:
        tables: frames by table name, with all declared columns or only some; other columns pass through.
    """
    return {name: _cleaned(name, frame) for name, frame in tables.items()}


def _cleaned(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    rules, added = _rules(table, tuple(frame.columns))
    if len(frame) <= MAX_ROWS_INSPECTED:
        rules = [rule for rule in rules if not rule.leaves(frame.get_column(rule.column).to_list())]
    columns = [*(rule.mended for rule in rules), *added]
    return frame.with_columns(columns) if columns else frame


@cache
def _rules(table: str, columns: tuple[str, ...]) -> tuple[list[_Rule], list[pl.Expr]]:
    """What mends each column that may need it, and what is added."""
    declared = (column for column in TABLES[table] if column.name in columns)
    rules = [rule for column in declared if (rule := _rule(column)) is not None]
    is_open = (pl.col(IS_OPEN_FROM) == OPEN_ENDED).fill_null(False).alias(IS_OPEN)
    return rules, [is_open] if table == "previous_application" and IS_OPEN_FROM in columns else []


def _rule(column: Column) -> _Rule | None:
    value, low, high = pl.col(column.name), column.plausible_minimum, column.plausible_maximum
    tests = [value == code for code in column.missing_codes]
    if low is not None:
        tests.append(value < low)
    if high is not None:
        tests.append(value > high)
    if not tests:
        return None
    mended = pl.when(reduce(or_, tests)).then(None).otherwise(value).alias(column.name)
    return _Rule(column.name, mended, frozenset(column.missing_codes), low, high)
