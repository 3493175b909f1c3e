"""The runs of the watch on drift: their list, and a report as a page that is shut off from everything else."""

import html
import json
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, TypeAdapter, ValidationError

from ui.answers import AnswerPart, Text

INDEX = "index.json"
MAX_BYTES = 20 * 2**20
"""Of a report; one takes about 5 MB."""
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; worker-src blob:"
)
"""What a report may load: what it holds itself, and nothing of any host."""


class Run(AnswerPart):
    """One run; paths are relative to the folder."""

    kind: Literal["report", "performance", "watch"]
    created: datetime
    verdict: str
    exit_code: int
    sentence: Text | str
    html: str | None = None
    json_path: str | None = Field(default=None, alias="json")
    markdown: str | None = None


_RUNS = TypeAdapter(list[Run])


class RunsError(Exception):
    """The list of runs, or a report, cannot be read."""


def listed(folder: Path) -> list[Run]:
    """Return the runs, newest first; none where nothing was run.

    Raises:
        RunsError: the list cannot be read.
    """
    try:
        runs = _RUNS.validate_python(json.loads((folder / INDEX).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return []
    except (OSError, ValueError, ValidationError) as error:
        raise RunsError(f"{folder / INDEX} holds no list of runs") from error
    return sorted(runs, key=lambda run: run.created, reverse=True)


def report(folder: Path, path: str) -> str:
    """Return the HTML of a report.

    Raises:
        RunsError: it is missing, too large, or outside of the folder.
    """
    place = (folder / path).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise RunsError(f"{path} is outside of the folder of the runs")
    try:
        if place.stat().st_size > MAX_BYTES:
            raise RunsError(f"{path} is larger than {MAX_BYTES} bytes")
        return place.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RunsError(f"{path} cannot be read") from error


def framed(content: str, title: str) -> str:
    """Return a page that holds a report in a frame: its scripts run apart, and load nothing.

    Streamlit's own frame shares the page's origin; the frame inside it does not.
    """
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    escaped = html.escape(policy + content, quote=True)
    frame = f'sandbox="allow-scripts" referrerpolicy="no-referrer" title="{html.escape(title, quote=True)}"'
    return (
        "<!DOCTYPE html><html><head><style>html,body{margin:0;height:100%}iframe{border:0;width:100%;height:100%}"
        f'</style></head><body><iframe {frame} srcdoc="{escaped}"></iframe></body></html>'
    )
