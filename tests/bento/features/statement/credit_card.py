"""Features of the months of credit cards with this lender."""

from tests.bento.features.statement.sql import (
    ALL,
    different,
    highest,
    measures,
    number_of,
    ratio_of_totals,
    rows,
    shares,
    slope,
)

ROWS = "SELECT *, ratio(AMT_BALANCE, AMT_CREDIT_LIMIT_ACTUAL) AS utilisation FROM credit_card_balance"

EVERY = {"": ALL}
QUARTER = {"3m": "MONTHS_BALANCE BETWEEN -3 AND -1"}
YEAR = {"12m": "MONTHS_BALANCE BETWEEN -12 AND -1"}

FEATURES = {
    "months": rows(),
    "count": different("SK_ID_PREV"),
    **measures("utilisation", "utilisation", "mean max", EVERY | QUARTER | YEAR),
    **measures("balance", "AMT_BALANCE", "mean max", EVERY | QUARTER | YEAR),
    **measures("limit", "AMT_CREDIT_LIMIT_ACTUAL", "mean max", EVERY | QUARTER),
    **measures("cash", "AMT_DRAWINGS_ATM_CURRENT", "mean sum max", EVERY | YEAR),
    **measures("cash_drawings", "CNT_DRAWINGS_ATM_CURRENT", "mean max", EVERY | YEAR),
    **measures("drawn", "AMT_DRAWINGS_CURRENT", "mean max", EVERY | YEAR),
    **measures("drawings", "CNT_DRAWINGS_CURRENT", "mean max", EVERY | YEAR),
    **measures("paid_to_minimum", "ratio(AMT_PAYMENT_CURRENT, AMT_INST_MIN_REGULARITY)", "mean min", EVERY | YEAR),
    **shares("late_share", "SK_DPD > 0", EVERY | YEAR),
    **measures("days_past_due", "SK_DPD", "mean max sum", EVERY | YEAR),
    **measures("days_past_due_def", "SK_DPD_DEF", "mean max", EVERY | YEAR),
    "cash_share": ratio_of_totals("AMT_DRAWINGS_ATM_CURRENT", "AMT_DRAWINGS_CURRENT"),
    "cash_share_12m": ratio_of_totals("AMT_DRAWINGS_ATM_CURRENT", "AMT_DRAWINGS_CURRENT", YEAR["12m"]),
    "paid_to_drawn": ratio_of_totals("AMT_PAYMENT_CURRENT", "AMT_DRAWINGS_CURRENT"),
    "balance_slope": slope("AMT_BALANCE", 1000, "MONTHS_BALANCE"),
    "utilisation_slope": slope("utilisation", 10_000, "MONTHS_BALANCE"),
    "no_limit_months": number_of("AMT_CREDIT_LIMIT_ACTUAL = 0"),
    **shares("idle_share", "AMT_BALANCE = 0"),
    **shares("over_limit_share", "AMT_BALANCE > AMT_CREDIT_LIMIT_ACTUAL"),
    "instalments_paid_max": highest("CNT_INSTALMENT_MATURE_CUM"),
}
