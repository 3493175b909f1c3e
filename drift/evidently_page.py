"""Evidently's page on the columns that matter most, drawn on a sample: it need not decide, only show."""

import warnings
from collections.abc import Sequence

import polars as pl

from drift.compare import Field, Measure

MAX_DRAWN = 20
"""Columns that Evidently draws; each takes a tenth of a second and 30 kB."""
MAX_ROWS = 5_000
"""Rows of each sample that Evidently reads."""
MIN_VALUES = 2
DTYPES: dict[Measure, type[pl.DataType]] = {"number": pl.Float64, "category": pl.String}


def evidently_html(reference: pl.DataFrame, current: pl.DataFrame, fields: Sequence[Field], seed: int = 1) -> str:
    """Return Evidently's report on the first MAX_DRAWN fields that have values on both sides; empty without any."""
    samples = [frame.sample(min(frame.height, MAX_ROWS), seed=seed) for frame in (reference, current)]
    drawn = [field for field in fields if all(_has_values(frame, field.name) for frame in samples)][:MAX_DRAWN]
    if not drawn:
        return ""
    # Imported here, because the import takes seconds that --help and a fault in the input should not wait for.
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415
    from evidently.presets import DataDriftPreset  # noqa: PLC0415

    definition = DataDefinition(
        numerical_columns=[field.name for field in drawn if field.measure == "number"],
        categorical_columns=[field.name for field in drawn if field.measure == "category"],
    )
    columns = [pl.col(field.name).cast(DTYPES[field.measure]) for field in drawn]
    frames = [frame.select(columns).to_pandas() for frame in samples]
    datasets = [Dataset.from_pandas(frame, definition) for frame in reversed(frames)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy on constant columns, for the plots
        run = Report([DataDriftPreset(columns=[field.name for field in drawn])]).run(*datasets)
        page: str = run.get_html_str(as_iframe=False)
    return page.lstrip()


def _has_values(frame: pl.DataFrame, name: str) -> bool:
    return name in frame.columns and frame[name].count() >= MIN_VALUES
