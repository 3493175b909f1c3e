import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate, false_positive_rate, selection_rate
from matplotlib import pyplot as plt
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from bento.features.catalogue import CATALOGUE
from bento.model.manifest import DataSource, ModelManifest
from bento.model.predictors import BoosterPredictor
from bento.model.scoring_model import ModelError, ScoringModel
from research.cli import FAULT, run
from research.comparison import price_of_fairness
from research.data.dataset import Rows
from research.evaluation import fairness
from research.evaluation.fairness_figures import write_figure, write_price_figure
from research.training import boosting, cross_fitting
from tests.support.references import any_reference

SOURCE = DataSource(data="synthetic", clients=3000, seed=1, fingerprint="0" * 64)
CLIENTS = 3000
NAMES = ["application_ext_source_2", "application_ext_source_3"]
AGE = "application_age_years"


@dataclass
class MadeUp:
    """Clients whose default depends on a score, on age and on gender."""

    features: pl.DataFrame
    target: np.ndarray
    audit: pl.DataFrame
    probability: np.ndarray
    source = SOURCE

    def rows(self, split: str) -> Rows:
        assert split == "development"
        return Rows(self.features, self.target, self.audit)


@pytest.fixture(scope="module")
def clients() -> MadeUp:
    random = np.random.default_rng(1)
    scores, age = random.random((2, CLIENTS)), random.uniform(21, 65, CLIENTS)
    gender = random.choice(["F", "M"], CLIENTS, p=[0.65, 0.35])
    log_odds = -1.2 - 3.5 * scores[0] - 0.05 * (age - 43) + 1.6 * (gender == "M")
    target = (random.random(CLIENTS) < expit(log_odds)).astype(np.int64)
    features = pl.DataFrame([*scores, age], schema=[*NAMES, AGE])
    audit = pl.DataFrame(
        {
            "gender": pl.Series(gender).set(pl.Series(np.arange(CLIENTS) < 30), None),
            "age_years": age,
            "person": np.arange(CLIENTS),
        }
    )
    return MadeUp(features, target, audit, expit(-1.2 - 3.5 * scores[0]))


@pytest.fixture(scope="module")
def found(clients) -> dict:
    return fairness.fairness(clients.target, clients.probability, clients.probability > 0.08, clients.audit, seed=1)


def group_rows(found: dict, dimension: str) -> dict:
    return {row["group"]: row for row in found[dimension]["groups"]}


def not_blank(path: Path) -> bool:
    return float(plt.imread(path)[..., :3].std()) > 0.02


def test_by_hand(monkeypatch):
    monkeypatch.setattr(fairness, "MIN_GROUP_CLIENTS", 1)
    monkeypatch.setattr(fairness, "MIN_GROUP_OUTCOMES", 1)
    target = np.array([0, 0, 0, 0, 1, 0, 0, 1, 1, 0])
    refused = np.array([1, 0, 0, 0, 1, 1, 1, 0, 1, 0]) == 1
    probability = np.where(refused, 0.6, 0.2)
    audit = pl.DataFrame({"gender": ["F"] * 5 + ["M"] * 5, "age_years": [25.0, 35.0] * 5})
    found = fairness.fairness(target, probability, refused, audit, seed=1)
    women, men = group_rows(found, "gender").values()
    assert (women["group"], women["clients"], women["defaults"]) == ("F", 5, 1)
    assert (men["group"], men["clients"], men["defaults"]) == ("M", 5, 2)
    assert women["approval_rate"]["value"] == pytest.approx(3 / 5)
    assert men["approval_rate"]["value"] == pytest.approx(2 / 5)
    assert found["gender"]["most_approved"] == "F"
    assert (women["approval_ratio"]["value"], women["below_rule"]) == (1.0, False)
    assert (men["approval_ratio"]["value"], men["below_rule"]) == (pytest.approx(2 / 3), True)
    assert women["good_clients_refused"]["value"] == pytest.approx(1 / 4)
    assert men["good_clients_refused"]["value"] == pytest.approx(2 / 3)
    assert women["defaults_granted"]["value"] == 0
    assert men["defaults_granted"]["value"] == pytest.approx(1 / 2)
    assert men["auc"]["value"] == pytest.approx((0.5 + 0.5 + 0 + 0 + 1 + 0.5) / 6)
    assert men["predicted_over_observed"]["value"] == pytest.approx((3 * 0.6 + 2 * 0.2) / 2)
    assert men["brier"]["value"] == pytest.approx((0.36 + 0.36 + 0.64 + 0.16 + 0.04) / 5)
    assert men["calibration_slope"] is None
    assert found["gender"]["differences"]["approval_rate"] == pytest.approx(1 / 5)
    assert found["gender"]["differences"]["good_clients_refused"] == pytest.approx(2 / 3 - 1 / 4)


def test_the_figures_are_those_of_fairlearn_and_scikit_learn(clients, found):
    refused = clients.probability > 0.08
    for dimension, group in fairness.groups_of(clients.audit).items():
        frame = MetricFrame(
            metrics={
                "refusals": selection_rate,
                "good_clients_refused": false_positive_rate,
                "defaults_granted": false_negative_rate,
            },
            y_true=clients.target,
            y_pred=refused,
            sensitive_features=group.to_numpy(),
        ).by_group
        judged = {name: row for name, row in group_rows(found, dimension).items() if row["auc"] is not None}
        assert len(judged) > 1
        for name, row in judged.items():
            of = group.to_numpy() == name
            assert row["approval_rate"]["value"] == pytest.approx(1 - frame.loc[name, "refusals"])
            for error in ("good_clients_refused", "defaults_granted"):
                assert row[error]["value"] == pytest.approx(frame.loc[name, error])
            assert row["auc"]["value"] == pytest.approx(roc_auc_score(clients.target[of], clients.probability[of]))
            assert row["brier"]["value"] == pytest.approx(brier_score_loss(clients.target[of], clients.probability[of]))


def test_the_slope_is_that_of_a_logistic_regression(clients):
    log_odds = logit(clients.probability)[:, None]
    expected = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds, clients.target).coef_[0, 0]
    assert fairness.calibration_slope(clients.target, clients.probability) == pytest.approx(expected, rel=1e-4)
    extreme = expit(2 * log_odds[:, 0])
    assert fairness.calibration_slope(clients.target, extreme) == pytest.approx(expected / 2, rel=1e-4)


def test_outcomes_that_a_score_parts_have_no_slope():
    score = np.linspace(0.01, 0.99, 60)
    assert np.isnan(fairness.calibration_slope((score > 0.5).astype(np.int64), score))


def test_intervals_hold_the_value_and_are_as_wide_as_chance(found):
    for row in [found["all"], *(row for name in ("gender", "age", "gender_age") for row in found[name]["groups"])]:
        for name in (*fairness.METRICS, "approval_ratio"):
            if row.get(name) is not None:
                assert row[name]["low"] <= row[name]["value"] <= row[name]["high"], (row["group"], name)
    rate, clients = found["all"]["approval_rate"], found["all"]["clients"]
    expected = 2 * 1.96 * np.sqrt(rate["value"] * (1 - rate["value"]) / clients)
    assert rate["high"] - rate["low"] == pytest.approx(expected, rel=0.25)


def test_groups_too_small_to_judge_are_counted_only(clients, found):
    unknown = group_rows(found, "gender")["unknown"]
    assert unknown["clients"] == 30
    assert unknown["defaults"] == clients.target[:30].sum()
    assert all(unknown[name] is None for name in (*fairness.METRICS, "approval_ratio", "below_rule"))
    assert list(group_rows(found, "gender")) == ["F", "M", "unknown"]
    assert list(group_rows(found, "age")) == fairness.BANDS
    assert sum(row["clients"] for row in found["gender_age"]["groups"]) == CLIENTS


def test_approvals_are_told_where_outcomes_are_too_few_to_judge():
    audit = pl.DataFrame({"gender": ["F", "M"] * 60, "age_years": [65.0] * 120})
    found = fairness.fairness(
        np.zeros(120, np.int64), np.full(120, 0.1), np.tile([False, False, False, True], 30), audit
    )
    rows = group_rows(found, "gender")
    assert (rows["F"]["approval_rate"]["value"], rows["M"]["approval_rate"]["value"]) == (1, 0.5)
    assert found["gender"]["most_approved"] == "F"
    assert rows["M"]["approval_ratio"]["value"] == 0.5
    assert rows["M"]["below_rule"]
    assert rows["M"]["auc"] is None


def test_a_table_without_any_group_to_judge():
    audit = pl.DataFrame({"gender": ["F", "M"] * 4, "age_years": [30.0] * 8})
    found = fairness.fairness(np.zeros(8, np.int64), np.full(8, 0.1), np.zeros(8, bool), audit, seed=1)
    assert found["all"]["auc"] is None
    assert found["gender"]["most_approved"] is None
    assert found["gender"]["differences"] == dict.fromkeys(fairness.COMPARED)


def test_where_everybody_is_refused_there_is_no_ratio(clients):
    some = slice(600)
    found = fairness.fairness(
        clients.target[some], clients.probability[some], np.ones(600, bool), clients.audit[some], seed=1
    )
    best = found["age"]["most_approved"]
    others = [row for row in found["age"]["groups"] if row["auc"] is not None and row["group"] != best]
    assert others
    assert all(row["approval_ratio"] == {"value": None, "low": None, "high": None} for row in others)
    assert not any(row["below_rule"] for row in others)
    assert json.dumps(found, allow_nan=False)


def test_it_is_the_same_by_seed_and_can_be_written(clients, found, tmp_path):
    refused = clients.probability > 0.08
    assert fairness.fairness(clients.target, clients.probability, refused, clients.audit, seed=1) == found
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    write_figure(found, tmp_path / "fairness.png", SOURCE)
    assert not_blank(tmp_path / "fairness.png")


def test_gender_is_no_feature_of_any_model(tmp_path):
    assert fairness.GENDER.name not in CATALOGUE
    assert all(fairness.GENDER.name not in feature.roots for feature in CATALOGUE.values())
    assert fairness.GENDER.name not in cross_fitting.catalogue_names(with_age=True)
    rows = np.random.default_rng(1).random((200, 1))
    columns = [fairness.GENDER.model_copy(update={"categories": []})]
    dataset = boosting._dataset(rows, (rows[:, 0] > 0.5).astype(np.int64), columns)
    BoosterPredictor(boosting.lightgbm.train({"objective": "binary", "verbosity": -1}, dataset, 2)).save(tmp_path)
    scoring = ModelManifest(
        family="lightgbm", features=columns, threshold=0.5, training_data=SOURCE, code_version="test", metrics={}
    )
    (tmp_path / "scoring.json").write_text(scoring.model_dump_json())
    any_reference([fairness.GENDER.name]).save(tmp_path)
    with pytest.raises(ModelError, match="CODE_GENDER"):
        ScoringModel(tmp_path)


def test_gender_stands_free_beside_features_that_are_held_to_their_direction():
    columns = [*cross_fitting.model_features(NAMES), fairness.GENDER]
    assert fairness.held(columns)["monotone_constraints"] == [-1, -1, 0]
    assert fairness.held(columns[:2]) == boosting.constrained(columns[:2])
    assert fairness.held([fairness.GENDER]) == {}


@pytest.fixture(scope="module")
def priced(clients) -> dict:
    quick = boosting.PARAMETERS | {"learning_rate": 0.1, "num_leaves": 7, "feature_fraction": 1.0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boosting, "PARAMETERS", quick)
        patch.setattr(cross_fitting, "catalogue_names", lambda with_age: [*NAMES, AGE] if with_age else NAMES)
        patch.setattr(fairness, "choose", lambda matrix, target, columns, seed: [each.name for each in columns])
        return price_of_fairness.price(clients, folds=3, seed=1)


def test_the_price_of_leaving_gender_and_age_out(priced):
    assert json.loads(json.dumps(priced, allow_nan=False)) == priced
    assert (priced["data"], priced["seed"], priced["development_clients"]) == ("synthetic", 1, CLIENTS)
    arms = {row["arm"]: row for row in priced["arms"]}
    assert list(arms) == ["default", "with gender", "with age", "with both"]
    assert [row["given_gender"] for row in priced["arms"]] == [False, True, False, True]
    assert len({row["trees"] for row in priced["arms"]}) == 1
    assert [row["features_of_age"] for row in priced["arms"]] == [0, 0, 1, 1]
    prices = {row["leaving_out"]: row for row in priced["prices"]}
    assert list(prices) == ["gender", "age", "both"]
    for name, each in prices.items():
        arm = arms[f"with {name}"]
        assert each["auc"]["value"] == pytest.approx(arm["auc"] - arms["default"]["auc"])
        assert each["cost"]["value"] == pytest.approx(arms["default"]["cost"] - arm["cost"])
        assert each["auc"]["low"] > 0.005  # both matter among these clients, by construction
        assert each["cost"]["low"] < each["cost"]["value"] < each["cost"]["high"]
    assert prices["both"]["auc"]["value"] > max(prices[name]["auc"]["value"] for name in ("gender", "age"))


def test_who_is_given_gender_parts_by_gender(priced):
    gaps = {row["arm"]: row["approval"] for row in priced["arms"]}
    assert list(gaps["default"]["gender"]["rates"]) == ["F", "M"]
    assert gaps["default"]["gender"]["gap"]["value"] < 0.1
    assert gaps["with gender"]["gender"]["gap"]["low"] > 0.2
    assert gaps["with age"]["age"]["gap"]["low"] > gaps["default"]["age"]["gap"]["high"]
    rates = gaps["with gender"]["gender"]["rates"]
    assert gaps["with gender"]["gender"]["gap"]["value"] == pytest.approx(rates["F"] - rates["M"])


def test_the_price_is_drawn(priced, tmp_path):
    write_price_figure(priced, tmp_path / "price.png", SOURCE)
    assert not_blank(tmp_path / "price.png")


def command(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["fairness", *arguments])
    with pytest.raises(SystemExit) as ended:
        run(price_of_fairness.main)
    return int(ended.value.code or 0)


def test_the_command_writes_the_price(clients, priced, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(fairness, "DATA", tmp_path)
    monkeypatch.setattr(fairness, "open_data", lambda folder: clients)
    monkeypatch.setattr(fairness, "price", lambda data, folds, seed: priced)
    assert command(monkeypatch) == 0
    out = tmp_path / "results" / "fairness"
    assert json.loads((out / "fairness_price.json").read_text()) == priced
    assert not_blank(out / "fairness_price.png")
    assert "with gender" in capsys.readouterr().out
    assert command(monkeypatch, "--folds", "1") == FAULT
