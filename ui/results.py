"""Show an answer on the page: the decision, its reasons and its warnings."""

import json
from functools import partial

import streamlit as st

from ui import messages, risk_scale, session
from ui.answers import Explanation, Prediction, Reason
from ui.faults import bullets, field_message

BOXES = {"granted": (st.success, "✔"), "review": (st.warning, "◐"), "refused": (st.error, "✖")}
"""The box and the sign of each decision."""

DISTANCES = (
    ("distance_far_above", 1.5),
    ("distance_above", 1.1),
    ("distance_close", 0.9),
    ("distance_below", 2 / 3),
    ("distance_far_below", 0.0),
)
"""Keys of the texts on the distance to the threshold, and the least ratio of risk to threshold of each."""

STATIC_CHART = {"displayModeBar": False, "scrollZoom": False}
"""Plotly's configuration of a chart without controls."""


def show_decision(language: str, prediction: Prediction) -> None:
    """Show the decision in words, colour and sign, with its figures and its record."""
    say = partial(messages.say, language)
    probability, threshold = messages.percentages(language, prediction.probability, prediction.threshold)
    box, sign = BOXES[prediction.decision]
    title = say(f"{prediction.decision}_simulated" if prediction.simulated else prediction.decision)
    lines = [because(language, prediction)]
    if not prediction.decided_by_rule:
        lines.append(distance(language, prediction))
    box(f"## {sign} {title}\n" + "\n\n".join(lines))
    points = messages.number(language, prediction.score_points)
    figures = {"probability": probability, "threshold": threshold, "score_points": points}
    st.markdown(
        "\n".join(f"- {say('list_item', name=say(name), value=f'**{figure}**')}" for name, figure in figures.items()),
        help=say("score_points_help"),
    )
    st.caption(record(language, prediction))


def distance(language: str, prediction: Prediction) -> str:
    """Return how far the risk is from the threshold, in words for readers who do not know probabilities."""
    ratio = prediction.probability / prediction.threshold
    key = next(key for key, least in DISTANCES if ratio >= least)
    defaults, limit = (
        messages.number(language, 100 * share, 0 if share >= 0.01 else 1)
        for share in (prediction.probability, prediction.threshold)
    )
    factor = messages.number(language, ratio if ratio >= 1 else 1 / ratio if ratio else 0, 1)
    return messages.say(language, key, defaults=defaults, limit=limit, factor=factor)


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
        number = messages.code(prediction.decision_id)
        moment = session.moment(language, prediction.decided_at)
        lines = [say("recorded_before" if prediction.replayed else "recorded", number=number, moment=moment)]
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
    """Show the rules that apply, in the words for the client."""
    if prediction.rules:
        st.subheader(messages.say(language, "rules"), anchor=False)
        lines = (messages.plain(rule.text[language]) for rule in prediction.rules)
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
        risk_scale.risk_scale(language, prediction),
        theme=None,
        config=STATIC_CHART,
        alt=messages.say(language, "scale_alternative", probability=probability, threshold=threshold),
        key="scale",
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
