"""Write the sample of clients that loan officers search on the page: Parquet files, ordered by client."""

import os
import shutil
from pathlib import Path

import polars as pl

from bento.data.files import find_file
from bento.data.readers import read_application, read_file
from bento.data.tables import APPLICATION, HISTORIES, TABLES
from research.data.dataset import DATA, Data

SAMPLES = DATA / "ui_clients"
MAX_CLIENTS = 3000
"""Enough to search among; the files of more would take long to write."""


def write_sample(data: Data, folder: Path = SAMPLES, clients: int = MAX_CLIENTS) -> Path:
    """Write new applications with their histories, spread over the file, and return their folder.

    The folder is named after the data; where it is there already, nothing is written. New applications are those of
    `application_test`, or of `application_train` where there are none.

    Raises:
        DataError: a file is broken.
    """
    target = folder / data.source.fingerprint[:16]
    if target.is_dir():
        return target
    stem = "application_test" if find_file(data.folder, "application_test") else "application_train"
    applications = read_application(data.folder, stem).sort("SK_ID_CURR")
    chosen = applications.gather_every(max(1, -(-len(applications) // clients)))
    unfinished = folder / f".{target.name}.{os.getpid()}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    chosen.select(column.name for column in APPLICATION).write_parquet(unfinished / "application.parquet")
    credits: list[float] = []
    for name in HISTORIES:
        path = find_file(data.folder, name)
        if path is None:
            continue
        key, ids = ("SK_ID_BUREAU", credits) if name == "bureau_balance" else ("SK_ID_CURR", chosen["SK_ID_CURR"])
        rows = read_file(path, TABLES[name], where=pl.col(key).is_in(pl.Series(ids, dtype=pl.Float64).implode()))
        if name == "bureau":
            credits = rows["SK_ID_BUREAU"].to_list()
        rows.sort(key).write_parquet(unfinished / f"{name}.parquet")
    try:
        unfinished.rename(target)
    except OSError:  # another process has written it meanwhile
        shutil.rmtree(unfinished)
    return target


def newest_sample(folder: Path = SAMPLES) -> Path | None:
    """Return the sample that was written last; None where there is none."""
    samples = [path for path in folder.glob("[!.]*") if path.is_dir()]
    return max(samples, key=lambda path: path.stat().st_mtime, default=None)
