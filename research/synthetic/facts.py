"""Make the statistics of the generator again from a folder with the real tables."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.special import ndtri
from tqdm import tqdm

from bento.data.files import find_file
from bento.data.readers import read_application, read_history
from bento.data.tables import HISTORIES, OPEN_ENDED, TARGET
from research.cli import CommandError, user_path
from research.synthetic.calibration_statistics import (
    APPLICATIONS,
    STATISTICS_FILE,
    ColumnStatistics,
    in_order,
    probabilities,
    statistics,
)
from research.synthetic.fidelity_metrics import auc
from research.synthetic.joint_facts import atoms as frequent_values
from research.synthetic.joint_facts import joint_facts
from research.synthetic.row_patterns import pattern_shares

EXAMPLE = "python -m research facts --from data/raw --out statistics.json"
_DIGITS = 6
_MIN_APPLICATIONS = 5000
"""Fewest applications from which each band of prices has frequent ratios of credit to price."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder of the tables and the file to write."""
    parser.add_argument(
        "--from", dest="folder", type=user_path, required=True, metavar="DIR", help="folder with the real tables"
    )
    parser.add_argument("--out", type=Path, default=STATISTICS_FILE, metavar="FILE", help="file to write")


def run(options: argparse.Namespace) -> int:
    """Make the statistics of the tables in the folder, keep those of tables it lacks, and print which are kept."""
    try:
        tables = read_tables(options.folder)
    except ValueError as error:
        raise CommandError(str(error)) from error
    if not tables.keys() >= set(APPLICATIONS):
        raise CommandError(f"{options.folder}: holds not both of {' and '.join(APPLICATIONS)}, which facts are made of")
    if len(tables[APPLICATIONS[0]]) < _MIN_APPLICATIONS:
        raise CommandError(
            f"{options.folder}: {APPLICATIONS[0]} has {len(tables[APPLICATIONS[0]]):,} rows; facts on columns together "
            f"need {_MIN_APPLICATIONS:,}"
        )
    made = facts(tables)
    options.out.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")
    kept = [name for name in (*APPLICATIONS, *HISTORIES) if name not in tables]
    print("kept as they were: structure (rates that tie tables together, by hand), " + ", ".join(kept or ["no table"]))
    print(f"written: {options.out}")
    return 0


def read_tables(folder: Path) -> dict[str, pl.DataFrame]:
    """Read the tables that the folder holds as Kaggle names them, CSV or Parquet; a fault is a ValueError."""
    tables = {}
    for name in tqdm((*APPLICATIONS, *HISTORIES), desc="tables", unit="table", leave=False):
        if find_file(folder, name):
            is_train = name == APPLICATIONS[0]
            extra = (TARGET,) if is_train else ()
            tables[name] = read_application(folder, name, extra) if name in APPLICATIONS else read_history(folder, name)
    return tables


def facts(tables: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """Return the statistics of `tables` in the form of `calibration_statistics.json`.

    Both application tables are needed. Statistics of other tables that are absent, published figures that need them,
    and `structure` stay as they are in the file.
    """
    old = statistics()
    columns = {name: _table(old["tables"][name], frame) for name, frame in tables.items()}
    made = {**old, "tables": {**old["tables"], **columns}}
    made["samples"] = {**old["samples"], **{name: len(frame) for name, frame in tables.items()}}
    of_train, of_test = (
        {name: ColumnStatistics(**column) for name, column in columns[name_of].items()} for name_of in APPLICATIONS
    )

    def ordered(name: str) -> tuple[str, ...]:
        return in_order([statistics_of[name] for statistics_of in (of_train, of_test) if name in statistics_of])

    made["correlation"] = old["correlation"] | {"upper_triangle_rows": _correlation(tables[APPLICATIONS[0]], ordered)}
    made["joint"] = joint_facts(tables[APPLICATIONS[0]], tables[APPLICATIONS[1]], ordered)
    if tables.keys() >= set(HISTORIES):
        made["published"] = _published(old["published"], tables)
        shares = pattern_shares(tables)
        made["patterns"] = {
            **old["patterns"],
            **{name: {"share": item.share, "rows": item.rows} for name, item in shares.items()},
        }
    return made


def _published(old: Mapping[str, Any], tables: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    clients = {name: tables[name]["SK_ID_CURR"].n_unique() for name in old["clients"]}
    credits, balance = tables["bureau"]["SK_ID_BUREAU"], tables["bureau_balance"]["SK_ID_BUREAU"].unique()
    counted = {
        name: tables[name]["SK_ID_BUREAU" if name == "bureau_balance" else "SK_ID_PREV"].n_unique()
        for name in old["credits"]
    }
    return {
        **old,
        "rows": {name: len(frame) for name, frame in tables.items()},
        "default_rate": round(float(np.mean(tables[APPLICATIONS[0]]["TARGET"].to_numpy())), 7),
        "clients_with_bureau": clients["bureau"],
        "clients": clients,
        "credits": counted,
        "bureau_balance_unmatched": round(1 - len(balance.filter(balance.is_in(credits.implode()))) / len(balance), 4),
    }


def _table(old: Mapping[str, Any], frame: pl.DataFrame) -> dict[str, Any]:
    """Return the statistics of the columns of a table, of the kinds that each has in the file."""
    target = frame["TARGET"].to_numpy() if "TARGET" in frame.columns else None
    return {name: _column(kinds, frame[name], target) for name, kinds in old.items()}


def _column(kinds: Mapping[str, Any], column: pl.Series, target: Any) -> dict[str, Any]:
    present = column.drop_nulls()
    made: dict[str, Any] = {"null_rate": _rounded(column.null_count() / len(column))} if len(column) else {}
    if not len(present):
        return {**kinds, **made}
    if "shares" in kinds:
        values = present.cast(pl.Int64) if present.dtype.is_float() and (present == present.round()).all() else present
        counts = values.cast(pl.String).value_counts().sort("count", column.name, descending=[True, False])
        made["shares"] = {value: _rounded(count / len(present)) for value, count in counts.iter_rows()}
    if "default_rates" in kinds and target is not None:
        rates = pl.DataFrame({"value": column.cast(pl.String), "target": target}).drop_nulls().group_by("value")
        made["default_rates"] = {
            value: _rounded(rate) for value, rate in rates.agg(pl.col("target").mean()).sort("value").iter_rows()
        }
    if "quantiles" in kinds:
        numbers = present.cast(pl.Float64).to_numpy()
        made["quantiles"] = _quantiles(numbers)
        if "quantiles_known" in kinds:
            made["quantiles_known"] = _quantiles(numbers[numbers != OPEN_ENDED])
            made["share_365243"] = _rounded(np.mean(numbers == OPEN_ENDED))
        if "share_zero" in kinds:
            made["share_zero"] = _rounded(np.mean(numbers == 0))
        if "atoms" in kinds:
            made["atoms"] = frequent_values(numbers)
    if "auc" in kinds and target is not None:
        made["auc"] = _rounded(auc(present.cast(pl.Float64).to_numpy(), target[column.is_not_null().to_numpy()]))
    return made


def _quantiles(numbers: Any) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in np.quantile(numbers, probabilities())] if len(numbers) else []


def _correlation(train: pl.DataFrame, ordered: Callable[[str], Sequence[str]]) -> list[list[float]]:
    """Return the upper triangle of the correlations of normal scores, over the rows in which both columns are known.

    Categories are ordered by their default rate; "missing:X" is 1 where X is empty.
    """
    scores = []
    for name in statistics()["correlation"]["columns"]:
        column = train[name.removeprefix("missing:")]
        if name.startswith("missing:"):
            column = column.is_null().cast(pl.Int64)
        elif column.dtype == pl.String:
            places = {value: place for place, value in enumerate(ordered(name))}
            column = column.replace_strict(places, default=None, return_dtype=pl.Int64)
        rank = column.rank() / (column.count() + 1)
        scores.append(ndtri(rank.cast(pl.Float64).fill_null(np.nan).to_numpy()))
    matrix = np.ma.corrcoef(np.ma.masked_invalid(np.column_stack(scores)), rowvar=False).filled(0.0)
    return [[round(float(value), 3) for value in matrix[row, row:]] for row in range(len(matrix))]


def _rounded(value: Any) -> float:
    return round(float(value), _DIGITS)
