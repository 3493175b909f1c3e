"""Terms at a constant monthly rate, of an invented product."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.model.peer_groups import MIN_GROUP_SIZE, Plan, Product, Range
from bento.scoring.loan_terms import Term, credit_to_annuity, longer_terms, longest_term, monthly_rate

RANGES = {12: (8.0, 11.0), 24: (13.0, 20.0), 36: (16.0, 27.0), 48: (20.0, 34.0), 60: (24.0, 39.0)}
PRODUCT = Product(
    contract_type="Cash loans",
    clients=MIN_GROUP_SIZE,
    credit=Range(low=50_000, high=2_000_000),
    credit_to_annuity=Range(low=8.0, high=37.0),
    plans=[
        Plan(months=months, loans=MIN_GROUP_SIZE, credit_to_annuity=Range(low=low, high=high))
        for months, (low, high) in RANGES.items()
    ],
)


def months_to_repay(credit: float, rate: float) -> int:
    """The number of instalments of 1 that repay a loan, month by month; 1,000 where they never do."""
    for month in range(1, 1000):
        credit = credit * (1 + rate) - 1
        if credit <= 1e-6:
            return month
    return 1000


@given(months=st.integers(1, 120), rate=st.floats(0.0001, 0.5))
def test_the_monthly_rate_is_that_of_the_instalments(months, rate):
    assert monthly_rate(Term(months, credit_to_annuity(rate, months))) == pytest.approx(rate, rel=1e-6, abs=1e-9)


@given(months=st.integers(2, 60), rate=st.floats(0.001, 0.1))
def test_the_instalments_of_a_term_repay_the_loan_in_it(months, rate):
    assert months_to_repay(credit_to_annuity(rate, months), rate) == months


def test_instalments_without_interest_have_a_rate_of_0():
    assert monthly_rate(Term(12, 12.0)) == monthly_rate(Term(12, 12.5)) == 0
    assert credit_to_annuity(0.0, 12) == 12


@pytest.mark.parametrize(
    ("ratio", "months"), [(9.0, 12), (14.0, 24), (18.0, 36), (26.0, 60), (39.0, 60), (7.9, None), (12.0, None)]
)
def test_the_longest_term_is_the_last_that_is_sold_with_the_instalment(ratio, months):
    term = longest_term(PRODUCT, ratio)

    assert (term and term.months) == months


def test_longer_terms_keep_the_rate_and_lie_within_what_is_sold():
    asked = Term(24, credit_to_annuity(0.025, 24))

    longer = longer_terms(PRODUCT, asked)

    assert [term.months for term in longer] == [36, 48, 60]
    assert [term.credit_to_annuity for term in longer] == pytest.approx(
        [credit_to_annuity(0.025, months) for months in (36, 48, 60)]
    )


@pytest.mark.parametrize(("rate", "months"), [(0.002, [36]), (0.05, [36])])
def test_a_term_that_is_not_sold_at_the_rate_is_left_out(rate, months):
    """At 0.2 % a month 60 months are above what is sold, and 48 above the applications; at 5 % both are below."""
    ranges = {12: (10.0, 12.0), 36: (16.0, 35.0), 48: (20.0, 48.0), 60: (24.0, 39.0)}
    plans = [
        Plan(months=number, loans=MIN_GROUP_SIZE, credit_to_annuity=Range(low=low, high=high))
        for number, (low, high) in ranges.items()
    ]
    product = PRODUCT.model_copy(update={"plans": plans})

    longer = longer_terms(product, Term(12, credit_to_annuity(rate, 12)))

    assert [term.months for term in longer] == months


@given(ratio=st.floats(8, 39))
def test_a_longer_term_holds_whichever_of_the_plans_was_asked_for(ratio):
    asked = longest_term(PRODUCT, ratio)
    for longer in longer_terms(PRODUCT, asked) if asked else []:
        for months, (low, high) in RANGES.items():
            if low <= ratio <= high:
                rate = monthly_rate(Term(months, ratio))
                assert months_to_repay(longer.credit_to_annuity, rate) <= longer.months


def test_a_product_without_plans_has_no_longer_term():
    card = PRODUCT.model_copy(update={"plans": []})

    assert longest_term(card, 20.0) is None
    assert longer_terms(card, Term(20, 20.0)) == []
