import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score

from research.evaluation.metrics import auc, delong_auc, discrimination, gini, intervals, ks, placements
from research.types import OutOfFold

ROWS = 900


@pytest.fixture(scope="module")
def scores() -> OutOfFold:
    """Scores of three folds, with ties."""
    random = np.random.default_rng(1)
    target = (random.random(ROWS) < 0.2).astype(np.int64)
    log_odds = np.round(target + random.normal(scale=0.8, size=ROWS), 1) - 2
    return OutOfFold(target=target, log_odds=log_odds, fold=np.arange(ROWS) % 3)


def test_ks_is_that_of_the_two_samples(scores: OutOfFold):
    samples = (scores.log_odds[scores.target == outcome] for outcome in (0, 1))
    assert ks(scores.target, scores.log_odds) == pytest.approx(ks_2samp(*samples).statistic)


def test_gini_is_zero_at_random_and_one_if_perfect(scores: OutOfFold):
    assert gini(auc(scores.target, np.zeros(ROWS))) == 0
    assert gini(auc(scores.target, scores.target.astype(float))) == 1


def test_one_outcome_has_no_discrimination():
    assert discrimination(np.zeros(5, np.int64), np.arange(5.0)) == {}
    assert np.isnan(auc(np.ones(5, np.int64), np.arange(5.0)))


def test_intervals_hold_the_value_and_need_both_outcomes(scores: OutOfFold):
    estimate = intervals(scores.target, scores.probability)["auc"]
    assert estimate["low"] < estimate["value"] < estimate["high"]
    assert estimate["value"] == roc_auc_score(scores.target, scores.probability)
    assert intervals(np.zeros(ROWS, np.int64), scores.probability) == {}


def test_delongs_auc_is_that_of_the_folds_with_ties(scores: OutOfFold):
    folds = [rows for _, rows in scores.by_fold()]
    expected = [roc_auc_score(scores.target[rows], scores.log_odds[rows]) for rows in folds]
    weights = [scores.target[rows].sum() for rows in folds]
    value, _ = delong_auc(placements(scores), scores.target)
    assert value == pytest.approx(np.average(expected, weights=weights))
