import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from bento.model.manifest import ModelFeature
from research.training.quoted import DIRECTIONS, direction
from research.training.spline import SplineLogistic

COLUMNS = (
    ModelFeature(name="application_credit"),
    ModelFeature(name="application_ext_source_2"),
    ModelFeature(name="application_occupation", categories=["Drivers", "Managers", "Pilots"]),
    ModelFeature(name="application_car_age"),
)
ROWS = 6000


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    """Clients whose risk has a hump in the first number, rises in the second, and depends on what is missing."""
    random = np.random.default_rng(1)
    credit, score = random.random((2, ROWS))
    job = random.integers(0, 2, ROWS).astype(float)  # no client has the third
    matrix = np.column_stack([credit, score, job, np.full(ROWS, np.nan)])
    matrix[random.random(ROWS) < 0.3, 0] = np.nan
    hump = np.where(np.isnan(matrix[:, 0]), 1.0, -6 * np.abs(np.nan_to_num(matrix[:, 0]) - 0.5))
    log_odds = -1 + hump + 1.5 * score + 0.8 * job
    return matrix, (random.random(ROWS) < expit(log_odds)).astype(np.int64)


@parametrize_with_checks([SplineLogistic()])
def test_it_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


def test_a_hump_is_found_that_a_straight_line_misses(sample):
    matrix, target = sample
    present = ~np.isnan(matrix[:, 0])
    rows, outcome = matrix[present][:, :3], target[present]
    line = LogisticRegression().fit(rows, outcome).decision_function(rows)
    bent = SplineLogistic(COLUMNS[:3], penalty=3, constraints=False).fit(rows, outcome)
    assert roc_auc_score(outcome, bent.decision_function(rows)) > roc_auc_score(outcome, line) + 0.05
    effects = bent.predictor_.terms[0].effects
    assert 1 < int(np.argmax(effects)) < len(effects) - 2


def test_without_penalty_an_effect_is_the_log_odds_of_a_group(sample):
    matrix, target = sample
    model = SplineLogistic(COLUMNS[2:3], penalty=1e-6).fit(matrix[:, 2:3], target)
    rates = np.array([target[matrix[:, 2] == code].mean() for code in (0, 1)])
    np.testing.assert_allclose(expit(model.decision_function(np.array([[0.0], [1.0]]))), rates, atol=1e-3)


def test_a_missing_value_adds_a_difference_from_the_mean(sample):
    matrix, target = sample
    model = SplineLogistic(COLUMNS, penalty=3, constraints=False).fit(matrix, target)
    contributions, _ = model.predictor_.contributions(matrix)
    unknown = np.isnan(matrix[:, 0])
    assert model.predictor_.terms[0].missing > 0.5  # the mean of the known is about 1.5 below
    assert contributions[unknown, 0].min() == contributions[unknown, 0].max() > 0


def test_contributions_add_up_and_are_nothing_on_average(sample):
    matrix, target = sample
    model = SplineLogistic(COLUMNS).fit(matrix, target)
    contributions, base = model.predictor_.contributions(matrix)
    np.testing.assert_allclose(base + contributions.sum(axis=1), model.decision_function(matrix), atol=1e-9)
    np.testing.assert_allclose(contributions.mean(axis=0), 0, atol=1e-9)


def test_risk_never_rises_against_the_direction_of_a_feature(sample):
    matrix, target = sample
    assert direction("application_ext_source_2", DIRECTIONS) == -1  # though it raises the risk of these clients
    constrained = SplineLogistic(COLUMNS, penalty=3).fit(matrix, target).predictor_.terms[1].effects
    free = SplineLogistic(COLUMNS, penalty=3, constraints=False).fit(matrix, target).predictor_.terms[1].effects
    assert max(np.diff(constrained)) <= 0
    assert free[-1] - free[0] > 1


def test_columns_are_found_by_the_names_of_a_frame(sample):
    import pandas as pd

    matrix, target = sample
    turned = pd.DataFrame(matrix[:, [1, 0]], columns=[COLUMNS[1].name, COLUMNS[0].name])
    model = SplineLogistic(COLUMNS).fit(turned, target)
    assert model.predictor_.feature_names == list(turned.columns)


def test_a_feature_without_any_value_adds_nothing(sample):
    matrix, target = sample
    term = SplineLogistic(COLUMNS).fit(matrix, target).predictor_.terms[3]
    assert (term.knots, term.effects) == ([0.0], [0.0])
    assert term.missing == pytest.approx(term.mean)
