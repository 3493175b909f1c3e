"""The waterfall from the average client to this one, and the style that all charts share."""

import html
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from ui import messages
from ui.answers import Explanation

RAISES, LOWERS, TOTAL = "#c2571a", "#2166ac", "#5f6b7a"
INK, GRID = "#1f2933", "#d5dbe3"

WATERFALL_TICKS = tuple(
    thousandths / 1000
    for thousandths in (1, 2, 5, 10, 20, 30, 50, 80, 120, 200, 300, 400, 500, 600, 700, 800, 900, 950)
)
MIN_LABEL_DISTANCE = 0.07
"""Share of the axis of a waterfall between two ticks."""
MAX_LABEL_LENGTH = 34
"""Characters of a line of a label."""
MIN_AXIS_LENGTH = 1.0
"""Log-odds that the axis of a waterfall spans at least, so that small effects look small."""


@dataclass(frozen=True)
class Step:
    """One bar of a waterfall: its name, and its contribution to the log-odds of default.

    `value` is the client's value in words, `similar` that of similar clients; empty for a bar of several features.
    """

    name: str
    contribution: float
    value: str = ""
    similar: str = ""

    def label(self, language: str) -> str:
        """Return name and value in one text."""
        return messages.say(language, "list_item", name=self.name, value=self.value) if self.value else self.name


def group_steps(language: str, explanation: Explanation, opened: str | None = None) -> list[Step]:
    """Return the themes, strongest first; the theme `opened` is replaced by its features."""
    groups = [group for group in explanation.groups if group.group != opened]
    features = [] if opened is None else feature_steps(language, explanation, group=opened)
    return _strongest([Step(group.label[language], group.contribution) for group in groups] + features)


def feature_steps(language: str, explanation: Explanation, count: int = 10, group: str | None = None) -> list[Step]:
    """Return the `count` strongest features, of all themes or of one, and the sum of the others as one step."""
    steps = _strongest(
        [
            Step(
                feature.meaning[language],
                feature.contribution,
                messages.in_words(language, feature.value_text),
                messages.in_words(language, feature.similar_text),
            )
            for feature in explanation.features
            if group in (None, feature.group)
        ]
    )
    others = steps[count:]
    if not others:
        return steps
    name = messages.say(language, "others", count=len(others))
    return [*steps[:count], Step(name, math.fsum(step.contribution for step in others))]


def waterfall(language: str, explanation: Explanation, steps: Sequence[Step]) -> go.Figure:
    """Draw the steps from the base value to the client's log-odds, which add up exactly, and the threshold."""
    labels = [
        messages.say(language, "base", position=position(language, explanation.base_value)),
        *(step.label(language) for step in steps),
        messages.say(language, "final", position=position(language, explanation.log_odds)),
    ]
    ticks = [wrapped(label) for label in labels]
    low, high = _axis_range(explanation, steps)
    ticked = _ticks(low, high)
    lines = sum(tick.count("<br>") + 1 for tick in ticks)
    line, label = _threshold(language, explanation.threshold)
    return go.Figure(
        go.Waterfall(
            orientation="h",
            base=explanation.base_value,
            measure=["relative"] * (len(labels) - 1) + ["total"],
            x=[0.0, *(step.contribution for step in steps), 0.0],
            y=list(range(len(labels))),
            text=["", *multipliers(language, steps), ""],
            textposition="outside",
            cliponaxis=False,
            increasing={"marker": {"color": RAISES}},
            decreasing={"marker": {"color": LOWERS}},
            totals={"marker": {"color": TOTAL}},
            connector={"line": {"color": GRID, "width": 1}},
            hoverinfo="skip",
        ),
        {
            **style(language, height=100 + 18 * len(labels) + 17 * lines, top=30, bottom=50),
            "shapes": [line],
            "annotations": [label],
            "xaxis": {
                "range": [low, high],
                "tickvals": [log_odds_of(share) for share in ticked],
                "ticktext": [messages.percent(language, share, 0 if share >= 0.01 else 1) for share in ticked],
                "title": {"text": messages.say(language, "risk_axis"), "font": {"size": 14}},
                "showgrid": True,
                "gridcolor": GRID,
                "zeroline": False,
                "fixedrange": True,
            },
            "yaxis": {
                "range": [len(labels) - 0.4, -0.6],
                "tickvals": list(range(len(labels))),
                "ticktext": ticks,
                "automargin": True,
                "fixedrange": True,
            },
        },
    )


def _threshold(language: str, threshold: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the threshold as a dashed line over the height of the chart, and its label on top."""
    place = {"xref": "x", "yref": "y domain"}
    line = {
        "type": "line",
        "x0": log_odds_of(threshold),
        "x1": log_odds_of(threshold),
        "y0": 0,
        "y1": 1,
        "layer": "below",
    }
    label = {
        "x": log_odds_of(threshold),
        "y": 1,
        "text": messages.say(language, "this_threshold", threshold=messages.percent(language, threshold)),
        "showarrow": False,
        "font": {"size": 13, "color": INK},
        "yanchor": "bottom",
        "xanchor": "center",
    }
    return place | line | {"line": {"color": INK, "width": 2, "dash": "dash"}}, place | label


def _axis_range(explanation: Explanation, steps: Sequence[Step]) -> list[float]:
    """Return an axis that holds every bar and the threshold, with a margin for the labels."""
    path = [explanation.base_value, log_odds_of(explanation.threshold)]
    total = explanation.base_value
    for step in steps:
        total += step.contribution
        path.append(total)
    low, high = min(path), max(path)
    margin = max(0.3 * (high - low), (MIN_AXIS_LENGTH - (high - low)) / 2)
    return [low - margin, high + margin]


def _ticks(low: float, high: float) -> list[float]:
    """Return the probabilities to mark on an axis of log-odds, none too near to the one before."""
    ticks: list[float] = []
    for share in WATERFALL_TICKS:
        if low <= log_odds_of(share) <= high and (
            not ticks or log_odds_of(share) - log_odds_of(ticks[-1]) >= MIN_LABEL_DISTANCE * (high - low)
        ):
            ticks.append(share)
    return ticks


def effect(step: Step) -> Literal["raises", "lowers", "neutral"]:
    """Return what a step does to the risk; nothing where it multiplies the odds by 1.00."""
    factor = round(math.exp(step.contribution), 2)
    return "neutral" if factor == 1 else "raises" if factor > 1 else "lowers"


def multipliers(language: str, steps: Sequence[Step]) -> list[str]:
    """Format by what each step multiplies the odds of default, after a sign for its direction."""
    return [
        messages.say(
            language,
            "multiplier",
            sign={"raises": "▲", "lowers": "▼", "neutral": "="}[effect(step)],
            factor=messages.number(language, math.exp(step.contribution), 2),
        )
        for step in steps
    ]


def position(language: str, log_odds: float) -> str:
    """Format the probability of default of log-odds."""
    return messages.say(language, "position", share=messages.percent(language, _share(log_odds)))


def styled(figure: go.Figure, language: str, *, height: int, top: int, bottom: int) -> go.Figure:
    """Apply the style of the page."""
    return figure.update_layout(style(language, height=height, top=top, bottom=bottom))


def style(language: str, *, height: int, top: int, bottom: int) -> dict[str, Any]:
    """Return the layout that the charts share, heights in pixels.

    The charts of a decision are made with their whole layout at once: Plotly checks all of it at each update, which
    took three fifths of the processor time of an answer.
    """
    return {
        "template": "none",
        "font": {"family": "Source Sans, Source Sans Pro, sans-serif", "size": 14, "color": INK},
        "height": height,
        "margin": {"l": 10, "r": 10, "t": top, "b": bottom},
        "showlegend": False,
        "separators": ", " if language == "fr" else ".,",
    }


def _strongest(steps: list[Step]) -> list[Step]:
    return sorted(steps, key=lambda step: abs(step.contribution), reverse=True)


def log_odds_of(share: float) -> float:
    """Return the log-odds of a share, which is kept apart from 0 and 1."""
    share = min(max(share, 1e-9), 1 - 1e-9)
    return math.log(share / (1 - share))


def _share(log_odds: float) -> float:
    return (1 + math.tanh(log_odds / 2)) / 2


def wrapped(label: str) -> str:
    """Wrap a label and escape what Plotly would read as markup."""
    return "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(label, MAX_LABEL_LENGTH))
