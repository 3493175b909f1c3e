"""Compute AUC with DeLong's standard error, within folds."""

import numpy as np
from scipy.stats import rankdata

from research.types import Floats, Integers, OutOfFold


def placements(scores: OutOfFold) -> Floats:
    """Return, for each client, the share of clients of the other outcome in its fold that it is ranked correctly with.

    Their mean over defaults is the AUC of the folds (DeLong, DeLong and Clarke-Pearson 1988).
    """
    placement = np.empty(len(scores.target))
    for _, validation in scores.by_fold():
        default, good = (np.flatnonzero(validation & (scores.target == outcome)) for outcome in (1, 0))
        ranks = rankdata(scores.log_odds[np.concatenate([default, good])])
        goods_below = ranks[: len(default)] - rankdata(scores.log_odds[default])
        defaults_below = ranks[len(default) :] - rankdata(scores.log_odds[good])
        placement[default] = goods_below / len(good)
        placement[good] = 1 - defaults_below / len(default)
    return placement


def delong_auc(placement: Floats, target: Integers) -> tuple[float, float]:
    """Return AUC and its standard error; from a difference of placements, those of the difference."""
    default, good = (placement[target == outcome] for outcome in (1, 0))
    return float(np.mean(default)), float(np.sqrt(sum(np.var(part, ddof=1) / len(part) for part in (default, good))))
