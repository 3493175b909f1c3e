"""The folder that a run over a portfolio writes: parts with their receipts, so that a run resumes, and a manifest."""

import contextlib
import fcntl
import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bento import CorrectableError, require_writable
from bento.portfolio.jobs import Computed

RUN_FILE, MANIFEST_FILE, LOCK_FILE = "run.json", "manifest.json", ".lock"
NOT_SCORED_FOLDER, RECEIPTS, WORK = "not_scored", "receipts", ".work"
FORMAT = 1
"""Version of the content of the folder."""

Engine = Literal["local", "spark"]


class PortfolioError(CorrectableError):
    """A run over a portfolio cannot start or go on; the message is one line that says what to do."""


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Run(_Content):
    """What determines every row of a run: one that is resumed must be the same in all of it."""

    job: str = Field(description="score or features")
    engine: Engine
    data: str = Field(description="fingerprint of the input files")
    code: str = Field(description="fingerprint of the code that decides")
    catalogue: str = Field(description="fingerprint of the features")
    part_clients: int = Field(description="clients in one part, at most")
    model: str | None = Field(default=None, description="digest of the model folder")
    model_version: str | None = Field(default=None, description="name by which the model was asked for")
    rules: str | None = Field(default=None, description="version of the rules")
    reasons: str | None = None
    format: int = FORMAT


class Counts(_Content):
    """Rows of the input, by table."""

    rows: dict[str, int]
    orphans: dict[str, int] = Field(description="rows of a history that belong to no client, left out")


class Receipt(_Content):
    """A part that is wholly written."""

    part: int
    clients: int = Field(description="that the part was made of")
    rows: int = Field(description="clients with a row")
    decisions: dict[str, int]
    not_scored: dict[str, int] = Field(description="clients by table, column and reason; one may have several")
    clients_not_scored: int
    sha256: str = Field(description="of the file of the rows")
    input: Counts | None = Field(default=None, description="where the parts are counted, not the files")


class Manifest(_Content):
    """What a finished run has done."""

    run: Run
    clients: int
    rows: int
    decisions: dict[str, int]
    clients_not_scored: int
    not_scored: dict[str, int]
    input_rows: dict[str, int]
    orphan_rows: dict[str, int] = Field(description="rows of a history that belong to no client, left out")
    notes: list[str]
    seconds: float = Field(description="of the last start, on the wall")
    parts: list[Receipt]


class OutputFolder:
    """The folder of one run, locked; use `opened`."""

    def __init__(self, folder: Path, run: Run, rows_folder: str) -> None:
        self.folder, self.run = folder, run
        self._rows_folder = rows_folder

    @property
    def work(self) -> Path:
        """Folder of what is needed until the run is finished."""
        return self.folder / WORK

    def receipt(self, part: int) -> Receipt | None:
        """Return the receipt of a part, or None where it is not there or its file is not what was written."""
        try:
            receipt = Receipt.model_validate_json((self.folder / RECEIPTS / f"{_name(part)}.json").read_bytes())
            content = self._rows_file(part).read_bytes()
        except (FileNotFoundError, ValidationError):
            return None
        return receipt if hashlib.sha256(content).hexdigest() == receipt.sha256 else None

    def write(self, part: int, clients: int, computed: Computed, counts: Counts | None = None) -> Receipt:
        """Write a part and then its receipt; raise OSError, with the file, where that is impossible."""
        rows, not_scored = computed.rows, computed.not_scored
        content = parquet(rows)
        receipt = _receipt(part, clients, computed, hashlib.sha256(content).hexdigest(), counts)
        if len(not_scored):
            write_whole(self.folder / NOT_SCORED_FOLDER / f"{_name(part)}.parquet", parquet(not_scored))
        write_whole(self._rows_file(part), content)
        write_whole(self.folder / RECEIPTS / f"{_name(part)}.json", receipt.model_dump_json(indent=1).encode())
        return receipt

    def manifest(self) -> Manifest | None:
        """Return the manifest of a run that was finished, or None."""
        try:
            return Manifest.model_validate_json((self.folder / MANIFEST_FILE).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest."""
        write_whole(self.folder / MANIFEST_FILE, manifest.model_dump_json(indent=1).encode() + b"\n")

    def _rows_file(self, part: int) -> Path:
        return self.folder / self._rows_folder / f"{_name(part)}.parquet"


@contextlib.contextmanager
def opened(folder: Path, run: Run, rows_folder: str) -> Iterator[OutputFolder]:
    """Lock a folder for one run, new or resumed.

    Raises:
        PortfolioError: another run writes there, or the folder holds another run, or anything else.
        OSError: the folder cannot be made or written.
    """
    require_writable(folder)
    with (folder / LOCK_FILE).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PortfolioError(
                f"{folder}: another run writes there; wait for its end, or name another --out"
            ) from error
        _check_same_run(folder, run)
        write_whole(folder / RUN_FILE, run.model_dump_json(indent=1).encode() + b"\n")
        yield OutputFolder(folder, run, rows_folder)


def _check_same_run(folder: Path, run: Run) -> None:
    existing = _existing_run(folder)
    if existing is None or existing == run:
        return
    differing = next(name for name in Run.model_fields if getattr(existing, name) != getattr(run, name))
    raise PortfolioError(
        f"{folder}: holds a run with another {differing}: {getattr(existing, differing)}, not "
        f"{getattr(run, differing)}; name another --out, or delete that folder"
    )


def _existing_run(folder: Path) -> Run | None:
    try:
        content = (folder / RUN_FILE).read_bytes()
    except FileNotFoundError:
        if other := sorted(path.name for path in folder.iterdir() if path.name != LOCK_FILE):
            raise PortfolioError(
                f"{folder}: holds {other[0]}, which no run over a portfolio wrote; name an empty folder"
            ) from None
        return None
    try:
        return Run.model_validate_json(content)
    except ValidationError as error:
        raise PortfolioError(f"{folder / RUN_FILE}: is damaged, or of another version; delete {folder}") from error


def _receipt(part: int, clients: int, computed: Computed, digest: str, counts: Counts | None) -> Receipt:
    rows, not_scored = computed.rows, computed.not_scored
    left_out = not_scored["SK_ID_CURR"].n_unique()
    if len(rows) + left_out != clients:
        raise PortfolioError(
            f"part {part}: {clients} clients went in, {len(rows)} were scored and {left_out} left out; delete the "
            "folder of --out and run this again"
        )
    decisions = Counter(rows["decision"].to_list()) if "decision" in rows.columns else {}
    reasons = Counter(f"{table}.{column}: {reason}" for _, table, column, reason in not_scored.iter_rows())
    return Receipt(
        part=part,
        clients=clients,
        rows=len(rows),
        decisions=dict(decisions),
        not_scored=dict(reasons),
        clients_not_scored=left_out,
        sha256=digest,
        input=counts,
    )


def manifest_of(run: Run, parts: Sequence[Receipt], counts: Counts, notes: Sequence[str], seconds: float) -> Manifest:
    """Return the manifest of a run whose parts are all written."""
    decisions, not_scored = Counter[str](), Counter[str]()
    for receipt in parts:
        decisions.update(receipt.decisions)
        not_scored.update(receipt.not_scored)
    return Manifest(
        run=run,
        clients=sum(receipt.clients for receipt in parts),
        rows=sum(receipt.rows for receipt in parts),
        decisions=dict(sorted(decisions.items())),
        clients_not_scored=sum(receipt.clients_not_scored for receipt in parts),
        not_scored=dict(sorted(not_scored.items())),
        input_rows=counts.rows,
        orphan_rows={name: count for name, count in counts.orphans.items() if count},
        notes=list(notes),
        seconds=seconds,
        parts=list(parts),
    )


def parquet(frame: pl.DataFrame) -> bytes:
    """Return a frame as the content of a Parquet file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def write_whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file that is either there with all of its content or not at all; raise OSError with its name.

    Unless `durable`, that holds when the process is killed, but not when the machine loses power.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        unfinished.rename(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def _name(part: int) -> str:
    return f"part-{part:05d}"
