"""Draw explanations: SHAP's plots with the labels of the catalogue, and LIME beside SHAP."""

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
import shap
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bento.features.catalogue import CATALOGUE
from bento.features.definitions import GROUP_LABELS, Group
from bento.model.manifest import DataSource
from bento.model.scoring_model import ScoringModel, encode
from research.plotting import DPI, LESS_RISK, MORE_RISK, data_note, save_figure
from research.types import Floats

MAX_SHOWN = 20
"""Features of the beeswarm plot."""
MAX_SHOWN_LIME = 12
PANELS = 6
"""Features of the dependence plot."""
WIDTH, WIDE = 36, 46
"""Characters of a label's line, in narrow and in wide places."""
LOG_ODDS = "contribution to the log-odds of default"
UNITS = ("currency", "days", "months", "years", "hour")


@dataclass(frozen=True)
class View:
    """Clients and their contributions as SHAP's plots take them, and the source of the data."""

    names: list[str]
    explanation: shap.Explanation
    """Of all clients; the data are the encoded numbers."""
    words: NDArray[np.object_]
    """The same values as displayed."""
    source: DataSource

    @classmethod
    def of(cls, model: ScoringModel, features: pl.DataFrame, contributions: Floats, base: float) -> Self:
        """Return the view of these clients (rows) by their contributions (rows x features)."""
        words = [[shown(name, value) for value in features[name].to_list()] for name in model.feature_names]
        explanation = shap.Explanation(
            contributions,
            base_values=np.full(len(contributions), base),
            data=encode(features, model.manifest.features),
            feature_names=[label(name) for name in model.feature_names],
        )
        return cls(model.feature_names, explanation, np.array(words, dtype=object).T, model.manifest.training_data)


def label(name: str, width: int = WIDTH) -> str:
    """Return the label of a feature, with its unit where the label does not name it, wrapped into lines.

    >>> label("application_employed_years", width=50), label("installments_days_early_mean")
    ('Time in the present employment [years]', 'Days early (mean)')
    """
    feature = CATALOGUE[name]
    without_unit = feature.unit not in UNITS or feature.unit in feature.en.lower()
    return textwrap.fill(feature.en if without_unit else f"{feature.en} [{feature.unit}]", width)


def shown(name: str, value: float | str | None) -> str:
    """Return a value as it is displayed.

    >>> shown("application_employed_years", 3.14159), shown("application_employed_years", None)
    ('3.14', 'unknown')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "unknown"
    if isinstance(value, str):
        return value
    if CATALOGUE[name].unit == "flag" and value in (0, 1):
        return "yes" if value else "no"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def plot_beeswarm(view: View, path: Path, seed: int) -> None:
    """Draw the main features over all clients: a point is a client, its colour the value, grey a category or null."""
    categories = [bool(CATALOGUE[name].categories) for name in view.names]
    data = view.explanation.data.astype(object)
    data[:, categories] = view.words[:, categories]
    explanation = shap.Explanation(view.explanation.values, data=data, feature_names=view.explanation.feature_names)
    with _drawing_order(seed):
        figure = plt.figure(figsize=(9, 8), layout="constrained")
        axes = figure.add_subplot()
        limits = {"max_display": MAX_SHOWN, "group_remaining_features": False, "plot_size": None}
        shap.plots.beeswarm(explanation, ax=axes, show=False, color_bar_label="value", **limits)
        axes.set_title("What moves the score, by client")
        axes.set_xlabel(f"{LOG_ODDS}   (right: more risk; grey: a category, or unknown)", size=10)
        axes.tick_params(labelsize=9)
        save_figure(figure, path, view.source)
        plt.close(figure)


def plot_groups(importance: Floats, names: Sequence[Group], view: View, path: Path) -> None:
    """Draw the mean absolute contribution of each group, summed before the absolute value."""
    order = np.argsort(importance, kind="stable")
    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.add_subplot(title="What moves the score, by concept", xlabel=f"mean size of the {LOG_ODDS}")
    bars = axes.barh([GROUP_LABELS[names[position]]["en"] for position in order], importance[order], color=LESS_RISK)
    axes.bar_label(bars, fmt="%.2f", padding=3, size=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.1)
    save_figure(figure, path, view.source)


def plot_dependence(view: View, path: Path, seed: int) -> None:
    """Draw contribution against value for the main number of each main group; ticks at the left are missing values."""
    positions = main_numbers(view)
    style = {"color": LESS_RISK, "dot_size": 9, "alpha": 0.4, "xmin": "percentile(1)", "xmax": "percentile(99)"}
    with _drawing_order(seed):
        figure, grid = plt.subplots(2, PANELS // 2, figsize=(12, 7), layout="constrained", squeeze=False)
        for axes, position in zip(grid.flat, positions, strict=False):
            shap.plots.scatter(view.explanation[:, position], ax=axes, show=False, **style)
            axes.set_ylabel("")
            axes.axhline(0, c="grey", lw=0.6)
            axes.tick_params(labelsize=9)
            axes.xaxis.label.set_size(10)
        for axes in grid.flat[len(positions) :]:
            axes.set_visible(False)
        figure.suptitle("How the score follows the main number of each main concept (marks at the left: unknown)")
        figure.supylabel(f"{LOG_ODDS} (up: more risk)", size=10)
        save_figure(figure, path, view.source)
        plt.close(figure)


def main_numbers(view: View) -> list[int]:
    """Return the positions of the numbers of largest mean absolute contribution, one for each group, largest first."""
    importance = np.abs(view.explanation.values).mean(axis=0)
    main: dict[Group, int] = {}
    for position in np.argsort(-importance, kind="stable"):
        feature = CATALOGUE[view.names[position]]
        if not feature.categories and feature.unit != "flag":
            main.setdefault(feature.group, int(position))
    return list(main.values())[:PANELS]


def plot_waterfalls(view: View, titles: Mapping[int, str], path: Path) -> None:
    """Draw the waterfall from base value to log-odds of some clients, side by side: a title for each row."""
    images: list[NDArray[Any]] = []
    for row, title in titles.items():
        figure = plt.figure()
        explanation = shap.Explanation(
            view.explanation.values[row],
            base_values=view.explanation.base_values[row],
            display_data=view.words[row],
            feature_names=[label(name, WIDE) for name in view.names],
        )
        shap.plots.waterfall(explanation, max_display=14, show=False)
        figure.axes[0].set_title(f"{title}\nfrom the base value to the log-odds of default", size=13, pad=40)
        figure.axes[0].tick_params(axis="y", labelsize=11)
        if len(images) == len(titles) - 1:
            figure.text(0.98, -0.04, data_note(view.source), ha="right", size=8, c="grey")
        drawn = BytesIO()
        figure.savefig(drawn, dpi=DPI, bbox_inches="tight", pad_inches=0.25)
        plt.close(figure)
        images.append(plt.imread(BytesIO(drawn.getvalue())))
    height = max(len(image) for image in images)
    # SHAP sizes the whole figure for one waterfall, so each is drawn separately and the images are joined.
    padded = [np.pad(image, ((0, height - len(image)), (0, 0), (0, 0)), constant_values=1) for image in images]
    plt.imsave(path, np.hstack(padded))


def plot_lime(view: View, row: int, weights: Floats, probability: float, path: Path) -> None:
    """Draw LIME (seeds x features) beside SHAP for one client, by LIME's main features."""
    mean, contributions = weights.mean(axis=0), view.explanation.values[row]
    order = np.argsort(-np.abs(mean), kind="stable")[:MAX_SHOWN_LIME][::-1]
    names, values_shown = view.explanation.feature_names, view.words[row]
    labels = [f"{names[position]}\n= {textwrap.shorten(values_shown[position], WIDTH)}" for position in order]
    figure = Figure(figsize=(11, 0.52 * len(order) + 1.8), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, values, title, unit in (
        (left, mean, f"LIME, mean of {len(weights)} seeds (points)", "weight in the probability of default"),
        (right, contributions, "SHAP, exact", LOG_ODDS),
    ):
        colours = [MORE_RISK if values[position] > 0 else LESS_RISK for position in order]
        axes.barh(range(len(order)), values[order], color=colours, alpha=0.85)
        axes.axvline(0, c="black", lw=0.8)
        axes.set(title=title, xlabel=unit)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", alpha=0.3)
        axes.set_axisbelow(True)
    for of_seed in weights:
        left.plot(of_seed[order], range(len(order)), ".", c="black", ms=4)
    left.set_yticks(range(len(order)), labels, size=8)
    figure.suptitle(f"Two views of one client, probability of default {probability:.1%} (red: more risk)")
    save_figure(figure, path, view.source)


@contextmanager
def _drawing_order(seed: int) -> Iterator[None]:
    """Seed NumPy's global generator, by which SHAP orders its points, and restore its state."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
