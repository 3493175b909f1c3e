"""Draws explanations: shap's own plots with the labels of the catalogue, and LIME beside SHAP."""

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Self

import matplotlib as mpl
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

mpl.use("Agg")

MORE_RISK, LESS_RISK = "#ff0051", "#008bfb"
"""As shap draws them."""
DPI = 110
SHOWN = 20
PANELS = 6
WIDTH, WIDE = 36, 46
"""Letters of a label before it is broken, in a narrow and in a wide place."""
LOG_ODDS = "contribution to the log-odds of default"
UNITS = ("currency", "days", "months", "years", "hour")

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """Clients and their contributions as shap's plots take them, and the line that names the data."""

    names: list[str]
    explanation: shap.Explanation
    """Of all clients; the data are the numbers as the model takes them."""
    words: NDArray[np.object_]
    """The same values as a person reads them."""
    note: str

    @classmethod
    def of(cls, model: ScoringModel, features: pl.DataFrame, contributions: Matrix, base: float) -> Self:
        """The view of these clients (rows) by their contributions (rows x features)."""
        columns = model.manifest.features
        words = [[shown(name, value) for value in features[name].to_list()] for name in model.feature_names]
        explanation = shap.Explanation(
            contributions,
            base_values=np.full(len(contributions), base),
            data=encode(features, columns),
            feature_names=[label(name) for name in model.feature_names],
        )
        return cls(
            model.feature_names, explanation, np.array(words, dtype=object).T, data_note(model.manifest.training_data)
        )


def label(name: str, width: int = WIDTH) -> str:
    """A feature in words, with its unit where the words do not tell it, broken into lines.

    >>> label("application_employed_years", width=50), label("installments_days_early_mean")
    ('Time in the present employment [years]', 'Days early (mean)')
    """
    feature = CATALOGUE[name]
    told = feature.unit not in UNITS or feature.unit in feature.en.lower()
    return textwrap.fill(feature.en if told else f"{feature.en} [{feature.unit}]", width)


def shown(name: str, value: float | str | None) -> str:
    """A value as a person reads it.

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


def data_note(source: DataSource) -> str:
    """The line under a figure that names its data."""
    seed = "" if source.seed is None else f", seed {source.seed}"
    return f"data: {source.data}, {source.clients:,} clients{seed}"


def save(figure: Figure, path: Path, note: str) -> None:
    """Write a figure of constrained layout with its note below."""
    line = 0.16 / figure.get_figheight()
    figure.get_layout_engine().set(rect=(0, line, 1, 1 - line))
    figure.text(0.995, 0.03 / figure.get_figheight(), note, ha="right", va="bottom", size=7, c="grey")
    figure.savefig(path, dpi=DPI)
    plt.close(figure)


def beeswarm(view: View, path: Path, seed: int) -> None:
    """The main features over all clients: a point is a client, its colour the value, grey a category or unknown."""
    categories = [bool(CATALOGUE[name].categories) for name in view.names]
    data = view.explanation.data.astype(object)
    data[:, categories] = view.words[:, categories]
    explanation = shap.Explanation(view.explanation.values, data=data, feature_names=view.explanation.feature_names)
    with _drawing_order(seed):
        figure = plt.figure(figsize=(9, 8), layout="constrained")
        axes = figure.add_subplot()
        shap.plots.beeswarm(
            explanation,
            max_display=SHOWN,
            group_remaining_features=False,
            ax=axes,
            plot_size=None,
            show=False,
            color_bar_label="value",
        )
        axes.set_title("What moves the score, by client")
        axes.set_xlabel(f"{LOG_ODDS}   (right: more risk; grey: a category, or unknown)", size=10)
        axes.tick_params(labelsize=9)
        save(figure, path, view.note)


def groups(importance: Vector, names: Sequence[Group], view: View, path: Path) -> None:
    """Mean absolute contribution of each concept, the sum taken before the absolute value."""
    order = np.argsort(importance, kind="stable")
    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.add_subplot(title="What moves the score, by concept", xlabel=f"mean size of the {LOG_ODDS}")
    bars = axes.barh([GROUP_LABELS[names[position]]["en"] for position in order], importance[order], color=LESS_RISK)
    axes.bar_label(bars, fmt="%.2f", padding=3, size=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.1)
    save(figure, path, view.note)


def dependence(view: View, path: Path, seed: int) -> None:
    """The main number of each main concept: its value against its contribution, ticks at the left where unknown."""
    positions = main_numbers(view)
    with _drawing_order(seed):
        figure, grid = plt.subplots(2, PANELS // 2, figsize=(12, 7), layout="constrained", squeeze=False)
        for axes, position in zip(grid.flat, positions, strict=False):
            shap.plots.scatter(
                view.explanation[:, position],
                ax=axes,
                show=False,
                color=LESS_RISK,
                dot_size=9,
                alpha=0.4,
                xmin="percentile(1)",
                xmax="percentile(99)",
            )
            axes.set_ylabel("")
            axes.axhline(0, c="grey", lw=0.6)
            axes.tick_params(labelsize=9)
            axes.xaxis.label.set_size(10)
        for axes in grid.flat[len(positions) :]:
            axes.set_visible(False)
        figure.suptitle("How the score follows the main number of each main concept (marks at the left: unknown)")
        figure.supylabel(f"{LOG_ODDS} (up: more risk)", size=10)
        save(figure, path, view.note)


def main_numbers(view: View) -> list[int]:
    """Positions of the numbers of greatest mean absolute contribution, one for each concept, greatest first."""
    importance = np.abs(view.explanation.values).mean(axis=0)
    main: dict[Group, int] = {}
    for position in np.argsort(-importance, kind="stable"):
        feature = CATALOGUE[view.names[position]]
        if not feature.categories and feature.unit != "flag":
            main.setdefault(feature.group, int(position))
    return list(main.values())[:PANELS]


def waterfalls(view: View, titles: Mapping[int, str], path: Path) -> None:
    """From the base value to the log-odds of some clients, side by side: a title for each row."""
    pictures = []
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
        if len(pictures) == len(titles) - 1:
            figure.text(0.98, -0.04, view.note, ha="right", size=8, c="grey")
        drawn = BytesIO()
        figure.savefig(drawn, dpi=DPI, bbox_inches="tight", pad_inches=0.25)
        plt.close(figure)
        pictures.append(plt.imread(BytesIO(drawn.getvalue())))
    height = max(len(picture) for picture in pictures)
    # shap sizes its waterfall by the figure that holds it alone, so each is drawn apart and the pictures are joined.
    level = [np.pad(each, ((0, height - len(each)), (0, 0), (0, 0)), constant_values=1) for each in pictures]
    plt.imsave(path, np.hstack(level))


def lime(view: View, row: int, weights: Matrix, probability: float, path: Path, shown_features: int = 12) -> None:
    """LIME (seeds x features) beside SHAP for one client, by LIME's main features."""
    mean, contributions = weights.mean(axis=0), view.explanation.values[row]
    order = np.argsort(-np.abs(mean), kind="stable")[:shown_features][::-1]
    labels = [
        f"{view.explanation.feature_names[position]}\n= {textwrap.shorten(view.words[row, position], WIDTH)}"
        for position in order
    ]
    figure = Figure(figsize=(11, 0.52 * len(order) + 1.8), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, values, title, unit in (
        (left, mean, f"LIME, mean of {len(weights)} seeds (points)", "weight in the probability of default"),
        (right, contributions, "SHAP, exact", LOG_ODDS),
    ):
        colours = [MORE_RISK if values[position] > 0 else LESS_RISK for position in order]
        axes.barh(range(len(order)), values[order], color=colours, alpha=0.85)
        axes.axvline(0, c="black", lw=0.8)
        axes.set_title(title)
        axes.set_xlabel(unit)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", alpha=0.3)
        axes.set_axisbelow(True)
    for each in weights:
        left.plot(each[order], range(len(order)), ".", c="black", ms=4)
    left.set_yticks(range(len(order)), labels, size=8)
    figure.suptitle(f"Two views of one client, probability of default {probability:.1%} (red: more risk)")
    save(figure, path, view.note)


@contextmanager
def _drawing_order(seed: int) -> Iterator[None]:
    """Shap shuffles its points by NumPy's global generator: seeded here, and given back as it was."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
