import json
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
from research.cli import CommandError, run
from research.comparison import candidates, compare
from research.comparison import report as compare_report
from research.comparison.candidates import NONE, SMOTED
from research.comparison.experiment import BASELINES, Candidate
from research.data.dataset import DATA, Data
from research.data.splits import split_of
from research.evaluation.business_score import best_threshold, cost_per_client, costs_of
from research.training import cross_fitting

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
def found(data: Data, _few_features: None) -> dict[str, Any]:
    """A comparison of two families under two arms."""
    return _compared(data)


@pytest.fixture(autouse=True)
def _blank_pictures(found: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the pictures of `found` are drawn: they take most of the time."""
    monkeypatch.setattr(compare, "curves", lambda *_: Figure())
    monkeypatch.setattr(compare, "picture", lambda _: Figure())


def _compared(data: Data, **changed: Any) -> dict[str, Any]:
    return compare.compare(data, **({"families": FAMILIES, "arms": [SMOTED], "folds": 2, "grid": False} | changed))


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


def test_every_candidate_has_a_row_cheapest_first_beside_the_baselines(found):
    rows = found["rows"]
    assert {row["candidate"] for row in rows} == {*BASELINES, *MODELS}
    costs = [row["cost_per_client"]["value"] for row in rows]
    assert costs == sorted(costs)
    assert rows[0]["candidate"] == found["best"] in MODELS
    assert rows[0]["cost_above_best"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    for row in rows:
        assert row["cost_per_client"]["low"] <= row["cost_per_client"]["value"] <= row["cost_per_client"]["high"]
        assert row["served"] == (row["family"] in FAMILIES)
        if row["candidate"] in MODELS:
            assert row["auc"] > 0.55
            assert 0.2 < row["predicted_over_observed"] < 2
            assert row["fit_seconds"] > 0
            assert row["peak_memory_mib"] > 50
            assert len(row["by_fold"]) == 2
    by_name = {row["candidate"]: row for row in rows}
    assert by_name["accept_all"]["refused_share"] == 0
    assert by_name["refuse_all"]["refused_share"] == 1
    assert by_name["prior"]["log_loss"] > by_name["lightgbm"]["log_loss"]


def test_it_is_written_logged_and_read_again(found, data):
    folder = DATA / "results" / found["run"]
    assert json.loads((folder / "comparison.json").read_text()) == found == compare.read(found["run"])
    assert (folder / "comparison.png").stat().st_size > 10_000
    assert found["fingerprint"] == data.source.fingerprint
    logged = {file.path for file in tracking.connect().list_artifacts(found["run"])}
    assert logged == {"comparison.json", "comparison.png"}
    frame = compare.table(found)
    assert frame["candidate"].to_list() == [row["candidate"] for row in found["rows"]]
    assert frame["cost_per_client_low"].null_count() == 0
    with pytest.raises(CommandError, match="name the run id of a finished comparison"):
        compare.read("unknown")


def test_every_candidate_is_a_nested_run_with_parameters_metrics_curves_and_data(found, data):
    runs = _runs(found["run"])
    assert set(runs) == {*BASELINES, *MODELS}
    lightgbm = runs["lightgbm, smote"]
    assert lightgbm.info.status == "FINISHED"
    expected = {"family": "lightgbm", "arm": "smote", "data": data.source.tag, "catalogue": catalogue_hash()}
    assert expected.items() <= lightgbm.data.tags.items()
    assert {"family": "lightgbm", "folds": "2", "false_negative": "10"}.items() <= lightgbm.data.params.items()
    row = next(row for row in found["rows"] if row["candidate"] == "lightgbm, smote")
    for name in ("auc", "log_loss", "calibration_slope", "fit_seconds", "score_ms_per_1000", "peak_memory_mib"):
        assert lightgbm.data.metrics[name] == pytest.approx(row[name])
    assert lightgbm.data.metrics["cost_per_client_low"] == pytest.approx(row["cost_per_client"]["low"])
    history = tracking.connect().get_metric_history(lightgbm.info.run_id, "fold_auc")
    assert {each.step: each.value for each in history} == {
        number: pytest.approx(of_fold["auc"]) for number, of_fold in enumerate(row["by_fold"])
    }
    assert lightgbm.inputs.dataset_inputs[0].dataset.name == data.source.tag
    files = {file.path for file in tracking.connect().list_artifacts(lightgbm.info.run_id)}
    assert files == {"candidate.json", "curves.png", "scores.parquet"}


def test_only_development_rows_are_scored_each_by_a_threshold_of_the_other_folds(found, data):
    row = next(row for row in found["rows"] if row["candidate"] == "lightgbm")
    features = data.features()
    scores = _scores(row["run"]).join(features.select("SK_ID_CURR", "TARGET"), on="SK_ID_CURR", maintain_order="left")
    assert set(split_of(scores["SK_ID_CURR"])) == {"development"}
    assert len(scores) == found["development_clients"] == int((split_of(features["SK_ID_CURR"]) == "development").sum())
    target, fold, probability = (scores[name].to_numpy() for name in ("TARGET", "fold", "probability"))
    for number, of_fold in enumerate(row["by_fold"]):
        judged = fold == number
        threshold = best_threshold(target[~judged], probability[~judged])
        assert row["thresholds"][number] == threshold
        assert of_fold["cost"] == pytest.approx(cost_per_client(target[judged], probability[judged] >= threshold))


def test_every_candidate_is_judged_in_the_same_folds_and_a_person_in_one(found, data):
    folds = [
        _scores(row["run"]).select("SK_ID_CURR", "fold") for row in found["rows"] if row["candidate"] != "accept_all"
    ]
    assert all(each.equals(folds[0]) for each in folds)
    persons = folds[0].join(data.audit().select("SK_ID_CURR", "person"), on="SK_ID_CURR")
    assert persons.group_by("person").agg(pl.col("fold").n_unique())["fold"].max() == 1


def test_a_finished_candidate_is_not_run_again_unless_asked_to(found, data, monkeypatch):
    judged: list[Any] = []
    original = candidates.judge

    def counted(*arguments):
        judged.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(candidates, "judge", counted)
    second = _compared(data)
    assert judged == []
    assert all(row["reused"] for row in second["rows"])
    assert second["run"] != found["run"]
    assert [row | {"reused": False} for row in second["rows"]] == found["rows"]
    assert set(_runs(found["run"])) == {*BASELINES, *MODELS}, "a finished comparison keeps its runs"
    third = _compared(data, families=["logistic"], again=True)
    assert len(judged) == 3
    assert not any(row["reused"] for row in third["rows"])
    before, after = (
        {row["candidate"]: row["log_loss"] for row in each["rows"] if "auc" in row} for each in (found, third)
    )
    assert after == pytest.approx({name: before[name] for name in after}, rel=1e-9)


def test_an_interrupted_run_is_marked_so_and_the_next_goes_on_after_the_finished_ones(data, monkeypatch):
    judged: list[Any] = []
    original = candidates.judge

    def interrupted(model, *arguments):
        judged.append(model)
        if len(judged) == 3:
            raise KeyboardInterrupt
        return original(model, *arguments)

    monkeypatch.setattr(candidates, "judge", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _compared(data, families=["logistic"], seed=3)
    assert mlflow.active_run() is None
    parent = _last_parent()
    assert parent.info.status == "KILLED"
    status = {name: each.info.status for name, each in _runs(parent.info.run_id).items()}
    assert status == dict.fromkeys([*BASELINES, "logistic"], "FINISHED") | {"logistic, smote": "KILLED"}
    after = _compared(data, families=["logistic"], seed=3)
    assert len(judged) == 4
    assert {row["candidate"] for row in after["rows"] if not row["reused"]} == {"logistic, smote"}
    assert set(_runs(after["run"])) == {*BASELINES, "logistic", "logistic, smote"}
    assert set(_runs(parent.info.run_id)) == {"logistic, smote"}


def test_where_mlflow_fails_halfway_one_line_says_what_is_kept(data, monkeypatch):
    original = mlflow.log_artifacts
    logged: list[str] = []

    def failing(folder):
        logged.append(folder)
        if len(logged) > 3:
            raise MlflowException("server gone\nand more")
        original(folder)

    monkeypatch.setattr(mlflow, "log_artifacts", failing)
    with pytest.raises(CommandError, match=r"server gone\).* kept.*\(finished: accept_all, refuse_all, prior\)$"):
        _compared(data, families=["logistic"], seed=4)
    parent = _last_parent()
    assert parent.info.status == "FAILED"
    status = {name: each.info.status for name, each in _runs(parent.info.run_id).items()}
    assert status == dict.fromkeys(BASELINES, "FINISHED") | {"logistic": "FAILED"}


def test_the_grid_is_searched_once_for_a_family_and_serves_its_other_arms(data, monkeypatch):
    searched: list[Any] = []
    original = candidates.search

    def counted(*arguments):
        searched.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(candidates, "search", counted)
    found = _compared(data, families=["logistic"], grid=True)
    assert len(searched) == 1
    settings = [row["setting"] for row in found["rows"] if row["family"] == "logistic"]
    assert settings[0] == settings[1]
    row = next(row for row in found["rows"] if row["candidate"] == "logistic")
    noted = mlflow.artifacts.load_dict(f"runs:/{row['run']}/candidate.json")
    assert [tried["C"] for tried in noted["grid"]] == candidates.FAMILIES["logistic"].grid["C"]
    assert min(noted["grid"], key=lambda tried: tried["log_loss"])["C"] == row["setting"]["C"]


@pytest.mark.parametrize(("missed", "beaten"), [(10, True), (1, False)])
def test_the_verdict_says_aloud_where_a_family_that_cannot_be_served_is_better(missed, beaten):
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
    ("arguments", "said"),
    [
        (["--families", "lightgbm,catboost"], "unknown family 'catboost'; known: logistic, random_forest, xgboost"),
        (["--arms", "adasyn"], "unknown arm 'adasyn'; known: none, class_weights, under_sampling, smote"),
        (["--metric", "accuracy"], "unknown metric 'accuracy'; known: auc, pr_auc, log_loss, brier, cost"),
        (["--folds", "1"], "--folds must be at least 2"),
        (["--folds", "5000"], "give more clients or fewer --folds"),
        (["--cost-false-negative", "0"], "false_negative is 0.0: input should be greater than 0"),
        (["--data", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_bad_input_is_one_clear_line(arguments, said, synthetic_folder: Path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["compare", "--data", str(synthetic_folder), *arguments])
    with pytest.raises(SystemExit) as ended:
        run(compare.main)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert said in error.splitlines()[-1]
    assert "Traceback" not in error


def _with(features: pl.DataFrame, monkeypatch) -> None:
    monkeypatch.setattr(Data, "features", lambda self: features)


def test_one_class_only_is_refused(data, monkeypatch):
    _with(data.features().with_columns(TARGET=pl.lit(0, dtype=pl.Int64)), monkeypatch)
    with pytest.raises(CommandError, match="hold 0 of the rarer outcome"):
        _compared(data)


def test_infinite_features_are_refused(data, monkeypatch):
    name = "application_ext_source_2"
    _with(data.features().with_columns(pl.lit(np.inf).alias(name)), monkeypatch)
    with pytest.raises(CommandError, match=f"feature {name} is infinite in"):
        _compared(data)


def test_the_table_is_printed_with_every_candidate(found, capsys):
    compare_report.print_table(found)
    printed = capsys.readouterr().out
    assert all(name in printed for name in (*BASELINES, *MODELS))
    assert "per 1,000" in printed


def test_the_arm_without_treatment_always_runs():
    assert Candidate("lightgbm", NONE) in compare._chosen(["lightgbm"], [SMOTED], "auc")
