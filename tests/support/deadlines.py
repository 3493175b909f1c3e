"""Deadlines of tests, longer on a slow or busy machine: a loop of known work is timed against a reference."""

import time
from collections.abc import Callable

LOOPS = 800_000
REFERENCE_S = 0.018
"""Seconds that `LOOPS` took on the quiet two-core machine on which the deadlines were chosen."""
MEASURED_AGAIN_S = 1.0
"""Seconds for which a measurement holds."""
PAUSE_S = 0.02
"""Seconds between two looks at a condition."""

_last: tuple[float, float] | None = None
"""When the machine was measured last, and the factor."""


def slowdown() -> float:
    """Return how many times longer than on the reference machine work takes just now, at least 1."""
    global _last  # noqa: PLW0603 - a measurement is shared by all that wait
    start = time.monotonic()
    if _last is None or start - _last[0] > MEASURED_AGAIN_S:
        total = 0
        for number in range(LOOPS):
            total += number
        end = time.monotonic()
        _last = end, max(1.0, (end - start) / REFERENCE_S)
    return _last[1]


def timeout_s(seconds: float) -> float:
    """Return the seconds to wait on this machine, now, for what takes at most `seconds` on a quiet one."""
    return seconds * slowdown()


def wait_until(condition: Callable[[], object], seconds: float = 30, pause_s: float = PAUSE_S) -> float:
    """Wait for a condition and return the seconds that it took.

    Raises:
        AssertionError: it is still false after `seconds`, scaled by how slow the machine is when they are over.
    """
    start = time.monotonic()
    while not condition():
        waited = time.monotonic() - start
        assert waited < seconds or waited < timeout_s(seconds), f"still false after {waited:.1f} s"
        time.sleep(pause_s)
    return time.monotonic() - start
