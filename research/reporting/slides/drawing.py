"""What the pictures of the slides share: sizes, colours, boxes and arrows, words in both languages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import ImageFont

from bento.i18n import TextPair
from research.cli import CommandError
from research.reporting.quoted_figures import LANGUAGES, Language, QuotedFigures

mpl.use("Agg")

MIN_POINTS = 16
"""Smallest size of any text of a slide, in points, so that it is legible at the back of a hall."""
BLUE, ORANGE, GREEN, GREY, PALE = "#1f5f8b", "#c4561a", "#3b7d4f", "#8a8f98", "#e8eef3"
"""Colours that differ in brightness too, for readers who do not tell red from green."""


@dataclass(frozen=True)
class Canvas:
    """What a picture is drawn with: the figures, the language, and its size on the slide in inches."""

    figures: QuotedFigures
    language: Language
    width: float
    height: float

    def text(self, pair: TextPair) -> str:
        """Return a text of this language, its figures filled in."""
        return self.figures.fill(pair[LANGUAGES.index(self.language)], self.language)

    def figure(self) -> Figure:
        """Return an empty figure of the size that it has on the slide."""
        return Figure(figsize=(self.width, self.height), layout="constrained")

    def axes(self, x: TextPair = ("", ""), y: TextPair = ("", "")) -> tuple[Figure, Axes]:
        """Return a figure of one part with its labels."""
        figure = self.figure()
        axes = figure.add_subplot(xlabel=self.text(x), ylabel=self.text(y))
        axes.spines[["top", "right"]].set_visible(False)
        return figure, axes

    def board(self) -> tuple[Figure, Axes]:
        """Return a figure without axes whose coordinates are inches, for a diagram."""
        figure = Figure(figsize=(self.width, self.height))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, self.width), ylim=(0, self.height))
        axes.set_axis_off()
        return figure, axes


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(mpl.get_data_path(), "fonts", "ttf", f"{name}.ttf")), 10 * size)


def text_width(text: str, size: int = MIN_POINTS, bold: bool = False, font: str = "DejaVuSans") -> float:
    """Return the width of one line in inches, in a font of matplotlib: the same everywhere, and wider than Arial."""
    return float(_font(f"{font}-Bold" if bold else font, size).getlength(text)) / 720


MARGIN = 0.1
"""Inches that a box is wider than its text, at least."""
Draw = Callable[[Canvas], Figure]
STYLE: Any = {"font.size": MIN_POINTS, "axes.labelsize": MIN_POINTS, "axes.titlesize": MIN_POINTS + 1}
"""Settings of matplotlib in which pictures are drawn."""


def box(
    axes: Axes, place: tuple[float, float, float, float], text: str, colour: str = BLUE, bold: bool = False
) -> None:
    """Draw a box with a text in its middle; the place is left, bottom, width and height in inches.

    A `CommandError` names a text that is larger than its box.
    """
    left, bottom, width, height = place
    lines = text.split("\n")
    if (
        max(text_width(line, bold=bold) for line in lines) > width - MARGIN
        or len(lines) * MIN_POINTS * 1.25 / 72 > height
    ):
        raise CommandError(f"{text!r} does not fit into a box of {width:.1f} by {height:.1f} inches; shorten it")
    shape = FancyBboxPatch(
        (left, bottom), width, height, boxstyle="round,pad=0,rounding_size=0.08", fc=PALE, ec=colour, lw=2
    )
    axes.add_patch(shape)
    axes.text(
        left + width / 2,
        bottom + height / 2,
        text,
        ha="center",
        va="center",
        size=MIN_POINTS,
        weight="bold" if bold else "normal",
        linespacing=1.25,
    )


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], text: str = "") -> None:
    """Draw an arrow between two points in inches, its text above the middle."""
    axes.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "lw": 2, "color": GREY})
    if text:
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 0.08)
        axes.text(*middle, text, ha="center", va="bottom", size=MIN_POINTS, color="#444444")


def bars(
    axes: Axes, labels: Sequence[str], values: Sequence[float], written: Sequence[str], colours: Sequence[str]
) -> None:
    """Draw horizontal bars, the first on top, each with its value written behind it."""
    places = range(len(values))
    axes.barh(places, values, color=colours, height=0.65)
    axes.set_yticks(list(places), list(labels))
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    for place, value, text in zip(places, values, written, strict=True):
        axes.annotate(text, (value, place), xytext=(6, 0), textcoords="offset points", va="center")
    axes.margins(x=0.18)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
