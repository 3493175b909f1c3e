"""Loans to try, for invented applications and an invented product."""

from math import ceil

import numpy as np
import pytest

from bento.model.peer_groups import MIN_GROUP_SIZE, Plan, Product, Range, Reference
from bento.scoring.loan_terms import credit_to_annuity
from bento.scoring.loans import CARD, MAX_COST, STEPS_PER_AMOUNT, candidate_loans, down_payment, round_amounts
from tests.support.references import any_reference

RATE = 0.02
CASH = {"NAME_CONTRACT_TYPE": "Cash loans", "AMT_CREDIT": 300_000, "AMT_ANNUITY": 300_000 / credit_to_annuity(RATE, 24)}


@pytest.fixture
def reference() -> Reference:
    """Cash loans of 100,000 to 1,000,000 over 24 or 36 months, at about 2 % a month."""
    ranges = {months: credit_to_annuity(RATE, months) for months in (24, 36)}
    cash = Product(
        contract_type="Cash loans",
        clients=MIN_GROUP_SIZE,
        credit=Range(low=100_000, high=1_000_000),
        credit_to_annuity=Range(low=18, high=27),
        plans=[
            Plan(months=months, loans=MIN_GROUP_SIZE, credit_to_annuity=Range(low=ratio - 0.5, high=ratio + 0.5))
            for months, ratio in ranges.items()
        ],
    )
    return any_reference([]).model_copy(update={"products": [cash]})


def test_the_cheapest_loan_comes_first_and_none_costs_more_than_the_limit(reference):
    loans = candidate_loans(reference, CASH)

    costs = [loan.cost for loan in loans]
    assert costs == sorted(costs)
    assert 0 < costs[0] < costs[-1] <= MAX_COST
    assert {loan.months for loan in loans} == {None, 36}


def test_the_cost_is_the_part_not_lent_and_the_additional_interest(reference):
    loans = {(loan.credit, loan.months): loan for loan in candidate_loans(reference, CASH)}
    interest = 36 / credit_to_annuity(RATE, 36) - 24 / credit_to_annuity(RATE, 24)

    assert loans[240_000, None].cost == pytest.approx(0.2)
    assert loans[300_000, 36].cost == pytest.approx(interest)
    assert loans[240_000, 36].cost == pytest.approx(0.2 + 0.8 * interest)


def test_the_instalment_falls_with_the_loan_and_with_the_term(reference):
    loans = {(loan.credit, loan.months): loan for loan in candidate_loans(reference, CASH)}

    assert loans[240_000, None].annuity == ceil(CASH["AMT_ANNUITY"] * 0.8)
    assert loans[300_000, 36].annuity == ceil(300_000 / credit_to_annuity(RATE, 36))
    assert all(loan.annuity <= CASH["AMT_ANNUITY"] for loan in loans.values())


def test_a_small_instalment_keeps_its_cents(reference):
    small = {"AMT_CREDIT": 1_000.0, "AMT_ANNUITY": 50.0}

    loans = {loan.credit: loan for loan in candidate_loans(reference, small)}

    assert loans[910.0].annuity == 45.5
    assert candidate_loans(reference, small | {"AMT_ANNUITY": 50.01})[0].annuity == ceil(99 * 50.01) / 100


def test_an_instalment_that_is_whole_stays_so(reference):
    card = {"AMT_CREDIT": 300_000.0, "AMT_ANNUITY": 15_000.0}

    assert all(loan.annuity == loan.credit / 20 for loan in candidate_loans(reference, card))


@pytest.mark.parametrize(
    ("columns", "terms"),
    [
        ({"NAME_CONTRACT_TYPE": None}, {None}),
        ({"NAME_CONTRACT_TYPE": CARD}, {None}),
        ({"AMT_ANNUITY": None}, {None}),
        ({"AMT_ANNUITY": 0}, set()),
        ({"AMT_ANNUITY": 300_000 / 17}, set()),
        ({"AMT_CREDIT": 101_000, "AMT_ANNUITY": 101_000 / 19}, {None, 36}),
        ({"AMT_CREDIT": 99_000, "AMT_ANNUITY": 99_000 / 19}, set()),
        ({"AMT_CREDIT": 0}, set()),
        ({"AMT_CREDIT": 1_200_000, "AMT_ANNUITY": 1_200_000 / 19}, {None, 36}),
        ({"AMT_CREDIT": 2_200_000, "AMT_ANNUITY": 2_200_000 / 19}, set()),
    ],
)
def test_only_what_is_sold_is_tried(reference, columns, terms):
    loans = candidate_loans(reference, CASH | columns)

    assert {loan.months for loan in loans} == terms
    if (CASH | columns)["NAME_CONTRACT_TYPE"] == "Cash loans":
        assert all(100_000 <= loan.credit <= 1_000_000 for loan in loans)


def test_the_down_payment_is_the_part_of_the_price_that_is_not_lent():
    goods = {"AMT_GOODS_PRICE": 100_000}

    assert down_payment(goods, 80_000) == 20_000
    assert down_payment(goods, 100_000) is None
    assert down_payment({}, 80_000) is None
    assert down_payment(goods | {"NAME_CONTRACT_TYPE": CARD}, 80_000) is None


def test_round_amounts_are_one_to_two_percent_apart():
    values = np.array(round_amounts(1_234.5, 2_000_000))

    steps = np.diff(values) / values[:-1]
    assert values.min() >= 1_234.5
    assert values.max() <= 2_000_000
    assert 0.005 < steps.min() <= steps.max() <= 1 / STEPS_PER_AMOUNT
    assert {1_240, 24_600, 405_000, 450_000, 1_000_000} <= set(values.tolist())
