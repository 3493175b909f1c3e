"""The page of a loan officer: choose a client, change values, read the decision and its reasons.

    streamlit run ui/app.py

`ui/settings.py` lists what the environment may set: the service's address, its access key, the timeout, the examples.
"""

import json
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
if ROOT not in sys.path:  # `streamlit run` adds the folder of the script, not the root of the project
    sys.path.append(ROOT)

from ui import answers, client, form, messages, results, sign_in  # noqa: E402
from ui.settings import MAX_UPLOAD_MIB, Settings  # noqa: E402

SETTINGS = Settings()


@dataclass(frozen=True)
class Outcome:
    """The answers to one credit file; kept in the officer's session only.

    `fault` is the reason why the explanation, or the prediction too, is missing.
    """

    source: str
    sent: client.CreditFile
    simulated: bool
    prediction: answers.Prediction | None = None
    explanation: answers.Explanation | None = None
    fault: client.NoAnswerError | None = None


@st.cache_resource
def connection(settings: Settings) -> httpx.Client:
    """Open one connection to the service for all sessions."""
    return client.connect(settings.api_url, settings.api_timeout, settings.scoring_api_key)


@st.cache_data(ttl="10m", show_spinner=False)
def application_columns(settings: Settings) -> dict[str, client.Column]:
    """Request the fields of the application; cached, because they hold no personal data."""
    return client.application_columns(connection(settings))


def main() -> None:
    """Show the page from top to bottom."""
    language = st.session_state.setdefault("language", "fr")
    say = partial(messages.say, language)
    st.set_page_config(page_title=say("page_title"), page_icon=":material/balance:", layout="wide")
    st.html(page_settings(language), unsafe_allow_javascript=True)
    st.title(say("page_title"), anchor=False)
    sign_in.require(language, SETTINGS)
    try:
        with st.sidebar:
            choose_language(language)
            source, credit_file = choose_credit_file(language)
    except client.NoAnswerError as fault:
        results.show_fault(language, fault, SETTINGS)
        return
    if credit_file is None:
        st.info(say("upload_first"), icon=":material/upload_file:")
        return
    try:
        columns = application_columns(SETTINGS)
    except client.NoAnswerError as fault:
        results.show_fault(language, fault, SETTINGS)
        st.button(say("retry"), icon=":material/refresh:")
        return
    show_credit_file(language, source, credit_file, columns)


def show_credit_file(
    language: str, source: str, credit_file: client.CreditFile, columns: Mapping[str, client.Column]
) -> None:
    """Show form, client, changes and the button that scores them, then the answer."""
    say = partial(messages.say, language)
    with st.sidebar:
        values = fill_form(language, source, credit_file, columns)
    changes = form.changed(credit_file, values, columns)
    to_send = form.with_changes(credit_file, changes)

    heading, action = st.columns([3, 1], vertical_alignment="center")
    with heading:
        show_client(language, credit_file)
    with action:
        label, icon = ("simulate", ":material/science:") if changes else ("score", ":material/fact_check:")
        clicked = st.button(say(label), type="primary", icon=icon, width="stretch")
    if changes:
        show_simulation(language, credit_file, changes, columns)
    if clicked:
        with st.spinner(say("scoring")):
            score(source, to_send, simulated=bool(changes))
    show_outcome(language, source, to_send)


def choose_language(language: str) -> None:
    """Show the choice of the language, which the session keeps."""
    st.radio(
        messages.say(language, "language"),
        list(messages.LANGUAGES),
        format_func=messages.LANGUAGES.get,
        key="language",
        horizontal=True,
    )


def page_settings(language: str) -> str:
    """Return HTML for what Streamlit cannot set: the page's language, and no text on its upload limit."""
    return (
        f"<script>document.documentElement.lang = '{language}'</script>"
        "<style>[data-testid=stFileUploaderDropzoneInstructions] {display:none}</style>"
    )


def choose_credit_file(language: str) -> tuple[str, client.CreditFile | None]:
    """Choose an example or an uploaded file; return its unique name and its content, None while there is none.

    Raises NoAnswerError where the file is not a credit file.
    """
    say = partial(messages.say, language)
    examples = sorted(SETTINGS.ui_examples.glob("*.json"))
    sources = ["source_example", "source_file"] if examples else ["source_file"]
    if choose(st.radio, language, "source", sources, say, horizontal=True) == "source_example":
        example: Path = choose(st.selectbox, language, "example", examples, partial(example_name, language))
        return example.name, client.read_credit_file(example.read_bytes(), MAX_UPLOAD_MIB * 2**20)
    uploaded = st.file_uploader(say("upload", megabytes=MAX_UPLOAD_MIB), type="json", key="upload")
    if uploaded is None:
        return "", None
    return uploaded.file_id, client.read_credit_file(uploaded.getvalue(), MAX_UPLOAD_MIB * 2**20)


def choose(
    widget: Callable[..., Any],
    language: str,
    name: str,
    options: Sequence[Any],
    format_option: Callable[[Any], str],
    **settings: Any,
) -> Any:
    """Show a choice that survives a change of language.

    The browser identifies an option by its text, so each language has its widget, which starts from the last choice.
    """
    last = st.session_state.get(name)
    start = options.index(last) if last in options else 0
    label = messages.say(language, name)
    st.session_state[name] = widget(
        label, options, start, format_func=format_option, key=f"{name}/{language}", **settings
    )
    return st.session_state[name]


def example_name(language: str, example: Path) -> str:
    """Return the name on the page of `client_100123.json`."""
    return messages.say(language, "client", number=example.stem.rpartition("_")[2])


def fill_form(
    language: str, source: str, credit_file: client.CreditFile, columns: Mapping[str, client.Column]
) -> dict[str, form.Shown]:
    """Show the form and return its values; it starts from the credit file, or from the values entered for it so far."""
    application = credit_file["application"]
    resets = st.session_state.setdefault("resets", 0)
    entered_for, entered = st.session_state.get("entered", ("", {}))
    values: dict[str, form.Shown] = {}
    for section, names in form.fields(columns).items():
        with st.expander(messages.say(language, section), expanded=section == "section_loan"):
            for name in names:
                original = form.shown(name, application.get(name), columns[name])
                start = entered.get(name, original) if entered_for == source else original
                key = f"{language}/{source}/{resets}/{name}"
                values[name] = field_input(language, name, columns[name], original, start, key)
    st.session_state["entered"] = (source, values)
    return values


def reset() -> None:
    """Reset the form to the credit file."""
    st.session_state["resets"] += 1
    del st.session_state["entered"]


def field_input(
    language: str, name: str, column: client.Column, original: form.Shown, start: form.Shown, key: str
) -> form.Shown:
    """Show one labelled input with the service's limits and categories; its key names the language, as in `choose`."""
    say = partial(messages.say, language)
    if column.kind == "category":
        options = form.choices(column, original)
        return st.selectbox(
            say(name), options, options.index(start), format_func=partial(option, language, column), key=key
        )
    entry = form.number_input(name, column, original)
    return st.number_input(
        say(name),
        entry.minimum,
        entry.maximum,
        None if isinstance(start, str) else start,
        entry.step,
        entry.pattern,
        key,
        help=say(f"{name}_help") if f"{name}_help" in messages.MESSAGES else None,
        placeholder=say("missing"),
    )


def show_client(language: str, credit_file: client.CreditFile) -> None:
    """Show the client and the size of each history."""
    say = partial(messages.say, language)
    number = credit_file["application"].get("SK_ID_CURR")
    numbered = isinstance(number, int)
    st.subheader(say("client", number=number) if numbered else say("client_unnumbered"), anchor=False)
    tables = [
        say(f"history_{name}{'_one' if len(credit_file[name]) == 1 else ''}", rows=len(credit_file[name]))
        for name in client.HISTORIES
        if isinstance(credit_file.get(name), list) and credit_file[name]
    ]
    st.caption(say("history", tables=", ".join(tables)) if tables else say("history_none"))


def show_simulation(
    language: str,
    credit_file: client.CreditFile,
    changes: Mapping[str, form.Shown],
    columns: Mapping[str, client.Column],
) -> None:
    """Show the values that differ from the client's, and the button that resets them."""
    say = partial(messages.say, language)
    application = credit_file["application"]
    lines = [
        say(
            "change",
            field=say(name),
            before=field_value(language, name, application.get(name), columns[name]),
            after=field_value(language, name, raw, columns[name]),
        )
        for name, raw in changes.items()
    ]
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(results.bullets(f":material/science: {say('simulation')}", lines), width="stretch")
        st.button(say("reset"), icon=":material/undo:", on_click=reset)


def field_value(language: str, name: str, raw: Any, column: client.Column) -> str:
    """Return a raw value in the words of the form."""
    value, digits = form.shown(name, raw, column), form.DIGITS_OF_YEARS.get(name)
    if digits is not None and not isinstance(value, str | None):
        return messages.number(language, value, digits)
    return messages.plain(option(language, column, value))


def option(language: str, column: client.Column, value: form.Shown) -> str:
    """Return a value of a field in words: a category in those of the service."""
    return messages.value(language, value, column.labels.get(value) if isinstance(value, str) else None)


def score(source: str, to_send: client.CreditFile, *, simulated: bool) -> None:
    """Request the decision and its explanation, and keep the answers for this session."""
    prediction = explanation = fault = None
    try:
        service = connection(SETTINGS)
        prediction = client.predict(service, to_send, None if simulated else idempotency_key(to_send))
        explanation = client.explain(service, to_send)
    except client.NoAnswerError as error:
        fault = error
    st.session_state["outcome"] = Outcome(source, to_send, simulated, prediction, explanation, fault)
    if prediction is not None and not simulated:
        st.session_state["decided"] = (source, prediction)


def idempotency_key(to_send: client.CreditFile) -> str:
    """Return a key that is the same for a file within a session, so that a repeated request is recorded once."""
    session: uuid.UUID = st.session_state.setdefault("session", uuid.uuid4())
    return str(uuid.uuid5(session, json.dumps(to_send)))


def show_outcome(language: str, source: str, to_send: client.CreditFile) -> None:
    """Show the answer to the values on the screen, or how to get it."""
    outcome: Outcome | None = st.session_state.get("outcome")
    if outcome is None or outcome.source != source:
        st.info(messages.say(language, "score_first"), icon=":material/arrow_back:")
    elif outcome.sent != to_send:
        st.warning(messages.say(language, "stale"), icon=":material/update:")
    elif outcome.prediction is not None:
        show_answer(language, outcome, outcome.prediction)
    elif outcome.fault is not None:
        results.show_no_decision(language, outcome.fault, SETTINGS, simulated=outcome.simulated)


def show_answer(language: str, outcome: Outcome, prediction: answers.Prediction) -> None:
    """Show the decision first, then its reasons, then the details."""
    results.show_decision(language, prediction)
    source, decided = st.session_state.get("decided", ("", None))
    if prediction.simulated and source == outcome.source:
        results.show_comparison(language, decided)
    results.show_rules(language, prediction)
    results.show_reasons(language, prediction)
    results.show_warnings(language, prediction)
    results.show_scale(language, prediction)
    if outcome.explanation is not None:
        results.show_other_version(language, prediction.model, outcome.explanation.model)
        results.show_counterfactual(language, outcome.explanation)
        results.show_contributions(language, outcome.explanation)
    elif outcome.fault is not None:
        results.show_no_explanation(language, outcome.fault, SETTINGS)
    results.show_end(language, prediction, outcome.explanation)


main()
