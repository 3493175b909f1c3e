"""Show where the client stands among all clients and among similar ones, for the numbers that weighed most."""

from dataclasses import dataclass
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from ui import charts, messages
from ui.answers import Explanation, FeatureContribution, Spread
from ui.results import STATIC_CHART

MAX_SHOWN = 6
"""Features that are shown; the reasons seldom name more."""
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Shares of the clients below the values of a spread."""


@dataclass(frozen=True)
class Standing:
    """The share of clients with a lower value than this client; the ends stand for the lowest and highest tenth."""

    feature: FeatureContribution
    among_all: float
    among_similar: float | None


def standings(explanation: Explanation) -> list[Standing]:
    """Return the standings for the features that weigh most, of those that are numbers and known."""
    result = []
    for feature in explanation.features:
        if feature.among_all is not None and isinstance(feature.value, int | float):
            similar = feature.among_similar
            result.append(
                Standing(
                    feature,
                    standing(feature.value, feature.among_all),
                    None if similar is None else standing(feature.value, similar),
                )
            )
    return result[:MAX_SHOWN]


def standing(value: float, spread: Spread) -> float:
    """Return the share of clients with a lower value, between the quantiles in proportion.

    0.05 and 0.95 stand for the lowest and the highest tenth. A value that many clients share stands in their middle.
    """
    lower = [share for share, quantile in zip(SHARES, spread.values, strict=True) if quantile < value]
    equal = [share for share, quantile in zip(SHARES, spread.values, strict=True) if quantile == value]
    if equal:
        return (equal[0] + equal[-1]) / 2
    if not lower:
        return 0.05
    if len(lower) == len(SHARES):
        return 0.95
    at = len(lower) - 1
    low, high = spread.values[at], spread.values[at + 1]
    return SHARES[at] + (SHARES[at + 1] - SHARES[at]) * (value - low) / (high - low)


def show_standings(language: str, explanation: Explanation) -> None:
    """Show the standings as a chart and as a table; nothing where the service knows no distribution."""
    rows = standings(explanation)
    if not rows:
        return
    say = partial(messages.say, language)
    st.subheader(say("standings"), anchor=False)
    st.caption(
        say(
            "standings_explained",
            clients=messages.number(language, explanation.similar_clients.clients),
            description=messages.plain(explanation.similar_clients.description[language]),
        )
    )
    with st.container(key="wide_standings"):
        st.plotly_chart(
            _chart(language, rows),
            theme=None,
            config=STATIC_CHART,
            alt=say("standings_alternative"),
            key="standings",
        )
    st.table(
        {
            say("column_item"): [messages.plain(row.feature.meaning[language]) for row in rows],
            say("column_client"): [messages.plain(messages.in_words(language, row.feature.value_text)) for row in rows],
            say("column_among_all"): [_place(language, row.among_all, row.feature.among_all) for row in rows],
            say("column_among_similar"): [
                _place(language, row.among_similar, row.feature.among_similar) for row in rows
            ],
        },
        hide_index=True,
        alt=say("standings"),
    )


def _place(language: str, share: float | None, spread: Spread | None) -> str:
    """Return a standing in words, with the range that most clients are in."""
    say = partial(messages.say, language)
    if share is None or spread is None:
        return say("missing")
    percent = messages.number(language, 5 * round(20 * share))
    key = "place_lowest" if share < SHARES[0] else "place_highest" if share > SHARES[-1] else "place_above"
    low, middle, high = (spread.texts[at][language] for at in (0, 2, 4))
    if low.partition(" ")[2] == high.partition(" ")[2] == middle.partition(" ")[2]:  # the unit once is enough
        low, middle = low.partition(" ")[0], middle.partition(" ")[0]
    words = {"low": low, "middle": middle, "high": high}
    place = say(key, percent=percent)
    return say("place", place=place, **{name: messages.plain(text) for name, text in words.items()})


def _chart(language: str, rows: list[Standing]) -> go.Figure:
    """Draw each standing between the lowest and the highest clients, among all and among similar ones."""
    say = partial(messages.say, language)
    labels = [charts.wrapped(row.feature.meaning[language]) for row in rows]
    lines = sum(label.count("<br>") + 1 for label in labels)
    return go.Figure(
        [
            go.Scatter(
                x=shares,
                y=[number + shift for number in range(len(rows))],
                mode="markers",
                name=name,
                marker={"symbol": symbol, "size": 13, "color": colour},
                hoverinfo="skip",
            )
            for name, symbol, colour, shares, shift in (
                (say("column_among_all"), "circle", charts.LOWERS, [row.among_all for row in rows], -0.12),
                (say("column_among_similar"), "diamond", charts.RAISES, [row.among_similar for row in rows], 0.12),
            )
        ],
        {
            **charts.style(language, height=130 + 20 * len(rows) + 14 * lines, top=40, bottom=50),
            "showlegend": True,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
            "xaxis": {
                "range": [0, 1],
                "tickvals": list(SHARES),
                "ticktext": [messages.percent(language, share, 0) for share in SHARES],
                "tickangle": 0,
                "title": {"text": say("standings_axis"), "font": {"size": 14}},
                "gridcolor": charts.GRID,
                "zeroline": False,
                "fixedrange": True,
            },
            "yaxis": {
                "range": [len(rows) - 0.5, -0.5],
                "tickvals": list(range(len(rows))),
                "ticktext": labels,
                "automargin": True,
                "fixedrange": True,
                "gridcolor": charts.GRID,
            },
        },
    )
