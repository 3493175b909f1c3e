"""Keep the runs of drift: each in a folder by its time, all listed in index.json, newest first.

The UI and scheduled jobs read the index. It holds nothing that the folders do not: each run describes itself in
run.json, and the index is written anew from these after each run.
"""

import argparse
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter, ValidationError

from bento.i18n import Wording
from drift.summary import Part

Kind = Literal["report", "performance", "watch"]

OUT = Path("data/results/drift")
INDEX, RUN, PAGE = "index.json", "run.json", "drift.html"
KEEP = 50
"""Runs that are kept by default: a report takes about 5 MB."""
_TIME = "%Y%m%dT%H%M%S_%fZ"
_FOLDER = re.compile(r"\d{8}T\d{6}_\d{6}Z_(report|performance|watch)")
_STEMS: dict[Kind, str] = {"report": "drift", "performance": "performance", "watch": "watch"}
"""What the JSON and the Markdown of a run are named after."""


class Run(Part):
    """One run in index.json; paths are relative to the folder of the index."""

    kind: Kind
    created: datetime = Field(description="UTC")
    verdict: str = Field(description="of a report its verdict, of a watch its action, else measured or estimated")
    exit_code: int
    sentence: Wording = Field(description="the result in one sentence")
    html: str | None = None
    json_: str = Field(alias="json")
    markdown: str


_RUNS = TypeAdapter(list[Run])


@contextmanager
def new_folder(out: Path, kind: Kind) -> Iterator[Path]:
    """Make the folder of a run, and remove it where the run fails."""
    folder = out / f"{datetime.now(UTC):{_TIME}}_{kind}"
    folder.mkdir()
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder
        undo.pop_all()


def record(folder: Path, kind: Kind, verdict: str, exit_code: int, sentence: Wording, keep: int) -> None:
    """List a finished run, whose files are in its folder; of all runs, remove those before the last `keep`."""
    out, stem = folder.parent, _STEMS[kind]
    run = Run(
        kind=kind,
        created=datetime.strptime(folder.name.rpartition("_")[0], _TIME).replace(tzinfo=UTC),
        verdict=verdict,
        exit_code=exit_code,
        sentence=sentence,
        html=f"{folder.name}/{PAGE}" if (folder / PAGE).is_file() else None,
        json=f"{folder.name}/{stem}.json",
        markdown=f"{folder.name}/{stem}.md",
    )
    _write(folder / RUN, run.model_dump_json(indent=1, by_alias=True))
    for old in _folders(out)[keep:]:
        shutil.rmtree(old, ignore_errors=True)
    rebuild(out)


def listed(out: Path) -> list[Run]:
    """Return the runs in index.json, newest first; one that is missing or broken is rebuilt."""
    path = out / INDEX
    try:
        return _RUNS.validate_json(path.read_bytes())
    except FileNotFoundError:
        return rebuild(out) if _folders(out) else []
    except ValidationError:
        progress(f"warning: {path} is broken; it is rebuilt from the runs in {out}")
        return rebuild(out)


def rebuild(out: Path) -> list[Run]:
    """Write index.json from the run.json of each run, and return it; a run without one is not finished, or broken."""
    runs = []
    for folder in _folders(out):
        try:
            runs.append(Run.model_validate_json((folder / RUN).read_bytes()))
        except FileNotFoundError:
            continue
        except ValidationError:
            progress(f"warning: {folder / RUN} is broken; the run is not listed")
    _write(out / INDEX, _RUNS.dump_json(runs, indent=1, by_alias=True).decode())
    return runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the output folder, and how many runs are kept there."""
    add = parser.add_argument
    add("--out", type=Path, metavar="DIR", default=OUT, help="folder of the runs (%(default)s)")
    add("--keep", type=at_least(1), metavar="N", default=KEEP, help="runs kept there, the last ones (%(default)s)")


def progress(message: str) -> None:
    """Print what is done, apart from the results."""
    print(message, file=sys.stderr, flush=True)


def at_least(minimum: int) -> Callable[[str], int]:
    """Return the reader of a whole number of an option that may not be below a minimum."""

    def whole_number(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise argparse.ArgumentTypeError(f"{value} is below {minimum}")
        return value

    return whole_number


def _folders(out: Path) -> list[Path]:
    """Return the folders of runs, finished or not, newest first."""
    return sorted((path for path in out.iterdir() if path.is_dir() and _FOLDER.fullmatch(path.name)), reverse=True)


def _write(path: Path, text: str) -> None:
    """Write a file at once: a reader finds the old one or the new one."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(path)
