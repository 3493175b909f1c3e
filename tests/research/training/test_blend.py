import numpy as np
import pytest
from sklearn.metrics import log_loss

from research.training import boosting
from research.training.blend import blend_weights, fit_blend
from research.training.cross_fitting import Fitted
from research.training.linear import fit_linear
from research.training.quoted import DIRECTIONS, direction
from research.types import TrainingMatrix
from tests.research.made_up import declared_columns

NAMES = ["application_ext_source_2", "application_ext_source_3", "application_credit", "application_occupation"]
CLIENTS = 3000
FAST = boosting.PARAMETERS | {"learning_rate": 0.1, "feature_fraction": 1.0, "num_leaves": 7}


@pytest.fixture(scope="module")
def sample() -> TrainingMatrix:
    random = np.random.default_rng(1)
    matrix = np.column_stack([*random.random((3, CLIENTS)), random.integers(0, 3, CLIENTS)])
    matrix[random.random(CLIENTS) < 0.2, 0] = np.nan
    score = np.nan_to_num(matrix[:, 0], nan=0.5)
    log_odds = -1 - 2 * score - 2 * matrix[:, 1] + 3 * (score > 0.5) * (matrix[:, 2] > 0.5)
    target = (random.random(CLIENTS) < 1 / (1 + np.exp(-log_odds))).astype(np.int64)
    return TrainingMatrix(matrix=matrix, target=target, columns=declared_columns(NAMES), person=np.arange(CLIENTS))


def _choose(data: TrainingMatrix, seed: int) -> list[str]:
    return NAMES


@pytest.fixture(scope="module")
def fitted(sample: TrainingMatrix) -> Fitted:
    return fit_blend(sample, 3, 1, _choose, constraints=True, parameters=FAST)


def test_the_scores_of_a_fold_are_blended_with_weights_of_the_other_folds(sample: TrainingMatrix, fitted: Fitted):
    trees = boosting.fit(sample, 3, 1, _choose, constraints=True, parameters=FAST).out_of_fold
    lines = fit_linear(sample, 3, 1, _choose).out_of_fold
    log_odds = np.column_stack([trees.log_odds, lines.log_odds])
    for _, validation in fitted.out_of_fold.by_fold():
        weights = blend_weights(log_odds[~validation], sample.target[~validation])
        np.testing.assert_allclose(fitted.out_of_fold.log_odds[validation], log_odds[validation] @ weights, atol=1e-6)
    assert list(fitted.predictor.weights.values()) == pytest.approx(blend_weights(log_odds, sample.target), abs=1e-4)


def test_a_blend_is_no_worse_than_either_part(sample: TrainingMatrix, fitted: Fitted):
    trees = boosting.fit(sample, 3, 1, _choose, constraints=True, parameters=FAST).out_of_fold
    lines = fit_linear(sample, 3, 1, _choose).out_of_fold
    blended = log_loss(sample.target, fitted.out_of_fold.probability)
    assert blended < min(log_loss(sample.target, part.probability) for part in (trees, lines)) + 0.001


def test_contributions_to_the_served_blend_add_up(sample: TrainingMatrix, fitted: Fitted):
    contributions, base = fitted.predictor.contributions(sample.matrix)
    total = base + contributions.sum(axis=1)
    np.testing.assert_allclose(total, fitted.predictor.log_odds(sample.matrix), rtol=0, atol=1e-9)


@pytest.mark.parametrize("position", range(2))
def test_the_risk_of_a_blend_never_rises_with_an_outside_score(sample: TrainingMatrix, fitted: Fitted, position: int):
    assert direction(NAMES[position], DIRECTIONS) == -1
    rows = np.repeat(sample.matrix[:200], 21, axis=0)
    rows[:, position] = np.tile(np.linspace(0, 1, 21), 200)
    curves = fitted.predictor.log_odds(rows).reshape(200, 21)
    assert np.diff(curves, axis=1).max() <= 1e-12
    assert (curves[:, 0] - curves[:, -1]).min() > 0


def test_features_are_ranked_once_for_both_families(sample: TrainingMatrix):
    ranked = []

    def choose(data: TrainingMatrix, seed: int) -> list[str]:
        ranked.append((len(data), seed))
        return NAMES[:2] if len(data) == CLIENTS else NAMES

    chosen = fit_blend(sample, 3, 1, choose, parameters=FAST)

    assert len(ranked) == 4
    assert chosen.predictor.feature_names == [column.name for column in chosen.features] == NAMES[:2]


def test_models_that_tell_nothing_have_the_same_weight():
    target = np.array([0, 1] * 50)
    wrong = 1.0 - 2 * target
    assert blend_weights(np.column_stack([wrong, 2 * wrong]), target).tolist() == [0.5, 0.5]
