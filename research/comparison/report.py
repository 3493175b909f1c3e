"""Report a comparison: a row for each candidate, the verdict, the printed table."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from research.comparison import candidates
from research.comparison.experiment import (
    BASELINES,
    CHAMPION,
    PRIOR,
    Candidate,
    CandidateResult,
    Problem,
    Row,
)
from research.evaluation.bootstrap import Estimate, mean_with_interval
from research.evaluation.business_score import ACCEPT_ALL, REFUSE_ALL, costs_of, cross_fitted_decisions, money_of
from research.evaluation.calibration import calibration_line, clipped_log_odds
from research.evaluation.metrics import caution_of
from research.types import Booleans, Floats


def report(problem: Problem, results: Sequence[CandidateResult], parent: str) -> dict[str, Any]:
    """Return the content of comparison.json.

    It holds source of the data, run, folds, costs, best candidate, verdict, and a row for each candidate, cheapest
    first.
    """
    settings = problem.settings
    cost = {
        result.candidate: costs_of(problem.target, _decisions(problem, result)[0], settings.costs) for result in results
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
    money = money_of(target, refused, problem.rows.exposure, problem.settings.cost_model.economics)
    row: Row = {
        "candidate": result.candidate.name,
        **asdict(result.candidate),
        "served": result.candidate.served,
        "run": result.run,
        "reused": result.reused,
        "setting": result.setting,
        "cost_per_client": asdict(mean_with_interval(costs_of(target, refused, costs))),
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
    at_theory = costs_of(target, probability >= costs.theoretical_threshold, costs)
    row["cost_per_client_at_theory"] = asdict(mean_with_interval(at_theory))
    row |= {name: value for name, value in candidates.metrics(target, probability).items() if name != "cost"}
    row["predicted_over_observed"] = float(probability.mean() / target.mean())
    row["by_fold"] = [_of_fold(problem, result, refused, number) for number in range(len(problem.splits))]
    if result.candidate.family != PRIOR:
        row["calibration_slope"], row["calibration_intercept"] = calibration_line(target, clipped_log_odds(probability))
    return row


def _decisions(problem: Problem, result: CandidateResult) -> tuple[Booleans, dict[int, float]]:
    """Return refusals by thresholds of the other folds and these thresholds; a trivial policy has none."""
    if result.candidate.family in (ACCEPT_ALL, REFUSE_ALL):
        return result.scores.probability > 0, {}
    return cross_fitted_decisions(result.out_of_fold(problem), problem.settings.costs)


def _of_fold(problem: Problem, result: CandidateResult, refused: Booleans, number: int) -> dict[str, float]:
    _, validation = problem.splits[number]
    target, scores, costs = problem.target[validation], result.scores, problem.settings.costs
    measured = candidates.metrics(target, scores.probability[validation], costs)
    measured["cost_at_theory"] = measured.pop("cost")
    measured["cost"] = float(costs_of(target, refused[validation], costs).mean())
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
    print(
        f"\n{'candidate':31} {'cost per 1,000':^22} {'above the best':^20} {'at theory':>9} {'AUC':>6} {'Gini':>6} "
        f"{'KS':>6} {'PR-AUC':>6} {'log-loss':>8} {'Brier':>6} {'slope':>5} {'ratio':>5} {'fit s':>6} {'ms/1,000':>8} "
        f"{'MiB':>6}"
    )
    for row in content["rows"]:
        above = "" if row["candidate"] == content["best"] else _per_1000(row["cost_above_best"])
        at_theory = row.get("cost_per_client_at_theory", {}).get("value")
        cells = [
            f"{'' if value is None else format(value, form):>{width}}"
            for value, form, width in (
                (None if at_theory is None else 1000 * at_theory, ".1f", 9),
                (row.get("auc"), ".4f", 6),
                (row.get("gini"), ".4f", 6),
                (row.get("ks"), ".4f", 6),
                (row.get("pr_auc"), ".4f", 6),
                (row.get("log_loss"), ".5f", 8),
                (row.get("brier"), ".4f", 6),
                (row.get("calibration_slope"), ".2f", 5),
                (row.get("predicted_over_observed"), ".2f", 5),
                (row["fit_seconds"], ".2f", 6),
                (row["score_ms_per_1000"], ".1f", 8),
                (row["peak_memory_mib"], ".0f", 6),
            )
        ]
        print(f"{row['candidate']:31} {_per_1000(row['cost_per_client']):22} {above:20} {' '.join(cells)}")
    print("slope: of outcomes on log-odds; ratio: predicted over observed; fit: of a fold, without selecting features")
    if content["verdict"]:
        print(content["verdict"]["said"])
    if caution := caution_of(content["development_clients"]):
        print(caution)


def _per_1000(estimate: dict[str, float]) -> str:
    return "{value:.1f} [{low:.1f}, {high:.1f}]".format(**{name: 1000 * value for name, value in estimate.items()})
