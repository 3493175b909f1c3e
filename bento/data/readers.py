"""Read the tables from CSV or Parquet files named as Kaggle names them; an error is one line with its remedy."""

import contextlib
import csv
import difflib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from bento.data.tables import APPLICATION, HISTORIES, TABLES, Column, Table

log = logging.getLogger(__name__)

MAX_ROW_BYTES = 65_536
"""Bytes read from the end of a CSV file to find its last row."""
_NOT_UTF8 = "holds characters that are not UTF-8; save it again with that encoding"


class DataError(ValueError):
    """Input that cannot be used; the message is one line with file, column and remedy."""


def find_file(folder: Path, stem: str) -> Path | None:
    """Return `stem.parquet`, else `stem.csv` in the folder, or None."""
    paths = (folder / f"{stem}{suffix}" for suffix in (".parquet", ".csv"))
    return next((path for path in paths if path.is_file()), None)


def read_application(
    folder: Path, stem: str, extra: Sequence[Column] = (), names: Sequence[str] | None = None
) -> pl.DataFrame:
    """Read the applications of `stem` (`application_train`, `application_test`), with `extra` columns such as TARGET.

    Raises:
        DataError: there is no such folder or file, or the file is broken.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the one that holds {stem}.csv or {stem}.parquet")
    path = find_file(folder, stem)
    if path is None:
        raise DataError(f"{folder}: holds neither {stem}.csv nor {stem}.parquet; put the file there")
    frame = read_file(path, (*APPLICATION, *extra), names)
    if frame.is_empty():
        raise DataError(f"{path}: holds no row; give at least one application")
    duplicate = frame.filter(pl.col("SK_ID_CURR").is_duplicated())
    if not duplicate.is_empty():
        raise DataError(f"{path}: column SK_ID_CURR: client {duplicate['SK_ID_CURR'][0]} appears more than once")
    return frame


def read_history(folder: Path, name: str, names: Sequence[str] | None = None) -> pl.DataFrame:
    """Read one history table, its columns `names` or all; it is empty if there is no file, which is logged."""
    path = find_file(folder, name)
    if path is None:
        log.warning("%s: no %s.csv or .parquet: taken as empty, no client has such a history", folder, name)
        return TABLES[name].empty()
    return read_file(path, TABLES[name], names)


def read_client(folder: Path, stem: str, client: int) -> dict[str, pl.DataFrame]:
    """Read the seven tables of one client of `stem` (`application_train`, `application_test`), by table name.

    Raises:
        DataError: there is no such client, or a file is broken.
    """
    path = find_file(folder, stem)
    if path is None:
        raise DataError(f"{folder}: holds neither {stem}.csv nor {stem}.parquet; put the file there")
    tables = {"application": read_file(path, APPLICATION, where=pl.col("SK_ID_CURR") == client)}
    if tables["application"].is_empty():
        raise DataError(f"{path}: column SK_ID_CURR: there is no client {client}; name one that is there")
    for name in HISTORIES:
        path = find_file(folder, name)
        where = pl.col("SK_ID_CURR") == client
        if name == "bureau_balance":
            where = pl.col("SK_ID_BUREAU").is_in(tables["bureau"]["SK_ID_BUREAU"].to_list())
        tables[name] = read_file(path, TABLES[name], where=where) if path else TABLES[name].empty()
    return tables


def read_file(
    path: Path, columns: Sequence[Column] | Table, names: Sequence[str] | None = None, where: pl.Expr | None = None
) -> pl.DataFrame:
    """Read a CSV or Parquet file as a frame of the declared `columns`, in their order and types.

    All but the optional ones must be in the file; those in `names`, by default all, are read, of the rows that meet
    `where`, a condition on ids.

    Raises:
        DataError: empty, cut or unreadable file; missing, misspelt or repeated column; value of a wrong type.
    """
    wanted = [column for column in columns if names is None or column.name in names]
    with readable(path, columns):
        rows = scan_file(path, columns).filter(is_row(columns), pl.lit(True) if where is None else where)
        frame = rows.select(column.name for column in wanted).collect()
        return _whole_numbers(path, frame, wanted)


def scan_file(path: Path, columns: Sequence[Column] | Table) -> pl.LazyFrame:
    """Scan one file as a lazy frame of the declared columns; integers are still floats.

    Raises:
        DataError: empty or cut file; missing, misspelt or repeated column; column of a wrong type.
    """
    columns = tuple(columns)
    with readable(path):
        if path.suffix == ".parquet":
            schema = pl.scan_parquet(path, glob=False).collect_schema()
            present = _check_header(path, list(schema), columns)
            _check_types(path, schema, present)
            rows = pl.scan_parquet(path, glob=False)
        else:
            header = _csv_header(path)
            present = _check_header(path, header, columns)
            rows = _scan_csv(path, header, present)
    numbers = [column.name for column in present if column.kind in ("integer", "number")]
    categories = [column.name for column in present if column.kind == "category"]
    absent = [pl.lit(None, dtype=_read_as(column)).alias(column.name) for column in columns if column not in present]
    return rows.with_columns(
        pl.col(numbers).cast(pl.Float64).fill_nan(None), pl.col(categories).cast(pl.String), *absent
    ).select(column.name for column in columns)


def is_row(columns: Sequence[Column] | Table) -> pl.Expr:
    """Whether a line is a row: a blank line has no id."""
    return pl.any_horizontal(pl.col(column.name).is_not_null() for column in columns if column.kind == "id")


@contextlib.contextmanager
def readable(path: Path, columns: Sequence[Column] | Table = ()) -> Iterator[None]:
    """Turn the errors of reading a file into a DataError: one line with file and, where known, row and column."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: {_NOT_UTF8}") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        message = str(error).strip().splitlines()[0]
        if "utf-8" in message.lower():
            raise DataError(f"{path}: {_NOT_UTF8}") from error
        bad_number = _bad_number(path, columns) if path.suffix == ".csv" else None
        raise DataError(f"{path}: {bad_number or f'cannot be read: {message}'}") from error


def _read_as(column: Column) -> type[pl.DataType]:
    # Kaggle writes whole numbers with nulls as 1.0, so every number but the ids is read as a float first.
    return pl.Float64 if column.kind == "integer" else column.dtype


def _csv_header(path: Path) -> list[str]:
    with path.open("rb") as file:
        first = file.readline()
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - MAX_ROW_BYTES))
        last = file.read()
    line = first.decode("utf-8-sig").rstrip("\r\n")
    if not line:
        raise DataError(f"{path}: the file is empty; export it again with its header and rows")
    if "," not in line and (";" in line or "\t" in line):
        raise DataError(f"{path}: the separator is not a comma; export it again as comma-separated values")
    header = next(csv.reader([line]))
    if last and not last.endswith(b"\n"):
        fields = next(csv.reader([last.rpartition(b"\n")[2].decode(errors="replace")]))
        if len(fields) < len(header):
            raise DataError(f"{path}: the last row is cut after {len(fields)} of {len(header)} columns; copy it again")
    return header


def _check_header(path: Path, header: list[str], columns: Sequence[Column]) -> list[Column]:
    """Return the declared columns in the file's header; raise unless all others are optional."""
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(f"{path}: column {repeated[0]} appears more than once; keep one of them")
    missing = [c.name for c in columns if c.name not in header and not c.optional_in_files]
    if missing:
        declared = {column.name for column in columns}
        unknown = [name for name in header if name not in declared]
        near = difflib.get_close_matches(missing[0], unknown, n=1, cutoff=0.75)
        remedy = f"rename column {near[0]!r} to it" if near else "add it (it may be empty)"
        others = f", nor {len(missing) - 1} others" if len(missing) > 1 else ""
        raise DataError(f"{path}: has no column {missing[0]}{others}; {remedy}")
    return [column for column in columns if column.name in header]


def _check_types(path: Path, schema: Mapping[str, pl.DataType], columns: list[Column]) -> None:
    for column in columns:
        dtype = schema[column.name]
        fits = dtype.is_(pl.String) or isinstance(dtype, pl.Categorical | pl.Enum)
        if column.kind != "category":
            fits = dtype.is_integer() if column.kind == "id" else dtype.is_numeric()
        if not fits and dtype != pl.Null:
            raise DataError(
                f"{path}: column {column.name} holds {dtype}, not {column.kind}; write it as {column.dtype.__name__}"
            )


def _scan_csv(path: Path, header: list[str], columns: list[Column]) -> pl.LazyFrame:
    read_as = {column.name: _read_as(column) for column in columns}
    schema = {name: read_as.get(name, pl.String) for name in header}
    return pl.scan_csv(path, schema=schema, glob=False)  # a folder may be named `data [2026]`


def _whole_numbers(path: Path, frame: pl.DataFrame, columns: list[Column]) -> pl.DataFrame:
    """Cast the declared integers, read as floats, to integers; raise if one is not whole."""
    integers = [column.name for column in columns if column.kind == "integer"]
    broken = frame.select((pl.col(integers) != pl.col(integers).round()).any())
    for name in integers:
        if broken[name][0]:
            row = int((frame[name] != frame[name].round()).fill_null(False).arg_max() or 0)
            raise DataError(f"{path}: row {row + 2}, column {name}: {frame[name][row]} is not a whole number")
    return frame.with_columns(pl.col(integers).cast(pl.Int64))


def _bad_number(path: Path, columns: Sequence[Column] | Table) -> str | None:
    """Return row, column and value of the first text in a column of numbers, or None."""
    header = _csv_header(path)
    text = pl.scan_csv(path, schema=dict.fromkeys(header, pl.String), truncate_ragged_lines=True, glob=False)
    for column in columns:
        if column.kind == "category" or column.name not in header:
            continue
        values = text.select(column.name).collect()[column.name]
        number = pl.Int64 if column.kind == "id" else pl.Float64
        bad = (values.cast(number, strict=False).is_null() & values.is_not_null()).arg_true()
        if len(bad):
            where = f"row {int(bad[0]) + 2}, column {column.name}"
            return f"{where}: {values[int(bad[0])]!r} is not a number; correct or empty it"
    return None
