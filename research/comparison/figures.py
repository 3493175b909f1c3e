"""Draw a comparison: all candidates side by side, and the curves of one."""

from typing import Any

from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_curve

from research.comparison.candidates import FAMILIES
from research.comparison.experiment import CandidateResult, Problem
from research.evaluation.business_score import GRID, cost_band
from research.plotting import data_note, source_of


def plot_comparison(content: dict[str, Any]) -> Figure:
    """Draw cost with interval, AUC overall and by fold, calibration and times of every candidate, cheapest on top."""
    rows = content["rows"]
    figure = Figure(figsize=(13, 1.5 + 0.3 * len(rows)), layout="constrained")
    cost, auc, slope, times = figure.subplots(1, 4, sharey=True, width_ratios=[3, 2, 2, 2])
    cost.set_yticks(range(len(rows)), [row["candidate"] + (" *" if row["served"] else "") for row in rows])
    cost.invert_yaxis()
    for place, row in enumerate(rows):
        value, low, high = (1000 * row["cost_per_client"][part] for part in ("value", "low", "high"))
        colour = "C0" if row["served"] else "C1" if row["family"] in FAMILIES else "grey"
        cost.errorbar(value, place, xerr=[[value - low], [high - value]], fmt="o", c=colour, capsize=3)
        if "auc" in row:
            auc.plot([of_fold["auc"] for of_fold in row["by_fold"]], [place] * content["folds"], "|", c="grey")
            auc.plot(row["auc"], place, "o", c=colour)
        if row["fit_seconds"] is not None:
            times.plot(row["fit_seconds"], place, "o", c=colour)
            times.plot(row["score_ms_per_1000"] / 1000, place, "x", c=colour)
        if "calibration_slope" in row:
            slope.plot(row["calibration_slope"], place, "o", c=colour)
            slope.plot(row["predicted_over_observed"], place, "x", c=colour)
    cost.set(title="cost per 1,000 applications", xlabel="good clients refused, 95 % interval")
    auc.set(title="AUC", xlabel="out of fold; |: each fold")
    slope.set(title="calibration", xlabel="o: slope   x: predicted / observed")
    slope.axvline(1, ls=":", c="grey")
    times.set(title="seconds", xlabel="o: a fit   x: scoring 1,000 rows", xscale="log")
    for axes in (cost, auc, slope, times):
        axes.grid(alpha=0.3)
    figure.suptitle(f"{data_note(source_of(content))}; * can be served", x=0.99, ha="right", size=8, c="grey")
    return figure


def plot_curves(problem: Problem, result: CandidateResult, row: dict[str, Any]) -> Figure:
    """Draw ROC, precision and recall, cost of each threshold with its band, reliability by decile; all out of fold."""
    target, probability, costs = problem.target, result.scores.probability, problem.settings.costs
    figure = Figure(figsize=(10, 8), layout="constrained")
    (roc, recall, cost, reliability) = figure.subplots(2, 2).flat
    false_positive, true_positive, _ = roc_curve(target, probability)
    roc.plot(false_positive, true_positive)
    roc.set(
        title=f"ROC, AUC {row['auc']:.3f}", xlabel="good clients refused (share)", ylabel="defaults refused (share)"
    )
    precision, recalled, _ = precision_recall_curve(target, probability)
    recall.plot(recalled, precision)
    recall.set(title=f"PR-AUC {row['pr_auc']:.3f}", xlabel="defaults refused (share)", ylabel="defaults among refused")
    mean, low, high = cost_band(target, probability, costs=costs)
    cost.fill_between(GRID, low, high, alpha=0.2)
    cost.plot(GRID, mean)
    cost.axvline(costs.theoretical_threshold, ls="--", c="C2", label="theory")
    for threshold in row["thresholds"]:
        cost.axvline(threshold, c="C1", lw=0.8)
    cost.set(title="cost per client, 95 % band; thresholds of the folds", xlabel="threshold", xlim=(0, 0.4))
    cost.legend()
    observed, predicted = calibration_curve(target, probability, n_bins=10, strategy="quantile")
    reliability.plot(predicted, observed, "o-")
    reliability.axline((0, 0), slope=1, ls="--", c="grey", lw=0.8)
    reliability.set(title="reliability by decile", xlabel="predicted probability of default", ylabel="share in default")
    figure.suptitle(f"{result.candidate.name}, out of fold; data: {problem.data.source.tag}")
    return figure
