"""Features of the monthly states of earlier consumer and cash loans."""

from collections.abc import Mapping

import polars as pl

from bento.features.feature import Feature, aggregate, share

_LATEST = pl.col("MONTHS_BALANCE") == pl.col("MONTHS_BALANCE").max()

FEATURES: tuple[Feature, ...] = (
    Feature(
        "pos_months",
        pl.len(),
        "instalment_discipline",
        "Months on record of earlier loans",
        "Mois d'historique des prêts antérieurs",
        "months",
    ),
    Feature(
        "pos_late_share",
        share(pl.col("SK_DPD") > 0),
        "instalment_discipline",
        "Share of months with a payment overdue",
        "Part des mois avec un paiement en retard",
        "share",
        1,
    ),
    Feature(
        "pos_days_past_due_max",
        pl.col("SK_DPD_DEF").max(),
        "instalment_discipline",
        "Most days past due on an earlier loan",
        "Nombre maximal de jours de retard sur un prêt antérieur",
        "days",
        1,
    ),
    Feature(
        "pos_instalments_left_latest",
        pl.col("CNT_INSTALMENT_FUTURE").filter(_LATEST).sum(),
        "instalment_discipline",
        "Instalments left to pay in the latest month",
        "Échéances restantes au dernier mois",
    ),
    Feature(
        "pos_completed_share",
        share(pl.col("NAME_CONTRACT_STATUS") == "Completed"),
        "instalment_discipline",
        "Share of months with a loan fully repaid",
        "Part des mois avec un prêt soldé",
        "share",
        -1,
    ),
)


def pos_cash_features(tables: Mapping[str, pl.DataFrame], features: tuple[Feature, ...]) -> pl.DataFrame:
    """One row for each client: the named features of the monthly states of earlier loans."""
    return aggregate(tables["POS_CASH_balance"], features, tables["application"]["SK_ID_CURR"])
