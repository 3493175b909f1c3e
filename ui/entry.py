"""The form of a credit file: fields of the application by section, histories as tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui import client, form, histories, kept_text, messages, session
from ui.texts import categories, columns

TYPING_PAUSE = "200ms"
"""Pause in typing after which a value counts: the answer is to be on the screen within 400 ms of the last digit."""


@dataclass
class Entries:
    """What the form holds: values by field, rows by history, and what is wrong with them."""

    values: dict[str, float | str | None] = field(default_factory=dict)
    wrong: dict[str, form.Wrong] = field(default_factory=dict)
    tables: dict[str, list[histories.Row]] = field(default_factory=dict)
    wrong_cells: dict[str, list[histories.WrongCell]] = field(default_factory=dict)

    @property
    def is_wrong(self) -> bool:
        """Whether some content is no value of its field."""
        return bool(self.wrong or any(self.wrong_cells.values()))


def fill_form(
    language: str,
    source: str,
    credit_file: client.CreditFile,
    tables: client.Tables,
    below: DeltaGenerator,
    *,
    is_new: bool,
) -> Entries:
    """Show the form, its histories in the container `below`, and return its content.

    It starts from the credit file, or from what was entered for it so far.
    """
    draft: dict[str, Any] = session.kept(f"draft/{source}") or {}
    entries = Entries()
    for section, names in form.fields(tables["application"]).items():
        box = st.expander(
            messages.say(language, section),
            expanded=section == "section_loan" or (is_new and section in form.MAIN_SECTIONS),
            key=f"box/{'new' if is_new else 'file'}/{section}",
            on_change="rerun",
        )
        for name in names:
            column = tables["application"][name]
            original = form.shown(name, credit_file["application"].get(name), column)
            start = _restored(language, name, draft.get("values", {}).get(name, original), column)
            value = start
            if box.open:
                # In a container, so that an error below a field moves no other: one that moves is made anew, without
                # the focus and what is being typed.
                with box.container():
                    value = _field(language, source, name, column, original, start)
            if isinstance(value, form.Wrong):
                entries.wrong[name] = value
            else:
                entries.values[name] = value
    with below:
        for table in columns.HISTORIES:
            if table in tables:
                _history(language, source, credit_file, table, tables[table], draft, entries)
    _keep(source, credit_file, tables["application"], entries)
    return entries


def reset(source: str) -> None:
    """Reset the form to the credit file."""
    st.session_state["resets"] = st.session_state.get("resets", 0) + 1
    session.keep(f"draft/{source}", None)
    kept_text.forget(reason_of(source))


def reason_of(source: str) -> str:
    """Return the name under which the reason of a correction is kept."""
    return f"correction_reason/{source}"


def option(language: str, column: client.Column, value: float | str | None) -> str:
    """Return a choice of a field in words."""
    if column.kind == "flag" and value in (0, 1):
        return messages.say(language, "yes" if value else "no")
    labels = column.labels.get(value) if isinstance(value, str) else None
    return messages.value(language, value, labels)


def wrong_text(language: str, wrong: form.Wrong) -> str:
    """Return what is wrong with a text, and what is expected."""
    limit = "" if wrong.limit is None else form.written(language, "", wrong.limit)
    return messages.say(language, f"field_{wrong.fault}", limit=limit)


def _key(language: str, source: str, name: str) -> str:
    return f"{language}/{source}/{st.session_state.get('resets', 0)}/{name}"


def _restored(language: str, name: str, content: Any, column: client.Column) -> form.Shown:
    """Return kept content; a wrong text is read again, as the language may have changed."""
    if isinstance(content, Mapping):
        return form.entered(language, name, str(content["text"]), column)
    return content


def _field(
    language: str, source: str, name: str, column: client.Column, original: form.Shown, start: form.Shown
) -> form.Shown:
    """Show one field with its label and, below, what is wrong with its content."""
    key = _key(language, source, name)
    label = columns.name(language, "application", name)
    value: form.Shown
    if column.kind in ("category", "flag"):
        options = form.choices(column, original)
        if key not in st.session_state:
            st.session_state[key] = start if start in options else None
        chosen = st.session_state[key]
        value = st.selectbox(
            label,
            options,
            index=options.index(chosen) if chosen in options else None,
            format_func=partial(option, language, column),
            key=key,
            help=_help(language, name, column),
        )
        if value is None and isinstance(original, form.Wrong):
            value = original
    else:
        if key not in st.session_state:
            st.session_state[key] = form.written(language, name, start)
        text = st.text_input(
            label,
            st.session_state[key],
            key=key,
            help=_help(language, name, column),
            placeholder=messages.say(language, "missing"),
            autocomplete="off",
            live=TYPING_PAUSE,
            on_change=_keep_typed,
            args=(source, name, key),
        )
        is_untouched = text == form.written(language, name, original)
        value = original if is_untouched else form.entered(language, name, text or "", column)
        if is_untouched and isinstance(value, int | float) and text:
            value = checked if isinstance(checked := form.entered(language, name, text, column), form.Wrong) else value
    if isinstance(value, form.Wrong):
        st.error(wrong_text(language, value), icon=":material/error:")
    return value


def _keep_typed(source: str, name: str, key: str) -> None:
    """Keep a text before the page is drawn: it is lost where the page that is asked for with it has no such field."""
    draft: dict[str, Any] = session.kept(f"draft/{source}") or {}
    values = {**draft.get("values", {}), name: {"text": st.session_state[key]}}
    session.keep(f"draft/{source}", {**draft, "values": values})


def _help(language: str, name: str, column: client.Column) -> str | None:
    """Return the help of a field: its own, or its range where it has both ends."""
    if f"{name}_help" in messages.MESSAGES:
        return messages.say(language, f"{name}_help")
    low, high = form.limits(name, column)
    if column.kind in ("category", "flag") or low is None or high is None or high > 1000:
        return None
    return messages.say(
        language, "field_range", low=form.written(language, name, low), high=form.written(language, name, high)
    )


def _history(
    language: str,
    source: str,
    credit_file: client.CreditFile,
    table: str,
    declared: Mapping[str, client.Column],
    draft: Mapping[str, Any],
    entries: Entries,
) -> None:
    """Show one history as a table that can be edited while its section is open."""
    original = credit_file.get(table, [])
    if not _is_rows(original):
        return
    now = draft.get("tables", {}).get(table, original)
    say = partial(messages.say, language)
    box = st.expander(
        say("history_section", name=say(f"table_{table}"), rows=len(now)), key=f"box/{table}", on_change="rerun"
    )
    base_key = f"base/{_key(language, source, table)}"
    if not box.open:
        st.session_state.pop(base_key, None)
        entries.tables[table] = now
        return
    base: list[histories.Row] = st.session_state.setdefault(base_key, now)
    names = columns.ordered(table, declared)
    start = histories.texts(language, base, declared, names)
    with box:
        st.caption(say("history_units"))
        key = _key(language, source, table)
        st.data_editor(
            pd.DataFrame(start, columns=names, dtype="object"),
            column_config={name: _column(language, table, name, declared[name]) for name in names},
            num_rows="dynamic",
            hide_index=True,
            key=key,
            alt=say(f"table_{table}"),
        )
        cells = histories.edited_cells(start, st.session_state.get(key) or {})
        entries.tables[table], wrong = histories.rows_entered(language, base, cells, declared)
        entries.wrong_cells[table] = wrong
        for cell in wrong:
            name = columns.name(language, table, cell.column)
            place = say("history_cell", row=cell.row, column=name, text=messages.code(cell.wrong.text))
            st.error(say("list_item", name=place, value=wrong_text(language, cell.wrong)), icon=":material/error:")


def _column(language: str, table: str, name: str, column: client.Column) -> Any:
    label = columns.name(language, table, name)
    if column.kind == "category":
        return st.column_config.SelectboxColumn(
            label, options=list(column.categories), format_func=partial(categories.in_words, language, name)
        )
    return st.column_config.TextColumn(label, alignment="right")


def _is_rows(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(row, dict) for row in content)


def _keep(
    source: str, credit_file: client.CreditFile, application: Mapping[str, client.Column], entries: Entries
) -> None:
    """Keep what differs from the credit file over a change of client, a reload and a restart."""
    values: dict[str, Any] = {name: {"text": wrong.text} for name, wrong in entries.wrong.items()}
    for name, value in entries.values.items():
        if value != form.shown(name, credit_file["application"].get(name), application[name]):
            values[name] = value
    tables = histories.changed_tables(credit_file, entries.tables)
    if values or tables or session.kept(f"draft/{source}"):
        draft = session.kept(f"draft/{source}") or {}
        session.keep(f"draft/{source}", {**draft, "values": values, "tables": tables})
