"""Show why there is no answer, in words for an officer; what only engineers need is folded up."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from ui import client, messages
from ui.client import FaultKind, NoAnswerError, shown_address
from ui.settings import MAX_UPLOAD_MIB, Settings
from ui.texts import columns

MAX_DETAILS = 20
"""Rejected fields that are listed; more say nothing new about a file of the wrong kind."""

PERHAPS_RECORDED: tuple[FaultKind, ...] = ("unreachable", "timeout", "failed", "unexpected")
"""Faults after which the service may have recorded a decision."""


def show_fault(language: str, fault: NoAnswerError) -> None:
    """Show a fault and its remedy in one message."""
    st.error(fault_message(language, fault), icon=":material/error:")
    _show_technical(language, fault)


def show_no_decision(language: str, fault: NoAnswerError) -> None:
    """Show why no decision came, and whether one may have been recorded nevertheless."""
    decided = messages.say(language, "perhaps_decided" if fault.kind in PERHAPS_RECORDED else "nothing_decided")
    st.error(f"{fault_message(language, fault)}\n\n{decided}", icon=":material/error:")
    _show_technical(language, fault)


def show_no_explanation(language: str, fault: NoAnswerError) -> None:
    """Show why the decision comes without its detailed explanation."""
    stands, message = messages.say(language, "decision_stands"), fault_message(language, fault)
    st.warning(f"{stands} {message}", icon=":material/warning:")
    _show_technical(language, fault)


def fault_message(language: str, fault: NoAnswerError) -> str:
    """Return a fault and its remedy in Markdown."""
    say = partial(messages.say, language)
    key = "rejected_whole" if fault.kind == "rejected" and not fault.details else fault.kind
    wait = say("wait") if fault.wait is None else say("wait_seconds", seconds=fault.wait)
    lines = [
        field_message(language, detail.field, messages.detail(language, detail))
        for detail in fault.details[:MAX_DETAILS]
    ]
    return bullets(say(f"fault_{key}", megabytes=MAX_UPLOAD_MIB, wait=wait), lines)


def field_message(language: str, path: str, message: str) -> str:
    """Return a message about a field of a file, after the field's name on the page."""
    return messages.say(language, "list_item", name=field_name(language, path), value=message)


def field_name(language: str, path: str) -> str:
    """Return the name on the page of a field, by its path in the file, `bureau.3.AMT_ANNUITY` say.

    A path that the page does not know is returned as code.
    """
    table, _, rest = path.partition(".")
    if table == "application" and rest in columns.APPLICATION:
        return columns.name(language, table, rest)
    row, _, column = rest.partition(".")
    if column and row.isdecimal() and column in columns.HISTORIES.get(table, {}):
        place = messages.say(language, f"table_{table}")
        name = columns.name(language, table, column)
        return messages.say(language, "history_place", table=place, row=int(row) + 1, column=name)
    if rest in columns.HISTORIES.get(table, {}):
        return f"{messages.say(language, f'table_{table}')}, {columns.name(language, table, rest)}"
    if path in client.HISTORIES:
        return messages.say(language, f"table_{path}")
    return messages.code(path)


def bullets(message: str, lines: Sequence[str]) -> str:
    """Return a message in Markdown, with a list under it."""
    return "\n".join([message, "", *(f"- {line}" for line in lines)]) if lines else message


def _show_technical(language: str, fault: NoAnswerError) -> None:
    """Show, folded up, what the technical team needs to mend the fault."""
    say = partial(messages.say, language)
    address = messages.code(shown_address(Settings().api_url))
    lines = []
    if f"technical_{fault.kind}" in messages.MESSAGES:
        lines.append(say(f"technical_{fault.kind}", address=address))
    if fault.status is not None:
        lines.append(say("technical_status", status=fault.status, address=address))
    if fault.reason:
        lines.append(messages.plain(fault.reason))
    lines += [
        f"{messages.code(detail.field)} {messages.plain(detail.message)}"
        for detail in fault.details[:MAX_DETAILS]
        if detail.message
    ]
    if lines:
        with st.expander(say("technical"), icon=":material/build:"):
            st.markdown("\n".join(f"- {line}" for line in lines))
