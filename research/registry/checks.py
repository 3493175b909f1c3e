"""The checks of the gate, on answers of a challenger and a champion for the same clients."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from bento.policy import CostAssumptions
from research.evaluation.bootstrap import Estimate, bootstrap, mean_with_interval, percentile_interval
from research.evaluation.business_score import costs_of, trivial_policies
from research.evaluation.calibration import calibration_line
from research.evaluation.fairness import MIN_GROUP_CLIENTS, UNKNOWN
from research.results import GateCheck
from research.types import Booleans, Floats, Integers

MARGIN = 0.02
"""Highest cost per client, in good clients refused, by which a challenger may exceed the champion and still pass."""
MARGIN_IN_HALF_WIDTHS = 1.5
"""The margin in half-widths of the 95 % interval of the difference, where that is less than `MARGIN`.

So a challenger passes its first judgement if it is not found dearer by more than half a half-width, as long as the
half-width is below 0.013. `python -m research simulate-gate` shows what follows.
"""
ALPHA = 0.05
"""Probability, over all attempts against one champion, that one of them passes by chance though it is at the margin."""
MIN_DEFAULTS = 100
"""Defaults (or good clients, if fewer) below which a champion that can serve is not replaced."""
MIN_EVENTS_FOR_COST_TEST = 20
"""Clients of the rarer outcome below which only a cost above a trivial policy's beyond the interval is refused."""
CALIBRATION_BOUNDS = (0.8, 1.25)
"""Bounds of the calibration slope, and of predicted over observed defaults, that their intervals must reach."""
CONFIDENCE_LEVEL = 0.99
"""Confidence level of the intervals of the calibration checks."""
RESAMPLES = 5000
"""Bootstrap resamples: the bounds of a 99 % interval leave 25 of them outside on each side."""
CALIBRATION_CELLS = 500
"""Groups of equal size, by log-odds, whose counts stand for their clients in the resamples of the slope."""
MAX_APPROVAL_LOSS = 0.02
"""What a group's approval ratio to the most approved group may lose against the champion's, beyond chance."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model says of the clients of the gate split."""

    probability: Floats
    threshold: float

    @property
    def refused(self) -> Booleans:
        """The refusals, without the review band: the gate measures the model, not the reviewers."""
        return np.asarray(self.probability >= self.threshold)


def level_of_attempt(attempt: int) -> float:
    """Return the level of the two-sided interval whose upper end judges an attempt, counted from 1.

    The share of `ALPHA` that falls to attempt k is 1 / (k (k + 1)); over all attempts the shares sum to 1.

    >>> [round(level_of_attempt(attempt), 4) for attempt in (1, 2, 5)]
    [0.95, 0.9833, 0.9967]
    """
    return 1 - 2 * ALPHA / (attempt * (attempt + 1))


def enough_defaults(target: Integers) -> GateCheck:
    """Check that there are enough clients of either outcome to replace a champion that can serve."""
    rarest = int(min(np.sum(target == 0), np.sum(target == 1)))
    result = f"{rarest} of the rarer outcome, at least {MIN_DEFAULTS} to replace a champion that can serve"
    return GateCheck(name="defaults to judge by", passed=rarest >= MIN_DEFAULTS, found=result)


def calibration(target: Integers, probability: Floats, resamples: int = RESAMPLES) -> list[GateCheck]:
    """Check the slope of the calibration line, and predicted over observed defaults."""
    low, high = CALIBRATION_BOUNDS
    estimates = {
        "calibration slope": _slope(target, logit(probability), resamples),
        "predicted over observed defaults": _predicted_over_observed(target, probability, resamples),
    }
    return [
        GateCheck(
            name=name,
            passed=bool(estimate.low <= high and estimate.high >= low),
            found=f"{_with_interval(estimate)}, to be within {low} to {high}",
        )
        for name, estimate in estimates.items()
    ]


def _slope(target: Integers, log_odds: Floats, resamples: int) -> Estimate:
    """Estimate the slope; resamples draw counts of clients by cell of like log-odds and outcome."""
    order = np.argsort(log_odds, kind="stable")
    cells = np.array_split(order, min(CALIBRATION_CELLS, len(order)))
    middle = np.array([log_odds[cell].mean() for cell in cells])
    defaults, members = (np.array([part[cell].sum() for cell in cells]) for part in (target, np.ones_like(target)))
    counts = np.concatenate([members - defaults, defaults])
    at, outcome = np.tile(middle, 2), np.repeat([0, 1], len(cells))
    drawn = np.random.default_rng(0).multinomial(len(target), counts / len(target), size=resamples)
    slopes = [calibration_line(outcome, at, weights)[0] for weights in drawn.astype(float)]
    bounds = percentile_interval(np.array(slopes), CONFIDENCE_LEVEL)
    return Estimate(calibration_line(target, log_odds)[0], *map(float, bounds))


def _predicted_over_observed(target: Integers, probability: Floats, resamples: int) -> Estimate:
    def ratio(rows: Integers) -> float:
        return float(probability[rows].sum() / max(target[rows].sum(), 1))

    return bootstrap(ratio, len(target), resamples=resamples, level=CONFIDENCE_LEVEL)


def cost_against(
    target: Integers,
    challenger: Answers,
    other: Answers,
    costs: CostAssumptions,
    *,
    name: str,
    attempt: int = 1,
    margin: float = MARGIN,
) -> GateCheck:
    """Check that the challenger is not dearer than another model, both at the same costs.

    Args:
        target: 1 where the client defaulted.
        challenger: its answers.
        other: the other model's answers, for the same clients.
        costs: of either error.
        name: of the other, for the check.
        attempt: number of challengers judged against this champion, this one included.
        margin: highest margin of the cost per client.
    """
    difference = costs_of(target, challenger.refused, costs) - costs_of(target, other.refused, costs)
    usual = mean_with_interval(difference, resamples=RESAMPLES)
    estimate = mean_with_interval(difference, resamples=RESAMPLES, level=level_of_attempt(attempt))
    allowed = min(margin, MARGIN_IN_HALF_WIDTHS * (usual.high - usual.value))
    result = f"difference {_with_interval(estimate)} per client, to be at most {allowed:.4f} at the upper end"
    result += f"; attempt {attempt} against this champion" if attempt > 1 else ""
    return GateCheck(name=f"cost against {name}", passed=bool(estimate.high <= allowed), found=result)


def cost_against_trivial(target: Integers, challenger: Answers, costs: CostAssumptions) -> list[GateCheck]:
    """Check that the challenger is cheaper than granting everybody, and than refusing everybody."""
    cost = costs_of(target, challenger.refused, costs)
    few_events = min(target.sum(), (1 - target).sum()) < MIN_EVENTS_FOR_COST_TEST
    caution = f"; {target.sum()} defaults tell little" if few_events else ""
    checks = []
    for name, refused in trivial_policies(len(target)).items():
        difference = mean_with_interval(cost - costs_of(target, refused, costs), resamples=RESAMPLES)
        passed = difference.low < 0 if few_events else difference.value < 0
        result = f"cost difference {_with_interval(difference)} per client (below 0: cheaper){caution}"
        checks.append(GateCheck(name=f"cost against {name.replace('_', ' ')}", passed=bool(passed), found=result))
    return checks


def approvals(groups: Sequence[str], challenger: Answers, champion: Answers | None) -> GateCheck:
    """Check that no group of clients is approved less often, beside the most approved one, than under the champion.

    Which group is approved most is asked of each model. The interval of the change of a group's approval ratio must
    reach -`MAX_APPROVAL_LOSS`. Without a champion the lowest ratio is stated, and nothing is refused: how far defaults
    explain it is for people (`make fairness`).
    """
    of_client = np.asarray(groups)
    names = [
        name for name in sorted(set(groups)) if UNKNOWN not in name and np.sum(of_client == name) >= MIN_GROUP_CLIENTS
    ]
    most, rate = _most_approved(names, of_client, challenger)
    if not rate:
        return GateCheck(name="approval ratio", passed=True, found=f"no two groups of {MIN_GROUP_CLIENTS} clients")
    most_before = of_client == (_most_approved(names, of_client, champion)[0] if champion else most)
    failed, lowest = [], (most, Estimate(1.0, 1.0, 1.0))
    for name in names:
        ratio, change = _ratio_and_change(of_client == name, of_client == most, most_before, challenger, champion)
        if ratio.value < lowest[1].value:
            lowest = (name, ratio)
        if change and change.high < -MAX_APPROVAL_LOSS:
            failed.append(f"{name} {_with_interval(ratio)}, {change.value:+.3f} against the champion")
    name, ratio = lowest
    result = "; ".join(failed) or f"lowest {name}, {_with_interval(ratio)} of {most}"
    return GateCheck(name="approval ratio", passed=not failed, found=result)


def _most_approved(names: Sequence[str], of_client: NDArray[np.str_], answers: Answers) -> tuple[str, float]:
    """Return the group that a model approves most often, and its approval rate; no name and 0 where there is none."""
    rates = {name: float(np.mean(~answers.refused[of_client == name])) for name in names}
    return max(rates.items(), key=lambda rate: rate[1], default=("", 0.0))


def _ratio_and_change(
    members: Booleans, most: Booleans, most_before: Booleans, challenger: Answers, champion: Answers | None
) -> tuple[Estimate, Estimate | None]:
    """Return the approval ratio of a group, and its change against the champion's, with their intervals."""
    with np.errstate(divide="ignore", invalid="ignore"):
        group, now, former = (
            _approval_rates(side, challenger, champion or challenger) for side in (members, most, most_before)
        )
        ratio, before = group[0] / now[0], group[1] / former[1]
    return _of_resamples(ratio), _of_resamples(ratio - before) if champion else None


def _approval_rates(members: Booleans, challenger: Answers, champion: Answers) -> Floats:
    """Return the approval rates by challenger and champion (2 rows) of a group, observed and in each resample."""
    approved = ~np.stack([challenger.refused[members], champion.refused[members]])
    # A client is approved by neither, by one of them, or by both.
    counts = np.bincount(approved[0] + 2 * approved[1], minlength=4)
    drawn = np.random.default_rng(counts).multinomial(counts.sum(), counts / counts.sum(), size=RESAMPLES)
    shares = np.vstack([counts, drawn]) / counts.sum()
    return np.stack([shares[:, [1, 3]].sum(axis=1), shares[:, [2, 3]].sum(axis=1)])


def _of_resamples(values: Floats) -> Estimate:
    """Return the first value, which is the observed one, with the interval of the others."""
    return Estimate(float(values[0]), *map(float, percentile_interval(values[1:])))


def _with_interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
