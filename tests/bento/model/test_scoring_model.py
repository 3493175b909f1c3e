import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from bento.data.cleaning import clean
from bento.data.credit_file import CreditFile
from bento.data.readers import read_application, read_history
from bento.data.tables import HISTORIES
from bento.features.build import build_features
from bento.model.manifest import EXAMPLES_FILE, SCORING_FILE, ModelFeature
from bento.model.peer_groups import REFERENCE_FILE
from bento.model.predictors import BoosterPredictor
from bento.model.scoring_model import ModelError, ScoringModel, encode, probability, rounded
from tests.support.clients import make_credit_files


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ScoringModel:
    return ScoringModel(model_folder)


@pytest.fixture(scope="module")
def features(synthetic_folder: Path) -> pl.DataFrame:
    applications = read_application(synthetic_folder, "application_train").head(200)
    histories = {name: read_history(synthetic_folder, name) for name in HISTORIES}
    return build_features(clean({"application": applications, **histories}))


@pytest.fixture
def copy(model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def test_contributions_add_up_to_the_log_odds(model: ScoringModel, features: pl.DataFrame):
    contributions, base_value = model.contributions(features)
    assert contributions.shape == (len(features), len(model.feature_names))
    np.testing.assert_allclose(base_value + contributions.sum(axis=1), model.log_odds(features), rtol=0, atol=1e-9)


def test_the_order_of_columns_does_not_matter(model: ScoringModel, features: pl.DataFrame):
    turned = features.select(reversed(features.columns))
    np.testing.assert_array_equal(model.probability(turned), model.probability(features))


def test_one_client_is_encoded_as_many_are(model: ScoringModel, features: pl.DataFrame):
    unknown = features.head(3).with_columns(application_occupation=pl.lit("Astronaut"))
    for rows in (features.head(50), unknown):
        many = encode(rows, model.manifest.features)
        one_by_one = np.vstack([encode(rows[[number]], model.manifest.features) for number in range(len(rows))])
        np.testing.assert_array_equal(one_by_one, many)


def test_rounding_removes_differences_in_the_last_bits():
    days = np.arange(20_000.0).reshape(-1, 1)
    divided, multiplied = days / 365.25, days * (1 / 365.25)
    assert (divided != multiplied).mean() > 0.1
    assert (rounded(divided) != rounded(multiplied)).mean() < 0.0005
    np.testing.assert_allclose(rounded(divided), divided, rtol=1e-12)
    odd = np.array([[np.nan, -np.inf, np.inf, 0.0, -0.0, 5e-324, -(2.0**1000), 0.5, 3.0]])
    np.testing.assert_array_equal(rounded(odd), odd)


def test_an_unknown_category_is_scored_as_a_missing_one(model: ScoringModel, features: pl.DataFrame):
    unknown = features.with_columns(application_occupation=pl.lit("Astronaut"))
    missing = features.with_columns(application_occupation=pl.lit(None, dtype=pl.String))
    np.testing.assert_array_equal(model.probability(unknown), model.probability(missing))


def test_calibration_scales_scores_and_contributions_alike(copy: Path, features: pl.DataFrame):
    scoring = json.loads((copy / SCORING_FILE).read_text())

    def with_calibration(slope: float, intercept: float) -> ScoringModel:
        changed = scoring | {"calibration": {"slope": slope, "intercept": intercept}}
        (copy / SCORING_FILE).write_text(json.dumps(changed))
        return ScoringModel(copy)

    plain, calibrated = with_calibration(1, 0), with_calibration(0.9, -0.2)
    np.testing.assert_allclose(calibrated.log_odds(features), 0.9 * plain.log_odds(features) - 0.2, atol=1e-12)
    contributions, base_value = calibrated.contributions(features)
    np.testing.assert_allclose(base_value + contributions.sum(axis=1), calibrated.log_odds(features), atol=1e-9)


def test_better_external_scores_lower_the_risk_on_average(model: ScoringModel, features: pl.DataFrame):
    scores = [name for name in features.columns if name.startswith("application_ext_source_m")]
    scores += [f"application_ext_source_{number}" for number in (1, 2, 3)]
    worse, better = (model.probability(features.with_columns(pl.lit(x).alias(n) for n in scores)) for x in (0.2, 0.8))
    assert better.mean() < worse.mean()


def test_probability_is_exact_in_both_tails():
    assert probability(0) == 0.5
    assert probability(-800) == 0
    assert probability(800) == 1
    assert probability(-40) == pytest.approx(np.exp(-40), rel=1e-12)


def test_the_examples_are_recomputed(model: ScoringModel):
    model.verify()
    examples = json.loads((model.folder / EXAMPLES_FILE).read_text())["examples"]
    assert len(examples) == 20
    assert any(set(example["credit_file"]) == {"application"} for example in examples)


def test_a_changed_probability_refuses_the_model(copy: Path):
    examples = json.loads((copy / EXAMPLES_FILE).read_text())
    examples["examples"][3]["log_odds"] += 1e-7
    (copy / EXAMPLES_FILE).write_text(json.dumps(examples))
    with pytest.raises(ModelError, match=r"example 3: log-odds is .* train again"):
        ScoringModel(copy).verify()


def test_a_changed_feature_refuses_the_model(copy: Path):
    examples = json.loads((copy / EXAMPLES_FILE).read_text())
    examples["examples"][0]["features"]["application_credit"] += 1
    (copy / EXAMPLES_FILE).write_text(json.dumps(examples))
    with pytest.raises(ModelError, match="example 0: application_credit is"):
        ScoringModel(copy).verify()


def test_a_changed_file_refuses_the_model(copy: Path):
    scoring = json.loads((copy / SCORING_FILE).read_text())
    (copy / SCORING_FILE).write_text(json.dumps(scoring | {"threshold": 0.9}))
    with pytest.raises(ModelError, match=r"scoring\.json is not what it was at training"):
        ScoringModel(copy).verify()


@pytest.mark.parametrize(
    "change",
    [
        lambda examples: examples["examples"].clear(),
        lambda examples: examples["examples"][0]["credit_file"]["application"].update(AMT_CREDIT="much"),
        lambda examples: examples["examples"][0]["features"].popitem(),
        lambda examples: examples["examples"][0]["features"].update(unheard_of=1),
    ],
)
def test_unusable_examples_refuse_the_model(copy: Path, change: Callable[[Any], object]):
    examples = json.loads((copy / EXAMPLES_FILE).read_text())
    change(examples)
    (copy / EXAMPLES_FILE).write_text(json.dumps(examples))
    with pytest.raises(ModelError):
        ScoringModel(copy).verify()


def test_other_feature_code_refuses_the_model(copy: Path):
    examples = json.loads((copy / EXAMPLES_FILE).read_text())
    (copy / EXAMPLES_FILE).write_text(json.dumps(examples | {"catalogue": "0" * 16}))
    with pytest.raises(ModelError, match="other feature code"):
        ScoringModel(copy).verify()


@pytest.mark.parametrize("name", [BoosterPredictor.FILE, SCORING_FILE, REFERENCE_FILE])
def test_a_missing_file_is_named(copy: Path, name: str):
    (copy / name).unlink()
    with pytest.raises(ModelError, match="not a usable model folder"):
        ScoringModel(copy)


@pytest.mark.parametrize("name", [BoosterPredictor.FILE, SCORING_FILE, REFERENCE_FILE])
def test_a_cut_file_is_refused(copy: Path, name: str):
    (copy / name).write_bytes((copy / name).read_bytes()[:500])
    with pytest.raises(ModelError):
        ScoringModel(copy)


def test_a_reference_to_other_features_refuses_the_model(copy: Path):
    reference = json.loads((copy / REFERENCE_FILE).read_text())
    del reference["groups"][2]["medians"]["application_ext_source_3"]
    (copy / REFERENCE_FILE).write_text(json.dumps(reference))
    with pytest.raises(ModelError, match=r"reference\.json and scoring\.json name different features; train again"):
        ScoringModel(copy)


def test_features_of_another_order_refuse_the_model(copy: Path):
    scoring = json.loads((copy / SCORING_FILE).read_text())
    scoring["features"].reverse()
    (copy / SCORING_FILE).write_text(json.dumps(scoring))
    with pytest.raises(ModelError, match="name different features"):
        ScoringModel(copy)


COLUMNS = [
    ModelFeature(name="amount", typical=7.0),
    ModelFeature(name="score"),
    ModelFeature(name="housing", categories=["rented", "owned"], typical="owned"),
    ModelFeature(name="job", categories=["cook"]),
]
ROWS = pl.DataFrame(
    {
        "amount": [1.0, None, 0.0],
        "score": [0.5, None, 0.0],
        "housing": ["rented", None, "boat"],
        "job": ["cook", None, "astronaut"],
    }
)


@pytest.mark.parametrize("one_by_one", [False, True])
def test_an_unknown_value_is_read_as_typical_or_stays_unknown(one_by_one: bool):
    parts = ROWS.iter_slices(1) if one_by_one else [ROWS]
    matrix = np.vstack([encode(part, COLUMNS) for part in parts])

    nan = np.nan
    np.testing.assert_array_equal(matrix, [[1, 0.5, 0, 0], [7, nan, 1, nan], [0, 0, 1, nan]])


def test_not_a_number_is_unknown_too():
    rows = ROWS.with_columns(pl.lit(np.nan).alias("amount"))
    for part in (rows, rows[[0]]):
        assert set(encode(part, COLUMNS)[:, 0]) == {7.0}


def test_encoding_leaves_the_features_as_they_are():
    rows = pl.DataFrame({"amount": [1.0, np.nan]})
    encode(rows, COLUMNS[:1])
    assert np.isnan(rows["amount"][1])


def test_a_typical_value_must_be_a_category_of_its_feature():
    with pytest.raises(ValidationError, match="housing has no category boat, which it names as typical"):
        ModelFeature(name="housing", categories=["rented"], typical="boat")


def test_variants_read_unknown_values_as_one_client_does(model: ScoringModel, features: pl.DataFrame):
    client = features[[0]]
    changed = pl.DataFrame({"application_credit_to_annuity": [None, 20.0]}, schema_overrides={0: pl.Float64})
    expected = [
        float(model.log_odds(client.with_columns(application_credit_to_annuity=pl.lit(value, dtype=pl.Float64)))[0])
        for value in (None, 20.0)
    ]
    np.testing.assert_array_equal(model.log_odds_with(client, changed), expected)


def test_a_folder_of_the_format_before_is_refused(copy: Path):
    content = json.loads((copy / REFERENCE_FILE).read_text())
    del content["fields"]
    (copy / REFERENCE_FILE).write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"no usable reference\.json: fields Field required; train again"):
        ScoringModel(copy)


def test_a_file_that_arrays_cannot_hold_has_its_features_of_frames(model: ScoringModel):
    file = CreditFile.model_validate(make_credit_files(1)[0])
    # 0 / 0 months, added to an age: no request may hold such amounts.
    file.application.update({"AMT_CREDIT": 0.0, "AMT_ANNUITY": 0.0})
    others = ("application_age_at_payoff_years",)

    (values,), matrix = model.client_inputs([file], others=others)

    features = model.features([file], others=others)
    assert values == features.row(0, named=True)
    assert values["application_age_at_payoff_years"] is None
    np.testing.assert_array_equal(matrix, model.matrix(features))
