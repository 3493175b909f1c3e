"""Facts: for each feature that is a share of rows, how many they are and of how many, so that it can be told to people.

They are derived from the catalogue and are no part of it: no model is trained on them.
"""

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from bento.data.tables import TABLES
from bento.features.definitions import Aggregate, Feature, Function


def count_name(share: str) -> str:
    """The fact that says how many rows the share is of."""
    return f"{share}_count"


def of_name(share: str) -> str:
    """The fact that says of how many known rows it is a share."""
    return f"{share}_of"


def share_counts_in(table: str, features: Iterable[Feature], no_rows: pl.DataFrame) -> tuple[Feature, ...]:
    """Two facts for each feature that is the mean of a test: rows that pass it, and rows that are known to or not.

    Args:
        table: what the features are computed from.
        features: of this table.
        no_rows: what they are evaluated over, without rows: its schema tells tests from numbers.
    """
    means = [
        (feature, feature.formula)
        for feature in features
        if feature.unit == "share" and isinstance(feature.formula, Aggregate) and feature.formula.function == "mean"
    ]
    values = no_rows.select(formula.value.alias(feature.name) for feature, formula in means)
    return tuple(
        replace(feature, name=name, formula=replace(formula, function=function), unit="count", risk=0, monotone=False)
        for feature, formula in means
        if values.schema[feature.name] == pl.Boolean or _is_flag(table, formula.value)
        for name, function in _companions(feature.name)
    )


def _companions(share: str) -> tuple[tuple[str, Function], ...]:
    return (count_name(share), "sum"), (of_name(share), "count")


def _is_flag(table: str, value: pl.Expr) -> bool:
    return value.meta.is_column() and any(
        column.name == value.meta.output_name() and column.unit == "flag" for column in TABLES[table]
    )
