"""Diagrams of the slides: the path of a decision, the parts of the project, its checks, its commits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread

from bento.data.tables import TABLES
from bento.i18n import TextPair
from research.cli import ROOT, CommandError
from research.data.splits import SHARES
from research.reporting.quoted_figures import number
from research.reporting.slides.drawing import BLUE, GREEN, GREY, ORANGE, Canvas, Draw, arrow, bars, box

IMAGES = ROOT / "docs" / "images"
SCALE = ((0.843, 0.929, 0.890), (0.969, 0.863, 0.847))
"""Colours of the scale of risk where a loan is granted, and where it is refused: red, green, blue from 0 to 1."""
SAME_COLOUR = 0.01
"""Largest distance of two shares of a colour that is taken for the same."""
BELOW_SCALE, BESIDE_SCALE = 64, 14
"""Pixels of the page that are shown below its scale, for the label of the threshold, and on either side."""


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
        "test": (("test: to publish only", "test : pour publier"), GREEN),
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


def strips(name: str, top: float, *strips: tuple[float, float]) -> Draw:
    """Return a function that draws strips of an image of the documents side by side; all shares are of its width.

    Each strip is from left to right; all begin at `top`, and reach down as far as the place on the slide is high.
    """

    def draw(canvas: Canvas) -> Figure:
        image = _image(name)
        width = image.shape[1]
        beside = np.hstack([image[:, round(left * width) : round(right * width)] for left, right in strips])
        return _shown(canvas, beside, round(top * width))

    return draw


def scale_of_risk(canvas: Canvas) -> Figure:
    """Draw the part of the officers' page that ends with the scale of risk, as wide as the scale.

    Raises:
        CommandError: the picture of the page shows no scale.
    """
    name = f"decide_{canvas.language}_wide"
    image = _image(name)
    granted, refused = (np.abs(image[..., :3] - colour).max(axis=2) < SAME_COLOUR for colour in SCALE)
    both = np.flatnonzero(granted.any(axis=1) & refused.any(axis=1))
    rows = max(np.split(both, np.flatnonzero(np.diff(both) > 1) + 1), key=len)
    if not len(rows):
        raise CommandError(f"docs/images/{name}.png shows no scale of risk; take it again: make screenshots")
    left = int(np.flatnonzero(granted[rows].any(axis=0))[0])
    right = int(np.flatnonzero(refused[rows].any(axis=0))[-1])
    column = image[: rows[-1] + BELOW_SCALE, max(0, left - BESIDE_SCALE) : right + BESIDE_SCALE]
    return _shown(canvas, column, max(0, len(column) - round(column.shape[1] * canvas.height / canvas.width)))


def _image(name: str) -> Any:
    """Return an image of the documents: rows x columns x colours, from 0 to 1."""
    return imread(IMAGES / f"{name}.png")


def _shown(canvas: Canvas, image: Any, top: int) -> Figure:
    """Draw an image from a row of pixels on, as wide as the canvas, and as far down as there is place."""
    part = image[top : top + round(image.shape[1] * canvas.height / canvas.width)]
    height = canvas.width * part.shape[0] / part.shape[1]
    figure, axes = canvas.board()
    axes.imshow(part, extent=(0, canvas.width, canvas.height - height, canvas.height))
    axes.set(xlim=(0, canvas.width), ylim=(0, canvas.height))
    return figure


DIAGRAMS: dict[str, Draw] = {
    "path": path,
    "tables": tables,
    "preparation": preparation,
    "splits": splits,
    "cost_matrix": cost_matrix,
    "mlflow_runs": strips("mlflow_runs", 0.165, (0.165, 0.49), (0.72, 0.79), (0.86, 0.965)),
    "rooms": rooms,
    "ui": scale_of_risk,
    "actions": actions,
}
