"""Judges probabilities against outcomes: discrimination, calibration, cost, and the best that could be reached."""

from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import logit
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from bento.policy import CostAssumptions
from research.data.dataset import Data, Rows
from research.evaluation.bootstrap import bootstrap
from research.evaluation.business_score import Decisions, cost_per_client
from research.evaluation.calibration import calibration_line

Vector = NDArray[np.float64]
Outcomes = NDArray[np.int64]

SMALL_SAMPLE_CLIENTS = 10_000
"""Below so many development clients a result says little, and is said to."""
MIN_CLASS_SIZE = 10
"""Below so many of the rarer outcome no interval is claimed."""


def caution_of(clients: int) -> str:
    """What to say of a result obtained on so many development clients; nothing where they are many.

    >>> caution_of(700)
    '700 development clients prove little: mind the intervals'
    """
    return f"{clients:,} development clients prove little: mind the intervals" if clients < SMALL_SAMPLE_CLIENTS else ""


def measures(
    name: str, target: Outcomes, probability: Vector, refused: Decisions, costs: CostAssumptions
) -> dict[str, float]:
    """Every figure of these rows under the names `{name}_auc` and so on; no AUC where one class alone is there.

    Args:
        name: of the rows, such as test.
        target: 1 where the client defaulted.
        probability: of default.
        refused: the decisions, by a threshold that these rows had no part in.
        costs: of the two errors.
    """
    everybody = np.ones(len(target), dtype=bool)
    measured = {
        "clients": len(target),
        "default_rate": target.mean(),
        "pr_auc": average_precision_score(target, probability),
        "log_loss": log_loss(target, probability, labels=[0, 1]),
        "brier": brier_score_loss(target, probability),
        "cost_per_client": cost_per_client(target, refused, costs),
        "cost_per_client_at_theory": cost_per_client(target, probability >= costs.theoretical_threshold, costs),
        "cost_per_client_accept_all": cost_per_client(target, ~everybody, costs),
        "cost_per_client_refuse_all": cost_per_client(target, everybody, costs),
        "refused_share": refused.mean(),
        "predicted_to_observed": probability.mean() / max(target.mean(), 1 / len(target)),
    }
    if len(np.unique(target)) == 2:
        measured["auc"] = roc_auc_score(target, probability)
    return {f"{name}_{key}": float(value) for key, value in measured.items()}


def intervals(target: Outcomes, probability: Vector) -> dict[str, Any]:
    """AUC and the slope of calibration with bootstrap intervals; nothing where the rarer class is too rare."""
    if min(target.sum(), len(target) - target.sum()) < MIN_CLASS_SIZE:
        return {}
    log_odds = logit(probability)

    def slope(rows: NDArray[np.int64]) -> float:
        return calibration_line(target[rows], log_odds[rows])[0]

    def auc(rows: NDArray[np.int64]) -> float:
        return float(roc_auc_score(target[rows], probability[rows]))

    return {
        "auc": asdict(bootstrap(auc, len(target))),
        "calibration_slope": asdict(bootstrap(slope, len(target))),
    }


def oracle(data: Data, splits: dict[str, Rows], costs: CostAssumptions) -> dict[str, float] | None:
    """What the probabilities that synthetic outcomes were drawn from reach on these rows; nothing on real data.

    No model sees them: they say how much there was to learn.
    """
    path = data.folder / "oracle.parquet"
    if not path.is_file():
        return None
    truth, found = pl.read_parquet(path), {}
    for name, rows in splits.items():
        joined = rows.features.select("SK_ID_CURR").join(truth, on="SK_ID_CURR", how="left", maintain_order="left")
        probability = joined["PROBABILITY"].to_numpy()
        found |= measures(name, rows.target, probability, probability >= costs.theoretical_threshold, costs)
    return found
