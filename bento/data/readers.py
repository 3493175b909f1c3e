"""Read the tables from CSV or Parquet files named as Kaggle names them; an error is one line with its remedy."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from bento.data.csv_lines import csv_lines
from bento.data.files import DataError, absence, check_is_folder, find_file, unpacked
from bento.data.header import csv_header, present_columns
from bento.data.tables import APPLICATION, HISTORIES, TABLES, Column, Table

ROW = "number of the row"
"""Column of a numbered scan: the number of each row in its file. The header of a CSV file is row 1."""
NULL_TEXTS = ("", "NaN", "nan", "NA", "N/A", "<NA>", "NULL", "null", "None")
"""What programs write into a column of text for a missing value; none is a category of a table."""
MAX_VALUE_LENGTH = 50
"""Characters of a value that an error repeats."""


def read_application(
    folder: Path, stem: str, extra: Sequence[Column] = (), names: Sequence[str] | None = None
) -> pl.DataFrame:
    """Read the applications of `stem` (`application_train`, `application_test`), with `extra` columns such as TARGET.

    Raises:
        DataError: there is no such folder or file, or the file is broken.
    """
    path = application_file(folder, stem)
    frame = read_file(path, (*APPLICATION, *extra), names)
    if frame.is_empty():
        raise DataError(f"{path}: holds no row; give at least one application")
    duplicate = frame.filter(pl.col("SK_ID_CURR").is_duplicated())
    if not duplicate.is_empty():
        raise DataError(f"{path}: column SK_ID_CURR: client {duplicate['SK_ID_CURR'][0]} appears more than once")
    return frame


def application_file(folder: Path, stem: str) -> Path:
    """Return the file of the applications of `stem`; raise DataError where the folder or the file is missing."""
    check_is_folder(folder)
    path = find_file(folder, stem)
    if path is None:
        raise DataError(absence(folder, stem))
    return path


def read_history(folder: Path, name: str, names: Sequence[str] | None = None) -> pl.DataFrame:
    """Read one history table, its columns `names` or all; it is empty if there is no file."""
    path = find_file(folder, name)
    return TABLES[name].empty() if path is None else read_file(path, TABLES[name], names)


def read_client(folder: Path, stem: str, client: int) -> dict[str, pl.DataFrame]:
    """Read the seven tables of one client of `stem` (`application_train`, `application_test`), by table name.

    Raises:
        DataError: there is no such client, or a file is broken.
    """
    path = application_file(folder, stem)
    of_client = pl.col("SK_ID_CURR") == client
    tables = {"application": read_file(path, APPLICATION, where=of_client)}
    if tables["application"].is_empty():
        raise DataError(f"{path}: column SK_ID_CURR: there is no client {client}; name one that is there")
    for name in HISTORIES:
        history = find_file(folder, name)
        where = of_client
        if name == "bureau_balance":
            where = pl.col("SK_ID_BUREAU").is_in(tables["bureau"]["SK_ID_BUREAU"].cast(pl.Float64).to_list())
        tables[name] = read_file(history, TABLES[name], where=where) if history else TABLES[name].empty()
    return tables


def read_file(
    path: Path, columns: Sequence[Column] | Table, names: Sequence[str] | None = None, where: pl.Expr | None = None
) -> pl.DataFrame:
    """Read a CSV or Parquet file as a frame of the declared `columns`, in their order and types.

    All but the optional ones must be in the file; those in `names`, by default all, are read, of the rows that meet
    `where`, a condition on ids.

    Raises:
        DataError: empty, cut or unreadable file; missing, misspelt or repeated column; row without an id; value of a
            wrong type.
    """
    wanted = [column for column in columns if names is None or column.name in names]
    ids = [column for column in columns if column.kind == "id"]
    needed = [*wanted, *(column for column in ids if column not in wanted)]
    with readable(path, columns):
        rows = scan_file(path, columns)
        if where is not None:
            rows = rows.filter(where | pl.any_horizontal(wrong_value(column) for column in ids))
        frame = rows.select(column.name for column in needed).collect()
        whole = [column for column in needed if column.kind in ("id", "integer")]
        wrong = frame.select(wrong_value(column).any().alias(column.name) for column in whole)
        for column in whole:
            if wrong[column.name][0]:
                raise DataError(wrong_value_fault(path, columns, column))
        integers = frame.with_columns(pl.col(column.name).cast(pl.Int64) for column in whole)
        return integers.select(column.name for column in wanted)


def scan_file(path: Path, columns: Sequence[Column] | Table, *, numbered: bool = False) -> pl.LazyFrame:
    """Scan one file as a lazy frame of the declared columns; ids and integers are still floats.

    Blank lines are left out. With `numbered`, the first column is `ROW`.

    Raises:
        DataError: empty or cut file; row with more or fewer fields than columns; missing, misspelt or repeated column;
            column of a wrong type.
    """
    columns = tuple(columns)
    with readable(path):
        file = unpacked(path)
        if file.suffix == ".parquet":
            # Without `glob=False` a folder named "data [1]" would be a pattern.
            rows = pl.scan_parquet(file, glob=False, row_index_name=ROW if numbered else None, row_index_offset=1)
            schema = rows.collect_schema()
            present = present_columns(path, [name for name in schema if name != ROW], columns)
            _check_types(path, schema, present)
        else:
            rows, present = _scan_csv(path, columns, numbered=numbered)
    names = [*([ROW] if numbered else []), *(column.name for column in columns)]
    return as_declared(rows, present, columns).select(names)


def as_declared(rows: pl.LazyFrame, present: Sequence[Column], columns: Sequence[Column]) -> pl.LazyFrame:
    """Return rows with numbers as floats, text without blanks around it, and null for what is missing.

    The columns that are not `present` are added, all null.
    """
    numbers = [column.name for column in present if column.kind != "category"]
    categories = [column.name for column in present if column.kind == "category"]
    text = pl.col(categories).cast(pl.String).str.strip_chars()
    absent = [pl.lit(None, dtype=_read_as(column)).alias(column.name) for column in columns if column not in present]
    return rows.with_columns(
        pl.col(numbers).cast(pl.Float64).fill_nan(None), pl.when(~text.is_in(NULL_TEXTS)).then(text), *absent
    )


def file_columns(path: Path) -> list[str]:
    """Return the names of all columns of a file, in its order."""
    with readable(path):
        file = unpacked(path)
        if file.suffix == ".parquet":
            return list(pl.scan_parquet(file, glob=False).collect_schema())
        return csv_header(path)


def count_rows(path: Path) -> int:
    """Count the rows of a file, without blank lines."""
    with readable(path):
        file = unpacked(path)
        if file.suffix == ".parquet":
            return int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())
        return csv_lines(path, len(csv_header(path))).rows


def wrong_value(column: Column) -> pl.Expr:
    """Return the condition under which a value, read as a float, cannot be one of an id or integer column."""
    value = pl.col(column.name)
    if column.kind == "id":  # a float holds the id exactly up to the maximum
        return value.is_null() | (value != value.round()) | (value > column.maximum)
    return value != value.round()


@contextlib.contextmanager
def readable(path: Path, columns: Sequence[Column] | Table = ()) -> Iterator[None]:
    """Turn the errors of reading a file into a DataError: one line with file and, where known, row and column."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(_not_utf8(path) or f"{path}: the first line is too long for a header") from error
    except OSError as error:
        reason = error.strerror or str(error).partition("\n")[0]
        raise DataError(f"{path}: cannot be read: {reason}; check the file and its permissions") from error
    except pl.exceptions.PolarsError as error:
        is_csv = columns and unpacked(path).suffix == ".csv"
        fault = (_not_utf8(path) or _bad_number(path, columns)) if is_csv else None
        # Polars puts the value between backquotes, and a part of its row with it.
        message = re.sub(r"`.*", "a value", str(error).strip().partition("\n")[0])
        raise DataError(fault or f"{path}: cannot be read: {message}") from error


def _not_utf8(path: Path) -> str | None:
    """Return an error with the first line of a file that is not UTF-8, or None."""

    def is_utf8(line: bytes) -> bool:
        with contextlib.suppress(UnicodeDecodeError):
            line.decode()
            return True
        return False

    with unpacked(path).open("rb") as file:
        number = next((number for number, line in enumerate(file, start=1) if not is_utf8(line)), None)
    if number is None:
        return None
    return f"{path}: line {number} holds characters that are not UTF-8; save the file again with that encoding"


def _read_as(column: Column) -> type[pl.DataType]:
    # Programs write whole numbers with nulls as 1.0, ids too: every number is read as a float first.
    return pl.String if column.kind == "category" else pl.Float64


def _check_types(path: Path, schema: Mapping[str, pl.DataType], columns: list[Column]) -> None:
    for column in columns:
        dtype = schema[column.name]
        fits = dtype.is_numeric()
        if column.kind == "category":
            fits = dtype.is_(pl.String) or isinstance(dtype, pl.Categorical | pl.Enum)
        if not fits and dtype != pl.Null:
            raise DataError(
                f"{path}: column {column.name} holds {dtype}, not {column.kind}; write it as {column.dtype.__name__}"
            )


def _scan_csv(path: Path, columns: Sequence[Column], *, numbered: bool) -> tuple[pl.LazyFrame, list[Column]]:
    """Scan a CSV file without its blank lines, and return the declared columns that it holds."""
    header = csv_header(path)
    present = present_columns(path, header, columns)
    blank = csv_lines(path, len(header)).blank
    rows = _scan_as(
        path, header, {column.name: _read_as(column) for column in present}, numbered=numbered or bool(blank)
    )
    return rows.filter(~pl.col(ROW).is_in(blank)) if blank else rows, present


def _scan_as(
    path: Path, header: Sequence[str], types: Mapping[str, type[pl.DataType]], *, numbered: bool
) -> pl.LazyFrame:
    schema = {name: types.get(name, pl.String) for name in header}
    index = ROW if numbered else None
    return pl.scan_csv(unpacked(path), schema=schema, glob=False, row_index_name=index, row_index_offset=2)


def wrong_value_fault(path: Path, columns: Sequence[Column] | Table, column: Column) -> str:
    """Return an error with row and value of the first `wrong_value` of a column, which the file must hold."""
    wrong = scan_file(path, columns, numbered=True).filter(wrong_value(column)).select(ROW, column.name)
    row, value = wrong.head(1).collect().row(0)
    if value is None:
        return f"{path}: row {row}, column {column.name}: there is no id; write it, or delete the row"
    what = "is above any id" if value == round(value) else "is not a whole number"
    return f"{path}: row {row}, column {column.name}: {value:.16g} {what}; correct it"


def _bad_number(path: Path, columns: Sequence[Column] | Table) -> str | None:
    """Return an error with row, column and value of the first text in a column of numbers, or None."""
    header = csv_header(path)
    text = _scan_as(path, header, {}, numbered=True)
    for column in columns:
        if column.kind == "category" or column.name not in header:
            continue
        value = pl.col(column.name)
        number = value.str.strip_chars_start(" \t").cast(pl.Float64, strict=False)  # as the parser of numbers does
        bad = text.filter(number.is_null() & value.is_not_null() & (value != ""))
        first = bad.select(ROW, value).head(1).collect()
        if len(first):
            row, written = first.row(0)
            remedy = "correct it" if column.kind == "id" else "correct it, or leave it empty where it is not known"
            return f"{path}: row {row}, column {column.name}: {written[:MAX_VALUE_LENGTH]!r} is not a number; {remedy}"
    return None
