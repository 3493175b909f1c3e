"""The feature catalogue: every feature by name, and the raw columns that it is computed from."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property

import polars as pl

from bento.data.cleaning import clean
from bento.data.tables import TABLES
from bento.features import application, bureau, combined, credit_card, installments, pos_cash, previous_application
from bento.features.definitions import Aggregate, Feature
from bento.features.rows import ClientRows, Rows

EMPTY_TABLES = clean({name: table.empty() for name, table in TABLES.items()})


@dataclass(frozen=True)
class TableFeatures:
    """The features of one table, and the rows and columns that they are computed from."""

    name: str
    rows: Callable[[Mapping[str, Rows], AbstractSet[str]], Rows]
    """Returns the rows for the formulas: from the tables, with those of the derived columns that are in a set."""
    features: tuple[Feature, ...]
    _: KW_ONLY
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The declared columns behind each derived column."""
    keys: tuple[str, ...] = ()
    """Columns that `rows` needs for any feature."""
    other_tables: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """The declared columns of other tables behind each derived column."""

    @cached_property
    def share_counts(self) -> tuple[Feature, ...]:
        """The counts behind those features that are shares, to show "3 of 12"; no model is trained on them."""
        columns = frozenset[str]().union(*(feature.roots for feature in self.features))
        return share_count_features(self.name, self.features, self.of_clients(EMPTY_TABLES, columns))

    def of_client(self, tables: Mapping[str, ClientRows], needed: AbstractSet[str]) -> ClientRows:
        """Return the rows for the formulas of arrays, as arrays."""
        rows = self.rows(tables, needed)
        assert isinstance(rows, ClientRows)  # noqa: S101 - arrays give arrays
        return rows

    def of_clients(self, tables: Mapping[str, pl.DataFrame], needed: AbstractSet[str]) -> pl.DataFrame:
        """Return the rows for the formulas of frames, as a frame."""
        rows = self.rows(tables, needed)
        assert isinstance(rows, pl.DataFrame)  # noqa: S101 - frames give a frame
        return rows

    def named(self, names: AbstractSet[str]) -> list[Feature]:
        """Return those features and share counts whose names are in a set."""
        return [feature for feature in (*self.features, *self.share_counts) if feature.name in names]


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


TABLE_FEATURES = (
    TableFeatures("application", application.application_rows, application.FEATURES, derived=application.DERIVED),
    TableFeatures("bureau", bureau.bureau_rows, bureau.FEATURES, derived=bureau.DERIVED),
    TableFeatures(
        "bureau_balance", bureau.bureau_balance_rows, bureau.BALANCE_FEATURES, derived=bureau.BALANCE_DERIVED
    ),
    TableFeatures(
        "POS_CASH_balance", pos_cash.pos_cash_rows, pos_cash.FEATURES, derived=pos_cash.DERIVED, keys=pos_cash.KEYS
    ),
    TableFeatures(
        "previous_application",
        previous_application.previous_application_rows,
        previous_application.FEATURES,
        derived=previous_application.DERIVED,
        other_tables=previous_application.OTHER_TABLES,
    ),
    TableFeatures(
        "installments_payments",
        installments.installments_rows,
        installments.FEATURES,
        derived=installments.DERIVED,
        keys=installments.KEYS,
    ),
    TableFeatures("credit_card_balance", credit_card.credit_card_rows, credit_card.FEATURES),
)
_FEATURES = [feature for table in TABLE_FEATURES for feature in table.features]
_FEATURES_AND_COUNTS = [feature for table in TABLE_FEATURES for feature in (*table.features, *table.share_counts)]
CATALOGUE: dict[str, Feature] = {feature.name: feature for feature in (*_FEATURES, *combined.FEATURES)}
"""Every feature by name, in the order in which `build_features` returns them."""
CATALOGUE_WITH_COUNTS: dict[str, Feature] = {
    feature.name: feature for feature in (*_FEATURES_AND_COUNTS, *combined.FEATURES)
}
"""Features and share counts by name, in the order in which `build_features` returns them."""


def share_counts_of(names: Iterable[str]) -> list[str]:
    """Return the names of the counts behind those features that are shares of rows: how many, and of how many.

    >>> share_counts_of(["application_credit", "bureau_active_share"])
    ['bureau_active_share_count', 'bureau_active_share_of']
    """
    return [count for name in names for count in (count_name(name), total_name(name)) if count in CATALOGUE_WITH_COUNTS]


def with_sources(names: Iterable[str]) -> set[str]:
    """Return the names of features, with those of the features that combined ones are computed from."""
    roots = (root for name in names for root in CATALOGUE_WITH_COUNTS[name].roots)
    return {*names, *(root for root in roots if root in CATALOGUE)}


def needed_columns(names: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Return the declared columns of each table that features, by default all, are computed from, in file order.

    >>> needed_columns(["bureau_active_share"])["bureau"]
    ['SK_ID_CURR', 'SK_ID_BUREAU', 'CREDIT_ACTIVE']
    """
    wanted = with_sources(CATALOGUE if names is None else names)
    needed: dict[str, set[str]] = {table: {"SK_ID_CURR", "SK_ID_BUREAU"} for table in TABLES}
    for table in TABLE_FEATURES:
        if features := table.named(wanted):
            roots = frozenset[str]().union(*(feature.roots for feature in features))
            needed[table.name].update(table.keys, roots, *(table.derived.get(root, ()) for root in roots))
            for root in roots:
                for other, columns in table.other_tables.get(root, {}).items():
                    needed[other].update(columns)
    for feature in combined.FEATURES:
        if feature.name in wanted:
            needed["application"].update(feature.roots)
    return {name: [column.name for column in table if column.name in needed[name]] for name, table in TABLES.items()}


def computed_from(columns: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the names of those features that read one of these columns of the application."""
    read = set(columns)
    return [name for name in names if table_of(name) in ("application", "combined") and read & CATALOGUE[name].roots]


def table_of(name: str) -> str:
    """Return the table that a feature is computed from, or `combined`."""
    return next((table.name for table in TABLE_FEATURES if CATALOGUE[name] in table.features), "combined")


def catalogue_hash() -> str:
    """Return the fingerprint of the feature code: names, expressions, categories, columns behind derived ones."""
    digest = hashlib.sha256()
    for table in TABLE_FEATURES:
        digest.update(f"{table.name}|{dict(table.derived)}\n".encode())
    for feature in CATALOGUE.values():
        digest.update(f"{feature.name}|{feature.column}|{'|'.join(feature.categories)}\n".encode())
    return digest.hexdigest()[:16]
