"""Describe values that cleaning takes as missing although the sender may have meant them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from bento.data.tables import APPLICATION, TABLES, WITHOUT_JOB, Column
from bento.i18n import NARROW_SPACE, TextPair, format_number

Rows = Sequence[Mapping[str, Any]]
Anomaly = tuple[Literal["implausible_value", "taken_as_missing"], str, str, str]
"""Kind, column, and its description in English and in French."""


def anomalies(table: str, rows: Rows) -> Iterator[Anomaly]:
    """Yield what `bento.data.cleaning` makes null in rows of a table, but for unknown categories, each column once.

    A code that means "none" (`Column.codes_mean_none`) is left out, but for that of no job where the client is in work.
    No value of the rows is repeated: codes and limits are those of the declaration.
    """
    for column in _INSPECTED[table]:
        values = [value for row in rows if (value := row.get(column.name)) is not None]
        if not values:
            continue
        for code in column.missing_codes:
            if code in values and (meaning := _meaning_of_codes(table, column, rows)):
                written = code if isinstance(code, str) else f"{code:g}"
                yield "taken_as_missing", column.name, f"{written} {meaning[0]}", f"{written} {meaning[1]}"
        for en, fr in _implausible(column, values):
            yield "implausible_value", column.name, en, fr


def _meaning_of_codes(table: str, column: Column, rows: Rows) -> TextPair | None:
    """Return the description of a column's missing codes; None where they need none."""
    if not column.codes_mean_none:
        return "stands for unknown, taken as missing", f"signifie {_quoted('inconnu')}, traité comme manquant"
    if table == APPLICATION.name and rows[0].get("NAME_INCOME_TYPE") in _IN_WORK:
        return (
            "stands for no job, which NAME_INCOME_TYPE contradicts, taken as missing",
            f"signifie {_quoted('sans emploi')}, ce que NAME_INCOME_TYPE contredit, traité comme manquant",
        )
    return None


def _implausible(column: Column, values: Sequence[Any]) -> Iterator[TextPair]:
    low, high = column.plausible_minimum, column.plausible_maximum
    if low is not None and min(values) < low:
        en, fr = format_number(low, 2)
        yield f"below a plausible {en}, taken as missing", f"inférieur à {fr}, invraisemblable, traité comme manquant"
    if high is not None and max(values) > high:
        en, fr = format_number(high, 2)
        yield f"above a plausible {en}, taken as missing", f"supérieur à {fr}, invraisemblable, traité comme manquant"


def _quoted(word: str) -> str:
    return f"«{NARROW_SPACE}{word}{NARROW_SPACE}»"


_IN_WORK = frozenset(APPLICATION["NAME_INCOME_TYPE"].categories) - {*WITHOUT_JOB}
_INSPECTED = {
    name: tuple(
        column
        for column in table
        if (column.missing_codes and (name == APPLICATION.name or not column.codes_mean_none))
        or (column.plausible_minimum, column.plausible_maximum) != (None, None)
    )
    for name, table in TABLES.items()
}
"""The columns of each table that may hold something to describe."""
