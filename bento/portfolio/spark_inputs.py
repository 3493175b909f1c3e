"""The files of a portfolio's tables as Spark reads them: in a folder of this machine, or at an address of Spark."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from bento.data.files import DataError
from bento.data.tables import APPLICATION, HISTORIES
from bento.portfolio.inputs import APPLICATION_STEMS, SUFFIXES, Inputs

ENDINGS = ("", *SUFFIXES, ".csv.gz")
"""What may follow the name of a table in the name of its file or folder."""


@dataclass(frozen=True)
class SparkInputs:
    """The files of each table; a history may have none."""

    place: str
    files: Mapping[str, Sequence[str]]
    fingerprint: str
    notes: tuple[str, ...]

    def table(self, spark: SparkSession, name: str) -> DataFrame | None:
        """Return a table as its files hold it, every column of a CSV file as text; None where there is no file."""
        # Spark reads a path as a pattern, whose special characters a backslash escapes.
        paths = [re.sub(r"([\\*?\[\]{}])", r"\\\1", path) for path in self.files[name]]
        if not paths:
            return None
        kinds = {path.endswith(".parquet") for path in paths}
        if len(kinds) > 1:
            raise DataError(f"{self.place}: the table {name} is both Parquet and CSV; keep one of them")
        if kinds == {True}:
            return spark.read.parquet(*paths)
        return spark.read.csv(paths, header=True, escape='"', mode="FAILFAST", enforceSchema=False)


def local_inputs(inputs: Inputs) -> SparkInputs:
    """Return the files of a folder that every executor sees; raise DataError where one is empty, or in an archive."""
    for path in (path for paths in inputs.files.values() for path in paths):
        if not path.is_file():
            raise DataError(f"{path}: Spark reads no zip archive; unzip it into the same folder")
        _check_holds_bytes(str(path), path.stat().st_size)
    # Not as an URI: Spark does not decode %20.
    files = {name: [f"file://{path.absolute()}" for path in paths] for name, paths in inputs.files.items()}
    return SparkInputs(str(inputs.folder), files, inputs.fingerprint, inputs.notes)


def remote_inputs(spark: SparkSession, address: str) -> SparkInputs:
    """Find the files below an address, such as `s3a://bucket/portfolio`.

    Their fingerprint is that of names, lengths and times of change, so that no byte is read for it.

    Raises:
        DataError: there is no application there, a table is there twice, or a file is empty.
    """
    jvm: Any = spark.sparkContext._jvm  # the interface of Hadoop's file systems has no Python name
    place = jvm.org.apache.hadoop.fs.Path(address)
    system = place.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
    if not system.exists(place):
        raise DataError(f"{address}: no such folder; name the one that holds the tables, such as application_train")
    entries = {status.getPath().getName(): status for status in system.listStatus(place)}
    digest, files = hashlib.sha256(), {}
    stems = {APPLICATION.name: APPLICATION_STEMS, **{name: (name,) for name in HISTORIES}}
    for table, names in stems.items():
        statuses = [status for stem in names for status in _statuses(address, system, entries, stem)]
        for status in statuses:
            _check_holds_bytes(str(status.getPath()), status.getLen())
            line = f"{status.getPath()}:{status.getLen()}:{status.getModificationTime()}\n"
            digest.update(line.encode())
        files[table] = [str(status.getPath()) for status in statuses]
    if not files[APPLICATION.name]:
        raise DataError(f"{address}: holds no {APPLICATION_STEMS[0]}, as Parquet or CSV; write it there")
    notes = [f"{address}: holds no {name}: no client has such a history" for name in HISTORIES if not files[name]]
    return SparkInputs(address, files, digest.hexdigest(), tuple(notes))


def _check_holds_bytes(path: str, length: int) -> None:
    """Raise DataError for a file without a byte, which Spark would pass over: a part of which nothing was written."""
    if not length:
        raise DataError(f"{path}: the file is empty; export it again with its header and rows")


def _statuses(address: str, system: Any, entries: Mapping[str, Any], stem: str) -> list[Any]:
    """Return the status of each file of a table."""
    names = [f"{stem}{ending}" for ending in ENDINGS if f"{stem}{ending}" in entries]
    if len(names) > 1:
        raise DataError(f"{address}: {names[0]} and {names[1]} both hold the table {stem}; keep one of them")
    if not names:
        return []
    status = entries[names[0]]
    if status.isFile():
        return [status]
    parts = [part for part in system.listStatus(status.getPath()) if part.isFile()]
    kept = [part for part in parts if not part.getPath().getName().startswith(("_", "."))]
    if not kept:
        raise DataError(f"{address}/{names[0]}: holds no part; write its files there, or delete the folder")
    return sorted(kept, key=lambda part: str(part.getPath()))
