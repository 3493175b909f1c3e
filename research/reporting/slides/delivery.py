"""Diagrams of how a change is delivered: commits, checks, tests and deployment, drawn from the project's files."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bento.i18n import TextPair
from research.cli import ROOT, CommandError
from research.reporting.slides.drawing import (
    BLUE,
    GREEN,
    GREY,
    MARGIN,
    ORANGE,
    Canvas,
    Draw,
    arrow,
    bars,
    box,
    text_width,
)

MAX_COMMITS = 9


def commits(canvas: Canvas) -> Figure:
    """Draw the latest commits; a `CommandError` where the folder has no history."""
    command = ["git", "log", "--no-merges", f"--max-count={MAX_COMMITS}", "--date=short", "--format=%h%x09%ad%x09%s"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError("the slide of the commits needs git and the project's history: clone the repository")
    figure, axes = canvas.board()
    lines = done.stdout.splitlines()
    step = canvas.height / MAX_COMMITS
    for place, line in enumerate(lines):
        digest, day, subject = line.split("\t", 2)
        height = canvas.height - (place + 0.5) * step
        axes.plot([0.25], [height], "o", ms=11, color=BLUE)
        if place + 1 < len(lines):
            axes.plot([0.25, 0.25], [height, height - step], color=BLUE, lw=2)
        short = subject
        while text_width(short) > canvas.width - 3.4:
            short = f"{short.removesuffix('…')[:-1].rstrip()}…"
        axes.text(0.55, height, digest, va="center", family="monospace", color=GREY)
        axes.text(1.85, height, day, va="center", color=GREY)
        axes.text(3.3, height, short, va="center")
    return figure


COLUMNS = 6
"""Boxes of the integration in a row."""
GAP = 0.3
"""Inches between two boxes of a row, for an arrow; less between two rows."""


def row_of_boxes(
    canvas: Canvas, axes: Axes, texts: Sequence[str], row: tuple[int, int], colours: Sequence[str]
) -> None:
    """Draw boxes from left to right with arrows between, as the row of a number of rows that are as high."""
    number, rows = row
    width, height = canvas.width / len(texts), canvas.height / rows
    bottom = canvas.height - (number + 1) * height + GAP / 3
    for column, (text, colour) in enumerate(zip(texts, colours, strict=True)):
        left = column * width + GAP / 2
        if text:
            box(axes, (left, bottom, width - GAP, height - 2 * GAP / 3), text, colour)
        if text and column:
            arrow(axes, (left - GAP, bottom + height / 2 - GAP / 3), (left, bottom + height / 2 - GAP / 3))


STEP_WORDS: dict[str, TextPair] = {
    "make packages": ("Debian\npackages", "paquets\nDebian"),
    "make setup": ("Python\npackages", "paquets\nPython"),
    "make check": ("types, style,\nlayers", "types, style,\ncouches"),
    "make test": ("unit tests", "tests unitaires"),
    "make test-serving": ("container's\ncode", "code du\nconteneur"),
    "make test-faults": ("faults,\nfuzzing", "pannes,\naléas"),
    "make test-postgres": ("PostgreSQL", "PostgreSQL"),
    "make test-notebooks": ("notebooks", "notebooks"),
    "make test-benchmarks": ("benchmarks", "mesures"),
    "make test-mutation": ("injected\nfaults", "défauts\ninjectés"),
    "make test-browser": ("page in\na browser", "page dans\nun navigateur"),
    "make test-container": ("image", "image"),
    "make test-docs": ("documents", "documents"),
    "make test-end-to-end": ("the whole\npath", "parcours\nentier"),
    "make test-cloud": ("cloud,\nworkflows", "cloud,\nworkflows"),
    "make test-spark": ("portfolio\non Spark", "portefeuille\nsur Spark"),
    "make test-dask": ("training\non Dask", "entraînement\nsur Dask"),
}
"""Words for the steps of `.ci/run`; a step that is not listed is drawn by its name."""


def integration_steps(script: Path = ROOT / ".ci" / "run") -> list[str]:
    """Return the steps of the integration script that are targets of make: one after another, then those in lanes."""
    text = script.read_text("utf-8")
    lanes = " ".join(re.findall(r"^lane (.+) &$", text, re.MULTILINE)).split()
    return [*re.findall(r'^step "(make .+)"$', text, re.MULTILINE), *(f"make {target}" for target in lanes)]


def pipeline(canvas: Canvas) -> Figure:
    """Draw the steps of the continuous integration, and in the last row the jobs of the deployment."""
    figure, axes = canvas.board()
    steps = [
        canvas.text(STEP_WORDS[name])
        if name in STEP_WORDS
        else _wrapped(name.removeprefix("make "), canvas.width / COLUMNS - GAP - MARGIN)
        for name in integration_steps()
    ]
    texts = [canvas.text(("commit", "commit")), *steps]
    starts = range(0, len(texts), COLUMNS)
    rows = len(starts) + 1
    for row, start in enumerate(starts):
        part = [*texts[start : start + COLUMNS], *[""] * COLUMNS][:COLUMNS]
        row_of_boxes(canvas, axes, part, (row, rows), [BLUE if row or place else ORANGE for place in range(COLUMNS)])
    jobs = deployment_jobs()
    inside = canvas.width / len(jobs) - GAP - MARGIN
    described = [_wrapped(text, inside) for text in _descriptions(canvas, jobs)]
    row_of_boxes(canvas, axes, described, (rows - 1, rows), [GREEN] * len(jobs))
    return figure


DEPLOYMENT_WORDS: dict[str, TextPair] = {
    "Champion of": ("champion", "champion"),
    "Import": ("examples recomputed", "exemples recalculés"),
    "Image of": ("images", "images"),
    "Push": ("pushed", "poussées"),
    "Name what": ("pushed", "poussées"),
    "Provenance": ("attested", "attestées"),
    "Bill of materials": ("attested", "attestées"),
    "Verify who": ("attestation verified", "attestation vérifiée"),
    "Deploy": ("tested, traffic in steps or put back", "test, trafic par étapes ou retour"),
    "What runs": ("status", "état"),
    "Build": ("build", "construction"),
    "Staging": ("staging", "préproduction"),
    "Production": ("production", "production"),
}
"""Words for jobs and steps by the begin of their names; equal neighbours are stated once, others keep their name."""


def _descriptions(canvas: Canvas, jobs: Mapping[str, Sequence[str]]) -> list[str]:
    """Return for each job its name and its steps in words; of a job that repeats the one before, that it does."""
    texts = []
    before: Sequence[str] = ()
    for job, names in jobs.items():
        (title,) = _in_words(canvas, [job])
        same = [canvas.text(("the same steps", "les mêmes étapes"))]
        steps = same if names == before else _in_words(canvas, names)
        texts.append(title + canvas.text((": ", " : ")) + ", ".join(steps))
        before = names
    return texts


def _in_words(canvas: Canvas, names: Sequence[str]) -> list[str]:
    """Return the words for steps, equal neighbours once."""
    texts: list[str] = []
    for name in names:
        words = next((pair for begin, pair in DEPLOYMENT_WORDS.items() if name.startswith(begin)), None)
        text = canvas.text(words) if words else name
        if text not in texts[-1:]:
            texts.append(text)
    return texts


def _wrapped(text: str, width: float, max_lines: int = 3) -> str:
    """Break a text into lines of a width in inches; `…` stands for what is beyond the last line."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > max_lines:
        last = f"{lines[max_lines - 1]}…"
        while text_width(last) > width:
            last = f"{last[:-2].rstrip()}…"
        lines[max_lines - 1 :] = [last]
    return "\n".join(lines)


def deployment_jobs(folder: Path = ROOT / ".github" / "workflows") -> dict[str, list[str]]:
    """Return the jobs of deploy.yml and the names of their steps, those of a called workflow too."""
    jobs = _jobs_of(folder / "deploy.yml")
    return {str(job.get("name", key)): _steps_of(job, folder) for key, job in jobs.items()}


def _jobs_of(path: Path) -> dict[str, Any]:
    jobs: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))["jobs"]
    return jobs


def _steps_of(job: dict[str, Any], folder: Path) -> list[str]:
    called = str(job.get("uses", ""))
    if called.startswith("./"):
        called_jobs = _jobs_of(folder / Path(called).name).values()
        return [name for called_job in called_jobs for name in _steps_of(called_job, folder)]
    return [str(step["name"]) for step in job.get("steps", []) if "name" in step]


def tests(canvas: Canvas) -> Figure:
    """Draw the number of test functions by part of the project."""
    figure, axes = canvas.axes(("test functions", "fonctions de test"))
    counts: dict[str, int] = {}
    for module in (ROOT / "tests").rglob("test_*.py"):
        part = module.relative_to(ROOT / "tests").parts[0].removesuffix(".py").replace("test_", "")
        part = part if (ROOT / "tests" / part).is_dir() else "documents"
        counts[part] = counts.get(part, 0) + len(re.findall(r"^def test_", module.read_text("utf-8"), re.MULTILINE))
    largest = dict(sorted(counts.items(), key=lambda entry: -entry[1])[:9])
    bars(axes, list(largest), list(largest.values()), [str(count) for count in largest.values()], [BLUE] * len(largest))
    return figure


DELIVERY_DIAGRAMS: dict[str, Draw] = {
    "commits": commits,
    "tests": tests,
    "pipeline": pipeline,
}
