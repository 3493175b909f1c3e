from concurrent.futures import ThreadPoolExecutor

import lightgbm
import numpy as np
import polars as pl
import pytest

from bento.features.catalogue import CATALOGUE
from bento.model.scoring_model import encode
from research.cli import CommandError
from research.data.splits import fold_rows
from research.training import boosting, cross_fitting
from research.types import FoldSplit, TrainingMatrix
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


FAST = boosting.PARAMETERS | {"learning_rate": 0.05, "feature_fraction": 1.0}


def test_the_outcomes_of_a_fold_have_no_part_in_its_scores(sample: TrainingMatrix):
    splits = fold_rows(sample.target, sample.person, 4, 1)
    fitted = boosting.fit(sample, folds=4, seed=1, parameters=FAST)

    for number, (train, validation) in enumerate(splits):
        params = boosting.booster_params(sample, FAST, constraints=False) | {"seed": 1 + number}
        rows = boosting.booster_dataset(sample.rows(train))
        booster = lightgbm.train(params, rows, fitted.rounds[number])
        expected = booster.predict(sample.matrix[validation], raw_score=True)
        np.testing.assert_allclose(fitted.out_of_fold.log_odds[validation], expected, atol=1e-9)


def test_a_fold_has_the_number_of_trees_that_suits_the_others(sample: TrainingMatrix, monkeypatch):
    losses = [[0.5, 0.4, 0.3, 0.1, 0.4], [0.5, 0.4, 0.3, 0.4, 0.5], [0.5, 0.1, 0.4, 0.5]]
    original, logs = boosting._train, iter(losses)

    def with_losses(data: TrainingMatrix, split: FoldSplit, seed: int, parameters: dict, max_rounds: int | None = None):
        booster, log = original(data, split, seed, parameters, 2)
        return booster, {"auc": log["auc"], boosting.LOSS: next(logs)}

    monkeypatch.setattr(boosting, "_train", with_losses)
    monkeypatch.setattr(cross_fitting, "n_parallel_fits", lambda rows: 1)
    fitted = boosting.fit(sample, folds=3, seed=1)

    assert fitted.rounds == [2, 2, 4]
    assert lightgbm.Booster(model_str=fitted.predictor.text).num_trees() == 2


def test_trees_that_are_trained_further_leave_no_warnings(capfd: pytest.CaptureFixture[str]):
    random = np.random.default_rng(0)
    matrix, target = random.normal(size=(200, 3)), (random.random(200) < 0.08).astype(int)  # too few for a split
    params = boosting.PARAMETERS | {"num_threads": 1, "seed": 1}

    def short() -> lightgbm.Booster:
        rows = lightgbm.Dataset(matrix, target, params={"verbosity": -1})
        return lightgbm.train(params, rows, 2, keep_training_booster=True)

    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as another:
        booster = one.submit(short).result()
        another.submit(boosting._log_odds_at, booster, matrix, 5).result()

    assert booster.current_iteration() == 5
    assert "Warning" not in capfd.readouterr().out


def test_a_fold_that_ends_at_the_most_trees_is_counted_and_reported(sample: TrainingMatrix, monkeypatch, caplog):
    assert boosting.fit(sample, folds=3, seed=1, parameters=FAST).capped == 0
    assert not caplog.messages
    monkeypatch.setattr(boosting, "MAX_SHRINKAGE", 0.25)
    fitted = boosting.fit(sample, folds=3, seed=1, parameters=FAST)
    assert (fitted.capped, fitted.rounds) == (3, [5, 5, 5])
    assert "3 of 3 folds ended at the most trees that are allowed, 5" in caplog.messages[-1]


def test_the_same_seed_gives_the_same_model(sample: TrainingMatrix):
    first, second = (boosting.fit(sample, 3, seed=7, parameters=FAST) for _ in range(2))
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
