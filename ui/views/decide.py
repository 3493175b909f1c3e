"""The page that decides: choose a file, correct it or try other values, take the decision, explain it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from ui import (
    answers,
    choice,
    client,
    entry,
    explanations,
    faults,
    form,
    histories,
    kept_text,
    letter_view,
    messages,
    outcomes,
    peers,
    results,
    session,
)
from ui.settings import Settings
from ui.texts import columns

# Characters of the reason of a correction, as of the reason of a review.
MIN_REASON_LENGTH = 10


def show() -> None:
    """Show the page from top to bottom."""
    language = session.language()
    say = partial(messages.say, language)
    st.title(say("page_title"), anchor=False)
    try:
        tables = session.declared_tables(Settings())
    except client.NoAnswerError as fault:
        faults.show_fault(language, fault)
        st.button(say("retry"), icon=":material/refresh:", on_click=outcomes.retry)
        return
    try:
        chosen = choice.choose_credit_file(language, tables)
    except client.NoAnswerError as fault:
        faults.show_fault(language, fault)
        return
    if chosen is not None:
        show_credit_file(language, chosen, tables)


def show_credit_file(language: str, chosen: choice.Chosen, tables: client.Tables) -> None:
    """Show the form beside the answer to what it holds."""
    entered, answered = st.columns([1, 2], gap="large")
    source, credit_file = chosen.source, chosen.credit_file
    below = st.container()
    with below:
        st.header(messages.say(language, "histories"), anchor=False)
    with entered:
        st.header(messages.say(language, "form"), anchor=False)
        entries = entry.fill_form(language, source, credit_file, tables, below, is_new=chosen.is_new)
    changes = form.changed(credit_file, entries.values, tables["application"])
    changed_tables = histories.changed_tables(credit_file, entries.tables)
    to_send = form.with_changes(credit_file, changes, changed_tables)
    with answered:
        show_client(language, to_send)
        action = st.container()  # above what appears with a change, so that a click right after typing hits the button
        is_changed = bool(changes or changed_tables) and not chosen.is_new
        is_correction, reason = False, ""
        if is_changed:
            show_changes(language, credit_file, changes, changed_tables, tables)
            is_correction, reason = choose_intention(language, source)
        missing = [name for name in form.missing(to_send, tables["application"]) if name not in entries.wrong]
        with action:
            decide_button(
                language,
                chosen,
                to_send,
                obstacle=obstacle(entries, missing, is_changed=is_changed, is_correction=is_correction, reason=reason),
                correction=reason.strip() if is_correction else "",
            )
        if entries.is_wrong or missing:
            show_incomplete(language, entries, missing)
        else:
            show_answer(language, chosen, to_send, is_changed=is_changed)


def obstacle(
    entries: entry.Entries, missing: list[str], *, is_changed: bool, is_correction: bool, reason: str
) -> str | None:
    """Return the key of the text that says why nothing can be decided at present; None where it can."""
    if entries.is_wrong:
        return "obstacle_wrong"
    if missing:
        return "obstacle_missing"
    if not session.officer():
        return "obstacle_officer"
    if is_changed and not is_correction:
        return "obstacle_simulation"
    if is_changed and len(reason.strip()) < MIN_REASON_LENGTH:
        return "obstacle_reason"
    return None


def decide_button(
    language: str, chosen: choice.Chosen, to_send: client.CreditFile, *, obstacle: str | None, correction: str
) -> None:
    """Show the button that takes the decision; always the same one, so that a click right after typing counts."""
    say = partial(messages.say, language)
    clicked = st.button(say("decide"), type="primary", icon=":material/gavel:", key="decide")
    st.caption(say("decide_hint"))
    if not clicked:
        return
    if obstacle is not None:
        st.warning(say(obstacle), icon=":material/warning:")
        return
    with st.spinner(say("deciding")):
        fault = outcomes.decide(chosen.source, to_send, correction)
    if fault is not None:
        faults.show_no_decision(language, fault)


def show_client(language: str, credit_file: client.CreditFile) -> None:
    """Show the client and the size of each history."""
    say = partial(messages.say, language)
    number = credit_file["application"].get("SK_ID_CURR")
    is_numbered = isinstance(number, int) and not isinstance(number, bool)
    st.header(say("client", number=number) if is_numbered else say("client_unnumbered"), anchor=False)
    tables = [
        say(f"history_{name}{'_one' if len(credit_file[name]) == 1 else ''}", rows=len(credit_file[name]))
        for name in client.HISTORIES
        if isinstance(credit_file.get(name), list) and credit_file[name]
    ]
    st.caption(say("history", tables=", ".join(tables)) if tables else say("history_none"))


def show_changes(
    language: str,
    credit_file: client.CreditFile,
    changes: Mapping[str, float | str | None],
    changed_tables: Mapping[str, list[dict[str, Any]]],
    tables: client.Tables,
) -> None:
    """Show the values that differ from the client's file."""
    say = partial(messages.say, language)
    lines = [
        say(
            "change",
            field=columns.name(language, "application", name),
            before=field_value(language, name, credit_file["application"].get(name), tables["application"][name]),
            after=field_value(language, name, raw, tables["application"][name]),
        )
        for name, raw in changes.items()
    ]
    lines += [
        say(
            "changed_history",
            name=say(f"table_{table}"),
            before=len(credit_file.get(table, [])),
            after=len(rows),
        )
        for table, rows in changed_tables.items()
    ]
    st.markdown(faults.bullets(say("changes"), lines))


def choose_intention(language: str, source: str) -> tuple[bool, str]:
    """Show the choice between simulation and correction; return whether it is a correction, and its reason."""
    say = partial(messages.say, language)
    options = ["simulation", "correction"]
    draft: dict[str, Any] = session.kept(f"draft/{source}") or {}
    key = f"intention/{language}/{source}/{st.session_state.get('resets', 0)}"
    if key not in st.session_state:
        st.session_state[key] = draft.get("intention", options[0])
    chosen = options.index(st.session_state[key])
    intention = st.radio(say("intention"), options, chosen, lambda name: say(f"intention_{name}"), key)
    session.keep(f"draft/{source}", {**draft, "intention": intention})
    reason = ""
    if intention == "correction":
        reason = kept_text.text_area(say("correction_reason"), entry.reason_of(source), max_chars=1000)
    st.button(say("reset"), icon=":material/undo:", on_click=entry.reset, args=(source,))
    return intention == "correction", reason


def field_value(language: str, name: str, raw: Any, column: client.Column) -> str:
    """Return the raw value of a field as Markdown, as the form shows it."""
    content = form.shown(name, raw, column)
    if isinstance(content, form.Wrong):
        return messages.code(content.text)
    if column.kind in ("category", "flag") or content is None:
        return messages.plain(entry.option(language, column, content))
    return messages.plain(form.written(language, name, content))


def show_incomplete(language: str, entries: entry.Entries, missing: list[str]) -> None:
    """Show which fields are to be corrected or filled in; there is no answer before."""
    say = partial(messages.say, language)
    lines = [
        say("list_item", name=columns.name(language, "application", name), value=entry.wrong_text(language, wrong))
        for name, wrong in entries.wrong.items()
    ]
    lines += [
        say("list_item", name=say(f"table_{table}"), value=say("wrong_cells", count=len(cells)))
        for table, cells in entries.wrong_cells.items()
        if cells
    ]
    if lines:
        st.error(faults.bullets(say("incomplete_wrong"), lines), icon=":material/error:")
    if missing:
        names = [columns.name(language, "application", name) for name in missing]
        st.info(faults.bullets(say("incomplete_missing"), names), icon=":material/edit:")


def show_answer(language: str, chosen: choice.Chosen, to_send: client.CreditFile, *, is_changed: bool) -> None:
    """Show the decision first, then its reasons, then the details."""
    prediction = outcomes.decided(chosen.source, to_send) or outcomes.simulate(to_send)
    if isinstance(prediction, client.NoAnswerError):
        faults.show_fault(language, prediction)
        st.button(messages.say(language, "retry"), icon=":material/refresh:", on_click=outcomes.retry)
        return
    results.show_decision(language, prediction)
    if is_changed:
        show_original(language, chosen)
    results.show_rules(language, prediction)
    results.show_reasons(language, prediction)
    show_details(language, prediction, to_send)


def show_details(language: str, prediction: answers.Prediction, to_send: client.CreditFile) -> None:
    """Show what explains the decision, which stands above while the explanation is computed."""
    answer = outcomes.explain(to_send)
    explanation = answer if isinstance(answer, answers.Explanation) else None
    if explanation is not None:
        explanations.show_counterfactual(language, explanation)
    results.show_warnings(language, prediction)
    results.show_scale(language, prediction)
    if explanation is not None:
        explanations.show_other_version(language, prediction.model, explanation.model)
        explanations.show_contributions(language, explanation)
        peers.show_standings(language, explanation)
    elif isinstance(answer, client.NoAnswerError):
        faults.show_no_explanation(language, answer)
    letter_view.show_letter(language, prediction, explanation, to_send)
    results.show_end(language, prediction, explanation)


def show_original(language: str, chosen: choice.Chosen) -> None:
    """Show beside the answer what holds for the file without changes."""
    original: answers.Prediction | client.NoAnswerError | None = outcomes.decided(chosen.source, chosen.credit_file)
    if original is None and not chosen.is_new:
        original = outcomes.simulate(chosen.credit_file)
    if isinstance(original, answers.Prediction):
        results.show_comparison(language, original)


show()
