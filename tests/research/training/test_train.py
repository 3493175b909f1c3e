"""Training of each family, in a separate registry."""

import argparse
import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mlflow.exceptions import MlflowException

from bento import NAME
from bento.data.files import find_file
from bento.model.predictors import LinearPredictor
from bento.model.scoring_model import ScoringModel
from bento.policy import DEFAULT_COSTS
from research import tracking
from research.cli import CommandError
from research.data.dataset import DATA, Data
from research.evaluation.business_score import cost_model_from
from research.evaluation.calibration import calibration_line
from research.evaluation.metrics import measures
from research.options import settings_from
from research.registry.promote import contract
from research.results import OUT_OF_FOLD_FILE, RESULTS_FILE, TrainingResults, read
from research.training import train, tuning
from research.training.lawful import READINGS, doubtful_features
from research.training.report import Evaluation
from research.training.train import Settings
from research.types import TrainingMatrix


@pytest.mark.end_to_end
def test_a_linear_model_is_registered_and_can_be_served(client, data: Data, tmp_path: Path):
    registered = train.train(data, Settings(family="linear", folds=2, lime_samples=300))
    assert tracking.registered(client, tracking.CHALLENGER).version == registered.version
    results = DATA / "results" / registered.run_id
    model = ScoringModel(results / "model")
    assert model.manifest.family == "linear"
    assert (results / "model" / LinearPredictor.FILE).is_file()
    assert contract(model.folder).passed
    logged = ScoringModel(tracking.model_folder(registered, tmp_path))
    assert logged.manifest.features == model.manifest.features
    assert any(feature.typical is not None and feature.null_share > 0 for feature in logged.manifest.features)
    assert logged.reference.fields["bureau"].unknown
    rows = data.test_features()
    contributions, base = model.contributions(rows)
    np.testing.assert_allclose(base + contributions.sum(axis=1), model.log_odds(rows), atol=1e-9)
    report = json.loads((results / "results.json").read_text())
    assert report["family"] == "linear"
    assert report["tuning"] is None
    metrics = report["metrics"]
    assert report["oracle"]["out_of_fold_auc"] > metrics["out_of_fold_auc"] - 0.2
    assert metrics["out_of_fold_gini"] == 2 * metrics["out_of_fold_auc"] - 1
    assert 0 < metrics["out_of_fold_ks"] < metrics["out_of_fold_auc"]
    assert (results / OUT_OF_FOLD_FILE).is_file()


@pytest.mark.end_to_end
def test_training_reads_no_outcome_of_the_test_split(client, data: Data, tmp_path: Path):
    other = Path(shutil.copytree(data.folder, tmp_path / "other"))
    path = find_file(other, "application_train")
    applications = pl.read_parquet(path)
    in_test = pl.Series(data.splits == "test")
    flipped = applications.with_columns(
        pl.when(in_test).then(1 - pl.col("TARGET")).otherwise(pl.col("TARGET")).cast(applications["TARGET"].dtype)
    )
    flipped.write_parquet(path)
    settings = Settings(family="linear", folds=2, lime_samples=300)

    registered = [train.train(data, settings), train.train(Data(other), settings)]

    first, second = (read(TrainingResults, DATA / "results" / version.run_id / RESULTS_FILE) for version in registered)
    for part in ("metrics", "intervals", "business", "sensitivity", "review", "calibration", "fairness"):
        assert getattr(first, part) == getattr(second, part)
    assert first.explanations.features == second.explanations.features
    assert not {name for name in first.metrics if name.startswith("test")}
    assert {*first.business, *first.intervals, *first.oracle} & {"test", "test_auc"} == set()


@pytest.mark.end_to_end
def test_reported_calibration_is_that_of_other_folds(data: Data):
    settings = Settings(family="linear", folds=2)
    development = data.rows("development")
    fitted, _ = train.fit_family(development, settings)
    stretched = replace(fitted, out_of_fold=fitted.out_of_fold.calibrated(1.7, 0.4))  # so that a line is served

    evaluation = Evaluation(data=data, settings=settings, development=development, fitted=stretched, tuned=None)

    assert evaluation.calibration.slope < 0.9
    served, reported = (
        calibration_line(scores.target, scores.log_odds) for scores in (evaluation.served_scores, evaluation.scores)
    )
    assert served == pytest.approx((1, 0), abs=1e-6)
    assert abs(reported[0] - 1) > 1e-4
    assert evaluation.metrics["out_of_fold_brier"] == pytest.approx(
        np.mean((evaluation.scores.probability - evaluation.scores.target) ** 2)
    )


def test_a_strict_reading_of_the_law_gives_the_model_no_doubtful_feature(data: Data, monkeypatch):
    given: dict[str, set[str]] = {}

    def fit(reading: str, matrix: TrainingMatrix, *_: object) -> None:
        given[reading] = {column.name for column in matrix.columns}

    monkeypatch.setattr(tuning, "best_count", lambda *_: 5)
    for reading in READINGS:
        monkeypatch.setattr(train, "fit_linear", partial(fit, reading))
        train.fit_family(data.rows("development"), Settings(family="linear", lawful=reading))

    assert given["usual"] - given["strict"] == doubtful_features() & given["usual"]
    assert "application_phone_change_years" in given["usual"] - given["strict"]


def test_an_interrupted_training_is_marked_so(client, data: Data, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "fit_family", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train.train(data, Settings(trials=0))
    experiment = client.get_experiment_by_name(tracking.EXPERIMENT).experiment_id
    assert [run.info.status for run in client.search_runs([experiment])] == ["KILLED"]
    assert client.search_model_versions(f"name = '{NAME}'") == []


def test_where_mlflow_fails_halfway_one_line_says_so(client, data: Data, monkeypatch):
    def gone(*_: object) -> None:
        raise MlflowException("connection refused\nand more")

    monkeypatch.setattr(train, "fit_family", gone)
    with pytest.raises(CommandError, match=r"MLflow failed halfway \(connection refused\); finished runs are kept"):
        train.train(data, Settings(trials=0))


def test_too_many_folds_for_the_defaults_are_refused(client, data: Data):
    with pytest.raises(CommandError, match="400 folds need 800: give more clients or fewer --folds"):
        train.train(data, Settings(folds=400, trials=0))


def test_rows_of_one_class_have_no_auc_gini_and_ks():
    figures = measures("test", np.zeros(5, np.int64), np.full(5, 0.1), np.ones(5, bool), DEFAULT_COSTS)
    assert not {"test_auc", "test_gini", "test_ks"} & set(figures)
    assert figures["test_cost_per_client"] == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"family": "xgboost"}, "no family 'xgboost' can be served; choose from lightgbm, linear"),
        ({"folds": 1}, "--folds must be at least 2"),
        ({"trials": -1}, "--trials must be at least 0"),
        ({"lime_samples": 99}, "--lime-samples must be at least 100"),
        ({"lawful": "loose"}, "--lawful is usual or strict, not 'loose'"),
        ({"capacity": 1.0}, "--capacity must be at least 0 and below 1"),
    ],
)
def test_settings_out_of_bounds_are_refused(changed, message: str):
    with pytest.raises(CommandError, match=message):
        Settings(**changed)


def test_options_give_settings_and_default_to_theirs():
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    costs = cost_model_from(parser.parse_args([]))
    assert settings_from(Settings, parser.parse_args([]), cost_model=costs) == Settings()
    options = parser.parse_args(["--no-constraints", "--with-age", "--trials", "3", "--cost-false-negative", "5"])
    settings = settings_from(Settings, options, cost_model=cost_model_from(options))
    assert (settings.constraints, settings.with_age, settings.trials) == (False, True, 3)
    assert settings.cost_model.costs.false_negative == 5
