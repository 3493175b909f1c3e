"""Features of earlier applications to this lender."""

from tests.bento.features.statement.sql import (
    ALL,
    as_number,
    highest,
    measures,
    number_of,
    ratio_of_totals,
    rows,
    shares,
    total,
)

HALVINGS = 80
"""Of the range from 0 to 1 that holds a rate: more than a double can tell apart."""

# The rate between 0 and 1 at which the instalments are worth the credit is bracketed by halving: a higher rate makes
# them worth less.
ROWS = f"""
WITH RECURSIVE numbered AS (
    SELECT *,
        row_number() OVER () AS application,
        CASE WHEN DAYS_DECISION IS NOT NULL THEN row_number() OVER (
            PARTITION BY SK_ID_CURR
            ORDER BY DAYS_DECISION DESC NULLS LAST, HOUR_APPR_PROCESS_START DESC NULLS LAST, SK_ID_PREV DESC NULLS LAST
        ) END AS recency,
        ratio(AMT_ANNUITY * CNT_PAYMENT, AMT_CREDIT) - 1 AS paid_beyond,
        CASE WHEN paid_beyond < -0.001 THEN NULL WHEN paid_beyond <= 0 THEN 0 ELSE paid_beyond END AS interest,
        NAME_CONTRACT_STATUS = 'Approved' AND last_due_as_given > 0 AND NOT coalesce(DAYS_TERMINATION <= 0, false)
            AS is_open,
        NAME_CONTRACT_TYPE = 'Revolving loans' AS is_card
    FROM previous_application
),
bracket AS (
    SELECT application, AMT_CREDIT / AMT_ANNUITY AS worth, CNT_PAYMENT AS n, 0 AS halvings,
        CAST(0 AS DOUBLE) AS low, CAST(1 AS DOUBLE) AS high
    FROM numbered WHERE interest > 0 AND AMT_CREDIT / AMT_ANNUITY >= present_value(1, CNT_PAYMENT)
    UNION ALL
    SELECT application, worth, n, halvings + 1,
        CASE WHEN present_value((low + high) / 2, n) >= worth THEN (low + high) / 2 ELSE low END,
        CASE WHEN present_value((low + high) / 2, n) >= worth THEN high ELSE (low + high) / 2 END
    FROM bracket WHERE halvings < {HALVINGS}
),
rates AS (SELECT application, high AS rate FROM bracket WHERE halvings = {HALVINGS}),
loan_states AS (
    SELECT SK_ID_CURR, SK_ID_PREV,
        max({{month: MONTHS_BALANCE, future: CNT_INSTALMENT_FUTURE}}) AS latest
    FROM POS_CASH_balance WHERE MONTHS_BALANCE IS NOT NULL AND CNT_INSTALMENT_FUTURE IS NOT NULL GROUP BY ALL
),
card_states AS (
    SELECT SK_ID_CURR, SK_ID_PREV,
        first(AMT_BALANCE ORDER BY MONTHS_BALANCE DESC, AMT_BALANCE DESC)
            FILTER (WHERE MONTHS_BALANCE IS NOT NULL AND AMT_BALANCE IS NOT NULL) AS card_balance
    FROM credit_card_balance GROUP BY ALL
),
planned AS (
    SELECT *,
        coalesce(DAYS_FIRST_DUE, DAYS_DECISION + 30) AS first_due,
        at_least(floor(-first_due / 30.4375) + 1, 0) AS passed,
        CASE WHEN interest = 0 THEN 0 ELSE rate END AS true_rate,
        coalesce(
            at_least(loan_states.latest.future - at_least(-1 - loan_states.latest.month, 0), 0),
            at_least(CNT_PAYMENT - passed, 0)
        ) AS instalments_left,
        card_states.SK_ID_PREV IS NOT NULL AS has_card_months,
        card_states.card_balance
    FROM numbered
    LEFT JOIN rates USING (application)
    LEFT JOIN loan_states USING (SK_ID_CURR, SK_ID_PREV)
    LEFT JOIN card_states USING (SK_ID_CURR, SK_ID_PREV)
)
SELECT *,
    CASE WHEN is_open AND is_card AND has_card_months THEN at_least(card_balance, 0)
        WHEN is_open AND is_card THEN 0
        WHEN is_open AND NOT is_card THEN at_most(
            AMT_ANNUITY
                * CASE WHEN true_rate = 0 THEN instalments_left ELSE present_value(true_rate, instalments_left) END,
            AMT_CREDIT
        )
    END AS owed,
    -- An application of today counts 1, one of 1,500 days ago and more a quarter.
    1 + at_least(DAYS_DECISION, -1500) / 2000 AS weight
FROM planned
"""

EVERY = {"": ALL}
APPROVED = {"approved": "NAME_CONTRACT_STATUS = 'Approved'"}
REFUSED = {"refused": "NAME_CONTRACT_STATUS = 'Refused'"}
LAST_YEAR = {"365d": "DAYS_DECISION >= -365"}
LATEST = {f"latest_{count}": f"recency <= {count}" for count in (1, 3, 5)}
LATEST_3, LATEST_5 = ({f"latest_{count}": LATEST[f"latest_{count}"]} for count in (3, 5))
OPEN_LOAN, OPEN_CARD = "is_open AND NOT is_card", "is_open AND is_card"
IS_REFUSED = "NAME_CONTRACT_STATUS = 'Refused'"

FEATURES = {
    "applications": rows(),
    "applications_365d": number_of("DAYS_DECISION >= -365"),
    "approved": number_of("NAME_CONTRACT_STATUS = 'Approved'"),
    "refused": number_of(IS_REFUSED),
    "refused_365d": number_of(f"{IS_REFUSED} AND DAYS_DECISION >= -365"),
    **shares("approved_share", "NAME_CONTRACT_STATUS = 'Approved'"),
    **shares("canceled_share", "NAME_CONTRACT_STATUS = 'Canceled'"),
    **shares("refused_share", IS_REFUSED, EVERY | LATEST | LAST_YEAR),
    **shares("reject_hc_share", "CODE_REJECT_REASON = 'HC'"),
    **shares("reject_sco_share", "CODE_REJECT_REASON = 'SCO'"),
    **shares("reject_limit_share", "CODE_REJECT_REASON = 'LIMIT'"),
    **shares("reject_scofr_share", "CODE_REJECT_REASON = 'SCOFR'"),
    **shares("cash_share", "NAME_CONTRACT_TYPE = 'Cash loans'"),
    **shares("consumer_share", "NAME_CONTRACT_TYPE = 'Consumer loans'"),
    **shares("revolving_share", "NAME_CONTRACT_TYPE = 'Revolving loans'"),
    **shares("new_client_share", "NAME_CLIENT_TYPE = 'New'"),
    **shares("cross_sell_share", "NAME_PRODUCT_TYPE = 'x-sell'"),
    **shares("walk_in_share", "NAME_PRODUCT_TYPE = 'walk-in'"),
    **shares("insured_share", "NFLAG_INSURED_ON_APPROVAL = 1"),
    "seller_area_max": highest("SELLERPLACE_AREA", "SELLERPLACE_AREA >= 0"),
    **shares("high_yield_share", "NAME_YIELD_GROUP = 'high'", EVERY | LATEST_3),
    **shares("low_yield_share", "NAME_YIELD_GROUP IN ('low_action', 'low_normal')", EVERY | LATEST_3),
    **measures("decision_days", "DAYS_DECISION", "max min mean", EVERY | APPROVED | REFUSED),
    **measures("asked", "AMT_APPLICATION", "mean max", EVERY | REFUSED | LATEST_3),
    **measures("credit", "AMT_CREDIT", "mean max sum", EVERY | APPROVED),
    **measures("annuity", "AMT_ANNUITY", "mean max sum", EVERY | APPROVED),
    **measures("asked_to_granted", "ratio(AMT_APPLICATION, AMT_CREDIT)", "mean min", EVERY | LATEST),
    **measures("asked_to_granted", "ratio(AMT_APPLICATION, AMT_CREDIT)", "std", EVERY | LATEST_3 | LATEST_5),
    **measures("term", "CNT_PAYMENT", "mean max min", EVERY | APPROVED | LATEST),
    **measures("simple_interest", "ratio(interest, CNT_PAYMENT)", "mean max min", EVERY | APPROVED | LATEST),
    **measures("true_rate", "true_rate", "mean max min", EVERY | APPROVED | LATEST),
    **measures("down_payment_rate", "RATE_DOWN_PAYMENT", "mean max", EVERY),
    **measures("down_payment", "AMT_DOWN_PAYMENT", "mean max", EVERY),
    **measures("due_shift_days", "(DAYS_LAST_DUE_1ST_VERSION - DAYS_LAST_DUE)", "mean max min", EVERY),
    "refused_weighted": ratio_of_totals(f"{as_number(IS_REFUSED)} * weight", "weight"),
    "annuity_weighted": ratio_of_totals("AMT_ANNUITY * weight", "weight"),
    "true_rate_weighted": ratio_of_totals("true_rate * weight", "weight"),
    "open_loans": number_of(OPEN_LOAN),
    "open_cards": number_of(OPEN_CARD),
    "open_credit_sum": total("AMT_CREDIT", OPEN_LOAN),
    "open_limit_sum": total("AMT_CREDIT", OPEN_CARD),
    "open_annuity_sum": total("AMT_ANNUITY", OPEN_LOAN),
    "open_debt": total("owed", "is_open"),
    "open_repaid_ratio": ratio_of_totals("AMT_CREDIT - owed", "AMT_CREDIT", OPEN_LOAN),
    **{
        f"due_in_{months}m": total(f"AMT_ANNUITY * at_most(instalments_left, {months})", OPEN_LOAN)
        for months in (1, 6, 12, 19)
    },
}
