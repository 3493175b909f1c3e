"""Training of either family, in a registry of its own."""

import json

import numpy as np
import pytest
from mlflow.exceptions import MlflowException

from bento import NAME
from bento.model.predictors import LinearPredictor
from bento.model.scoring_model import ScoringModel
from research import tracking
from research.cli import CommandError
from research.data.dataset import DATA, Data
from research.evaluation.metrics import measures
from research.registry.promote import contract
from research.training import train
from research.training.train import OUT_OF_FOLD_FILE, Settings


def test_a_linear_model_is_trained_registered_and_can_be_served(client, data: Data):
    registered = train.train(data, Settings(family="linear", folds=2))
    assert tracking.registered(client, tracking.CHALLENGER).version == registered.version
    results = DATA / "results" / registered.run_id
    model = ScoringModel(results / "model")
    assert model.manifest.family == "linear"
    assert (results / "model" / LinearPredictor.FILE).is_file()
    assert contract(model.folder).passed
    rows = data.rows("test").features
    contributions, base = model.contributions(rows)
    np.testing.assert_allclose(base + contributions.sum(axis=1), model.log_odds(rows), atol=1e-9)
    report = json.loads((results / "results.json").read_text())
    assert report["family"] == "linear"
    assert report["tuning"] is None
    assert report["oracle"]["test_auc"] > report["metrics"]["test_auc"] - 0.2
    assert (results / OUT_OF_FOLD_FILE).is_file()


def test_an_interrupted_training_is_marked_so(client, data: Data, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "_fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train.train(data, Settings(trials=0))
    experiment = client.get_experiment_by_name(tracking.EXPERIMENT).experiment_id
    assert [run.info.status for run in client.search_runs([experiment])] == ["KILLED"]
    assert client.search_model_versions(f"name = '{NAME}'") == []


def test_where_mlflow_fails_halfway_one_line_says_so(client, data: Data, monkeypatch):
    def gone(*_: object) -> None:
        raise MlflowException("connection refused\nand more")

    monkeypatch.setattr(train, "_fit", gone)
    with pytest.raises(CommandError, match=r"MLflow failed halfway \(connection refused\); finished runs are kept"):
        train.train(data, Settings(trials=0))


def test_too_many_folds_for_the_defaults_are_refused(client, data: Data):
    with pytest.raises(CommandError, match="400 folds need 800: give more clients or fewer --folds"):
        train.train(data, Settings(folds=400, trials=0))


def test_rows_of_one_class_have_every_figure_but_the_auc():
    found = measures("test", np.zeros(5, np.int64), np.full(5, 0.1), np.ones(5, bool), train.DEFAULTS.costs)
    assert "test_auc" not in found
    assert found["test_cost_per_client"] == 1
