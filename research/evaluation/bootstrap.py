"""Estimate figures with bootstrap intervals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from research.types import Floats, Integers

RESAMPLES = 1000
"""Resamples for the interval of a mean; means are fast to resample."""
LEVEL = 0.95
"""Confidence level of intervals."""
WHAT_INTERVALS_HOLD = {
    "en": "Intervals hold which clients were drawn, not the fit, the tuning or the choice of the threshold.",
    "fr": "Les intervalles rendent compte du tirage des clients, non de l'ajustement, du réglage ni du choix du seuil.",
}
"""What stands beside every table and picture that shows intervals, by language."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its bootstrap interval."""

    value: float
    low: float
    high: float


def mean_with_interval(values: Floats, seed: int = 0, resamples: int = RESAMPLES, level: float = LEVEL) -> Estimate:
    """Compute the mean of a value per client, with its percentile bootstrap interval over clients.

    Of paired differences it is the interval of the difference. Costs take few distinct values, so only the number of
    clients with each value is resampled.
    """
    distinct, counts = np.unique(values, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(values), counts / len(values), size=resamples)
    low, high = percentile_interval(drawn @ distinct / len(values), level)
    return Estimate(float(values.mean()), float(low), float(high))


def bootstrap(
    statistic: Callable[[Integers], float], rows: int, seed: int = 0, resamples: int = 200, level: float = LEVEL
) -> Estimate:
    """Compute a statistic of row positions, with its percentile bootstrap interval; NaN resamples do not count."""
    random = np.random.default_rng(seed)
    drawn = np.array([statistic(random.integers(0, rows, rows)) for _ in range(resamples)])
    low, high = percentile_interval(drawn, level)
    return Estimate(float(statistic(np.arange(rows))), float(low), float(high))


def percentile_interval(drawn: Floats, level: float = LEVEL) -> tuple[Any, Any]:
    """Return the bounds of the percentile interval over the first axis."""
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
