import json
from pathlib import Path

import bentoml
import mlflow
import numpy as np
import pandas as pd
import pytest

from bento import NAME
from bento.model.manifest import EXAMPLES_FILE
from bento.model.scoring_model import ModelError, ScoringModel
from research import tracking
from research.cli import CommandError
from research.data.dataset import DATA
from research.deployment.import_model import RUN_LABEL, VERSION_LABEL, import_model, latest_model
from research.deployment.processes import free_port


def test_the_run_tells_data_metrics_and_curves(bento_tag: str, synthetic_folder: Path):
    client = tracking.connect()
    registered = tracking.champion(client)
    run = client.get_run(registered.run_id)
    assert run.data.tags["data"].startswith("synthetic:")
    assert run.data.params["data_clients"] == "1500"
    assert run.inputs.dataset_inputs[0].dataset.name == run.data.tags["data"]
    results = json.loads((DATA / "results" / registered.run_id / "results.json").read_text())
    assert {name: run.data.metrics[name] for name in results["metrics"]} == pytest.approx(results["metrics"])
    assert len(client.get_metric_history(registered.run_id, "inner_auc")) > 1
    assert {file.path for file in client.list_artifacts(registered.run_id)} >= {"roc.png", "cost_curve.png"}


def test_the_model_beats_the_trivial_policies_out_of_fold(bento_tag: str, model_folder: Path):
    metrics = ScoringModel(model_folder).manifest.metrics
    assert metrics["out_of_fold_cost_per_client"] < metrics["out_of_fold_cost_per_client_accept_all"]
    assert metrics["out_of_fold_cost_per_client"] < metrics["out_of_fold_cost_per_client_refuse_all"]
    assert metrics["out_of_fold_auc"] > 0.6


def test_mlflow_scores_ready_made_features_like_the_service(bento_tag: str, model_folder: Path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    tracking.connect()
    pyfunc = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
    examples = json.loads((model_folder / EXAMPLES_FILE).read_text())["examples"]
    features = pd.DataFrame([example["features"] for example in examples])
    scored = pyfunc.predict(features[features.columns[::-1]])["probability_of_default"]
    np.testing.assert_allclose(scored, [example["probability_of_default"] for example in examples], atol=1e-9)


def test_no_file_between_training_and_serving_is_a_pickle(bento_tag: str, model_folder: Path):
    root = model_folder.parents[1]
    assert [path for path in root.rglob("*") if path.suffix in {".pkl", ".pickle", ".joblib", ".skops"}] == []


def test_the_imported_model_names_run_and_version(bento_tag: str):
    registered = tracking.champion(tracking.connect())
    model = latest_model()
    assert model is not None
    assert model.info.labels == {VERSION_LABEL: str(registered.version), RUN_LABEL: registered.run_id}
    assert import_model(registered).tag == model.tag


def test_a_model_that_fails_its_examples_is_not_imported(bento_tag: str, monkeypatch):
    def refuse(self: ScoringModel) -> None:
        raise ModelError("example 0: differs")

    registered = tracking.champion(tracking.connect())
    before = {str(model.tag) for model in bentoml.models.list()}
    monkeypatch.setattr(ScoringModel, "verify", refuse)
    monkeypatch.setattr("research.deployment.import_model.latest_model", lambda: None)
    with pytest.raises(ModelError, match="example 0"):
        import_model(registered)
    assert {str(model.tag) for model in bentoml.models.list()} == before


def test_without_a_champion_the_remedy_is_named(registry: str):
    with pytest.raises(
        CommandError, match="no champion of credit_scoring is registered; make one with: make train promote"
    ):
        tracking.champion(tracking.connect())


def test_a_server_out_of_reach_is_named_at_once(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(CommandError, match=r"MLflow does not answer at http://127\.0\.0\.1"):
        tracking.connect()
