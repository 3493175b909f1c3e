"""What figures share: colours, axes, the note that names the data, saving."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bento.model.manifest import DataSource

mpl.use("Agg")

MORE_RISK, LESS_RISK = "#ff0051", "#008bfb"
"""Colours of SHAP's plots."""
DPI = 110


def new_axes(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    """Return a figure of one part, with titles and a grid."""
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=x, ylabel=y)
    axes.grid(alpha=0.3)
    return figure, axes


def data_note(source: DataSource) -> str:
    """Return the note under a figure that names its data.

    >>> data_note(DataSource(data="synthetic", clients=20_000, seed=1, fingerprint=""))
    'data: synthetic, 20,000 clients, seed 1'
    """
    seed = "" if source.seed is None else f", seed {source.seed}"
    return f"data: {source.data}, {source.clients:,} clients{seed}"


def source_of(report: Mapping[str, Any]) -> DataSource:
    """Return the source of the data that a report names."""
    return DataSource(**{name: report[name] for name in DataSource.model_fields})


def save_figure(figure: Figure, path: Path, source: DataSource) -> None:
    """Write a figure of constrained layout, with the note of its data below."""
    line = 0.16 / figure.get_figheight()
    figure.get_layout_engine().set(rect=(0, line, 1, 1 - line))  # type: ignore[union-attr, call-arg]
    figure.text(0.995, 0.03 / figure.get_figheight(), data_note(source), ha="right", va="bottom", size=7, c="grey")
    figure.savefig(path, dpi=DPI)
