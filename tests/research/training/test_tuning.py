import lightgbm
import numpy as np
import pytest

from bento.features.catalogue import CATALOGUE
from research.training import boosting, tuning
from research.training.feature_selection import choose
from research.training.tuning import SPACE, Tuned, best_count, tune
from research.types import TrainingMatrix
from tests.research.made_up import declared_columns

ROWS = 1500
NAMES = [name for name, feature in CATALOGUE.items() if not feature.is_category][:6]


@pytest.fixture(scope="module")
def sample() -> TrainingMatrix:
    random = np.random.default_rng(1)
    matrix = random.random((ROWS, len(NAMES)))
    target = (random.random(ROWS) < 0.4 * matrix[:, 0] ** 2).astype(np.int64)
    columns = declared_columns(NAMES)
    return TrainingMatrix(matrix=matrix, target=target, columns=columns, person=np.arange(ROWS))


def _tuned(sample: TrainingMatrix, **changed) -> Tuned:
    return tune(sample, **({"trials": 3, "seed": 1, "choose": choose, "constraints": False} | changed))


def test_the_defaults_are_tried_first_and_kept_unless_clearly_beaten(sample):
    tuned = _tuned(sample)
    assert len(tuned.table) == 4
    first = {name: tuned.table[0][name] for name in SPACE}
    assert first == {name: boosting.PARAMETERS[name] for name in SPACE}
    best = min(row["log_loss"] for row in tuned.table)
    assert tuned.gain == pytest.approx(tuned.table[0]["log_loss"] - best)
    changed = {name: tuned.best[name] for name in SPACE} if tuned.gain > tuned.gain_error else first
    assert {name: tuned.parameters[name] for name in SPACE} == changed
    assert tuned.parameters["learning_rate"] == boosting.PARAMETERS["learning_rate"]


def test_poor_defaults_are_left(sample):
    poor = boosting.PARAMETERS | {"min_child_samples": 20, "num_leaves": 31, "lambda_l2": 1.0, "feature_fraction": 0.8}
    tuned = _tuned(sample, defaults=poor, trials=6)
    assert tuned.gain > 0
    assert tuned.best != {name: poor[name] for name in SPACE}


def test_the_same_seed_tries_the_same(sample):
    assert _tuned(sample).table == _tuned(sample).table


def test_the_number_of_rows_is_limited(sample):
    rows = []

    def recorded(data: TrainingMatrix, seed: int) -> list[str]:
        rows.append(len(data))
        return choose(data, seed)

    _tuned(sample, choose=recorded, trials=0, max_rows=600)
    assert rows == [400, 400, 400]


def test_no_prediction_changes_the_threads_of_another_fit(sample, monkeypatch: pytest.MonkeyPatch):
    predict, threads = lightgbm.Booster.predict, []

    def recorded(self, *arguments, **options):
        threads.append(options.get("num_threads"))
        return predict(self, *arguments, **options)

    monkeypatch.setattr(lightgbm.Booster, "predict", recorded)
    _tuned(sample, trials=1)
    boosting.fit(sample, folds=2, seed=1)
    assert threads
    assert set(threads) == {1}


def _many(signals: int, noise: int) -> TrainingMatrix:
    """Return clients with features of which only the first tell defaults."""
    random = np.random.default_rng(2)
    names = [name for name, feature in CATALOGUE.items() if not feature.is_category][: signals + noise]
    matrix = random.random((ROWS, len(names)))
    log_odds = -3 + 4 * matrix[:, :signals].sum(axis=1) / max(signals, 1) ** 0.5
    target = (random.random(ROWS) < 1 / (1 + np.exp(-log_odds + log_odds.mean()))).astype(np.int64)
    return TrainingMatrix(matrix=matrix, target=target, columns=declared_columns(names), person=np.arange(ROWS))


def test_all_features_are_used_where_all_of_them_tell_something():
    assert best_count(_many(signals=12, noise=0), 1, constraints=False, counts=(2, 50)) == 12


def test_fewer_features_are_used_where_that_saves_log_loss():
    assert best_count(_many(signals=2, noise=60), 1, constraints=False, counts=(2, 70)) == 2


def test_no_more_features_are_used_than_are_tried():
    assert best_count(_many(signals=12, noise=0), 1, constraints=False, counts=(2, 8)) == 8


def test_a_trial_may_shrink_as_much_as_the_model(sample, monkeypatch):
    monkeypatch.setattr(boosting, "MAX_SHRINKAGE", 0.3)
    most = []
    original = boosting._train

    def recorded(*arguments):
        booster, log = original(*arguments)
        most.append(booster.current_iteration())
        return booster, log

    monkeypatch.setattr(boosting, "_train", recorded)
    _tuned(sample, trials=0)
    assert most == [round(0.3 / tuning.LEARNING_RATE)] * tuning.TUNING_FOLDS
