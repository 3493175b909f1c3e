"""The content of drift.json."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from drift.compare import MISSING_STEP, ColumnDrift, Comparison, Measure, Method


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Side(_Part):
    """One of the two tables."""

    table: str
    rows: int
    rows_compared: int


class Sample(_Part):
    """How the rows were sampled."""

    rows: int
    seed: int


class Limit(_Part):
    """A statistic, and the score from which a column drifts."""

    statistic: str
    threshold: float


class Limits(_Part):
    """The limits of the comparison."""

    number: Limit
    category: Limit
    missing_step: float
    share: float

    @classmethod
    def of(cls, method: Method, share: float) -> "Limits":
        """Return the limits of a method and of the share of drifted columns."""
        number, category = (
            Limit(statistic=method[measure].name, threshold=method[measure].threshold)
            for measure in ("number", "category")
        )
        return cls(number=number, category=category, missing_step=MISSING_STEP, share=share)


class ColumnSummary(_Part):
    """The result of one column; a column whose values were not compared has a note instead of a score."""

    column: str
    measure: Measure
    audit_only: bool
    statistic: str | None
    score: float | None
    threshold: float | None
    missing_reference: float
    missing_current: float
    values_drifted: bool
    missing_drifted: bool
    drifted: bool
    note: str

    @classmethod
    def of(cls, result: ColumnDrift) -> "ColumnSummary":
        """Return the summary of a column, with rounded figures."""
        compared = result.score is not None
        return cls(
            column=result.column.name,
            measure=result.measure,
            audit_only=result.column.audit_only,
            statistic=result.statistic.name if compared else None,
            score=None if result.score is None else float(f"{result.score:.4g}"),
            threshold=result.statistic.threshold if compared else None,
            missing_reference=round(result.missing_reference, 4),
            missing_current=round(result.missing_current, 4),
            values_drifted=result.values_drifted,
            missing_drifted=result.missing_drifted,
            drifted=result.drifted,
            note=result.note,
        )


class Source(_Part):
    """Where the data comes from."""

    data: Literal["real", "synthetic"]
    clients: int
    seed: int | None


class Summary(Source):
    """Sources, limits, verdict, and every column, the worst first."""

    reference: Side
    current: Side
    sample: Sample
    method: str
    thresholds: Limits
    columns_judged: int
    columns_drifted: int
    share_drifted: float
    verdict: Literal["drift", "no drift"]
    sentence: str
    columns: list[ColumnSummary]


def sentence(comparison: Comparison) -> str:
    """Return the verdict in one sentence."""
    verdict = "Drift" if comparison.is_drift else "No drift"
    return (
        f"{verdict}: {comparison.drifted} of {comparison.evaluated} columns drifted "
        f"({comparison.share:.1%}, limit {comparison.share_limit:.1%})."
    )
