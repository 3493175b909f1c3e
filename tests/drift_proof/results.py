"""The content of drift_proof.json."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

AIM = 0.95
"""Share of the samples in which a shift counts as found."""


class Part(BaseModel):
    """Part of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NullSize(Part):
    """False alarms between two samples of one population."""

    rows: int
    seeds: int
    false_verdicts: int
    any_column: int
    """Pairs of samples in which any column or feature drifts."""
    column_rate: float
    """Share of all compared columns and features that drift."""


class PowerPoint(Part):
    """How often a shift is found at one size: share of the seeds."""

    shift: str
    rows: int
    seeds: int
    by: Literal["columns", "verdict"]
    """What finds it: its columns drift, or the verdict is drift."""
    detected: float
    evidently: float | None
    """Share in which plain Evidently finds it, by its defaults; None where it was not run."""


class CostError(Part):
    """Error of the estimated cost of 1,000 applications against the true probabilities, under one shift."""

    shift: str
    rows: int
    seeds: int
    true_cost: float
    error_plain: float
    """Mean absolute error of the estimate from the PD alone."""
    error: float
    """Mean absolute error with the shift of the population taken in."""
    low: float
    high: float
    """95 % interval of `error`, by bootstrap over the seeds."""
    realised_error: float
    """Mean absolute difference of the realised cost from the true one: what chance does to outcomes."""


class DriftProof(Part):
    """What the drift report finds and what it does not."""

    data: str
    clients: int
    seed: int
    model: str
    null: list[NullSize] = []
    power: list[PowerPoint] = []
    cost: list[CostError] = []

    def smallest(self, shift: str, share: float = 0.95) -> int | None:
        """Return the smallest size from which on a shift is found in this share of the samples, or None."""
        sizes = sorted((point.rows, point.detected) for point in self.power if point.shift == shift)
        sufficient = [rows for rows, _ in sizes if all(detected >= share for size, detected in sizes if size >= rows)]
        return min(sufficient, default=None)


class NannymlError(Part):
    """Mean absolute errors of two estimates of the cost of 1,000 applications, under one shift."""

    shift: str
    seeds: int
    error_nannyml: float
    """NannyML's CBPE, calibrated on the outcomes of all past applications."""
    error_pd: float
    """From the PD alone."""


class NannymlResults(Part):
    """The content of nannyml.json."""

    data: str
    clients: int
    seed: int
    version: str
    rows: list[NannymlError]

    @property
    def document_rows(self) -> list[str]:
        """The rows of the table in docs/drift.md."""
        return [f"| {row.shift} | {row.error_nannyml:.0f} | {row.error_pd:.0f} |" for row in self.rows]


def document_rows(proof: DriftProof) -> list[str]:
    """Return the rows of the tables in docs/drift.md."""
    rows = [f"| {size.rows:,} | {size.false_verdicts} of {size.seeds} |" for size in proof.null]
    for shift in dict.fromkeys(point.shift for point in proof.power):
        points = [point for point in proof.power if point.shift == shift]
        by_report = [point.rows for point in points if point.detected >= AIM]
        by_evidently = [point.rows for point in points if (point.evidently or 0.0) >= AIM]
        ours, evidently = (f"{min(sizes):,}" if sizes else "none" for sizes in (by_report, by_evidently))
        rows.append(f"| {shift} | {ours} | {evidently} |")
    rows += [
        f"| {cost.shift} | {cost.true_cost:.0f} | {cost.error_plain:.0f} | {cost.error:.0f} "
        f"({cost.low:.0f} to {cost.high:.0f}) | {cost.realised_error:.0f} |"
        for cost in proof.cost
    ]
    return rows
