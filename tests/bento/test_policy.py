"""One answer never contradicts itself: the cheaper decision by its expected cost is the decision it gives."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bento.policy import CostAssumptions, Decision, ReviewBand, decide, expected_cost

PROBABILITIES = st.floats(0, 1)
COSTS = st.builds(CostAssumptions, false_negative=st.floats(0.01, 100), false_positive=st.floats(0.01, 100))


@given(PROBABILITIES, PROBABILITIES, COSTS)
@example(1 / 11, 1 / 11, CostAssumptions())
@example(0.0, 0.0, CostAssumptions())
@example(1.0, 1.0, CostAssumptions())
@example(0.0851, 0.0851, CostAssumptions())
@example(0.087, 0.0851, CostAssumptions())
def test_the_decision_is_never_dearer_than_the_other_one(p: float, threshold: float, costs: CostAssumptions):
    cost = expected_cost(p, threshold, costs)
    if decide(p, threshold) is Decision.GRANTED:
        assert cost.if_granted <= cost.if_refused
    else:
        assert cost.if_refused <= cost.if_granted
    assert min(cost.if_granted, cost.if_refused) >= 0


@given(PROBABILITIES, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_review_band_around_the_threshold_does_not_change_that(p: float, threshold: float, low: float, high: float):
    band = ReviewBand(low=min(low, threshold), high=max(high, threshold), capacity=0.1)
    decision, cost = decide(p, threshold, band), expected_cost(p, threshold)
    if decision is Decision.GRANTED:
        assert cost.if_granted <= cost.if_refused
    if decision is Decision.REFUSED:
        assert cost.if_refused <= cost.if_granted


@given(PROBABILITIES, COSTS)
def test_at_the_threshold_of_theory_the_costs_are_those_assumed(p: float, costs: CostAssumptions):
    cost = expected_cost(p, costs.theoretical_threshold, costs)
    assert cost.if_granted == pytest.approx(p * costs.false_negative, rel=1e-9, abs=1e-9 * costs.false_negative)
    assert cost.if_refused == pytest.approx((1 - p) * costs.false_positive)


def test_another_threshold_implies_another_ratio_of_costs():
    cost = expected_cost(0.087, 0.0851)
    assert cost.if_granted == pytest.approx(0.087 * (1 - 0.0851) / 0.0851)
    assert cost.if_refused == pytest.approx(0.913)
