"""The files of a portfolio's tables: one file each, or a folder of parts, as programs on many machines write them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from bento.data.files import DataError, absence, check_is_folder, find_file, fingerprint, misnamed_file
from bento.data.readers import readable, scan_file, wrong_value, wrong_value_fault
from bento.data.tables import APPLICATION, HISTORIES, TABLES

APPLICATION_STEMS = ("application_train", "application_test", "application")
"""Names of the files of applications, without suffix; all that are there are scored."""
SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class Inputs:
    """The files of each table in a folder; a history may have none."""

    folder: Path
    files: Mapping[str, Sequence[Path]]
    notes: tuple[str, ...]
    """Lines on histories that are not there."""

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the names and contents of the files, unpacked."""
        return fingerprint(path for name in TABLES for path in self.files[name])

    def scans(self, table: str, names: Sequence[str]) -> list[tuple[Path, pl.LazyFrame]]:
        """Return each file of a table with a scan of its columns `names`; ids and integers are still floats.

        Raises:
            DataError: a file is empty, cut, or lacks a column.
        """
        return [(path, scan_file(path, TABLES[table]).select(names)) for path in self.files[table]]

    def check_ids(self, table: str, path: Path, rows: pl.DataFrame) -> None:
        """Raise DataError where a row of a file has no id, or one that is no whole number."""
        ids = [column for column in TABLES[table] if column.kind == "id" and column.name in rows.columns]
        wrong = rows.select(wrong_value(column).any().alias(column.name) for column in ids)
        for column in ids:
            if wrong[column.name][0]:
                raise DataError(wrong_value_fault(path, TABLES[table], column))

    def clients(self) -> pl.Series:
        """Return SK_ID_CURR of all applications, sorted.

        Raises:
            DataError: a file cannot be read; there is no application; a row has no id, or a client two rows.
        """
        ids = self._unique(APPLICATION.name, ["SK_ID_CURR"])["SK_ID_CURR"]
        if ids.is_empty():
            raise DataError(f"{self.folder}: the applications hold no row; give at least one")
        return ids

    def owners(self) -> pl.DataFrame:
        """Return SK_ID_BUREAU and SK_ID_CURR of all credits at other lenders, sorted; errors as in `clients`."""
        return self._unique("bureau", ["SK_ID_BUREAU", "SK_ID_CURR"])

    def _unique(self, table: str, names: Sequence[str]) -> pl.DataFrame:
        """Return ids of all rows of a table as integers, sorted by the first of them, which no two rows share."""
        key, *_ = names
        frames = []
        for number, (path, scan) in enumerate(self.scans(table, names)):
            with readable(path, TABLES[table]):
                ids = scan.collect(engine="streaming")
            self.check_ids(table, path, ids)
            frames.append(ids.select(pl.col(names).cast(pl.Int64), file=pl.lit(number, pl.Int32)))
        rows = pl.concat(frames).sort(key) if frames else pl.DataFrame(schema=dict.fromkeys((*names, "file"), pl.Int64))
        repeated = rows.filter(pl.col(key).is_duplicated()).head(2)
        if len(repeated):
            places = " and ".join(dict.fromkeys(str(self.files[table][number]) for number in repeated["file"]))
            raise DataError(f"{places}: column {key}: {repeated[key][0]} appears more than once; keep one row of it")
        return rows.drop("file")


def find_inputs(folder: Path) -> Inputs:
    """Find the files of each table in a folder.

    A table is `bureau.parquet` or `bureau.csv`, also compressed (`bento.data.files.find_file`), or a folder `bureau`,
    `bureau.parquet` or `bureau.csv` whose files all have one of these suffixes; files of a folder whose names begin
    with `_` or `.` are left out, as the programs that write parts expect.

    Raises:
        DataError: there is no such folder, no application, two files or folders for one table, or a misnamed file.
    """
    check_is_folder(folder)
    files = {name: _files(folder, name) for name in HISTORIES}
    applications = [path for stem in APPLICATION_STEMS for path in _files(folder, stem)]
    if not applications:
        raise DataError(absence(folder, APPLICATION_STEMS[0]))
    notes = []
    for name in HISTORIES:
        if not files[name]:
            if misnamed_file(folder, name) is not None:
                raise DataError(absence(folder, name))
            notes.append(f"{absence(folder, name)}, otherwise no client has such a history")
    return Inputs(folder, {APPLICATION.name: applications, **files}, tuple(notes))


def _files(folder: Path, stem: str) -> list[Path]:
    parts = [path for suffix in ("", *SUFFIXES) if (path := folder / f"{stem}{suffix}").is_dir()]
    file = find_file(folder, stem)
    places = [*parts, *([file] if file else [])]
    if len(places) > 1:
        raise DataError(f"{folder}: {places[0].name} and {places[1].name} both hold the table {stem}; keep one of them")
    return _parts(parts[0]) if parts else [file] if file else []


def _parts(folder: Path) -> list[Path]:
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(("_", ".")))
    other = next((path for path in paths if path.suffix not in SUFFIXES), None)
    if other is not None:
        raise DataError(f"{other}: is no part of a table; take it away, or write it as Parquet or CSV")
    if not paths:
        raise DataError(f"{folder}: holds no part; write its files there, or delete the folder")
    return paths
