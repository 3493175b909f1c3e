"""The charts of a decision: the risk scale, and the waterfall from the average client to this one."""

import html
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from ui import messages
from ui.answers import Explanation, Prediction

RAISES, LOWERS, TOTAL = "#c2571a", "#2166ac", "#5f6b7a"
GRANTED, REVIEW, REFUSED = "#d7ede3", "#fbeec2", "#f7dcd8"
INK, GRID = "#1f2933", "#d5dbe3"

SCALE_ENDS = (0.005, 0.95)
SCALE_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8)
MIN_TICK_DISTANCE = 0.03
"""Share of the scale between a tick and the threshold, whose label would cover a nearer one."""
WATERFALL_TICKS = tuple(
    thousandths / 1000
    for thousandths in (1, 2, 5, 10, 20, 30, 50, 80, 120, 200, 300, 400, 500, 600, 700, 800, 900, 950)
)
MIN_LABEL_DISTANCE = 0.07
"""Share of the axis of a waterfall between two ticks."""
MAX_LABEL_LENGTH = 34
"""Characters of a line of a label."""
MIN_NAMED_ZONE = 0.08
"""Share of the scale that a zone needs to hold its name."""
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


def risk_scale(language: str, prediction: Prediction) -> go.Figure:
    """Draw the client beside the threshold, on a scale from 0.5 % to 95 % that is the same for all clients.

    The scale is in log-odds, which spread the small risks, where most decisions are. A review band is drawn as a zone.
    """
    left, right = (_log_odds(end) for end in SCALE_ENDS)
    at_client, at_threshold = (_on_scale(share) for share in (prediction.probability, prediction.threshold))
    figure = go.Figure()
    _add_zones(figure, language, prediction)
    top = 1 if prediction.review_band is None else 0  # the threshold decides nothing inside the band
    figure.add_shape(type="line", x0=at_threshold, x1=at_threshold, y0=-0.75, y1=top, line={"color": INK, "width": 3})
    figure.add_trace(
        go.Scatter(
            x=[at_client],
            y=[1.2],
            mode="markers",
            marker={"symbol": "triangle-down", "size": 18, "color": INK},
            hoverinfo="skip",
        )
    )
    client, threshold = messages.percentages(language, prediction.probability, prediction.threshold)
    for x, y, label in (
        (at_client, 1.85, messages.say(language, "this_client", probability=client)),
        (at_threshold, -1.05, messages.say(language, "this_threshold", threshold=threshold)),
    ):
        figure.add_annotation(
            x=x,
            y=y,
            text=f"<b>{label}</b>",
            showarrow=False,
            xanchor=_anchor(x, left, right),
            font={"size": 15, "color": INK},
        )
    for share in SCALE_TICKS:
        if abs(_log_odds(share) - at_threshold) >= MIN_TICK_DISTANCE * (right - left):
            figure.add_annotation(
                x=_log_odds(share), y=-0.3, text=messages.percent(language, share, 0), showarrow=False
            )
    figure.update_xaxes(range=[left, right], visible=False, fixedrange=True)
    figure.update_yaxes(range=[-1.4, 2.2], visible=False, fixedrange=True)
    return styled(figure, language, height=160, top=0, bottom=0)


def _add_zones(figure: go.Figure, language: str, prediction: Prediction) -> None:
    """Colour the part of the scale of each decision, and name those that are wide enough."""
    left, right = (_log_odds(end) for end in SCALE_ENDS)
    band = prediction.review_band
    ends = (prediction.threshold, prediction.threshold) if band is None else (band.low, band.high)
    low, high = (_on_scale(end) for end in ends)
    for start, end, colour, decision in (
        (left, low, GRANTED, "granted_short"),
        (low, high, REVIEW, "review_short"),
        (high, right, REFUSED, "refused_short"),
    ):
        figure.add_shape(type="rect", x0=start, x1=end, y0=0, y1=1, fillcolor=colour, line_width=0, layer="below")
        if end - start >= MIN_NAMED_ZONE * (right - left):
            figure.add_annotation(
                x=(start + end) / 2,
                y=0.5,
                text=messages.say(language, decision),
                showarrow=False,
                font={"size": 14, "color": INK},
            )


def waterfall(language: str, explanation: Explanation, steps: Sequence[Step]) -> go.Figure:
    """Draw the steps from the base value to the client's log-odds, which add up exactly, and the threshold."""
    labels = [
        messages.say(language, "base", position=position(language, explanation.base_value)),
        *(step.label(language) for step in steps),
        messages.say(language, "final", position=position(language, explanation.log_odds)),
    ]
    ticks = [wrapped(label) for label in labels]
    figure = go.Figure(
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
        )
    )
    _add_threshold(figure, language, explanation.threshold)
    low, high = _axis_range(explanation, steps)
    ticked = _ticks(low, high)
    figure.update_xaxes(
        range=[low, high],
        tickvals=[_log_odds(share) for share in ticked],
        ticktext=[messages.percent(language, share, 0 if share >= 0.01 else 1) for share in ticked],
        title={"text": messages.say(language, "risk_axis"), "font": {"size": 14}},
        showgrid=True,
        gridcolor=GRID,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_yaxes(
        range=[len(labels) - 0.4, -0.6],
        tickvals=list(range(len(labels))),
        ticktext=ticks,
        automargin=True,
        fixedrange=True,
    )
    lines = sum(tick.count("<br>") + 1 for tick in ticks)
    return styled(figure, language, height=100 + 18 * len(labels) + 17 * lines, top=30, bottom=50)


def _add_threshold(figure: go.Figure, language: str, threshold: float) -> None:
    """Draw the threshold as a dashed line with its label on top."""
    figure.add_vline(
        x=_log_odds(threshold),
        layer="below",
        line={"color": INK, "width": 2, "dash": "dash"},
        annotation={
            "text": messages.say(language, "this_threshold", threshold=messages.percent(language, threshold)),
            "font": {"size": 13, "color": INK},
            "yanchor": "bottom",
            "y": 1,
            "xanchor": "center",
        },
    )


def _axis_range(explanation: Explanation, steps: Sequence[Step]) -> list[float]:
    """Return an axis that holds every bar and the threshold, with a margin for the labels."""
    path = [explanation.base_value, _log_odds(explanation.threshold)]
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
        if low <= _log_odds(share) <= high and (
            not ticks or _log_odds(share) - _log_odds(ticks[-1]) >= MIN_LABEL_DISTANCE * (high - low)
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
    return figure.update_layout(
        template="none",
        font={"family": "Source Sans, Source Sans Pro, sans-serif", "size": 14, "color": INK},
        height=height,
        margin={"l": 10, "r": 10, "t": top, "b": bottom},
        showlegend=False,
        separators=", " if language == "fr" else ".,",
    )


def _strongest(steps: list[Step]) -> list[Step]:
    return sorted(steps, key=lambda step: abs(step.contribution), reverse=True)


def _log_odds(share: float) -> float:
    share = min(max(share, 1e-9), 1 - 1e-9)
    return math.log(share / (1 - share))


def _on_scale(share: float) -> float:
    """Return the log-odds of a share, clipped to the ends of the scale."""
    left, right = (_log_odds(end) for end in SCALE_ENDS)
    return min(max(_log_odds(share), left), right)


def _share(log_odds: float) -> float:
    return (1 + math.tanh(log_odds / 2)) / 2


def _anchor(x: float, left: float, right: float) -> str:
    """Return the anchor that keeps a label inside the scale."""
    place = (x - left) / (right - left)
    return "left" if place < 0.15 else "right" if place > 0.85 else "center"


def wrapped(label: str) -> str:
    """Wrap a label and escape what Plotly would read as markup."""
    return "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(label, MAX_LABEL_LENGTH))
