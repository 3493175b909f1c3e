from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from bento.model.manifest import ModelFeature
from bento.model.predictors import LinearPredictor
from research.training.linear import Clip, linear_pipeline, linear_predictor

COLUMNS = [
    ModelFeature(name="amount"),
    ModelFeature(name="housing", categories=["rented", "owned", "with parents"]),
    ModelFeature(name="unknown"),
    ModelFeature(name="score"),
]
ROWS = 800


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    matrix = np.column_stack(
        [
            np.exp(random.normal(10, 2, ROWS)),
            random.integers(0, 2, ROWS),  # no client lives with parents
            np.full(ROWS, np.nan),
            random.random(ROWS),
        ]
    )
    matrix[random.random(matrix.shape) < 0.2] = np.nan
    return matrix, (random.random(ROWS) < 0.3 - 0.2 * np.nan_to_num(matrix[:, 3])).astype(np.int64)


@pytest.fixture(scope="module")
def served(sample) -> tuple[np.ndarray, LinearPredictor, Pipeline]:
    matrix, target = sample
    pipeline = linear_pipeline(COLUMNS).fit(matrix, target)
    extreme = matrix.copy()
    extreme[:5, 0] = [1e300, -1e300, 0, np.nan, 1]
    extreme[:3, 1] = [2, np.nan, 0]
    extreme[:2, 2] = [5, np.nan]
    assert not np.isnan(pipeline.decision_function(extreme)).any()
    return extreme, linear_predictor(pipeline, matrix, COLUMNS), pipeline


def test_the_terms_give_the_log_odds_of_the_pipeline_on_any_row(served):
    matrix, predictor, pipeline = served
    np.testing.assert_allclose(predictor.log_odds(matrix), pipeline.decision_function(matrix), atol=1e-9)


def test_contributions_add_up_and_are_nothing_on_average(sample, served):
    _, predictor, _ = served
    matrix, _ = sample
    contributions, base = predictor.contributions(matrix)
    np.testing.assert_allclose(base + contributions.sum(axis=1), predictor.log_odds(matrix), atol=1e-9)
    np.testing.assert_allclose(contributions.mean(axis=0), 0, atol=1e-9)


def test_the_saved_file_gives_the_same_log_odds(served, tmp_path: Path):
    matrix, predictor, _ = served
    predictor.save(tmp_path)
    np.testing.assert_array_equal(LinearPredictor.load(tmp_path).log_odds(matrix), predictor.log_odds(matrix))


def test_clip_keeps_missing_values_and_refuses_infinite_ones():
    clipped = Clip(0.25).fit_transform(np.array([[1.0], [2], [np.nan], [3], [4], [5]]))
    np.testing.assert_array_equal(clipped[:, 0], [2, 2, np.nan, 3, 4, 4])
    with pytest.raises(ValueError, match="infinity"):
        Clip().fit(np.array([[np.inf], [1]]))


@parametrize_with_checks([Clip()])
def test_clip_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)
