"""Clients of a folder of Parquet or CSV files, searched without loading the files whole."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset as ds

from ui.client import HISTORIES, Column, CreditFile, Tables

APPLICATIONS = ("application", "application_test", "application_train")
"""Names of the file of the applications, the first that is there."""
SUFFIXES = (".parquet", ".csv")
MAX_LISTED = 50
"""Clients that a search lists; more are no help to find one."""
NULL_TEXTS = ["", "NaN", "nan", "NA", "N/A", "<NA>", "NULL", "null", "None"]
LISTED = ("SK_ID_CURR", "NAME_CONTRACT_TYPE", "AMT_CREDIT", "AMT_INCOME_TOTAL", "NAME_INCOME_TYPE", "DAYS_BIRTH")
"""Columns of the list of clients."""

Fault = Literal["sample_unreadable", "sample_without_client"]


class SampleError(Exception):
    """The folder cannot be searched; `kind` is the fault, for which `messages` has a text."""

    def __init__(self, kind: Fault) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What the listed clients have in common; None where it does not matter."""

    number: str = ""
    """How the client's number begins."""
    income_type: str | None = None
    contract_type: str | None = None
    min_credit: float | None = None
    max_credit: float | None = None


class Sample:
    """The clients of one folder."""

    def __init__(self, folder: Path, tables: Tables) -> None:
        self.folder, self.tables = folder, tables

    def version(self) -> tuple[tuple[str, int], ...]:
        """Return the files and when each was written last; another version holds other clients.

        Raises:
            SampleError: the folder cannot be read.
        """
        try:
            files = [path for path in map(self._file, (*APPLICATIONS, *HISTORIES)) if path is not None]
            return tuple((str(path), path.stat().st_mtime_ns) for path in files)
        except OSError as error:
            raise SampleError("sample_unreadable") from error

    def search(self, filters: Filters) -> list[dict[str, Any]]:
        """Return the clients that meet the filters, lowest numbers first, at most `MAX_LISTED`.

        Raises:
            SampleError: there are no applications, or a file is broken.
        """
        try:
            applications = self._dataset(self._applications(), "application")
            columns = [name for name in LISTED if name in applications.schema.names]
            rows = applications.to_table(columns=columns, filter=_condition(filters))
            ordered = rows.sort_by("SK_ID_CURR").slice(0, MAX_LISTED)
            return [_plain(row) for row in ordered.to_pylist()]
        except (OSError, pa.ArrowException) as error:
            raise SampleError("sample_unreadable") from error

    def credit_file(self, client: int) -> CreditFile:
        """Return the credit file of a client, without nulls and empty histories.

        Raises:
            SampleError: there is no such client, or a file is broken.
        """
        is_client = pc.field("SK_ID_CURR") == client
        try:
            applications = self._rows(self._applications(), "application", is_client)
            if not applications:
                raise SampleError("sample_without_client")
            content: CreditFile = {"application": applications[0]}
            for name in HISTORIES:
                path = self._file(name)
                if path is None:
                    continue
                where = is_client
                if name == "bureau_balance":
                    credits = [row["SK_ID_BUREAU"] for row in content.get("bureau", ()) if "SK_ID_BUREAU" in row]
                    where = pc.field("SK_ID_BUREAU").isin(pa.array(credits, pa.int64()))
                if rows := self._rows(path, name, where):
                    content[name] = rows
        except (OSError, pa.ArrowException) as error:
            raise SampleError("sample_unreadable") from error
        return content

    def _rows(self, path: Path, table: str, where: Any) -> list[dict[str, Any]]:
        dataset = self._dataset(path, table)
        columns = [name for name in self.tables[table] if name in dataset.schema.names]
        return [_plain(row) for row in dataset.to_table(columns=columns, filter=where).to_pylist()]

    def _dataset(self, path: Path, table: str) -> Any:
        if path.suffix == ".parquet":
            return ds.dataset(path, format="parquet")
        types = {name: _type(name, column) for name, column in self.tables[table].items()}
        options = pyarrow.csv.ConvertOptions(column_types=types, null_values=NULL_TEXTS, strings_can_be_null=True)
        return ds.dataset(path, format=ds.CsvFileFormat(convert_options=options))

    def _applications(self) -> Path:
        path = next((path for path in map(self._file, APPLICATIONS) if path is not None), None)
        if path is None:
            raise SampleError("sample_unreadable")
        return path

    def _file(self, stem: str) -> Path | None:
        paths = (self.folder / f"{stem}{suffix}" for suffix in SUFFIXES)
        return next((path for path in paths if path.is_file()), None)


def _type(name: str, column: Column) -> pa.DataType:
    """Return the type in which a CSV column is read; a whole number with gaps may be written as 3.0."""
    if name.startswith("SK_ID_"):
        return pa.int64()
    return pa.string() if column.kind == "category" else pa.float64()


def _condition(filters: Filters) -> Any:
    number = pc.field("SK_ID_CURR")
    conditions = []
    if filters.number:
        conditions.append(pc.starts_with(number.cast(pa.string()), filters.number))
    for name, wanted in (("NAME_INCOME_TYPE", filters.income_type), ("NAME_CONTRACT_TYPE", filters.contract_type)):
        if wanted is not None:
            conditions.append(pc.field(name) == wanted)
    if filters.min_credit is not None:
        conditions.append(pc.field("AMT_CREDIT") >= filters.min_credit)
    if filters.max_credit is not None:
        conditions.append(pc.field("AMT_CREDIT") <= filters.max_credit)
    condition = None
    for one in conditions:
        condition = one if condition is None else condition & one
    return condition


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON holds it: without nulls, and whole numbers as such."""
    values = {name: value for name, value in row.items() if value is not None and value == value}  # noqa: PLR0124 - NaN
    return {
        name: int(value) if isinstance(value, float) and math.isfinite(value) and value.is_integer() else value
        for name, value in values.items()
    }
