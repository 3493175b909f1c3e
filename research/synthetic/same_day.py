"""Several applications of a client on one day, as when an offer is refused and another asked for."""

import numpy as np

from research.synthetic.calibration_statistics import statistics
from research.synthetic.frames import Flags, Floats, Texts


def with_same_days(decision: Floats, first: Flags, status: Texts, is_fixed: Flags, rng: np.random.Generator) -> Floats:
    """Return the days of decision (shape n, by client and date) with some applications moved to one day with the last.

    `first` marks the first of each client; `is_fixed` the applications whose day must stay. Applications without a
    loan share their day more often than granted ones.
    """
    if not len(decision):
        return decision
    shares = statistics()["structure"]["shares_day_with_last"]
    chance = np.where(status == "Approved", shares["granted"], shares["others"])
    stays = first | is_fixed  # nothing may precede the first
    together = ~stays & ~np.concatenate([[True], stays[:-1]]) & (rng.random(len(decision)) < chance)
    starts = np.flatnonzero(~together)
    group = np.cumsum(~together) - 1
    ends = np.append(starts[1:], len(decision)) - 1
    chosen = np.where(rng.random(len(starts)) < 0.5, starts, ends)  # either day, so that dates do not move on average
    return decision[chosen][group]
