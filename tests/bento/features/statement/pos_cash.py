"""Features of the months of earlier loans."""

from tests.bento.features.statement.sql import (
    ALL,
    as_number,
    different,
    highest,
    lowest,
    measures,
    number_of,
    ratio_of_totals,
    rows,
    shares,
    slope,
    total,
)


def _any_row(test: str) -> str:
    """Return whether the test is true for a row of the loan; unknown if it is true for none and unknown for one."""
    return f"""CASE
        WHEN bool_or({test}) OVER of_loan THEN true
        WHEN count({test}) OVER of_loan = count(*) OVER of_loan THEN false
    END"""


ROWS = f"""
SELECT *,
    row_number() OVER (
        PARTITION BY SK_ID_CURR, SK_ID_PREV
        ORDER BY MONTHS_BALANCE DESC NULLS LAST, CNT_INSTALMENT_FUTURE DESC NULLS LAST, CNT_INSTALMENT DESC NULLS LAST
    ) = 1 AS is_latest_of_loan,
    {_any_row("(NAME_CONTRACT_STATUS = 'Active' AND MONTHS_BALANCE = latest_month)")} AS is_active,
    {_any_row("NAME_CONTRACT_STATUS = 'Completed'")} AS was_completed,
    {_any_row("NAME_CONTRACT_STATUS = 'Returned to the store'")} AS was_returned,
    {_any_row("(NAME_CONTRACT_STATUS = 'Completed' AND CNT_INSTALMENT < longest_term)")} AS ended_early
FROM (
    SELECT *,
        max(MONTHS_BALANCE) OVER (PARTITION BY SK_ID_CURR) AS latest_month,
        max(CNT_INSTALMENT) OVER (PARTITION BY SK_ID_CURR, SK_ID_PREV) AS longest_term
    FROM POS_CASH_balance
)
WINDOW of_loan AS (PARTITION BY SK_ID_CURR, SK_ID_PREV)
"""

EVERY = {"": ALL}
MONTHS = {f"{months}m": f"MONTHS_BALANCE BETWEEN -{months} AND -1" for months in (6, 12, 24, 60)}
YEAR = {"12m": MONTHS["12m"]}
LATEST_OF_LOAN = "is_latest_of_loan"
"""Each loan counts once."""

FEATURES = {
    "months": rows(),
    "loans": different("SK_ID_PREV"),
    **shares("late_share", "SK_DPD > 0", EVERY | MONTHS),
    **shares("late_def_share", "SK_DPD_DEF > 0", EVERY | MONTHS),
    **measures("days_past_due", "SK_DPD", "mean max", EVERY | YEAR),
    **measures("days_past_due_def", "SK_DPD_DEF", "mean max", EVERY | MONTHS),
    **measures("left", "CNT_INSTALMENT_FUTURE", "mean max", EVERY | YEAR),
    **measures("term", "CNT_INSTALMENT", "mean max min", EVERY | YEAR),
    "left_latest_sum": total("CNT_INSTALMENT_FUTURE", LATEST_OF_LOAN),
    "left_to_term_latest": ratio_of_totals("CNT_INSTALMENT_FUTURE", "CNT_INSTALMENT", LATEST_OF_LOAN),
    "active_loans_latest": total(as_number("is_active"), LATEST_OF_LOAN),
    **shares("completed_share", "was_completed", {"": LATEST_OF_LOAN}),
    **shares("early_end_share", "ended_early", {"": "is_latest_of_loan AND was_completed"}),
    "demand_months": number_of("NAME_CONTRACT_STATUS IN ('Demand', 'Amortized debt')"),
    "returned_loans": total(as_number("was_returned"), LATEST_OF_LOAN),
    "days_past_due_slope": slope("SK_DPD_DEF", 1, "MONTHS_BALANCE"),
    "latest_month": highest("MONTHS_BALANCE"),
    "first_month": lowest("MONTHS_BALANCE"),
}
