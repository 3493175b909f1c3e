"""Features of the client's earlier applications to this lender."""

from collections.abc import Mapping

import polars as pl

from bento.clean import IS_OPEN
from bento.features.feature import Feature, aggregate, ratio, share

_STATUS = pl.col("NAME_CONTRACT_STATUS")
_APPROVED = _STATUS == "Approved"
_REFUSED = _STATUS == "Refused"

FEATURES: tuple[Feature, ...] = (
    Feature("previous_applications", pl.len(), "past_applications", "Earlier applications", "Demandes antérieures"),
    Feature(
        "previous_refused_share",
        share(_REFUSED),
        "past_applications",
        "Share of earlier applications refused",
        "Part des demandes antérieures refusées",
        "share",
        1,
    ),
    Feature(
        "previous_approved_share",
        share(_APPROVED),
        "past_applications",
        "Share of earlier applications approved",
        "Part des demandes antérieures acceptées",
        "share",
        -1,
    ),
    Feature(
        "previous_latest_refusal_days",
        pl.col("DAYS_DECISION").filter(_REFUSED).max(),
        "past_applications",
        "Days from the latest refusal (negative)",
        "Jours depuis le dernier refus (négatif)",
        "days",
        1,
    ),
    Feature(
        "previous_latest_decision_days",
        pl.col("DAYS_DECISION").max(),
        "past_applications",
        "Days from the latest earlier application (negative)",
        "Jours depuis la dernière demande antérieure (négatif)",
        "days",
    ),
    Feature(
        "previous_asked_to_granted_mean",
        ratio("AMT_APPLICATION", "AMT_CREDIT").mean(),
        "past_applications",
        "Amount asked for over amount granted, earlier applications",
        "Montant demandé rapporté au montant accordé, demandes antérieures",
        "share",
    ),
    Feature(
        "previous_down_payment_rate_mean",
        pl.col("RATE_DOWN_PAYMENT").mean(),
        "past_applications",
        "Mean down payment of earlier applications, scaled",
        "Apport moyen des demandes antérieures, normalisé",
        "share",
        -1,
    ),
    Feature(
        "previous_term_mean",
        pl.col("CNT_PAYMENT").mean(),
        "past_applications",
        "Mean term of earlier applications",
        "Durée moyenne des demandes antérieures",
        "months",
    ),
    Feature(
        "previous_annuity_mean",
        pl.col("AMT_ANNUITY").filter(_APPROVED).mean(),
        "past_applications",
        "Mean instalment of earlier loans",
        "Mensualité moyenne des prêts antérieurs",
        "currency",
    ),
    Feature(
        "previous_open_credit_sum",
        pl.col("AMT_CREDIT").filter(_APPROVED & pl.col(IS_OPEN)).sum(),
        "past_applications",
        "Amount of earlier loans still open",
        "Montant des prêts antérieurs encore en cours",
        "currency",
    ),
    Feature(
        "previous_high_yield_share",
        share(pl.col("NAME_YIELD_GROUP") == "high"),
        "past_applications",
        "Share of earlier applications at a high rate",
        "Part des demandes antérieures à taux élevé",
        "share",
        1,
    ),
)


def previous_application_features(tables: Mapping[str, pl.DataFrame], features: tuple[Feature, ...]) -> pl.DataFrame:
    """One row for each client: the named features of the earlier applications."""
    return aggregate(tables["previous_application"], features, tables["application"]["SK_ID_CURR"])
