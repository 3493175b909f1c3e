import numpy as np
import polars as pl
import pytest

from bento.features.catalogue import CATALOGUE
from bento.model.scoring_model import encode
from research.cli import CommandError
from research.training import boosting, cross_fitting

NAMES = ["application_ext_source_2", "application_ext_source_3", "application_occupation"]
CLIENTS = 3000
EACH = np.arange(CLIENTS)


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    words = np.array(CATALOGUE["application_occupation"].categories)
    scores = random.random((2, CLIENTS))
    features = pl.DataFrame([*scores, words[random.integers(0, len(words), CLIENTS)]], schema=NAMES)
    target = (random.random(CLIENTS) < 0.6 * (1 - scores.mean(axis=0))).astype(np.int64)
    return encode(features, cross_fitting.model_features(NAMES)), target


def test_out_of_fold_scores_come_from_folds_that_did_not_see_the_row(sample, monkeypatch):
    matrix, target = sample
    trained_on: list[np.ndarray] = []
    original = boosting._dataset

    def recorded(rows, outcomes, columns):
        trained_on.append(rows)
        return original(rows, outcomes, columns)

    monkeypatch.setattr(boosting, "_dataset", recorded)
    monkeypatch.setattr(cross_fitting, "at_a_time", lambda rows: 1)
    fitted = boosting.fit(matrix, target, cross_fitting.model_features(NAMES), EACH, folds=4, seed=1)
    for fold in range(4):
        judged = {row.tobytes() for row in matrix[fitted.fold == fold]}
        train, stop = trained_on[2 * fold : 2 * fold + 2]
        assert judged.isdisjoint({row.tobytes() for row in train})
        assert judged.isdisjoint({row.tobytes() for row in stop})
    assert len(trained_on[-1]) == CLIENTS


def test_the_served_booster_has_the_median_number_of_rounds(sample):
    matrix, target = sample
    fitted = boosting.fit(matrix, target, cross_fitting.model_features(NAMES), EACH, folds=3, seed=1)
    assert fitted.predictor.booster.num_trees() == round(float(np.median(fitted.rounds)))


def test_the_same_seed_gives_the_same_model(sample):
    matrix, target = sample
    first, second = (
        boosting.fit(matrix, target, cross_fitting.model_features(NAMES), EACH, 3, seed=7) for _ in range(2)
    )
    np.testing.assert_array_equal(first.out_of_fold, second.out_of_fold)
    assert first.predictor.booster.model_to_string() == second.predictor.booster.model_to_string()


def test_too_few_defaults_for_the_folds_are_refused(sample):
    matrix, target = sample
    few = np.zeros_like(target)
    few[:5] = 1
    with pytest.raises(CommandError, match="hold 5 of the rarer outcome; 4 folds need 8"):
        boosting.fit(matrix, few, cross_fitting.model_features(NAMES), EACH, folds=4, seed=1)
