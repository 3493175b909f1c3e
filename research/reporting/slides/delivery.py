"""Diagrams of how a change is delivered: commits, checks, tests and deployment, drawn from the project's files."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from matplotlib.figure import Figure

from bento.i18n import TextPair
from research.cli import ROOT, CommandError
from research.reporting.slides.drawing import BLUE, GREEN, GREY, ORANGE, Canvas, Draw, arrow, bars, box, text_width

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


def row_of_boxes(canvas: Canvas, texts: Sequence[str], columns: int, colours: Sequence[str]) -> Figure:
    """Draw boxes in rows from left to right, each row below the one before, with arrows between."""
    figure, axes = canvas.board()
    rows = -(-len(texts) // columns)
    width, height = canvas.width / columns, canvas.height / rows
    for place, (text, colour) in enumerate(zip(texts, colours, strict=True)):
        row, column = divmod(place, columns)
        left, bottom = column * width + 0.2, canvas.height - (row + 1) * height + 0.15
        box(axes, (left, bottom, width - 0.4, height - 0.3), text, colour)
        if column:
            arrow(axes, (left - 0.4, bottom + height / 2 - 0.15), (left, bottom + height / 2 - 0.15))
    return figure


STEP_WORDS: dict[str, TextPair] = {
    "make packages": ("Debian packages", "paquets Debian"),
    "make setup": ("environments", "environnements"),
    "make check": ("format, types,\nlayers, words", "format, types,\ncouches, mots"),
    "make test": ("unit tests", "tests unitaires"),
    "make test-serving": ("tests of the\ncontainer's code", "tests du code\ndu conteneur"),
    "make test-faults": ("faults, fuzzing", "pannes,\naléas"),
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
    "make test-dask": ("training\non Dask", "apprentissage\nsur Dask"),
}
"""Words for the steps of `.ci/run`; a step that is not listed is drawn by its name."""


def integration_steps(script: Path = ROOT / ".ci" / "run") -> list[str]:
    """Return the steps of the integration script that are targets of make: one after another, then those in lanes."""
    text = script.read_text("utf-8")
    lanes = " ".join(re.findall(r"^lane (.+) &$", text, re.MULTILINE)).split()
    return [*re.findall(r'^step "(make .+)"$', text, re.MULTILINE), *(f"make {target}" for target in lanes)]


def pipeline(canvas: Canvas) -> Figure:
    """Draw the steps of the continuous integration."""
    commit = canvas.text(("commit", "commit"))
    names = integration_steps()
    texts = [
        canvas.text(STEP_WORDS[name])
        if name in STEP_WORDS
        else _wrapped(name.removeprefix("make "), canvas.width / 5 - 0.5)
        for name in names
    ]
    texts = [commit, *texts]
    return row_of_boxes(canvas, texts, 5, [ORANGE, *[BLUE] * len(names)])


DELIVERY: list[TextPair] = [
    ("train:\na challenger", "train :\nun challenger"),
    ("promote:\nthe gate decides", "promote :\nle contrôle décide"),
    ("import: examples\nrecomputed", "import : exemples\nrecalculés"),
    ("build:\nlocked packages", "build :\npaquets figés"),
    ("containerize:\nno root, no secret", "containerize :\nni root, ni secret"),
    ("start: model,\njournal, keys", "démarrage : modèle,\njournal, clés"),
    ("first prediction\nas expected", "première prédiction\ncomme attendu"),
    ("watch: measures,\ndrift, rollback", "surveillance :\ndérive, retour"),
]


DEPLOYMENT_WORDS: dict[str, TextPair] = {
    "Champion of": ("champion of\nthe registry", "champion\ndu registre"),
    "Import": ("examples\nrecomputed", "exemples\nrecalculés"),
    "Image of": ("images: service,\npage", "images : service,\npage"),
    "Push": ("pushed by digest,\nattested", "poussées,\nattestées"),
    "Name what": ("pushed by digest,\nattested", "poussées,\nattestées"),
    "Provenance": ("pushed by digest,\nattested", "poussées,\nattestées"),
    "Bill of materials": ("pushed by digest,\nattested", "poussées,\nattestées"),
    "Verify who": ("attestation\nverified", "attestation\nvérifiée"),
    "Deploy": ("tested, traffic\nshifted in steps,\nor put back", "testé, trafic\npar étapes,\nou retour"),
    "What runs": ("what runs\nis reported", "ce qui tourne\nest rapporté"),
    "Build": ("build", "construction"),
    "Staging": ("staging", "préproduction"),
    "Production": ("production", "production"),
}
"""Words for jobs and steps by the begin of their names; equal neighbours are one box, others keep their name."""


def deployment(canvas: Canvas) -> Figure:
    """Draw the jobs of the workflow that deploys with their steps, or else the commands from a model to a service."""
    jobs = deployment_jobs()
    if not jobs:
        return row_of_boxes(canvas, [canvas.text(step) for step in DELIVERY], 4, [BLUE] * 5 + [ORANGE] * 2 + [GREEN])
    figure, axes = canvas.board()
    columns = 1 + max(len(_in_words(canvas, steps)) for steps in jobs.values())
    width, height = canvas.width / columns, canvas.height / len(jobs)
    for row, (job, steps) in enumerate(jobs.items()):
        texts = [*_in_words(canvas, [job]), *_in_words(canvas, steps)]
        for column, text in enumerate(texts):
            left, bottom = column * width + 0.05, canvas.height - (row + 1) * height + 0.15
            place = (left, bottom, width - 0.3, height - 0.3)
            box(axes, place, _wrapped(text, width - 0.4), GREEN if column == 0 else BLUE, bold=column == 0)
            if column:
                arrow(axes, (left - 0.25, bottom + height / 2 - 0.15), (left, bottom + height / 2 - 0.15))
    return figure


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
    """Break a text without line breaks into lines of a width in inches; what is beyond the last line is left out."""
    if "\n" in text:
        return text
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, bold=True) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines[:max_lines])


def deployment_jobs(folder: Path = ROOT / ".github" / "workflows") -> dict[str, list[str]]:
    """Return the jobs of deploy.yml and the names of their steps, those of a called workflow too; none without it."""
    path = folder / "deploy.yml"
    if not path.is_file():
        return {}
    return {str(job.get("name", key)): _steps_of(job, folder) for key, job in _jobs_of(path).items()}


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
    "deployment": deployment,
}
