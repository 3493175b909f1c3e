import numpy as np
import pytest

from bento.features.catalogue import CATALOGUE
from research.training import boosting, cross_fitting, tuning
from research.training.feature_selection import choose
from research.training.tuning import SPACE, tune

ROWS = 1500
NAMES = [name for name, feature in CATALOGUE.items() if not feature.is_category][:6]
COLUMNS = cross_fitting.model_features(NAMES)


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    matrix = random.random((ROWS, len(NAMES)))
    return matrix, (random.random(ROWS) < 0.4 * matrix[:, 0] ** 2).astype(np.int64)


def _tuned(sample, **changed):
    return tune(
        *sample,
        COLUMNS,
        np.arange(ROWS),
        **({"trials": 3, "seed": 1, "choose": choose, "constraints": False} | changed),
    )


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


def test_only_so_many_rows_are_looked_at(sample, monkeypatch):
    monkeypatch.setattr(tuning, "MAX_TUNING_ROWS", 600)
    seen = []

    def watched(matrix, target, columns, seed):
        seen.append(len(matrix))
        return choose(matrix, target, columns, seed)

    _tuned(sample, choose=watched, trials=0)
    assert seen == [400, 400, 400]
