"""The page of a loan officer: choose a client, change what may change, read the decision and its reasons.

    streamlit run ui/app.py

API_URL is the address of the scoring service, SCORING_API_KEY its access key (scope `score`; without it none is sent),
API_TIMEOUT the longest wait for an answer in seconds, UI_EXAMPLES the folder of the example clients.
"""

import json
import os
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import streamlit as st

ROOT = str(Path(__file__).parents[1])
if ROOT not in sys.path:  # `streamlit run` puts the folder of the script there, not the root of the project
    sys.path.append(ROOT)

from ui import client, form, messages, results  # noqa: E402

ADDRESS = os.environ.get("API_URL", "http://127.0.0.1:3000")
KEY = os.environ.get("SCORING_API_KEY", "").strip()
SECONDS = float(os.environ.get("API_TIMEOUT", "10"))
EXAMPLES = Path(os.environ.get("UI_EXAMPLES", Path(__file__).parent / "examples"))
MEGABYTES = 2  # several times the longest real credit history


@dataclass(frozen=True)
class Outcome:
    """What the service made of one credit file; kept in the session of the officer, and nowhere else.

    `fault` is why the explanation is missing, or the prediction too.
    """

    source: str
    sent: client.CreditFile
    simulated: bool
    prediction: client.Prediction | None = None
    explanation: client.Explanation | None = None
    fault: client.NoAnswerError | None = None


@st.cache_resource
def connection(address: str, seconds: float, key: str) -> httpx.Client:
    """One connection to the service for all sessions."""
    return client.connect(address, seconds, key)


@st.cache_data(ttl="10m", show_spinner=False)
def columns(address: str, seconds: float, key: str) -> dict[str, client.Column]:
    """The fields of the application; the only thing cached, for it concerns no person."""
    return client.application_columns(connection(address, seconds, key))


def main() -> None:
    """The page, from top to bottom."""
    st.session_state.setdefault("language", "fr")
    language = st.session_state["language"]
    say = partial(messages.say, language)
    st.set_page_config(page_title=say("page_title"), page_icon=":material/balance:", layout="wide")
    st.html(page_settings(language), unsafe_allow_javascript=True)
    st.title(say("page_title"), anchor=False)
    try:
        with st.sidebar:
            st.radio(
                say("language"),
                list(messages.LANGUAGES),
                format_func=messages.LANGUAGES.get,
                key="language",
                horizontal=True,
            )
            source, credit_file = choose_credit_file(language)
    except client.NoAnswerError as fault:
        results.show_fault(language, fault, ADDRESS, MEGABYTES)
        return
    if credit_file is None:
        st.info(say("upload_first"), icon=":material/upload_file:")
        return
    try:
        known = columns(ADDRESS, SECONDS, KEY)
    except client.NoAnswerError as fault:
        results.show_fault(language, fault, ADDRESS, MEGABYTES)
        st.button(say("retry"), icon=":material/refresh:")
        return
    with st.sidebar:
        values = fill_form(language, source, credit_file, known)
    changes = form.changed(credit_file, values, known)
    to_send = form.with_changes(credit_file, changes)

    heading, action = st.columns([3, 1], vertical_alignment="center")
    with heading:
        show_client(language, credit_file)
    with action:
        label, icon = ("simulate", ":material/science:") if changes else ("score", ":material/fact_check:")
        asked = st.button(say(label), type="primary", icon=icon, width="stretch")
    if changes:
        show_simulation(language, credit_file, changes, known)
    if asked:
        with st.spinner(say("scoring")):
            score(source, to_send, simulated=bool(changes))
    show_outcome(language, source, to_send)


def page_settings(language: str) -> str:
    """What Streamlit has no words for: it declares every page English, and states its own limit of upload."""
    return (
        f"<script>document.documentElement.lang = '{language}'</script>"
        "<style>[data-testid=stFileUploaderDropzoneInstructions] {display:none}</style>"
    )


def choose_credit_file(language: str) -> tuple[str, client.CreditFile | None]:
    """An example or an uploaded file, under a name that tells it from all others; None while there is none.

    Raises:
        NoAnswerError: the file is no credit file.
    """
    say = partial(messages.say, language)
    examples = sorted(EXAMPLES.glob("*.json"))
    sources = ["source_example", "source_file"] if examples else ["source_file"]
    if choose(st.radio, language, "source", sources, say, horizontal=True) == "source_example":
        example: Path = choose(st.selectbox, language, "example", examples, partial(example_name, language))
        return example.name, client.read_credit_file(example.read_bytes(), MEGABYTES * 2**20)
    uploaded = st.file_uploader(say("upload", megabytes=MEGABYTES), type="json", key="upload")
    if uploaded is None:
        return "", None
    return uploaded.file_id, client.read_credit_file(uploaded.getvalue(), MEGABYTES * 2**20)


def choose(
    widget: Callable[..., Any],
    language: str,
    name: str,
    options: Sequence[Any],
    words: Callable[[Any], str],
    **settings: Any,
) -> Any:
    """A choice that outlives a change of language.

    The browser knows an option by its words only, so each language has its widget, which starts from the last choice.
    """
    last = st.session_state.get(name)
    start = options.index(last) if last in options else 0
    label = messages.say(language, name)
    st.session_state[name] = widget(label, options, start, format_func=words, key=f"{name}/{language}", **settings)
    return st.session_state[name]


def example_name(language: str, example: Path) -> str:
    """The words for `client_100123.json`."""
    return messages.say(language, "client", number=example.stem.rpartition("_")[2])


def fill_form(
    language: str, source: str, credit_file: client.CreditFile, known: Mapping[str, client.Column]
) -> dict[str, form.Shown]:
    """The values of the form, which starts from the credit file, or from what was entered for it so far."""
    application = credit_file["application"]
    resets = st.session_state.setdefault("resets", 0)
    entered_for, entered = st.session_state.get("entered", ("", {}))
    values: dict[str, form.Shown] = {}
    for section, names in form.fields(known).items():
        with st.expander(messages.say(language, section), expanded=section == "section_loan"):
            for name in names:
                original = form.shown(name, application.get(name), known[name])
                start = entered.get(name, original) if entered_for == source else original
                key = f"{language}/{source}/{resets}/{name}"
                values[name] = field_input(language, name, known[name], original, start, key)
    st.session_state["entered"] = (source, values)
    return values


def reset() -> None:
    """Let the form start from the credit file again."""
    st.session_state["resets"] += 1
    del st.session_state["entered"]


def field_input(
    language: str, name: str, column: client.Column, original: form.Shown, start: form.Shown, key: str
) -> form.Shown:
    """One labelled input, with the limits and categories of the service; its key names the language as in `choose`."""
    say = partial(messages.say, language)
    if column.kind == "category":
        options = form.choices(column, original)
        return st.selectbox(
            say(name), options, options.index(start), format_func=partial(messages.value, language, unit=""), key=key
        )
    entry = form.number_input(name, column, original)
    return st.number_input(
        say(name),
        entry.minimum,
        entry.maximum,
        start,
        entry.step,
        entry.pattern,
        key,
        help=say(f"{name}_help") if f"{name}_help" in messages.MESSAGES else None,
        placeholder=say("missing"),
    )


def show_client(language: str, credit_file: client.CreditFile) -> None:
    """Who is scored, and on how much history."""
    say = partial(messages.say, language)
    number = credit_file["application"].get("SK_ID_CURR")
    known = isinstance(number, int)
    st.subheader(say("client", number=number) if known else say("client_unnumbered"), anchor=False)
    tables = [
        say(f"history_{name}", rows=len(credit_file[name]))
        for name in client.HISTORIES
        if isinstance(credit_file.get(name), list) and credit_file[name]
    ]
    st.caption(say("history", tables=", ".join(tables)) if tables else say("history_none"))


def show_simulation(
    language: str,
    credit_file: client.CreditFile,
    changes: Mapping[str, form.Shown],
    known: Mapping[str, client.Column],
) -> None:
    """Which values are no longer the client's, and the way back."""
    say = partial(messages.say, language)
    application = credit_file["application"]
    lines = [
        say(
            "change",
            field=say(name),
            before=field_value(language, name, form.shown(name, application.get(name), known[name])),
            after=field_value(language, name, form.shown(name, raw, known[name])),
        )
        for name, raw in changes.items()
    ]
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(results.bullets(f":material/science: {say('simulation')}", lines), width="stretch")
        st.button(say("reset"), icon=":material/undo:", on_click=reset)


def field_value(language: str, name: str, value: form.Shown) -> str:
    """A value of the form in words."""
    digits = form.DIGITS_OF_YEARS.get(name)
    if digits is not None and not isinstance(value, str | None):
        return messages.number(language, value, digits)
    return messages.plain(messages.value(language, value, unit=""))


def score(source: str, to_send: client.CreditFile, *, simulated: bool) -> None:
    """Ask the service for the decision and its explanation, and keep what it says for this session."""
    prediction = explanation = fault = None
    try:
        service = connection(ADDRESS, SECONDS, KEY)
        prediction = client.predict(service, to_send, None if simulated else idempotency_key(to_send))
        explanation = client.explain(service, to_send)
    except client.NoAnswerError as error:
        fault = error
    st.session_state["outcome"] = Outcome(source, to_send, simulated, prediction, explanation, fault)
    if prediction is not None and not simulated:
        st.session_state["decided"] = (source, prediction)


def idempotency_key(to_send: client.CreditFile) -> str:
    """The same for the same file in the same session: asked again, whatever happened, one decision is recorded."""
    session: uuid.UUID = st.session_state.setdefault("session", uuid.uuid4())
    return str(uuid.uuid5(session, json.dumps(to_send)))


def show_outcome(language: str, source: str, to_send: client.CreditFile) -> None:
    """The answer to exactly what is on the screen, or what to do to get it."""
    outcome: Outcome | None = st.session_state.get("outcome")
    if outcome is None or outcome.source != source:
        st.info(messages.say(language, "score_first"), icon=":material/arrow_back:")
    elif outcome.sent != to_send:
        st.warning(messages.say(language, "stale"), icon=":material/update:")
    elif outcome.prediction is not None:
        show_answer(language, outcome, outcome.prediction)
    elif outcome.fault is not None:
        results.show_no_decision(language, outcome.fault, ADDRESS, MEGABYTES, simulated=outcome.simulated)


def show_answer(language: str, outcome: Outcome, prediction: client.Prediction) -> None:
    """The decision first, then why, then what else there is to know."""
    results.show_decision(language, prediction)
    source, decided = st.session_state.get("decided", ("", None))
    if prediction.simulated and source == outcome.source:
        results.show_comparison(language, decided)
    results.show_reasons(language, prediction)
    results.show_warnings(language, prediction)
    results.show_scale(language, prediction)
    if outcome.explanation is not None:
        results.show_other_version(language, prediction.model, outcome.explanation.model)
        results.show_counterfactual(language, outcome.explanation)
        results.show_contributions(language, outcome.explanation)
    elif outcome.fault is not None:
        results.show_no_explanation(language, outcome.fault, ADDRESS, MEGABYTES)
    results.show_end(language, prediction, outcome.explanation)


main()
