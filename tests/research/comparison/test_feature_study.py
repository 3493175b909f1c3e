import functools
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from bento.features.catalogue import CATALOGUE
from research.cli import run
from research.comparison import feature_study
from research.comparison.feature_study import Arm, Result
from research.data.dataset import open_data
from research.evaluation.business_score import best_threshold, cost_per_client
from research.reporting.publish import PUBLISHED
from research.training import boosting, cross_fitting

ROWS = 900


def _result(name: str, log_odds: np.ndarray, target: np.ndarray) -> Result:
    return Result(Arm(name, [["a"], ["a", "b"], ["b"]]), 9.0, target, np.arange(ROWS) % 3, log_odds)


@pytest.fixture(scope="module")
def results() -> tuple[Result, Result]:
    random = np.random.default_rng(1)
    target = (random.random(ROWS) < 0.2).astype(np.int64)
    good, poor = (np.round(target + random.normal(scale=scale, size=ROWS), 1) - 2 for scale in (0.8, 1.5))
    return _result("good", good, target), _result("poor", poor, target)


def test_the_auc_is_that_of_the_folds_with_ties(results):
    for result in results:
        folds = [(result.target[result.fold == fold], result.log_odds[result.fold == fold]) for fold in range(3)]
        weights = [target.sum() for target, _ in folds]
        expected = np.average([roc_auc_score(*fold) for fold in folds], weights=weights)
        assert result.row()["auc"] == pytest.approx(expected)


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
    random, defaults, goods = np.random.default_rng(2), *(np.flatnonzero(good.target == outcome) for outcome in (1, 0))
    gains = []
    for _ in range(300):
        rows = np.concatenate([random.choice(part, len(part)) for part in (defaults, goods)])
        fold = np.zeros(ROWS, dtype=np.int64)
        first, second = (
            Result(result.arm, 9.0, good.target[rows], fold, result.log_odds[rows]) for result in (good, poor)
        )
        gains.append(feature_study.area(second.placement - first.placement, first.target)[0])
    assert poor.row(good)["auc_gain_error"] == pytest.approx(np.std(gains), rel=0.15)


def test_a_fold_is_judged_at_the_threshold_of_the_others(results):
    result = results[0]
    probability = 1 / (1 + np.exp(-result.log_odds))
    judged = result.fold == 1
    threshold = best_threshold(result.target[~judged], probability[~judged])
    expected = cost_per_client(result.target[judged], probability[judged] >= threshold)
    assert result.cost[judged].mean() == pytest.approx(expected)


NONE = {"constraints": 0.0, "without age": 0.0}
SIZES = dict.fromkeys([*feature_study.FINER, *feature_study.LARGER], 0.0)


@pytest.mark.parametrize(
    ("gains", "decided"),
    [
        ({}, {"constraints": True, "with_age": False, "num_leaves": 31, "times_the_trees": 1}),
        ({"constraints": -0.0019}, {"constraints": True}),
        ({"constraints": -0.0021}, {"constraints": False}),
        ({"without age": -0.0029}, {"with_age": False}),
        ({"without age": -0.0031}, {"with_age": True}),
        ({"steps of 0.02": 0.0009}, {"learning_rate": 0.05}),
        ({"steps of 0.02": 0.0011}, {"learning_rate": 0.02, "num_leaves": 31, "times_the_trees": 1}),
        ({"steps of 0.02": 0.0011, "63 leaves, steps of 0.02": 0.002}, {"num_leaves": 31, "times_the_trees": 1}),
        ({"steps of 0.02": 0.0011, "63 leaves, steps of 0.02": 0.003}, {"num_leaves": 63, "times_the_trees": 1}),
        ({"3 times the trees, steps of 0.01": 0.0011}, {"learning_rate": 0.01, "times_the_trees": 3}),
    ],
)
def test_the_decisions_follow_the_rules(gains: dict[str, float], decided: dict[str, object]):
    rows = [{"arm": arm, "auc_gain": gain} for arm, gain in (NONE | SIZES | gains).items()]
    assert decided.items() <= feature_study._decide(rows).items()


def test_a_history_counts_what_it_gives_together_with_the_application():
    alone, with_bureau = (feature_study._from_tables("application", *more) for more in ([], ["bureau"]))
    assert set(alone) < set(with_bureau)
    gained = set(with_bureau) - set(alone)
    assert {feature_study.table_of(name) for name in gained} == {"bureau", "combined"}


def test_the_study_writes_both_files_and_ranks_on_training_rows_only(
    synthetic_folder: Path, tmp_path: Path, monkeypatch, capsys
):
    seen: list[np.ndarray] = []
    benches: list[feature_study.Bench] = []

    def recorded(matrix, target, columns, seed):
        seen.append(matrix)
        return rank(matrix, target, columns, seed)

    def kept(*arguments):
        benches.append(bench(*arguments))
        return benches[0]

    rank, bench = feature_study.rank, feature_study.Bench
    monkeypatch.setattr(feature_study, "rank", recorded)
    monkeypatch.setattr(feature_study, "Bench", kept)
    few = functools.partial(feature_study.study, counts=(5, 20), most_rounds=4)
    monkeypatch.setattr(feature_study, "study", few)
    out = tmp_path / "results"
    arguments = ["--data", str(synthetic_folder), "--out", str(out), "--folds", "2", "--seed", "3"]
    monkeypatch.setattr("sys.argv", ["feature_study", *arguments])
    feature_study.main()

    found = json.loads((out / "feature_study.json").read_text())
    assert (out / "feature_study.png").stat().st_size > 10_000
    source = open_data(synthetic_folder).source
    assert (found["data"], found["clients"], found["seed"]) == ("synthetic", source.clients, source.seed)
    assert found["fingerprint"] == source.fingerprint
    arms = [row["arm"] for part in ("tables", "numbers", "variants") for row in found[part]]
    assert {"application", "application, bureau", "5 best", "all", "without age", *SIZES, "as served"} < set(arms)
    assert len(set(found["features"])) == len(found["features"]) > 0
    assert found["decisions"]["with_age"] or not any(CATALOGUE[name].uses_age for name in found["features"])
    printed = capsys.readouterr().out
    assert all(arm in printed for arm in arms)

    names = cross_fitting.catalogue_names(with_age=True)
    rankings = [rows for rows in seen if rows.shape[1] == len(names)][:2]
    for train, judged in benches[0].splits:
        judged_rows = {row.tobytes() for row in benches[0].matrix[judged]}
        assert any(
            len(rows) == len(train) and judged_rows.isdisjoint({row.tobytes() for row in rows}) for rows in rankings
        )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--folds", "1"], "--folds must be at least 2"),
        (["--data", "nowhere"], "nowhere: no such folder"),
        (["--out", __file__], "--out"),
        (["--folds", "500"], "give more clients or fewer --folds"),
    ],
)
def test_bad_input_is_one_clear_line(arguments, said, synthetic_folder: Path, tmp_path: Path, monkeypatch, capsys):
    given = ["--data", str(synthetic_folder), "--out", str(tmp_path), *arguments]
    monkeypatch.setattr("sys.argv", ["feature_study", *given])
    with pytest.raises(SystemExit) as ended:
        run(feature_study.main)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert said in error.splitlines()[-1]
    assert "Traceback" not in error


def test_the_defaults_are_those_that_the_published_study_decided():
    decisions = json.loads((PUBLISHED / "feature_study.json").read_text())["decisions"]
    assert decisions["best_features"] == boosting.BEST_FEATURES
    assert decisions["constraints"] == boosting.CONSTRAINTS
    assert decisions["with_age"] == boosting.WITH_AGE
    assert decisions["num_leaves"] == boosting.PARAMETERS["num_leaves"]
    assert decisions["learning_rate"] == boosting.PARAMETERS["learning_rate"]
    assert decisions["times_the_trees"] * feature_study.TREES == boosting.MAX_ROUNDS
