"""The figures of a training run: ROC, calibration, cost curve, sensitivity, review, learning curve."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score, roc_curve

from bento.model.manifest import DataSource
from bento.policy import CostAssumptions
from research.evaluation.bootstrap import LEVEL
from research.evaluation.business_score import GRID, cost_band, cost_per_client, sensitivity
from research.evaluation.calibration import METHODS, cross_fitted
from research.evaluation.review_band import REVIEWER_ERRORS, cost_by_capacity

mpl.use("Agg")

Vector = NDArray[np.float64]

MAX_REVIEWED_SHARE = 0.3
"""Largest share of applications reviewed that is drawn."""


def write_figures(
    folder: Path,
    target: NDArray[np.int64],
    log_odds: Vector,
    fold: NDArray[np.int64],
    threshold: float,
    costs: CostAssumptions,
    curves: dict[str, list[float]],
    source: DataSource,
) -> list[Path]:
    """Write the PNG figures of out-of-fold scores; each carries the source of its data."""
    probability = expit(log_odds)
    figures = {
        "roc": _roc(target, probability),
        "calibration": _calibration(target, log_odds, fold),
        "cost_curve": _cost(target, probability, threshold, costs),
        "sensitivity": _sensitivity(target, probability, fold),
        "review": _review(target, probability, fold, costs),
    }
    if curves:
        figures["learning_curve"] = _learning(curves)
    paths = []
    for name, figure in figures.items():
        paths.append(folder / f"{name}.png")
        save(figure, paths[-1], source)
    return paths


def save(figure: Figure, path: Path, source: DataSource) -> None:
    """Write a figure with the source of its data in a corner."""
    seed = "" if source.seed is None else f", seed {source.seed}"
    figure.get_layout_engine().set(rect=(0, 0.03, 1, 0.97))  # room for the line below
    figure.text(0.99, 0.01, f"data: {source.data}, {source.clients:,} clients{seed}", ha="right", size=7, c="grey")
    figure.savefig(path, dpi=110)


def _figure(title: str, x: str, y: str) -> tuple[Figure, mpl.axes.Axes]:
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    return figure, axes


def _roc(target: NDArray[np.int64], probability: Vector) -> Figure:
    figure, axes = _figure("ROC, out-of-fold", "good clients refused (share)", "defaults refused (share)")
    false_positive, true_positive, _ = roc_curve(target, probability)
    axes.plot(false_positive, true_positive, label=f"AUC {roc_auc_score(target, probability):.3f}")
    axes.plot([0, 1], [0, 1], "--", c="grey", lw=0.8)
    axes.legend()
    return figure


def _calibration(target: NDArray[np.int64], log_odds: Vector, fold: NDArray[np.int64]) -> Figure:
    figure, axes = _figure("Calibration by decile, out-of-fold", "predicted probability of default", "share in default")
    end = 0.0
    for name, fit in METHODS.items():
        probability = cross_fitted(fit, target, log_odds, fold)
        observed, predicted = calibration_curve(target, probability, n_bins=10, strategy="quantile")
        main = name == "none"
        axes.plot(
            predicted, observed, "o-" if main else ".--", lw=1.5 if main else 0.8, label="as served" if main else name
        )
        end = max(end, observed.max(), predicted.max())
    axes.plot([0, end], [0, end], ":", c="grey", lw=0.8, label="perfect")
    axes.legend()
    return figure


def _cost(target: NDArray[np.int64], probability: Vector, threshold: float, costs: CostAssumptions) -> Figure:
    figure, axes = _figure("Cost of a threshold, out-of-fold", "threshold", "cost per client (good clients refused)")
    cost, low, high = cost_band(target, probability, GRID, costs)
    axes.fill_between(GRID, low, high, alpha=0.2, label=f"bootstrap, {LEVEL:.0%}")
    axes.plot(GRID, cost)
    everybody = np.ones(len(target), dtype=bool)
    for name, refused, style in (("accept all", ~everybody, ":"), ("refuse all", everybody, "-.")):
        trivial = cost_per_client(target, refused, costs)
        axes.axhline(trivial, ls=style, c="grey", label=f"{name}: {trivial:.3f}")
    axes.axvline(threshold, c="C1", label=f"chosen: {threshold:.4f}")
    theory = costs.theoretical_threshold
    axes.axvline(theory, ls="--", c="C2", label=f"theory: {theory:.4f}")
    axes.set_xlim(0, 0.4)
    axes.legend(fontsize=8)
    return figure


def _sensitivity(target: NDArray[np.int64], probability: Vector, fold: NDArray[np.int64]) -> Figure:
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    figure.suptitle("If a missed default cost more or less, out-of-fold")
    rows = sensitivity(target, probability, fold)
    ratio = [row["ratio"] for row in rows]
    left, right = figure.subplots(1, 2)
    for name, label in (
        ("cost_per_client", "model"),
        ("cost_per_client_accept_all", "accept all"),
        ("cost_per_client_refuse_all", "refuse all"),
    ):
        left.plot(ratio, [row[name] for row in rows], "o-" if label == "model" else "--", label=label)
    left.set(xlabel="cost of a missed default", ylabel="cost per client (good clients refused)")
    right.plot(ratio, [row["threshold"] for row in rows], "o-", label="best threshold found")
    right.plot(ratio, [row["theoretical_threshold"] for row in rows], "--", c="C2", label="theory")
    right.set(xlabel="cost of a missed default", ylabel="threshold")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return figure


def _review(target: NDArray[np.int64], probability: Vector, fold: NDArray[np.int64], costs: CostAssumptions) -> Figure:
    figure, axes = _figure(
        "Cost with review, out-of-fold",
        "share of applications that a person sees",
        "cost per client (good clients refused)",
    )
    capacities = np.linspace(0, MAX_REVIEWED_SHARE, 13)
    cost = cost_by_capacity(target, probability, fold, capacities.tolist(), costs=costs)
    for error, curve in zip(REVIEWER_ERRORS, cost.T, strict=True):
        axes.plot(capacities, curve, ".-", label=f"wrong in {error:.0%} of cases" if error else "always right")
    axes.axhline(cost[0, 0], ls=":", c="grey", label=f"no review: {cost[0, 0]:.3f}")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.legend(fontsize=8, title="reviewer (their time is not priced)", title_fontsize=8)
    return figure


def _learning(curves: dict[str, list[float]]) -> Figure:
    figure, axes = _figure("Learning curve, mean of the folds' inner splits", "trees", "log-loss")
    axes.plot(np.arange(1, len(curves["binary_logloss"]) + 1), curves["binary_logloss"])
    return figure
