"""A folder of data: opened or made, fingerprinted, and split into rows of features with their outcomes."""

import json
import logging
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bento.data.cleaning import clean
from bento.data.files import STEMS, DataError, find_file, fingerprint
from bento.data.readers import application_file, count_rows, read_application, read_history
from bento.data.tables import TABLES, TARGET
from bento.data.validation import check_folder
from bento.features.build import build_features
from bento.features.catalogue import catalogue_hash, needed_columns
from bento.model.manifest import DataSource
from research.cli import exclusive, shown
from research.data.feature_table import read_feature_table
from research.data.splits import PERSON_FROM, Split, persons, split_of
from research.settings import Settings
from research.synthetic import write as write_synthetic

log = logging.getLogger(__name__)

DATA = Settings().scoring_data
"""Folder of data, results and logs."""
RAW = DATA / "raw"
SYNTHETIC = DATA / "synthetic"
DAYS_IN_YEAR = 365.25
SYNTHETIC_CLIENTS = 20_000
SYNTHETIC_SEED = 1


class _CleanTables(Mapping[str, pl.DataFrame]):
    """The cleaned tables of a folder, read on access; the application and the latest history stay in memory."""

    def __init__(self, folder: Path, stem: str, names: Mapping[str, Sequence[str]]) -> None:
        self._folder, self._stem, self._names = folder, stem, names
        self._in_memory: dict[str, pl.DataFrame] = {}

    def __getitem__(self, table: str) -> pl.DataFrame:
        if table not in self._in_memory:
            self._in_memory = {name: frame for name, frame in self._in_memory.items() if name == "application"}
            names = self._names[table]
            frame = (
                read_application(self._folder, self._stem, names=names)
                if table == "application"
                else read_history(self._folder, table, names)
            )
            self._in_memory |= clean({table: frame})
        return self._in_memory[table]

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES)

    def __len__(self) -> int:
        return len(TABLES)


@dataclass(frozen=True)
class Rows:
    """The training clients of one split: features, outcomes and audit columns, a row for each client."""

    features: pl.DataFrame
    """SK_ID_CURR and all features, as `build_features` returns them."""
    target: NDArray[np.int64]
    """1 where the client defaulted."""
    audit: pl.DataFrame
    """As `Data.audit`."""

    @property
    def person(self) -> NDArray[np.int64]:
        """Number of the person; the same for two applications that seem to be of one person."""
        return self.audit["person"].cast(pl.Int64).to_numpy()

    @property
    def exposure(self) -> NDArray[np.float64]:
        """Amount of the loan, which a default puts at risk, in the currency of the data."""
        return self.audit["exposure"].to_numpy()


@dataclass(frozen=True)
class Data:
    """A folder of tables, and where they come from."""

    folder: Path
    feature_table: Path | None = None
    """Folder of features that were computed before (`read_feature_table`); without it they are computed here."""

    @cached_property
    def source(self) -> DataSource:
        """Kind of data, number of clients, seed, and the SHA-256 of the files' names and contents, unpacked."""
        paths = {stem: path for stem in STEMS if (path := find_file(self.folder, stem)) is not None}
        note = self.folder / "synthetic.json"
        description = json.loads(note.read_text()) if note.is_file() else None
        applications = (path for stem, path in paths.items() if stem in STEMS[:2])
        return DataSource(
            data="synthetic" if description else "real",
            clients=description["clients"] if description else sum(count_rows(path) for path in applications),
            seed=description["seed"] if description else None,
            fingerprint=fingerprint(paths.values()),
        )

    def first_client(self) -> int:
        """Return SK_ID_CURR of the first training application."""
        return int(read_application(self.folder, "application_train", names=["SK_ID_CURR"])["SK_ID_CURR"][0])

    def features(self, names: Collection[str] | None = None) -> pl.DataFrame:
        """Return the features of the training clients with TARGET: from a table or the cache, or computed.

        With `names`, of a table no other feature is read.
        """
        _ = self.remarks
        cache = self._cache("parquet")
        if self.feature_table is None and cache.is_file():
            return pl.read_parquet(cache, glob=False)
        outcomes = read_application(self.folder, "application_train", [TARGET], ["SK_ID_CURR", TARGET.name])
        if self.feature_table is not None:
            features = read_feature_table(self.feature_table, self.source.fingerprint, outcomes["SK_ID_CURR"], names)
            return features.with_columns(outcomes[TARGET.name])
        tables = _CleanTables(self.folder, "application_train", needed_columns())
        features = build_features(tables).with_columns(outcomes[TARGET.name])
        cache.parent.mkdir(parents=True, exist_ok=True)
        unfinished = cache.with_suffix(f".{os.getpid()}.unfinished")  # another process may compute them too
        features.write_parquet(unfinished)
        unfinished.rename(cache)
        return features

    @cached_property
    def remarks(self) -> list[str]:
        """What the check of the files passes, but the public data lacks; logged, and kept beside the features.

        Raises:
            DataError: the files have faults.
        """
        cache = self._cache("remarks.json")
        if cache.is_file():
            remarks: list[str] = json.loads(cache.read_text())
        else:
            report = check_folder(self.folder, ["application_train"])
            if report.faults:
                raise DataError(f"{report.faults[0]} (all faults: python -m research data check {self.folder})")
            remarks = report.remarks
            cache.parent.mkdir(parents=True, exist_ok=True)
            unfinished = cache.with_suffix(f".{os.getpid()}.unfinished")
            unfinished.write_text(json.dumps(remarks, indent=1) + "\n")
            unfinished.rename(cache)
        for remark in remarks:
            log.warning(remark)
        return remarks

    def _cache(self, suffix: str) -> Path:
        return DATA / "features" / f"{self.source.fingerprint[:16]}-{catalogue_hash()}.{suffix}"

    def audit(self) -> pl.DataFrame:
        """Return the columns that no model may use, but folds, fairness and money need, in the order of `features`.

        SK_ID_CURR, `gender` (CODE_GENDER), `age_years`, `exposure` (AMT_CREDIT), `person` (`splits.persons`).
        """
        names = ["SK_ID_CURR", "AMT_CREDIT", *PERSON_FROM]
        applications = read_application(self.folder, "application_train", names=names)
        cleaned = clean({"application": applications})["application"]
        return cleaned.select(
            "SK_ID_CURR",
            gender="CODE_GENDER",
            age_years=-pl.col("DAYS_BIRTH") / DAYS_IN_YEAR,
            exposure=pl.col("AMT_CREDIT").cast(pl.Float64),
            person=persons(applications),
        )

    def applications(self, split: Split, names: Sequence[str], *, cleaned: bool = True) -> pl.DataFrame:
        """Return columns of the applications of one split, cleaned or as they came, in the order of `rows(split)`."""
        applications = read_application(self.folder, "application_train", names=["SK_ID_CURR", *names])
        of_split = applications.filter(self.splits == split)
        return clean({"application": of_split})["application"] if cleaned else of_split

    def earlier_applications(self, split: Split, names: Sequence[str]) -> pl.DataFrame:
        """Return columns of the cleaned earlier applications of the training clients of one split."""
        clients = self.applications(split, [])["SK_ID_CURR"]
        history = read_history(self.folder, "previous_application", ["SK_ID_CURR", *names])
        return clean({"previous_application": history.join(clients.to_frame(), on="SK_ID_CURR", how="semi")})[
            "previous_application"
        ]

    @cached_property
    def splits(self) -> pl.Series:
        """Name of the split of each training application, in the order of the file and of `features`."""
        return split_of(read_application(self.folder, "application_train", names=["SK_ID_CURR", *PERSON_FROM]))

    def rows(self, split: Literal["development", "gate"], names: Collection[str] | None = None) -> Rows:
        """Return the training clients of a split that may be read more than once; `names` as in `features`."""
        return self._rows(split, names)

    def test_rows(self) -> Rows:
        """Return the clients of the test split with their outcomes: for `research.evaluation.test_split` alone."""
        return self._rows("test")

    def test_features(self, names: Collection[str] | None = None) -> pl.DataFrame:
        """Return SK_ID_CURR and features of the clients of the test split, without outcomes: for explanations.

        `names` as in `features`.
        """
        return self.features(names).drop(TARGET.name).filter(self.splits == "test")

    def _rows(self, split: Split, names: Collection[str] | None = None) -> Rows:
        features, audit, in_split = self.features(names), self.audit(), self.splits == split
        of_split = features.filter(in_split)
        return Rows(of_split.drop(TARGET.name), of_split[TARGET.name].to_numpy(), audit.filter(in_split))


def open_data(folder: Path | None, feature_table: Path | None = None) -> Data:
    """Open the data of `folder`; without one the real files of data/raw, else synthetic data, generated if missing.

    `feature_table` is a folder of their features, where they were computed before.

    Raises DataError where the folder holds no training applications.
    """
    if folder is None:
        folder = RAW if find_file(RAW, "application_train") else SYNTHETIC
        if folder == SYNTHETIC and not (SYNTHETIC / "synthetic.json").is_file():
            _make_synthetic()
    data = Data(open_folder(folder), feature_table)
    seed = "" if data.source.seed is None else f", seed {data.source.seed}"
    print(f"data: {data.source.data}, {data.source.clients:,} clients{seed} ({shown(folder)})", file=sys.stderr)
    return data


def _make_synthetic() -> None:
    with exclusive(SYNTHETIC.parent / "synthetic.lock", "makes synthetic data"):
        if not (SYNTHETIC / "synthetic.json").is_file():
            print(f"no real data in data/raw: making {SYNTHETIC_CLIENTS:,} synthetic clients", file=sys.stderr)
            write_synthetic(SYNTHETIC, SYNTHETIC_CLIENTS, SYNTHETIC_SEED)


def open_folder(folder: Path) -> Path:
    """Return the folder if it holds training applications, else raise DataError."""
    application_file(folder, "application_train")
    return folder
