"""Fairness by gender, age and their crossing, and what leaving gender or age out of the model costs."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl
from fairlearn.metrics import MetricFrame
from numpy.typing import NDArray
from scipy.special import logit
from scipy.stats import rankdata

from research.evaluation.bootstrap import LEVEL, RESAMPLES, Estimate, bootstrap
from research.evaluation.calibration import PROBABILITY_EPS, calibration_line

FOLDS = 5
SEED = 1
MIN_GROUP_CLIENTS, MIN_GROUP_OUTCOMES, MIN_CLIENTS_FOR_SLOPE = 50, 10, 50
"""A group needs so many clients and so many of either outcome to be judged, and so many for a slope."""
FOUR_FIFTHS = 0.8
"""A group approved less than this share as often as the most approved one is flagged (29 CFR 1607.4 D)."""
AGES = (30, 40, 50, 60)
BANDS = ["under 30", "30-39", "40-49", "50-59", "60 and over"]
UNKNOWN = "unknown"
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)

Vector = NDArray[np.float64]
Outcomes = NDArray[np.int64]
Decisions = NDArray[np.bool_]
Values = tuple[Outcomes, Decisions, Vector]
Metric = Callable[[Outcomes, Decisions, Vector], float]
"""A figure of some clients from their outcomes, refusals and probabilities of default."""


def auc(target: Outcomes, probability: Vector) -> float:
    """Share of pairs of a default and a good client in which the default has the higher probability; ties half.

    >>> auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.2, 0.3]))
    0.875
    """
    default = target == 1
    defaults, goods = int(default.sum()), int((~default).sum())
    if not (defaults and goods):
        return float("nan")
    return float((rankdata(probability)[default].sum() - defaults * (defaults + 1) / 2) / (defaults * goods))


def calibration_slope(target: Outcomes, probability: Vector) -> float:
    """Slope of `calibration_line`, of probabilities that may be 0 or 1."""
    return calibration_line(target, logit(np.clip(probability, PROBABILITY_EPS, 1 - PROBABILITY_EPS)))[0]


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
    "calibration_slope": lambda target, refused, probability: calibration_slope(target, probability),
}
"""With a default as the positive: `good_clients_refused` is the false positive rate, `defaults_granted` the false
negative rate."""
COMPARED = ("approval_rate", "good_clients_refused", "defaults_granted", "auc")


def age_band(age_years: pl.Series) -> pl.Series:
    """The band of each age.

    >>> age_band(pl.Series([29.9, 30.0, 59.9, 60.0, None])).to_list()
    ['under 30', '30-39', '50-59', '60 and over', 'unknown']
    """
    return age_years.bin_intervals(AGES, labels=BANDS).cast(pl.String).fill_null(UNKNOWN)


def groups_of(audit: pl.DataFrame) -> dict[str, pl.Series]:
    """The group of each client (row of `audit`: gender, age_years), by gender, by age band and by both."""
    gender, age = audit["gender"].fill_null(UNKNOWN), age_band(audit["age_years"])
    return {"gender": gender, "age": age, "gender_age": gender + ", " + age}


def fairness(
    target: Outcomes, probability: Vector, refused: Decisions, audit: pl.DataFrame, seed: int = SEED
) -> dict[str, Any]:
    """How the decisions and scores fall on groups of clients.

    Args:
        target: 1 where the client defaulted.
        probability: of default, as predicted.
        refused: the decisions.
        audit: `gender` and `age_years` of the same clients; no model saw them.
        seed: of the intervals, by bootstrap over the clients of a group.

    Returns:
        What can be written as JSON: for all clients, and for each group of each dimension, every one of `METRICS`
        as value, low and high, and the `approval_ratio` to the most approved group, whose choice the interval takes as
        given; None for groups of too few clients or, but for approvals, outcomes. `differences` are Fairlearn's.
    """
    values: Values = (target, refused.astype(bool), probability)
    return {
        "level": LEVEL,
        "rule": {"name": "four fifths", "least_approval_ratio": FOUR_FIFTHS},
        "fewest": {
            "clients": MIN_GROUP_CLIENTS,
            "of_either_outcome": MIN_GROUP_OUTCOMES,
            "for_a_slope": MIN_CLIENTS_FOR_SLOPE,
        },
        "all": {"clients": len(target), "defaults": int(target.sum()), **_measures(values, seed)},
        **{name: _dimension(values, group.to_numpy(), seed) for name, group in groups_of(audit).items()},
    }


def _dimension(values: Values, group: NDArray[Any], seed: int) -> dict[str, Any]:
    target, refused, probability = values
    names = sorted(set(group.tolist()), key=lambda name: (UNKNOWN in name, name.replace("under", "0")))
    counted = [name for name in names if np.sum(group == name) >= MIN_GROUP_CLIENTS]
    judged = [name for name in counted if _enough(target[group == name], MIN_GROUP_OUTCOMES)]
    rows: list[dict[str, Any]] = []
    found: dict[str, Any] = {"most_approved": None, "differences": dict.fromkeys(COMPARED), "groups": rows}
    reference = refused[:0]
    if judged:
        these = np.isin(group, judged)
        # MetricFrame has a bootstrap of its own, which builds a frame for each resample: minutes, for our seconds.
        frame = MetricFrame(
            metrics={name: _for_fairlearn(METRICS[name]) for name in COMPARED},
            y_true=target[these],
            y_pred=refused[these],
            sensitive_features=group[these],
            sample_params={name: {"probability": probability[these]} for name in COMPARED},
        )
        found["differences"] = {name: float(value) for name, value in frame.difference().items()}
    if counted:
        found["most_approved"] = max(counted, key=lambda name: float(np.mean(~refused[group == name])))
        reference = refused[group == found["most_approved"]]
    for name in names:
        members = group == name
        row = {"group": name, "clients": int(members.sum()), "defaults": int(target[members].sum())}
        row |= dict.fromkeys((*METRICS, "approval_ratio", "below_rule"))
        mine = (target[members], refused[members], probability[members])
        if name in counted:  # whom the model approves is known without outcomes
            same = name == found["most_approved"]
            ratio = Estimate(1.0, 1.0, 1.0) if same else approval_ratio(refused[members], reference, seed)
            row |= {"approval_rate": _finite(_estimate(METRICS["approval_rate"], mine, seed))}
            row |= {"approval_ratio": _finite(ratio), "below_rule": bool(ratio.value < FOUR_FIFTHS)}
        if name in judged:
            row |= _measures(mine, seed)
        rows.append(row)
    return found


def _for_fairlearn(metric: Metric) -> Callable[..., float]:
    def measure(y_true: Any, y_pred: Any, probability: Any) -> float:
        return metric(np.asarray(y_true), np.asarray(y_pred).astype(bool), np.asarray(probability))

    return measure


def _enough(target: Outcomes, outcomes: int) -> bool:
    return len(target) >= MIN_GROUP_CLIENTS and min(int(target.sum()), int((target == 0).sum())) >= outcomes


def _measures(values: Values, seed: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, metric in METRICS.items():
        needed = MIN_CLIENTS_FOR_SLOPE if name == "calibration_slope" else MIN_GROUP_OUTCOMES
        found[name] = _finite(_estimate(metric, values, seed)) if _enough(values[0], needed) else None
    return found


def _estimate(metric: Metric, values: Values, seed: int) -> Estimate:
    return bootstrap(lambda rows: metric(*(each[rows] for each in values)), len(values[0]), seed)


def _finite(estimate: Estimate) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in asdict(estimate).items()}


def approval_ratio(refused: Decisions, reference: Decisions, seed: int = SEED) -> Estimate:
    """Approval rate of a group over that of another, with its bootstrap interval; NaN where nobody of that is approved.

    >>> approval_ratio(np.array([True, False]), np.array([False])).value
    0.5
    """
    if reference.all():
        return Estimate(float("nan"), float("nan"), float("nan"))
    drawn = _approval_rates([refused, reference], seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.quantile(drawn[0] / drawn[1], TAILS)
    return Estimate(float(np.mean(~refused) / np.mean(~reference)), float(low), float(high))


def approval_gap(groups: Sequence[Decisions], seed: int = SEED) -> Estimate:
    """Approval rate of the most approved group less that of the least, with its bootstrap interval."""
    rates = [float(np.mean(~refused)) for refused in groups]
    drawn = _approval_rates(groups, seed)
    low, high = np.quantile(drawn.max(axis=0) - drawn.min(axis=0), TAILS)
    return Estimate(max(rates) - min(rates), float(low), float(high))


def _approval_rates(groups: Sequence[Decisions], seed: int) -> Vector:
    """Groups x resamples: resampling the clients of a group is drawing the number approved."""
    random = np.random.default_rng(seed)
    return np.array([random.binomial(len(each), np.mean(~each), RESAMPLES) / len(each) for each in groups])
