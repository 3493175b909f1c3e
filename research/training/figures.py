"""Draw the figures of a training run: ROC, calibration, cost curve, sensitivity, review, learning curve."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score, roc_curve

from bento.model.manifest import DataSource
from bento.policy import CostAssumptions
from research.evaluation.bootstrap import LEVEL
from research.evaluation.business_score import GRID, cost_band, cost_per_client, sensitivity, trivial_policies
from research.evaluation.calibration import METHODS, cross_fitted
from research.evaluation.review_band import REVIEWER_ERRORS, cost_by_capacity
from research.plotting import new_axes, save_figure
from research.types import OutOfFold

MAX_REVIEWED_SHARE = 0.3
"""Largest share of reviewed applications that is drawn."""
COST_LABEL = "cost per client (good clients refused)"


def write_figures(
    folder: Path,
    uncalibrated: OutOfFold,
    scores: OutOfFold,
    threshold: float,
    costs: CostAssumptions,
    curves: dict[str, list[float]],
    source: DataSource,
) -> None:
    """Write the figures as PNG, each with the source of its data; `scores` are `uncalibrated` as served."""
    figures = {
        "roc": plot_roc(scores),
        "calibration": plot_calibration(uncalibrated),
        "cost_curve": plot_cost(scores, threshold, costs),
        "sensitivity": plot_sensitivity(scores),
        "review": plot_review(scores, costs),
    }
    if curves:
        figures["learning_curve"] = plot_learning_curve(curves["binary_logloss"])
    for name, figure in figures.items():
        save_figure(figure, folder / f"{name}.png", source)


def plot_roc(scores: OutOfFold) -> Figure:
    """Draw the ROC curve."""
    figure, axes = new_axes("ROC, out-of-fold", "good clients refused (share)", "defaults refused (share)")
    false_positive, true_positive, _ = roc_curve(scores.target, scores.probability)
    axes.plot(false_positive, true_positive, label=f"AUC {roc_auc_score(scores.target, scores.probability):.3f}")
    axes.plot([0, 1], [0, 1], "--", c="grey", lw=0.8)
    axes.legend()
    return figure


def plot_calibration(uncalibrated: OutOfFold) -> Figure:
    """Draw observed against predicted defaults by decile, for each calibration method."""
    title = "Calibration by decile, out-of-fold"
    figure, axes = new_axes(title, "predicted probability of default", "share in default")
    end = 0.0
    for name, fit in METHODS.items():
        probability = cross_fitted(fit, uncalibrated)
        observed, predicted = calibration_curve(uncalibrated.target, probability, n_bins=10, strategy="quantile")
        style, width, label = ("o-", 1.5, "not corrected") if name == "none" else (".--", 0.8, name)
        axes.plot(predicted, observed, style, lw=width, label=label)
        end = max(end, observed.max(), predicted.max())
    axes.plot([0, end], [0, end], ":", c="grey", lw=0.8, label="perfect")
    axes.legend()
    return figure


def plot_cost(scores: OutOfFold, threshold: float, costs: CostAssumptions) -> Figure:
    """Draw the cost of each threshold with its band, beside the trivial policies."""
    figure, axes = new_axes("Cost of a threshold, out-of-fold", "threshold", COST_LABEL)
    cost, low, high = cost_band(scores.target, scores.probability, GRID, costs)
    axes.fill_between(GRID, low, high, alpha=0.2, label=f"bootstrap, {LEVEL:.0%}")
    axes.plot(GRID, cost)
    for (name, refused), style in zip(trivial_policies(len(scores.target)).items(), (":", "-."), strict=True):
        trivial = cost_per_client(scores.target, refused, costs)
        axes.axhline(trivial, ls=style, c="grey", label=f"{name.replace('_', ' ')}: {trivial:.3f}")
    axes.axvline(threshold, c="C1", label=f"chosen: {threshold:.4f}")
    theory = costs.theoretical_threshold
    axes.axvline(theory, ls="--", c="C2", label=f"theory: {theory:.4f}")
    axes.set_xlim(0, 0.4)
    axes.legend(fontsize=8)
    return figure


def plot_sensitivity(scores: OutOfFold) -> Figure:
    """Draw cost and threshold against the ratio of the two errors' costs."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    figure.suptitle("If a missed default cost more or less, out-of-fold")
    rows = sensitivity(scores)
    ratio = [row["ratio"] for row in rows]
    left, right = figure.subplots(1, 2)
    left.plot(ratio, [row["cost_per_client"] for row in rows], "o-", label="model")
    for policy in trivial_policies(1):
        left.plot(ratio, [row[f"cost_per_client_{policy}"] for row in rows], "--", label=policy.replace("_", " "))
    left.set(xlabel="cost of a missed default", ylabel=COST_LABEL)
    right.plot(ratio, [row["threshold"] for row in rows], "o-", label="best threshold")
    right.plot(ratio, [row["theoretical_threshold"] for row in rows], "--", c="C2", label="theory")
    right.set(xlabel="cost of a missed default", ylabel="threshold")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return figure


def plot_review(scores: OutOfFold, costs: CostAssumptions) -> Figure:
    """Draw the cost against the share of reviewed applications, for each error rate of the reviewer."""
    figure, axes = new_axes("Cost with review, out-of-fold", "share of applications reviewed", COST_LABEL)
    capacities = np.linspace(0, MAX_REVIEWED_SHARE, 13)
    cost = cost_by_capacity(scores, capacities.tolist(), costs)
    for error, curve in zip(REVIEWER_ERRORS, cost.T, strict=True):
        axes.plot(capacities, curve, ".-", label=f"wrong in {error:.0%} of cases" if error else "always right")
    axes.axhline(cost[0, 0], ls=":", c="grey", label=f"no review: {cost[0, 0]:.3f}")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.legend(fontsize=8, title="reviewer (their time is not priced)", title_fontsize=8)
    return figure


def plot_learning_curve(log_loss: list[float]) -> Figure:
    """Draw log-loss against the number of trees."""
    figure, axes = new_axes("Learning curve, mean of the folds' inner splits", "trees", "log-loss")
    axes.plot(np.arange(1, len(log_loss) + 1), log_loss)
    return figure
