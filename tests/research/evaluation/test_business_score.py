import ast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TunedThresholdClassifierCV, cross_val_predict

from bento.policy import DEFAULT_COSTS, CostAssumptions, LoanEconomics
from research.cli import ROOT
from research.evaluation.bootstrap import bootstrap, mean_with_interval
from research.evaluation.business_score import (
    CostModel,
    best_threshold,
    business_report,
    choose_threshold,
    cost_band,
    cost_curve,
    cost_per_client,
    costs_of,
    cross_fitted_decisions,
    decision_scorer,
    money_of,
    sensitivity,
    trivial_policies,
)
from research.types import OutOfFold

TARGET = np.array([0, 0, 1, 0, 1])
PROBABILITY = np.array([0.02, 0.05, 0.08, 0.20, 0.60])


def test_costs_of_the_two_errors_by_hand():
    # One default granted (10), one good client refused (1), five clients.
    assert cost_per_client(TARGET, np.array([False, True, False, False, True])) == pytest.approx(11 / 5)


def test_trivial_policies_by_hand():
    costs = {name: cost_per_client(TARGET, refused) for name, refused in trivial_policies(5).items()}
    assert costs == {"accept_all": pytest.approx(20 / 5), "refuse_all": pytest.approx(3 / 5)}


def test_the_curve_by_hand():
    thresholds, cost = cost_curve(TARGET, PROBABILITY)
    np.testing.assert_allclose(thresholds, [0, 0.035, 0.065, 0.14, 0.40, 1])
    np.testing.assert_allclose(cost * 5, [3, 2, 1, 11, 10, 20])


def test_the_best_threshold_by_hand():
    assert best_threshold(TARGET, PROBABILITY) == pytest.approx(0.065)
    cheap_defaults = CostAssumptions(false_negative=1, false_positive=5)
    assert best_threshold(TARGET, PROBABILITY, cheap_defaults) == pytest.approx(0.40)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=1, max_size=30))
def test_the_curve_is_that_of_counting_even_with_ties(rows: list[tuple[bool, int]]):
    target = np.array([int(default) for default, _ in rows])
    probability = np.array([score / 10 for _, score in rows])
    thresholds, cost = cost_curve(target, probability)
    counted = [cost_per_client(target, probability >= threshold) for threshold in thresholds]
    np.testing.assert_allclose(cost, counted)
    every = [cost_per_client(target, probability >= threshold) for threshold in np.linspace(0, 1.001, 200)]
    assert cost.min() <= min(every) + 1e-12


def test_money_by_hand():
    # A default of 200,000 granted at 55 %, a good client of 100,000 refused at 5.5 %; the others cost nothing.
    exposure = np.array([100_000.0, 50_000, 200_000, 80_000, 60_000])
    lost = money_of(TARGET, np.array([True, False, False, False, True]), exposure)
    np.testing.assert_allclose(lost, [5_500, 0, 110_000, 0, 0])


def test_the_default_economics_are_ten_to_one():
    assert LoanEconomics().cost_ratio == pytest.approx(DEFAULT_COSTS.false_negative / DEFAULT_COSTS.false_positive)


def test_money_in_equal_loans_ranks_thresholds_as_counting_does():
    refusals = [threshold <= PROBABILITY for threshold in (0, 0.03, 0.06, 0.1, 0.3, 1)]
    counted = [cost_per_client(TARGET, refused) for refused in refusals]
    in_money = [money_of(TARGET, refused, np.full(5, 1000.0)).mean() for refused in refusals]
    np.testing.assert_allclose(in_money, np.array(counted) * 55)


def _calibrated(rows: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    probability = random.beta(0.7, 8, rows)
    return (random.random(rows) < probability).astype(np.int64), probability


def test_the_threshold_of_calibrated_scores_is_near_theory():
    target, probability = _calibrated(60_000)
    assert best_threshold(target, probability) == pytest.approx(DEFAULT_COSTS.theoretical_threshold, abs=0.02)
    for row in sensitivity(OutOfFold.from_probability(target, probability, np.arange(60_000) % 5)):
        assert row["threshold"] == pytest.approx(1 / (1 + row["ratio"]), abs=0.03)
        assert row["cost_per_client"] <= min(row["cost_per_client_accept_all"], row["cost_per_client_refuse_all"])


def test_the_band_holds_the_curve_and_is_that_of_resampled_clients():
    target, probability = _calibrated(2_000)
    thresholds = np.array([0.0, 0.05, 0.1, 0.3, 1.0])
    cost, low, high = cost_band(target, probability, thresholds)
    counted = [cost_per_client(target, probability >= threshold) for threshold in thresholds]
    np.testing.assert_allclose(cost, counted)
    random, resampled = np.random.default_rng(3), []
    for _ in range(1000):
        rows = random.integers(0, 2_000, 2_000)
        resampled.append(cost_per_client(target[rows], probability[rows] >= 0.1))
    assert (low[2], high[2]) == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])), rel=0.05)


def test_the_interval_of_a_mean_is_that_of_theory():
    values = np.random.default_rng(1).choice([0.0, 1.0, 10.0], 5_000, p=[0.6, 0.35, 0.05])
    estimate = mean_with_interval(values)
    error = values.std() / np.sqrt(5_000)
    assert (estimate.low, estimate.high) == pytest.approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), rel=0.02
    )
    other = bootstrap(lambda rows: float(values[rows].mean()), 5_000, resamples=500)
    assert (other.low, other.high) == pytest.approx((estimate.low, estimate.high), rel=0.03)
    assert mean_with_interval(np.zeros(10)).high == 0


def test_each_fold_is_decided_by_a_threshold_of_the_others():
    target, probability = _calibrated(3_000)
    scores = OutOfFold.from_probability(target, probability, np.arange(3_000) % 3)
    refused, thresholds = cross_fitted_decisions(scores)
    for number, validation in scores.by_fold():
        assert thresholds[number] == choose_threshold(scores.rows(~validation)).threshold
        np.testing.assert_array_equal(refused[validation], scores.probability[validation] >= thresholds[number])


def _folds(target: np.ndarray, probability: np.ndarray, folds: int = 5) -> OutOfFold:
    return OutOfFold.from_probability(target, probability, np.arange(len(target)) % folds)


def test_calibrated_scores_are_decided_at_theory():
    for clients in (500, 3_000, 20_000):
        choice = choose_threshold(_folds(*_calibrated(clients)))
        assert not choice.is_searched
        assert choice.threshold == choice.theoretical == DEFAULT_COSTS.theoretical_threshold
        assert choice.searched != choice.theoretical


def test_scores_that_are_off_are_decided_at_the_searched_threshold():
    target, probability = _calibrated(20_000)
    inflated = probability * 4 / (1 + 3 * probability)  # odds four times too high
    choice = choose_threshold(_folds(target, inflated))
    assert choice.is_searched
    assert choice.threshold == choice.searched == best_threshold(target, inflated)
    assert choice.threshold == pytest.approx(4 / 14, abs=0.06)  # where theory's odds of 1 to 10 lie now
    assert choice.saved > 2 * choice.saved_error > 0


def test_a_saving_within_a_standard_error_moves_no_threshold():
    target, probability = _calibrated(3_000)
    slightly_high = (probability * odds / (1 + (odds - 1) * probability) for odds in np.linspace(1, 2.5, 31))
    choices = [choose_threshold(_folds(target, scores)) for scores in slightly_high]
    within = [choice for choice in choices if 0 < choice.saved <= choice.saved_error]
    assert within
    assert not any(choice.is_searched for choice in within)
    assert {choice.threshold for choice in within} == {DEFAULT_COSTS.theoretical_threshold}


def test_the_saving_of_a_searched_threshold_is_counted_on_other_folds():
    target, probability = _calibrated(3_000)
    scores, saved = _folds(target, probability, 3), np.zeros(3_000)
    choice = choose_threshold(scores)
    for _, validation in scores.by_fold():
        searched = best_threshold(target[~validation], scores.probability[~validation])
        at_theory, at_searched = (
            costs_of(target[validation], scores.probability[validation] >= threshold)
            for threshold in (choice.theoretical, searched)
        )
        saved[validation] = at_theory - at_searched
    assert choice.saved == pytest.approx(saved.mean())
    assert choice.saved_error == pytest.approx(saved.std(ddof=1) / np.sqrt(3_000))


def test_one_fold_alone_cannot_argue_against_theory():
    target, probability = _calibrated(3_000)
    choice = choose_threshold(_folds(target, np.sqrt(probability), folds=1))
    assert (choice.threshold, choice.saved) == (DEFAULT_COSTS.theoretical_threshold, 0)


def test_no_threshold_is_searched_but_by_the_rule():
    callers = {
        str(path.relative_to(ROOT))
        for room in ("research", "drift")
        for path in (ROOT / room).rglob("*.py")
        if "notebooks" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if "best_threshold" in (getattr(node, "id", ""), getattr(node, "attr", ""))
    }

    assert callers == {"research/evaluation/business_score.py"}  # choose_threshold, where theory's comes first


def test_a_searched_threshold_that_gains_less_than_an_error_is_not_taken():
    target, probability = _calibrated(20_000)
    scores = _folds(target, probability)

    refused, thresholds = cross_fitted_decisions(scores)

    theory = DEFAULT_COSTS.theoretical_threshold
    assert set(thresholds.values()) == {theory}
    np.testing.assert_array_equal(refused, scores.probability >= theory)


def test_the_scorer_plugs_into_scikit_learn():
    X, y = make_classification(2_000, weights=[0.9], random_state=1)
    tuned = TunedThresholdClassifierCV(LogisticRegression(), scoring=decision_scorer(), cv=3).fit(X, y)
    plain = LogisticRegression().fit(X, y)
    probability = cross_val_predict(LogisticRegression(), X, y, cv=3, method="predict_proba")[:, 1]
    assert decision_scorer()(tuned, X, y) > decision_scorer()(plain, X, y)
    assert tuned.best_threshold_ == pytest.approx(best_threshold(y, probability), abs=0.1)


def test_the_report_sets_the_model_beside_the_trivial_policies():
    report = business_report(TARGET, PROBABILITY, PROBABILITY >= 0.065, np.full(5, 1000.0), CostModel())
    assert report["model"]["cost_per_client"]["value"] == pytest.approx(1 / 5)
    assert report["model"]["money_per_client"] == pytest.approx(55 / 5)
    assert report["accept_all"]["cost_per_client"]["value"] == pytest.approx(20 / 5)
    assert report["refuse_all"]["defaults_caught"] == 1
    assert costs_of(TARGET, PROBABILITY >= 0.065).sum() == 1
