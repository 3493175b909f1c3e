import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from mlflow.exceptions import MlflowException

from bento.features.catalogue import catalogue_hash
from research import tracking
from research.cli import FAULT, CommandError
from research.comparison import candidates, compare
from research.comparison import report as compare_report
from research.comparison.candidates import NONE, SMOTED
from research.comparison.experiment import BASELINES, Candidate, Settings
from research.data.dataset import DATA, Data
from research.evaluation.business_score import choose_threshold, cost_per_client, costs_of
from research.training import cross_fitting
from research.types import OutOfFold
from tests.research.commands import run_command
from tests.research.made_up import is_drawn

pytestmark = pytest.mark.end_to_end

FAMILIES = ("logistic", "lightgbm")
MODELS = ("logistic", "logistic, smote", "lightgbm", "lightgbm, smote")


@pytest.fixture(scope="module")
def _few_features() -> Iterator[None]:
    """Enough of them to tell risk, so few that choosing and fitting take no time."""
    names = [name for name in cross_fitting.catalogue_names(with_age=False) if name.startswith("application_")][:40]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cross_fitting, "catalogue_names", lambda with_age: names)
        yield


@pytest.fixture(scope="module")
def _separate_registry(empty_registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Without a champion, which is compared too: other tests of the process may have promoted one."""
    file = tmp_path_factory.mktemp("registry") / "mlflow.db"
    shutil.copy(empty_registry, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")
        yield


@pytest.fixture(scope="module")
def content(data: Data, _few_features: None, _separate_registry: None) -> dict[str, Any]:
    """A comparison of two families under two arms."""
    return _compared(data)


@pytest.fixture(autouse=True)
def _blank_figures(content: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw only the figures of `content`: they take most of the time."""
    monkeypatch.setattr(compare, "plot_curves", lambda *_: Figure())
    monkeypatch.setattr(compare, "plot_comparison", lambda _: Figure())


def _compared(data: Data, **changed: Any) -> dict[str, Any]:
    few = {"families": FAMILIES, "arms": (SMOTED,), "folds": 2, "grid": False}
    return compare.compare(data, Settings(**(few | changed)))


def _runs(parent: str) -> dict[str, Any]:
    experiment = mlflow.get_experiment_by_name(tracking.EXPERIMENT).experiment_id
    runs = tracking.connect().search_runs([experiment], f"tags.{compare.PARENT_TAG} = '{parent}'")
    return {run.info.run_name: run for run in runs}


def _last_parent() -> Any:
    experiment = mlflow.get_experiment_by_name(tracking.EXPERIMENT).experiment_id
    query = "attributes.run_name = 'comparison'"
    return tracking.connect().search_runs([experiment], query, order_by=["attributes.start_time DESC"])[0]


def _scores(run_id: str) -> pl.DataFrame:
    return pl.read_parquet(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=compare.SCORES_FILE))


def test_every_candidate_has_a_row_cheapest_first(content):
    rows = content["rows"]
    assert {row["candidate"] for row in rows} == {*BASELINES, *MODELS}
    costs = [row["cost_per_client"]["value"] for row in rows]
    assert costs == sorted(costs)
    assert rows[0]["candidate"] == content["best"] in MODELS
    assert rows[0]["cost_above_best"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    for row in rows:
        assert row["cost_per_client"]["low"] <= row["cost_per_client"]["value"] <= row["cost_per_client"]["high"]
        assert row["served"] == (row["family"] in FAMILIES)
        if row["candidate"] in MODELS:
            assert row["auc"] > 0.55
            assert row["gini"] == 2 * row["auc"] - 1
            assert 0 < row["ks"] < row["auc"]
            assert 0.2 < row["predicted_over_observed"] < 2
            assert row["fit_seconds"] > 0
            assert row["peak_memory_mib"] > 50
            assert len(row["by_fold"]) == 2
    by_name = {row["candidate"]: row for row in rows}
    assert by_name["accept_all"]["refused_share"] == 0
    assert by_name["refuse_all"]["refused_share"] == 1
    assert by_name["prior"]["log_loss"] > by_name["lightgbm"]["log_loss"]


def test_the_result_is_written_logged_and_read(content, data):
    folder = DATA / "results" / content["run"]
    assert json.loads((folder / "comparison.json").read_text()) == content == compare.read(content["run"])
    assert is_drawn(folder / "comparison.png")
    assert content["fingerprint"] == data.source.fingerprint
    logged = {file.path for file in tracking.connect().list_artifacts(content["run"])}
    assert logged == {"comparison.json", "comparison.png"}
    frame = compare.table(content)
    assert frame["candidate"].to_list() == [row["candidate"] for row in content["rows"]]
    assert frame["cost_per_client_low"].null_count() == 0
    with pytest.raises(CommandError, match="name the run id of a finished comparison"):
        compare.read("unknown")


def test_every_candidate_is_a_nested_run(content, data):
    runs = _runs(content["run"])
    assert set(runs) == {*BASELINES, *MODELS}
    lightgbm = runs["lightgbm, smote"]
    assert lightgbm.info.status == "FINISHED"
    expected = {"family": "lightgbm", "arm": "smote", "data": data.source.tag, "catalogue": catalogue_hash()}
    assert expected.items() <= lightgbm.data.tags.items()
    assert {"family": "lightgbm", "folds": "2", "false_negative": "10"}.items() <= lightgbm.data.params.items()
    row = next(row for row in content["rows"] if row["candidate"] == "lightgbm, smote")
    for name in ("auc", "log_loss", "calibration_slope", "fit_seconds", "score_ms_per_1000", "peak_memory_mib"):
        assert lightgbm.data.metrics[name] == pytest.approx(row[name])
    assert lightgbm.data.metrics["cost_per_client_low"] == pytest.approx(row["cost_per_client"]["low"])
    history = tracking.connect().get_metric_history(lightgbm.info.run_id, "fold_auc")
    assert {point.step: point.value for point in history} == {
        number: pytest.approx(of_fold["auc"]) for number, of_fold in enumerate(row["by_fold"])
    }
    assert lightgbm.inputs.dataset_inputs[0].dataset.name == data.source.tag
    files = {file.path for file in tracking.connect().list_artifacts(lightgbm.info.run_id)}
    assert files == {"candidate.json", "curves.png", "scores.parquet"}


def test_development_rows_are_decided_by_thresholds_of_other_folds(content, data):
    row = next(row for row in content["rows"] if row["candidate"] == "lightgbm")
    features = data.features()
    scores = _scores(row["run"]).join(features.select("SK_ID_CURR", "TARGET"), on="SK_ID_CURR", maintain_order="left")
    assert scores["SK_ID_CURR"].to_list() == data.rows("development").features["SK_ID_CURR"].to_list()
    assert len(scores) == content["development_clients"]
    target, fold, probability = (scores[name].to_numpy() for name in ("TARGET", "fold", "probability"))
    for number, of_fold in enumerate(row["by_fold"]):
        validation = fold == number
        others = OutOfFold.from_probability(*(values[~validation] for values in (target, probability, fold)))
        threshold = choose_threshold(others).threshold
        assert row["thresholds"][number] == pytest.approx(threshold, rel=1e-12)
        cost = cost_per_client(target[validation], probability[validation] >= threshold)
        assert of_fold["cost"] == pytest.approx(cost)


def test_candidates_share_folds_and_a_person_is_in_one(content, data):
    folds = [
        _scores(row["run"]).select("SK_ID_CURR", "fold") for row in content["rows"] if row["candidate"] != "accept_all"
    ]
    assert all(other.equals(folds[0]) for other in folds)
    persons = folds[0].join(data.audit().select("SK_ID_CURR", "person"), on="SK_ID_CURR")
    assert persons.group_by("person").agg(pl.col("fold").n_unique())["fold"].max() == 1


def test_a_finished_candidate_is_not_run_again_unless_asked_to(content, data, monkeypatch):
    scored: list[Any] = []
    original = candidates.score_folds

    def counted(*arguments):
        scored.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(candidates, "score_folds", counted)
    second = _compared(data)
    assert scored == []
    assert all(row["reused"] for row in second["rows"])
    assert second["run"] != content["run"]
    assert [row | {"reused": False} for row in second["rows"]] == content["rows"]
    assert set(_runs(content["run"])) == {*BASELINES, *MODELS}, "a finished comparison keeps its runs"
    third = _compared(data, families=("logistic",), again=True)
    assert len(scored) == 3
    assert not any(row["reused"] for row in third["rows"])
    before, after = (
        {row["candidate"]: row["log_loss"] for row in result["rows"] if "auc" in row} for result in (content, third)
    )
    assert after == pytest.approx({name: before[name] for name in after}, rel=1e-9)


def test_the_next_comparison_continues_an_interrupted_one(data, monkeypatch):
    scored: list[Any] = []
    original = candidates.score_folds

    def interrupted(model, *arguments):
        scored.append(model)
        if len(scored) == 3:
            raise KeyboardInterrupt
        return original(model, *arguments)

    monkeypatch.setattr(candidates, "score_folds", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _compared(data, families=("logistic",), seed=3)
    assert mlflow.active_run() is None
    parent = _last_parent()
    assert parent.info.status == "KILLED"
    status = {name: run.info.status for name, run in _runs(parent.info.run_id).items()}
    assert status == dict.fromkeys([*BASELINES, "logistic"], "FINISHED") | {"logistic, smote": "KILLED"}
    after = _compared(data, families=("logistic",), seed=3)
    assert len(scored) == 4
    assert {row["candidate"] for row in after["rows"] if not row["reused"]} == {"logistic, smote"}
    assert set(_runs(after["run"])) == {*BASELINES, "logistic", "logistic, smote"}
    assert set(_runs(parent.info.run_id)) == {"logistic, smote"}


def test_if_mlflow_fails_halfway_the_message_names_finished_runs(data, monkeypatch):
    original = mlflow.log_artifacts
    logged: list[str] = []

    def failing(folder):
        logged.append(folder)
        if len(logged) > 3:
            raise MlflowException("server gone\nand more")
        original(folder)

    monkeypatch.setattr(mlflow, "log_artifacts", failing)
    with pytest.raises(CommandError, match=r"server gone\).* kept.*\(finished: accept_all, refuse_all, prior\)$"):
        _compared(data, families=("logistic",), seed=4)
    parent = _last_parent()
    assert parent.info.status == "FAILED"
    status = {name: run.info.status for name, run in _runs(parent.info.run_id).items()}
    assert status == dict.fromkeys(BASELINES, "FINISHED") | {"logistic": "FAILED"}


def test_the_grid_of_a_family_is_searched_once_for_all_arms(data, monkeypatch):
    searched: list[Any] = []
    original = candidates.search

    def counted(*arguments):
        searched.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(candidates, "search", counted)
    content = _compared(data, families=("logistic",), grid=True)
    assert len(searched) == 1
    settings = [row["setting"] for row in content["rows"] if row["family"] == "logistic"]
    assert settings[0] == settings[1]
    row = next(row for row in content["rows"] if row["candidate"] == "logistic")
    stored = mlflow.artifacts.load_dict(f"runs:/{row['run']}/candidate.json")
    assert [tried["C"] for tried in stored["grid"]] == candidates.FAMILIES["logistic"].grid["C"]
    assert min(stored["grid"], key=lambda tried: tried["log_loss"])["C"] == row["setting"]["C"]


@pytest.mark.parametrize(("missed", "beaten"), [(10, True), (1, False)])
def test_the_verdict_shows_if_a_family_that_cannot_be_served_wins(missed, beaten):
    target = np.ones(400, dtype=np.int64)
    served, other = np.arange(400) >= missed + 100, np.arange(400) >= 100
    cost = {Candidate("lightgbm"): costs_of(target, served), Candidate("xgboost", SMOTED): costs_of(target, other)}
    verdict = compare_report.verdict(cost | {Candidate("accept_all"): costs_of(target, target == 0)})
    assert (verdict["challenger"], verdict["best_served"]) == ("xgboost, smote", "lightgbm")
    assert verdict["saved_per_client"]["value"] == pytest.approx(missed * 10 / 400)
    assert verdict["served_is_beaten"] == beaten
    assert ("MORE THAN CHANCE" in verdict["said"]) == beaten
    assert compare_report.verdict({Candidate("lightgbm"): costs_of(target, served)}) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--families", "lightgbm,catboost"], "unknown family 'catboost'; known: logistic, random_forest, xgboost"),
        (["--arms", "adasyn"], "unknown arm 'adasyn'; known: none, class_weights, under_sampling, smote"),
        (["--metric", "accuracy"], "unknown metric 'accuracy'; known: auc, gini, ks, pr_auc, log_loss, brier, cost"),
        (["--folds", "1"], "--folds must be at least 2"),
        (["--folds", "5000"], "give more clients or fewer --folds"),
        (["--cost-false-negative", "0"], "false_negative is 0.0: input should be greater than 0"),
        (["--data", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_bad_input_is_one_clear_line(arguments, message, synthetic_folder: Path, capsys):
    assert run_command(compare, "--data", str(synthetic_folder), *arguments) == FAULT
    error = capsys.readouterr().err
    assert message in error.splitlines()[-1]
    assert "Traceback" not in error


def _with(features: pl.DataFrame, monkeypatch) -> None:
    monkeypatch.setattr(Data, "features", lambda self, names=None: features)


def test_one_class_only_is_refused(data, monkeypatch):
    _with(data.features().with_columns(TARGET=pl.lit(0, dtype=pl.Int64)), monkeypatch)
    with pytest.raises(CommandError, match="hold 0 of the rarer outcome"):
        _compared(data)


def test_infinite_features_are_refused(data, monkeypatch):
    name = "application_ext_source_2"
    _with(data.features().with_columns(pl.lit(np.inf).alias(name)), monkeypatch)
    with pytest.raises(CommandError, match=f"feature {name} is infinite in"):
        _compared(data)


def test_the_table_is_printed_with_every_candidate(content, capsys):
    compare_report.print_table(content)
    printed = capsys.readouterr().out
    assert all(name in printed for name in (*BASELINES, *MODELS))
    assert "per 1,000" in printed


def test_the_arm_without_treatment_always_runs():
    assert Candidate("lightgbm", NONE) in Settings(families=("lightgbm",), arms=(SMOTED,)).candidates()
