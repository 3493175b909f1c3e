"""Compare two samples of one table column by column with Evidently, and decide whether the population drifted.

Evidently drops nulls before it compares values, so it does not see a change in the share of missing values
(EXT_SOURCE_1 of the real data: 56 % to 42 %). That share is therefore compared here, beside Evidently's score.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd
import polars as pl

from bento.data.tables import Column

if TYPE_CHECKING:
    from evidently import Run

Measure = Literal["number", "category"]

MIN_VALUES = 1000
"""Values on each side below which a column is not compared: by Jensen-Shannon distance or PSI, two samples of 500 from
one population differ in two fifths of their columns."""

MISSING_STEP = 0.10
"""Change in the share of missing values from which a column drifts. At half of it, two samples of 500 from one
population often differ in all columns about the building, which are missing together."""


@dataclass(frozen=True)
class Statistic:
    """One of Evidently's statistics, and the score from which a column drifts."""

    name: str
    threshold: float

    @property
    def is_p_value(self) -> bool:
        """Whether a low score means drift, not a high one."""
        return self.name == "ks"


Method = dict[Measure, Statistic]

# A normal column whose mean moves by d standard deviations scores about d by Wasserstein, d / sqrt(8) by
# Jensen-Shannon and d squared by PSI: these thresholds all stand for d = 0.2, Evidently's own 0.1 for 0.1, 0.28, 0.32.
# Evidently's chi-square takes the reference for exact, and so finds drift by chance: no partner for ks.
METHODS: dict[str, Method] = {
    "wasserstein": {"number": Statistic("wasserstein", 0.2), "category": Statistic("jensenshannon", 0.07)},
    "jensenshannon": {"number": Statistic("jensenshannon", 0.07), "category": Statistic("jensenshannon", 0.07)},
    "psi": {"number": Statistic("psi", 0.04), "category": Statistic("psi", 0.04)},
    "ks": {"number": Statistic("ks", 0.001), "category": Statistic("jensenshannon", 0.07)},
}


@dataclass(frozen=True)
class ColumnDrift:
    """The result of one column."""

    column: Column
    measure: Measure
    statistic: Statistic
    score: float | None
    """None where the values could not be compared; `note` says why."""
    values_drifted: bool
    missing_reference: float
    missing_current: float
    note: str

    @property
    def missing_drifted(self) -> bool:
        """Whether the share of missing values changed by at least MISSING_STEP."""
        return abs(self.missing_current - self.missing_reference) >= MISSING_STEP

    @property
    def drifted(self) -> bool:
        """Whether values or missing values drifted."""
        return self.values_drifted or self.missing_drifted

    @property
    def empty(self) -> bool:
        """Whether neither side has a value."""
        return self.missing_reference == self.missing_current == 1

    @property
    def severity(self) -> float:
        """Score over threshold, by values or by missing values, the larger of the two."""
        missing = abs(self.missing_current - self.missing_reference) / MISSING_STEP
        if self.score is None:
            return missing
        if self.statistic.is_p_value:
            values = self.statistic.threshold / self.score if self.score else math.inf
        else:
            values = self.score / self.statistic.threshold
        return max(values, missing)


@dataclass(frozen=True)
class Comparison:
    """All columns, worst first, and the verdict on the table."""

    columns: tuple[ColumnDrift, ...]
    share_limit: float
    run: "Run | None"
    """Evidently's own result; None where no column could be compared by its values."""

    @property
    def evaluated(self) -> int:
        """Columns with a value on at least one side."""
        return sum(not column.empty for column in self.columns)

    @property
    def drifted(self) -> int:
        """Columns that drifted."""
        return sum(column.drifted for column in self.columns)

    @property
    def share(self) -> float:
        """Share of drifted columns among those with values."""
        return self.drifted / self.evaluated if self.evaluated else 0.0

    @property
    def is_drift(self) -> bool:
        """Whether the share of drifted columns reaches the limit."""
        return self.share >= self.share_limit


def measure_of(column: Column) -> Measure:
    """Return the kind of a column; flags and ranks are coded as numbers, but are categories."""
    return "category" if column.kind == "category" or column.unit in ("flag", "rank") else "number"


def compare(
    reference: pl.DataFrame, current: pl.DataFrame, columns: Sequence[Column], method: Method, share_limit: float
) -> Comparison:
    """Compare `columns` of two frames; a column absent from one of them counts as missing values there.

    Raises ValueError where a frame has fewer than MIN_VALUES rows.
    """
    for side, frame in (("reference", reference), ("current", current)):
        if frame.height < MIN_VALUES:
            raise ValueError(f"{side}: {frame.height:,} rows differ by chance alone; give at least {MIN_VALUES:,}")
    reference, current = _prepared(reference, columns), _prepared(current, columns)
    # Evidently divides the Wasserstein distance by the reference's standard deviation: a number that is constant
    # there would drift with the first other value. As a category, it takes a good share of other values.
    measures: dict[str, Measure] = {
        column.name: "category" if _is_constant(reference[column.name]) else measure_of(column) for column in columns
    }
    notes = {column.name: _why_not_compared(reference[column.name], current[column.name]) for column in columns}
    compared = {name: measures[name] for name, note in notes.items() if not note}
    run = _run_evidently(reference, current, compared, method, share_limit) if compared else None
    scores = _scores(run) if run else {}
    results = []
    for column in columns:
        score, values_drifted = scores.get(column.name, (None, False))
        result = ColumnDrift(
            column=column,
            measure=measures[column.name],
            statistic=method[measures[column.name]],
            score=score,
            values_drifted=values_drifted,
            missing_reference=reference[column.name].null_count() / reference.height,
            missing_current=current[column.name].null_count() / current.height,
            note=notes[column.name],
        )
        results.append(result)
    return Comparison(tuple(sorted(results, key=lambda result: -result.severity)), share_limit, run)


def _prepared(frame: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    """Select exactly `columns`; absent columns and infinite values become null."""
    return frame.select(
        pl.lit(None, dtype=column.dtype).alias(column.name)
        if column.name not in frame.columns
        else pl.when(pl.col(column.name).is_finite()).then(pl.col(column.name))
        if column.kind == "number"
        else pl.col(column.name)
        for column in columns
    )


def _is_constant(values: pl.Series) -> bool:
    return values.drop_nulls().n_unique() == 1


def _why_not_compared(reference: pl.Series, current: pl.Series) -> str:
    """Return why the values cannot be compared; empty where they can."""
    counts = {"reference": reference.count(), "current": current.count()}
    if not any(counts.values()):
        return "no value on either side"
    for side, count in counts.items():
        if count < MIN_VALUES:
            return f"too few values in {side}: {count:,}" if count else f"no value in {side}"
    if _is_constant(reference) and _is_constant(current) and reference.max() == current.max():
        return "the same single value on both sides"
    return ""


def _run_evidently(
    reference: pl.DataFrame, current: pl.DataFrame, compared: dict[str, Measure], method: Method, share_limit: float
) -> "Run":
    # Imported here, because the import takes seconds that --help and a fault in the input should not wait for.
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415
    from evidently.presets import DataDriftPreset  # noqa: PLC0415

    definition = DataDefinition(
        numerical_columns=[name for name, measure in compared.items() if measure == "number"],
        categorical_columns=[name for name, measure in compared.items() if measure == "category"],
    )
    preset = DataDriftPreset(
        columns=list(compared),
        num_method=method["number"].name,
        num_threshold=method["number"].threshold,
        cat_method=method["category"].name,
        cat_threshold=method["category"].threshold,
        drift_share=share_limit,
    )
    datasets = [Dataset.from_pandas(_to_pandas(frame, compared), definition) for frame in (current, reference)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy on constant columns, for the plots
        return Report([preset], include_tests=True).run(*datasets)


def _to_pandas(frame: pl.DataFrame, compared: dict[str, Measure]) -> pd.DataFrame:
    dtypes: dict[Measure, type[pl.DataType]] = {"number": pl.Float64, "category": pl.String}
    return pd.DataFrame({name: frame[name].cast(dtypes[measure]).to_numpy() for name, measure in compared.items()})


def _scores(run: "Run") -> dict[str, tuple[float, bool]]:
    """Return the score and Evidently's verdict of each column."""
    content = run.dict()
    drifted = {
        test["metric_config"]["params"]["column"]: test["status"] == "FAIL"
        for test in content["tests"]
        if test["metric_config"]["params"]["type"].endswith(":ValueDrift")
    }
    scores = {metric["config"].get("column"): float(metric["value"]) for metric in content["metrics"][1:]}
    # SciPy's Jensen-Shannon distance of two all but equal samples is the root of a tiny negative number: NaN.
    return {name: (0.0 if math.isnan(score) else score, drifted[name]) for name, score in scores.items()}
