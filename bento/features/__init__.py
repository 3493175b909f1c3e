"""The only code that computes features: cleaned tables in, one row for each client out."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

import polars as pl

from bento.features import application, bureau, combined, credit_card, installments, pos_cash, previous_application
from bento.features.feature import GROUP_LABELS, Feature, Group
from bento.tables import TABLES

__all__ = [
    "CATALOGUE",
    "GROUP_LABELS",
    "Feature",
    "Group",
    "build_features",
    "catalogue_hash",
    "needed_columns",
    "table_of",
]

_Build = Callable[[Mapping[str, pl.DataFrame], tuple[Feature, ...]], pl.DataFrame]


@dataclass(frozen=True)
class _Part:
    """The features of one table: how they are built, and from which declared columns."""

    table: str
    build: _Build
    features: tuple[Feature, ...]
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


_PARTS = (
    _Part("application", application.application_features, application.FEATURES),
    _Part("bureau", bureau.bureau_features, bureau.FEATURES, bureau.DERIVED),
    _Part("bureau_balance", bureau.bureau_balance_features, bureau.BALANCE_FEATURES, bureau.BALANCE_DERIVED),
    _Part("POS_CASH_balance", pos_cash.pos_cash_features, pos_cash.FEATURES, pos_cash.DERIVED, pos_cash.KEYS),
    _Part(
        "previous_application",
        previous_application.previous_application_features,
        previous_application.FEATURES,
        previous_application.DERIVED,
    ),
    _Part(
        "installments_payments",
        installments.installments_features,
        installments.FEATURES,
        installments.DERIVED,
        installments.KEYS,
    ),
    _Part("credit_card_balance", credit_card.credit_card_features, credit_card.FEATURES),
)

CATALOGUE: dict[str, Feature] = {
    feature.name: feature
    for feature in (*(feature for part in _PARTS for feature in part.features), *combined.FEATURES)
}
"""Every feature by name, in the order in which `build_features` returns them."""


def build_features(tables: Mapping[str, pl.DataFrame], names: Sequence[str] | None = None) -> pl.DataFrame:
    """One row of features for each row of `application`, in its order.

    Args:
        tables: the seven declared tables, cleaned (`bento.clean.clean`), with at least `needed_columns(names)`; each
            SK_ID_CURR once in `application`. A table is asked for when its features are built, and not kept.
        names: the features to compute, by default all of `CATALOGUE`.

    Returns:
        SK_ID_CURR and the features: Float64, finite or null; String for a category. A client's features depend on
        that client's rows alone.

    Raises:
        KeyError: a name that is not in the catalogue.
    """
    asked_for = CATALOGUE.keys() if names is None else set(names)
    wanted = [name for name in CATALOGUE if name in asked_for]
    if unknown := asked_for - CATALOGUE.keys():
        raise KeyError(f"no such feature: {', '.join(sorted(unknown))}")
    asked = _with_sources(wanted)
    applications = tables["application"]
    columns = [applications["SK_ID_CURR"]]
    for part in _PARTS:
        chosen = tuple(feature for feature in part.features if feature.name in asked)
        if chosen:
            columns += part.build(tables, chosen).get_columns()
    together = [feature for feature in combined.FEATURES if feature.name in asked]
    if together:
        roots = {root for feature in together for root in feature.roots}
        sources = [column for column in (*applications.get_columns(), *columns) if column.name in roots]
        columns += _finite(pl.DataFrame(sources)).select(feature.column for feature in together).get_columns()
    kept = {"SK_ID_CURR", *wanted}
    return _finite(pl.DataFrame([column for column in columns if column.name in kept]))


def _finite(features: pl.DataFrame) -> pl.DataFrame:
    """Null in place of what no number is: a ratio to nothing, or a sum beyond all bounds."""
    if len(features) == 1 and not any(isinstance(value, float) and not isfinite(value) for value in features.row(0)):
        return features  # as good as always with one client, and much cheaper to see than to mend
    numbers = [name for name, dtype in features.schema.items() if dtype == pl.Float64]
    return features.with_columns(pl.when(pl.col(name).is_finite()).then(name).alias(name) for name in numbers)


def _with_sources(names: Iterable[str]) -> set[str]:
    """The features, and those that combined ones are computed from."""
    roots = (root for name in names for root in CATALOGUE[name].roots)
    return {*names, *(root for root in roots if root in CATALOGUE)}


def needed_columns(names: Sequence[str] | None = None) -> dict[str, list[str]]:
    """The declared columns of each table that these features, by default all, are computed from, in file order."""
    asked = _with_sources(CATALOGUE if names is None else names)
    needed: dict[str, set[str]] = {table: {"SK_ID_CURR", "SK_ID_BUREAU"} for table in TABLES}
    for part in _PARTS:
        chosen = [feature for feature in part.features if feature.name in asked]
        if chosen:
            roots = frozenset[str]().union(*(feature.roots for feature in chosen))
            needed[part.table].update(part.keys, roots, *(part.derived.get(root, ()) for root in roots))
            if "repaid" in roots:
                needed["installments_payments"].update(previous_application.REPAID_FROM)
    for feature in combined.FEATURES:
        if feature.name in asked:
            needed["application"].update(feature.roots)
    return {name: [column.name for column in table if column.name in needed[name]] for name, table in TABLES.items()}


def table_of(name: str) -> str:
    """The table that a feature is computed from, or `combined`."""
    return next((part.table for part in _PARTS if name in {feature.name for feature in part.features}), "combined")


def catalogue_hash() -> str:
    """Fingerprint of the feature code: names, expressions and categories. It differs where a feature differs."""
    digest = hashlib.sha256()
    for feature in CATALOGUE.values():
        digest.update(f"{feature.name}|{feature.column}|{'|'.join(feature.categories)}\n".encode())
    return digest.hexdigest()[:16]
