"""The data: found, downloaded or made; fingerprinted; split. `python -m research.data.dataset --help`."""

import hashlib
import json
import logging
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bento.data.cleaning import clean
from bento.data.readers import DataError, find_file, read_application, read_history
from bento.data.tables import HISTORIES, TABLES, TARGET
from bento.data.validation import Report, check_folder
from bento.features.build import build_features
from bento.features.catalogue import catalogue_hash, needed_columns
from bento.model.manifest import DataSource
from research.cli import ROOT, CommandError, parser, run, shown
from research.data.splits import PERSON_FROM, Split, persons, split_of
from research.synthetic import write as write_synthetic

log = logging.getLogger(__name__)

DATA = Path(os.environ.get("SCORING_DATA", ROOT / "data"))
"""Where data, results and logs are kept; SCORING_DATA names another place."""
RAW = DATA / "raw"
SYNTHETIC = DATA / "synthetic"
DAYS_IN_YEAR = 365.25
SYNTHETIC_CLIENTS = 20_000
SYNTHETIC_SEED = 1
COMPETITION = "home-credit-default-risk"
FILES = ("application_train", "application_test", *HISTORIES)


class _CleanTables(Mapping[str, pl.DataFrame]):
    """The cleaned tables of a folder, each read when it is asked for; only one history is held at a time."""

    def __init__(self, folder: Path, stem: str, names: Mapping[str, Sequence[str]]) -> None:
        self._folder, self._stem, self._names = folder, stem, names
        self._held: dict[str, pl.DataFrame] = {}

    def __getitem__(self, table: str) -> pl.DataFrame:
        if table not in self._held:
            self._held = {name: frame for name, frame in self._held.items() if name == "application"}
            names = self._names[table]
            frame = (
                read_application(self._folder, self._stem, names=names)
                if table == "application"
                else read_history(self._folder, table, names)
            )
            self._held |= clean({table: frame})
        return self._held[table]

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES)

    def __len__(self) -> int:
        return len(TABLES)


@dataclass(frozen=True)
class Rows:
    """The training clients of one split: features, outcomes and what no model may see, row by row the same client."""

    features: pl.DataFrame
    """SK_ID_CURR and all features, as `build_features` gives them."""
    target: NDArray[np.int64]
    """1 where the client defaulted."""
    audit: pl.DataFrame
    """As `Data.audit`."""

    @property
    def person(self) -> NDArray[np.int64]:
        """The same number where two applications seem to be of one person."""
        return self.audit["person"].cast(pl.Int64).to_numpy()

    @property
    def exposure(self) -> NDArray[np.float64]:
        """Amount that a default puts at stake, in the currency of the data."""
        return self.audit["exposure"].to_numpy()


@dataclass(frozen=True)
class Data:
    """A folder of tables, and where it comes from."""

    folder: Path

    @cached_property
    def source(self) -> DataSource:
        """Synthetic or real, how many clients, which seed, and the SHA-256 of the files' names and contents."""
        paths = [path for stem in FILES if (path := find_file(self.folder, stem)) is not None]
        digest = hashlib.sha256()
        for path in paths:
            with path.open("rb") as file:
                digest.update(f"{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        note = self.folder / "synthetic.json"
        made = json.loads(note.read_text()) if note.is_file() else None
        return DataSource(
            data="synthetic" if made else "real",
            clients=made["clients"] if made else sum(_rows(path) for path in paths if path.stem in FILES[:2]),
            seed=made["seed"] if made else None,
            fingerprint=digest.hexdigest(),
        )

    def first_client(self) -> int:
        """SK_ID_CURR of the first training application."""
        return int(read_application(self.folder, "application_train", names=["SK_ID_CURR"])["SK_ID_CURR"][0])

    def features(self) -> pl.DataFrame:
        """Features of the training clients with TARGET: read from data/features, or computed and kept there."""
        kept = DATA / "features" / f"{self.source.fingerprint[:16]}-{catalogue_hash()}.parquet"
        if kept.is_file():
            return pl.read_parquet(kept)
        report = check_folder(self.folder, ["application_train"])
        if report.faults:
            raise DataError(f"{report.faults[0]} (all faults: python -m research.data.dataset check {self.folder})")
        tables = _CleanTables(self.folder, "application_train", needed_columns())
        outcomes = read_application(self.folder, "application_train", [TARGET], ["SK_ID_CURR", TARGET.name])
        features = build_features(tables).with_columns(outcomes[TARGET.name])
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(".unfinished")
        features.write_parquet(unfinished)
        unfinished.rename(kept)
        return features

    def audit(self) -> pl.DataFrame:
        """What no model may see, but folds, fairness and money need; a row for each row of `features`, in its order.

        Returns:
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

    def applications(self, split: Split, names: Sequence[str]) -> pl.DataFrame:
        """These columns of the applications of one split, cleaned; a row for each of `rows(split)`, in its order."""
        applications = read_application(self.folder, "application_train", names=["SK_ID_CURR", *names])
        wanted = split_of(applications["SK_ID_CURR"]) == split
        return clean({"application": applications.filter(wanted)})["application"]

    def rows(self, split: Split) -> Rows:
        """The training clients of one split."""
        features, audit = self.features(), self.audit()
        wanted = split_of(features["SK_ID_CURR"]) == split
        part = features.filter(wanted)
        return Rows(part.drop(TARGET.name), part[TARGET.name].to_numpy(), audit.filter(wanted))


def open_data(folder: Path | None) -> Data:
    """The data of `folder`; without one the real files of data/raw, else synthetic data, made if need be.

    Raises:
        DataError: the folder holds no training applications.
    """
    if folder is None:
        folder = RAW if find_file(RAW, "application_train") else SYNTHETIC
        if folder == SYNTHETIC and not (SYNTHETIC / "synthetic.json").is_file():
            print(f"no real data in data/raw: making {SYNTHETIC_CLIENTS:,} synthetic clients", file=sys.stderr)
            write_synthetic(SYNTHETIC, SYNTHETIC_CLIENTS, SYNTHETIC_SEED)
    data = Data(open_folder(folder))
    seed = "" if data.source.seed is None else f", seed {data.source.seed}"
    print(f"data: {data.source.data}, {data.source.clients:,} clients{seed} ({shown(folder)})", file=sys.stderr)
    return data


def open_folder(folder: Path) -> Path:
    """The folder, if it holds training applications.

    Raises:
        DataError: it does not.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the one that holds application_train.csv or .parquet")
    if find_file(folder, "application_train") is None:
        raise DataError(f"{folder}: holds neither application_train.csv nor application_train.parquet; put it there")
    return folder


def _rows(path: Path) -> int:
    scan = pl.scan_parquet(path) if path.suffix == ".parquet" else pl.scan_csv(path, infer_schema=False)
    return int(scan.select(pl.len()).collect().item())


def print_report(report: Report) -> None:
    """Print what a check found: rows of each file, what is cleaned or passed, and the faults last."""
    for name, rows in report.rows.items():
        print(f"{name}: {rows:,} rows")
    soft = [finding for finding in report.findings if not finding.hard]
    if soft:
        print(f"\n{'file':28} {'column':26} {'rows':>12} {'share':>7}  what")
    for finding in sorted(soft, key=lambda finding: (finding.file, -finding.rows)):
        where = f"{finding.file:28} {finding.column:26} {finding.rows:12,} {finding.share:7.2%}"
        print(f"{where}  {finding.what}, such as {finding.example}: {finding.treatment}")
    print(f"\n{len(report.faults)} faults, {len(soft)} findings cleaned or passed")
    for fault in report.faults:
        print(f"fault: {fault}", file=sys.stderr)


def download(out: Path) -> None:
    """Fetch the competition's files with Kaggle's own client into `out`.

    Raises:
        CommandError: the client refused; the message says how to get a token and accept the rules.
    """
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "kaggle", "competitions", "download", "-c", COMPETITION, "-p", str(out)]
    finished = subprocess.run(command, check=False, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    archive = out / f"{COMPETITION}.zip"
    if finished.returncode != 0 or not archive.is_file():
        said = (finished.stderr.strip().splitlines() or ["no answer"])[-1]
        raise CommandError(
            f"Kaggle's client could not download ({said}). 1. Sign in at kaggle.com, open Settings, create an API "
            "token and put it where the page says (~/.kaggle). 2. Accept the rules at "
            f"kaggle.com/competitions/{COMPETITION}/rules. 3. Run this again; or work on synthetic data, "
            "which needs neither."
        )
    try:
        with zipfile.ZipFile(archive) as files:
            files.extractall(out)
    except zipfile.BadZipFile as error:
        raise CommandError(f"{archive}: the download is incomplete; delete it and run this again") from error
    archive.unlink()


def main() -> None:
    """The command line."""
    arguments = parser(
        "Download the real data, or make synthetic data.", "python -m research.data.dataset synth --clients 5000"
    )
    commands = arguments.add_subparsers(dest="command", required=True)
    get = commands.add_parser("download", help="the real data, with Kaggle's client and your token")
    get.add_argument("--out", type=Path, default=RAW)
    synth = commands.add_parser("synth", help="synthetic data: the same tables, reproducible by seed")
    synth.add_argument("--clients", type=int, default=SYNTHETIC_CLIENTS, help="train and test clients together")
    synth.add_argument("--seed", type=int, default=SYNTHETIC_SEED)
    synth.add_argument("--out", type=Path, default=SYNTHETIC)
    check = commands.add_parser("check", help="what is wrong with a folder of files; exit code 1 on a fault")
    check.add_argument("folder", type=Path, metavar="DIR")
    options = arguments.parse_args()
    if options.command == "check":
        report = check_folder(open_folder(options.folder))
        print_report(report)
        return 1 if report.faults else 0
    if options.command == "download":
        download(options.out)
    else:
        try:
            write_synthetic(options.out, options.clients, options.seed)
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
    print(f"ready: {options.out}")
    return 0


if __name__ == "__main__":
    run(main)
