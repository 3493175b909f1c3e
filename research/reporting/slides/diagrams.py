"""Diagrams of the slides: the path of a decision, the parts of the project, its checks, its commits."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from matplotlib.figure import Figure
from matplotlib.image import imread

from bento.data.tables import TABLES
from bento.i18n import TextPair
from research.cli import ROOT, CommandError
from research.data.splits import SHARES
from research.reporting.quoted_figures import number
from research.reporting.slides.drawing import BLUE, GREEN, GREY, ORANGE, Canvas, Draw, arrow, bars, box, text_width

IMAGES = ROOT / "docs" / "images"
MAX_COMMITS = 9


def column_of_boxes(canvas: Canvas, texts: Sequence[TextPair], colours: Sequence[str]) -> Figure:
    """Draw boxes one below the other, an arrow between two of them."""
    figure, axes = canvas.board()
    step = canvas.height / len(texts)
    height = min(0.75, 0.62 * step)
    for place, (text, colour) in enumerate(zip(texts, colours, strict=True)):
        bottom = canvas.height - (place + 0.5) * step - height / 2
        box(axes, (0.3, bottom, canvas.width - 0.6, height), canvas.text(text), colour)
        if place:
            middle = canvas.width / 2
            arrow(axes, (middle, bottom + step), (middle, bottom + height))
    return figure


def path(canvas: Canvas) -> Figure:
    """Draw the path of a decision."""
    steps: list[TextPair] = [
        ("credit file: application and history", "dossier : demande et historique"),
        ("probability of default", "probabilité de défaut"),
        ("rules and threshold: the decision", "règles et seuil : la décision"),
        ("reasons, and another loan if there is one", "motifs, et un autre prêt s'il y en a un"),
        ("journal: it can be decided again", "journal : on peut décider à nouveau"),
    ]
    return column_of_boxes(canvas, steps, [BLUE, BLUE, ORANGE, BLUE, GREEN])


def preparation(canvas: Canvas) -> Figure:
    """Draw the steps from raw tables to features."""
    steps: list[TextPair] = [
        ("raw tables, as the lender stores them", "tables brutes, telles que stockées"),
        ("check: types, limits, keys", "contrôler : types, bornes, clés"),
        ("clean: codes become unknown", "nettoyer : les codes deviennent inconnus"),
        (
            "aggregate by client: {project:features:d} features",
            "agréger par client : {project:features:d} variables",
        ),
        ("same code in training and service", "même code à l'entraînement et au service"),
    ]
    return column_of_boxes(canvas, steps, [BLUE, BLUE, BLUE, BLUE, GREEN])


def tables(canvas: Canvas) -> Figure:
    """Draw the tables with their numbers of columns."""
    figure, axes = canvas.axes(("columns", "colonnes"))
    counts = [len(table.columns) for table in TABLES.values()]
    bars(axes, list(TABLES), counts, [str(count) for count in counts], [ORANGE] + [BLUE] * (len(counts) - 1))
    return figure


def splits(canvas: Canvas) -> Figure:
    """Draw the three splits and what reads each of them."""
    figure, axes = canvas.board()
    uses: dict[str, tuple[TextPair, str]] = {
        "development": (
            ("development: folds, tuning,\nselection, threshold", "développement : plis,\nréglage, sélection, seuil"),
            BLUE,
        ),
        "gate": (("gate: promotion only", "contrôle : promotion seule"), ORANGE),
        "test": (("test: read once", "test : lu une seule fois"), GREEN),
    }
    bottom = canvas.height - 0.2
    for name, share in SHARES.items():
        text, colour = uses[name]
        height = (canvas.height - 1.0) * share
        bottom -= height + 0.2
        label = f"{number(share, '.0%', canvas.language)}   {canvas.text(text)}"
        box(axes, (0.3, bottom, canvas.width - 0.6, height), label, colour)
    return figure


def cost_matrix(canvas: Canvas) -> Figure:
    """Draw decisions against outcomes with the cost of each."""
    figure, axes = canvas.board()
    left, head = 2.1, 0.7
    width, height = (canvas.width - left - 0.2) / 2, (canvas.height - head - 0.4) / 2
    cost = "{project:false_negative:.0f}"
    cells: list[tuple[TextPair, str]] = [
        (("0", "0"), GREY),
        ((f"{cost}\nmissed\ndefault", f"{cost}\ndéfaut\nmanqué"), ORANGE),
        (("1\ngood client\nrefused", "1\nbon client\nrefusé"), ORANGE),
        (("0", "0"), GREY),
    ]
    for place, (text, colour) in enumerate(cells):
        row, column = divmod(place, 2)
        corner = (left + column * width + 0.1, canvas.height - head - (row + 1) * height)
        box(axes, (*corner, width - 0.2, height - 0.2), canvas.text(text), colour, bold=colour == ORANGE)
    heads: list[TextPair] = [("repaid", "remboursé"), ("default", "défaut")]
    for column, text in enumerate(heads):
        axes.text(left + (column + 0.5) * width, canvas.height - 0.4, canvas.text(text), ha="center", va="center")
    rows: list[TextPair] = [("granted", "accordé"), ("refused", "refusé")]
    for row, text in enumerate(rows):
        axes.text(
            left - 0.1, canvas.height - head - (row + 0.5) * height - 0.1, canvas.text(text), ha="right", va="center"
        )
    return figure


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


def rooms(canvas: Canvas) -> Figure:
    """Draw the parts of the project and what each may import or call."""
    figure, axes = canvas.board()
    width, height = 3.3, 1.15
    middle = (canvas.width - width) / 2
    right = canvas.width - width - 0.1
    low, high = 0.35, canvas.height - height - 0.2
    box(
        axes,
        (middle, high, width, height),
        canvas.text(("bento\ndecides and explains", "bento\ndécide et explique")),
        ORANGE,
    )
    box(axes, (0.1, high, width, height), canvas.text(("research\ntrains, compares", "research\nentraîne, compare")))
    box(axes, (right, high, width, height), canvas.text(("drift\nwatches", "drift\nsurveille")))
    box(
        axes,
        (middle, low, width, height),
        canvas.text(("ui\nthe officers' page", "ui\nla page des conseillers")),
        GREEN,
    )
    box(
        axes,
        (0.1, low, width, height),
        canvas.text(("MLflow registry,\nBento store, image", "registre MLflow,\nmagasin Bento, image")),
        GREY,
    )
    box(axes, (right, low, width, height), canvas.text(("journal\nof decisions", "journal\ndes décisions")), GREY)
    level = high + height / 2
    arrow(axes, (0.1 + width, level), (middle, level), canvas.text(("import", "import")))
    arrow(axes, (right, level), (middle + width, level), canvas.text(("import", "import")))
    arrow(axes, (canvas.width / 2, low + height), (canvas.width / 2, high))
    axes.text(canvas.width / 2 + 0.1, (low + height + high) / 2, "HTTP", va="center", color="#444444")
    arrow(axes, (0.1 + width / 2, high), (0.1 + width / 2, low + height))
    arrow(axes, (0.1 + width, low + height), (middle, high), "")
    arrow(axes, (middle + width, high), (right, low + height), "")
    arrow(axes, (right + width / 2, high), (right + width / 2, low + height))
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
    "Debian packages": ("Debian packages", "paquets Debian"),
    "make setup": ("environments", "environnements"),
    "make check": ("format, types,\nlayers, words", "format, types,\ncouches, mots"),
    "make test": ("unit tests", "tests unitaires"),
    "make test-serving": ("tests of the\ncontainer's code", "tests du code\ndu conteneur"),
    "make test-faults": ("faults, fuzzing", "pannes, requêtes\naléatoires"),
    "make test-postgres": ("PostgreSQL", "PostgreSQL"),
    "make test-notebooks": ("notebooks", "notebooks"),
    "make test-benchmarks": ("benchmarks", "mesures"),
    "make test-mutation": ("planted faults", "fautes plantées"),
    "make test-browser": ("page in a browser", "page dans un\nnavigateur"),
    "make test-container": ("image", "image"),
    "make test-docs": ("documents", "documents"),
}
"""Words for the steps of `.ci/run`; a step that is not listed is drawn by its name."""


def integration_steps(script: Path = ROOT / ".ci" / "run") -> list[str]:
    """Return the names of the steps of the integration script, without its last line."""
    names = re.findall(r'^step "(.+)"$', script.read_text("utf-8"), re.MULTILINE)
    return [name for name in names if name != "all passed"]


def pipeline(canvas: Canvas) -> Figure:
    """Draw the steps of the continuous integration."""
    commit = canvas.text(("commit", "commit"))
    names = integration_steps()
    texts = [canvas.text(STEP_WORDS[name]) if name in STEP_WORDS else name.removeprefix("make ") for name in names]
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


def deployment(canvas: Canvas) -> Figure:
    """Draw the jobs of the workflow that deploys, or else the commands from a model to a running service."""
    jobs = deployment_jobs()
    if jobs:
        return row_of_boxes(canvas, jobs, 4, [BLUE] * len(jobs))
    return row_of_boxes(canvas, [canvas.text(step) for step in DELIVERY], 4, [BLUE] * 5 + [ORANGE] * 2 + [GREEN])


def deployment_jobs(folder: Path = ROOT / ".github" / "workflows") -> list[str]:
    """Return the jobs of the first workflow whose name holds "deploy", in their order; none without such a workflow."""
    for workflow in sorted(folder.glob("*deploy*.y*ml")):
        content: dict[str, Any] = yaml.safe_load(workflow.read_text("utf-8"))
        return [str(job.get("name", key)).replace(" ", "\n", 1) for key, job in content["jobs"].items()]
    return []


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


ACTIONS: list[tuple[TextPair, TextPair]] = [
    (
        ("values change unit or vanish", "des valeurs changent d'unité ou disparaissent"),
        ("repair the source", "réparer la source"),
    ),
    (
        ("ranking lost, beyond chance", "classement perdu, au-delà du hasard"),
        ("retrain, then the gate", "réentraîner, puis le contrôle"),
    ),
    (
        ("defaults off the predicted ones", "défauts éloignés des prédits"),
        ("recalibrate, then the gate", "recalibrer, puis le contrôle"),
    ),
    (("drift without measured loss", "dérive sans perte mesurée"), ("look for the cause", "chercher la cause")),
]


def actions(canvas: Canvas) -> Figure:
    """Draw each finding of the watch and its action."""
    figure, axes = canvas.board()
    step = canvas.height / len(ACTIONS)
    for place, (finding, action) in enumerate(ACTIONS):
        bottom = canvas.height - (place + 1) * step + 0.15
        box(axes, (0.2, bottom, 6.3, step - 0.3), canvas.text(finding), ORANGE)
        box(axes, (7.7, bottom, canvas.width - 7.9, step - 0.3), canvas.text(action), GREEN)
        arrow(axes, (6.5, bottom + step / 2 - 0.15), (7.7, bottom + step / 2 - 0.15))
    return figure


def picture(name: str, region: tuple[float, float, float] = (0, 0, 1)) -> Draw:
    """Return a function that draws a region of an image of the documents: left, top and right as shares of its width.

    The region reaches down as far as the place on the slide is high.
    """

    def draw(canvas: Canvas) -> Figure:
        image = imread(IMAGES / f"{name}.png")
        left, top, right = (round(share * image.shape[1]) for share in region)
        part = image[top : top + round((right - left) * canvas.height / canvas.width), left:right]
        height = canvas.width * part.shape[0] / part.shape[1]
        figure, axes = canvas.board()
        axes.imshow(part, extent=(0, canvas.width, canvas.height - height, canvas.height))
        axes.set(xlim=(0, canvas.width), ylim=(0, canvas.height))
        return figure

    return draw


DIAGRAMS: dict[str, Draw] = {
    "path": path,
    "tables": tables,
    "preparation": preparation,
    "splits": splits,
    "cost_matrix": cost_matrix,
    "mlflow_runs": picture("mlflow_runs", (0.165, 0.165, 0.72)),
    "commits": commits,
    "rooms": rooms,
    "tests": tests,
    "pipeline": pipeline,
    "deployment": deployment,
    "ui": picture("ui"),
    "actions": actions,
}
