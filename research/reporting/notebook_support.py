"""What the notebooks share: the data they are given, a registered model of it, a comparison, and pictures."""

import os
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
from research.data.dataset import DATA, Data, open_data
from research.data.splits import split_of
from research.evaluation.metrics import SMALL_SAMPLE_CLIENTS
from research.options import FOLDS
from research.registry.promote import promote
from research.reporting.run_notebooks import DATA_VARIABLE
from research.training.train import OUT_OF_FOLD_FILE, RESULTS_FILE, Settings, train

LOOK = {"figure.dpi": 90, "figure.constrained_layout.use": True, "axes.grid": True, "grid.alpha": 0.3}
NOTEBOOK_FOLDS = 3
NEEDED = (RESULTS_FILE, OUT_OF_FOLD_FILE, f"model/{SCORING_FILE}", "shap_beeswarm.png", "lime.png", "fairness.png")
"""Of the results of a training run, those that the notebooks read."""


def open_notebook() -> Data:
    """The data that `NOTEBOOK_DATA` names, else the default data; says which, and how tables look."""
    pl.Config(
        tbl_rows=60,
        tbl_cols=20,
        tbl_hide_dataframe_shape=True,
        tbl_width_chars=160,
        fmt_str_lengths=120,
        float_precision=4,
    )
    folder = os.environ.get(DATA_VARIABLE)
    data = open_data(Path(folder) if folder else None)
    seed = "" if data.source.seed is None else f", seed {data.source.seed}"
    print(f"Data: {data.source.data}, {data.source.clients:,} clients{seed}.")
    if data.source.data == "synthetic":
        print("Every figure below describes the generator of this data, not the world.")
    return data


def model_for(data: Data) -> tuple[ModelVersion, Path]:
    """A registered version trained on this data with this feature code, and the folder of its run's results.

    The champion if it is one, else the newest. Where there is none, one is trained without tuning and put before the
    gate; a champion that was trained on other data is left in its place.
    """
    client = tracking.connect()
    champion = tracking.registered(client, tracking.CHAMPION)
    wanted = tracking.made_from(data.source)
    versions = client.search_model_versions(f"name = '{NAME}'")
    # The champion first, then from the newest on; its aliases are only told of one version at a time.
    versions.sort(
        key=lambda each: (champion is not None and str(each.version) == str(champion.version), int(each.version))
    )
    for version in reversed(versions):
        results = DATA / "results" / version.run_id
        if wanted.items() <= version.tags.items() and all((results / name).is_file() for name in NEEDED):
            return version, results
    version = train(data, Settings(trials=0, folds=folds_for(data)))
    if champion is None or champion.tags.get(tracking.DATA_TAG) == data.source.tag:
        promote(data, new_data=champion is not None and not wanted.items() <= champion.tags.items())
    return version, DATA / "results" / version.run_id


def folds_for(data: Data) -> int:
    """Folds that are worth their time: few where there are few development clients."""
    return NOTEBOOK_FOLDS if _few(data) else FOLDS


def comparison_for(data: Data, families: tuple[str, ...] = (), arms: tuple[str, ...] = ()) -> dict[str, Any]:
    """`research.comparison.compare.compare` at its defaults; on few clients with fewer folds and without its grid.

    Args:
        data: the tables.
        families: of models, by default all; on few clients the two that can be served.
        arms: what is done about the imbalance, by default all.
    """
    few = _few(data)
    default = tuple(name for name, family in compare.FAMILIES.items() if family.served or not few)
    settings = compare.Settings(
        families=families or default, arms=arms or compare.ARMS, folds=folds_for(data), grid=not few
    )
    return compare.compare(data, settings)


def subplots(*shape: int, **settings: Any) -> tuple[Figure, Any]:
    """`plt.subplots` in the look of the notebooks, which is theirs alone: figures of other modules keep their own."""
    with plt.rc_context(LOOK):
        return plt.subplots(*shape, **settings)


def picture(path: Path, width: int) -> Image:
    """A PNG that a command has written, in 256 colours: a notebook keeps its figures within itself.

    Args:
        path: of the picture.
        width: at which it is shown.
    """
    small = BytesIO()
    PIL.Image.open(path).convert("RGB").quantize(256).save(small, "PNG", optimize=True)
    return Image(data=small.getvalue(), format="png", width=width)


def relations(rows: Mapping[str, int]) -> Figure:
    """The tree of the tables: an arrow from each to the one its rows belong to, and how many of them one of those has.

    Args:
        rows: of each table, by name; one that is not named has none.
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
        (to_x, to_y), each = places[parent[0]], rows.get(name, 0) / max(rows.get(parent[0], 0), 1)
        start, end = (x - 0.23, y), (to_x + (0.17 if parent[0] == "application" else 0.23), to_y)
        axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "grey"})
        label = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        axes.text(*middle, f"{parent[1]}: {each:.1f}", ha="center", va="center", size=8, bbox=label)
    return figure


def _few(data: Data) -> bool:
    return int((split_of(data.features()["SK_ID_CURR"]) == "development").sum()) < SMALL_SAMPLE_CLIENTS
