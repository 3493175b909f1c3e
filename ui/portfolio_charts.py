"""Charts of a portfolio: how its risk is distributed, and what each cut-off costs."""

from collections.abc import Sequence

import plotly.graph_objects as go

from ui import messages
from ui.charts import GRID, INK, LOWERS, RAISES, styled

HEIGHT = 300


def distribution(language: str, classes: Sequence[str], counts: Sequence[int], is_granted: Sequence[bool]) -> go.Figure:
    """Draw the number of applications of each class; those below the cut-off are filled, the others hatched."""
    colours = [LOWERS if granted else RAISES for granted in is_granted]
    figure = go.Figure(
        go.Bar(
            x=list(classes),
            y=list(counts),
            marker={"color": colours, "pattern": {"shape": ["" if granted else "/" for granted in is_granted]}},
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(
        type="category",
        fixedrange=True,
        tickangle=-45,
        automargin=True,
        title={"text": messages.say(language, "portfolio_class"), "standoff": 12},
    )
    figure.update_yaxes(fixedrange=True, gridcolor=GRID, title={"text": messages.say(language, "portfolio_clients")})
    return styled(figure, language, height=HEIGHT, top=10, bottom=70).update_layout(margin={"l": 60})


def cost_curve(language: str, cutoffs: Sequence[float], costs: Sequence[float], cutoff: float) -> go.Figure:
    """Draw the expected cost by cut-off, and the chosen one as a dashed line."""
    figure = go.Figure(
        go.Scatter(
            x=[100 * share for share in cutoffs], y=list(costs), mode="lines", line={"color": LOWERS, "width": 3}
        )
    )
    figure.update_traces(hoverinfo="skip")
    figure.add_vline(x=100 * cutoff, line={"color": INK, "width": 2, "dash": "dash"})
    figure.update_xaxes(
        fixedrange=True,
        gridcolor=GRID,
        ticksuffix=" %" if language == "fr" else "%",
        title={"text": messages.say(language, "portfolio_cutoff")},
    )
    figure.update_yaxes(
        fixedrange=True,
        gridcolor=GRID,
        rangemode="tozero",
        tickformat=",.0f",
        title={"text": messages.say(language, "portfolio_cost")},
    )
    return styled(figure, language, height=HEIGHT, top=10, bottom=60).update_layout(margin={"l": 90})
