"""What the features say of earlier credits that are still open: what is due, what is owed, at which rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.features.build import build_features
from bento.features.definitions import Value
from tests.support.clients import cleaned_tables

Row = dict[str, object]
OPEN = {"DAYS_LAST_DUE": 365243, "DAYS_TERMINATION": 365243}
LOAN = {
    "SK_ID_PREV": 7,
    "NAME_CONTRACT_TYPE": "Cash loans",
    "NAME_CONTRACT_STATUS": "Approved",
    "AMT_CREDIT": 120_000.0,
    "AMT_ANNUITY": 5000.0,
    "CNT_PAYMENT": 36,
    "DAYS_DECISION": -700,
    "DAYS_FIRST_DUE": -670,
    **OPEN,
}
CARD = {
    "SK_ID_PREV": 8,
    "NAME_CONTRACT_TYPE": "Revolving loans",
    "NAME_CONTRACT_STATUS": "Approved",
    "AMT_CREDIT": 180_000.0,
    "AMT_ANNUITY": 9000.0,
    "CNT_PAYMENT": 0,
    "DAYS_DECISION": -2400,
    **OPEN,
}


def _features(*loans: Row, **histories: list[Row]) -> dict[str, Value]:
    return build_features(cleaned_tables(previous_application=list(loans), **histories)).row(0, named=True)


def _annuity(credit: float, rate: float, term: int) -> float:
    return credit / sum((1 + rate) ** -month for month in range(1, term + 1))


def _principal_left(credit: float, rate: float, annuity: float, paid: int) -> float:
    for _ in range(paid):
        credit = credit * (1 + rate) - annuity
    return credit


def test_nothing_is_due_from_a_loan_repaid_early():
    ended = {"DAYS_LAST_DUE_1ST_VERSION": 380, "DAYS_LAST_DUE": -60, "DAYS_TERMINATION": -55}
    row = _features(LOAN | ended)

    assert row["previous_due_in_12m"] == row["previous_due_in_1m"] == 0
    assert row["previous_open_loans"] == row["previous_open_debt"] == row["previous_open_credit_sum"] == 0
    assert row["previous_open_repaid_ratio"] is None


def test_a_card_never_used_owes_nothing():
    row = _features(CARD)

    assert row["previous_open_debt"] == row["previous_due_in_12m"] == 0
    assert (row["previous_open_cards"], row["previous_open_loans"]) == (1, 0)
    assert (row["previous_open_limit_sum"], row["previous_open_credit_sum"]) == (180_000, 0)
    assert row["previous_open_annuity_sum"] == 0


def test_a_card_owes_its_latest_balance():
    months = [
        {"SK_ID_PREV": 8, "MONTHS_BALANCE": month, "AMT_BALANCE": balance}
        for month, balance in ((-3, 90_000.0), (-1, None), (-2, 45_000.0), (-40, 170_000.0))
    ]
    payment = {"SK_ID_PREV": 8, "NUM_INSTALMENT_NUMBER": 1, "DAYS_INSTALMENT": -900, "DAYS_ENTRY_PAYMENT": -900}
    row = _features(CARD, credit_card_balance=months, installments_payments=[payment | {"AMT_PAYMENT": 600_000.0}])

    assert row["previous_open_debt"] == 45_000


def test_a_card_in_credit_owes_nothing_and_an_unknown_balance_is_unknown():
    in_credit = [{"SK_ID_PREV": 8, "MONTHS_BALANCE": -1, "AMT_BALANCE": -20.0}]
    unknown = [{"SK_ID_PREV": 8, "MONTHS_BALANCE": -1}]
    of_another_card = [{"SK_ID_PREV": 9, "MONTHS_BALANCE": -1, "AMT_BALANCE": 20.0}]

    assert _features(CARD, credit_card_balance=in_credit)["previous_open_debt"] == 0
    assert _features(CARD, credit_card_balance=unknown)["previous_open_debt"] is None
    assert _features(CARD, credit_card_balance=of_another_card)["previous_open_debt"] == 0


@pytest.mark.parametrize(("month", "left_then", "left"), [(-1, 14, 14), (-4, 14, 11), (-20, 14, 0), (0, 14, 14)])
def test_a_loan_owes_the_principal_of_the_instalments_left(month: int, left_then: int, left: int):
    credit, rate, term = 100_000.0, 0.02, 24
    annuity = _annuity(credit, rate, term)
    state = {"SK_ID_PREV": 7, "MONTHS_BALANCE": month, "CNT_INSTALMENT_FUTURE": left_then}
    earlier = {"SK_ID_PREV": 7, "MONTHS_BALANCE": month - 1, "CNT_INSTALMENT_FUTURE": left_then + 1}
    loan = LOAN | {"AMT_CREDIT": credit, "AMT_ANNUITY": annuity, "CNT_PAYMENT": term}
    row = _features(loan, POS_CASH_balance=[earlier, state, {"SK_ID_PREV": 7, "MONTHS_BALANCE": 0}])

    owed = _principal_left(credit, rate, annuity, term - left)
    assert row["previous_open_debt"] == pytest.approx(owed, abs=1e-4)
    assert row["previous_open_repaid_ratio"] == pytest.approx(1 - owed / credit)
    assert row["previous_due_in_1m"] == pytest.approx(annuity * min(left, 1))
    assert row["previous_due_in_6m"] == pytest.approx(annuity * min(left, 6))
    assert row["previous_due_in_12m"] == pytest.approx(annuity * min(left, 12))
    assert row["previous_due_in_19m"] == pytest.approx(annuity * min(left, 19))


@pytest.mark.parametrize(
    ("first_due", "decision", "left"),
    [(-70, -700, 9), (0, -30, 11), (10, -20, 12), (None, -30, 11), (None, -29, 12), (None, -100, 9), (-500, -530, 0)],
)
def test_without_monthly_states_the_plan_says_what_is_left(first_due: int | None, decision: int, left: int):
    plan = {"CNT_PAYMENT": 12, "AMT_ANNUITY": 11_000.0, "DAYS_FIRST_DUE": first_due, "DAYS_DECISION": decision}
    row = _features(LOAN | plan)

    assert row["previous_due_in_19m"] == 11_000 * left
    assert row["previous_due_in_1m"] == 11_000 * min(left, 1)
    assert (row["previous_open_debt"] == 0) == (left == 0)


def test_a_loan_never_owes_more_than_its_amount():
    state = {"SK_ID_PREV": 7, "MONTHS_BALANCE": -1, "CNT_INSTALMENT_FUTURE": 60}

    assert _features(LOAN, POS_CASH_balance=[state])["previous_open_debt"] == 120_000


def test_a_loan_without_interest_owes_the_instalments_left():
    loan = LOAN | {"AMT_CREDIT": 12_000.0, "AMT_ANNUITY": 1000.0, "CNT_PAYMENT": 12}
    state = {"SK_ID_PREV": 7, "MONTHS_BALANCE": -1, "CNT_INSTALMENT_FUTURE": 5}
    row = _features(loan, POS_CASH_balance=[state])

    assert row["previous_open_debt"] == 5000
    assert row["previous_true_rate_mean"] == row["previous_simple_interest_mean"] == 0


def test_debts_of_loans_and_cards_add_up():
    state = {"SK_ID_PREV": 7, "MONTHS_BALANCE": -1, "CNT_INSTALMENT_FUTURE": 1}
    month = {"SK_ID_PREV": 8, "MONTHS_BALANCE": -1, "AMT_BALANCE": 45_000.0}
    row = _features(LOAN, CARD, POS_CASH_balance=[state], credit_card_balance=[month])

    loan = _features(LOAN, POS_CASH_balance=[state])["previous_open_debt"]
    assert row["previous_open_debt"] == pytest.approx(loan + 45_000)
    assert row["previous_open_debt_to_income"] == pytest.approx((loan + 45_000) / 50)


@pytest.mark.parametrize(
    ("change", "open_loans"),
    [
        ({}, 1),
        ({"DAYS_LAST_DUE": 40}, 1),
        ({"DAYS_LAST_DUE": 0}, 0),
        ({"DAYS_TERMINATION": -3}, 0),
        ({"DAYS_TERMINATION": None}, 1),
        ({"NAME_CONTRACT_STATUS": "Canceled"}, 0),
        ({"DAYS_LAST_DUE": None}, None),
        ({"DAYS_LAST_DUE": None, "DAYS_TERMINATION": -3}, 0),
        ({"NAME_CONTRACT_TYPE": "Revolving loans"}, 0),
        ({"NAME_CONTRACT_TYPE": None}, None),
    ],
)
def test_a_loan_is_open_by_its_dates(change: Row, open_loans: int | None):
    assert _features(LOAN | change)["previous_open_loans"] == open_loans


def _rate(annuity: float, credit: float, term: int) -> Value:
    return _features(LOAN | {"AMT_ANNUITY": annuity, "AMT_CREDIT": credit, "CNT_PAYMENT": term})[
        "previous_true_rate_mean"
    ]


@given(rate=st.floats(1e-6, 0.9), term=st.integers(1, 120))
def test_the_true_rate_repays_the_credit_in_its_term(rate: float, term: int):
    assert _rate(_annuity(1e6, rate, term), 1e6, term) == pytest.approx(rate, rel=1e-6, abs=1e-9)


def test_a_rate_close_to_zero_is_not_taken_for_zero():
    assert _rate(1000.01, 12_000.0, 12) == pytest.approx(2 * 0.01 / 1000 / 13, rel=1e-3)


@pytest.mark.parametrize(
    ("annuity", "credit", "term"),
    [(900.0, 12_000.0, 12), (40_000.0, 12_000.0, 1), (1000.0, 0.0, 12), (1000.0, 12_000.0, 0), (0.0, 12_000.0, 12)],
)
def test_amounts_that_are_no_plan_have_no_rate(annuity: float, credit: float, term: int):
    assert _rate(annuity, credit, term) is None


def test_instalments_below_the_credit_have_no_interest():
    row = _features(LOAN | {"AMT_ANNUITY": 999.9, "AMT_CREDIT": 12_000.0, "CNT_PAYMENT": 12})
    assert row["previous_true_rate_mean"] == row["previous_simple_interest_min"] == 0
    row = _features(LOAN | {"AMT_ANNUITY": 900.0, "AMT_CREDIT": 12_000.0, "CNT_PAYMENT": 12})
    assert row["previous_true_rate_mean"] is row["previous_simple_interest_min"] is None


def test_the_instalments_of_this_loan_in_the_term_of_earlier_ones():
    application = {"AMT_CREDIT": 12_000.0, "AMT_ANNUITY": 900.0}
    tables = cleaned_tables(application, previous_application=[LOAN | {"CNT_PAYMENT": 10}])
    assert build_features(tables)["application_due_in_previous_term_to_credit"].to_list() == [0.75]
