"""Compute what decisions cost: missed defaults and good clients refused, as counted errors and as money."""

import argparse
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError
from sklearn.metrics import make_scorer

from bento.policy import DEFAULT_COSTS, DEFAULT_ECONOMICS, CostAssumptions, LoanEconomics
from research.cli import CommandError
from research.evaluation.bootstrap import RESAMPLES, mean_with_interval, percentile_interval
from research.types import Booleans, Floats, Integers, OutOfFold

RATIOS = (5, 7.5, 10, 12.5, 15, 17.5, 20)
"""Cost ratios of `sensitivity`: a missed default to a good client refused."""
GRID = np.concatenate([[0.0], np.geomspace(0.002, 1.0, 400)])
"""Thresholds at which curves with a band are drawn: denser where default probabilities are."""
ACCEPT_ALL, REFUSE_ALL = "accept_all", "refuse_all"


@dataclass(frozen=True, kw_only=True)
class CostModel:
    """What errors cost: as counts, and as money."""

    costs: CostAssumptions = DEFAULT_COSTS
    economics: LoanEconomics = DEFAULT_ECONOMICS


def trivial_policies(clients: int) -> dict[str, Booleans]:
    """Return the refusals of the two policies that need no model, each of `clients` decisions."""
    return {ACCEPT_ALL: np.zeros(clients, dtype=bool), REFUSE_ALL: np.ones(clients, dtype=bool)}


def costs_of(target: Integers, refused: Booleans, costs: CostAssumptions = DEFAULT_COSTS) -> Floats:
    """Compute the cost of the decision on each client: a missed default, a good client refused, or 0.

    >>> costs_of(np.array([1, 1, 0, 0]), np.array([True, False, True, False])).tolist()
    [0.0, 10.0, 1.0, 0.0]
    """
    missed, lost = (target == 1) & ~refused, (target == 0) & refused
    return np.where(missed, costs.false_negative, np.where(lost, costs.false_positive, 0.0))


def cost_per_client(target: Integers, refused: Booleans, costs: CostAssumptions = DEFAULT_COSTS) -> float:
    """Compute the mean cost per client: (FN * cost of FN + FP * cost of FP) / clients.

    >>> cost_per_client(np.array([1, 1, 0, 0]), np.array([True, False, True, False]))
    2.75
    """
    return float(costs_of(target, refused, costs).mean())


def money_of(
    target: Integers, refused: Booleans, exposure: Floats, economics: LoanEconomics = DEFAULT_ECONOMICS
) -> Floats:
    """Compute the money lost on each client against perfect decisions, in the currency of the exposure.

    A granted default loses the loss given default, a refused good client the margin, both as shares of the
    exposure at default, for which AMT_CREDIT is taken.

    >>> money_of(np.array([1, 0]), np.array([False, True]), np.array([1000.0, 1000.0])).round(6).tolist()
    [550.0, 55.0]
    """
    rates = CostAssumptions(false_negative=economics.loss_given_default, false_positive=economics.margin)
    return costs_of(target, refused, rates) * exposure


def cost_curve(target: Integers, probability: Floats, costs: CostAssumptions = DEFAULT_COSTS) -> tuple[Floats, Floats]:
    """Return ascending thresholds between distinct scores, from refusing all to none, and the cost of each."""
    order = np.argsort(probability, kind="stable")
    ordered, default = probability[order], target[order] == 1
    # A threshold before position k grants the k safest clients.
    granted_defaults = np.concatenate([[0], np.cumsum(default)])
    refused_good = np.sum(~default) - np.concatenate([[0], np.cumsum(~default)])
    cost = (granted_defaults * costs.false_negative + refused_good * costs.false_positive) / len(target)
    first_of_tie = np.concatenate([[True], ordered[1:] > ordered[:-1], [True]])
    between = np.concatenate([[0.0], (ordered[1:] + ordered[:-1]) / 2, [1.0]])
    return between[first_of_tie], cost[first_of_tie]


def best_threshold(target: Integers, probability: Floats, costs: CostAssumptions = DEFAULT_COSTS) -> float:
    """Return the threshold of least cost; of several, the one nearest to the theoretical FP / (FP + FN)."""
    thresholds, cost = cost_curve(target, probability, costs)
    best = thresholds[cost <= cost.min() + 1e-12]
    return float(best[np.argmin(np.abs(best - costs.theoretical_threshold))])


def cost_band(
    target: Integers, probability: Floats, thresholds: Floats = GRID, costs: CostAssumptions = DEFAULT_COSTS
) -> tuple[Floats, Floats, Floats]:
    """Compute cost per client, low and high end of its bootstrap band at `LEVEL`, at each ascending threshold."""
    # All clients between two thresholds get the same decision, so it is enough to resample their number.
    cells = 2 * np.searchsorted(thresholds, probability, side="right") + (target == 1)
    counts = np.bincount(cells, minlength=2 * (len(thresholds) + 1))
    drawn = np.random.default_rng(0).multinomial(len(target), counts / len(target), size=RESAMPLES)
    good, bad = (np.vstack([counts, drawn])[:, outcome::2] for outcome in (0, 1))
    granted_bad = np.cumsum(bad, axis=1)[:, :-1]
    refused_good = good.sum(axis=1, keepdims=True) - np.cumsum(good, axis=1)[:, :-1]
    curves = (granted_bad * costs.false_negative + refused_good * costs.false_positive) / len(target)
    low, high = percentile_interval(curves[1:])
    return curves[0], low, high


@dataclass(frozen=True, kw_only=True)
class ThresholdChoice:
    """The threshold that is served, theory's or the searched one, and what the searched one saves on other folds."""

    theoretical: float
    searched: float
    """The threshold of least cost on all scores."""
    saved: float
    """Cost per client that a threshold searched on the other folds saves against theory's."""
    saved_error: float
    """Standard error of `saved`."""

    @property
    def is_searched(self) -> bool:
        """Whether the searched threshold is served."""
        return self.saved > self.saved_error

    @property
    def threshold(self) -> float:
        """The threshold that is served."""
        return self.searched if self.is_searched else self.theoretical


def choose_threshold(scores: OutOfFold, costs: CostAssumptions = DEFAULT_COSTS) -> ThresholdChoice:
    """Choose theory's threshold, unless the searched one is cheaper on other folds by more than a standard error.

    The scores are calibrated, so that theory's threshold is the cheapest but for what calibration misses. The searched
    one is judged on folds that it was not searched on: on its own rows it can only win. A single fold has no other:
    there, theory's threshold is taken.
    """
    target, probability, theory = scores.target, scores.probability, costs.theoretical_threshold
    folds = list(scores.by_fold())
    searched, saved, error = best_threshold(target, probability, costs), 0.0, 0.0
    if len(folds) > 1:
        refused = np.zeros(len(target), dtype=bool)
        for _, validation in folds:
            of_others = best_threshold(target[~validation], probability[~validation], costs)
            refused[validation] = probability[validation] >= of_others
        gain = costs_of(target, probability >= theory, costs) - costs_of(target, refused, costs)
        saved, error = float(gain.mean()), float(gain.std(ddof=1) / np.sqrt(len(gain)))
    return ThresholdChoice(theoretical=theory, searched=searched, saved=saved, saved_error=error)


def cross_fitted_decisions(
    scores: OutOfFold, costs: CostAssumptions = DEFAULT_COSTS
) -> tuple[Booleans, dict[int, float]]:
    """Refuse each client by the threshold that the other folds choose; return the refusals and the threshold by fold.

    On the rows that a threshold is chosen on, its cost is underestimated.
    """
    refused, thresholds = np.zeros(len(scores.target), dtype=bool), {}
    for number, validation in scores.by_fold():
        thresholds[number] = choose_threshold(scores.rows(~validation), costs).threshold
        refused[validation] = scores.probability[validation] >= thresholds[number]
    return refused, thresholds


def sensitivity(scores: OutOfFold) -> list[dict[str, float]]:
    """Compute thresholds, and cross-fitted and trivial costs in good clients refused, for each cost ratio."""
    target, policies = scores.target, trivial_policies(len(scores.target))

    def row(ratio: float) -> dict[str, float]:
        costs = CostAssumptions(false_negative=ratio, false_positive=1)
        refused, _ = cross_fitted_decisions(scores, costs)
        return {
            "ratio": float(ratio),
            "threshold": choose_threshold(scores, costs).threshold,
            "theoretical_threshold": costs.theoretical_threshold,
            "cost_per_client": cost_per_client(target, refused, costs),
            **{f"cost_per_client_{name}": cost_per_client(target, policies[name], costs) for name in policies},
            "refused_share": float(np.mean(refused)),
        }

    return [row(ratio) for ratio in RATIOS]


def decision_scorer(costs: CostAssumptions = DEFAULT_COSTS) -> Any:
    """Return a scikit-learn scorer of decisions, where 1 is a refusal: minus the cost per client, greater is better.

    It plugs into `TunedThresholdClassifierCV(estimator, scoring=decision_scorer())`.
    """

    def score(target: Any, refused: Any) -> float:
        return cost_per_client(np.asarray(target), np.asarray(refused) == 1, costs)

    return make_scorer(score, greater_is_better=False)


def business_report(
    target: Integers, probability: Floats, refused: Booleans, exposure: Floats, cost_model: CostModel
) -> dict[str, Any]:
    """Report cost, money per client and shares of refusals, also of the theoretical threshold and trivial policies."""
    costs = cost_model.costs
    policies = {
        "model": refused,
        "model_at_theory": probability >= costs.theoretical_threshold,
        **trivial_policies(len(target)),
    }
    return {
        name: {
            "cost_per_client": asdict(mean_with_interval(costs_of(target, refusals, costs))),
            "money_per_client": float(money_of(target, refusals, exposure, cost_model.economics).mean()),
            "refused_share": float(refusals.mean()),
            "defaults_caught": float(refusals[target == 1].mean()) if np.any(target == 1) else None,
            "good_clients_refused": float(refusals[target == 0].mean()) if np.any(target == 0) else None,
        }
        for name, refusals in policies.items()
    }


def add_cost_options(arguments: argparse.ArgumentParser) -> None:
    """Add `--cost-false-negative`, `--cost-false-positive`, `--loss-given-default` and `--margin`."""
    for defaults in (DEFAULT_COSTS, DEFAULT_ECONOMICS):
        for name, field in type(defaults).model_fields.items():
            option = f"--cost-{name}" if defaults is DEFAULT_COSTS else f"--{name}"
            arguments.add_argument(
                option.replace("_", "-"), type=float, default=getattr(defaults, name), dest=name, help=field.description
            )


def cost_model_from(options: argparse.Namespace) -> CostModel:
    """Return the cost model that the options of `add_cost_options` give; a CommandError where one is out of bounds."""
    costs, economics = (
        {name: getattr(options, name) for name in model.model_fields} for model in (CostAssumptions, LoanEconomics)
    )
    try:
        return CostModel(costs=CostAssumptions(**costs), economics=LoanEconomics(**economics))
    except ValidationError as error:
        first = error.errors()[0]
        raise CommandError(f"{first['loc'][0]} is {first['input']}: {first['msg'].lower()}") from error
