"""What a comparison of models tells: a row for each candidate, the verdict, the table that is printed."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from research.comparison import candidates
from research.comparison.experiment import (
    ACCEPT,
    BASELINES,
    CHAMPION,
    PRIOR,
    REFUSE,
    Candidate,
    CandidateResult,
    Problem,
    Row,
)
from research.evaluation.bootstrap import mean_with_interval
from research.evaluation.business_score import Decisions, costs_of, cross_fitted_decisions, money_of
from research.evaluation.calibration import PROBABILITY_EPS, calibration_line
from research.evaluation.metrics import caution_of


def report(problem: Problem, scored: Sequence[CandidateResult], parent: str) -> dict[str, Any]:
    """Source of the data, run, folds, costs, best candidate, verdict, and a row for each candidate, cheapest first."""
    cost = {each.candidate: costs_of(problem.target, _decisions(problem, each)[0], problem.costs) for each in scored}
    best = min(cost, key=lambda candidate: cost[candidate].mean())
    champion = [candidate for candidate in cost if candidate.family == CHAMPION]
    compared = {"best": best} | ({CHAMPION: champion[0]} if champion else {})
    rows = [
        row_of(problem, each)
        | {
            f"cost_above_{name}": asdict(mean_with_interval(cost[each.candidate] - cost[against]))
            for name, against in compared.items()
        }
        for each in scored
    ]
    return {
        **problem.data.source.model_dump(),
        "run": parent,
        "development_clients": len(problem.target),
        "folds": len(problem.folds),
        "folds_seed": problem.seed,
        "costs": problem.costs.model_dump(),
        "economics": problem.economics.model_dump(),
        "metric": problem.metric,
        "best": best.name,
        "verdict": verdict(cost),
        "rows": sorted(rows, key=lambda row: row["cost_per_client"]["value"]),
    }


def row_of(problem: Problem, scored: CandidateResult) -> Row:
    """Everything measured of a candidate; None where its kind has no such figure."""
    target, judged = problem.target, scored.judged
    refused, thresholds = _decisions(problem, scored)
    row: Row = {
        "candidate": scored.candidate.name,
        **asdict(scored.candidate),
        "served": scored.candidate.served,
        "run": scored.run,
        "reused": scored.reused,
        "setting": scored.setting,
        "cost_per_client": asdict(mean_with_interval(costs_of(target, refused, problem.costs))),
        "money_per_client": float(money_of(target, refused, problem.rows.exposure, problem.economics).mean()),
        "refused_share": float(refused.mean()),
        "thresholds": list(thresholds.values()),
        "peak_memory_mib": judged.peak_memory_mib,
        "memory_gained_mib": judged.memory_gained_mib,
        "fit_seconds": float(np.mean(judged.fit_seconds)) if judged.fit_seconds else None,
        "score_ms_per_1000": float(np.median(judged.score_ms_per_1000)) if judged.fit_seconds else None,
    }
    if not thresholds:
        return row
    at_theory = costs_of(target, judged.probability >= problem.costs.theoretical_threshold, problem.costs)
    row["cost_per_client_at_theory"] = asdict(mean_with_interval(at_theory))
    row |= {name: value for name, value in candidates.metrics(target, judged.probability).items() if name != "cost"}
    row["predicted_over_observed"] = float(judged.probability.mean() / target.mean())
    row["by_fold"] = [_of_fold(problem, scored, refused, number) for number in range(len(problem.folds))]
    if scored.candidate.family != PRIOR:
        log_odds = logit(np.clip(judged.probability, PROBABILITY_EPS, 1 - PROBABILITY_EPS))
        row["calibration_slope"], row["calibration_intercept"] = calibration_line(target, log_odds)
    return row


def _decisions(problem: Problem, scored: CandidateResult) -> tuple[Decisions, dict[int, float]]:
    """Refusals by thresholds of other folds; a policy's are its own."""
    if scored.candidate.family in (ACCEPT, REFUSE):
        return scored.judged.probability > 0, {}
    return cross_fitted_decisions(problem.target, scored.judged.probability, problem.fold, problem.costs)


def _of_fold(problem: Problem, scored: CandidateResult, refused: Decisions, number: int) -> dict[str, float]:
    rows = problem.fold == number
    found = candidates.metrics(problem.target[rows], scored.judged.probability[rows], problem.costs)
    found["cost_at_theory"] = found.pop("cost")
    found["cost"] = float(costs_of(problem.target[rows], refused[rows], problem.costs).mean())
    if scored.judged.fit_seconds:
        found["fit_seconds"] = scored.judged.fit_seconds[number]
        found["score_ms_per_1000"] = scored.judged.score_ms_per_1000[number]
    return found


def verdict(cost: dict[Candidate, NDArray[np.float64]]) -> dict[str, Any] | None:
    """Whether a family that is compared only beats all that can be served, beyond chance; None where one side lacks."""
    served, others = (
        [each for each in cost if each.family not in BASELINES and each.served == can] for can in (True, False)
    )
    if not served or not others:
        return None
    best, challenger = (min(side, key=lambda each: cost[each].mean()) for side in (served, others))
    saved = mean_with_interval(cost[best] - cost[challenger])
    said = f"{challenger.name} against {best.name}, the best that can be served: saves {_per_1000(asdict(saved))}"
    beaten = saved.low > 0
    said += " per 1,000 applications, " + ("MORE THAN CHANCE EXPLAINS" if beaten else "no more than chance explains")
    return {
        "best_served": best.name,
        "challenger": challenger.name,
        "saved_per_client": asdict(saved),
        "served_is_beaten": beaten,
        "said": said,
    }


def print_table(found: dict[str, Any]) -> None:
    """Print a line for each candidate, cheapest first, then the verdict."""
    print(
        f"\n{'candidate':31} {'cost per 1,000':^22} {'above the best':^20} {'at theory':>9} {'AUC':>6} {'PR-AUC':>6} "
        f"{'log-loss':>8} {'Brier':>6} {'slope':>5} {'ratio':>5} {'fit s':>6} {'ms/1,000':>8} {'MiB':>6}"
    )
    for row in found["rows"]:
        above = "" if row["candidate"] == found["best"] else _per_1000(row["cost_above_best"])
        at_theory = row.get("cost_per_client_at_theory", {}).get("value")
        cells = [
            f"{'' if value is None else format(value, form):>{width}}"
            for value, form, width in (
                (None if at_theory is None else 1000 * at_theory, ".1f", 9),
                (row.get("auc"), ".4f", 6),
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
    print("slope: of outcomes on log-odds; ratio: predicted over observed; fit: of a fold, without choosing features")
    if found["verdict"]:
        print(found["verdict"]["said"])
    if caution := caution_of(found["development_clients"]):
        print(caution)


def _per_1000(estimate: dict[str, float]) -> str:
    return "{value:.1f} [{low:.1f}, {high:.1f}]".format(**{name: 1000 * each for name, each in estimate.items()})
