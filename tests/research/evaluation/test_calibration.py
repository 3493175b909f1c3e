import numpy as np
import pytest
from scipy.special import expit

from bento.model.manifest import Calibration
from research.evaluation.calibration import (
    METHODS,
    calibration_curve,
    calibration_line,
    compare_calibrations,
    cross_calibrated,
    served_calibration,
)
from research.types import OutOfFold

ROWS = 20_000


def _drawn(slope: float, intercept: float) -> OutOfFold:
    """Draw scores whose true log-odds are slope * score + intercept."""
    random = np.random.default_rng(1)
    predicted = random.normal(-2, 1, ROWS)
    target = (random.random(ROWS) < expit(slope * predicted + intercept)).astype(np.int64)
    return OutOfFold(target=target, log_odds=predicted, fold=np.arange(ROWS) % 5)


def test_the_line_is_that_of_the_truth():
    scores = _drawn(0.6, -0.4)
    assert calibration_line(scores.target, scores.log_odds) == pytest.approx((0.6, -0.4), abs=0.07)


def test_a_calibrated_prediction_is_unchanged():
    scores = _drawn(1, 0)
    served = served_calibration(scores, compare_calibrations(scores))
    assert (served.slope, served.intercept) == (1, 0)


def test_an_extreme_prediction_is_corrected_and_the_gain_reported():
    scores = _drawn(0.5, -1)
    compared = {row["method"]: row for row in compare_calibrations(scores)}
    served = served_calibration(scores, list(compared.values()))
    assert (served.slope, served.intercept) == pytest.approx((0.5, -1), abs=0.1)
    assert compared["none"]["slope"] == pytest.approx(0.5, abs=0.1)
    assert compared["none"]["log_loss_gain"] == 0
    for method in ("sigmoid", "beta", "isotonic"):
        assert compared[method]["slope"] == pytest.approx(1, abs=0.2)
        assert compared[method]["log_loss_gain"] > 5 * compared[method]["log_loss_gain_error"]
        assert compared[method]["brier"] < compared["none"]["brier"]


def test_a_map_is_evaluated_on_rows_it_was_not_fitted_on():
    # Noise: on its own rows isotonic regression would look far better than the base rate.
    random = np.random.default_rng(2)
    target = (random.random(300) < 0.3).astype(np.int64)
    scores = OutOfFold(target=target, log_odds=random.normal(-1, 0.01, 300), fold=np.arange(300) % 3)
    compared = {row["method"]: row for row in compare_calibrations(scores)}
    assert compared["isotonic"]["log_loss"] > -np.mean(target * np.log(0.3) + (1 - target) * np.log(0.7))


@pytest.mark.parametrize("method", METHODS)
def test_every_map_gives_probabilities_in_order(method):
    scores = _drawn(0.7, 0.2)
    mapped = METHODS[method](scores.target, scores.log_odds)(np.array([-800.0, -5, -2, 0, 3, 800]))
    assert np.all((mapped >= 0) & (mapped <= 1))
    assert np.all(np.diff(mapped) >= 0)


from bento.model.manifest import Calibration
from research.evaluation.calibration import (
    METHODS,
