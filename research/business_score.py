"""What a threshold costs: missed defaults and good clients refused, in units of one good client refused."""

import numpy as np
from numpy.typing import NDArray

from bento.decision import DEFAULT_COSTS, CostAssumptions


def cost_per_client(
    target: NDArray[np.int64], refused: NDArray[np.bool_], costs: CostAssumptions = DEFAULT_COSTS
) -> float:
    """Mean cost of a client under these decisions: (FN * cost of FN + FP * cost of FP) / clients.

    >>> cost_per_client(np.array([1, 1, 0, 0]), np.array([True, False, True, False]))
    2.75
    """
    false_negatives = np.sum((target == 1) & ~refused)
    false_positives = np.sum((target == 0) & refused)
    return float(false_negatives * costs.false_negative + false_positives * costs.false_positive) / len(target)


def cost_curve(
    target: NDArray[np.int64], probability: NDArray[np.float64], costs: CostAssumptions = DEFAULT_COSTS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Every threshold worth trying, ascending, and the cost per client of refusing from it on.

    The first threshold refuses everybody, the last one nobody.
    """
    order = np.argsort(probability, kind="stable")
    ordered, default = probability[order], target[order] == 1
    # Refusing from position k on grants the k safest clients.
    granted_defaults = np.concatenate([[0], np.cumsum(default)])
    refused_good = np.sum(~default) - np.concatenate([[0], np.cumsum(~default)])
    cost = (granted_defaults * costs.false_negative + refused_good * costs.false_positive) / len(target)
    first_of_tie = np.concatenate([[True], ordered[1:] > ordered[:-1], [True]])
    between = np.concatenate([[0.0], (ordered[1:] + ordered[:-1]) / 2, [1.0]])
    return between[first_of_tie], cost[first_of_tie]


def best_threshold(
    target: NDArray[np.int64], probability: NDArray[np.float64], costs: CostAssumptions = DEFAULT_COSTS
) -> float:
    """The threshold of least cost; of several, the one nearest to theory's FP / (FP + FN)."""
    thresholds, cost = cost_curve(target, probability, costs)
    best = thresholds[cost <= cost.min() + 1e-12]
    return float(best[np.argmin(np.abs(best - costs.theoretical_threshold))])
