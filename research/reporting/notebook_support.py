"""What the notebooks share: opening their data, a registered model of it, a comparison, and pictures."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import PIL.Image
import polars as pl
from IPython.display import Image
from matplotlib.figure import Figure
from mlflow.entities.model_registry import ModelVersion

from bento import NAME
from bento.data.tables import HISTORIES, TABLES
from bento.model.manifest import SCORING_FILE
from research import tracking
from research.comparison import compare
from research.comparison.candidates import ARMS, FAMILIES
from research.data.dataset import DATA, Data, open_data
from research.evaluation.metrics import SMALL_SAMPLE_CLIENTS
from research.options import FOLDS
from research.registry.promote import promote
from research.results import OUT_OF_FOLD_FILE, RESULTS_FILE
from research.settings import Settings as Environment
from research.training.settings import Settings
from research.training.train import train

LOOK: dict[Any, Any] = {"figure.dpi": 90, "figure.constrained_layout.use": True, "axes.grid": True, "grid.alpha": 0.3}
NOTEBOOK_FOLDS = 3
NEEDED = (RESULTS_FILE, OUT_OF_FOLD_FILE, f"model/{SCORING_FILE}", "shap_beeswarm.png", "lime.png", "fairness.png")
"""Files of a training run that the notebooks read."""


def open_notebook() -> Data:
    """Open the data that `NOTEBOOK_DATA` names, or the default data; print its source and set the format of tables."""
    pl.Config(
        tbl_rows=60,
        tbl_cols=20,
        tbl_hide_dataframe_shape=True,
        tbl_width_chars=160,
        fmt_str_lengths=120,
        float_precision=4,
    )
    data = open_data(Environment().notebook_data)
    seed = "" if data.source.seed is None else f", seed {data.source.seed}"
    print(f"Data: {data.source.data}, {data.source.clients:,} clients{seed}.")
    if data.source.data == "synthetic":
        print("Every figure below describes the generator of this data, not the world.")
    return data


def model_for(data: Data) -> tuple[ModelVersion, Path]:
    """Return a registered version trained on this data with this feature code, and its run's folder of results.

    The champion if it is such a version, else the newest. Where there is none, train one without tuning and submit it
    to the gate, except where the champion was trained on other data: it stays champion.
    """
    client = tracking.connect()
    champion = tracking.registered(client, tracking.CHAMPION)
    source_tags = tracking.made_from(data.source)
    champion_version = None if champion is None else str(champion.version)
    versions = client.search_model_versions(f"name = '{NAME}'")
    # The champion first, then the newest. A listed version does not carry its aliases, so the champion is passed in.
    versions.sort(key=lambda version: (str(version.version) == champion_version, int(version.version)), reverse=True)
    for version in versions:
        results = DATA / "results" / tracking.run_id(version)
        if source_tags.items() <= version.tags.items() and all((results / name).is_file() for name in NEEDED):
            return version, results
    version = train(data, Settings(trials=0, folds=folds_for(data)))
    if champion is None or champion.tags.get(tracking.DATA_TAG) == data.source.tag:
        promote(data, new_data=champion is not None and not source_tags.items() <= champion.tags.items())
    return version, DATA / "results" / tracking.run_id(version)


def folds_for(data: Data) -> int:
    """Return the number of folds, fewer where there are few development clients."""
    return NOTEBOOK_FOLDS if _few(data) else FOLDS


def comparison_for(data: Data, families: tuple[str, ...] = (), arms: tuple[str, ...] = ()) -> dict[str, Any]:
    """Run `compare.compare`; on few clients with fewer folds, no grid, and by default only families to be served."""
    few = _few(data)
    default = tuple(name for name, family in FAMILIES.items() if family.served or not few)
    settings = compare.Settings(families=families or default, arms=arms or ARMS, folds=folds_for(data), grid=not few)
    return compare.compare(data, settings)


def subplots(*shape: int, **settings: Any) -> tuple[Figure, Any]:
    """Call `plt.subplots` with the style of the notebooks, which figures of other modules do not use."""
    with plt.rc_context(LOOK):
        return plt.subplots(*shape, **settings)


def picture(path: Path, width: int) -> Image:
    """Return a PNG that a command has written, `width` pixels wide, in 256 colours to keep the notebook small."""
    small = BytesIO()
    PIL.Image.open(path).convert("RGB").quantize(256).save(small, "PNG", optimize=True)
    return Image(data=small.getvalue(), format="png", width=width)


def relations(rows: Mapping[str, int]) -> Figure:
    """Draw the tree of the tables, each with its number of `rows` by name (missing: none).

    An arrow leads from each table to its parent, with the mean number of rows of a parent row.
    """
    places = {"application": (0.0, 3.0), "bureau": (1.0, 5.0), "bureau_balance": (2.0, 5.0)}
    places |= {name: (1.0, 4.0 - number) for number, name in enumerate(HISTORIES[2:])}
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.add_subplot(xlim=(-0.35, 2.35), ylim=(0.4, 5.6))
    axes.axis("off")
    box = {"boxstyle": "round,pad=0.5", "facecolor": "#e8f0fa", "edgecolor": "C0"}
    for name, (x, y) in places.items():
        axes.text(x, y, f"{name}\n{rows.get(name, 0):,} rows", ha="center", va="center", bbox=box, size=9)
        if (parent := TABLES[name].parent) is None:
            continue
        (to_x, to_y), mean = places[parent[0]], rows.get(name, 0) / max(rows.get(parent[0], 0), 1)
        start, end = (x - 0.23, y), (to_x + (0.17 if parent[0] == "application" else 0.23), to_y)
        axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "grey"})
        label = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        axes.text(*middle, f"{parent[1]}: {mean:.1f}", ha="center", va="center", size=8, bbox=label)
    return figure


def _few(data: Data) -> bool:
    return int((data.splits == "development").sum()) < SMALL_SAMPLE_CLIENTS
