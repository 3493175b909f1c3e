import json
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from bento.model.predictors import (
    BlendPredictor,
    BoosterPredictor,
    FamilyError,
    LinearPredictor,
    Term,
    load_predictor,
)

NAMES = ["amount", "housing", "flag"]
TERMS = [
    Term(feature="amount", knots=[0.0, 10.0, 30.0], effects=[0.5, 0.0, -1.0], missing=0.2, mean=-0.1),
    Term(feature="housing", effects=[0.3, -0.3], missing=0.0, mean=0.05),
    Term(feature="flag", knots=[1.0], effects=[0.7], missing=-0.7, mean=0.0),
]
LINEAR = LinearPredictor(intercept=-2.0, terms=TERMS)
ROWS = 400


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    random = np.random.default_rng(1)
    columns = [random.normal(15, 15, ROWS), random.integers(0, 2, ROWS), np.ones(ROWS)]
    matrix = np.column_stack(columns)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    return matrix


@pytest.fixture(scope="module")
def trees(matrix: np.ndarray) -> BoosterPredictor:
    target = np.nan_to_num(matrix[:, 0]) + np.random.default_rng(2).normal(0, 10, ROWS) < 5
    rows = lightgbm.Dataset(matrix, target, feature_name=NAMES)
    settings = {"objective": "binary", "num_leaves": 7, "verbosity": -1, "num_threads": 1}
    return BoosterPredictor(lightgbm.train(settings, rows, 20).model_to_string())


@pytest.fixture(scope="module")
def blend(trees: BoosterPredictor) -> BlendPredictor:
    return BlendPredictor.of({"lightgbm": trees, "linear": LINEAR}, {"lightgbm": 0.75, "linear": 0.25})


@pytest.mark.parametrize(
    ("amount", "effect"),
    [(-5, 0.5), (0, 0.5), (5, 0.25), (10, 0), (20, -0.5), (30, -1), (1e300, -1), (np.inf, -1), (np.nan, 0.2)],
)
def test_a_number_adds_what_lies_on_the_line_between_its_knots(amount: float, effect: float):
    log_odds = LINEAR.log_odds(np.array([[amount, 1, 1]]))
    assert log_odds[0] == pytest.approx(-2 + effect - 0.3 + 0.7, abs=1e-12)


@pytest.mark.parametrize(("code", "effect"), [(0, 0.3), (1, -0.3), (np.nan, 0.0)])
def test_a_category_adds_the_effect_of_its_code(code: float, effect: float):
    assert LINEAR.log_odds(np.array([[10, code, 1]]))[0] == pytest.approx(-2 + effect + 0.7, abs=1e-12)


def test_a_number_with_one_knot_adds_the_same_for_every_value():
    rows = np.array([[10, 1, value] for value in (-1e9, 0, 1, 7, np.nan)])
    np.testing.assert_allclose(LINEAR.contributions(rows)[0][:, 2], [0.7, 0.7, 0.7, 0.7, -0.7], atol=1e-12)


def test_many_rows_are_scored_as_each_one_is(matrix: np.ndarray, monkeypatch):
    one_by_one = np.concatenate([LINEAR.log_odds(matrix[[at]]) for at in range(ROWS)])
    monkeypatch.setattr("bento.model.predictors.EFFECT_ROWS", 7)
    np.testing.assert_array_equal(LINEAR.log_odds(matrix), one_by_one)
    assert LINEAR.log_odds(matrix[:0]).shape == (0,)


def test_a_blend_is_the_weighted_sum_of_its_parts(matrix: np.ndarray, trees: BoosterPredictor, blend: BlendPredictor):
    expected = 0.75 * trees.log_odds(matrix) + 0.25 * LINEAR.log_odds(matrix)
    np.testing.assert_allclose(blend.log_odds(matrix), expected, atol=1e-12)


def test_contributions_to_a_blend_add_up_to_its_log_odds(matrix: np.ndarray, blend: BlendPredictor):
    contributions, base = blend.contributions(matrix)
    assert contributions.shape == matrix.shape
    np.testing.assert_allclose(base + contributions.sum(axis=1), blend.log_odds(matrix), rtol=0, atol=1e-9)
    of_amount = 0.75 * blend.parts["lightgbm"].contributions(matrix)[0][:, 0]
    of_amount += 0.25 * LINEAR.contributions(matrix)[0][:, 0]
    np.testing.assert_allclose(contributions[:, 0], of_amount, atol=1e-12)


def test_the_saved_files_of_a_blend_give_the_same_log_odds(matrix: np.ndarray, blend: BlendPredictor, tmp_path: Path):
    blend.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blend.json", "linear.json", "model.txt"]
    np.testing.assert_array_equal(load_predictor("blend", tmp_path, NAMES).log_odds(matrix), blend.log_odds(matrix))


def _blend_of(weights: object, folder: Path, blend: BlendPredictor) -> None:
    blend.save(folder)
    (folder / BlendPredictor.FILE).write_text(json.dumps({"weights": weights}))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"lightgbm": 0.5, "linear": -0.5}, "weights.linear Input should be greater than or equal to 0"),
        ({}, "weights Dictionary should have at least 1 item"),
        ({"blend": 1.0}, "no model family 'blend', only lightgbm, linear"),
        ({"svm": 1.0}, "no model family 'svm', only lightgbm, linear"),
    ],
)
def test_a_blend_that_cannot_be_used_is_refused(weights: object, message: str, tmp_path: Path, blend: BlendPredictor):
    _blend_of(weights, tmp_path, blend)
    with pytest.raises(FamilyError, match=message):
        BlendPredictor.load(tmp_path)


def test_a_blend_without_the_file_of_a_part_is_refused(tmp_path: Path, blend: BlendPredictor):
    blend.save(tmp_path)
    (tmp_path / LinearPredictor.FILE).unlink()
    with pytest.raises(FamilyError, match=r"linear\.json"):
        BlendPredictor.load(tmp_path)


def test_parts_for_different_features_are_not_blended(trees: BoosterPredictor):
    other = LinearPredictor(intercept=0.0, terms=TERMS[::-1])
    with pytest.raises(FamilyError, match="name different features"):
        BlendPredictor.of({"lightgbm": trees, "linear": other}, {"lightgbm": 0.5, "linear": 0.5})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"knots": [0.0, 10.0]}, "amount has 2 knots and 3 effects"),
        ({"knots": [0.0, 0.0, 1.0]}, "the knots of amount do not ascend"),
        ({"effects": []}, "at least 1 item"),
    ],
)
def test_a_term_without_an_effect_at_each_knot_is_refused(changed: dict[str, object], message: str, tmp_path: Path):
    term = TERMS[0].model_dump() | changed
    (tmp_path / LinearPredictor.FILE).write_text(json.dumps({"intercept": 0, "terms": [term]}))
    with pytest.raises(FamilyError, match=message):
        LinearPredictor.load(tmp_path)
