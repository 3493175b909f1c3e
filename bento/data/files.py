"""Find the file of each table in a folder: Parquet or CSV, plain or compressed, named as Kaggle names it."""

import atexit
import contextlib
import difflib
import gzip
import hashlib
import logging
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath

from bento.data.tables import HISTORIES

log = logging.getLogger(__name__)

STEMS = ("application_train", "application_test", *HISTORIES)
"""Names of the files of a folder, without suffix."""
MIN_LIKENESS = 0.85
"""Likeness of two names, as difflib measures it, from which one is taken for a misspelling of the other."""


class DataError(ValueError):
    """Input that cannot be used; the message is one line with file, column and remedy."""


def check_is_folder(folder: Path) -> None:
    """Raise DataError unless there is such a folder and it can be read."""
    with _readable(folder):
        if not folder.is_dir():
            kind = "is no folder" if folder.exists() else "no such folder"
            raise DataError(f"{folder}: {kind}; name the folder that holds the tables, such as {STEMS[0]}.csv")


def find_file(folder: Path, stem: str) -> Path | None:
    """Return `stem.parquet` or `stem.csv` in the folder, else a compressed one, or None.

    Compressed are `stem.csv.gz`, and `stem.csv` or `stem.parquet` inside any zip archive of the folder; the path is
    then `folder/archive.zip/stem.csv`, which `unpacked` turns into that of a file. A plain file hides compressed ones.

    Raises:
        DataError: two files hold the table, or folder or archive cannot be read.
    """
    with _readable(folder):
        paths = _plain_files(folder, stem) or packed_files(folder, stem)
    if len(paths) > 1:
        names = " and ".join(str(path.relative_to(folder)) for path in paths[:2])
        raise DataError(f"{folder}: {names} both hold the table {stem}; keep one of them")
    return paths[0] if paths else None


def packed_files(folder: Path, stem: str) -> list[Path]:
    """Return the paths of a table's compressed files, as `find_file` does."""
    if not folder.is_dir():
        return []
    zipped = folder / f"{stem}.csv.gz"
    archives = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".zip" and path.is_file())
    members = (archive / name for archive in archives for name in _file_names(archive) if name in _plain_names(stem))
    return [*([zipped] if zipped.is_file() else []), *members]


def unpacked(path: Path) -> Path:
    """Return the file to open for a path of `find_file`: itself, or its content, unpacked into a temporary folder.

    The temporary folder is removed when the process ends. A file is unpacked once for each state of its archive.

    Raises:
        DataError: the archive is damaged, encrypted or of an unknown kind, or there is no space.
    """
    container = path if path.is_file() else path.parent
    if container == path and path.suffix != ".gz":
        return path
    state = container.stat()
    try:
        return _unpack(path, container, state.st_mtime_ns, state.st_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"{container}: the archive is damaged ({error}); copy or download it again") from error
    except (RuntimeError, NotImplementedError) as error:  # encrypted; compressed in another way
        raise DataError(f"{container}: cannot be unpacked ({error}); unzip it into the same folder") from error
    except OSError as error:
        raise DataError(f"{container}: cannot be unpacked ({error.strerror}); unzip it into the same folder") from error


def fingerprint(paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the names and contents of files, unpacked; raise DataError where one cannot be read."""
    digest = hashlib.sha256()
    for path in paths:
        content = unpacked(path)
        with _readable(path), content.open("rb") as file:
            digest.update(f"{content.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def absence(folder: Path, stem: str) -> str:
    """Return a line that the folder has no file of a table, with what to do: a misnamed file is named."""
    misnamed = misnamed_file(folder, stem)
    remedy = "put the file there"
    if misnamed is not None:
        suffix = misnamed.removeprefix(misnamed.partition(".")[0])
        readable = suffix.lower() in (".csv", ".parquet", ".csv.gz")
        new_name = f"{stem}{suffix.lower()}" if readable else f"{stem}.csv"
        remedy = f"{misnamed!r} seems to be it: {'rename' if readable else 'unpack or export'} it to {new_name}"
    return f"{folder}: holds neither {stem}.csv nor {stem}.parquet; {remedy}"


def misnamed_file(folder: Path, stem: str) -> str | None:
    """Return the name of a file that seems to hold the table `stem` under another name, or None.

    Such as `Bureau.csv`, `bureau (1).csv`, `bureau_balances.csv` or `bureau.xlsx`.
    """
    letters = {_letters(each_stem): each_stem for each_stem in STEMS}
    right_names = {name for each_stem in STEMS for name in (*_plain_names(each_stem), f"{each_stem}.csv.gz")}
    with _readable(folder):
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    for path in paths:
        nearest = difflib.get_close_matches(_letters(path.name), letters, n=1, cutoff=MIN_LIKENESS)
        if nearest and letters[nearest[0]] == stem and path.name not in right_names:
            return path.name
    return None


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; check its name and permissions") from error


def _plain_names(stem: str) -> tuple[str, ...]:
    return f"{stem}.parquet", f"{stem}.csv"


def _plain_files(folder: Path, stem: str) -> list[Path]:
    return [folder / name for name in _plain_names(stem) if (folder / name).is_file()]


def _letters(name: str) -> str:
    """Return what identifies a table in a file's name: its letters, without suffixes and the marks of a copy."""
    return re.sub(r"copy|copie|[\W\d_]+", "", name.partition(".")[0].casefold())


def _file_names(archive: Path) -> list[str]:
    try:
        with zipfile.ZipFile(archive) as content:
            return [PurePosixPath(name).name for name in content.namelist()]
    except zipfile.BadZipFile as error:
        raise DataError(
            f"{archive}: is no zip archive, or only a part of one; copy or download it again, or delete it"
        ) from error


@cache
def _unpack(path: Path, container: Path, _modified: int, _size: int) -> Path:
    log.info("unpacking %s", path)
    target = Path(tempfile.mkdtemp(dir=_temporary_folder())) / path.name.removesuffix(".gz")
    if container == path:
        with gzip.open(path) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
        return target
    with zipfile.ZipFile(container) as archive:
        member = next(name for name in archive.namelist() if PurePosixPath(name).name == path.name)
        with archive.open(member) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
    return target


@cache
def _temporary_folder() -> str:
    folder = tempfile.mkdtemp(prefix="credit_scoring_tables_")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
