"""The figures of a training run: ROC, calibration, cost curve, learning curve."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score, roc_curve

from bento.decision import DEFAULT_COSTS
from bento.model import DataSource
from research.business_score import cost_curve, cost_per_client

mpl.use("Agg")

Vector = NDArray[np.float64]


def write_figures(
    folder: Path,
    target: NDArray[np.int64],
    probability: Vector,
    threshold: float,
    curves: dict[str, list[float]],
    source: DataSource,
) -> list[Path]:
    """Write the PNG figures of out-of-fold scores; each carries the source of its data."""
    figures = {
        "roc": _roc(target, probability),
        "calibration": _calibration(target, probability),
        "cost_curve": _cost(target, probability, threshold),
        "learning_curve": _learning(curves),
    }
    seed = "" if source.seed is None else f", seed {source.seed}"
    paths = []
    for name, figure in figures.items():
        figure.text(0.99, 0.01, f"data: {source.data}, {source.clients:,} clients{seed}", ha="right", size=7, c="grey")
        paths.append(folder / f"{name}.png")
        figure.savefig(paths[-1], dpi=110)
    return paths


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


def _calibration(target: NDArray[np.int64], probability: Vector) -> Figure:
    figure, axes = _figure("Calibration by decile, out-of-fold", "predicted probability of default", "share in default")
    observed, predicted = calibration_curve(target, probability, n_bins=10, strategy="quantile")
    axes.plot(predicted, observed, "o-")
    end = max(observed.max(), predicted.max())
    axes.plot([0, end], [0, end], "--", c="grey", lw=0.8, label="perfect")
    axes.legend()
    return figure


def _cost(target: NDArray[np.int64], probability: Vector, threshold: float) -> Figure:
    figure, axes = _figure("Cost of a threshold, out-of-fold", "threshold", "cost per client (good clients refused)")
    thresholds, cost = cost_curve(target, probability)
    axes.plot(thresholds, cost)
    accept_all = cost_per_client(target, np.zeros(len(target), dtype=bool))
    axes.axhline(accept_all, ls=":", c="grey", label=f"accept all: {accept_all:.3f}")
    axes.axvline(threshold, c="C1", label=f"chosen: {threshold:.4f}, cost {cost.min():.3f}")
    theory = DEFAULT_COSTS.theoretical_threshold
    axes.axvline(theory, ls="--", c="C2", label=f"theory: {theory:.4f}")
    axes.set_xlim(0, 0.4)
    axes.legend()
    return figure


def _learning(curves: dict[str, list[float]]) -> Figure:
    figure, axes = _figure("Learning curve, mean of the folds' inner splits", "trees", "log-loss")
    axes.plot(np.arange(1, len(curves["binary_logloss"]) + 1), curves["binary_logloss"])
    return figure
