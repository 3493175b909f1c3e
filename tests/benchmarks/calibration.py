"""Whether the machine was free for a run: the same loop before, between and after, against its fastest time."""

import time
from statistics import median

import numpy as np

from tests.benchmarks.measure import Figures

MAX_SLOWDOWN = 1.3
"""Largest median time of the loop over its fastest at which a run's times are held against absolute targets."""
LOOPS = 40
"""Each of about 10 ms: long enough that another process on the core shows, short enough that one is undisturbed."""
STEPS = 20_000


class Calibration:
    """Times of the loop at several moments of one run."""

    def __init__(self) -> None:
        self._moments: list[tuple[str, list[float]]] = []

    def take(self, moment: str, loops: int = LOOPS) -> None:
        """Time the loop."""
        self._moments.append((moment, [_seconds() for _ in range(loops)]))

    def figures(self) -> Figures:
        """Return the fastest loop in milliseconds, the slowdown at each moment, and whether the run may be judged."""
        return summary(self._moments)


def summary(moments: list[tuple[str, list[float]]]) -> Figures:
    """Return the figures of the seconds of loops at several moments; see `Calibration.figures`.

    >>> summary([("before", [0.01, 0.01]), ("after", [0.02, 0.02])])
    {'fastest_ms': 10.0, 'slowdown': {'before': 1.0, 'after': 2.0}, 'is_quiet': False}
    """
    fastest = min(seconds for _, taken in moments for seconds in taken)
    slowdown = {moment: median(taken) / fastest for moment, taken in moments}
    return {
        "fastest_ms": 1000 * fastest,
        "slowdown": slowdown,
        "is_quiet": max(slowdown.values()) <= MAX_SLOWDOWN,
    }


def _seconds() -> float:
    """Time work like that of a request: Python's own steps, and calls of NumPy over few values."""
    values, start = np.arange(64.0), time.perf_counter()
    total = 0.0
    for step in range(STEPS):
        total += step & 7
        if step % 20 == 0:
            total += float(np.where(values > 3, values, 0.0).sum())
    return time.perf_counter() - start
