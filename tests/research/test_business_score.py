import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.decision import CostAssumptions
from research.business_score import best_threshold, cost_curve, cost_per_client

TARGET = np.array([0, 0, 1, 0, 1])
PROBABILITY = np.array([0.02, 0.05, 0.08, 0.20, 0.60])


def test_costs_of_the_two_errors_by_hand():
    # One default granted (10), one good client refused (1), five clients.
    assert cost_per_client(TARGET, np.array([False, True, False, False, True])) == pytest.approx(11 / 5)


def test_trivial_policies_by_hand():
    assert cost_per_client(TARGET, np.zeros(5, dtype=bool)) == pytest.approx(20 / 5)
    assert cost_per_client(TARGET, np.ones(5, dtype=bool)) == pytest.approx(3 / 5)


def test_the_curve_by_hand():
    thresholds, cost = cost_curve(TARGET, PROBABILITY)
    np.testing.assert_allclose(thresholds, [0, 0.035, 0.065, 0.14, 0.40, 1])
    np.testing.assert_allclose(cost * 5, [3, 2, 1, 11, 10, 20])


def test_the_best_threshold_by_hand():
    assert best_threshold(TARGET, PROBABILITY) == pytest.approx(0.065)
    cheap_defaults = CostAssumptions(false_negative=1, false_positive=5)
    assert best_threshold(TARGET, PROBABILITY, cheap_defaults) == pytest.approx(0.40)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=1, max_size=30))
def test_the_curve_is_what_counting_gives_even_with_ties(rows: list[tuple[bool, int]]):
    target = np.array([int(default) for default, _ in rows])
    probability = np.array([score / 10 for _, score in rows])
    thresholds, cost = cost_curve(target, probability)
    counted = [cost_per_client(target, probability >= threshold) for threshold in thresholds]
    np.testing.assert_allclose(cost, counted)
    every = [cost_per_client(target, probability >= threshold) for threshold in np.linspace(0, 1.001, 200)]
    assert cost.min() <= min(every) + 1e-12
