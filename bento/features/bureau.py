"""Features of the credits at other lenders and of their monthly states."""

from collections.abc import Mapping

import polars as pl

from bento.features.feature import Feature, aggregate, ratio, share

_ACTIVE = pl.col("CREDIT_ACTIVE") == "Active"
_DEBT = pl.col("AMT_CREDIT_SUM_DEBT")
_LENT = pl.col("AMT_CREDIT_SUM")
_LATE = pl.col("STATUS").is_in(["1", "2", "3", "4", "5"])
_LATEST_YEAR = pl.col("MONTHS_BALANCE") >= -12

FEATURES: tuple[Feature, ...] = (
    Feature(
        "bureau_credits", pl.len(), "bureau_history", "Credits at other lenders", "Crédits auprès d'autres prêteurs"
    ),
    Feature(
        "bureau_active_credits",
        _ACTIVE.sum(),
        "bureau_debt",
        "Open credits at other lenders",
        "Crédits en cours auprès d'autres prêteurs",
    ),
    Feature(
        "bureau_active_share",
        share(_ACTIVE),
        "bureau_debt",
        "Share of credits at other lenders still open",
        "Part des crédits en cours auprès d'autres prêteurs",
        "share",
        1,
    ),
    Feature(
        "bureau_debt_sum",
        _DEBT.sum(),
        "bureau_debt",
        "Debt at other lenders",
        "Dette auprès d'autres prêteurs",
        "currency",
    ),
    Feature(
        "bureau_debt_to_credit_active",
        ratio(_DEBT.filter(_ACTIVE).sum(), _LENT.filter(_ACTIVE & _DEBT.is_not_null()).sum()),
        "bureau_debt",
        "Debt over amount lent, open credits at other lenders",
        "Dette rapportée au montant prêté, crédits en cours ailleurs",
        "share",
        1,
    ),
    Feature(
        "bureau_overdue_sum",
        pl.col("AMT_CREDIT_SUM_OVERDUE").sum(),
        "bureau_debt",
        "Amount overdue at other lenders",
        "Montant en retard auprès d'autres prêteurs",
        "currency",
        1,
    ),
    Feature(
        "bureau_max_overdue",
        pl.col("AMT_CREDIT_MAX_OVERDUE").max(),
        "bureau_history",
        "Largest amount ever overdue at other lenders",
        "Plus gros retard de paiement auprès d'autres prêteurs",
        "currency",
        1,
    ),
    Feature(
        "bureau_latest_credit_days",
        pl.col("DAYS_CREDIT").max(),
        "bureau_history",
        "Days from the latest credit at other lenders (negative)",
        "Jours depuis le dernier crédit auprès d'autres prêteurs (négatif)",
        "days",
        1,
    ),
    Feature(
        "bureau_credit_days_mean",
        pl.col("DAYS_CREDIT").mean(),
        "bureau_history",
        "Mean age of the credits at other lenders, in days (negative)",
        "Ancienneté moyenne des crédits ailleurs, en jours (négatif)",
        "days",
        1,
    ),
    Feature(
        "bureau_prolongations",
        pl.col("CNT_CREDIT_PROLONG").sum(),
        "bureau_history",
        "Prolongations of credits at other lenders",
        "Prolongations de crédits auprès d'autres prêteurs",
    ),
    Feature(
        "bureau_card_share",
        share(pl.col("CREDIT_TYPE") == "Credit card"),
        "bureau_history",
        "Share of credit cards among credits at other lenders",
        "Part des cartes de crédit parmi les crédits ailleurs",
        "share",
    ),
    Feature(
        "bureau_microloan_share",
        share(pl.col("CREDIT_TYPE") == "Microloan"),
        "bureau_history",
        "Share of microloans among credits at other lenders",
        "Part des microcrédits parmi les crédits ailleurs",
        "share",
        1,
    ),
)

BALANCE_FEATURES: tuple[Feature, ...] = (
    Feature(
        "bureau_balance_months",
        pl.len(),
        "bureau_history",
        "Months on record at other lenders",
        "Mois d'historique auprès d'autres prêteurs",
        "months",
    ),
    Feature(
        "bureau_balance_late_share",
        share(_LATE),
        "bureau_history",
        "Share of months late at other lenders",
        "Part des mois en retard auprès d'autres prêteurs",
        "share",
        1,
    ),
    Feature(
        "bureau_balance_late_share_12m",
        share(_LATE.filter(_LATEST_YEAR)),
        "bureau_history",
        "Share of months late at other lenders, last 12 months",
        "Part des mois en retard auprès d'autres prêteurs, 12 derniers mois",
        "share",
        1,
    ),
    Feature(
        "bureau_balance_status_max",
        pl.col("STATUS").cast(pl.Int64, strict=False).max(),
        "bureau_history",
        "Worst lateness at other lenders (0 to 5)",
        "Pire retard auprès d'autres prêteurs (0 à 5)",
        "rank",
        1,
    ),
)


def bureau_features(tables: Mapping[str, pl.DataFrame], features: tuple[Feature, ...]) -> pl.DataFrame:
    """One row for each client: the named features of the credits at other lenders."""
    return aggregate(tables["bureau"], features, tables["application"]["SK_ID_CURR"])


def bureau_balance_features(tables: Mapping[str, pl.DataFrame], features: tuple[Feature, ...]) -> pl.DataFrame:
    """One row for each client: the named features of the monthly states; months of unknown credits are left out."""
    owners = tables["bureau"].select("SK_ID_BUREAU", "SK_ID_CURR")
    rows = tables["bureau_balance"].join(owners, on="SK_ID_BUREAU")
    return aggregate(rows, features, tables["application"]["SK_ID_CURR"])
