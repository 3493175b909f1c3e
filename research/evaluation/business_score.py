"""What decisions cost: missed defaults and good clients refused, as counted errors and as money."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError
from sklearn.metrics import make_scorer

from bento.policy import DEFAULT_COSTS, DEFAULT_ECONOMICS, CostAssumptions, LoanEconomics
from research.cli import CommandError
from research.evaluation.bootstrap import RESAMPLES, _quantiles, mean_with_interval

Outcomes = NDArray[np.int64]
Probabilities = NDArray[np.float64]
Decisions = NDArray[np.bool_]

RATIOS = (5, 7.5, 10, 12.5, 15, 17.5, 20)
"""Of the cost of a missed default to that of a good client refused, tried by `sensitivity`."""
GRID = np.concatenate([[0.0], np.geomspace(0.002, 1.0, 400)])
"""Thresholds at which curves with a band are drawn: denser where default probabilities are."""


def costs_of(target: Outcomes, refused: Decisions, costs: CostAssumptions = DEFAULT_COSTS) -> NDArray[np.float64]:
    """Cost of the decision on each client: that of a missed default, of a good client refused, or nothing.

    >>> costs_of(np.array([1, 1, 0, 0]), np.array([True, False, True, False])).tolist()
    [0.0, 10.0, 1.0, 0.0]
    """
    missed, lost = (target == 1) & ~refused, (target == 0) & refused
    return np.where(missed, costs.false_negative, np.where(lost, costs.false_positive, 0.0))


def cost_per_client(target: Outcomes, refused: Decisions, costs: CostAssumptions = DEFAULT_COSTS) -> float:
    """Mean cost of a client under these decisions: (FN * cost of FN + FP * cost of FP) / clients.

    >>> cost_per_client(np.array([1, 1, 0, 0]), np.array([True, False, True, False]))
    2.75
    """
    return float(costs_of(target, refused, costs).mean())


def money_of(
    target: Outcomes,
    refused: Decisions,
    exposure: NDArray[np.float64],
    economics: LoanEconomics = DEFAULT_ECONOMICS,
) -> NDArray[np.float64]:
    """Money lost on each client, against deciding with hindsight, in the currency of the exposure.

    A default that was granted loses its exposure times the loss given default; a good client who was refused, the
    margin on it.

    Args:
        target: 1 where the client defaulted.
        refused: the decisions.
        exposure: at default; AMT_CREDIT stands for it.
        economics: loss given default and margin, as shares of the exposure.

    >>> money_of(np.array([1, 0]), np.array([False, True]), np.array([1000.0, 1000.0])).round(6).tolist()
    [550.0, 55.0]
    """
    rates = CostAssumptions(false_negative=economics.loss_given_default, false_positive=economics.margin)
    return costs_of(target, refused, rates) * exposure


def cost_curve(
    target: Outcomes, probability: Probabilities, costs: CostAssumptions = DEFAULT_COSTS
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


def best_threshold(target: Outcomes, probability: Probabilities, costs: CostAssumptions = DEFAULT_COSTS) -> float:
    """The threshold of least cost; of several, the one nearest to theory's FP / (FP + FN)."""
    thresholds, cost = cost_curve(target, probability, costs)
    best = thresholds[cost <= cost.min() + 1e-12]
    return float(best[np.argmin(np.abs(best - costs.theoretical_threshold))])


def cost_band(
    target: Outcomes,
    probability: Probabilities,
    thresholds: NDArray[np.float64] = GRID,
    costs: CostAssumptions = DEFAULT_COSTS,
    seed: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Cost per client at each of the ascending thresholds, and its bootstrap band, pointwise at `LEVEL`.

    Returns:
        cost, low and high, each as long as `thresholds`.
    """
    # Clients between two thresholds are alike to every decision: resampling their numbers is resampling them.
    cells = 2 * np.searchsorted(thresholds, probability, side="right") + (target == 1)
    counts = np.bincount(cells, minlength=2 * (len(thresholds) + 1))
    drawn = np.random.default_rng(seed).multinomial(len(target), counts / len(target), size=RESAMPLES)
    curves = _costs_of_cells(np.vstack([counts, drawn]), costs) / len(target)
    low, high = _quantiles(curves[1:])
    return curves[0], low, high


def _costs_of_cells(counts: NDArray[np.int64], costs: CostAssumptions) -> NDArray[np.float64]:
    """Cost of refusing from each threshold on; cells hold good and bad clients by turns, below each threshold first."""
    good, bad = counts[:, 0::2], counts[:, 1::2]
    granted_bad = np.cumsum(bad, axis=1)[:, :-1]
    refused_good = good.sum(axis=1, keepdims=True) - np.cumsum(good, axis=1)[:, :-1]
    return granted_bad * costs.false_negative + refused_good * costs.false_positive


def cross_fitted_decisions(
    target: Outcomes, probability: Probabilities, fold: NDArray[np.int64], costs: CostAssumptions = DEFAULT_COSTS
) -> tuple[Decisions, dict[int, float]]:
    """Refusals, each by the threshold that the other folds chose, and that threshold by fold.

    A threshold judged on the rows it was chosen on looks better than it is.
    """
    thresholds = {
        int(number): best_threshold(target[fold != number], probability[fold != number], costs)
        for number in np.unique(fold)
    }
    return probability >= np.array([thresholds[int(number)] for number in fold]), thresholds


def sensitivity(
    target: Outcomes, probability: Probabilities, fold: NDArray[np.int64], ratios: Sequence[float] = RATIOS
) -> list[dict[str, float]]:
    """For each cost ratio: the threshold found and theory's, the cost per client and that of the two trivial policies.

    The costs are in units of one good client refused, and judged by thresholds that the other folds chose.
    """
    everybody = np.ones(len(target), dtype=bool)
    rows = []
    for ratio in ratios:
        costs = CostAssumptions(false_negative=ratio, false_positive=1)
        refused, _ = cross_fitted_decisions(target, probability, fold, costs)
        rows.append(
            {
                "ratio": float(ratio),
                "threshold": best_threshold(target, probability, costs),
                "theoretical_threshold": costs.theoretical_threshold,
                "cost_per_client": cost_per_client(target, refused, costs),
                "cost_per_client_accept_all": cost_per_client(target, ~everybody, costs),
                "cost_per_client_refuse_all": cost_per_client(target, everybody, costs),
                "refused_share": float(np.mean(refused)),
            }
        )
    return rows


def decision_scorer(costs: CostAssumptions = DEFAULT_COSTS) -> Any:
    """A scikit-learn scorer of decisions, greater is better: minus the cost per client, 1 standing for a refusal.

    It plugs into `TunedThresholdClassifierCV(estimator, scoring=decision_scorer())`.
    """

    def score(target: Any, refused: Any) -> float:
        return cost_per_client(np.asarray(target), np.asarray(refused) == 1, costs)

    return make_scorer(score, greater_is_better=False)


def probability_scorer(costs: CostAssumptions = DEFAULT_COSTS) -> Any:
    """A scikit-learn scorer of probabilities, greater is better: minus the cost per client at theory's threshold.

    It plugs into `GridSearchCV`: no threshold is fitted to the rows that are judged.
    """

    def score(target: Any, probability: Any) -> float:
        return cost_per_client(np.asarray(target), np.asarray(probability) >= costs.theoretical_threshold, costs)

    return make_scorer(score, greater_is_better=False, response_method="predict_proba")


def business_report(
    target: Outcomes,
    probability: Probabilities,
    refused: Decisions,
    exposure: NDArray[np.float64],
    costs: CostAssumptions = DEFAULT_COSTS,
    economics: LoanEconomics = DEFAULT_ECONOMICS,
) -> dict[str, Any]:
    """What decisions cost beside theory's and the two trivial policies: per client with interval, and in money."""
    everybody = np.ones(len(target), dtype=bool)
    policies = {
        "model": refused,
        "model_at_theory": probability >= costs.theoretical_threshold,
        "accept_all": ~everybody,
        "refuse_all": everybody,
    }
    return {
        name: {
            "cost_per_client": asdict(mean_with_interval(costs_of(target, decided, costs))),
            "money_per_client": float(money_of(target, decided, exposure, economics).mean()),
            "refused_share": float(decided.mean()),
            "defaults_caught": float(decided[target == 1].mean()) if np.any(target == 1) else None,
            "good_clients_refused": float(decided[target == 0].mean()) if np.any(target == 0) else None,
        }
        for name, decided in policies.items()
    }


def add_cost_options(arguments: argparse.ArgumentParser) -> None:
    """`--cost-false-negative`, `--cost-false-positive`, `--loss-given-default` and `--margin`."""
    for model, defaults in _OPTIONS.items():
        for name, field in model.model_fields.items():
            option = f"--cost-{name}" if model is CostAssumptions else f"--{name}"
            arguments.add_argument(
                option.replace("_", "-"), type=float, default=getattr(defaults, name), dest=name, help=field.description
            )


def cost_options(options: argparse.Namespace) -> tuple[CostAssumptions, LoanEconomics]:
    """What `add_cost_options` was given.

    Raises:
        CommandError: a cost that is out of bounds.
    """
    given = {model: {name: getattr(options, name) for name in model.model_fields} for model in _OPTIONS}
    try:
        return CostAssumptions(**given[CostAssumptions]), LoanEconomics(**given[LoanEconomics])
    except ValidationError as error:
        first = error.errors()[0]
        raise CommandError(f"{first['loc'][0]} is {first['input']}: {first['msg'].lower()}") from error


_OPTIONS: dict[type[CostAssumptions] | type[LoanEconomics], BaseModel] = {
    CostAssumptions: DEFAULT_COSTS,
    LoanEconomics: DEFAULT_ECONOMICS,
}
