"""The only code that computes features: cleaned tables in, one row for each client out."""

import hashlib
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from bento.clean import IS_OPEN, IS_OPEN_FROM
from bento.features import application, bureau, credit_card, installments, pos_cash, previous_application
from bento.features.feature import GROUP_LABELS, Feature, Group
from bento.tables import TABLES

__all__ = ["CATALOGUE", "GROUP_LABELS", "Feature", "Group", "build_features", "catalogue_hash", "needed_columns"]

_Builder = Callable[[Mapping[str, pl.DataFrame], tuple[Feature, ...]], pl.DataFrame]
_BUILDERS: tuple[tuple[str, _Builder, tuple[Feature, ...]], ...] = (
    ("application", application.application_features, application.FEATURES),
    ("bureau", bureau.bureau_features, bureau.FEATURES),
    ("bureau_balance", bureau.bureau_balance_features, bureau.BALANCE_FEATURES),
    ("previous_application", previous_application.previous_application_features, previous_application.FEATURES),
    ("POS_CASH_balance", pos_cash.pos_cash_features, pos_cash.FEATURES),
    ("installments_payments", installments.installments_features, installments.FEATURES),
    ("credit_card_balance", credit_card.credit_card_features, credit_card.FEATURES),
)

CATALOGUE: dict[str, Feature] = {feature.name: feature for *_, features in _BUILDERS for feature in features}
"""Every feature by name, in the order in which `build_features` returns them."""


def build_features(tables: Mapping[str, pl.DataFrame], names: Sequence[str] | None = None) -> pl.DataFrame:
    """One row of features for each row of `application`, in its order.

    Args:
        tables: the seven declared tables, cleaned (`bento.clean.clean`); each SK_ID_CURR once in `application`.
        names: the features to compute, by default all of `CATALOGUE`.

    Returns:
        SK_ID_CURR and the features: Float64, finite or null; String for a category. A client's features depend on
        that client's rows alone.

    Raises:
        KeyError: a name that is not in the catalogue.
    """
    wanted = set(CATALOGUE if names is None else names)
    if unknown := wanted - CATALOGUE.keys():
        raise KeyError(f"no such feature: {', '.join(sorted(unknown))}")
    parts = [tables["application"].select("SK_ID_CURR")]
    for _, build, features in _BUILDERS:
        chosen = tuple(feature for feature in features if feature.name in wanted)
        if chosen:
            parts.append(build(tables, chosen).drop("SK_ID_CURR"))
    return pl.concat(parts, how="horizontal")


def needed_columns(names: Sequence[str] | None = None) -> dict[str, list[str]]:
    """The declared columns of each table that these features, by default all, are computed from, in file order."""
    needed = {table: {"SK_ID_CURR", "SK_ID_BUREAU"} for table in TABLES}
    for table, _, features in _BUILDERS:
        for feature in features:
            if names is None or feature.name in names:
                needed[table].update(feature.column.meta.root_names())
    if IS_OPEN in needed["previous_application"]:
        needed["previous_application"].add(IS_OPEN_FROM)
    return {name: [column.name for column in table if column.name in needed[name]] for name, table in TABLES.items()}


def catalogue_hash() -> str:
    """Fingerprint of the feature code: names, expressions and categories. It differs where a feature differs."""
    digest = hashlib.sha256()
    for feature in CATALOGUE.values():
        digest.update(f"{feature.name}|{feature.column}|{'|'.join(feature.categories)}\n".encode())
    return digest.hexdigest()[:16]
