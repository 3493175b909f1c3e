"""Estimate performance and cost where outcomes are not known yet, from calibrated probabilities of default.

The PD of a calibrated model says how many defaults to expect, and so what each decision will cost and how well the PD
ranks (confidence-based performance estimation, CBPE). Where the population has shifted, the PD is first calibrated
again on known outcomes, each weighted by how typical its application is of the new ones (as PAPE does). Weights need
overlap: of applications that have no like among those with an outcome, such as those that would have been refused or
whose scores vanished, known outcomes say nothing, and the few that come nearest would get all the weight. Such
applications (MAX_RATIO) keep the PD of the model, and the others are weighed without them. A change of the relation
between application and default (concept drift) cannot be seen without outcomes: no estimate shows it.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit

from bento.policy import CostAssumptions
from drift.adversarial import separation
from drift.distributions import Floats

MIN_DEFAULTS = 30
"""Known defaults, by effective number, from which the PD is calibrated again."""
MAX_RATIO = 5.0
"""Density of new over past applications from which a new one has no like among the past: below one for five."""
MIN_TYPICAL = 100
"""New applications that have their like among the past, from which the PD is calibrated again."""
RIDGE = 10.0
"""Weight of the model's own calibration, in defaults: few outcomes move it little."""
_STEPS = 25
_MIN_PD = 1e-6


@dataclass(frozen=True)
class Estimate:
    """What to expect of decisions whose outcome is not known."""

    default_rate: float
    auc: float
    cost: float
    """Of 1,000 applications, in good clients refused."""
    low: float
    high: float
    """Interval of 95 % in which the realised cost falls if the PD are right."""


def estimate(probability: Floats, refused: Floats, costs: CostAssumptions) -> Estimate:
    """Estimate from the PD and the decision of each application, both of shape (applications,).

    >>> result = estimate(np.array([0.1, 0.5]), np.array([False, True]), CostAssumptions())
    >>> result.default_rate, result.cost
    (0.3, 750.0)
    """
    cost = expected_costs(probability, refused, costs)
    weight = np.where(refused, costs.false_positive, costs.false_negative)
    deviation = float(np.sqrt((weight**2 * probability * (1 - probability)).sum())) / len(probability)
    mean = float(cost.mean())
    return Estimate(
        default_rate=float(probability.mean()),
        auc=expected_auc(probability),
        cost=1000 * mean,
        low=1000 * max(mean - 1.96 * deviation, 0.0),
        high=1000 * (mean + 1.96 * deviation),
    )


def expected_costs(probability: Floats, refused: Floats, costs: CostAssumptions) -> Floats:
    """Return the expected cost of each decision: a missed default where granted, a good client where refused."""
    return np.where(refused, (1 - probability) * costs.false_positive, probability * costs.false_negative)


def realised_costs(target: Floats, refused: Floats, costs: CostAssumptions) -> Floats:
    """Return the cost of each decision with its outcome (1 default, 0 repaid)."""
    return expected_costs(target, refused, costs)


def expected_auc(probability: Floats, scores: Floats | None = None) -> float:
    """Return the AUC to expect of scores, by default the PD itself, if the PD are right; 0.5 where all are equal.

    >>> round(expected_auc(np.array([0.0, 1.0])), 2), round(expected_auc(np.array([0.2, 0.2])), 2)
    (1.0, 0.5)
    """
    scores = probability if scores is None else scores
    order = np.argsort(scores, kind="stable")
    bad, good = probability[order], 1 - probability[order]
    _, first, counts = np.unique(scores[order], return_index=True, return_counts=True)
    bad, good = np.add.reduceat(bad, first), np.add.reduceat(good, first)
    below = np.cumsum(good) - good
    # A pair of one application with itself does not exist; its share vanishes with the number of applications.
    pairs = bad.sum() * good.sum() - float((probability * (1 - probability)).sum())
    ties = (bad * good).sum() - float((probability * (1 - probability)).sum())
    return float(((bad * below).sum() + ties / 2) / pairs) if pairs > 0 and len(counts) > 1 else 0.5


def recalibrated(
    probability: Floats, features: pl.DataFrame, outcomes: Floats, past: Floats, past_features: pl.DataFrame
) -> tuple[Floats, NDArray[np.bool_]]:
    """Calibrate PD again on past applications with known outcomes, weighted by how typical they are of the new ones.

    Args:
        probability: PD of the new applications, whose features are `features`.
        features: a row for each new application.
        outcomes: of the past applications: 1 default, 0 repaid.
        past: PD of the past applications.
        past_features: a row for each past application, columns as `features`.

    Returns:
        The PD, and which of them were calibrated again: none where too few defaults are known, and none of the
        applications that have no like among the past.
    """
    unchanged = probability, np.zeros(len(probability), dtype=bool)
    if outcomes.sum() < MIN_DEFAULTS or not 0 < outcomes.mean() < 1:
        return unchanged
    # The PD is a column too: it decides who was granted, and so whose outcome is known.
    typical, weights = _overlap(
        features.with_columns(PD=pl.Series(probability)), past_features.with_columns(PD=pl.Series(past))
    )
    if typical.sum() < MIN_TYPICAL or _effective_defaults(weights, outcomes) < MIN_DEFAULTS:
        return unchanged
    intercept, slope = _calibration(_log_odds(past), outcomes, weights)
    return np.where(typical, expit(intercept + slope * _log_odds(probability)), probability), typical


def _overlap(features: pl.DataFrame, past_features: pl.DataFrame) -> tuple[NDArray[np.bool_], Floats]:
    """Return which new applications have their like among the past, and the weight of each past one for these."""
    rows = max(features.height, past_features.height)
    separated = separation(past_features, features, max_rows=rows)
    typical = np.ones(features.height, dtype=bool)
    if separated.is_beyond_chance:
        typical = separated.current_weights < MAX_RATIO
        if MIN_TYPICAL <= typical.sum() < len(typical):
            separated = separation(past_features, features.filter(typical), max_rows=rows)
    if not separated.is_beyond_chance:
        return typical, np.ones(past_features.height)
    return typical, separated.weights / separated.weights.mean()


def _effective_defaults(weights: Floats, outcomes: Floats) -> float:
    """Return the known defaults, weighted, of as many applications of equal weight as have the same variance (Kish)."""
    applications = weights.sum() ** 2 / (weights**2).sum()
    return float(applications * np.average(outcomes, weights=weights))


def _log_odds(probability: Floats) -> Floats:
    return logit(np.clip(probability, _MIN_PD, 1 - _MIN_PD))


def _calibration(log_odds: Floats, outcomes: Floats, weights: Floats) -> tuple[float, float]:
    """Fit outcome ~ intercept + slope * log-odds by weighted logistic regression, drawn towards (0, 1)."""
    centre = float(np.average(log_odds, weights=weights))
    matrix = np.column_stack([np.ones(len(log_odds)), log_odds - centre])
    prior = np.array([centre, 1.0])
    pull = RIDGE * float(np.average(expit(log_odds) * (1 - expit(log_odds)), weights=weights)) * np.diag([1.0, 1.0])
    beta = prior.copy()
    for _ in range(_STEPS):
        fitted = expit(matrix @ beta)
        gradient = matrix.T @ (weights * (outcomes - fitted)) - pull @ (beta - prior)
        curvature = (matrix * (weights * fitted * (1 - fitted))[:, None]).T @ matrix + pull
        step = np.linalg.solve(curvature, gradient)
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    return float(beta[0] - beta[1] * centre), float(beta[1])
