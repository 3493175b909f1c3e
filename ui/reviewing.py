"""What the pages on recorded decisions share: the list to choose from, and the forms of a review and of a contest."""

from collections.abc import Callable
from functools import partial
from typing import get_args

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui import client, faults, kept_text, messages, record_view, records, session
from ui.answers import Decision

MIN_REASON, MAX_REASON, MAX_STATEMENT = 10, 2000, 10_000
"""Characters that the service takes."""


def choose(language: str, filters: records.Filters, empty: str, *, key: str) -> str | None:
    """Show a list of decisions, page by page, and return the id of the chosen one; None where the list is empty.

    Raises NoAnswerError where the service does not list them.
    """
    say = partial(messages.say, language)
    pages: list[str] = st.session_state.setdefault(f"{key}_pages", [])
    listing = records.listed(session.service(), filters, pages[-1] if pages else None)
    lines = {summary.decision_id: record_view.line(language, summary) for summary in listing.decisions}
    if not lines:
        st.info(say(empty))
        if pages:
            st.button(say("first_page"), on_click=pages.clear, key=f"{key}_first")
        else:
            st.button(say("refresh"), key=f"{key}_refresh")
        return None
    # Streamlit forgets the choice where the list is left out once, as when the service is down.
    last, ids = st.session_state.get(f"{key}_last"), list(lines)
    start = ids.index(last) if last in lines else 0
    chosen = st.radio(say("list_label"), ids, start, format_func=lines.__getitem__, key=f"{key}_chosen")
    st.session_state[f"{key}_last"] = chosen
    newest, older = st.columns(2)
    if pages:
        newest.button(say("first_page"), on_click=pages.clear, key=f"{key}_first")
    else:
        newest.button(say("refresh"), key=f"{key}_refresh")
    if listing.following is not None:
        older.button(say("next_page"), on_click=pages.append, args=(listing.following,), key=f"{key}_next")
    return chosen


def place_of(decision_id: str) -> DeltaGenerator:
    """Return the place of a decision on the page, emptied at once where another stood there.

    Streamlit leaves what stood there until the new content comes: what is typed into a form meanwhile would be for the
    other decision.
    """
    is_another = st.session_state.get("shown_decision") != decision_id
    st.session_state["shown_decision"] = decision_id
    return st.empty() if is_another else st.container()


def show_decision(language: str, record: records.Record | None, tables: client.Tables) -> None:
    """Show a decision with the forms on it, or that there is none."""
    if record is None:
        st.warning(messages.say(language, "no_decision"))
        return
    data, forms = st.columns([3, 2], gap="large")
    with data:
        record_view.show_record(language, record, tables)
    with forms:
        show_forms(language, record)


def show_forms(language: str, record: records.Record) -> None:
    """Show the forms that review a decision and record the client's statement; none on one that is purged."""
    if record.state == "purged":
        return
    is_changed = has_changed(record)
    with st.container():  # also where it is empty, so that the warning moves no text area, which would be made anew
        if is_changed:
            st.warning(messages.say(language, "changed_meanwhile"))
    _show_review(language, record, is_changed=is_changed)
    _show_contest(language, record)
    record_view.show_tools(language, record)


def has_changed(record: records.Record) -> bool:
    """Return whether others reviewed or contested a decision since the officer read it.

    Each change on the page reads the decision anew. What came meanwhile counts as read only after a click that found
    it on the page and recorded nothing: a click sends the text that was typed first, as a separate change.
    """
    return bool(st.session_state.setdefault(_seen(record), _events(record)) != _events(record))


def _seen(record: records.Record) -> str:
    return f"seen_{record.decision_id}"


def _events(record: records.Record) -> tuple[int, int]:
    return len(record.reviews), len(record.contests)


def show_notice() -> None:
    """Show what the last form did, once, on the page as it is afterwards."""
    kind, text = st.session_state.pop("record_notice", (None, ""))
    if kind is not None:
        {"success": st.success, "warning": st.warning}[kind](text)


def outcomes(record: records.Record) -> dict[Decision, str]:
    """Return the outcomes that a person may choose, with the key of the text of each."""
    others: tuple[Decision, ...] = tuple(outcome for outcome in get_args(Decision) if outcome != "review")
    if record.outcome == "review":
        return {outcome: f"take_{outcome}" for outcome in others}
    return {outcome: f"keep_{outcome}" if outcome == record.outcome else f"change_{outcome}" for outcome in others}


def _show_review(language: str, record: records.Record, *, is_changed: bool) -> None:
    say = partial(messages.say, language)
    st.subheader(say("your_decision"), anchor=False)
    choices, outcome_kept_as = outcomes(record), f"outcome_{record.decision_id}"
    begun = session.kept(outcome_kept_as)
    outcome = st.radio(
        say("your_decision"),
        list(choices),
        format_func=lambda value: say(choices[value]),
        index=list(choices).index(begun) if begun in choices else None,
        label_visibility="collapsed",
        key=outcome_kept_as,
    )
    if outcome is not None:
        session.keep(outcome_kept_as, outcome)
    kept_as = f"reason_{record.decision_id}"
    reason = kept_text.text_area(say("review_reason"), kept_as, max_chars=MAX_REASON)
    if not st.button(say("review_save"), type="primary", key=f"review_{record.decision_id}"):
        return
    if is_changed:
        st.session_state[_seen(record)] = _events(record)
    elif outcome is None:
        st.warning(say("need_outcome"))
    elif len(reason.strip()) < MIN_REASON:
        st.warning(say("need_reason"))
    elif _has_name(language):
        done = say("review_saved", outcome=say(f"{outcome}_short"))
        write = partial(records.review, session.service(), record, outcome, reason, session.officer())
        _send(language, record, write, done, (kept_as, outcome_kept_as))


def _show_contest(language: str, record: records.Record) -> None:
    say = partial(messages.say, language)
    kept_as = f"statement_{record.decision_id}"
    with st.expander(say("contest_title"), expanded=bool(session.kept(kept_as))):
        statement = kept_text.text_area(say("contest_statement"), kept_as, max_chars=MAX_STATEMENT)
        saved = st.button(say("contest_save"), key=f"contest_{record.decision_id}")
    if not saved:
        return
    if not statement.strip():
        st.warning(say("need_statement"))
    elif _has_name(language):
        write = partial(records.contest, session.service(), record, statement, session.officer())
        _send(language, record, write, say("contest_saved"), (kept_as,))


def _has_name(language: str) -> bool:
    if not session.officer():
        st.warning(messages.say(language, "need_officer"))
    return bool(session.officer())


def _send(
    language: str, record: records.Record, write: Callable[[], None], done: str, kept_as: tuple[str, ...]
) -> None:
    """Write what a form holds, and show the page anew; where that fails, the form keeps its entries of these names."""
    try:
        write()
    except client.NoAnswerError as fault:
        if fault.kind == "conflict":
            st.session_state.pop(_seen(record), None)
            st.session_state["record_notice"] = ("warning", messages.say(language, "changed_meanwhile"))
            st.rerun()
        if records.is_of_another_person(fault):
            st.error(messages.say(language, "not_your_key"))
        else:
            faults.show_fault(language, fault)
        return
    st.session_state.pop(_seen(record), None)
    for name in kept_as:
        kept_text.forget(name)
    st.session_state["record_notice"] = ("success", done)
    st.rerun()
