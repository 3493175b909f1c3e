"""LightGBM's C library predicts as LightGBM's Python package does, which the container does not import."""

import subprocess
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from bento.model.lightgbm_library import CONTRIBUTIONS, MAX_NAME_BYTES, RAW_SCORE, Booster, LibraryError
from bento.model.predictors import BoosterPredictor

ROWS, FEATURES, TREES = 400, 6, 30
NAMES = ["short", "y" * (3 * MAX_NAME_BYTES), *(f"feature_{number}" for number in range(2, FEATURES))]


@pytest.fixture(scope="module")
def matrix() -> np.ndarray:
    random = np.random.default_rng(1)
    values = random.normal(size=(ROWS, FEATURES))
    values[random.random(values.shape) < 0.1] = np.nan
    return values


@pytest.fixture(scope="module")
def package(matrix: np.ndarray) -> lightgbm.Booster:
    """Return a booster of LightGBM's Python package."""
    target = np.nan_to_num(matrix).sum(axis=1) > 0
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "seed": 1, "min_data_in_leaf": 5}
    return lightgbm.train(settings, lightgbm.Dataset(matrix, target, feature_name=NAMES), TREES)


@pytest.fixture(scope="module")
def booster(package: lightgbm.Booster) -> Booster:
    return Booster(package.model_to_string())


def test_log_odds_are_those_of_the_package_to_the_bit(
    booster: Booster, package: lightgbm.Booster, matrix: np.ndarray
) -> None:
    np.testing.assert_array_equal(booster.predict(matrix, RAW_SCORE), package.predict(matrix, raw_score=True))


def test_contributions_are_those_of_the_package_to_the_bit(
    booster: Booster, package: lightgbm.Booster, matrix: np.ndarray
) -> None:
    contributions = booster.predict(matrix, CONTRIBUTIONS).reshape(ROWS, -1)

    np.testing.assert_array_equal(contributions, package.predict(matrix, pred_contrib=True))


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda matrix: np.repeat(matrix, 2, axis=0)[::2]])
def test_the_layout_of_the_matrix_does_not_matter(booster: Booster, matrix: np.ndarray, layout) -> None:
    np.testing.assert_array_equal(booster.predict(layout(matrix), RAW_SCORE), booster.predict(matrix, RAW_SCORE))


def test_feature_names_of_any_length_are_read_whole(booster: Booster) -> None:
    assert booster.feature_names() == NAMES


def test_a_saved_predictor_is_the_file_of_the_package(package: lightgbm.Booster, tmp_path: Path) -> None:
    package.save_model(tmp_path / "package.txt")

    BoosterPredictor(package.model_to_string()).save(tmp_path)

    assert (tmp_path / BoosterPredictor.FILE).read_bytes() == (tmp_path / "package.txt").read_bytes()


def test_a_matrix_of_other_width_is_refused(booster: Booster, matrix: np.ndarray) -> None:
    with pytest.raises(LibraryError, match="number of features in data"):
        booster.predict(matrix[:, :-1], RAW_SCORE)


def test_a_text_that_is_no_model_is_refused() -> None:
    with pytest.raises(LibraryError, match="number of classes"):
        Booster("no model")


def test_serving_imports_neither_scipy_nor_the_package() -> None:
    script = (
        "import sys; import bento.service, bento.model.lightgbm_library as library; library._library();"
        "print([name for name in ('scipy', 'lightgbm', 'narwhals') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert done.stdout.splitlines()[-1] == "[]"
