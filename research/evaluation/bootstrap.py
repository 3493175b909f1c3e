"""Bootstrap intervals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000


LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A figure and its bootstrap interval."""

    value: float
    low: float
    high: float


def mean_with_interval(values: NDArray[np.float64], seed: int = 0) -> Estimate:
    """Mean of a value of each client, with its percentile bootstrap interval over clients.

    Of paired differences it is the interval of the difference. Costs take few distinct values, so that only their
    numbers are drawn.
    """
    distinct, counts = np.unique(values, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(values), counts / len(values), size=RESAMPLES)
    low, high = _quantiles(drawn @ distinct / len(values))
    return Estimate(float(values.mean()), float(low), float(high))


def bootstrap(
    measure: Callable[[NDArray[np.int64]], float], rows: int, seed: int = 0, resamples: int = 200, level: float = LEVEL
) -> Estimate:
    """A figure that is no mean, such as AUC, and its percentile bootstrap interval; resamples without it do not count.

    Args:
        measure: the figure from the positions of the rows it is taken over, repeated ones included.
        rows: how many there are.
        seed: of the resampling.
        resamples: how many are drawn; each costs one call of `measure`.
        level: of the interval.
    """
    random = np.random.default_rng(seed)
    drawn = np.array([measure(random.integers(0, rows, rows)) for _ in range(resamples)])
    low, high = _quantiles(drawn, level)
    return Estimate(float(measure(np.arange(rows))), float(low), float(high))


def _quantiles(drawn: NDArray[np.float64], level: float = LEVEL) -> tuple[Any, Any]:
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
