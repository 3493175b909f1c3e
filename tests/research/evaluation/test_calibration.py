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


def test_scores_are_calibrated_by_lines_of_the_other_folds():
    scores = _drawn(0.5, -1)
    served = served_calibration(scores, compare_calibrations(scores))

    calibrated = cross_calibrated(scores, served)

    for _, validation in scores.by_fold():
        slope, intercept = calibration_line(scores.target[~validation], scores.log_odds[~validation])
        np.testing.assert_allclose(calibrated.log_odds[validation], slope * scores.log_odds[validation] + intercept)
    # By the line that is served, slope and intercept are 1 and 0 for any scores; on other folds they are figures.
    own = scores.calibrated(served.slope, served.intercept)
    assert calibration_line(own.target, own.log_odds) == pytest.approx((1, 0), abs=1e-6)
    assert abs(calibration_line(calibrated.target, calibrated.log_odds)[0] - 1) > 1e-4


def test_figures_of_few_clients_do_not_flatter_the_line():
    random = np.random.default_rng(3)
    losses = []
    for _ in range(40):
        log_odds = random.normal(-2, 1, 150)
        target = (random.random(150) < expit(log_odds)).astype(np.int64)
        scores = OutOfFold(target=target, log_odds=log_odds, fold=np.arange(150) % 3)
        slope, intercept = calibration_line(target, log_odds)
        served = Calibration(slope=slope, intercept=intercept)
        both = (scores.calibrated(slope, intercept), cross_calibrated(scores, served))
        losses.append([np.mean((one.probability - target) ** 2) for one in both])
    own, others = np.mean(losses, axis=0)
    assert own < others


def test_scores_that_are_served_as_they_are_stay_so():
    scores = _drawn(1, 0)

    assert cross_calibrated(scores, Calibration()) is scores


def test_the_curve_groups_clients_by_rising_probability():
    probability = np.repeat([0.4, 0.1], [10, 10])
    target = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, *[0] * 9, 1])

    curve = calibration_curve(target, probability)

    assert [group["clients"] for group in curve] == [2] * 10
    assert [group["predicted"] for group in curve] == pytest.approx([0.1] * 5 + [0.4] * 5)
    assert sum(group["clients"] * group["observed"]["value"] for group in curve) == pytest.approx(5)
    assert [group["observed"]["value"] for group in curve] == [0, 0, 0, 0, 0.5, 1, 1, 0, 0, 0]


def test_the_curve_of_a_method_holds_its_probabilities_and_an_interval():
    scores = _drawn(0.5, -1)

    curves = {row["method"]: row["curve"] for row in compare_calibrations(scores)}

    lowest, highest = curves["sigmoid"][0], curves["sigmoid"][-1]
    for group in (lowest, highest):
        assert group["observed"]["low"] < group["predicted"] < group["observed"]["high"]
    assert curves["none"][-1]["predicted"] > curves["none"][-1]["observed"]["high"]
    # Wilson's interval by its formula, at 1.96 standard errors.
    share, clients = highest["observed"]["value"], highest["clients"]
    centre, spread = (
        share + 1.96**2 / (2 * clients),
        1.96 * np.sqrt(share * (1 - share) / clients + (0.98 / clients) ** 2),
    )
    assert highest["observed"]["high"] == pytest.approx((centre + spread) / (1 + 1.96**2 / clients), rel=1e-4)
