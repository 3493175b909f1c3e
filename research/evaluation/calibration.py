"""Calibration: whether predicted probabilities are those that come true, and which map would mend them."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from bento.model.manifest import Calibration

Vector = NDArray[np.float64]
Outcomes = NDArray[np.int64]
Map = Callable[[Vector], Vector]

PROBABILITY_EPS = 1e-6
"""Probabilities are held this far from 0 and 1: isotonic regression gives both, whose log-loss may be infinite."""
MAX_ITERATIONS = 1000
NEWTON_STEPS = 25


def calibration_line(target: Outcomes, log_odds: Vector) -> tuple[float, float]:
    """Slope and intercept of the logistic regression of the outcome on the predicted log-odds: 1 and 0 are perfect.

    A slope below 1 says that the predictions are too extreme (Cox, "Two further applications of a model for binary
    regression", 1958). Both are NaN where the rows determine no line: one class only, no spread, or classes that the
    prediction tells apart without a fault.
    """
    intercept, slope = 0.0, 0.0
    for _ in range(NEWTON_STEPS):
        expected = expit(intercept + slope * log_odds)
        weight, missed = expected * (1 - expected), target - expected
        first, second, third = weight.sum(), weight @ log_odds, weight @ log_odds**2
        determinant = first * third - second**2
        if determinant <= 1e-10 * first * third:
            break
        up, turn = missed.sum(), missed @ log_odds
        step = (first * turn - second * up) / determinant
        intercept, slope = intercept + (third * up - second * turn) / determinant, slope + step
        if abs(step) < 1e-10:
            return float(slope), float(intercept)
    return math.nan, math.nan


def fit_none(target: Outcomes, log_odds: Vector) -> Map:
    """The probabilities as they are."""
    return expit


def fit_sigmoid(target: Outcomes, log_odds: Vector) -> Map:
    """An affine map of the log-odds (Platt 1999)."""
    slope, intercept = calibration_line(target, log_odds)
    return lambda values: expit(slope * values + intercept)


def fit_beta(target: Outcomes, log_odds: Vector) -> Map:
    """The beta map: logit(q) = a ln(p) - b ln(1 - p) + c (Kull, Silva Filho and Flach 2017)."""

    def logarithms(values: Vector) -> Vector:
        return np.column_stack([-np.logaddexp(0, -values), np.logaddexp(0, values)])

    line = _logistic(logarithms(log_odds), target)
    return lambda values: expit(line.decision_function(logarithms(values)))


def fit_isotonic(target: Outcomes, log_odds: Vector) -> Map:
    """The best map that never falls, in steps."""
    steps = IsotonicRegression(out_of_bounds="clip", y_min=PROBABILITY_EPS, y_max=1 - PROBABILITY_EPS).fit(
        log_odds, target
    )
    return lambda values: np.asarray(steps.predict(values))


METHODS: dict[str, Callable[[Outcomes, Vector], Map]] = {
    "none": fit_none,
    "sigmoid": fit_sigmoid,
    "beta": fit_beta,
    "isotonic": fit_isotonic,
}


def cross_fitted(
    fit: Callable[[Outcomes, Vector], Map], target: Outcomes, log_odds: Vector, fold: NDArray[np.int64]
) -> Vector:
    """The probability of each row by the map that the other folds' rows were given."""
    probability = np.empty(len(target))
    for number in np.unique(fold):
        judged = fold == number
        probability[judged] = fit(target[~judged], log_odds[~judged])(log_odds[judged])
    return probability


def compare_calibrations(target: Outcomes, log_odds: Vector, fold: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Each method on out-of-fold scores, fitted on the other folds than the one it is judged on.

    Args:
        target: 1 where the client defaulted.
        log_odds: out of fold.
        fold: number of the fold that each row was judged in.

    Returns:
        method, log_loss and its gain over none with its standard error, brier, slope and intercept left over.
    """
    rows = []
    plain = _log_losses(target, expit(log_odds))
    for name, fit in METHODS.items():
        probability = cross_fitted(fit, target, log_odds, fold)
        losses = _log_losses(target, probability)
        gain = plain - losses
        slope, intercept = calibration_line(target, logit(np.clip(probability, PROBABILITY_EPS, 1 - PROBABILITY_EPS)))
        rows.append(
            {
                "method": name,
                "log_loss": float(losses.mean()),
                "log_loss_gain": float(gain.mean()),
                "log_loss_gain_error": float(gain.std(ddof=1) / np.sqrt(len(gain))),
                "brier": float(np.mean((probability - target) ** 2)),
                "slope": slope,
                "intercept": intercept,
            }
        )
    return rows


def served_calibration(target: Outcomes, log_odds: Vector, compared: list[dict[str, Any]]) -> Calibration:
    """The sigmoid's map if it saves log-loss on rows it was not fitted on, else none.

    Only an affine map can be served: scaled by its slope, contributions still add up to the log-odds.
    """
    sigmoid = next(row for row in compared if row["method"] == "sigmoid")
    if not sigmoid["log_loss_gain"] > 0:
        return Calibration()
    slope, intercept = calibration_line(target, log_odds)
    return Calibration(slope=slope, intercept=intercept)


def _logistic(X: NDArray[np.float64], target: Outcomes) -> LogisticRegression:
    return LogisticRegression(C=np.inf, max_iter=MAX_ITERATIONS).fit(X, target)


def _log_losses(target: Outcomes, probability: Vector) -> Vector:
    probability = np.clip(probability, PROBABILITY_EPS, 1 - PROBABILITY_EPS)
    return -np.where(target == 1, np.log(probability), np.log1p(-probability))
