"""The page where a person decides: files that wait for one, and those that a client contests."""

from functools import partial

import streamlit as st

from ui import client, faults, messages, records, reviewing, session
from ui.settings import Settings


def show() -> None:
    """Show the queue, then the chosen decision and the forms on it."""
    language = session.language()
    say = partial(messages.say, language)
    st.title(say("review_title"), anchor=False)
    st.markdown(say("review_intro"))
    reviewing.show_notice()
    state = st.radio(
        say("queue"),
        ["waiting", "contested"],
        format_func=lambda state: say(f"queue_{state}"),
        key="review_queue",
        horizontal=True,
    )
    try:
        tables = session.declared_tables(Settings())
        chosen = reviewing.choose(language, records.Filters(state=state), "queue_empty", key=f"review_{state}")
        if chosen is None:
            return
        place = reviewing.place_of(chosen)
        record = records.read(session.service(), chosen)
    except client.NoAnswerError as fault:
        faults.show_fault(language, fault)
        st.button(say("retry"), key="review_retry")
        return
    with place.container():
        reviewing.show_decision(language, record, tables)


show()
