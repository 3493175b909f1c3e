"""Share counts: for each feature that is a share of rows, how many rows, and of how many, to show "3 of 12".

They are derived from the features and are not in the catalogue: no model is trained on them.
"""

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from bento.data.tables import TABLES
from bento.features.definitions import Aggregate, Feature


def count_name(share: str) -> str:
    """Return the name of the number of rows in a share."""
    return f"{share}_count"


def total_name(share: str) -> str:
    """Return the name of the number of rows that a share is of: those in which the condition is not null."""
    return f"{share}_of"


def share_count_features(table: str, features: Iterable[Feature], no_rows: pl.DataFrame) -> tuple[Feature, ...]:
    """Make the two counts for each feature of a table that is the mean of a condition.

    `no_rows` are the rows of the formulas, empty: their schema tells conditions from numbers.
    """
    means = [
        (feature, feature.formula)
        for feature in features
        if feature.unit == "share" and isinstance(feature.formula, Aggregate) and feature.formula.function == "mean"
    ]
    schema = no_rows.select(formula.value.alias(feature.name) for feature, formula in means).schema
    counts = []
    for feature, formula in means:
        if schema[feature.name] == pl.Boolean or _is_flag(table, formula.value):
            count, total = replace(formula, function="sum"), replace(formula, function="count")
            for name, count_formula in ((count_name(feature.name), count), (total_name(feature.name), total)):
                counts.append(replace(feature, name=name, formula=count_formula, unit="count", risk=0, monotone=False))
    return tuple(counts)


def _is_flag(table: str, value: pl.Expr) -> bool:
    return value.meta.is_column() and any(
        column.name == value.meta.output_name() and column.unit == "flag" for column in TABLES[table]
    )
