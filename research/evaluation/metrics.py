"""Evaluate probabilities against outcomes: discrimination, calibration, cost, and the best that could be reached."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl
from scipy.special import logit
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score, roc_curve

from bento.policy import CostAssumptions
from research.data.dataset import Data, Rows
from research.evaluation.bootstrap import bootstrap
from research.evaluation.business_score import cost_per_client, trivial_policies
from research.evaluation.calibration import calibration_line
from research.types import Booleans, Floats, Integers, OutOfFold

SMALL_SAMPLE_CLIENTS = 10_000
"""Development clients below which a result comes with a caution."""
MIN_CLASS_SIZE = 10
"""Minimum clients of the rarer outcome for an interval."""


def caution_of(clients: int) -> str:
    """Return the caution for a result obtained on this number of development clients; empty where they are many.

    >>> caution_of(700)
    '700 development clients prove little: mind the intervals'
    """
    return f"{clients:,} development clients prove little: mind the intervals" if clients < SMALL_SAMPLE_CLIENTS else ""


def auc(target: Integers, scores: Floats) -> float:
    """Compute the area under the ROC curve; NaN where all clients have the same outcome.

    >>> auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.2, 0.3]))
    0.875
    """
    return float(roc_auc_score(target, scores)) if 0 < target.sum() < len(target) else float("nan")


def gini(auc: float) -> float:
    """Compute the Gini coefficient (accuracy ratio) from the AUC: 0 is random, 1 perfect.

    >>> gini(0.875)
    0.75
    """
    return 2 * auc - 1


def ks(target: Integers, scores: Floats) -> float:
    """Compute the Kolmogorov-Smirnov statistic: the largest distance between the scores of the two outcomes.

    >>> ks(np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.2, 0.3]))
    0.5
    """
    false_positive, true_positive, _ = roc_curve(target, scores)
    return float(np.max(np.abs(true_positive - false_positive)))


def discrimination(target: Integers, scores: Floats) -> dict[str, float]:
    """Compute AUC, Gini and KS, or nothing where all clients have the same outcome."""
    area = auc(target, scores)
    return {} if np.isnan(area) else {"auc": area, "gini": gini(area), "ks": ks(target, scores)}


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


def measures(
    name: str, target: Integers, probability: Floats, refused: Booleans, costs: CostAssumptions
) -> dict[str, float]:
    """Compute every metric under names such as `{name}_auc`; the threshold must not be chosen on these rows."""
    policies = trivial_policies(len(target))
    measured = {
        "clients": len(target),
        "default_rate": target.mean(),
        "pr_auc": average_precision_score(target, probability),
        "log_loss": log_loss(target, probability, labels=[0, 1]),
        "brier": brier_score_loss(target, probability),
        "cost_per_client": cost_per_client(target, refused, costs),
        "cost_per_client_at_theory": cost_per_client(target, probability >= costs.theoretical_threshold, costs),
        **{f"cost_per_client_{policy}": cost_per_client(target, policies[policy], costs) for policy in policies},
        "refused_share": refused.mean(),
        "predicted_to_observed": probability.mean() / max(target.mean(), 1 / len(target)),
        **discrimination(target, probability),
    }
    return {f"{name}_{key}": float(value) for key, value in measured.items()}


def intervals(target: Integers, probability: Floats) -> dict[str, Any]:
    """Estimate AUC and calibration slope with bootstrap intervals; nothing where the rarer outcome is too rare."""
    if min(target.sum(), len(target) - target.sum()) < MIN_CLASS_SIZE:
        return {}
    log_odds = logit(probability)
    statistics: dict[str, Callable[[Integers], float]] = {
        "auc": lambda rows: auc(target[rows], probability[rows]),
        "calibration_slope": lambda rows: calibration_line(target[rows], log_odds[rows])[0],
    }
    return {name: asdict(bootstrap(statistic, len(target))) for name, statistic in statistics.items()}


def oracle(data: Data, splits: dict[str, Rows], costs: CostAssumptions) -> dict[str, float] | None:
    """Evaluate the probabilities that synthetic outcomes were drawn from, the bound of any model; None on real data."""
    path = data.folder / "oracle.parquet"
    if not path.is_file():
        return None
    truth, measured = pl.read_parquet(path, glob=False), dict[str, float]()
    for name, rows in splits.items():
        joined = rows.features.select("SK_ID_CURR").join(truth, on="SK_ID_CURR", how="left", maintain_order="left")
        probability = joined["PROBABILITY"].to_numpy()
        measured |= measures(name, rows.target, probability, probability >= costs.theoretical_threshold, costs)
    return measured
