import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit

from bento.policy import CostAssumptions
from drift.adversarial import auc
from drift.estimate import estimate, expected_auc, expected_costs, realised_costs, recalibrated

COSTS = CostAssumptions()
ROWS = 20_000


def population(seed: int, mean: float = -2.5) -> tuple[pl.DataFrame, np.ndarray]:
    """Two features, and the true probabilities."""
    random = np.random.default_rng(seed)
    features = pl.DataFrame({"a": random.normal(size=ROWS), "b": random.normal(size=ROWS)})
    return features, expit(mean + features["a"].to_numpy() + 0.7 * features["b"].to_numpy())


def drawn(truth: np.ndarray, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random(len(truth)) < truth).astype(float)


def test_the_estimate_agrees_with_outcomes_where_the_pd_is_right():
    _, truth = population(1)
    refused = truth > 0.2
    outcomes = np.array([drawn(truth, seed) for seed in range(30)])

    result = estimate(truth, refused, COSTS)

    realised = [1000 * realised_costs(target, refused, COSTS).mean() for target in outcomes]
    assert result.cost == pytest.approx(np.mean(realised), rel=0.01)
    assert sum(result.low < cost < result.high for cost in realised) >= 26
    assert result.auc == pytest.approx(np.mean([auc(truth, target) for target in outcomes]), abs=0.003)


def test_costs_follow_the_decision():
    target, refused = np.array([1.0, 1, 0, 0]), np.array([False, True, False, True])

    assert realised_costs(target, refused, COSTS).tolist() == [10, 0, 0, 1]
    assert expected_costs(np.array([0.5]), np.array([False]), COSTS).tolist() == [5]


def test_the_expected_auc_is_that_of_all_pairs():
    probability = np.array([0.1, 0.3, 0.3, 0.8])
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    weights = np.array([probability[i] * (1 - probability[j]) for i, j in pairs])
    wins = np.array([(np.sign(probability[i] - probability[j]) + 1) / 2 for i, j in pairs])

    assert expected_auc(probability) == pytest.approx((weights * wins).sum() / weights.sum())


def test_a_pd_that_is_too_low_everywhere_is_corrected_by_known_outcomes():
    features, truth = population(1)
    past_features, past_truth = population(2)
    low = expit(logit(truth) - 0.7)

    corrected = recalibrated(low, features, drawn(past_truth, 3), expit(logit(past_truth) - 0.7), past_features)

    assert corrected.mean() == pytest.approx(truth.mean(), rel=0.05)


def test_weights_correct_an_error_that_depends_on_what_shifted():
    features, truth = population(1)
    chosen = features["b"].to_numpy() > 0.5  # new applications come from where the model, blind to b, is too low
    past_features, past_truth = population(2)
    blind, past_blind = (expit(-2.5 + 1.0 * frame["a"].to_numpy()) for frame in (features, past_features))

    corrected = recalibrated(blind[chosen], features.filter(chosen), drawn(past_truth, 3), past_blind, past_features)

    before, after = (abs(values.mean() - truth[chosen].mean()) for values in (blind[chosen], corrected))
    assert after < 0.2 * before


def test_few_known_defaults_leave_the_pd_as_it_is():
    features, truth = population(1)
    outcomes = np.zeros(ROWS)
    outcomes[:29] = 1

    assert recalibrated(truth, features, outcomes, truth, features) is truth
