"""Show a recorded decision: what was decided, why, on which data, and what persons have made of it."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from ui import client, faults, form, histories, messages, results, session
from ui.records import Contest, Record, Replay, Review, Summary, replay
from ui.texts import columns

MAX_ROWS = 30
"""Rows of a history that the page shows."""


def line(language: str, summary: Summary) -> str:
    """Return a decision of a list in one line of Markdown."""
    moment = session.moment(language, summary.decided_at)
    if summary.state is None or summary.outcome is None:
        return messages.say(language, "list_unreadable", moment=moment)
    risk = "\u2013" if summary.probability is None else messages.percent(language, summary.probability)
    return messages.say(
        language,
        "list_line",
        client=client_name(language, summary.client),
        moment=moment,
        risk=risk,
        outcome=messages.say(language, f"{summary.outcome}_short"),
        state=messages.say(language, f"state_{summary.state}"),
    )


def client_name(language: str, number: int | None) -> str:
    """Return the client of a decision, or that the client was erased."""
    return messages.say(language, "client_purged" if number is None else "client", number=number)


def show_record(language: str, record: Record, tables: client.Tables) -> None:
    """Show a decision from its outcome down to its data."""
    say = partial(messages.say, language)
    application = {} if record.credit_file is None else record.credit_file["application"]
    box, sign = results.BOXES[record.outcome]
    number = application.get("SK_ID_CURR")
    title = say("record_title", client=client_name(language, number), outcome=say(record.outcome))
    box(f"## {sign} {title}")
    figures = []
    if record.probability is not None:
        probability, threshold = messages.percentages(language, record.probability, record.threshold)
        model = messages.plain(record.model.version)
        figures = [say("record_figures", probability=probability, threshold=threshold, model=model)]
    st.markdown("  \n".join([*figures, say("record_number", number=messages.code(record.decision_id))]))
    if record.state == "purged":
        st.info(say("record_purged"))
    show_history(language, record)
    show_grounds(language, record)
    if record.credit_file is not None:
        show_data(language, record.credit_file, tables)


def show_history(language: str, record: Record) -> None:
    """Show the decision, its reviews and its contests in the order of time."""
    st.subheader(messages.say(language, "record_history"), anchor=False)
    st.markdown("\n".join(f"- {event}" for event in events(language, record)))


def events(language: str, record: Record) -> list[str]:
    """Return the decision, its reviews and its contests as sentences in Markdown, oldest first."""
    say = partial(messages.say, language)
    decided = {"moment": session.moment(language, record.decided_at), "outcome": say(f"{record.decision}_short")}
    first = say("event_decided", **decided)
    if record.officer:
        first = say("event_decided_for", officer=messages.plain(record.officer), **decided)
    if record.correction:
        first += f" {say('event_corrected', reason=one_line(record.correction))}"
    later: list[Review | Contest] = sorted([*record.reviews, *record.contests], key=_moment)
    return [first, *(_event(language, event) for event in later)]


def one_line(text: str) -> str:
    """Return a text of a person as one line of Markdown, without markup."""
    return messages.plain(" ".join(text.split()))


def show_grounds(language: str, record: Record) -> None:
    """Show the rules, the reasons and the reservations of the automated decision."""
    say = partial(messages.say, language)
    if record.rules:
        st.subheader(say("record_rules"), anchor=False)
        st.markdown("\n".join(f"1. {messages.plain(rule.text[language])}" for rule in record.rules))
    if record.reasons:
        st.subheader(say("record_reasons"), anchor=False)
        st.markdown("\n".join(f"1. {results.reason_line(language, reason)}" for reason in record.reasons))
    elif record.reasons is None and record.state != "purged":
        st.caption(say("record_no_reasons"))
    doubts = [warning for warning in record.warnings or () if warning.kind != "missing_field"]
    if doubts:
        lines = [
            faults.field_message(language, warning.field, messages.plain(warning.message[language]))
            for warning in doubts
        ]
        st.warning(faults.bullets(say("record_warnings"), lines))


def show_data(language: str, credit_file: client.CreditFile, tables: client.Tables) -> None:
    """Show the credit file, folded up: the application, then each history as a table."""
    say = partial(messages.say, language)
    with st.expander(say("record_data")):
        declared = tables["application"]
        names = [
            name for section in form.fields(declared).values() for name in section if name in credit_file["application"]
        ]
        cells = [_cell(language, name, credit_file["application"][name], declared[name]) for name in names]
        titles = [messages.plain(columns.name(language, "application", name)) for name in names]
        _table(language, say("record_data"), {say("record_field"): titles, say("record_value"): cells})
        for name in client.HISTORIES:
            rows = credit_file.get(name)
            if rows:
                _show_rows(language, name, rows, tables[name])


def show_tools(language: str, record: Record) -> None:
    """Show the buttons that compute a decision again and download it."""
    say = partial(messages.say, language)
    if st.button(say("replay"), help=say("replay_help"), key="replay"):
        try:
            show_replay(language, replay(session.service(), record.decision_id))
        except client.NoAnswerError as fault:
            faults.show_fault(language, fault)
    st.download_button(
        say("record_download"),
        json.dumps(record.received, ensure_ascii=False, indent=2),
        file_name=f"decision_{record.decision_id}.json",
        mime="application/json",
        on_click="ignore",
    )


def show_replay(language: str, result: Replay) -> None:
    """Show whether a decision comes out the same again."""
    boxes: dict[str, Callable[[str], Any]] = {"same": st.success, "different": st.error}
    boxes.get(result.verdict, st.info)(messages.say(language, f"replay_{result.verdict}"))


def _event(language: str, event: Review | Contest) -> str:
    say, moment = partial(messages.say, language), session.moment(language, _moment(event))
    erased = say("erased")
    if isinstance(event, Contest):
        statement, recorder = (one_line(text or erased) for text in (event.statement, event.recorder))
        return say("event_contested", moment=moment, recorder=recorder, statement=statement)
    reason, reviewer = (one_line(text or erased) for text in (event.reason, event.reviewer))
    outcome = say(f"{event.outcome}_short")
    return say(f"event_{event.verdict}", moment=moment, reviewer=reviewer, outcome=outcome, reason=reason)


def _moment(event: Review | Contest) -> Any:
    return event.contested_at if isinstance(event, Contest) else event.reviewed_at


def _cell(language: str, name: str, raw: Any, column: client.Column) -> str:
    shown = form.shown(name, raw, column)
    if isinstance(shown, str):
        return messages.plain(messages.value(language, shown, column.labels.get(shown)))
    return messages.plain(form.written(language, name, shown)) or messages.say(language, "missing")


def _show_rows(language: str, name: str, rows: Sequence[dict[str, Any]], declared: dict[str, client.Column]) -> None:
    title = messages.say(language, f"table_{name}")
    st.subheader(messages.say(language, "record_rows", table=title, rows=len(rows)), anchor=False)
    present = [column for column in columns.ordered(name, declared) if any(column in row for row in rows)]
    texts = histories.texts(language, rows[:MAX_ROWS], declared, present)
    content = {
        columns.name(language, name, column): [_word(language, row[column], declared[column]) for row in texts]
        for column in present
    }
    _table(language, title, content)
    if len(rows) > MAX_ROWS:
        st.caption(messages.say(language, "record_first_rows", count=MAX_ROWS))


def _word(language: str, text: str | None, column: client.Column) -> str:
    return messages.plain(messages.value(language, text, column.labels.get(text or "")))


def _table(language: str, title: str, content: dict[str, list[str]]) -> None:
    st.table(content, hide_index=True, alt=messages.say(language, "record_table", table=title))
