"""Outcomes of loans, which arrive months after the decision, joined with the decisions of the journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from bento.data.files import DataError
from bento.data.readers import readable
from bento.data.tables import TARGET
from drift.distributions import Floats
from drift.populations import Population

ID, CLIENT = "decision_id", "SK_ID_CURR"
_ROW = "row"


@dataclass(frozen=True)
class Outcomes:
    """The outcome of each decision of a population: 1 default, 0 repaid, NaN not known."""

    target: Floats
    notes: tuple[str, ...]
    """What was left out of the file, with the number of rows."""


def read_outcomes(path: Path, population: Population) -> Outcomes:
    """Read a CSV file with decision_id or SK_ID_CURR, and TARGET, and join it with the decisions.

    A client's outcome is that of the last decision in the period. Repeated rows count once; rows that contradict each
    other, and rows of other decisions, are left out and named.

    Raises:
        DataError: a column is missing, or a TARGET is neither 0 nor 1 nor empty.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; name the CSV file of outcomes")
    with readable(path):
        # Line 1 of the file is the header.
        rows = pl.read_csv(path, infer_schema=False).with_row_index(_ROW, offset=2)
    key = ID if ID in rows.columns else CLIENT
    for name in (key, TARGET.name):
        if name not in rows.columns:
            raise DataError(f"{path}: has no column {name}; give decision_id or SK_ID_CURR, and TARGET")
    target = pl.col(TARGET.name).str.strip_chars().cast(pl.Float64, strict=False)
    wrong = rows.filter(pl.col(TARGET.name).str.strip_chars().ne("") & ~target.is_in([0.0, 1.0]).fill_null(value=False))
    if len(wrong):
        raise DataError(f"{path}: row {wrong[_ROW][0]}, column TARGET: write 1 for a default, 0 for repaid, or nothing")
    keys = pl.col(key).str.strip_chars()
    rows = rows.select(_ROW, keys if key == ID else keys.cast(pl.Float64, strict=False), target).drop_nulls()
    ids: Sequence[str] | pl.Series = [decision.id for decision in population.decisions]
    if key == CLIENT:
        ids = population.applications[CLIENT].cast(pl.Float64)
    decisions = pl.DataFrame({key: ids})
    others = rows.join(decisions, on=key, how="anti")
    by_key = (
        rows.join(decisions, on=key, how="semi")
        .group_by(key)
        .agg(
            pl.col(TARGET.name).first().alias(TARGET.name),
            pl.col(TARGET.name).n_unique().alias("different"),
            pl.len().alias("rows"),
        )
    )
    contradicting = by_key.filter(pl.col("different") > 1)
    repeated = int(by_key.filter(pl.col("different") == 1)["rows"].sum()) - int((by_key["different"] == 1).sum())
    joined = decisions.join(by_key.filter(pl.col("different") == 1), on=key, how="left", maintain_order="left")
    notes = [
        f"{path.name}: {count:,} {what}"
        for count, what in (
            (len(others), f"rows of other decisions, the first in row {others[_ROW][0] if len(others) else ''}"),
            (repeated, "repeated rows, counted once"),
            (len(contradicting), "decisions with contradicting outcomes, left out"),
        )
        if count
    ]
    return Outcomes(joined[TARGET.name].cast(pl.Float64).fill_null(np.nan).to_numpy(), tuple(notes))
