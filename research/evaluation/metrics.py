"""Evaluate probabilities against outcomes: discrimination, calibration, cost, and the best that could be reached."""

from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl
from scipy.special import logit
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score, roc_curve

from bento.policy import CostAssumptions
from research.data.dataset import Data, Rows
from research.evaluation.bootstrap import bootstrap
from research.evaluation.business_score import cost_per_client, trivial_policies
from research.evaluation.calibration import calibration_line
from research.types import Booleans, Floats, Integers

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


def measures(
    name: str, target: Integers, probability: Floats, refused: Booleans, costs: CostAssumptions
) -> dict[str, float]:
    """Compute every metric of these rows, under names such as `{name}_auc`.

    Args:
        name: of the rows, such as test.
        target: 1 where the client defaulted.
        probability: of default.
        refused: the decisions, by a threshold that was not chosen on these rows.
        costs: of the two errors.
    """
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

    def auc_of(rows: Integers) -> float:
        return auc(target[rows], probability[rows])

    def slope_of(rows: Integers) -> float:
        return calibration_line(target[rows], log_odds[rows])[0]

    return {
        "auc": asdict(bootstrap(auc_of, len(target))),
        "calibration_slope": asdict(bootstrap(slope_of, len(target))),
    }


def oracle(data: Data, splits: dict[str, Rows], costs: CostAssumptions) -> dict[str, float] | None:
    """Evaluate the probabilities that synthetic outcomes were drawn from: the upper bound of any model.

    Returns:
        `measures` of each split, or None on real data.
    """
    path = data.folder / "oracle.parquet"
    if not path.is_file():
        return None
    truth, measured = pl.read_parquet(path), dict[str, float]()
    for name, rows in splits.items():
        joined = rows.features.select("SK_ID_CURR").join(truth, on="SK_ID_CURR", how="left", maintain_order="left")
        probability = joined["PROBABILITY"].to_numpy()
        measured |= measures(name, rows.target, probability, probability >= costs.theoretical_threshold, costs)
    return measured
