"""The page that finds a recorded decision, by number, client, day or outcome; `?decision=ID` opens one."""

from datetime import timedelta
from functools import partial

import streamlit as st

from ui import client, days, faults, messages, records, reviewing, session
from ui.session import DECISION
from ui.settings import Settings

ANY = "any"


def show() -> None:
    """Show the search, then the chosen decision and the forms on it."""
    language = session.language()
    say = partial(messages.say, language)
    st.title(say("decisions_title"), anchor=False)
    reviewing.show_notice()
    chosen = st.query_params.get(DECISION)
    try:
        tables = session.declared_tables(Settings())
        if chosen is None:
            chosen = search(language)
        else:
            st.button(say("decisions_back"), on_click=close, icon=":material/arrow_back:")
        if chosen is None:
            return
        place = reviewing.place_of(chosen)
        record = records.read(session.service(), chosen)
    except client.NoAnswerError as fault:
        faults.show_fault(language, fault)
        st.button(say("retry"), key="decisions_retry")
        return
    with place.container():
        reviewing.show_decision(language, record, tables)


def close() -> None:
    """Leave the opened decision for the search."""
    st.query_params.pop(DECISION, None)


def search(language: str) -> str | None:
    """Show the criteria and the list that they select; return the id of the chosen decision, None where there is none.

    Raises NoAnswerError where the service does not list them.
    """
    say = partial(messages.say, language)
    with st.form("criteria", border=False):
        number, of_client, state, outcome = st.columns(4)
        written = number.text_input(say("filter_id"), key="filter_id")
        client_number = of_client.text_input(say("filter_client"), key="filter_client")
        chosen_state = state.selectbox(
            say("filter_state"),
            ["all", "waiting", "contested", "reviewed"],
            format_func=lambda value: say("filter_all") if value == "all" else say(f"state_{value}").capitalize(),
            key="filter_state",
        )
        chosen_outcome = outcome.selectbox(
            say("filter_outcome"),
            [ANY, "granted", "review", "refused"],
            format_func=lambda value: say("filter_any" if value == ANY else f"{value}_short").capitalize(),
            key="filter_outcome",
        )
        first, last = st.columns(2)
        since = first.text_input(say("filter_since"), key="filter_since")
        until = last.text_input(say("filter_until"), key="filter_until")
        is_new = st.form_submit_button(say("filter_search"), type="primary", icon=":material/search:")
    if is_new:
        st.session_state.pop("decisions_pages", None)
        if written.strip():
            st.query_params[DECISION] = written.strip()
            st.rerun()
    filters = criteria(language, client_number, chosen_state, chosen_outcome, since, until)
    if filters is None:
        return None
    chosen = reviewing.choose(language, filters, "list_empty", key="decisions")
    if chosen is not None and st.button(say("decisions_open"), type="primary", key="decisions_open"):
        st.query_params[DECISION] = chosen
        st.rerun()
    return None


def criteria(
    language: str, client_number: str, state: str, outcome: str, since: str, until: str
) -> records.Filters | None:
    """Return the criteria of the form; show what is wrong, and return None, where one is no number or day."""
    number = "".join(client_number.split())
    if number and not (number.isascii() and number.isdecimal() and 0 < int(number) < 2**53):
        st.warning(messages.say(language, "wrong_client"))
        return None
    moments = []
    for text in (since, until):
        try:
            moments.append(days.read_day(text, session.time_zone()))
        except days.DayError:
            st.warning(messages.say(language, "wrong_day", text=messages.plain(text)))
            return None
    start, end = moments
    return records.Filters(
        state=state,
        outcome=None if outcome == ANY else outcome,
        client=int(number) if number else None,
        since=start,
        until=None if end is None else end + timedelta(days=1),
    )


show()
