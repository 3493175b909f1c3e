"""Audit fairness: decisions and scores by gender, by age and by both, with figures."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from fairlearn.metrics import MetricFrame
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bento.model.manifest import DataSource
from research.evaluation.bootstrap import LEVEL, RESAMPLES, Estimate, bootstrap
from research.evaluation.calibration import calibration_line, clipped_log_odds
from research.evaluation.metrics import auc
from research.plotting import LESS_RISK, MORE_RISK, save_figure
from research.types import Booleans, Floats, Integers

MIN_GROUP_CLIENTS = 50
"""Minimum clients of a group that is evaluated."""
MIN_GROUP_OUTCOMES = 10
"""Minimum clients of each outcome in a group whose errors and scores are evaluated."""
MIN_OUTCOMES_FOR_SLOPE = 50
"""Minimum clients of each outcome for a calibration slope."""
FOUR_FIFTHS = 0.8
"""Approval ratio to the most approved group below which a group is flagged (29 CFR 1607.4 D)."""
AGES = (30, 40, 50, 60)
BANDS = ["under 30", "30-39", "40-49", "50-59", "60 and over"]
UNKNOWN = "unknown"
WORDS = {"F": "women", "M": "men"}
TITLES = {"gender": "gender", "age": "age", "gender_age": "gender and age"}
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)

Values = tuple[Integers, Booleans, Floats]
"""Outcomes, refusals and probabilities of default of the same clients."""
Metric = Callable[[Integers, Booleans, Floats], float]


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")


METRICS: dict[str, Metric] = {
    "default_rate": lambda target, refused, probability: _mean(target),
    "approval_rate": lambda target, refused, probability: _mean(~refused),
    "good_clients_refused": lambda target, refused, probability: _mean(refused[target == 0]),
    "defaults_granted": lambda target, refused, probability: _mean(~refused[target == 1]),
    "auc": lambda target, refused, probability: auc(target, probability),
    "predicted_over_observed": lambda target, refused, probability: (
        float(probability.sum() / target.sum()) if target.any() else float("nan")
    ),
    "brier": lambda target, refused, probability: _mean((probability - target) ** 2),
    "calibration_slope": lambda target, refused, probability: calibration_line(target, clipped_log_odds(probability))[
        0
    ],
}
"""Default is the positive class: `good_clients_refused` is the false positive rate, `defaults_granted` the false
negative rate."""
COMPARED = ("approval_rate", "good_clients_refused", "defaults_granted", "auc")
"""Metrics whose largest difference between groups is reported."""


def age_band(age_years: pl.Series) -> pl.Series:
    """Return the band of each age.

    >>> age_band(pl.Series([29.9, 30.0, 59.9, 60.0, None])).to_list()
    ['under 30', '30-39', '50-59', '60 and over', 'unknown']
    """
    return age_years.bin_intervals(AGES, labels=BANDS).cast(pl.String).fill_null(UNKNOWN)


def groups_of(audit: pl.DataFrame) -> dict[str, pl.Series]:
    """Return the group of each client (row of `audit`: gender, age_years), by gender, by age band and by both."""
    gender, age = audit["gender"].fill_null(UNKNOWN), age_band(audit["age_years"])
    return {"gender": gender, "age": age, "gender_age": gender + ", " + age}


def fairness(
    target: Integers, probability: Floats, refused: Booleans, audit: pl.DataFrame, seed: int
) -> dict[str, Any]:
    """Evaluate decisions and scores by group of clients; `audit` is their `gender` and `age_years`.

    For all clients, and for each group of each dimension, each of `METRICS` as value, low and high, by bootstrap over
    the group's clients, and the `approval_ratio` to the most approved group, which the interval takes as fixed. None
    for groups of too few clients, or of too few outcomes except for approvals. `differences` are Fairlearn's.
    """
    values: Values = (target, refused.astype(bool), probability)
    return {
        "level": LEVEL,
        "rule": {"name": "four fifths", "least_approval_ratio": FOUR_FIFTHS},
        "fewest": {
            "clients": MIN_GROUP_CLIENTS,
            "of_either_outcome": MIN_GROUP_OUTCOMES,
            "for_a_slope": MIN_OUTCOMES_FOR_SLOPE,
        },
        "all": {"clients": len(target), "defaults": int(target.sum()), **_measures(values, seed)},
        **{name: _dimension(values, group.to_numpy(), seed) for name, group in groups_of(audit).items()},
    }


def _dimension(values: Values, group: NDArray[Any], seed: int) -> dict[str, Any]:
    target, refused, probability = values
    names = sorted(set(group.tolist()), key=lambda name: (UNKNOWN in name, name.replace("under", "0")))
    counted = [name for name in names if np.sum(group == name) >= MIN_GROUP_CLIENTS]
    evaluated = [name for name in counted if has_enough(target[group == name], MIN_GROUP_OUTCOMES)]
    most_approved = max(counted, key=lambda name: np.mean(~refused[group == name]), default=None)
    reference = refused[group == most_approved]
    rows: list[dict[str, Any]] = []
    for name in names:
        members = group == name
        of_group = (target[members], refused[members], probability[members])
        row = {"group": name, "clients": int(members.sum()), "defaults": int(target[members].sum())}
        row |= dict.fromkeys((*METRICS, "approval_ratio", "below_rule"))
        if name in counted:  # approvals need no outcomes
            same = name == most_approved
            ratio = Estimate(1.0, 1.0, 1.0) if same else approval_ratio(refused[members], reference, seed)
            row |= {"approval_rate": _finite(_estimate(METRICS["approval_rate"], of_group, seed))}
            row |= {"approval_ratio": _finite(ratio), "below_rule": bool(ratio.value < FOUR_FIFTHS)}
        if name in evaluated:
            row |= _measures(of_group, seed)
        rows.append(row)
    return {"most_approved": most_approved, "differences": _differences(values, group, evaluated), "groups": rows}


def _differences(values: Values, group: NDArray[Any], evaluated: list[str]) -> dict[str, float | None]:
    """Return Fairlearn's largest difference between these groups, for each metric of `COMPARED`."""
    if not evaluated:
        return dict.fromkeys(COMPARED)
    of_groups = np.isin(group, evaluated)
    target, refused, probability = (part[of_groups] for part in values)
    # MetricFrame's bootstrap builds a frame for each resample: minutes, where `bootstrap` takes seconds.
    frame = MetricFrame(
        metrics={name: partial(_for_fairlearn, METRICS[name]) for name in COMPARED},
        y_true=target,
        y_pred=refused,
        sensitive_features=group[of_groups],
        sample_params={name: {"probability": probability} for name in COMPARED},
    )
    return {name: float(value) for name, value in frame.difference().items()}


def _for_fairlearn(metric: Metric, y_true: Any, y_pred: Any, probability: Any) -> float:
    return metric(np.asarray(y_true), np.asarray(y_pred).astype(bool), np.asarray(probability))


def has_enough(target: Integers, outcomes: int = MIN_GROUP_OUTCOMES) -> bool:
    """Return whether a group has `MIN_GROUP_CLIENTS` clients, and this number of each outcome."""
    return len(target) >= MIN_GROUP_CLIENTS and min(int(target.sum()), int((target == 0).sum())) >= outcomes


def _measures(values: Values, seed: int) -> dict[str, Any]:
    needed = dict.fromkeys(METRICS, MIN_GROUP_OUTCOMES) | {"calibration_slope": MIN_OUTCOMES_FOR_SLOPE}
    return {
        name: _finite(_estimate(metric, values, seed)) if has_enough(values[0], needed[name]) else None
        for name, metric in METRICS.items()
    }


def _estimate(metric: Metric, values: Values, seed: int) -> Estimate:
    target, refused, probability = values
    return bootstrap(lambda rows: metric(target[rows], refused[rows], probability[rows]), len(target), seed)


def _finite(estimate: Estimate) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in asdict(estimate).items()}


def approval_ratio(refused: Booleans, reference: Booleans, seed: int) -> Estimate:
    """Estimate the approval rate of a group over that of a reference; NaN where the reference has no approval.

    >>> approval_ratio(np.array([True, False]), np.array([False]), seed=1).value
    0.5
    """
    if reference.all():
        return Estimate(float("nan"), float("nan"), float("nan"))
    drawn = _approval_rates([refused, reference], seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.quantile(drawn[0] / drawn[1], TAILS)
    return Estimate(float(np.mean(~refused) / np.mean(~reference)), float(low), float(high))


def approval_gap(groups: Sequence[Booleans], seed: int) -> Estimate:
    """Estimate the approval rate of the most approved group less that of the least approved one."""
    rates = [float(np.mean(~refused)) for refused in groups]
    drawn = _approval_rates(groups, seed)
    low, high = np.quantile(drawn.max(axis=0) - drawn.min(axis=0), TAILS)
    return Estimate(max(rates) - min(rates), float(low), float(high))


def _approval_rates(groups: Sequence[Booleans], seed: int) -> Floats:
    """Draw approval rates (groups x resamples); resampling a group's clients is drawing the number approved."""
    random = np.random.default_rng(seed)
    return np.array([random.binomial(len(refused), np.mean(~refused), RESAMPLES) / len(refused) for refused in groups])


def plot_groups(report: dict[str, Any], path: Path, source: DataSource) -> None:
    """Draw approval rate and AUC by group with intervals; a dash marks the rate that the four-fifths rule requires."""
    lines: list[tuple[str, dict[str, Any] | None, float | None]] = [("all clients", report["all"], None)]
    for dimension, title in TITLES.items():
        groups, most_approved = report[dimension]["groups"], report[dimension]["most_approved"]
        best = next((row["approval_rate"]["value"] for row in groups if row["group"] == most_approved), None)
        lines.append((f"by {title}", None, None))
        lines += [(group_label(row["group"]), row, best) for row in groups]
    lines.reverse()
    figure = Figure(figsize=(10, 0.3 * len(lines) + 1.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    least = report["rule"]["least_approval_ratio"]
    for height, (_, row, best) in enumerate(lines):
        if row is None:
            continue
        _interval(left, height, row.get("approval_rate"), MORE_RISK if row.get("below_rule") else LESS_RISK)
        _interval(right, height, row.get("auc"), LESS_RISK)
        if best is not None:
            left.plot([best * least], [height], "|", c="black", ms=12)
    labels = [name if row is None else f"{name} ({row['clients']:,})" for name, row, _ in lines]
    left.set_yticks(range(len(lines)), labels, size=9)
    for tick, (_, row, _) in zip(left.get_yticklabels(), lines, strict=True):
        tick.set_fontweight("bold" if row is None else "normal")
    left.set_title("Share of applications granted")
    left.set_xlabel(f"dash: {least:g} of the most approved group's (four-fifths rule); red: below", size=9)
    right.set_title("AUC")
    right.set_xlabel("no point: too few clients or outcomes", size=9)
    for axes in (left, right):
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"Decisions and scores by group, with {report['level']:.0%} intervals (clients)")
    save_figure(figure, path, source)


def plot_excluding_cost(report: dict[str, Any], path: Path, source: DataSource) -> None:
    """Draw the AUC that the default loses, and the gaps in approval of every arm."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    prices = report["prices"][::-1]
    for height, row in enumerate(prices):
        _interval(left, height, row["auc"], LESS_RISK)
    left.set_yticks(range(len(prices)), [f"{row['leaving_out']} left out" for row in prices])
    left.set_ylim(-0.5, len(prices) - 0.5)
    left.axvline(0, c="grey", lw=0.8)
    left.set_title("AUC lost by leaving out")
    left.set_xlabel("AUC with it less AUC of the default", size=9)
    arms = report["arms"][::-1]
    for shift, name, colour in ((0.12, "gender", LESS_RISK), (-0.12, "age", MORE_RISK)):
        for height, row in enumerate(arms):
            _interval(right, height + shift, row["approval"][name]["gap"], colour)
        right.plot([], [], "o", c=colour, label=f"between groups of {name}")
    right.set_yticks(range(len(arms)), [row["arm"] for row in arms])
    right.set_ylim(-0.5, len(arms) - 0.5)
    right.set_xlim(left=0)
    right.set_title("Gap in approval")
    right.set_xlabel("share granted: most less least approved group", size=9)
    right.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False)
    for axes in (left, right):
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    save_figure(figure, path, source)


def group_label(group: str) -> str:
    """Return the label of a group in a figure.

    >>> group_label("F, 30-39"), group_label("60 and over")
    ('women, 30-39', '60 and over')
    """
    return ", ".join(WORDS.get(part, part) for part in group.split(", "))


def _interval(axes: Axes, height: float, estimate: dict[str, Any] | None, colour: str) -> None:
    if estimate is None or estimate["value"] is None:
        return
    if estimate["low"] is not None:
        axes.plot([estimate["low"], estimate["high"]], [height, height], c=colour, lw=2, alpha=0.6)
    axes.plot([estimate["value"]], [height], "o", c=colour, ms=5)
