"""The ladder of models on a synthetic population, judged by the true probabilities."""

from pathlib import Path

import numpy as np
import pytest

from research.synthetic import ladder as module
from research.synthetic import write
from research.synthetic.default_rates import default_rates
from research.synthetic.fidelity_metrics import auc, expected_auc
from research.synthetic.ladder import Population, ladder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ladder") / "data"
    write(folder, 900, seed=3)
    return folder


def test_the_expected_auc_is_the_mean_over_outcomes():
    rng = np.random.default_rng(1)
    probability = rng.beta(1, 9, 4000)
    score = probability + 0.05 * rng.standard_normal(4000)

    drawn = [auc(score, (rng.random(4000) < probability).astype(np.int64)) for _ in range(60)]

    assert expected_auc(score, probability) == pytest.approx(np.mean(drawn), abs=0.005)


def test_clients_that_are_trained_on_judge_no_model(folder):
    population = Population.read(folder)
    score = population.probability.copy()

    score[population.trained] = 0.0

    assert population.auc(score) == population.auc(population.probability)
    assert 0.6 < population.trained.mean() < 0.8


def test_the_ladder_compares_models_tables_and_the_oracle(folder, monkeypatch):
    monkeypatch.setattr(module, "_ROUNDS", 5)

    findings = {(item.column, item.measure): item for item in ladder(folder)}

    for column, real in default_rates().ladder.items():
        assert findings[column, "AUC"].fact == real
        assert 0.5 < findings[column, "AUC"].found < 0.85
    gap = findings["LightGBM, all tables", "AUC"].found - findings["logistic, all tables", "AUC"].found
    assert findings["LightGBM - logistic, all tables", "gap"].found == pytest.approx(gap)
    assert 0 < findings["LightGBM, all tables", "share of oracle"].found < 1
    values = {column for column, measure in findings if measure == "value"}
    assert values == {"bureau", "previous", "installments", "pos", "card"}
