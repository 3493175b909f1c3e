"""The test split is opened by `publish` alone, once for each run; the openings are recorded and counted."""

import ast
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pytest
from mlflow.exceptions import MlflowException

from bento.model.scoring_model import ScoringModel
from research import tracking
from research.cli import ROOT, CommandError
from research.data import splits
from research.data.dataset import Data
from research.evaluation import test_split
from research.evaluation.business_score import cost_per_client
from research.evaluation.metrics import auc
from research.evaluation.test_split import OPENED_TAG, SPLIT_TAG, results_with_test_split
from research.registry import trained_run
from research.reporting import publish
from research.reporting.card_parts import opening
from research.reporting.publish import PUBLISHED
from research.results import RESULTS_FILE, TEST_FILE, TrainingResults, read

NewRun = Callable[[], str]


@pytest.fixture
def new_run(
    client: mlflow.MlflowClient, data: Data, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> NewRun:
    """Makes a run with the small model, whose results are as a training leaves them."""
    for module in (test_split, trained_run, publish):
        monkeypatch.setattr(module, "DATA", tmp_path)
    experiment = client.create_experiment(tracking.EXPERIMENT)

    def one() -> str:
        run_id = str(client.create_run(experiment, tags=tracking.made_from(data.source)).info.run_id)
        folder = tmp_path / "results" / run_id
        shutil.copytree(model_folder, folder / "model")
        content = json.loads((PUBLISHED / RESULTS_FILE).read_text()) | data.source.model_dump() | {"run": run_id}
        content.pop("test_split", None)
        for part in ("intervals", "business"):
            content[part].pop("test")
        for part in ("metrics", "oracle"):
            content[part] = {name: value for name, value in content[part].items() if not name.startswith("test_")}
        for row in content["review"]["table"]:
            row.pop("test")
        (folder / RESULTS_FILE).write_text(json.dumps(content))
        return run_id

    return one


def _closed(*_: object) -> None:
    raise AssertionError("the test split was opened")


def test_publishing_adds_the_figures_of_the_test_split(new_run: NewRun, data: Data, tmp_path: Path):
    run_id = new_run()

    published = publish.publish(run_id, tmp_path / "published", data.folder)

    results, rows = read(TrainingResults, published / RESULTS_FILE), data.test_rows()
    model = ScoringModel(tmp_path / "results" / run_id / "model")
    probability = np.asarray(model.probability(rows.features))
    refused = probability >= model.threshold
    cost = cost_per_client(rows.target, refused)
    assert results.metric("test", "clients") == len(rows.target)
    assert results.metric("test", "auc") == auc(rows.target, probability)
    assert results.business["test"]["model"].cost_per_client.value == pytest.approx(cost)
    assert results.intervals["test"]["auc"].value == auc(rows.target, probability)
    assert results.oracle["test_auc"] > 0.5
    assert all(row.test.cost_per_client.value == pytest.approx(cost) for row in results.review.table)
    assert results.test_split.models == 1
    assert not read(TrainingResults, tmp_path / "results" / run_id / RESULTS_FILE).business.keys() - {"out_of_fold"}


def test_an_opening_is_recorded_in_the_run(new_run: NewRun, data: Data, client):
    run_id = new_run()

    results = results_with_test_split(run_id, data.folder)

    tags = client.get_run(run_id).data.tags
    assert tags[OPENED_TAG] == results.test_split.opened_at
    assert tags[SPLIT_TAG] == f"{splits.VERSION}:{data.source.fingerprint}"


def test_publishing_a_run_again_does_not_open_the_split_again(new_run: NewRun, data: Data, monkeypatch):
    run_id = new_run()
    first = results_with_test_split(run_id, data.folder)
    monkeypatch.setattr(Data, "test_rows", _closed)

    assert results_with_test_split(run_id, None) == first


def test_each_run_of_the_same_data_is_counted_even_if_it_was_deleted(new_run: NewRun, data: Data, client):
    first, second, third = new_run(), new_run(), new_run()
    results_with_test_split(first, data.folder)
    results_with_test_split(second, data.folder)
    client.delete_run(second)

    results = results_with_test_split(third, data.folder)

    assert results.test_split.models == 3
    assert results_with_test_split(first, data.folder).test_split.models == 3


def test_runs_of_other_data_are_not_counted(new_run: NewRun, data: Data, client):
    other, run_id = new_run(), new_run()
    client.set_tag(other, SPLIT_TAG, f"{splits.VERSION}:{'f' * 64}")
    client.set_tag(other, OPENED_TAG, "2026-01-01T00:00:00+00:00")

    assert results_with_test_split(run_id, data.folder).test_split.models == 1


def test_the_split_stays_closed_where_no_opening_can_be_recorded(new_run: NewRun, data: Data, tmp_path, monkeypatch):
    (tmp_path / "results" / new_run()).rename(tmp_path / "results" / "unknown")
    monkeypatch.setattr(Data, "test_rows", _closed)

    with pytest.raises(MlflowException, match="unknown"):
        results_with_test_split("unknown", data.folder)

    assert not (tmp_path / "results" / "unknown" / TEST_FILE).exists()


def test_data_of_another_run_is_refused_before_anything_is_recorded(new_run: NewRun, data: Data, client, tmp_path):
    run_id = new_run()
    manifest = tmp_path / "results" / run_id / "model" / "scoring.json"
    content = json.loads(manifest.read_text())
    content["training_data"]["fingerprint"] = "f" * 64
    manifest.write_text(json.dumps(content))

    with pytest.raises(CommandError, match="not the data that"):
        results_with_test_split(run_id, data.folder)

    assert OPENED_TAG not in client.get_run(run_id).data.tags


def test_a_run_of_other_splits_may_have_seen_the_test_clients_and_is_refused(new_run: NewRun, data: Data, client):
    run_id = new_run()
    client.set_tag(run_id, tracking.SPLITS_TAG, "splits/1")

    with pytest.raises(CommandError, match=r"other splits \(splits/1\) .* may have seen clients of the test split"):
        results_with_test_split(run_id, data.folder)

    assert OPENED_TAG not in client.get_run(run_id).data.tags


def test_one_module_alone_reads_the_outcomes_of_the_test_split():
    callers = {
        str(path.relative_to(ROOT))
        for room in ("research", "drift")
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "test_rows"
    }

    assert callers == {"research/evaluation/test_split.py"}


@pytest.mark.parametrize(
    ("models", "words"), [(1, "opened once for this data"), (3, "opened 3 times for this data, for as many models")]
)
def test_the_card_states_how_often_the_split_was_opened(models: int, words: str):
    content = json.loads((PUBLISHED / RESULTS_FILE).read_text())
    content["test_split"] = {"opened_at": "2026-02-03T04:05:06+00:00", "models": models}

    text = opening(TrainingResults.model_validate(content))

    assert words in text
    assert "2026-02-03" in text
