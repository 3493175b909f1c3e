import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bento.features.catalogue import CATALOGUE
from research.cli import FAULT
from research.comparison import feature_study
from research.comparison.feature_study import Arm, Bench, Result, Settings
from research.data.dataset import open_data
from research.evaluation.business_score import choose_threshold, cost_per_client
from research.evaluation.metrics import delong_auc, placements
from research.reporting.publish import PUBLISHED
from research.training import boosting
from research.training.feature_selection import Ranking
from research.types import OutOfFold, TrainingMatrix
from tests.research.commands import run_command
from tests.research.made_up import is_drawn

ROWS = 900
QUICK = Settings(folds=2, seed=3, counts=(5, 20), max_trees=4)


def _result(name: str, log_odds: np.ndarray, target: np.ndarray) -> Result:
    scores = OutOfFold(target=target, log_odds=log_odds, fold=np.arange(ROWS) % 3)
    return Result(arm=Arm(name=name, chosen=[["a"], ["a", "b"], ["b"]]), trees=9.0, scores=scores)


@pytest.fixture(scope="module")
def results() -> tuple[Result, Result]:
    random = np.random.default_rng(1)
    target = (random.random(ROWS) < 0.2).astype(np.int64)
    good, poor = (np.round(target + random.normal(scale=scale, size=ROWS), 1) - 2 for scale in (0.8, 1.5))
    return _result("good", good, target), _result("poor", poor, target)


def test_gains_are_paired(results):
    good, poor = results
    row = poor.row(good)
    assert row["against"] == "good"
    assert row["features"] == pytest.approx(4 / 3)
    assert row["auc_gain"] == pytest.approx(poor.row()["auc"] - good.row()["auc"])
    assert row["cost_gain"] == pytest.approx(good.row()["cost"] - poor.row()["cost"])
    assert row["auc_gain_error"] < np.hypot(row["auc_error"], good.row()["auc_error"])
    same = good.row(good)
    assert same["auc_gain"] == same["auc_gain_error"] == same["cost_gain"] == same["cost_gain_error"] == 0


def test_the_standard_error_is_that_of_resampled_clients(results):
    good, poor = results
    random, target = np.random.default_rng(2), good.scores.target
    defaults, goods = (np.flatnonzero(target == outcome) for outcome in (1, 0))
    gains = []
    for _ in range(300):
        rows = np.concatenate([random.choice(part, len(part)) for part in (defaults, goods)])
        fold = np.zeros(ROWS, dtype=np.int64)
        first, second = (
            placements(OutOfFold(target=target[rows], log_odds=result.scores.log_odds[rows], fold=fold))
            for result in (good, poor)
        )
        gains.append(delong_auc(second - first, target[rows])[0])
    assert poor.row(good)["auc_gain_error"] == pytest.approx(np.std(gains), rel=0.15)


def test_a_fold_is_decided_at_the_threshold_of_the_others(results):
    result = results[0]
    target, probability, validation = result.scores.target, result.scores.probability, result.scores.fold == 1
    threshold = choose_threshold(result.scores.rows(~validation)).threshold
    expected = cost_per_client(target[validation], probability[validation] >= threshold)
    assert result.cost[validation].mean() == pytest.approx(expected)


NONE = {"constraints": 0.0, "without age": 0.0}


@pytest.mark.parametrize(
    ("gains", "decided"),
    [
        ({}, {"constraints": True, "with_age": False}),
        ({"constraints": -0.0019}, {"constraints": True}),
        ({"constraints": -0.0021}, {"constraints": False}),
        ({"without age": -0.0029}, {"with_age": False}),
        ({"without age": -0.0031}, {"with_age": True}),
    ],
)
def test_the_decisions_follow_the_rules(gains: dict[str, float], decided: dict[str, object]):
    rows = [{"arm": arm, "auc_gain": gain} for arm, gain in (NONE | gains).items()]
    assert decided.items() <= feature_study.decide(rows).items()


def test_a_history_counts_what_it_gives_together_with_the_application():
    alone, with_bureau = (feature_study.features_from("application", *more) for more in ([], ["bureau"]))
    assert set(alone) < set(with_bureau)
    gained = set(with_bureau) - set(alone)
    assert {feature_study.table_of(name) for name in gained} == {"bureau", "combined"}


@pytest.fixture(scope="module")
def bench(synthetic_folder: Path) -> Bench:
    return Bench(open_data(synthetic_folder).rows("development"), QUICK)


def test_features_are_ranked_on_training_rows_only(bench: Bench, monkeypatch):
    ranked: dict[int, TrainingMatrix] = {}

    def recorded(data: TrainingMatrix, seed: int) -> Ranking:
        ranked[seed - QUICK.seed] = data
        return Ranking(names=[], noise=[], dropped={})

    monkeypatch.setattr(feature_study, "rank", recorded)
    bench._rankings(with_age=True, title="rankings")

    for fold, (train, validation) in enumerate(bench.splits):
        rows = {row.tobytes() for row in ranked[fold].matrix}
        assert rows.isdisjoint({row.tobytes() for row in bench.data.matrix[validation]})
        assert len(ranked[fold]) == len(train)


@pytest.fixture(scope="module")
def content(synthetic_folder: Path) -> dict[str, Any]:
    return feature_study.study(open_data(synthetic_folder), QUICK)


def test_the_study_reports_every_arm_and_the_source_of_the_data(content, synthetic_folder: Path):
    assert open_data(synthetic_folder).source.model_dump().items() <= content.items()
    arms = [row["arm"] for row in _rows(content)]
    assert {
        "application",
        "application, bureau",
        "5 best",
        "all",
        "without age",
        *feature_study.TREES,
        "as served",
    } < set(arms)
    assert all(row["gini"] == 2 * row["auc"] - 1 and 0 < row["ks"] < 1 for row in _rows(content))
    assert len(set(content["features"])) == len(content["features"]) > 0
    assert content["decisions"]["with_age"] or not any(CATALOGUE[name].uses_age for name in content["features"])


def _rows(content: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for part in ("tables", "numbers", "variants") for row in content[part]]


def test_the_command_writes_both_files_and_prints_every_arm(
    content, synthetic_folder: Path, tmp_path: Path, monkeypatch, capsys
):
    monkeypatch.setattr(feature_study, "study", lambda data, settings: content)
    out = tmp_path / "results"
    assert run_command(feature_study, "--data", str(synthetic_folder), "--out", str(out)) == 0
    assert json.loads((out / "feature_study.json").read_text()) == content
    assert is_drawn(out / "feature_study.png")
    printed = capsys.readouterr().out
    assert all(row["arm"] in printed for row in _rows(content))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--folds", "1"], "--folds must be at least 2"),
        (["--data", "nowhere"], "nowhere: no such folder"),
        (["--out", __file__], "File exists; correct the path"),
        (["--folds", "500"], "give more clients or fewer --folds"),
    ],
)
def test_bad_input_is_one_clear_line(arguments, message, synthetic_folder: Path, tmp_path: Path, capsys):
    common = ("--data", str(synthetic_folder), "--out", str(tmp_path))
    assert run_command(feature_study, *common, *arguments) == FAULT
    error = capsys.readouterr().err
    assert message in error.splitlines()[-1]
    assert "Traceback" not in error


def test_the_published_study_holds_the_defaults():
    study = json.loads((PUBLISHED / "feature_study.json").read_text())
    decisions = study["decisions"]
    (default,) = (row for row in study["numbers"] if row["arm"] == f"{boosting.BEST_FEATURES} best")
    assert -default["auc_gain"] <= default["auc_gain_error"]
    assert decisions["constraints"] == boosting.CONSTRAINTS
    assert decisions["with_age"] == boosting.WITH_AGE
