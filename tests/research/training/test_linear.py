import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from research.data.splits import fold_rows
from research.training.linear import Clip, fit_linear
from research.training.spline import SplineLogistic
from research.types import TrainingMatrix
from tests.research.made_up import declared_columns

NAMES = ["application_ext_source_2", "application_credit", "application_occupation"]
CLIENTS = 2000


@pytest.fixture(scope="module")
def sample() -> TrainingMatrix:
    random = np.random.default_rng(1)
    matrix = np.column_stack([*random.random((2, CLIENTS)), random.integers(0, 3, CLIENTS)])
    target = (random.random(CLIENTS) < 0.4 * (1 - matrix[:, 0])).astype(np.int64)
    return TrainingMatrix(matrix=matrix, target=target, columns=declared_columns(NAMES), person=np.arange(CLIENTS))


def test_a_fold_is_scored_by_a_model_that_never_saw_its_outcomes(sample: TrainingMatrix):
    fitted = fit_linear(sample, folds=3, seed=1)
    for train, validation in fold_rows(sample.target, sample.person, 3, 1):
        model = SplineLogistic(tuple(sample.columns)).fit(sample.matrix[train], sample.target[train])
        expected = model.decision_function(sample.matrix[validation])
        np.testing.assert_allclose(fitted.out_of_fold.log_odds[validation], expected, atol=1e-6)


def test_the_served_model_is_fitted_on_all_rows(sample: TrainingMatrix):
    fitted = fit_linear(sample, folds=2, seed=1)
    model = SplineLogistic(tuple(sample.columns)).fit(sample.matrix, sample.target)
    np.testing.assert_allclose(fitted.predictor.log_odds(sample.matrix), model.decision_function(sample.matrix))
    assert roc_auc_score(sample.target, fitted.out_of_fold.log_odds) > 0.6


def test_only_chosen_features_are_fitted(sample: TrainingMatrix):
    fitted = fit_linear(sample, 2, 1, lambda data, seed: NAMES[:1])
    assert fitted.predictor.feature_names == [column.name for column in fitted.features] == NAMES[:1]


def test_clip_keeps_missing_values_and_refuses_infinite_ones():
    clipped = Clip(0.25).fit_transform(np.array([[1.0], [2], [np.nan], [3], [4], [5]]))
    np.testing.assert_array_equal(clipped[:, 0], [2, 2, np.nan, 3, 4, 4])
    with pytest.raises(ValueError, match="infinity"):
        Clip().fit(np.array([[np.inf], [1]]))


@parametrize_with_checks([Clip()])
def test_clip_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)
