"""Report a comparison: a row for each candidate, the verdict, the printed table, the figures."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_curve

from research.comparison import candidates
from research.comparison.candidates import FAMILIES
from research.comparison.experiment import BASELINES, CHAMPION, PRIOR, Candidate, CandidateResult, Problem, Row
from research.evaluation import business_score
from research.evaluation.bootstrap import Estimate, mean_with_interval
from research.evaluation.calibration import calibration_line, clipped_log_odds
from research.evaluation.metrics import caution_of
from research.plotting import data_note, source_of
from research.types import Booleans, Floats, OutOfFold

COLUMNS = {
    "at theory": ("per_1000_at_theory", ".1f", 9),
    "AUC": ("auc", ".4f", 6),
    "Gini": ("gini", ".4f", 6),
    "KS": ("ks", ".4f", 6),
    "PR-AUC": ("pr_auc", ".4f", 6),
    "log-loss": ("log_loss", ".5f", 8),
    "Brier": ("brier", ".4f", 6),
    "slope": ("calibration_slope", ".2f", 5),
    "ratio": ("predicted_over_observed", ".2f", 5),
    "fit s": ("fit_seconds", ".2f", 6),
    "ms/1,000": ("score_ms_per_1000", ".1f", 8),
    "MiB": ("peak_memory_mib", ".0f", 6),
}
"""Name, format and width of the figure in each column of the printed table."""


def report(problem: Problem, results: Sequence[CandidateResult], parent: str) -> dict[str, Any]:
    """Return the content of comparison.json, with a row for each candidate, cheapest first."""
    settings = problem.settings
    cost = {
        result.candidate: business_score.costs_of(problem.target, _decisions(problem, result)[0], settings.costs)
        for result in results
    }
    best = min(cost, key=lambda candidate: cost[candidate].mean())
    champion = [candidate for candidate in cost if candidate.family == CHAMPION]
    compared = {"best": best} | ({CHAMPION: champion[0]} if champion else {})
    rows = [
        row_of(problem, result)
        | {
            f"cost_above_{name}": asdict(mean_with_interval(cost[result.candidate] - cost[against]))
            for name, against in compared.items()
        }
        for result in results
    ]
    return {
        **problem.data.source.model_dump(),
        "run": parent,
        "development_clients": len(problem.target),
        "folds": len(problem.splits),
        "folds_seed": settings.seed,
        "costs": settings.costs.model_dump(),
        "economics": settings.cost_model.economics.model_dump(),
        "metric": settings.metric,
        "best": best.name,
        "verdict": verdict(cost),
        "rows": sorted(rows, key=lambda row: row["cost_per_client"]["value"]),
    }


def row_of(problem: Problem, result: CandidateResult) -> Row:
    """Return all figures of a candidate; None where its kind has no such figure."""
    target, scores, costs = problem.target, result.scores, problem.settings.costs
    refused, thresholds = _decisions(problem, result)
    money = business_score.money_of(target, refused, problem.rows.exposure, problem.settings.cost_model.economics)
    row: Row = {
        "candidate": result.candidate.name,
        **asdict(result.candidate),
        "served": result.candidate.served,
        "run": result.run,
        "reused": result.reused,
        "setting": result.setting,
        "cost_per_client": asdict(mean_with_interval(business_score.costs_of(target, refused, costs))),
        "money_per_client": float(money.mean()),
        "refused_share": float(refused.mean()),
        "thresholds": list(thresholds.values()),
        "peak_memory_mib": scores.peak_memory_mib,
        "memory_gained_mib": scores.memory_gained_mib,
        "fit_seconds": float(np.mean(scores.fit_seconds)) if scores.fit_seconds else None,
        "score_ms_per_1000": float(np.median(scores.score_ms_per_1000)) if scores.fit_seconds else None,
    }
    if not thresholds:
        return row
    probability = scores.probability
    at_theory = business_score.costs_of(target, probability >= costs.theoretical_threshold, costs)
    row["cost_per_client_at_theory"] = asdict(mean_with_interval(at_theory))
    row |= {name: value for name, value in candidates.metrics(target, probability).items() if name != "cost"}
    row["predicted_over_observed"] = float(probability.mean() / target.mean())
    row["by_fold"] = [_of_fold(problem, result, refused, number) for number in range(len(problem.splits))]
    if result.candidate.family != PRIOR:
        row["calibration_slope"], row["calibration_intercept"] = calibration_line(target, clipped_log_odds(probability))
    return row


def _decisions(problem: Problem, result: CandidateResult) -> tuple[Booleans, dict[int, float]]:
    """Return refusals by thresholds of the other folds and these thresholds; a trivial policy has none."""
    if result.candidate.family in (business_score.ACCEPT_ALL, business_score.REFUSE_ALL):
        return result.scores.probability > 0, {}
    scores = OutOfFold.from_probability(problem.target, result.scores.probability, problem.fold)
    return business_score.cross_fitted_decisions(scores, problem.settings.costs)


def _of_fold(problem: Problem, result: CandidateResult, refused: Booleans, number: int) -> dict[str, float]:
    _, validation = problem.splits[number]
    target, scores, costs = problem.target[validation], result.scores, problem.settings.costs
    measured = candidates.metrics(target, scores.probability[validation], costs)
    measured["cost_at_theory"] = measured.pop("cost")
    measured["cost"] = float(business_score.costs_of(target, refused[validation], costs).mean())
    if scores.fit_seconds:
        measured["fit_seconds"] = scores.fit_seconds[number]
        measured["score_ms_per_1000"] = scores.score_ms_per_1000[number]
    return measured


def verdict(cost: dict[Candidate, Floats]) -> dict[str, Any] | None:
    """Return whether a family that cannot be served beats all that can, beyond chance; None without both kinds."""
    served, others = (
        [candidate for candidate in cost if candidate.family not in BASELINES and candidate.served == can_be]
        for can_be in (True, False)
    )
    if not served or not others:
        return None
    best, challenger = (min(side, key=lambda candidate: cost[candidate].mean()) for side in (served, others))
    saved = mean_with_interval(cost[best] - cost[challenger])
    beaten = saved.low > 0
    chance = "MORE THAN CHANCE EXPLAINS" if beaten else "no more than chance explains"
    return {
        "best_served": best.name,
        "challenger": challenger.name,
        "saved_per_client": asdict(saved),
        "served_is_beaten": beaten,
        "said": f"{challenger.name} against {best.name}, the best that can be served: saves "
        f"{_per_1000(asdict(saved))} per 1,000 applications, {chance}",
    }


def flatten(row: Row) -> Row:
    """Return a row with three columns for an estimate, its name, `_low` and `_high`, and without folds."""
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, dict) and set(value) == set(Estimate.__dataclass_fields__):
            flat |= {name: value["value"], f"{name}_low": value["low"], f"{name}_high": value["high"]}
        elif name != "by_fold":
            flat[name] = json.dumps(value) if isinstance(value, dict | list) else value
    return flat


def print_table(content: dict[str, Any]) -> None:
    """Print a line for each candidate, cheapest first, then the verdict."""
    titles = " ".join(f"{title:>{width}}" for title, (_, _, width) in COLUMNS.items())
    print(f"\n{'candidate':31} {'cost per 1,000':^22} {'above the best':^20} {titles}")
    for row in content["rows"]:
        above = "" if row["candidate"] == content["best"] else _per_1000(row["cost_above_best"])
        figures = dict(row)
        if "cost_per_client_at_theory" in row:
            figures["per_1000_at_theory"] = 1000 * row["cost_per_client_at_theory"]["value"]
        cells = [
            f"{'' if figures.get(name) is None else format(figures[name], form):>{width}}"
            for name, form, width in COLUMNS.values()
        ]
        print(f"{row['candidate']:31} {_per_1000(row['cost_per_client']):22} {above:20} {' '.join(cells)}")
    print("slope: of outcomes on log-odds; ratio: predicted over observed; fit: of a fold, without selecting features")
    if content["verdict"]:
        print(content["verdict"]["said"])
    if caution := caution_of(content["development_clients"]):
        print(caution)


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
    mean, low, high = business_score.cost_band(target, probability, costs=costs)
    cost.fill_between(business_score.GRID, low, high, alpha=0.2)
    cost.plot(business_score.GRID, mean)
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


def _per_1000(estimate: dict[str, float]) -> str:
    return "{value:.1f} [{low:.1f}, {high:.1f}]".format(**{name: 1000 * value for name, value in estimate.items()})
