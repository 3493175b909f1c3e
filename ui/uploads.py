"""Uploaded credit files: one JSON file, or rows of the tables as CSV files."""

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from ui.client import HISTORIES, Column, CreditFile, Detail, NoAnswerError, Tables
from ui.numbers import NumberError, read_number
from ui.samples import APPLICATIONS, NULL_TEXTS

MAX_KEY_LENGTH = 50
"""Characters of a repeated key that the page shows."""


@dataclass(frozen=True)
class Upload:
    """One file as the browser sent it."""

    name: str
    content: bytes


def read_uploads(uploads: Sequence[Upload], tables: Tables, limit: int) -> dict[str, CreditFile]:
    """Return the credit files of an upload, by the number of the client as it is written.

    One JSON file holds one credit file; CSV files, named after their tables, hold those of one or more clients.

    Raises:
        NoAnswerError: a file has more than `limit` bytes or is not readable, or the files belong to no one client.
    """
    if sum(len(upload.content) for upload in uploads) > limit:
        raise NoAnswerError("file_too_large")
    jsons = [upload for upload in uploads if not upload.name.lower().endswith(".csv")]
    if jsons:
        if len(uploads) > 1:
            raise NoAnswerError("files_mixed")
        credit_file = read_credit_file(jsons[0].content, limit)
        return {str(credit_file["application"].get("SK_ID_CURR", "")): credit_file}
    rows = {}
    for upload in uploads:
        table = _table_of(upload.name)
        rows[table] = read_csv(upload, table, tables[table])
    if "application" not in rows:
        raise NoAnswerError("files_without_application")
    return {str(row.get("SK_ID_CURR", "")): _of_client(row, rows) for row in rows["application"]}


def read_credit_file(content: bytes, limit: int) -> CreditFile:
    """Read an uploaded credit file; the service validates its fields.

    Raises NoAnswerError for more than `limit` bytes, no JSON, a repeated key, no object, or no application.
    """
    if len(content) > limit:
        raise NoAnswerError("file_too_large")
    try:
        credit_file = json.loads(
            content, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_without_repetition
        )
    except (ValueError, RecursionError) as error:
        raise NoAnswerError("file_not_json") from error
    if not isinstance(credit_file, dict):
        raise NoAnswerError("file_not_object")
    if not isinstance(credit_file.get("application"), dict):
        raise NoAnswerError("file_without_application")
    return credit_file


def read_csv(upload: Upload, table: str, columns: Mapping[str, Column]) -> list[dict[str, Any]]:
    """Return the rows of a CSV file, with numbers as numbers and without empty cells.

    Raises:
        NoAnswerError: it is not UTF-8, has a column twice, rows of another length, or a text where a number belongs;
            `details` name the row and the column.
    """
    try:
        text = upload.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoAnswerError("file_not_csv") from error
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = next(lines, [])
    if not header or len(set(header)) < len(header):
        raise NoAnswerError("file_not_csv")
    rows = []
    for number, cells in enumerate(lines, start=2):
        if not any(cells):
            continue
        if len(cells) != len(header):
            raise NoAnswerError("file_not_csv", details=(Detail(f"{table}.{number}", "wrong_length", ""),))
        row = {}
        for name, cell in zip(header, cells, strict=True):
            if cell.strip() not in NULL_TEXTS:
                row[name] = _value(cell.strip(), columns.get(name), f"{table}.{number}.{name}")
        rows.append(row)
    return rows


def _value(cell: str, column: Column | None, place: str) -> Any:
    if column is None or column.kind == "category":
        return cell
    try:
        number = read_number("en", cell)
    except NumberError as error:
        raise NoAnswerError("file_not_csv", details=(Detail(place, "float_type", ""),)) from error
    return int(number) if number is not None and number.is_integer() else number


def _table_of(name: str) -> str:
    stem = name.rpartition(".")[0]
    if stem in APPLICATIONS:
        return "application"
    if stem in HISTORIES:
        return stem
    raise NoAnswerError("file_of_no_table", details=(Detail(name[:50], "unknown_table", ""),))


def _of_client(application: dict[str, Any], rows: Mapping[str, list[dict[str, Any]]]) -> CreditFile:
    """Return the credit file of one application; a row without SK_ID_CURR belongs to a single application."""
    number = application.get("SK_ID_CURR")
    content: CreditFile = {"application": application}
    for name in HISTORIES:
        if name == "bureau_balance":
            credits = {row.get("SK_ID_BUREAU") for row in content.get("bureau", ())}
            own = [row for row in rows.get(name, ()) if row.get("SK_ID_BUREAU") in credits]
        else:
            own = [row for row in rows.get(name, ()) if row.get("SK_ID_CURR", number) == number]
        if own:
            content[name] = own
    return content


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return value


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs; of two equal keys, Python would keep the last one."""
    content = dict(pairs)
    if len(content) < len(pairs):
        count = Counter(key for key, _ in pairs)
        repeated = tuple(Detail(key[:MAX_KEY_LENGTH], "repeated_key", "") for key in content if count[key] > 1)
        raise NoAnswerError("file_repeats_key", details=repeated)
    return content


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
