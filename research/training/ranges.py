"""Usual ranges of the values of many clients: their ends are quantiles, never the value of one person."""

import polars as pl

from bento.model.peer_groups import Range
from research.cli import CommandError

TAIL = 0.001
"""Share of the values outside either end of a range."""
MIN_BEYOND = 5
"""Minimum values outside either end of a range, where the share would be fewer."""


def usual_range(values: pl.Series, tail: float = TAIL) -> Range:
    """Return the range that holds all finite values but the share `tail` at either end.

    Raises CommandError where no value is finite.
    """
    finite = values.filter(values.is_finite())
    beyond = min(max(tail, MIN_BEYOND / max(len(finite), 1)), 0.5)
    low, high = (finite.quantile(share, "linear") for share in (beyond, 1 - beyond))
    if low is None or high is None:
        raise CommandError(f"{values.name} has no value for any client: the training data cannot be described")
    return Range(low=low, high=high)
