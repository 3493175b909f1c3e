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

    corrected, is_recalibrated = recalibrated(
        low, features, drawn(past_truth, 3), expit(logit(past_truth) - 0.7), past_features
    )

    assert is_recalibrated.all()
    assert corrected.mean() == pytest.approx(truth.mean(), rel=0.05)


def test_weights_correct_an_error_that_depends_on_what_shifted():
    features, truth = population(1)
    chosen = features["b"].to_numpy() > 0.5  # new applications come from where the model, blind to b, is too low
    past_features, past_truth = population(2)
    blind, past_blind = (expit(-2.5 + 1.0 * frame["a"].to_numpy()) for frame in (features, past_features))

    corrected, _ = recalibrated(blind[chosen], features.filter(chosen), drawn(past_truth, 3), past_blind, past_features)

    before, after = (abs(values.mean() - truth[chosen].mean()) for values in (blind[chosen], corrected))
    assert after < 0.2 * before


def test_few_known_defaults_leave_the_pd_as_it_is():
    features, truth = population(1)
    outcomes = np.zeros(ROWS)
    outcomes[:29] = 1

    corrected, is_recalibrated = recalibrated(truth, features, outcomes, truth, features)

    assert corrected is truth
    assert not is_recalibrated.any()


def test_applications_without_like_in_the_past_keep_their_pd():
    features, truth = population(1)
    past_features, past_truth = population(2)
    low = expit(logit(truth) - 0.7)
    emptied = np.arange(ROWS) % 2 == 0
    features = features.with_columns(a=pl.when(~pl.Series(emptied)).then("a"))

    corrected, is_recalibrated = recalibrated(
        low, features, drawn(past_truth, 3), expit(logit(past_truth) - 0.7), past_features
    )

    assert (is_recalibrated == ~emptied).mean() > 0.99
    assert (corrected[~is_recalibrated] == low[~is_recalibrated]).all()
    assert corrected[~emptied].mean() == pytest.approx(truth[~emptied].mean(), rel=0.05)


def test_outcomes_of_granted_loans_leave_the_estimate_right_for_all():
    features, truth = population(1)
    past_features, past_truth = population(2)
    granted = past_truth < 0.15
    outcomes = [drawn(past_truth[granted], seed) for seed in range(5)]

    corrected = [
        recalibrated(truth, features, target, past_truth[granted], past_features.filter(granted))[0]
        for target in outcomes
    ]

    assert [values.mean() / truth.mean() for values in corrected] == pytest.approx([1.0] * 5, abs=0.03)


def test_few_past_applications_with_all_the_weight_are_no_ground():
    features, truth = population(1)
    past_features, past_truth = population(2)
    chosen, few = features["b"].to_numpy() > 1, past_features["b"].to_numpy() > 1
    kept = ~few | (np.cumsum(few) <= 150)

    corrected, is_recalibrated = recalibrated(
        truth[chosen],
        features.filter(chosen),
        drawn(past_truth[kept], 3),
        past_truth[kept],
        past_features.filter(kept),
    )

    assert not is_recalibrated.any()
    assert (corrected == truth[chosen]).all()
