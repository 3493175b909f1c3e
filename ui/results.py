"""What the page shows of an answer: the decision, its reasons and its reservations; or why there is none."""

import json
from collections.abc import Sequence
from functools import partial

import streamlit as st

from ui import charts, messages
from ui.client import Answer, NoAnswerError

MOST_DETAILS = 20
"""Rejected fields listed: who sent a wrong kind of file needs no more."""

STILL = {"displayModeBar": False, "scrollZoom": False}
"""Charts to be read, not operated."""


def show_decision(language: str, answer: Answer, *, simulated: bool) -> None:
    """Granted or refused, in words, colour and sign; the probability beside the threshold."""
    say = partial(messages.say, language)
    probability, threshold = messages.percentages(language, answer.probability, answer.threshold)
    because = say(f"{answer.decision}_because", probability=probability, threshold=threshold)
    box, sign = (st.success, "✔") if answer.decision == "granted" else (st.error, "✖")
    decision, risk, limit = st.columns([3, 1, 1], vertical_alignment="center")
    with decision:
        title = say(f"{answer.decision}_simulated" if simulated else answer.decision)
        box(f"## {sign} {title}\n{because}")
    risk.metric(say("probability"), probability)
    limit.metric(say("threshold"), threshold)
    st.plotly_chart(
        charts.risk_scale(language, answer),
        theme=None,
        config=STILL,
        alt=say("scale_alternative", probability=probability, threshold=threshold),
        key="scale",
    )


def show_comparison(language: str, unchanged: Answer) -> None:
    """What the same client got without the simulated changes."""
    say = partial(messages.say, language)
    st.info(
        say(
            "compared",
            probability=messages.percent(language, unchanged.probability),
            decision=say(f"{unchanged.decision}_short"),
        ),
        icon=":material/compare_arrows:",
    )


def show_reasons(language: str, answer: Answer) -> None:
    """Why: by theme, by item of data, and as a table for those who do not see the charts."""
    say = partial(messages.say, language)
    st.subheader(say("reasons"), anchor=False)
    by_group, by_feature, as_table = st.tabs([say("by_group"), say("by_feature"), say("as_table")])
    groups, features = charts.group_steps(language, answer), charts.feature_steps(language, answer)
    with by_group:
        show_waterfall(language, answer, groups, "groups")
    with by_feature:
        show_waterfall(language, answer, features, "features")
    with as_table:
        show_table(language, say("column_theme"), groups)
        show_table(language, say("column_item"), features)


def show_waterfall(language: str, answer: Answer, steps: Sequence[charts.Step], key: str) -> None:
    """The chart, and its reading in words."""
    say = partial(messages.say, language)
    ends = {"base": charts.position(language, answer.base_value), "final": charts.position(language, answer.log_odds)}
    written = charts.contributions(language, steps)
    listed = " ; ".join(f"{step.label} {contribution}" for step, contribution in zip(steps, written, strict=True))
    st.plotly_chart(
        charts.waterfall(language, answer, steps),
        theme=None,
        config=STILL,
        alt=say("waterfall_alternative", steps=listed, **ends),
        key=key,
    )
    st.caption(say("reasons_explained"))


def show_table(language: str, heading: str, steps: Sequence[charts.Step]) -> None:
    """Contributions with their effect in words."""
    say = partial(messages.say, language)
    written = charts.contributions(language, steps)
    effects = {"+": "raises", messages.MINUS: "lowers"}
    st.table(
        {
            heading: [messages.plain(step.label) for step in steps],
            say("column_contribution"): written,
            say("column_effect"): [say(effects.get(contribution[0], "neutral")) for contribution in written],
        },
        hide_index=True,
        alt=say("table_alternative"),
    )


def show_warnings(language: str, answer: Answer) -> None:
    """What the service scored although it did not understand it."""
    if answer.warnings:
        lines = [
            field_message(language, item.field, messages.plain(item.message[language])) for item in answer.warnings
        ]
        st.warning(bullets(messages.say(language, "warnings"), lines), icon=":material/warning:")


def show_end(language: str, answer: Answer, *, simulated: bool) -> None:
    """Which model answered, and the answer to take away."""
    say = partial(messages.say, language)
    model, download = st.columns([3, 2], vertical_alignment="center")
    model.caption(say("model", name=messages.plain(answer.model_name), version=messages.plain(answer.model_version)))
    download.download_button(
        say("download"),
        json.dumps(answer.received, ensure_ascii=False, indent=2),
        file_name=f"client_{answer.client}_{'simulation' if simulated else 'decision'}.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
    )


def show_fault(language: str, fault: NoAnswerError, address: str, megabytes: int) -> None:
    """What went wrong and what to do, in one message."""
    key = "rejected_whole" if fault.kind == "rejected" and not fault.details else fault.kind
    message = messages.say(
        language, f"fault_{key}", address=messages.code(address), status=fault.status, megabytes=megabytes
    )
    lines = [
        field_message(language, detail.field, messages.detail(language, detail.kind, detail.message))
        for detail in fault.details[:MOST_DETAILS]
    ]
    st.error(bullets(message, lines), icon=":material/error:")


def field_message(language: str, path: str, message: str) -> str:
    """What is said about a field, under the field's name on the page and its path in the file."""
    table, _, name = path.partition(".")
    field = messages.code(path)
    if table == "application" and name in messages.MESSAGES:
        field = f"{messages.say(language, name)} ({field})"
    return messages.say(language, "list_item", name=field, value=message)


def bullets(message: str, lines: Sequence[str]) -> str:
    """A message in Markdown, with a list under it."""
    return "\n".join([message, "", *(f"- {line}" for line in lines)]) if lines else message
