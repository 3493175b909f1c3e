"""Audit fairness: decisions and scores by gender, by age and by both, beside what chance alone would show."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from fairlearn.metrics import MetricFrame
from numpy.typing import NDArray

from research.evaluation.bootstrap import LEVEL, RESAMPLES, Estimate, percentile_interval
from research.evaluation.calibration import calibration_line, clipped_log_odds
from research.evaluation.metrics import auc
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
RESAMPLES_OF_A_GROUP = 200
"""Bootstrap resamples of a group's clients for all its figures: AUC and slope take time."""
PERMUTATIONS = 500
"""Random assignments of the clients to the groups, from which follows what gap chance alone gives."""
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
"""Metrics whose differences between groups are reported."""


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
    for groups of too few clients, or of too few outcomes except for approvals.

    `difference` of a group is signed: its figure less that of the dimension's `reference`, the group of most clients,
    by bootstrap of both. `differences` are Fairlearn's: the figures of the two extreme groups, whose interval would
    never hold 0. `by_chance` sets them beside the gaps of groups of the same sizes to which clients fall at random.
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
        "all": {
            "clients": len(target),
            "defaults": int(target.sum()),
            **{name: _interval(drawn) for name, drawn in _draws(values, [seed]).items()},
        },
        **{name: _dimension(values, group.to_numpy(), seed) for name, group in groups_of(audit).items()},
    }


def _dimension(values: Values, group: NDArray[Any], seed: int) -> dict[str, Any]:
    target, refused, _ = values
    names = sorted(set(group.tolist()), key=lambda name: (UNKNOWN in name, name.replace("under", "0")))
    members = {name: group == name for name in names}
    counted = [name for name in names if members[name].sum() >= MIN_GROUP_CLIENTS]
    evaluated = [name for name in counted if has_enough(target[members[name]], MIN_GROUP_OUTCOMES)]
    most_approved = max(counted, key=lambda name: np.mean(~refused[members[name]]), default=None)
    named = [name for name in counted if UNKNOWN not in name]
    reference = max(named, key=lambda name: int(members[name].sum()), default=None)
    draws = {name: _draws(_of(values, members[name]), [seed, number]) for number, name in enumerate(names)}
    rows: list[dict[str, Any]] = []
    for name in names:
        of_group = members[name]
        row = {"group": name, "clients": int(of_group.sum()), "defaults": int(target[of_group].sum())}
        row |= {metric: _interval(drawn) for metric, drawn in draws[name].items()}
        row |= dict.fromkeys(("approval_ratio", "below_rule", "difference"))
        if name in counted:  # approvals need no outcomes
            same, best = name == most_approved, refused[members[most_approved]]
            ratio = Estimate(1.0, 1.0, 1.0) if same else approval_ratio(refused[of_group], best, seed)
            row |= {"approval_ratio": _finite(ratio), "below_rule": bool(ratio.value < FOUR_FIFTHS)}
        if name in counted and reference not in (None, name):
            row["difference"] = {
                metric: _difference(draws[name][metric], draws[reference][metric]) for metric in COMPARED
            }
        rows.append(row)
    return {
        "most_approved": most_approved,
        "reference": reference,
        "differences": _differences(values, group, evaluated),
        "by_chance": gaps_by_chance(values, [members[name] for name in evaluated], seed),
        "groups": rows,
    }


def _of(values: Values, members: Booleans) -> Values:
    target, refused, probability = values
    return target[members], refused[members], probability[members]


def _draws(values: Values, seed: Sequence[int]) -> dict[str, Floats | None]:
    """Return, for each metric, its value and that of each bootstrap resample; None where there are too few clients."""
    target, refused, probability = values
    random, clients = np.random.default_rng(seed), len(target)
    needed = dict.fromkeys(METRICS, MIN_GROUP_OUTCOMES) | {"calibration_slope": MIN_OUTCOMES_FOR_SLOPE}
    resamples = [np.arange(clients), *(random.integers(0, clients, clients) for _ in range(RESAMPLES_OF_A_GROUP))]
    return {
        name: np.array([metric(target[rows], refused[rows], probability[rows]) for rows in resamples])
        if has_enough(target, needed[name]) or (name == "approval_rate" and clients >= MIN_GROUP_CLIENTS)
        else None
        for name, metric in METRICS.items()
    }


def _interval(drawn: Floats | None) -> dict[str, float | None] | None:
    return None if drawn is None else _finite(Estimate(float(drawn[0]), *map(float, percentile_interval(drawn[1:]))))


def _difference(drawn: Floats | None, reference: Floats | None) -> dict[str, float | None] | None:
    """Return a group's figure less that of the reference, with the interval over the resamples of both."""
    return None if drawn is None or reference is None else _interval(drawn - reference)


def gaps_by_chance(values: Values, groups: Sequence[Booleans], seed: int) -> dict[str, dict[str, float] | None]:
    """Compare, for each of `COMPARED`, the gap between the extreme groups with gaps of groups drawn at random.

    Clients are assigned to groups of the same sizes at random, `PERMUTATIONS` times; for errors and AUC within each
    outcome, so that a group keeps its number of defaults. `usual` and `up_to` are the median and the 95 % quantile
    of the gap, `p_value` the share of assignments whose gap is at least the observed one (which is counted as one of
    them). Many small groups have a large gap by chance alone. None for fewer than two groups.
    """
    if len(groups) < 2:
        return dict.fromkeys(COMPARED)
    random = np.random.default_rng([seed, 1])
    by_group = [_of(values, members) for members in groups]
    target, refused, probability = (np.concatenate(part) for part in zip(*by_group, strict=True))
    goods, defaults = ([int(np.sum(part[0] == outcome)) for part in by_group] for outcome in (0, 1))

    def rates(counted: Booleans, sizes: Sequence[int]) -> Floats:
        """Draw the share of those counted in each group (assignments x groups)."""
        return random.multivariate_hypergeometric(sizes, int(counted.sum()), PERMUTATIONS) / np.maximum(sizes, 1)

    drawn = {
        "approval_rate": rates(~refused, [len(part[0]) for part in by_group]),
        "good_clients_refused": rates(refused[target == 0], goods),
        "defaults_granted": rates(~refused[target == 1], defaults),
        "auc": _permuted_aucs(random, [probability[target == outcome] for outcome in (0, 1)], goods, defaults),
    }
    gaps: dict[str, dict[str, float] | None] = {}
    for name in COMPARED:
        figures = [METRICS[name](*part) for part in by_group]
        gap, by_chance = max(figures) - min(figures), np.ptp(drawn[name], axis=1)
        at_least = np.sum(by_chance >= gap - 1e-12)
        gaps[name] = {
            "gap": float(gap),
            "usual": float(np.median(by_chance)),
            "up_to": float(np.quantile(by_chance, LEVEL)),
            "p_value": float((1 + at_least) / (1 + PERMUTATIONS)),
        }
    return gaps


def _permuted_aucs(
    random: np.random.Generator, probability: Sequence[Floats], goods: Sequence[int], defaults: Sequence[int]
) -> Floats:
    """Return the AUC of each group when clients of each outcome are assigned at random (assignments x groups)."""
    splits = [np.cumsum(sizes)[:-1] for sizes in (goods, defaults)]
    aucs = np.empty((PERMUTATIONS, len(goods)))
    for row in aucs:
        good, default = (np.split(random.permutation(part), at) for part, at in zip(probability, splits, strict=True))
        for number, (below, above) in enumerate(zip(good, default, strict=True)):
            ordered = np.sort(below)
            wins = np.searchsorted(ordered, above, "left") + np.searchsorted(ordered, above, "right")
            row[number] = wins.mean() / (2 * len(ordered))
    return aucs


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


def approval_difference(refused: Booleans, reference: Booleans, seed: int) -> Estimate:
    """Estimate the approval rate of a group less that of a reference, with its sign; both are resampled.

    >>> approval_difference(np.array([True, False]), np.array([False]), seed=1).value
    -0.5
    """
    drawn = _approval_rates([refused, reference], seed)
    low, high = np.quantile(drawn[0] - drawn[1], TAILS)
    return Estimate(float(np.mean(~refused) - np.mean(~reference)), float(low), float(high))


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
