"""The rule of the watch: which finding calls for which action.

| action | where | what to do |
|---|---|---|
| look | data could not be judged, values changed their unit, vanished or were renamed | repair the source |
| retrain | the PD ranks granted loans worse than it should, beyond chance | train on recent outcomes, then the gate |
| recalibrate | ranking is kept, but defaults are not those predicted, beyond chance | fit the calibration again |
| look | drift without a measured loss; a month beyond its limit; officers overturn often | watch, ask officers |
| nothing | none of these | |

The first that holds is the action; all that hold are findings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bento.i18n import Wording
from drift.performance import PerformanceReport
from drift.summary import ColumnResult, DriftReport

Action = Literal["retrain", "recalibrate", "look", "nothing"]

MAX_MISSING_RISE = 0.2
"""Rise of a share of missing values that is a fault of the source, not a change of clients."""
MAX_AUC_LOSS = 0.02
MAX_MISCALIBRATION = 0.1
MAX_OVERTURNED = 0.3
"""Share of the reviews that overturn the decision."""
MIN_REVIEWS = 20

REMEDIES: dict[Action, str] = {
    "retrain": "train on recent outcomes (`make train`) and let the gate decide (`make promote`)",
    "recalibrate": "the ranking holds: train without tuning on recent outcomes (`python -m research train --trials 0`: "
    "it fits calibration and threshold again) and let the gate decide",
    "look": "find the cause first; repair the source of the data where it is a fault, and run the watch again",
    "nothing": "no action is needed",
}

ACTIONS: dict[Action, Wording] = {
    "retrain": Wording(en="Train again", fr="Entraîner de nouveau"),
    "recalibrate": Wording(en="Calibrate again", fr="Calibrer de nouveau"),
    "look": Wording(en="Look for the cause", fr="Chercher la cause"),
    "nothing": Wording(en="No action needed", fr="Aucune action nécessaire"),
}


@dataclass(frozen=True)
class Finding:
    """One line on what was found, and the action that it calls for."""

    action: Action
    text: str


@dataclass(frozen=True)
class Month:
    """The stability of one month: the PSI of its PD against the reference, and the control limits of the mean."""

    month: str
    decisions: int
    psi: float
    limit: float
    mean_pd: float
    low: float
    high: float

    @property
    def is_beyond(self) -> bool:
        """Whether PSI or mean PD is beyond its limit."""
        return self.psi > self.limit or not self.low <= self.mean_pd <= self.high


def findings(report: DriftReport, performance: PerformanceReport, months: Sequence[Month]) -> list[Finding]:
    """Return all findings, that which decides first; a single "nothing" where there is none."""
    ordered = [
        *_on_data([*report.faults, *performance.faults], report.drifted_columns),
        *_on_outcomes(performance),
        *_on_population(report, performance, months),
    ]
    return ordered or [Finding("nothing", "neither data, PD, outcomes nor reviews changed by more than chance")]


def _on_data(faults: Sequence[str], drifted: Sequence[ColumnResult]) -> Iterator[Finding]:
    yield from (Finding("look", f"could not be judged: {fault}") for fault in faults)
    for column in drifted:
        if fault := _fault(column):
            yield Finding("look", f"{column.column}: {fault}")


def _fault(column: ColumnResult) -> str | None:
    if column.factor is not None:
        return f"all values are {column.factor:.4g} times those of the reference: another unit?"
    if column.missing_current - column.missing_reference >= MAX_MISSING_RISE:
        return f"missing in {column.missing_current:.0%}, before in {column.missing_reference:.0%}"
    if column.new_categories and column.gone_categories:
        return f"{', '.join(column.gone_categories)} is gone, {', '.join(column.new_categories)} is new: renamed?"
    return None


def _on_outcomes(performance: PerformanceReport) -> Iterator[Finding]:
    overall = performance.overall
    area, ratio = overall.auc, overall.observed_over_predicted
    if area is not None and overall.expected_auc is not None and area.high < overall.expected_auc - MAX_AUC_LOSS:
        yield Finding(
            "retrain",
            f"AUC of granted loans {area.value:.3f} ({area.low:.3f} to {area.high:.3f}), "
            f"expected of them {overall.expected_auc:.3f}",
        )
    if ratio is not None and abs(ratio.value - 1) >= MAX_MISCALIBRATION and not ratio.low <= 1 <= ratio.high:
        yield Finding(
            "recalibrate",
            f"observed over predicted defaults {ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})",
        )


def _on_population(report: DriftReport, performance: PerformanceReport, months: Sequence[Month]) -> Iterator[Finding]:
    yield from (Finding("look", ground) for ground in report.grounds)
    for month in months:
        if month.is_beyond:
            yield Finding(
                "look",
                f"{month.month}: PSI of the PD {month.psi:.3f} (limit {month.limit:.3f}), "
                f"mean {month.mean_pd:.4f} ({month.low:.4f} to {month.high:.4f})",
            )
    overrides = performance.overrides
    if overrides.reviews >= MIN_REVIEWS and overrides.overturned > MAX_OVERTURNED * overrides.reviews:
        yield Finding("look", f"officers overturned {overrides.overturned} of {overrides.reviews} decisions")
