"""Features of how the client uses credit cards of this lender."""

from collections.abc import Mapping

import polars as pl

from bento.features.feature import Feature, aggregate, ratio, share

_UTILISATION = ratio("AMT_BALANCE", "AMT_CREDIT_LIMIT_ACTUAL")

FEATURES: tuple[Feature, ...] = (
    Feature(
        "card_months",
        pl.len(),
        "card_use",
        "Months on record of credit cards",
        "Mois d'historique des cartes",
        "months",
    ),
    Feature(
        "card_utilisation_mean",
        _UTILISATION.mean(),
        "card_use",
        "Mean balance over limit of credit cards",
        "Taux d'utilisation moyen des cartes",
        "share",
        1,
    ),
    Feature(
        "card_utilisation_max",
        _UTILISATION.max(),
        "card_use",
        "Highest balance over limit of credit cards",
        "Taux d'utilisation maximal des cartes",
        "share",
        1,
    ),
    Feature(
        "card_cash_share",
        ratio(pl.col("AMT_DRAWINGS_ATM_CURRENT").sum(), pl.col("AMT_DRAWINGS_CURRENT").sum()),
        "card_use",
        "Share of card drawings taken in cash",
        "Part des retraits en espèces par carte",
        "share",
        1,
    ),
    Feature(
        "card_paid_to_minimum",
        ratio(pl.col("AMT_PAYMENT_CURRENT").sum(), pl.col("AMT_INST_MIN_REGULARITY").sum()),
        "card_use",
        "Amount paid over least payment due, credit cards",
        "Montant payé rapporté au minimum dû, cartes",
        "share",
    ),
    Feature(
        "card_late_share",
        share(pl.col("SK_DPD") > 0),
        "card_use",
        "Share of months with a card payment overdue",
        "Part des mois avec un paiement de carte en retard",
        "share",
        1,
    ),
)


def credit_card_features(tables: Mapping[str, pl.DataFrame], features: tuple[Feature, ...]) -> pl.DataFrame:
    """One row for each client: the named features of the monthly card states."""
    return aggregate(tables["credit_card_balance"], features, tables["application"]["SK_ID_CURR"])
