"""The feature catalogue: every feature by name, and the raw columns that it is computed from."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import polars as pl

from bento.data.cleaning import clean
from bento.data.tables import TABLES
from bento.features import application, bureau, combined, credit_card, installments, pos_cash, previous_application
from bento.features.definitions import Feature
from bento.features.share_counts import count_name, of_name, share_counts_in

_Rows = Callable[[Mapping[str, pl.DataFrame], AbstractSet[str]], pl.DataFrame]


@dataclass(frozen=True)
class _Part:
    """The features of one table: over which rows, and from which declared columns."""

    table: str
    rows: _Rows
    features: tuple[Feature, ...]
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


_PARTS = (
    _Part("application", application.application_rows, application.FEATURES, application.DERIVED),
    _Part("bureau", bureau.bureau_rows, bureau.FEATURES, bureau.DERIVED),
    _Part("bureau_balance", bureau.bureau_balance_rows, bureau.BALANCE_FEATURES, bureau.BALANCE_DERIVED),
    _Part("POS_CASH_balance", pos_cash.pos_cash_rows, pos_cash.FEATURES, pos_cash.DERIVED, pos_cash.KEYS),
    _Part(
        "previous_application",
        previous_application.previous_application_rows,
        previous_application.FEATURES,
        previous_application.DERIVED,
    ),
    _Part(
        "installments_payments",
        installments.installments_rows,
        installments.FEATURES,
        installments.DERIVED,
        installments.KEYS,
    ),
    _Part("credit_card_balance", credit_card.credit_card_rows, credit_card.FEATURES),
)

CATALOGUE: dict[str, Feature] = {
    feature.name: feature
    for feature in (*(feature for part in _PARTS for feature in part.features), *combined.FEATURES)
}
"""Every feature by name, in the order in which `build_features` returns them."""
_EMPTY = clean({name: table.empty() for name, table in TABLES.items()})

_FACTS = {
    part.table: share_counts_in(
        part.table,
        part.features,
        part.rows(_EMPTY, frozenset[str]().union(*(feature.roots for feature in part.features))),
    )
    for part in _PARTS
}

_KNOWN = {
    feature.name: feature
    for feature in (
        *(feature for part in _PARTS for feature in (*part.features, *_FACTS[part.table])),
        *combined.FEATURES,
    )
}
"""Features and facts, in the order in which `build_features` returns them."""


def share_counts_of(names: Iterable[str]) -> list[str]:
    """The facts that tell these features to people: for each that is a share of rows, how many, and of how many."""
    return [fact for name in names for fact in (count_name(name), of_name(name)) if fact in _KNOWN]


def _with_sources(names: Iterable[str]) -> set[str]:
    """The features, and those that combined ones are computed from."""
    roots = (root for name in names for root in _KNOWN[name].roots)
    return {*names, *(root for root in roots if root in CATALOGUE)}


def _chosen(part: _Part, asked: AbstractSet[str]) -> list[Feature]:
    return [feature for feature in (*part.features, *_FACTS[part.table]) if feature.name in asked]


def needed_columns(names: Sequence[str] | None = None) -> dict[str, list[str]]:
    """The declared columns of each table that these features, by default all, are computed from, in file order."""
    asked = _with_sources(CATALOGUE if names is None else names)
    needed: dict[str, set[str]] = {table: {"SK_ID_CURR", "SK_ID_BUREAU"} for table in TABLES}
    for part in _PARTS:
        if chosen := _chosen(part, asked):
            roots = frozenset[str]().union(*(feature.roots for feature in chosen))
            needed[part.table].update(part.keys, roots, *(part.derived.get(root, ()) for root in roots))
            if "repaid" in roots:
                needed["installments_payments"].update(previous_application.REPAID_FROM)
    for feature in combined.FEATURES:
        if feature.name in asked:
            needed["application"].update(feature.roots)
    return {name: [column.name for column in table if column.name in needed[name]] for name, table in TABLES.items()}


def computed_from(columns: Iterable[str], names: Iterable[str]) -> list[str]:
    """Those of the features that read one of these columns of the application."""
    read = set(columns)
    return [name for name in names if table_of(name) in ("application", "combined") and read & CATALOGUE[name].roots]


def table_of(name: str) -> str:
    """The table that a feature is computed from, or `combined`."""
    return next((part.table for part in _PARTS if name in {feature.name for feature in part.features}), "combined")


def catalogue_hash() -> str:
    """Fingerprint of the feature code: names, expressions, categories, and the columns behind derived ones."""
    digest = hashlib.sha256()
    for part in _PARTS:
        digest.update(f"{part.table}|{dict(part.derived)}\n".encode())
    for feature in CATALOGUE.values():
        digest.update(f"{feature.name}|{feature.column}|{'|'.join(feature.categories)}\n".encode())
    return digest.hexdigest()[:16]
