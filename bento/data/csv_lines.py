"""Check the lines of a CSV file: every row has as many fields as the header, and every quote is closed.

Polars silently pads a short row with nulls. This pass over the bytes takes a seventh of the time of its parsing.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bento.data.files import DataError, unpacked

BLOCK_BYTES = 8 << 20
"""Bytes of a file that are inspected together: memory is about ten times as much, for a file of any size."""
MAX_ROW_BYTES = 100_000
"""Bytes of one row: thirty times the longest row of the tables. A longer one is a quote that is not closed."""
_COMMA, _QUOTE, _LINE_FEED, _CARRIAGE_RETURN = b',"\n\r'
_BYTE_ORDER_MARK = codecs.BOM_UTF8


@dataclass(frozen=True)
class CsvLines:
    """The size of a sound CSV file."""

    rows: int
    """Rows below the header, without blank lines."""
    blank: tuple[int, ...]
    """Row numbers of the blank lines."""


def csv_lines(path: Path, fields: int) -> CsvLines:
    """Count the rows of a CSV file of `fields` columns; the result is kept until the file changes.

    Rows are numbered as a spreadsheet shows them: the header is row 1, a blank line is a row, and a row that holds line
    breaks between quotes is one.

    Raises:
        DataError: a row of more or fewer fields; a quote inside a field, or never closed.
    """
    state = unpacked(path).stat()
    return _csv_lines(path, fields, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _csv_lines(path: Path, fields: int, _modified: int, _size: int) -> CsvLines:
    rows, blank = 0, list[int]()
    for block, ends, counts, misplaced in _blocks(path):
        if not len(ends):
            raise DataError(f"{path}: row {rows + 1}: {_endless(block)}")
        faults = []
        if misplaced is not None:
            faults.append((rows + 1 + misplaced, "a quote stands inside a field; double it, or delete it"))
        for index in np.flatnonzero(counts != fields).tolist():
            row = rows + 1 + index
            if block[ends[index - 1] + 1 if index else 0 : ends[index]].strip():
                faults.append((row, f"{counts[index]} fields instead of {fields}; copy or export the file again"))
                break
            blank.append(row)
        if faults:
            raise DataError("{}: row {}: {}".format(path, *min(faults, key=lambda fault: fault[0])))
        rows += len(ends)
    return CsvLines(rows - 1 - len(blank), tuple(blank))


_Positions = NDArray[np.intp]


def _blocks(path: Path) -> Iterator[tuple[bytes, _Positions, _Positions, int | None]]:
    """Yield blocks that begin with a row: bytes, ends of the rows, their numbers of fields, row of a misplaced quote.

    A block without ends is a row that is not closed, or too long.
    """
    rest = b""
    with unpacked(path).open("rb") as file:
        if file.read(len(_BYTE_ORDER_MARK)) != _BYTE_ORDER_MARK:
            file.seek(0)
        while chunk := file.read(BLOCK_BYTES):
            block = rest + chunk
            ends, counts, misplaced = _rows(block)
            if len(ends):
                yield block, ends, counts, misplaced
            rest = block[ends[-1] + 1 :] if len(ends) else block
            if len(rest) > MAX_ROW_BYTES:
                yield rest, ends[:0], counts[:0], None
    if rest:
        block = rest + b"\n"
        yield block, *_rows(block)


def _rows(block: bytes) -> tuple[_Positions, _Positions, int | None]:
    """Return the ends of the rows of a block, their numbers of fields, and the index of the first misquoted row."""
    values = np.frombuffer(block, np.uint8)
    is_end, is_comma = values == _LINE_FEED, values == _COMMA
    is_quote = values == _QUOTE if b'"' in block else None
    if is_quote is not None:
        # An odd number of quotes up to a byte: it is inside a quoted field. Doubled quotes change nothing.
        outside = (np.cumsum(is_quote, dtype=np.uint8) & 1) == 0
        is_end &= outside
        is_comma &= outside
    ends = np.flatnonzero(is_end)
    counts = np.diff(np.searchsorted(np.flatnonzero(is_comma), ends), prepend=0) + 1
    if is_quote is None or not len(ends):
        return ends, counts, None
    quotes = np.flatnonzero(is_quote[: ends[-1]])
    opening, closing = quotes[::2], quotes[1::2]
    before = np.where(opening > 0, values[opening - 1], _LINE_FEED)
    misplaced = [
        opening[~np.isin(before, (_COMMA, _LINE_FEED, _QUOTE))],
        closing[~np.isin(values[closing + 1], (_COMMA, _LINE_FEED, _CARRIAGE_RETURN, _QUOTE))],
    ]
    first = min((int(positions[0]) for positions in misplaced if len(positions)), default=None)
    return ends, counts, None if first is None else int(np.searchsorted(ends, first))


def _endless(block: bytes) -> str:
    if b'"' in block:
        return "a quote is opened and not closed; close it, or delete it"
    return f"longer than {MAX_ROW_BYTES:,} bytes; end each row with LF or CRLF"
