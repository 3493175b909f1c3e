"""Features of instalments."""

from tests.bento.features.statement.sql import (
    ALL,
    different,
    highest,
    lowest,
    mean,
    measures,
    ratio_of_totals,
    rows,
    shares,
    slope,
)

# One row for each instalment: what was due by the plan, and the payments, which each version of the plan repeats.
ROWS = """
WITH versions AS (
    SELECT SK_ID_CURR, SK_ID_PREV, NUM_INSTALMENT_NUMBER AS number, DAYS_INSTALMENT AS due_day,
        NUM_INSTALMENT_VERSION AS version, max(AMT_INSTALMENT) AS due
    FROM installments_payments GROUP BY ALL
),
plans AS (
    SELECT SK_ID_CURR, SK_ID_PREV, number, due_day, max(version) AS version, sum(due) AS due
    FROM versions GROUP BY ALL
),
payments AS (
    SELECT DISTINCT SK_ID_CURR, SK_ID_PREV, NUM_INSTALMENT_NUMBER AS number, DAYS_INSTALMENT AS due_day,
        DAYS_ENTRY_PAYMENT AS day, AMT_PAYMENT AS amount
    FROM installments_payments WHERE DAYS_ENTRY_PAYMENT IS NOT NULL OR AMT_PAYMENT IS NOT NULL
),
paid AS (
    SELECT SK_ID_CURR, SK_ID_PREV, number, due_day, count(*) AS payments,
        CASE WHEN count(amount) = count(*) THEN sum(amount) END AS paid, max(day) AS paid_day
    FROM payments GROUP BY ALL
),
instalments AS (
    SELECT plans.*,
        coalesce(paid.payments, 0) AS payments,
        CASE WHEN paid.payments IS NULL THEN 0 ELSE paid.paid END AS paid,
        paid.paid_day,
        paid.payments IS NULL AND due IS DISTINCT FROM 0 AS never_paid
    FROM plans LEFT JOIN paid ON plans.SK_ID_CURR = paid.SK_ID_CURR
        AND plans.SK_ID_PREV IS NOT DISTINCT FROM paid.SK_ID_PREV
        AND plans.number IS NOT DISTINCT FROM paid.number
        AND plans.due_day IS NOT DISTINCT FROM paid.due_day
)
SELECT *,
    CASE WHEN never_paid THEN 0 ELSE paid_day END AS late_until,
    at_least(late_until - due_day, 0) AS days_late,
    at_least(due_day - paid_day, 0) AS days_early,
    CASE WHEN due - paid < 0.0025 THEN 0 ELSE due - paid END AS underpaid,
    ratio(paid, due) AS paid_ratio,
    CASE WHEN never_paid THEN 1 ELSE paid_ratio END AS share_late,
    CASE WHEN due_day IS NOT NULL THEN row_number() OVER latest_first END AS recency,
    CASE WHEN max(due_day) OVER of_client IS NOT NULL THEN SK_ID_PREV = first_value(SK_ID_PREV) OVER latest_first END
        AS is_latest_loan
FROM instalments
WINDOW of_client AS (PARTITION BY SK_ID_CURR),
    latest_first AS (
        PARTITION BY SK_ID_CURR
        ORDER BY due_day DESC NULLS LAST, SK_ID_PREV DESC NULLS LAST, number DESC NULLS LAST
    )
"""

EVERY = {"": ALL}
SINCE = {f"{days}d": f"due_day >= -{days}" for days in (90, 180, 365, 720, 1500)}
YEAR = {"365d": SINCE["365d"]}
LATEST_LOAN = {"latest_loan": "is_latest_loan"}
LATEST = {f"latest_{count}": f"recency <= {count}" for count in (5, 10)}
FIRST = {"first_3_of_loans": "number <= 3"}
SLOPES = {"365d": SINCE["365d"], "1500d": SINCE["1500d"]}

FEATURES = {
    "count": rows(),
    "loans": different("SK_ID_PREV"),
    **measures("days_late", "days_late", "mean max std", EVERY | SINCE),
    **measures("days_late", "days_late", "mean max", LATEST_LOAN | LATEST | FIRST),
    **measures("days_late", "days_late", "sum", EVERY),
    **shares("late_share", "days_late > 0", EVERY | SINCE | LATEST_LOAN | LATEST | FIRST),
    **shares("late_over_7d_share", "days_late > 7", EVERY | YEAR),
    **shares("late_over_15d_share", "days_late > 15", EVERY | YEAR),
    **measures("underpaid", "underpaid", "mean max sum", EVERY | YEAR | LATEST_LOAN),
    **shares("short_share", "underpaid > 0", EVERY | SINCE | LATEST_LOAN),
    **measures("paid_ratio", "paid_ratio", "mean min", EVERY | YEAR | LATEST_LOAN),
    **measures("days_early", "days_early", "mean max std", EVERY | YEAR | LATEST_LOAN),
    **measures("paid", "paid", "mean max sum", EVERY | YEAR),
    **measures("due", "due", "mean max min", EVERY | YEAR),
    "paid_to_due": ratio_of_totals("paid", "due"),
    "paid_to_due_365d": ratio_of_totals("paid", "due", YEAR["365d"]),
    "weighted_delay": mean("days_late * share_late * at_least(1 + 0.0003 * late_until, 0)"),
    **{f"days_late_slope_{window}": slope("days_late", 1, "due_day", where) for window, where in SLOPES.items()},
    **{f"underpaid_slope_{window}": slope("underpaid", 1000, "due_day", where) for window, where in SLOPES.items()},
    **{
        f"days_late_ratio_{short}_{long}": f"ratio({mean('days_late', SINCE[short])}, {mean('days_late', SINCE[long])})"
        for short, long in (("90d", "365d"), ("180d", "720d"), ("365d", "1500d"))
    },
    "latest_payment_days": highest("paid_day"),
    "first_due_days": lowest("due_day"),
    **shares("split_share", "payments > 1"),
    **shares("card_share", "version = 0"),
    "versions": different("version"),
}
