import numpy as np
import pytest
from scipy.special import expit

from research.evaluation.calibration import METHODS, calibration_line, compare_calibrations, served_calibration

ROWS = 20_000


def _drawn(slope: float, intercept: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions whose truth is slope * prediction + intercept on the log-odds."""
    random = np.random.default_rng(1)
    predicted = random.normal(-2, 1, ROWS)
    target = (random.random(ROWS) < expit(slope * predicted + intercept)).astype(np.int64)
    return target, predicted, np.arange(ROWS) % 5


def test_the_line_is_found_back():
    target, predicted, _ = _drawn(0.6, -0.4)
    assert calibration_line(target, predicted) == pytest.approx((0.6, -0.4), abs=0.07)


def test_a_good_prediction_is_left_alone():
    target, predicted, fold = _drawn(1, 0)
    compared = compare_calibrations(target, predicted, fold)
    served = served_calibration(target, predicted, compared)
    assert (served.slope, served.intercept) == (1, 0)


def test_an_extreme_prediction_is_mended_and_the_gain_is_said():
    target, predicted, fold = _drawn(0.5, -1)
    compared = {row["method"]: row for row in compare_calibrations(target, predicted, fold)}
    served = served_calibration(target, predicted, list(compared.values()))
    assert (served.slope, served.intercept) == pytest.approx((0.5, -1), abs=0.1)
    assert compared["none"]["slope"] == pytest.approx(0.5, abs=0.1)
    assert compared["none"]["log_loss_gain"] == 0
    for method in ("sigmoid", "beta", "isotonic"):
        assert compared[method]["slope"] == pytest.approx(1, abs=0.2)
        assert compared[method]["log_loss_gain"] > 5 * compared[method]["log_loss_gain_error"]
        assert compared[method]["brier"] < compared["none"]["brier"]


def test_a_map_is_judged_on_rows_it_was_not_fitted_on():
    # Noise: on its own rows isotonic regression would look far better than the base rate.
    random = np.random.default_rng(2)
    target = (random.random(300) < 0.3).astype(np.int64)
    compared = {
        row["method"]: row for row in compare_calibrations(target, random.normal(-1, 0.01, 300), np.arange(300) % 3)
    }
    assert compared["isotonic"]["log_loss"] > -np.mean(target * np.log(0.3) + (1 - target) * np.log(0.7))


@pytest.mark.parametrize("method", METHODS)
def test_every_map_gives_probabilities_in_order(method):
    target, predicted, _ = _drawn(0.7, 0.2)
    mapped = METHODS[method](target, predicted)(np.array([-800.0, -5, -2, 0, 3, 800]))
    assert np.all((mapped >= 0) & (mapped <= 1))
    assert np.all(np.diff(mapped) >= 0)
