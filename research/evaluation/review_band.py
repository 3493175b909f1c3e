"""The review band: which applications a person sees, for what share of them there is time, and what that saves.

At a probability p the decision of the model costs FN * p on average where it grants and FP * (1 - p) where it refuses:
that is what a reviewer can save there, and it is highest at the threshold. To review wherever it exceeds a level is
Chow's rule of the reject option (C. K. Chow, On Optimum Recognition Error and Reject Tradeoff, IEEE Transactions on
Information Theory 16(1), 1970, 41-46). Where not the price of a review is known but how many can be done, the best
strategy is the same, with the level that uses the capacity up (V. Franc, D. Prusa, V. Voracek, Optimal Strategies for
Reject Option Classifiers, Journal of Machine Learning Research 24(11), 2023: the bounded-abstention model). With a
missed default at ten good clients refused, the band reaches further above the threshold than below it.

The time of a reviewer is not priced: what a review saves is reported, for the bank to hold against what it costs.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bento.policy import DEFAULT_COSTS, CostAssumptions, ReviewBand
from research.evaluation.bootstrap import mean_with_interval
from research.evaluation.business_score import Decisions, Outcomes, Probabilities, costs_of, cross_fitted_decisions

CAPACITIES = (0.05, 0.1, 0.2)
"""Shares of the applications that are reported, whichever is served."""
REVIEWER_ERRORS = (0.0, 0.1, 0.2)
"""Shares of their cases in which the reviewers err who are reported; the first one is perfect."""


def review_band(
    probability: Probabilities, threshold: float, costs: CostAssumptions = DEFAULT_COSTS, capacity: float = 0.1
) -> ReviewBand:
    """The band around the threshold that holds this share of the scores: those whose decisions cost most on average.

    Ties are reviewed together, so that the share, which the band names, may be another than asked for; it is never 0.

    Args:
        probability: calibrated scores that stand for the applications to come: those out of fold.
        threshold: from which on the model refuses.
        costs: of the two errors.
        capacity: share of the applications that can be reviewed, above 0 and below 1.

    Raises:
        ValueError: the capacity is out of bounds.

    >>> band = review_band(np.array([0.01, 0.06, 0.10, 0.30, 0.60]), threshold=0.09, capacity=0.4)
    >>> round(band.low, 3), round(band.high, 3), band.capacity
    (0.065, 0.35, 0.4)
    """
    if not 0 < capacity < 1:
        raise ValueError(f"the capacity must lie between 0 and 1, it is {capacity}")
    cost = np.where(
        probability >= threshold, costs.false_positive * (1 - probability), costs.false_negative * probability
    )
    levels, scores = np.unique(-cost, return_counts=True)
    last = int(np.argmin(np.abs(np.cumsum(scores) / len(probability) - capacity)))
    level = float(-(levels[last] + levels[last + 1]) / 2) if last + 1 < len(levels) else 0.0
    low = min(level / costs.false_negative, threshold)
    high = max(1 - level / costs.false_positive, threshold)
    return ReviewBand(low=low, high=high, capacity=float(_within(probability, low, high).mean()))


def reviewed(probability: Probabilities, band: ReviewBand) -> Decisions:
    """Which applications a person sees, as `bento.policy.decide` has it: from `low` up to, not including, `high`."""
    return _within(probability, band.low, band.high)


def _within(probability: Probabilities, low: float, high: float) -> Decisions:
    return (probability >= low) & (probability < high)


def cross_fitted_review(
    probability: Probabilities,
    fold: NDArray[np.int64],
    thresholds: dict[int, float],
    costs: CostAssumptions,
    capacity: float,
) -> Decisions:
    """Which applications a person sees, each by the band that the other folds chose around their threshold.

    Args:
        probability: out of fold.
        fold: of each row.
        thresholds: by fold, as `cross_fitted_decisions` returns them.
        costs: of the two errors.
        capacity: share of the applications that can be reviewed.
    """
    seen = np.zeros(len(probability), dtype=bool)
    for number, threshold in thresholds.items():
        judged = fold == number
        seen[judged] = reviewed(probability[judged], review_band(probability[~judged], threshold, costs, capacity))
    return seen


def costs_with_review(
    target: Outcomes, refused: Decisions, seen: Decisions, error: float, costs: CostAssumptions = DEFAULT_COSTS
) -> NDArray[np.float64]:
    """Cost of the decision on each client: the reviewer's where one sees the application, else the model's.

    Args:
        target: 1 where the client defaulted.
        refused: decisions of the model.
        seen: which applications a person decides.
        error: share of cases, of either outcome alike, in which that person decides wrongly; its expected cost counts.
        costs: of the two errors.

    >>> default, refused, seen = np.array([1, 0, 1, 0]), np.array([0, 1, 0, 1]) == 1, np.array([0, 0, 1, 1]) == 1
    >>> costs_with_review(default, refused, seen, error=0.1).tolist()
    [10.0, 1.0, 1.0, 0.1]
    """
    always_wrong = costs_of(target, target == 0, costs)
    return np.where(seen, error * always_wrong, costs_of(target, refused, costs))


def review_report(
    out_of_fold: tuple[Outcomes, Probabilities, NDArray[np.int64]],
    test: tuple[Outcomes, Probabilities],
    threshold: float,
    costs: CostAssumptions = DEFAULT_COSTS,
    capacity: float = 0.0,
    errors: Sequence[float] = REVIEWER_ERRORS,
) -> dict[str, Any]:
    """What review costs and saves per client, by capacity and reviewer, beside the model alone.

    Out of fold, thresholds and bands are those of the other folds; the test split is judged by those that are served.

    Args:
        out_of_fold: outcome, probability and fold of the development rows.
        test: outcome and probability of the test rows.
        threshold: that is served.
        costs: of the two errors.
        capacity: share of the applications that will be reviewed; 0: none, the others are reported all the same.
        errors: shares of their cases in which the reviewers err.

    Returns:
        What can be written as JSON. `capacity`, and `served`: its band, or None. `table`: for each of `CAPACITIES`
        and the one that is served, its band, and for either split the share reviewed, the cost without review and,
        for each reviewer, the cost with it and what it saves, per client and per review.
    """
    target, probability, fold = out_of_fold
    test_target, test_probability = test
    refused, thresholds = cross_fitted_decisions(target, probability, fold, costs)
    served, table = None, []
    for share in sorted({*CAPACITIES, capacity} - {0}):
        band = review_band(probability, threshold, costs, share)
        served = band.model_dump() if share == capacity else served
        seen = cross_fitted_review(probability, fold, thresholds, costs, share)
        seen_of_test, refused_of_test = reviewed(test_probability, band), test_probability >= threshold
        table.append(
            {
                "capacity": share,
                "band": band.model_dump(),
                "out_of_fold": _judged(target, refused, seen, costs, errors),
                "test": _judged(test_target, refused_of_test, seen_of_test, costs, errors),
            }
        )
    return {"capacity": capacity, "served": served, "table": table}


def _judged(
    target: Outcomes, refused: Decisions, seen: Decisions, costs: CostAssumptions, errors: Sequence[float]
) -> dict[str, Any]:
    without = costs_of(target, refused, costs)
    reviewers = []
    for error in errors:
        cost = costs_with_review(target, refused, seen, error, costs)
        reviewers.append(
            {
                "error": error,
                "cost_per_client": asdict(mean_with_interval(cost)),
                "saved": asdict(mean_with_interval(without - cost)),
                "saved_per_review": float((without - cost)[seen].mean()) if seen.any() else None,
            }
        )
    return {
        "reviewed_share": float(seen.mean()),
        "cost_per_client": asdict(mean_with_interval(without)),
        "reviewers": reviewers,
    }


def review_metrics(report: dict[str, Any]) -> dict[str, float]:
    """The band that is served and what it costs, under the names that MLflow shows; nothing while review is off."""
    if report["served"] is None:
        return {}
    row = next(row for row in report["table"] if row["capacity"] == report["capacity"])
    metrics = {f"review_band_{end}": float(row["band"][end]) for end in ("low", "high")}
    for split in ("out_of_fold", "test"):
        metrics[f"{split}_reviewed_share"] = row[split]["reviewed_share"]
        for reviewer in row[split]["reviewers"]:
            erring = f"_{100 * reviewer['error']:g}_percent_wrong" if reviewer["error"] else ""
            metrics[f"{split}_cost_per_client_with_review{erring}"] = reviewer["cost_per_client"]["value"]
    return metrics


def cost_by_capacity(
    target: Outcomes,
    probability: Probabilities,
    fold: NDArray[np.int64],
    capacities: Sequence[float],
    errors: Sequence[float] = REVIEWER_ERRORS,
    costs: CostAssumptions = DEFAULT_COSTS,
) -> NDArray[np.float64]:
    """Cost per client out of fold (capacities x errors), by bands that the other folds chose; at capacity 0, none."""
    refused, thresholds = cross_fitted_decisions(target, probability, fold, costs)
    nobody = np.zeros(len(target), dtype=bool)
    cost = []
    for capacity in capacities:
        seen = cross_fitted_review(probability, fold, thresholds, costs, capacity) if capacity else nobody
        cost.append([costs_with_review(target, refused, seen, error, costs).mean() for error in errors])
    return np.array(cost)


def add_capacity_option(arguments: argparse.ArgumentParser) -> None:
    """`--capacity SHARE`."""
    arguments.add_argument(
        "--capacity",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of the applications that a person can review, 0.1 say; 0: none is reviewed",
    )
