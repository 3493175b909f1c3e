"""The scale of risk: the client beside the threshold."""

from typing import Any

import plotly.graph_objects as go

from ui import messages
from ui.answers import Prediction
from ui.charts import INK, log_odds_of, style

GRANTED, REVIEW, REFUSED = "#d7ede3", "#fbeec2", "#f7dcd8"
SCALE_ENDS = (0.005, 0.95)
SCALE_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8)
MIN_TICK_DISTANCE = 0.03
"""Share of the scale between a tick and the threshold, whose label would cover a nearer one."""
MIN_NAMED_ZONE = 0.08
"""Share of the scale that a zone needs to hold its name."""


def risk_scale(language: str, prediction: Prediction) -> go.Figure:
    """Draw the client beside the threshold, on a scale from 0.5 % to 95 % that is the same for all clients.

    The scale is in log-odds, which spread the small risks, where most decisions are. A review band is drawn as a zone.
    """
    left, right = (log_odds_of(end) for end in SCALE_ENDS)
    at_client, at_threshold = (_on_scale(share) for share in (prediction.probability, prediction.threshold))
    top = 1 if prediction.review_band is None else 0  # the threshold decides nothing inside the band
    line = {"type": "line", "x0": at_threshold, "x1": at_threshold, "y0": -0.75, "y1": top}
    zones, names = _zones(language, prediction)
    client, threshold = messages.percentages(language, prediction.probability, prediction.threshold)
    labels = [
        {
            "x": x,
            "y": y,
            "text": f"<b>{label}</b>",
            "showarrow": False,
            "xanchor": _anchor(x, left, right),
            "font": {"size": 15, "color": INK},
        }
        for x, y, label in (
            (at_client, 1.85, messages.say(language, "this_client", probability=client)),
            (at_threshold, -1.05, messages.say(language, "this_threshold", threshold=threshold)),
        )
    ]
    ticks = [
        {"x": log_odds_of(share), "y": -0.3, "text": messages.percent(language, share, 0), "showarrow": False}
        for share in SCALE_TICKS
        if abs(log_odds_of(share) - at_threshold) >= MIN_TICK_DISTANCE * (right - left)
    ]
    return go.Figure(
        go.Scatter(
            x=[at_client],
            y=[1.2],
            mode="markers",
            marker={"symbol": "triangle-down", "size": 18, "color": INK},
            hoverinfo="skip",
        ),
        {
            **style(language, height=160, top=0, bottom=0),
            "shapes": [*zones, line | {"line": {"color": INK, "width": 3}}],
            "annotations": [*names, *labels, *ticks],
            "xaxis": {"range": [left, right], "visible": False, "fixedrange": True},
            "yaxis": {"range": [-1.4, 2.2], "visible": False, "fixedrange": True},
        },
    )


def _zones(language: str, prediction: Prediction) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the part of the scale of each decision in its colour, and the names of those that are wide enough."""
    left, right = (log_odds_of(end) for end in SCALE_ENDS)
    band = prediction.review_band
    ends = (prediction.threshold, prediction.threshold) if band is None else (band.low, band.high)
    low, high = (_on_scale(end) for end in ends)
    zones: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    for start, end, colour, decision in (
        (left, low, GRANTED, "granted_short"),
        (low, high, REVIEW, "review_short"),
        (high, right, REFUSED, "refused_short"),
    ):
        place = {"type": "rect", "x0": start, "x1": end, "y0": 0, "y1": 1, "layer": "below"}
        zones.append(place | {"fillcolor": colour, "line": {"width": 0}})
        if end - start >= MIN_NAMED_ZONE * (right - left):
            name = {"x": (start + end) / 2, "y": 0.5, "text": messages.say(language, decision), "showarrow": False}
            names.append(name | {"font": {"size": 14, "color": INK}})
    return zones, names


def _on_scale(share: float) -> float:
    """Return the log-odds of a share, clipped to the ends of the scale."""
    left, right = (log_odds_of(end) for end in SCALE_ENDS)
    return min(max(log_odds_of(share), left), right)


def _anchor(x: float, left: float, right: float) -> str:
    """Return the anchor that keeps a label inside the scale."""
    place = (x - left) / (right - left)
    return "left" if place < 0.15 else "right" if place > 0.85 else "center"
