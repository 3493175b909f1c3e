"""Features of how the instalments of earlier loans were paid."""

from collections.abc import Mapping

import polars as pl

from bento.features.feature import Feature, aggregate, ratio, share

_DAYS_LATE = (pl.col("DAYS_ENTRY_PAYMENT") - pl.col("DAYS_INSTALMENT")).clip(lower_bound=0)
_LATEST_YEAR = pl.col("DAYS_INSTALMENT") >= -365

FEATURES: tuple[Feature, ...] = (
    Feature(
        "installments_payments",
        pl.len(),
        "instalment_discipline",
        "Payments of instalments on record",
        "Paiements d'échéances connus",
    ),
    Feature(
        "installments_days_late_mean",
        _DAYS_LATE.mean(),
        "instalment_discipline",
        "Mean days late with instalments",
        "Retard moyen sur les échéances, en jours",
        "days",
        1,
    ),
    Feature(
        "installments_days_late_max",
        _DAYS_LATE.max(),
        "instalment_discipline",
        "Most days late with an instalment",
        "Plus long retard sur une échéance, en jours",
        "days",
        1,
    ),
    Feature(
        "installments_late_share",
        share(_DAYS_LATE > 0),
        "instalment_discipline",
        "Share of instalments paid late",
        "Part des échéances payées en retard",
        "share",
        1,
    ),
    Feature(
        "installments_late_share_365d",
        share((_DAYS_LATE > 0).filter(_LATEST_YEAR)),
        "instalment_discipline",
        "Share of instalments paid late, last year",
        "Part des échéances payées en retard, dernière année",
        "share",
        1,
    ),
    Feature(
        "installments_paid_to_due",
        ratio(pl.col("AMT_PAYMENT").sum(), pl.col("AMT_INSTALMENT").sum()),
        "instalment_discipline",
        "Amount paid over amount due",
        "Montant payé rapporté au montant dû",
        "share",
        -1,
    ),
    Feature(
        "installments_latest_payment_days",
        pl.col("DAYS_ENTRY_PAYMENT").max(),
        "instalment_discipline",
        "Days from the latest payment (negative)",
        "Jours depuis le dernier paiement (négatif)",
        "days",
    ),
    Feature(
        "installments_amount_max",
        pl.col("AMT_INSTALMENT").max(),
        "instalment_discipline",
        "Largest instalment of earlier loans",
        "Plus grosse échéance des prêts antérieurs",
        "currency",
    ),
)


def installments_features(tables: Mapping[str, pl.DataFrame], features: tuple[Feature, ...]) -> pl.DataFrame:
    """One row for each client: the named features of the payments."""
    return aggregate(tables["installments_payments"], features, tables["application"]["SK_ID_CURR"])
