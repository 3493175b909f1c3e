"""Populations to compare: applications of a folder, of a file, or of the journal between two dates."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import ValidationError

from bento.data.cleaning import clean
from bento.data.credit_file import MAX_HISTORY_ROWS, CreditFile, frames
from bento.data.files import DataError, absence, check_is_folder, find_file
from bento.data.readers import file_columns, read_file
from bento.data.tables import APPLICATION, HISTORIES, TABLES, TARGET
from bento.features.build import build_features
from bento.features.catalogue import needed_columns
from bento.journal.entries import StoredDecision
from bento.journal.store import Journal
from drift.distributions import Positions

MIN_ROWS = 100
"""Applications below which only the grossest change is beyond chance."""
REFERENCE, CURRENT = "application_train", "application_test"
_JOURNAL = "journal:"

UNREADABLE = ("purged", "of another schema")
"""Why a decision of the journal is left out."""

Histories = Callable[[str, Sequence[str], pl.Series], pl.DataFrame]
"""Returns the rows of a history, with these columns, of these clients."""


@dataclass(frozen=True, kw_only=True)
class Population:
    """Applications, one row for each, and where their histories are."""

    name: str
    applications: pl.DataFrame
    """As they were read, the identifier first; columns that were absent or unreadable are left out."""
    histories: Histories
    data: Literal["real", "synthetic", "journal"]
    clients: int
    seed: int | None = None
    faults: tuple[str, ...] = ()
    """What could not be judged."""
    notes: tuple[str, ...] = ()
    decisions: tuple[StoredDecision, ...] = ()
    """Of the journal, one for each row of `applications`."""
    target: pl.Series | None = field(default=None, repr=False)

    @property
    def rows(self) -> int:
        """Number of applications."""
        return self.applications.height

    def features(self, names: Sequence[str], rows: Positions | None = None) -> pl.DataFrame:
        """Compute features of the applications at positions `rows`, by default of all."""
        chosen = self.applications if rows is None else self.applications[rows]
        return build_features(_Tables(chosen, self.histories, needed_columns(names)), names)


class _Tables(Mapping[str, pl.DataFrame]):
    """Cleaned tables of some applications; a history is read when it is asked for, and not kept."""

    def __init__(self, applications: pl.DataFrame, histories: Histories, columns: Mapping[str, Sequence[str]]) -> None:
        absent = [column for column in APPLICATION if column.name not in applications.columns]
        full = applications.with_columns(pl.lit(None, dtype=column.dtype).alias(column.name) for column in absent)
        self._application = clean({APPLICATION.name: full})[APPLICATION.name]
        self._histories, self._columns = histories, columns

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES)

    def __len__(self) -> int:
        return len(TABLES)

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name == APPLICATION.name:
            return self._application
        return clean({name: self._histories(name, self._columns[name], self._application["SK_ID_CURR"])})[name]


def population(
    source: str, side: Literal["reference", "current"], journal: Journal | None = None, *, with_target: bool = False
) -> Population:
    """Open `journal:FROM..TO`, a folder of tables, or a CSV or Parquet file of applications.

    A folder's reference is application_train, its current set application_test, or the one of the two that
    it has. Histories are those in the folder.

    Raises:
        DataError: there is nothing to compare, or too little.
        JournalError, VaultError: the journal cannot be read.
    """
    if source.startswith(_JOURNAL):
        if journal is None:
            raise DataError(f"{source}: no journal is open; name it with --journal")
        return of_journal(journal, *period(source))
    path = Path(source).expanduser()
    if path.suffix in (".csv", ".parquet", ".gz") and not path.is_dir():
        if not path.is_file():
            raise DataError(f"{path}: there is no such file; correct the path")
        return of_file(path, with_target=with_target)
    check_is_folder(path)
    first, second = (REFERENCE, CURRENT) if side == "reference" else (CURRENT, REFERENCE)
    file = find_file(path, first) or find_file(path, second)
    if file is None:
        raise DataError(absence(path, first))
    return of_file(file, with_target=with_target)


def of_file(path: Path, *, with_target: bool = False) -> Population:
    """Read the applications of a file; raise DataError where there are none, or fewer than MIN_ROWS."""
    frame, faults, notes = _read_leniently(path, with_target=with_target)
    if frame.height < MIN_ROWS:
        raise DataError(f"{path}: holds {frame.height:,} rows, too few to tell drift from chance; give {MIN_ROWS:,}")
    folder = path.parent if path.parent.is_dir() else path.parent.parent
    absent = [name for name in HISTORIES if find_file(folder, name) is None]
    if absent:
        notes = (
            *notes,
            f"{folder} holds no {', '.join(absent)}: clients count as without such a history",
        )
    clients, seed = _synthetic(folder)
    return Population(
        name=str(path),
        applications=frame.drop(TARGET.name, strict=False),
        target=frame[TARGET.name] if TARGET.name in frame.columns else None,
        histories=lambda name, columns, owners: _history_of_file(folder, name, columns, owners),
        data="real" if clients is None else "synthetic",
        clients=clients or frame.height,
        seed=seed,
        faults=faults,
        notes=notes,
    )


def period(source: str) -> tuple[datetime, datetime]:
    """Read `journal:FROM..TO`: dates or moments (ISO 8601, UTC without zone), TO not included.

    >>> [str(moment) for moment in period("journal:2026-01-01..2026-02-01")]
    ['2026-01-01 00:00:00+00:00', '2026-02-01 00:00:00+00:00']
    """
    try:
        start, end = map(datetime.fromisoformat, source.removeprefix(_JOURNAL).split(".."))
    except ValueError as error:
        raise DataError(f"{source}: name a period as journal:2026-01-01..2026-02-01") from error
    start, end = (moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in (start, end))
    if start >= end:
        raise DataError(f"{source}: the period ends before it begins; exchange the dates")
    return start, end


def of_journal(journal: Journal, start: datetime, end: datetime) -> Population:
    """Read the decisions from `start` up to, not including, `end`; of several on one client, the last.

    Raises:
        DataError: there are fewer than MIN_ROWS.
    """
    name = f"{_JOURNAL}{_shown(start)}..{_shown(end)}"
    last, counts = dict[float, tuple[StoredDecision, CreditFile]](), Counter[str]()
    for decision in journal.decided_between(start, end):
        counts["all"] += 1
        if decision.credit_file is None:
            counts["purged"] += 1
            continue
        try:
            credit_file = CreditFile.model_validate_json(decision.credit_file)
        except ValidationError:  # a journal keeps what older versions of the request accepted
            counts["of another schema"] += 1
            continue
        last[credit_file.application["SK_ID_CURR"]] = (decision, credit_file)
        counts[f"by {decision.model_name} version {decision.model_version}"] += 1
    if len(last) < MIN_ROWS:
        detail = ", ".join(f"{counts[what]} {what}" for what in UNREADABLE if counts[what])
        raise DataError(
            f"{name}: {journal.address} holds decisions on {len(last)} clients in that period"
            + (f" ({detail})" if detail else "")
            + f", too few to tell drift from chance; choose a period with {MIN_ROWS}"
        )
    decisions, files = zip(*last.values(), strict=True)
    tables = _of_credit_files(files)
    return Population(
        name=name,
        applications=tables[APPLICATION.name],
        histories=lambda table, columns, owners: _of_owners(tables, table, owners).select(columns),
        data="journal",
        clients=len(last),
        notes=_notes_on(counts, len(last)),
        decisions=decisions,
    )


def _shown(moment: datetime) -> str:
    """Return a moment in UTC: the date, and the time where it is not midnight."""
    moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat() if moment.time() != time.min else f"{moment:%Y-%m-%d}"


def _notes_on(counts: Mapping[str, int], clients: int) -> tuple[str, ...]:
    versions = {what: counts[what] for what in sorted(counts) if what.startswith("by ")}
    notes = [f"{counts[what]} decisions {what} are left out" for what in UNREADABLE if counts.get(what)]
    if len(versions) > 1:
        listed = ", ".join(f"{count} {what}" for what, count in versions.items())
        notes.append(f"decisions of several models ({listed}): all are scored again by one, so that they compare")
    repeated = sum(versions.values()) - clients
    if repeated:
        notes.append(f"{repeated} earlier decisions on the same client are left out: the last one counts")
    return tuple(notes)


def _of_credit_files(files: Sequence[CreditFile]) -> dict[str, pl.DataFrame]:
    """Return the frames of credit files of different clients; ids of credits become unique, as frames are joined."""
    renumbered = []
    for number, credit_file in enumerate(files):
        places: dict[tuple[str, float], int] = {}
        renumbered.append(
            credit_file.model_copy(
                update={
                    name: [_unique(row, number, places) for row in getattr(credit_file, name)] for name in HISTORIES
                }
            )
        )
    return frames(renumbered)


def _unique(row: Mapping[str, Any], number: int, places: dict[tuple[str, float], int]) -> dict[str, Any]:
    """Return a row of the file at `number` with ids of credits that no other file has."""
    ids = {
        key: number * MAX_HISTORY_ROWS * 10 + places.setdefault((key, row[key]), len(places))
        for key in ("SK_ID_BUREAU", "SK_ID_PREV")
        if row.get(key) is not None
    }
    return {**row, **ids}


def _of_owners(tables: Mapping[str, pl.DataFrame], name: str, owners: pl.Series) -> pl.DataFrame:
    if name == "bureau_balance":
        credits = tables["bureau"].filter(pl.col("SK_ID_CURR").is_in(owners.implode())).select("SK_ID_BUREAU").unique()
        return tables[name].join(credits, on="SK_ID_BUREAU", how="semi")
    return tables[name].filter(pl.col("SK_ID_CURR").is_in(owners.implode()))


def _history_of_file(folder: Path, name: str, columns: Sequence[str], owners: pl.Series) -> pl.DataFrame:
    path = find_file(folder, name)
    if path is None:
        return TABLES[name].empty().select(columns)
    if name == "bureau_balance":
        bureau = find_file(folder, "bureau")
        if bureau is None:
            return TABLES[name].empty().select(columns)
        credits = _history_of_file(folder, "bureau", ["SK_ID_CURR", "SK_ID_BUREAU"], owners)["SK_ID_BUREAU"]
        where = pl.col("SK_ID_BUREAU").is_in(credits.cast(pl.Float64).implode())
    else:
        where = pl.col("SK_ID_CURR").is_in(owners.cast(pl.Float64).implode())
    return read_file(path, TABLES[name], columns, where)


def _read_leniently(path: Path, *, with_target: bool) -> tuple[pl.DataFrame, tuple[str, ...], tuple[str, ...]]:
    """Read the declared columns that a file has; return them with faults (unreadable columns) and notes."""
    names = file_columns(path)
    declared = {column.name: column for column in APPLICATION}
    extra = [TARGET] if with_target and TARGET.name in names else []
    present = [column for column in (*declared.values(), *extra) if column.name in names]
    undeclared = [name for name in names if name not in declared and name != TARGET.name]
    absent = [name for name, column in declared.items() if name not in names and not column.optional_in_files]
    gone = [f"{path.name} has no {_listed(absent)}"] if absent else []
    notes = [f"{path.name}: {_listed(undeclared)} not declared, not compared"] if undeclared else []
    if "SK_ID_CURR" not in names or len(present) < 2:
        raise DataError(f"{path}: holds no applications; give SK_ID_CURR and the columns of bento/data/tables.py")
    try:
        return read_file(path, present), tuple(gone), tuple(notes)
    except DataError as error:
        frame = read_file(path, present[:1])
        faults = list(gone)
        for column in present[1:]:
            try:
                frame = frame.with_columns(read_file(path, [present[0], column], [column.name]))
            except DataError as fault:
                faults.append(str(fault))
        if frame.width == 1 or len(faults) == len(gone):
            raise DataError(str(error)) from error
        return frame, tuple(faults), tuple(notes)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"column{'s' if len(names) > 1 else ''} {', '.join(names[:3])}{more}"


def _synthetic(folder: Path) -> tuple[int | None, int | None]:
    """Return clients and seed of synthetic data; of data without synthetic.json, which is real, None and None."""
    path = folder / "synthetic.json"
    if not path.is_file():
        return None, None
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        return int(description["clients"]), int(description["seed"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: does not name clients and seed; make the data again with `make data`") from error
