"""Reads the tables from CSV or Parquet files named as Kaggle names them, and says in one line what is wrong."""

import difflib
import logging
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from bento.tables import APPLICATION, HISTORIES, TABLES, Column, Table

log = logging.getLogger(__name__)


class DataError(ValueError):
    """Input that cannot be used. The message is one line that names file, column and remedy."""


def find_file(folder: Path, stem: str) -> Path | None:
    """`stem.parquet` or else `stem.csv` in the folder, or nothing."""
    for suffix in (".parquet", ".csv"):
        path = folder / f"{stem}{suffix}"
        if path.is_file():
            return path
    return None


def read_application(folder: Path, stem: str, extra: Sequence[Column] = ()) -> pl.DataFrame:
    """Applications of `stem` (`application_train`, `application_test`), with `extra` columns such as TARGET.

    Raises:
        DataError: no such folder or file, or a fault inside the file.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the one that holds {stem}.csv or {stem}.parquet")
    path = find_file(folder, stem)
    if path is None:
        raise DataError(f"{folder}: holds neither {stem}.csv nor {stem}.parquet; put the file there")
    frame = read_file(path, (*APPLICATION, *extra))
    if frame.is_empty():
        raise DataError(f"{path}: holds no row; give at least one application")
    duplicate = frame.filter(pl.col("SK_ID_CURR").is_duplicated())
    if not duplicate.is_empty():
        raise DataError(f"{path}: column SK_ID_CURR: client {duplicate['SK_ID_CURR'][0]} appears more than once")
    return frame


def read_histories(folder: Path) -> dict[str, pl.DataFrame]:
    """The six history tables by name; one without a file is empty, which is logged.

    Raises:
        DataError: a fault inside a file.
    """
    histories = {}
    for name in HISTORIES:
        path = find_file(folder, name)
        if path is None:
            log.warning("%s: no %s.csv or .parquet: taken as empty, no client has such a history", folder, name)
            histories[name] = TABLES[name].empty()
        else:
            histories[name] = read_file(path, TABLES[name])
    return histories


def read_client(folder: Path, stem: str, client: int) -> dict[str, pl.DataFrame]:
    """The seven tables of one client of `stem` (`application_train`, `application_test`), by table name.

    Raises:
        DataError: no such client, or a fault inside a file.
    """
    path = find_file(folder, stem)
    if path is None:
        raise DataError(f"{folder}: holds neither {stem}.csv nor {stem}.parquet; put the file there")
    tables = {"application": read_file(path, APPLICATION, pl.col("SK_ID_CURR") == client)}
    if tables["application"].is_empty():
        raise DataError(f"{path}: column SK_ID_CURR: there is no client {client}; name one that is there")
    for name in HISTORIES:
        path = find_file(folder, name)
        where = pl.col("SK_ID_CURR") == client
        if name == "bureau_balance":
            where = pl.col("SK_ID_BUREAU").is_in(tables["bureau"]["SK_ID_BUREAU"].to_list())
        tables[name] = read_file(path, TABLES[name], where) if path else TABLES[name].empty()
    return tables


def read_file(path: Path, columns: Sequence[Column] | Table, where: pl.Expr | None = None) -> pl.DataFrame:
    """One file as a frame of exactly `columns`, in their order and types; only the rows `where` an id says so.

    Raises:
        DataError: empty or unreadable file; missing, misspelt or repeated column; value of a wrong type.
    """
    columns = tuple(columns)
    try:
        where = pl.lit(True) if where is None else where
        if path.suffix == ".parquet":
            present = _check_header(path, list(pl.read_parquet_schema(path)), columns)
            frame = _read_parquet(path, present, where)
        else:
            header = _csv_header(path)
            present = _check_header(path, header, columns)
            frame = _read_csv(path, header, present, where)
    except (pl.exceptions.PolarsError, UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path}: cannot be read: {_first_line(error)}") from error
    absent = [pl.lit(None, dtype=column.dtype).alias(column.name) for column in columns if column not in present]
    return frame.with_columns(absent).select(column.name for column in columns)


def _csv_header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        line = file.readline().rstrip("\r\n")
    if not line:
        raise DataError(f"{path}: the file is empty; export it again with its header and rows")
    if "," not in line and (";" in line or "\t" in line):
        raise DataError(f"{path}: the separator is not a comma; export it again as comma-separated values")
    return [name.strip('"') for name in line.split(",")]


def _check_header(path: Path, header: list[str], columns: Sequence[Column]) -> list[Column]:
    """The declared columns that the file holds; raises unless every other one may be absent."""
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(f"{path}: column {repeated[0]} appears more than once; keep one of them")
    known = {column.name for column in columns}
    missing = [c.name for c in columns if c.name not in header and not c.optional_in_files]
    if missing:
        unknown = [name for name in header if name not in known]
        near = difflib.get_close_matches(missing[0], unknown, n=1, cutoff=0.75)
        remedy = f"rename column {near[0]!r} to it" if near else "add it (it may be empty)"
        others = f", nor {len(missing) - 1} others" if len(missing) > 1 else ""
        raise DataError(f"{path}: has no column {missing[0]}{others}; {remedy}")
    return [column for column in columns if column.name in header]


def _read_csv(path: Path, header: list[str], columns: list[Column], where: pl.Expr) -> pl.DataFrame:
    # Kaggle writes whole numbers with nulls as 1.0, so every number but the ids is read as a float first.
    read_as = {c.name: pl.Float64 if c.kind == "integer" else c.dtype for c in columns}
    names = [column.name for column in columns]
    schema = {name: read_as.get(name, pl.String) for name in header}
    try:
        frame = pl.scan_csv(path, schema=schema).filter(where).select(names).collect()
    except pl.exceptions.ComputeError:
        text = pl.scan_csv(path, schema=dict.fromkeys(header, pl.String), truncate_ragged_lines=True)
        _report_bad_number(path, text.select(names).collect(), columns)
        raise
    return _whole_numbers(path, frame, columns)


def _read_parquet(path: Path, columns: list[Column], where: pl.Expr) -> pl.DataFrame:
    frame = pl.scan_parquet(path).filter(where).select(column.name for column in columns).collect()
    for column in columns:
        found = frame.schema[column.name]
        if (column.kind == "category") != (found in (pl.String, pl.Categorical, pl.Enum)) and found != pl.Null:
            raise DataError(
                f"{path}: column {column.name} holds {found}, not {column.kind}; write it as {column.dtype}"
            )
    frame = frame.with_columns(
        pl.col(c.name).cast(pl.Float64 if c.kind == "integer" else c.dtype) for c in columns if c.kind != "id"
    )
    return _whole_numbers(path, frame, columns)


def _whole_numbers(path: Path, frame: pl.DataFrame, columns: list[Column]) -> pl.DataFrame:
    """NaN becomes null, and the declared integers become integers."""
    numbers = [column.name for column in columns if column.kind in ("integer", "number")]
    frame = frame.with_columns(pl.col(numbers).fill_nan(None))
    integers = [column.name for column in columns if column.kind == "integer"]
    broken = frame.select((pl.col(integers) != pl.col(integers).round()).any())
    for name in integers:
        if broken[name][0]:
            row = int((frame[name] != frame[name].round()).fill_null(False).arg_max() or 0)
            raise DataError(f"{path}: row {row + 2}, column {name}: {frame[name][row]} is not a whole number")
    return frame.with_columns(pl.col(integers).cast(pl.Int64))


def _report_bad_number(path: Path, text: pl.DataFrame, columns: list[Column]) -> None:
    for column in columns:
        if column.kind == "category":
            continue
        values = text[column.name]
        number = pl.Int64 if column.kind == "id" else pl.Float64
        bad = (values.cast(number, strict=False).is_null() & values.is_not_null()).arg_true()
        if len(bad):
            row = int(bad[0])
            raise DataError(
                f"{path}: row {row + 2}, column {column.name}: {values[row]!r} is not a number; correct or empty it"
            )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
