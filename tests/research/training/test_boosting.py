import lightgbm
import numpy as np
import polars as pl
import pytest

from bento.features.catalogue import CATALOGUE
from bento.model.scoring_model import encode
from research.cli import CommandError
from research.training import boosting, cross_fitting
from research.types import TrainingMatrix
from tests.research.made_up import declared_columns

NAMES = ["application_ext_source_2", "application_ext_source_3", "application_occupation"]
CLIENTS = 3000


@pytest.fixture(scope="module")
def sample() -> TrainingMatrix:
    random = np.random.default_rng(1)
    words = np.array(CATALOGUE["application_occupation"].categories)
    scores = random.random((2, CLIENTS))
    features = pl.DataFrame([*scores, words[random.integers(0, len(words), CLIENTS)]], schema=NAMES)
    target = (random.random(CLIENTS) < 0.6 * (1 - scores.mean(axis=0))).astype(np.int64)
    columns = declared_columns(NAMES)
    matrix = encode(features, columns)
    return TrainingMatrix(matrix=matrix, target=target, columns=columns, person=np.arange(CLIENTS))


def _clients(matrix: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in matrix}


def test_a_fold_is_scored_by_a_booster_that_never_saw_its_rows(sample: TrainingMatrix, monkeypatch):
    trained_on: list[np.ndarray] = []
    original = boosting.booster_dataset

    def recorded(data: TrainingMatrix):
        trained_on.append(data.matrix)
        return original(data)

    monkeypatch.setattr(boosting, "booster_dataset", recorded)
    monkeypatch.setattr(cross_fitting, "n_parallel_fits", lambda rows: 1)

    fitted = boosting.fit(sample, folds=4, seed=1)

    for fold, validation in fitted.out_of_fold.by_fold():
        train, stop = trained_on[2 * fold : 2 * fold + 2]
        assert _clients(sample.matrix[validation]).isdisjoint(_clients(train) | _clients(stop))
        assert len(train) + len(stop) + validation.sum() == CLIENTS
    assert len(trained_on[-1]) == CLIENTS


def test_the_served_booster_has_the_median_number_of_rounds(sample: TrainingMatrix):
    fitted = boosting.fit(sample, folds=3, seed=1)
    assert lightgbm.Booster(model_str=fitted.predictor.text).num_trees() == round(float(np.median(fitted.rounds)))


def test_the_same_seed_gives_the_same_model(sample: TrainingMatrix):
    first, second = (boosting.fit(sample, 3, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.out_of_fold.log_odds, second.out_of_fold.log_odds)
    assert first.predictor.text == second.predictor.text


def test_too_few_defaults_for_the_folds_are_refused(sample: TrainingMatrix):
    target = np.zeros(CLIENTS, np.int64)
    target[:5] = 1
    few = TrainingMatrix(matrix=sample.matrix, target=target, columns=sample.columns, person=sample.person)
    with pytest.raises(CommandError, match="hold 5 of the rarer outcome; 4 folds need 8"):
        boosting.fit(few, folds=4, seed=1)


def test_a_column_outside_the_catalogue_has_no_constraint():
    columns = declared_columns(NAMES[:2])
    other = columns[0].model_copy(update={"name": "CODE_GENDER"})
    constraints = boosting.monotone_constraint_params([*columns, other])
    assert constraints["monotone_constraints"] == [-1, -1, 0]
    assert boosting.monotone_constraint_params([other]) == {}
