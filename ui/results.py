"""Show an answer on the page: the decision, its reasons and its warnings; or why there is none."""

import json
from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from ui import charts, messages
from ui.answers import Explanation, Model, Prediction, Reason
from ui.client import FaultKind, NoAnswerError, shown_address
from ui.settings import MAX_UPLOAD_MIB, Settings

MAX_DETAILS = 20
"""Rejected fields that are listed; more say nothing new about a file of the wrong kind."""

BOXES = {"granted": (st.success, "✔"), "review": (st.warning, "◐"), "refused": (st.error, "✖")}
"""The box and the sign of each decision."""

PERHAPS_RECORDED: tuple[FaultKind, ...] = ("unreachable", "timeout", "failed", "unexpected")
"""Faults after which the service may have recorded a decision."""

STATIC_CHART = {"displayModeBar": False, "scrollZoom": False}
"""Plotly's configuration of a chart without controls."""


def show_decision(language: str, prediction: Prediction) -> None:
    """Show the decision in words, colour and sign, with its figures and its record."""
    say = partial(messages.say, language)
    probability, threshold = messages.percentages(language, prediction.probability, prediction.threshold)
    box, sign = BOXES[prediction.decision]
    decision, risk, limit, score = st.columns([5, 2, 2, 2], vertical_alignment="center")
    with decision:
        title = say(f"{prediction.decision}_simulated" if prediction.simulated else prediction.decision)
        box(f"## {sign} {title}\n{because(language, prediction)}")
    risk.metric(say("probability"), probability)
    limit.metric(say("threshold"), threshold)
    points = messages.number(language, prediction.score_points)
    score.metric(say("score_points"), points, help=say("score_points_help"))
    st.caption(record(language, prediction))


def because(language: str, prediction: Prediction) -> str:
    """Return what led to the decision, with its figures."""
    band = prediction.review_band
    if prediction.decided_by_rule:
        risk = messages.percent(language, prediction.probability)
        return messages.say(language, f"{prediction.decision}_by_rule", probability=risk)
    if prediction.decision == "review" and band is not None:
        probability, low, high = messages.percentages(language, prediction.probability, band.low, band.high)
        return messages.say(language, "review_because", probability=probability, low=low, high=high)
    limit = prediction.threshold
    if band is not None:
        limit = band.low if prediction.decision == "granted" else band.high
    probability, written = messages.percentages(language, prediction.probability, limit)
    key = f"{prediction.decision}_because" if band is None else f"{prediction.decision}_because_of_band"
    if band is None and prediction.probability == limit:
        key = "refused_because_equal"
    return messages.say(language, key, probability=probability, limit=written)


def record(language: str, prediction: Prediction) -> str:
    """Return when the decision was recorded, and its id in the journal."""
    say = partial(messages.say, language)
    lines = [say("not_recorded")]
    if prediction.decision_id is not None:
        number, moment = messages.code(prediction.decision_id), messages.moment(language, prediction.decided_at)
        lines = [say("recorded", number=number, moment=moment)]
    return "  \n".join(lines)


def show_comparison(language: str, unchanged: Prediction) -> None:
    """Show the decision on the same client without the simulated changes."""
    say = partial(messages.say, language)
    st.info(
        say(
            "compared",
            probability=messages.percent(language, unchanged.probability),
            decision=say(f"{unchanged.decision}_short"),
        ),
        icon=":material/compare_arrows:",
    )


def show_rules(language: str, prediction: Prediction) -> None:
    """Show the rules that apply, in the words for the client, with their codes."""
    if prediction.rules:
        st.subheader(messages.say(language, "rules"), anchor=False)
        lines = (f"{messages.plain(rule.text[language])} {messages.code(rule.code)}" for rule in prediction.rules)
        st.markdown("\n".join(f"1. {line}" for line in lines))


def show_reasons(language: str, prediction: Prediction) -> None:
    """Show the main reasons, in the words that the client is given, with their codes."""
    if prediction.reasons:
        st.subheader(messages.say(language, "reasons"), anchor=False)
        st.markdown("\n".join(f"1. {reason_line(language, reason)}" for reason in prediction.reasons))


def reason_line(language: str, reason: Reason) -> str:
    """Return the direction of a reason as an arrow, and its sentence with its code."""
    sign = ":orange[▲]" if reason.direction == "raises" else ":blue[▼]"
    return f"{sign} {messages.plain(reason.text[language])}{messages.NO_BREAK_SPACE}{messages.code(reason.code)}"


def show_scale(language: str, prediction: Prediction) -> None:
    """Show the client beside the threshold."""
    probability, threshold = messages.percentages(language, prediction.probability, prediction.threshold)
    st.plotly_chart(
        charts.risk_scale(language, prediction),
        theme=None,
        config=STATIC_CHART,
        alt=messages.say(language, "scale_alternative", probability=probability, threshold=threshold),
        key="scale",
    )


def show_counterfactual(language: str, explanation: Explanation) -> None:
    """Show the nearest other loans that would be granted."""
    st.subheader(messages.say(language, "counterfactual"), anchor=False)
    st.markdown(messages.plain(explanation.counterfactual.text[language]))


def show_other_version(language: str, decided: Model, explained: Model) -> None:
    """Warn where the service changed its model between the decision and its explanation."""
    if decided != explained:
        st.warning(
            messages.say(
                language,
                "explained_by_another",
                decided=messages.plain(decided.version),
                explained=messages.plain(explained.version),
            ),
            icon=":material/warning:",
        )


def show_contributions(language: str, explanation: Explanation) -> None:
    """Show the contributions by theme, by feature, and as a table for readers who do not see the charts."""
    say = partial(messages.say, language)
    st.subheader(say("contributions"), anchor=False)
    by_group, by_feature, as_table = st.tabs([say("by_group"), say("by_feature"), say("as_table")])
    groups, features = charts.group_steps(language, explanation), charts.feature_steps(language, explanation)
    with by_group:
        show_waterfall(language, explanation, groups, "groups")
    with by_feature:
        show_waterfall(language, explanation, features, "features")
    with as_table:
        show_table(language, {say("column_theme"): [step.name for step in groups]}, groups)
        show_table(
            language,
            {
                say("column_item"): [step.name for step in features],
                say("column_client"): [step.value for step in features],
                say("column_similar"): [step.similar for step in features],
            },
            features,
        )
        st.caption(
            say(
                "similar_clients",
                clients=messages.number(language, explanation.similar_clients.clients),
                description=messages.plain(explanation.similar_clients.description[language]),
            )
        )


def show_waterfall(language: str, explanation: Explanation, steps: Sequence[charts.Step], key: str) -> None:
    """Show the chart, with its content in words as alternative text."""
    say = partial(messages.say, language)
    ends = {
        "base": say("base", position=charts.position(language, explanation.base_value)),
        "final": say("final", position=charts.position(language, explanation.log_odds)),
    }
    written = charts.multipliers(language, steps)
    listed = " ; ".join(f"{step.label(language)} {multiplier}" for step, multiplier in zip(steps, written, strict=True))
    st.plotly_chart(
        charts.waterfall(language, explanation, steps),
        theme=None,
        config=STATIC_CHART,
        alt=say("waterfall_alternative", steps=listed, **ends),
        key=key,
    )
    st.caption(say("reasons_explained"))


def show_table(language: str, columns: Mapping[str, Sequence[str]], steps: Sequence[charts.Step]) -> None:
    """Show contributions with their effect in words, beside the columns that name them."""
    say = partial(messages.say, language)
    st.table(
        {
            **{heading: [messages.plain(content) for content in column] for heading, column in columns.items()},
            say("column_effect"): [say(charts.effect(step)) for step in steps],
            say("column_contribution"): charts.multipliers(language, steps),
        },
        hide_index=True,
        alt=say("table_alternative"),
    )


def show_warnings(language: str, prediction: Prediction) -> None:
    """Show the fields that the service did not understand, and, folded up, those that the file lacks."""
    lines: dict[bool, list[str]] = {False: [], True: []}
    for item in prediction.warnings:
        line = field_message(language, item.field, messages.plain(item.message[language]))
        lines[item.kind == "missing_field"].append(line)
    if lines[False]:
        st.warning(bullets(messages.say(language, "warnings"), lines[False]), icon=":material/warning:")
    if lines[True]:
        with st.expander(messages.say(language, "missing_fields", count=len(lines[True])), icon=":material/warning:"):
            st.markdown(bullets(messages.say(language, "missing_fields_effect"), lines[True]))


def show_end(language: str, prediction: Prediction, explanation: Explanation | None) -> None:
    """Show the model that decided, and a download of the answers."""
    say = partial(messages.say, language)
    model, download = st.columns([3, 2], vertical_alignment="center")
    name, version = messages.plain(prediction.model.name), messages.plain(prediction.model.version)
    model.caption(say("model", name=name, version=version))
    received = {"prediction": prediction.received, "explanation": None if explanation is None else explanation.received}
    download.download_button(
        say("download"),
        json.dumps(received, ensure_ascii=False, indent=2),
        file_name=f"client_{prediction.client}_{'simulation' if prediction.simulated else 'decision'}.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
    )


def show_fault(language: str, fault: NoAnswerError, settings: Settings) -> None:
    """Show a fault and its remedy in one message."""
    st.error(fault_message(language, fault, settings), icon=":material/error:")


def show_no_decision(language: str, fault: NoAnswerError, settings: Settings, *, simulated: bool) -> None:
    """Show why there is no decision, and whether one may have been recorded nevertheless."""
    message = fault_message(language, fault, settings)
    if not simulated:
        decided = messages.say(language, "perhaps_decided" if fault.kind in PERHAPS_RECORDED else "nothing_decided")
        message = f"{decided} {message}"
    st.error(message, icon=":material/error:")


def show_no_explanation(language: str, fault: NoAnswerError, settings: Settings) -> None:
    """Show why the decision comes without its detailed explanation."""
    stands, message = messages.say(language, "decision_stands"), fault_message(language, fault, settings)
    st.warning(f"{stands} {message}", icon=":material/warning:")


def fault_message(language: str, fault: NoAnswerError, settings: Settings) -> str:
    """Return a fault and its remedy in Markdown."""
    say = partial(messages.say, language)
    key = "rejected_whole" if fault.kind == "rejected" and not fault.details else fault.kind
    wait = say("wait") if fault.wait is None else say("wait_seconds", seconds=fault.wait)
    address = messages.code(shown_address(settings.api_url))
    message = say(f"fault_{key}", address=address, status=fault.status, megabytes=MAX_UPLOAD_MIB, wait=wait)
    lines = [
        field_message(language, detail.field, messages.detail(language, detail))
        for detail in fault.details[:MAX_DETAILS]
    ]
    if key == "rejected_whole" and fault.reason:
        lines = [messages.plain(fault.reason)]
    return bullets(message, lines)


def field_message(language: str, path: str, message: str) -> str:
    """Return a message about a field after the field's name on the page and its path in the file."""
    table, _, name = path.partition(".")
    field = messages.code(path)
    if table == "application" and name in messages.MESSAGES:
        field = f"{messages.say(language, name)} ({field})"
    return messages.say(language, "list_item", name=field, value=message)


def bullets(message: str, lines: Sequence[str]) -> str:
    """Return a message in Markdown, with a list under it."""
    return "\n".join([message, "", *(f"- {line}" for line in lines)]) if lines else message
