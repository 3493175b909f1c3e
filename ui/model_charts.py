"""The charts of the page on the model; a table beside each has the same figures."""

from collections.abc import Sequence

import plotly.graph_objects as go

from ui import messages, model_facts
from ui.charts import GRID, LOWERS, TOTAL, styled


def importance_chart(language: str, names: Sequence[str], weights: Sequence[float]) -> go.Figure:
    """Draw the weight of each theme, heaviest on top."""
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=[100 * weight for weight in weights],
            y=list(range(len(names))),
            marker={"color": LOWERS},
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(fixedrange=True, gridcolor=GRID, ticksuffix=" %" if language == "fr" else "%")
    figure.update_yaxes(
        fixedrange=True,
        automargin=True,
        range=[len(names) - 0.4, -0.6],
        tickvals=list(range(len(names))),
        ticktext=[name[:1].upper() + name[1:] for name in names],
    )
    return styled(figure, language, height=60 + 30 * len(names), top=10, bottom=30)


def threshold_chart(language: str, rows: Sequence[model_facts.Ratio]) -> go.Figure:
    """Draw the best threshold by the cost of a default."""
    figure = go.Figure(
        go.Scatter(
            x=[row.ratio for row in rows],
            y=[100 * row.threshold for row in rows],
            mode="lines+markers",
            line={"color": LOWERS, "width": 3},
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(fixedrange=True, gridcolor=GRID, title={"text": messages.say(language, "model_ratio")})
    figure.update_yaxes(
        fixedrange=True, gridcolor=GRID, rangemode="tozero", ticksuffix=" %" if language == "fr" else "%"
    )
    return styled(figure, language, height=280, top=10, bottom=60).update_layout(margin={"l": 60})


def calibration_chart(language: str, curve: Sequence[model_facts.CalibrationGroup]) -> go.Figure:
    """Draw observed against predicted risk with intervals of confidence; on the dashed line, both are equal."""
    predicted = [100 * group.predicted for group in curve]
    observed = [100 * group.observed.value for group in curve]
    end = 1.05 * max(*predicted, *(100 * group.observed.high for group in curve))
    figure = go.Figure()
    figure.add_scatter(
        x=[0, end], y=[0, end], mode="lines", line={"color": TOTAL, "dash": "dash", "width": 1}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=predicted,
        y=observed,
        mode="lines+markers",
        line={"color": LOWERS, "width": 3},
        error_y={
            "array": [100 * (group.observed.high - group.observed.value) for group in curve],
            "arrayminus": [100 * (group.observed.value - group.observed.low) for group in curve],
            "color": LOWERS,
        },
        hoverinfo="skip",
    )
    suffix = " %" if language == "fr" else "%"
    axis = {"fixedrange": True, "gridcolor": GRID, "range": [0, end], "ticksuffix": suffix}
    figure.update_xaxes(**axis, title={"text": messages.say(language, "model_predicted")})
    figure.update_yaxes(**axis, title={"text": messages.say(language, "model_observed")})
    return styled(figure, language, height=320, top=10, bottom=60).update_layout(margin={"l": 70}, showlegend=False)
