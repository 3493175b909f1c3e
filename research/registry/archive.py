"""A champion as one file, to be carried where no MLflow server is shared.

The file is a tar archive of `champion.json` (see `Record`) and `model/`, the model as MLflow logged it. The same
champion gives the same file, byte for byte.
"""

import contextlib
import io
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from pydantic import BaseModel, ConfigDict, ValidationError

from bento import NAME
from research import tracking
from research.cli import CommandError, shown

RECORD_FILE = "champion.json"
MODEL_FOLDER = "model"
ARCHIVE = Path("build") / "champion.tar"
"""Where `export` writes by default."""


class Record(BaseModel):
    """What the registry knew of an exported version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: int
    run_id: str
    """Training run that made the version."""
    tags: dict[str, str]
    """Tags of the version: training data, feature code, checks of the gate."""


def export(version: ModelVersion, archive: Path) -> Record:
    """Write a registered version into an archive, which appears only once it is whole, and return its record.

    Raises CommandError where the artifacts of the version cannot be had.
    """
    record = Record(
        name=NAME,
        version=int(version.version),
        run_id=tracking.run_id(version),
        tags=dict(sorted(version.tags.items())),
    )
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_name(f"{archive.name}.unfinished")
    with tempfile.TemporaryDirectory() as folder:
        model = tracking.logged_model(version, Path(folder))
        try:
            with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as tar:
                _add(tar, RECORD_FILE, record.model_dump_json(indent=1).encode() + b"\n")
                for path in sorted(path for path in model.rglob("*") if path.is_file()):
                    _add(tar, f"{MODEL_FOLDER}/{path.relative_to(model).as_posix()}", path.read_bytes())
            unfinished.replace(archive)
        finally:
            unfinished.unlink(missing_ok=True)
    return record


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file without owner and time, which differ from run to run."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    tar.addfile(member, io.BytesIO(content))


@contextlib.contextmanager
def opened(archive: Path) -> Iterator[tuple[Record, Path]]:
    """Unpack an archive into a temporary folder; give its record, and the folder of the model as MLflow logged it.

    Raises CommandError where the file is missing, damaged, leads out of the folder, or is no archive of a champion.
    """
    remedy = "give the file that python -m research export wrote"
    if not archive.is_file():
        raise CommandError(f"{shown(archive)}: there is no such file; {remedy}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
            record = Record.model_validate_json((folder / RECORD_FILE).read_bytes())
        except (tarfile.TarError, EOFError, FileNotFoundError, ValidationError) as error:
            raise CommandError(f"{shown(archive)}: is damaged, or holds no champion; {remedy}") from error
        if record.name != NAME:
            raise CommandError(f"{shown(archive)}: holds a model of {record.name}, not of {NAME}; {remedy}")
        if not (folder / MODEL_FOLDER / "MLmodel").is_file():
            raise CommandError(f"{shown(archive)}: holds no {MODEL_FOLDER}/MLmodel; {remedy}")
        yield record, folder / MODEL_FOLDER
