"""Features of the credits at other lenders, and of their months."""

from tests.bento.features.statement.sql import (
    ALL,
    different,
    highest,
    lowest,
    measures,
    number_known,
    number_of,
    ratio_of_totals,
    rows,
    shares,
    slope,
    total,
)

# Amounts in another currency are unknown, dates that contradict each other too.
ROWS = """
WITH home AS (
    SELECT * REPLACE (
        CASE WHEN abroad THEN NULL ELSE AMT_CREDIT_SUM END AS AMT_CREDIT_SUM,
        CASE WHEN abroad THEN NULL ELSE AMT_CREDIT_SUM_DEBT END AS AMT_CREDIT_SUM_DEBT,
        CASE WHEN abroad THEN NULL ELSE AMT_CREDIT_SUM_LIMIT END AS AMT_CREDIT_SUM_LIMIT,
        CASE WHEN abroad THEN NULL ELSE AMT_CREDIT_SUM_OVERDUE END AS AMT_CREDIT_SUM_OVERDUE,
        CASE WHEN abroad THEN NULL ELSE AMT_CREDIT_MAX_OVERDUE END AS AMT_CREDIT_MAX_OVERDUE,
        CASE WHEN abroad THEN NULL ELSE AMT_ANNUITY END AS AMT_ANNUITY,
        CASE
            WHEN CREDIT_TYPE = 'Credit card' AND DAYS_CREDIT_ENDDATE > 3650 THEN NULL
            WHEN DAYS_CREDIT_ENDDATE > 14610 THEN NULL
            WHEN DAYS_CREDIT_ENDDATE < DAYS_CREDIT THEN NULL
            ELSE DAYS_CREDIT_ENDDATE
        END AS DAYS_CREDIT_ENDDATE,
        CASE WHEN DAYS_ENDDATE_FACT < DAYS_CREDIT THEN NULL ELSE DAYS_ENDDATE_FACT END AS DAYS_ENDDATE_FACT,
        CASE WHEN DAYS_CREDIT_UPDATE > 0 THEN NULL ELSE DAYS_CREDIT_UPDATE END AS DAYS_CREDIT_UPDATE
    )
    FROM (SELECT *, CREDIT_CURRENCY <> 'currency 1' AS abroad FROM bureau)
)
SELECT *,
    CASE WHEN DAYS_CREDIT IS NOT NULL THEN row_number() OVER (
        PARTITION BY SK_ID_CURR ORDER BY DAYS_CREDIT DESC NULLS LAST, SK_ID_BUREAU DESC NULLS LAST
    ) END AS recency
FROM home
"""

EVERY = {"": ALL}
ACTIVE = {"active": "CREDIT_ACTIVE = 'Active'"}
CLOSED = {"closed": "CREDIT_ACTIVE = 'Closed'"}
SINCE = {f"{months}m": f"DAYS_CREDIT >= -{30 * months}" for months in (6, 12, 24, 36)}
TWO_YEARS, THREE_YEARS = {"24m": SINCE["24m"]}, {"36m": SINCE["36m"]}
LATEST = {"latest_1": "recency <= 1"}
KINDS = {
    "consumer": "Consumer credit",
    "card": "Credit card",
    "car": "Car loan",
    "mortgage": "Mortgage",
    "microloan": "Microloan",
}
DEBT_RATIO = "ratio(AMT_CREDIT_SUM_DEBT, AMT_CREDIT_SUM)"

FEATURES = {
    "credits": rows(),
    "active_credits": number_of("CREDIT_ACTIVE = 'Active'"),
    "closed_credits": number_of("CREDIT_ACTIVE = 'Closed'"),
    "bad_credits": number_of("CREDIT_ACTIVE IN ('Bad debt', 'Sold')"),
    **shares("active_share", "CREDIT_ACTIVE = 'Active'"),
    "types": different("CREDIT_TYPE"),
    **{
        name: sql
        for kind, credit_type in KINDS.items()
        for name, sql in shares(f"{kind}_share", f"CREDIT_TYPE = '{credit_type}'").items()
    },
    **{
        f"{kind}_active_credits": number_of(f"CREDIT_ACTIVE = 'Active' AND CREDIT_TYPE = '{credit_type}'")
        for kind, credit_type in KINDS.items()
    },
    **{
        "_".join(filter(None, ("debt_to_credit", window))): ratio_of_totals(
            "AMT_CREDIT_SUM_DEBT", "AMT_CREDIT_SUM", where
        )
        for window, where in (EVERY | ACTIVE | SINCE).items()
    },
    **measures("debt", "AMT_CREDIT_SUM_DEBT", "sum mean max", EVERY | ACTIVE),
    **measures("debt_ratio", DEBT_RATIO, "mean max", EVERY | ACTIVE),
    **measures("repaid", "(AMT_CREDIT_SUM - AMT_CREDIT_SUM_DEBT)", "mean max", ACTIVE),
    **measures("overdue", "AMT_CREDIT_SUM_OVERDUE", "sum max", EVERY | ACTIVE),
    **measures("days_overdue", "CREDIT_DAY_OVERDUE", "max mean", EVERY),
    **measures("limit", "AMT_CREDIT_SUM_LIMIT", "sum max", EVERY | ACTIVE),
    **measures("annuity", "AMT_ANNUITY", "sum mean", EVERY | ACTIVE),
    **measures("end_days", "DAYS_CREDIT_ENDDATE", "min max mean", EVERY | ACTIVE),
    **measures("credit_days", "DAYS_CREDIT", "max min mean std", EVERY | ACTIVE | CLOSED),
    **measures("credit_sum", "AMT_CREDIT_SUM", "sum mean max", EVERY | ACTIVE | CLOSED | LATEST),
    **measures("max_overdue", "AMT_CREDIT_MAX_OVERDUE", "max mean", EVERY | ACTIVE | SINCE | LATEST),
    **measures(
        "closed_early_days",
        "(DAYS_CREDIT_ENDDATE - DAYS_ENDDATE_FACT)",
        "mean max",
        CLOSED | TWO_YEARS | THREE_YEARS,
    ),
    **measures("duration", "(DAYS_CREDIT_ENDDATE - DAYS_CREDIT)", "mean max", EVERY | ACTIVE | CLOSED),
    **measures("update_days", "DAYS_CREDIT_UPDATE", "max mean", EVERY | ACTIVE | CLOSED),
    **{f"credits_{window}": number_of(where) for window, where in SINCE.items()},
    "gap_days_mean": f"ratio({highest('DAYS_CREDIT')} - {lowest('DAYS_CREDIT')}, {number_known('DAYS_CREDIT')} - 1)",
    "prolongations": total("CNT_CREDIT_PROLONG"),
    **shares("foreign_currency_share", "CREDIT_CURRENCY <> 'currency 1'"),
}

BALANCE_ROWS = """
SELECT bureau.SK_ID_CURR, bureau_balance.*,
    CASE WHEN STATUS IN ('0', '1', '2', '3', '4', '5') THEN CAST(STATUS AS DOUBLE) END AS level
FROM bureau_balance JOIN bureau USING (SK_ID_BUREAU)
"""
# Month 0 is the newest.
MONTHS = {f"{months}m": f"MONTHS_BALANCE > -{months}" for months in (12, 24)}
BALANCE_FEATURES = {
    "months": rows(),
    "credits": different("SK_ID_BUREAU"),
    **shares("late_share", "level > 0", EVERY | MONTHS),
    **measures("level", "level", "max mean", EVERY | MONTHS),
    "level_decayed": ratio_of_totals("level / (1 - MONTHS_BALANCE)", "1 / (1 - MONTHS_BALANCE)"),
    **shares("closed_share", "STATUS = 'C'"),
    **shares("unknown_share", "STATUS = 'X'"),
    "latest_late_month": highest("MONTHS_BALANCE", "level > 0"),
    "first_month": lowest("MONTHS_BALANCE"),
    "level_slope": slope("level", 1, "MONTHS_BALANCE"),
}
