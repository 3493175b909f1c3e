"""The histories of a credit file as tables of texts, and the rows of what was entered into them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ui import form
from ui.client import Column

Row = dict[str, Any]
Texts = dict[str, str | None]


@dataclass(frozen=True)
class WrongCell:
    """A text of a table that is no value of its column; rows count from 1."""

    row: int
    column: str
    wrong: form.Wrong


def texts(language: str, rows: Sequence[Row], columns: Mapping[str, Column], names: Sequence[str]) -> list[Texts]:
    """Return the cells of the rows as texts; a category keeps its code, which the table shows in words."""
    return [{name: _text(language, name, row.get(name), columns[name]) for name in names} for row in rows]


def rows_entered(
    language: str,
    base: Sequence[Row],
    cells: Mapping[int, Mapping[str, str | None]],
    columns: Mapping[str, Column],
) -> tuple[list[Row], list[WrongCell]]:
    """Return the rows that a table holds after its edits, and its wrong cells.

    `base` are the rows that the table began with; `cells` are the texts now, by the number of the row in `base`, or a
    greater number for a row that was added. A cell that was left alone keeps its raw value.
    """
    rows: list[Row] = []
    wrong: list[WrongCell] = []
    for number, (index, content) in enumerate(cells.items(), start=1):
        row = dict(base[index]) if index < len(base) else {}
        for name, text in content.items():
            if (text or None) == _text(language, name, row.get(name), columns[name]):
                continue
            value = _value(language, text, columns[name])
            if isinstance(value, form.Wrong):
                wrong.append(WrongCell(number, name, value))
            elif value is None:
                row.pop(name, None)
            else:
                row[name] = value
        if row:
            rows.append(row)
    return rows, wrong


def edited_cells(base: Sequence[Texts], state: Mapping[str, Any]) -> dict[int, Texts]:
    """Return the texts of a table after the edits that its widget reports: changed, added and deleted rows."""
    deleted = set(state.get("deleted_rows", ()))
    rows = {number: dict(row) for number, row in enumerate(base) if number not in deleted}
    for number, changes in state.get("edited_rows", {}).items():
        if int(number) in rows:
            rows[int(number)] |= changes
    added = enumerate(state.get("added_rows", ()), start=len(base))
    return rows | {number: dict(row) for number, row in added}


def changed_tables(credit_file: Mapping[str, Any], tables: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """Return the histories that differ from those of the credit file."""
    return {name: rows for name, rows in tables.items() if rows != credit_file.get(name, [])}


def _text(language: str, name: str, raw: Any, column: Column) -> str | None:
    if raw is None:
        return None
    if column.kind == "category":
        return str(raw)
    # Days and months of a history are shown as the data counts them.
    return form.written(language, name, form.shown("", raw, column)) or None


def _value(language: str, text: str | None, column: Column) -> float | str | form.Wrong | None:
    if not text:
        return None
    return text if column.kind == "category" else form.entered(language, "", text, column)
