"""Read the header of a table's CSV file, and compare a header with the declared columns."""

import csv
import difflib
from collections.abc import Sequence
from pathlib import Path

from bento.data.csv_lines import MAX_ROW_BYTES
from bento.data.files import DataError, unpacked
from bento.data.tables import Column

MAX_LINES_ABOVE_HEADER = 20
"""Lines in which a header is looked for where the first is none."""


def csv_header(path: Path) -> list[str]:
    """Return the names in the first line of a CSV file.

    Raises:
        DataError: the file is empty, separated otherwise than by commas, or its lines end with CR alone.
    """
    line, *others = _first_lines(path)
    if not line.strip():
        blank = "the first line is blank; delete it, so that the column names come first"
        empty = "the file is empty; export it again with its header and rows"
        raise DataError(f"{path}: {blank if any(others) else empty}")
    if "\r" in line:
        raise DataError(f"{path}: the lines end with CR alone; save it again with line ends of LF or CRLF")
    if "," not in line and (";" in line or "\t" in line):
        raise DataError(f"{path}: the separator is not a comma; export it again as comma-separated values")
    return next(csv.reader([line]))


def present_columns(path: Path, header: Sequence[str], columns: Sequence[Column]) -> list[Column]:
    """Return the declared columns in the header.

    Raises:
        DataError: one that is not optional is missing or misspelt, or there is no header; or a name is repeated.
    """
    has_names = any(column.name in header for column in columns)
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated and has_names:  # values of a row without a header may be equal
        name = f"column {repeated[0]}" if repeated[0] else "a column without a name"
        raise DataError(f"{path}: {name} appears more than once; keep one of them")
    missing = [column for column in columns if column.name not in header and not column.optional_in_files]
    if missing:
        reason = _header_fault(path, header, columns) or _missing(missing, header, columns)
        raise DataError(f"{path}: {reason}")
    return [column for column in columns if column.name in header]


def _header_fault(path: Path, header: Sequence[str], columns: Sequence[Column]) -> str | None:
    """Return what is wrong with a header that holds none of the declared names as they are written, or None."""
    names = {column.name for column in columns}
    if not names.isdisjoint(header):
        return None
    for name in header:
        if name.strip().upper() in names:
            return f"column {name!r} is written otherwise than {name.strip().upper()}, as are all; rename them"
    lines = [] if unpacked(path).suffix == ".parquet" else _first_lines(path)[1:]
    for number, line in enumerate(lines, start=2):
        if not names.isdisjoint(next(csv.reader([line]), [])):
            return f"the column names are in line {number}; delete the lines above it"
    return f"the first line holds no column name, such as {columns[0].name}; write the header there"


def _missing(missing: Sequence[Column], header: Sequence[str], columns: Sequence[Column]) -> str:
    first = missing[0]
    undeclared = {name.strip().upper(): name for name in header if name not in {column.name for column in columns}}
    near = difflib.get_close_matches(first.name, undeclared, n=1, cutoff=0.75)
    empty = "" if first.required or first.kind == "id" else " (it may be empty)"
    remedy = f"rename column {undeclared[near[0]]!r} to it" if near else f"add it{empty}"
    others = f", nor {len(missing) - 1} others" if len(missing) > 1 else ""
    return f"has no column {first.name}{others}; {remedy}"


def _first_lines(path: Path) -> list[str]:
    with unpacked(path).open("rb") as file:
        lines = file.read(MAX_ROW_BYTES).split(b"\n", MAX_LINES_ABOVE_HEADER)
    first, *others = lines
    text = [line.decode(errors="replace") for line in others]
    return [line.rstrip("\r") for line in (first.decode("utf-8-sig"), *text)]
