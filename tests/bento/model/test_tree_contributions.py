"""The tables of a booster give the contributions of LightGBM's TreeSHAP, of any trees and rows."""

import re
from typing import Any

import lightgbm
import numpy as np
import pytest

from bento.model.predictors import BoosterPredictor
from bento.model.tree_contributions import TreeContributions

ROWS, NUMBERS, CATEGORIES = 600, 5, 70
CATEGORY = NUMBERS
"""Column of the categories: more of them than a word of LightGBM's sets has bits."""
SHALLOW = {"objective": "binary", "num_leaves": 15, "max_depth": 7, "verbosity": -1, "num_threads": 1, "seed": 1}


def _rows(seed: int = 1, missing: float = 0.1) -> np.ndarray:
    random = np.random.default_rng(seed)
    categories = random.integers(0, CATEGORIES, ROWS)
    matrix = np.column_stack([random.normal(size=(ROWS, NUMBERS)).round(1), categories])
    matrix[random.random(matrix.shape) < missing] = np.nan
    return matrix


def _trained(matrix: np.ndarray, trees: int = 40, **settings: Any) -> lightgbm.Booster:
    filled = np.nan_to_num(matrix)
    target = filled[:, 0] + filled[:, 1] * filled[:, 2] + (filled[:, CATEGORY] % 3) > 1
    rows = lightgbm.Dataset(matrix, target, categorical_feature=[CATEGORY])
    return lightgbm.train(SHALLOW | {"min_data_per_group": 5, "cat_smooth": 1} | settings, rows, trees)


def _tables(booster: lightgbm.Booster) -> TreeContributions:
    tables = TreeContributions.of(booster.model_to_string())
    assert tables is not None
    return tables


def _assert_those_of_the_package(booster: lightgbm.Booster, matrix: np.ndarray) -> None:
    contributions, base = _tables(booster).contributions(matrix)
    expected = booster.predict(matrix, pred_contrib=True)
    np.testing.assert_allclose(contributions, expected[:, :-1], rtol=0, atol=1e-12)
    assert base == pytest.approx(expected[0, -1], abs=1e-12)
    assert np.abs(contributions).max() > 0.01


@pytest.mark.parametrize("missing", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("leaves", [2, 7, 15])
def test_contributions_are_those_of_the_package(leaves: int, missing: float):
    matrix = _rows(missing=missing)

    _assert_those_of_the_package(_trained(matrix, num_leaves=leaves), matrix)


def test_values_that_training_did_not_see_follow_the_same_paths():
    booster = _trained(_rows(missing=0.0))  # LightGBM then reads a missing number as 0
    odd = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-36, 1e300, -0.5, -1.0, -3.0, 31.0, 32.9, 69.0, 70.0, 1e6]
    matrix = np.vstack([np.where(np.arange(NUMBERS + 1) == column, value, 1.0) for column in (0, 5) for value in odd])

    _assert_those_of_the_package(booster, matrix)


def test_values_at_a_limit_stay_on_the_side_of_the_package():
    booster = _trained(_rows())
    text = booster.model_to_string()
    limits, decisions = (re.findall(rf"^{name}=(.*)$", text, re.M) for name in ("threshold", "decision_type"))
    paired = zip(" ".join(limits).split(), " ".join(decisions).split(), strict=True)
    numbers = {float(limit) for limit, decision in paired if not int(decision) & 1}  # bit 0: a set of categories
    around = [
        value for limit in numbers for value in (limit, np.nextafter(limit, -np.inf), np.nextafter(limit, np.inf))
    ]

    assert len(numbers) > 10

    _assert_those_of_the_package(booster, np.repeat(np.array(around)[:, None], NUMBERS + 1, axis=1))


def test_a_model_of_numbers_alone_has_tables():
    matrix = _rows()[:, :NUMBERS]
    booster = lightgbm.train(SHALLOW, lightgbm.Dataset(matrix, np.nan_to_num(matrix[:, 0]) > 0), 10)

    _assert_those_of_the_package(booster, matrix)


def test_contributions_and_base_value_add_up_to_the_log_odds():
    booster, matrix = _trained(_rows()), _rows(seed=2)

    contributions, base = _tables(booster).contributions(matrix)

    np.testing.assert_allclose(contributions.sum(axis=1) + base, booster.predict(matrix, raw_score=True), atol=1e-12)


def test_a_row_has_the_same_contributions_alone_and_among_others_to_the_bit():
    tables, matrix = _tables(_trained(_rows())), _rows(seed=2)
    together, _ = tables.contributions(matrix)

    alone = np.vstack([tables.contributions(row[None])[0] for row in matrix])

    np.testing.assert_array_equal(alone, together)


def test_no_rows_have_no_contributions():
    contributions, _ = _tables(_trained(_rows())).contributions(np.empty((0, NUMBERS + 1)))

    assert contributions.shape == (0, NUMBERS + 1)


@pytest.mark.parametrize(
    "settings",
    [
        {"linear_tree": True},
        {"objective": "multiclass", "num_class": 2},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
        {"min_gain_to_split": 1e9},
    ],
    ids=["linear leaves", "classes", "averages", "no split"],
)
def test_trees_of_another_kind_have_no_tables(settings: dict[str, Any]):
    assert TreeContributions.of(_trained(_rows(), trees=3, **settings).model_to_string()) is None


@pytest.mark.parametrize("settings", [{}, {"zero_as_missing": True}], ids=["too large", "zeros missing"])
def test_trees_without_tables_are_explained_by_the_library(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    matrix, booster = _rows(), _trained(_rows(), trees=3, **settings)
    if not settings:
        monkeypatch.setattr("bento.model.tree_contributions.MAX_VALUES", 100)
    assert TreeContributions.of(booster.model_to_string()) is None

    contributions, base = BoosterPredictor(booster.model_to_string()).contributions(matrix)

    expected = booster.predict(matrix, pred_contrib=True)
    np.testing.assert_array_equal(contributions, expected[:, :-1])
    assert base == expected[0, -1]
