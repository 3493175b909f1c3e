"""Choose the review band, the applications that a person decides, and compute what review saves.

At a probability p the decision of the model costs FN * p on average where it grants and FP * (1 - p) where it refuses.
A perfect reviewer saves this cost, which is highest at the threshold. To review where it exceeds a level is Chow's rule
of the reject option (C. K. Chow, On Optimum Recognition Error and Reject Tradeoff, IEEE Transactions on Information
Theory 16(1), 1970, 41-46). Where the capacity is known, the level that uses it up is optimal (V. Franc, D. Prusa, V.
Voracek, Optimal Strategies for Reject Option Classifiers, Journal of Machine Learning Research 24(11), 2023: the
bounded-abstention model). The reviewer's time is not priced: the bank compares the saving with that cost.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from bento.policy import DEFAULT_COSTS, CostAssumptions, ReviewBand
from research.evaluation.bootstrap import Estimate, bootstrap, mean_with_interval
from research.evaluation.business_score import costs_of, cross_fitted_decisions
from research.types import Booleans, Floats, Integers, OutOfFold

CAPACITIES = (0.05, 0.1, 0.2)
"""Shares of applications reviewed that are always reported, beside the served one."""
REVIEWER_ERRORS = (0.0, 0.1, 0.2, 0.3, 0.45)
"""Error rates of the reviewers that are reported; the first is perfect, the last little better than a coin."""


def review_band(
    probability: Floats, threshold: float, costs: CostAssumptions = DEFAULT_COSTS, capacity: float = 0.1
) -> ReviewBand:
    """Return the band around the threshold with this share of the scores: those whose decisions cost most on average.

    Ties are reviewed together, so the share in the band may differ from the capacity asked for; it is never 0. The
    scores are calibrated and out of fold, to represent future applications.

    Raises:
        ValueError: the capacity is not above 0 and below 1.

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
    return ReviewBand(low=low, high=high, capacity=float(((probability >= low) & (probability < high)).mean()))


def reviewed(probability: Floats, band: ReviewBand) -> Booleans:
    """Return which applications are reviewed, as in `bento.policy.decide`: from `low` up to, not including, `high`."""
    return (probability >= band.low) & (probability < band.high)


def cross_fitted_review(
    scores: OutOfFold, thresholds: dict[int, float], costs: CostAssumptions, capacity: float
) -> Booleans:
    """Return which applications are reviewed, by the band that the other folds give around their threshold."""
    in_band = np.zeros(len(scores.target), dtype=bool)
    for number, validation in scores.by_fold():
        band = review_band(scores.probability[~validation], thresholds[number], costs, capacity)
        in_band[validation] = reviewed(scores.probability[validation], band)
    return in_band


def costs_with_review(
    target: Integers, refused: Booleans, in_band: Booleans, error: float, costs: CostAssumptions = DEFAULT_COSTS
) -> Floats:
    """Compute the cost of the decision on each client: the reviewer's in the band, otherwise the model's.

    The reviewer's is expected: `error` is the share, of either outcome, that he decides wrongly.

    >>> default, refused, in_band = np.array([1, 0, 1, 0]), np.array([0, 1, 0, 1]) == 1, np.array([0, 0, 1, 1]) == 1
    >>> costs_with_review(default, refused, in_band, error=0.1).tolist()
    [10.0, 1.0, 1.0, 0.1]
    """
    always_wrong = costs_of(target, target == 0, costs)
    return np.where(in_band, error * always_wrong, costs_of(target, refused, costs))


def review_report(
    scores: OutOfFold,
    served: OutOfFold,
    threshold: float,
    costs: CostAssumptions = DEFAULT_COSTS,
    capacity: float = 0.0,
) -> dict[str, Any]:
    """Report what review costs and saves per client, by capacity and reviewer, beside the model alone.

    The costs are those of `scores`, by thresholds and bands of the other folds; the bands that are reported, and
    applied by the service, are those of the scores as `served`. `served` of the report is the band of `capacity`, None
    for 0; `table` has a row for it and for each of `CAPACITIES`.
    """
    refused, thresholds = cross_fitted_decisions(scores, costs)
    shares = sorted({*CAPACITIES, capacity} - {0})
    bands = {share: review_band(served.probability, threshold, costs, share) for share in shares}
    in_band = {share: cross_fitted_review(scores, thresholds, costs, share) for share in shares}
    table = [
        {
            "capacity": share,
            "band": band.model_dump(),
            "out_of_fold": evaluate_review(scores.target, refused, in_band[share], costs),
        }
        for share, band in bands.items()
    ]
    return {"capacity": capacity, "served": bands[capacity].model_dump() if capacity else None, "table": table}


def evaluate_review(target: Integers, refused: Booleans, in_band: Booleans, costs: CostAssumptions) -> dict[str, Any]:
    """Report what review of those in a band costs and saves, by reviewer, and how often one may err at no loss."""
    without = costs_of(target, refused, costs)
    with_review = {error: costs_with_review(target, refused, in_band, error, costs) for error in REVIEWER_ERRORS}
    return {
        "reviewed_share": float(in_band.mean()),
        "cost_per_client": asdict(mean_with_interval(without)),
        "break_even": asdict(break_even(target, refused, in_band, costs)) if in_band.any() else None,
        "reviewers": [
            {
                "error": error,
                "cost_per_client": asdict(mean_with_interval(cost)),
                "saved": asdict(mean_with_interval(without - cost)),
                "saved_per_review": float((without - cost)[in_band].mean()) if in_band.any() else None,
            }
            for error, cost in with_review.items()
        ],
    }


def break_even(target: Integers, refused: Booleans, in_band: Booleans, costs: CostAssumptions) -> Estimate:
    """Estimate the share of wrong decisions at which reviewing a band costs as much as the model's decisions there.

    A reviewer who errs in a share e of either outcome costs e times what deciding all of the band wrongly would cost,
    so it is what the model's decisions cost over that. The bootstrap is over the clients of the band.

    >>> target, refused = np.array([1, 0, 0, 1]), np.array([False, True, False, True])
    >>> break_even(target, refused, np.ones(4, dtype=bool), DEFAULT_COSTS).value
    0.5
    """
    of_model = costs_of(target, refused, costs)[in_band]
    always_wrong = costs_of(target, target == 0, costs)[in_band]
    return bootstrap(lambda rows: float(of_model[rows].sum() / always_wrong[rows].sum()), len(of_model))


def review_metrics(report: dict[str, Any]) -> dict[str, float]:
    """Return the served band and its costs under the names of MLflow metrics; nothing without review."""
    if report["served"] is None:
        return {}
    row = next(row for row in report["table"] if row["capacity"] == report["capacity"])
    metrics = {f"review_band_{end}": float(row["band"][end]) for end in ("low", "high")}
    metrics["out_of_fold_reviewed_share"] = row["out_of_fold"]["reviewed_share"]
    for reviewer in row["out_of_fold"]["reviewers"]:
        erring = f"_{100 * reviewer['error']:g}_percent_wrong" if reviewer["error"] else ""
        metrics[f"out_of_fold_cost_per_client_with_review{erring}"] = reviewer["cost_per_client"]["value"]
    return metrics


def cost_by_capacity(scores: OutOfFold, capacities: Sequence[float], costs: CostAssumptions = DEFAULT_COSTS) -> Floats:
    """Compute the out-of-fold cost per client (capacities x errors), by bands of the other folds; at 0, no review."""
    refused, thresholds = cross_fitted_decisions(scores, costs)
    none = np.zeros(len(scores.target), dtype=bool)
    cost = []
    for capacity in capacities:
        in_band = cross_fitted_review(scores, thresholds, costs, capacity) if capacity else none
        with_review = (costs_with_review(scores.target, refused, in_band, error, costs) for error in REVIEWER_ERRORS)
        cost.append([of_error.mean() for of_error in with_review])
    return np.array(cost)


def add_capacity_option(arguments: argparse.ArgumentParser) -> None:
    """Add `--capacity SHARE`."""
    arguments.add_argument(
        "--capacity",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of the applications that a person can review, such as 0.1; 0: none is reviewed",
    )
