import json

import lightgbm
import numpy as np
import pytest

from bento.features.catalogue import CATALOGUE
from bento.model.manifest import ModelManifest
from bento.model.predictors import BoosterPredictor
from bento.model.scoring_model import ModelError, ScoringModel
from research.cli import FAULT
from research.comparison import price_of_fairness
from research.comparison.price_of_fairness import GENDER
from research.evaluation.fairness_figures import plot_excluding_cost
from research.training import boosting, cross_fitting
from tests.research.commands import run_command
from tests.research.made_up import AGE, CLIENTS, NAMES, SOURCE, MadeUp, is_drawn, made_up_clients
from tests.support.references import any_reference


def test_gender_is_not_a_feature_of_any_model(tmp_path):
    assert GENDER.name not in CATALOGUE
    assert all(GENDER.name not in feature.roots for feature in CATALOGUE.values())
    assert GENDER.name not in cross_fitting.catalogue_names(with_age=True)
    rows = np.random.default_rng(1).random((200, 1))
    columns = [GENDER.model_copy(update={"categories": []})]
    dataset = lightgbm.Dataset(rows, rows[:, 0] > 0.5, feature_name=[GENDER.name])
    BoosterPredictor(lightgbm.train({"objective": "binary", "verbosity": -1}, dataset, 2).model_to_string()).save(
        tmp_path
    )
    manifest = ModelManifest(
        family="lightgbm", features=columns, threshold=0.5, training_data=SOURCE, code_version="test", metrics={}
    )
    (tmp_path / "scoring.json").write_text(manifest.model_dump_json())
    any_reference([GENDER.name]).save(tmp_path)
    with pytest.raises(ModelError, match="CODE_GENDER"):
        ScoringModel(tmp_path)


@pytest.fixture(scope="module")
def clients() -> MadeUp:
    return made_up_clients()


@pytest.fixture(scope="module")
def report(clients: MadeUp) -> dict:
    quick = boosting.PARAMETERS | {"learning_rate": 0.1, "num_leaves": 7, "feature_fraction": 1.0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cross_fitting, "catalogue_names", lambda with_age: [*NAMES, AGE] if with_age else NAMES)
        return price_of_fairness.cost_of_excluding_protected_attributes(
            clients,
            price_of_fairness.Settings(folds=3, seed=1),
            choose=lambda data, seed: [column.name for column in data.columns],
            parameters=quick,
        )


def test_each_arm_is_reported_with_its_cost(report):
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert (report["data"], report["seed"], report["development_clients"]) == ("synthetic", 1, CLIENTS)
    arms = {row["arm"]: row for row in report["arms"]}
    assert list(arms) == ["default", "with gender", "with age", "with both"]
    assert [row["given_gender"] for row in report["arms"]] == [False, True, False, True]
    assert len({row["trees"] for row in report["arms"]}) == 1
    assert all(row["gini"] == 2 * row["auc"] - 1 and 0 < row["ks"] < 1 for row in report["arms"])
    assert [row["features_of_age"] for row in report["arms"]] == [0, 0, 1, 1]
    prices = {row["leaving_out"]: row for row in report["prices"]}
    assert list(prices) == ["gender", "age", "both"]
    for name, price in prices.items():
        arm = arms[f"with {name}"]
        assert price["auc"]["value"] == pytest.approx(arm["auc"] - arms["default"]["auc"])
        assert price["cost"]["value"] == pytest.approx(arms["default"]["cost"] - arm["cost"])
        assert price["auc"]["low"] > 0.005  # both matter among these clients, by construction
        assert price["cost"]["low"] < price["cost"]["value"] < price["cost"]["high"]
    assert prices["both"]["auc"]["value"] > max(prices[name]["auc"]["value"] for name in ("gender", "age"))


def test_a_model_that_is_given_gender_separates_by_gender(report):
    gaps = {row["arm"]: row["approval"] for row in report["arms"]}
    assert list(gaps["default"]["gender"]["rates"]) == ["F", "M"]
    assert gaps["default"]["gender"]["gap"]["value"] < 0.1
    assert gaps["with gender"]["gender"]["gap"]["low"] > 0.2
    assert gaps["with age"]["age"]["gap"]["low"] > gaps["default"]["age"]["gap"]["high"]
    rates = gaps["with gender"]["gender"]["rates"]
    assert gaps["with gender"]["gender"]["gap"]["value"] == pytest.approx(rates["F"] - rates["M"])


def test_differences_of_approval_have_a_sign_and_may_be_none(report):
    approval = {row["arm"]: row["approval"] for row in report["arms"]}

    default, given = (approval[arm]["gender"] for arm in ("default", "with gender"))
    assert default["reference"] == "F"
    assert default["differences"]["M"]["low"] < 0 < default["differences"]["M"]["high"]
    assert given["differences"]["M"]["value"] == pytest.approx(given["rates"]["M"] - given["rates"]["F"])
    assert given["differences"]["M"]["high"] < -0.2
    assert set(approval["default"]["age"]["differences"]) == set(approval["default"]["age"]["rates"]) - {
        approval["default"]["age"]["reference"]
    }


def test_the_cost_is_drawn(report, tmp_path):
    plot_excluding_cost(report, tmp_path / "price.png", SOURCE)
    assert is_drawn(tmp_path / "price.png")


def test_the_command_writes_both_files(clients, report, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(price_of_fairness, "DATA", tmp_path)
    monkeypatch.setattr(price_of_fairness, "open_data", lambda folder: clients)
    monkeypatch.setattr(price_of_fairness, "cost_of_excluding_protected_attributes", lambda data, settings: report)
    assert run_command(price_of_fairness) == 0
    out = tmp_path / "results" / "fairness"
    assert json.loads((out / "fairness_price.json").read_text()) == report
    assert is_drawn(out / "fairness_price.png")
    assert "with gender" in capsys.readouterr().out


def test_a_single_fold_is_refused(capsys):
    assert run_command(price_of_fairness, "--folds", "1") == FAULT
    assert "--folds must be at least 2" in capsys.readouterr().err
