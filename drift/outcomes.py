"""Outcomes of loans, which arrive months after the decision, joined with the decisions of the journal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from bento.data.files import DataError
from bento.data.readers import readable
from bento.data.tables import TARGET
from drift.distributions import Floats
from drift.populations import Population

ID, CLIENT, DATE = "decision_id", "SK_ID_CURR", "OUTCOME_DATE"
_ROW, _DECIDED, _MONTHS = "row", "decided", "months"


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """The outcome of each decision of a population: 1 default, 0 repaid, NaN not known."""

    target: Floats
    notes: tuple[str, ...]
    """What was left out of the file, with the number of rows."""
    faults: tuple[str, ...] = ()
    """Why nothing of the file could be used."""
    months: Floats | None = None
    """Full months from each decision to its outcome, NaN not known; None where the file has no dates."""


def read_outcomes(path: Path, population: Population) -> Outcomes:
    """Read a CSV file with decision_id or SK_ID_CURR, TARGET, and perhaps OUTCOME_DATE; join it with the decisions.

    A client's outcome is that of the last decision in the period. Repeated rows count once; rows that contradict each
    other, rows of other decisions, and rows dated before the decision are left out and named.

    Raises:
        DataError: a column is missing, a TARGET is neither 0 nor 1 nor empty, or a date is none.
    """
    key, rows = _read(path)
    ids: Sequence[str] | pl.Series = [decision.id for decision in population.decisions]
    if key == CLIENT:
        ids = population.applications[CLIENT].cast(pl.Float64)
    moments = [decision.decided_at.replace(tzinfo=None) for decision in population.decisions]
    decisions = pl.DataFrame({key: ids, _DECIDED: pl.Series(moments, dtype=pl.Datetime).dt.date()})
    others = rows.join(decisions, on=key, how="anti")
    own = rows.join(decisions, on=key, how="semi" if DATE not in rows.columns else "inner")
    early = own.clear()
    if DATE in rows.columns:
        early = own.filter(pl.col(DATE) < pl.col(_DECIDED))
        own = own.filter((pl.col(DATE) >= pl.col(_DECIDED)) | pl.col(DATE).is_null())
        own = own.with_columns(_full_months().alias(_MONTHS))
    by_key = own.group_by(key).agg(
        pl.col(TARGET.name).first(),
        *([pl.col(_MONTHS).min()] if _MONTHS in own.columns else []),
        pl.col(TARGET.name).n_unique().alias("different"),
        pl.len().alias("rows"),
    )
    agreed = by_key.filter(pl.col("different") == 1)
    joined = decisions.join(agreed, on=key, how="left", maintain_order="left")
    counts = (
        (len(others), f"rows of other decisions, the first in row {others[_ROW][0] if len(others) else ''}"),
        (len(early), f"rows dated before their decision, the first in row {early[_ROW][0] if len(early) else ''}"),
        (int(agreed["rows"].sum()) - len(agreed), "repeated rows, counted once"),
        (len(by_key) - len(agreed), "decisions with contradicting outcomes, left out"),
    )
    return Outcomes(
        target=_floats(joined[TARGET.name]),
        months=_floats(joined[_MONTHS]) if _MONTHS in joined.columns else None,
        faults=(
            f"{path.name}: none of its {len(rows):,} rows is of a decision in {population.name}; correct ids or period",
        )
        if len(rows) and len(others) == len(rows)
        else (),
        notes=tuple(f"{path.name}: {count:,} {what}" for count, what in counts if count),
    )


def _read(path: Path) -> tuple[str, pl.DataFrame]:
    """Return the key of a file of outcomes, and its rows with row number, key, TARGET, and DATE where it has one."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; name the CSV file of outcomes")
    with readable(path):
        # Line 1 of the file is the header.
        rows = pl.read_csv(path, infer_schema=False).with_row_index(_ROW, offset=2)
    key = ID if ID in rows.columns else CLIENT
    for name in (key, TARGET.name):
        if name not in rows.columns:
            raise DataError(f"{path}: has no column {name}; give decision_id or SK_ID_CURR, and TARGET")
    rows = rows.with_columns(pl.col(name).str.strip_chars().replace("", None) for name in rows.columns if name != _ROW)
    target = pl.col(TARGET.name).cast(pl.Float64, strict=False)
    date = pl.col(DATE).str.to_date("%Y-%m-%d", strict=False)
    columns = [pl.col(key) if key == ID else pl.col(key).cast(pl.Float64, strict=False), target]
    for row in _wrong(rows, TARGET.name, target.is_in([0.0, 1.0])):
        raise DataError(f"{path}: row {row}, column TARGET: write 1 for a default, 0 for repaid, or nothing")
    if key == CLIENT:
        for row in _wrong(rows, CLIENT, columns[0].is_not_null()):
            raise DataError(f"{path}: row {row}, column {CLIENT}: write the number of a client")
    if DATE in rows.columns:
        for row in _wrong(rows, DATE, date.is_not_null()):
            raise DataError(f"{path}: row {row}, column {DATE}: write a date as 2026-01-31, or nothing")
        columns.append(date)
    return key, rows.select(_ROW, *columns).drop_nulls([key, TARGET.name])


def _wrong(rows: pl.DataFrame, name: str, is_right: pl.Expr) -> Iterator[int]:
    """Yield the numbers of the rows that have a value in a column, but not a right one."""
    yield from rows.filter(pl.col(name).is_not_null() & ~is_right.fill_null(value=False))[_ROW]


def _full_months() -> pl.Expr:
    """Return the full months from the decision to the outcome."""
    decided, date = pl.col(_DECIDED), pl.col(DATE)
    months = (date.dt.year() - decided.dt.year()) * 12 + date.dt.month().cast(pl.Int32) - decided.dt.month()
    return months - (date.dt.day() < decided.dt.day()).cast(pl.Int32)


def _floats(values: pl.Series) -> Floats:
    return values.cast(pl.Float64).fill_null(np.nan).to_numpy()
