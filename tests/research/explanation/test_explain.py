import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import polars as pl
import pytest
import shap
from scipy.special import expit

from bento.features.catalogue import CATALOGUE
from bento.model.manifest import Calibration, DataSource, ModelManifest
from bento.model.predictors import BoosterPredictor
from bento.model.scoring_model import ScoringModel, encode
from research.cli import FAULT
from research.data.dataset import Data
from research.explanation import explain
from research.explanation import figures as explain_figures
from research.explanation.lime_explainer import LIME_SEEDS, Lime, LimeView, bins, decode
from research.registry import trained_run
from research.training.spline import SplineLogistic
from tests.research.commands import run_command
from tests.research.made_up import declared_columns, is_drawn
from tests.support.references import any_reference

CLIENTS = 500
SAMPLES = 300
NUMBERS = ["application_ext_source_2", "application_ext_source_3", "application_employed_years"]
NAMES = [*NUMBERS, "application_occupation", "application_email"]
COLUMNS = declared_columns(NAMES)
FIGURES = ["shap_beeswarm", "shap_groups", "shap_dependence", "shap_waterfall", "lime"]


@pytest.fixture(scope="module")
def features() -> pl.DataFrame:
    random = np.random.default_rng(1)
    numbers = random.random((3, CLIENTS)) * [[1], [1], [20]]
    numbers[1, random.random(CLIENTS) < 0.3] = np.nan
    words = np.array(CATALOGUE["application_occupation"].categories)[random.integers(0, 6, CLIENTS)]
    occupation = pl.Series(np.where(random.random(CLIENTS) < 0.2, "", words)).replace("", None)
    frame = pl.DataFrame([*numbers, occupation, random.integers(0, 2, CLIENTS).astype(float)], schema=NAMES)
    return frame.with_columns(pl.col(NUMBERS).fill_nan(None))


@pytest.fixture(scope="module")
def target(features: pl.DataFrame) -> np.ndarray:
    chance = expit(1.5 - 5 * features[NAMES[0]].to_numpy() - features[NAMES[1]].fill_null(0.3).to_numpy())
    return (np.random.default_rng(2).random(CLIENTS) < chance).astype(np.int64)


@pytest.fixture(scope="module")
def data_source(synthetic_folder: Path) -> DataSource:
    return Data(synthetic_folder).source


@pytest.fixture(scope="module", params=["lightgbm", "linear"])
def model(request, features, target, data_source, tmp_path_factory) -> ScoringModel:
    matrix = encode(features, COLUMNS)
    if request.param == "lightgbm":
        rows = lightgbm.Dataset(matrix, target, feature_name=NAMES, categorical_feature=[NAMES[3]])
        settings = {"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1}
        predictor = BoosterPredictor(lightgbm.train(settings, rows, 40).model_to_string())
    else:
        predictor = SplineLogistic(tuple(COLUMNS)).fit(matrix, target).predictor_
    folder = tmp_path_factory.mktemp(request.param) / "run" / "model"
    folder.mkdir(parents=True)
    predictor.save(folder)
    manifest = ModelManifest(
        family=request.param,
        features=COLUMNS,
        calibration=Calibration(slope=1.2, intercept=-0.3),
        threshold=0.2,
        training_data=data_source,
        code_version="test",
        metrics={},
    )
    (folder / "scoring.json").write_text(manifest.model_dump_json())
    any_reference(NAMES).save(folder)
    return ScoringModel(folder)


@pytest.fixture(scope="module")
def explained(model, features, tmp_path_factory) -> tuple[dict[str, Any], Path]:
    """The report of a model, and the folder of its figures."""
    out = tmp_path_factory.mktemp("explained")
    return explain.explain(model, features, out, seed=1, lime_samples=SAMPLES), out


def test_the_report_can_be_written_as_json_and_names_the_data(explained):
    report, _ = explained
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert (report["data"], report["rows"]) == ("synthetic", CLIENTS)


def test_features_are_listed_by_their_mean_contribution(explained, model, features):
    report, _ = explained
    contributions, base = model.contributions(features)
    assert report["base_value"] == base
    assert report["largest_additivity_error"] < 1e-9
    importance = dict(zip(NAMES, np.abs(contributions).mean(axis=0), strict=True))
    assert [row["feature"] for row in report["features"]] == sorted(NAMES, key=lambda name: -importance[name])
    for row in report["features"]:
        assert row["mean_abs_shap"] == pytest.approx(importance[row["feature"]])
        assert row["label"] == CATALOGUE[row["feature"]].en


def test_typical_clients_lie_on_both_sides_of_the_threshold(explained, model):
    typical = explained[0]["typical"]
    granted, refused = (typical[name]["probability_of_default"] for name in ("granted", "refused"))
    assert granted < model.threshold <= refused


def test_lime_agrees_with_shap_on_the_sign(explained):
    lime = explained[0]["lime"]
    assert len(lime["clients"]) == len(explain.LIME_CLIENTS)
    assert 0 < lime["stability"]["jaccard"] <= lime["stability"]["overlap"] <= 1
    assert lime["agreement"]["sign"] > 0.5


def test_every_figure_is_drawn(explained):
    _, out = explained
    assert sorted(path.stem for path in out.iterdir()) == sorted(FIGURES)
    assert all(is_drawn(out / f"{name}.png") for name in FIGURES)


@pytest.mark.parametrize("model", ["lightgbm"], indirect=True)
def test_the_same_seed_gives_the_same_numbers_and_figures(model, features, tmp_path, monkeypatch):
    monkeypatch.setattr(explain, "MAX_CLIENTS", 60)
    reports = []
    for name in ("first", "second"):
        np.random.rand(7)  # the state of the global generator must not matter
        reports.append(explain.explain(model, features, tmp_path / name, seed=3, lime_samples=SAMPLES))
    assert reports[0] == reports[1]
    for name in FIGURES:
        assert (tmp_path / "first" / f"{name}.png").read_bytes() == (tmp_path / "second" / f"{name}.png").read_bytes()
    assert reports[0]["rows"] == 60


@pytest.mark.parametrize("model", ["lightgbm"], indirect=True)
def test_contributions_are_those_of_shap_itself(model, features):
    booster = lightgbm.Booster(model_file=model.folder / "model.txt")
    of_shap = shap.TreeExplainer(booster)(encode(features, COLUMNS))
    contributions, base = model.contributions(features)
    slope, intercept = model.manifest.calibration.slope, model.manifest.calibration.intercept
    np.testing.assert_allclose(contributions, of_shap.values * slope, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(base, of_shap.base_values * slope + intercept, rtol=1e-9)


def test_the_drawn_contributions_add_up(model, features):
    contributions, base = model.contributions(features)
    view = explain_figures.View.of(model, features, contributions, base)
    drawn = view.explanation.values.sum(axis=1) + view.explanation.base_values
    np.testing.assert_allclose(drawn, model.log_odds(features), atol=1e-9)
    grouped, groups = explain.by_group(contributions, NAMES)
    np.testing.assert_allclose(grouped.sum(axis=1), contributions.sum(axis=1), atol=1e-12)
    assert groups == ["external_scores", "employment", "identity_contact"]
    np.testing.assert_allclose(grouped[:, 0], contributions[:, 0] + contributions[:, 1], atol=1e-12)
    np.testing.assert_allclose(grouped[:, 1], contributions[:, 2] + contributions[:, 3], atol=1e-12)


def test_values_are_drawn_in_words(model, features):
    contributions, base = model.contributions(features)
    view = explain_figures.View.of(model, features, contributions, base)
    unknown = features.with_row_index().filter(pl.col("application_occupation").is_null())["index"][0]
    assert view.words[unknown, 3] == "unknown"
    assert set(view.words[:, 4]) == {"yes", "no"}
    assert view.explanation.feature_names[2] == "Time in the present employment\n[years]"
    main = [NAMES[position] for position in explain_figures.main_numbers(view)]
    assert len(main) == 2  # one for each concept, no category and no flag
    assert {CATALOGUE[name].group for name in main} == {"external_scores", "employment"}


def test_decoding_undoes_encoding(features):
    assert decode(encode(features, COLUMNS), COLUMNS).fill_nan(None).equals(features)


def test_lime_is_the_same_by_seed(model, features):
    lime = Lime(model, features, SAMPLES)
    first, again, other = (lime.explain(5, seed) for seed in (1, 1, 10))
    np.testing.assert_array_equal(first.weights, again.weights)
    assert not np.array_equal(first.weights, other.weights)
    assert first.weights.shape == (LIME_SEEDS, len(NAMES))
    # Each seed is separate: the second of seed 1 is the first of seed 2.
    np.testing.assert_array_equal(first.weights[1], lime.explain(5, 2).weights[0])


class Watched:
    """A model of one feature, which records the clients it scores."""

    def __init__(self, model: ScoringModel) -> None:
        self.manifest, self.asked = model.manifest, []

    def log_odds(self, features: pl.DataFrame) -> np.ndarray:
        self.asked.append(features)
        return 2 - 6 * features[NAMES[0]].to_numpy()


def test_limes_neighbours_have_values_of_clients_or_missing_ones(model, features):
    watched = Watched(model)
    # A client of high score, whose second score is missing.
    row = int(features.with_row_index().filter(pl.col(NAMES[1]).is_null()).sort(NAMES[0])["index"][-1])
    lime_view = Lime(watched, features, SAMPLES).explain(row, seed=1)
    neighbours = watched.asked[0].with_columns(pl.col(NUMBERS).fill_nan(None))
    assert neighbours.columns == NAMES
    assert neighbours[:1].equals(features[row : row + 1])
    for name in NAMES:
        assert set(neighbours[name].to_list()) <= set(features[name].to_list())
    assert 0.15 < neighbours[NAMES[1]].null_count() / len(neighbours) < 0.45
    assert all(top[0] == 0 for top in np.argsort(-np.abs(lime_view.weights), axis=1))
    assert np.abs(lime_view.weights[:, 1:]).max() < 0.3 * np.abs(lime_view.weights[:, 0]).min()
    assert np.all(lime_view.weights[:, 0] < 0)


def test_stability_and_agreement_by_hand():
    weights = np.zeros((2, 12))
    weights[0, :10] = np.arange(20, 10, -1)
    weights[1, 1:11] = np.arange(20, 10, -1)
    view = LimeView(weights, np.array([0.5, 0.5]))
    assert view.stability() == {"overlap": pytest.approx(0.9), "jaccard": pytest.approx(9 / 11)}
    shap_values = np.arange(12, 0, -1.0)
    shap_values[1] = -11.0
    agreement = view.agreement(shap_values)
    assert agreement["sign"] == pytest.approx(0.9)
    assert agreement["overlap"] == pytest.approx((10 / 10 + 9 / 10) / 2)


def test_a_column_without_values_is_one_bin():
    assert bins(np.full(3, np.nan), COLUMNS[0]).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("model", ["linear"], indirect=True)
def test_only_granted_clients_are_explained_too(model, features, tmp_path):
    everybody = model.manifest.model_copy(update={"threshold": 1.0})
    lenient = ScoringModel(model.folder)
    lenient.manifest = everybody
    report = explain.explain(lenient, features[:80], tmp_path, seed=1, lime_samples=SAMPLES)
    assert list(report["typical"]) == ["granted"]
    assert is_drawn(tmp_path / "shap_waterfall.png")


@pytest.mark.parametrize("model", ["lightgbm"], indirect=True)
def test_the_command_explains_a_run_and_a_client(model, synthetic_folder, monkeypatch, tmp_path, capsys):
    results = model.folder.parent
    monkeypatch.setattr(trained_run, "DATA", tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "r").symlink_to(results)
    arguments = ("--run", "r", "--data", str(synthetic_folder))
    assert run_command(explain, *arguments) == 0
    report = json.loads((results / "explanations.json").read_text())
    test = Data(synthetic_folder).test_features()
    assert report["rows"] == len(test)
    client = int(test["SK_ID_CURR"][3])
    assert run_command(explain, *arguments, "--client", str(client)) == 0
    assert all(is_drawn(results / f"{client}_{name}.png") for name in ("waterfall", "lime"))
    assert f"{model.probability(test[3:4])[0]:.6f}"[:7] in capsys.readouterr().out
    assert run_command(explain, *arguments, "--client", "7") == FAULT
    assert "holds no client 7" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["lightgbm"], indirect=True)
def test_other_data_than_that_of_training_is_refused(model, synthetic_folder, monkeypatch, tmp_path, capsys):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "r").symlink_to(model.folder.parent)
    monkeypatch.setattr(trained_run, "DATA", tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "application_train.parquet").symlink_to(synthetic_folder / "application_train.parquet")
    assert run_command(explain, "--run", "r", "--data", str(other)) == FAULT
    assert "not the data that r was trained on" in capsys.readouterr().err
