"""The data's known anomalies become nulls, once, for training and serving alike."""

from collections.abc import Mapping
from functools import cache

import polars as pl

from bento.tables import OPEN_ENDED, TABLES, Column

IS_OPEN, IS_OPEN_FROM = "IS_OPEN", "DAYS_LAST_DUE"
"""Added to previous_application: the loan has no last due date yet, which its open-ended date says."""


def clean(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables, each declared missing code and implausible value replaced by null.

    Args:
        tables: frames by table name, with all declared columns or only some; other columns pass through.
    """
    return {name: frame.with_columns(_rules(name, tuple(frame.columns))) for name, frame in tables.items()}


@cache
def _rules(table: str, columns: tuple[str, ...]) -> list[pl.Expr]:
    declared = (column for column in TABLES[table] if column.name in columns)
    rules = [rule for column in declared if (rule := _null_where_anomalous(column)) is not None]
    if table == "previous_application" and IS_OPEN_FROM in columns:
        rules.append((pl.col(IS_OPEN_FROM) == OPEN_ENDED).fill_null(False).alias(IS_OPEN))
    return rules


def _null_where_anomalous(column: Column) -> pl.Expr | None:
    value = pl.col(column.name)
    tests = [value == code for code in column.missing_codes]
    if column.plausible_minimum is not None:
        tests.append(value < column.plausible_minimum)
    if column.plausible_maximum is not None:
        tests.append(value > column.plausible_maximum)
    if not tests:
        return None
    return pl.when(pl.any_horizontal(tests)).then(None).otherwise(value).alias(column.name)
