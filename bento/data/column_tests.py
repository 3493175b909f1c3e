"""The tests of the values of a column, derived from its declaration."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from bento.data.tables import TARGET, Column

MAX_MISMATCH_SHARE = 0.5
"""Share of a column's values from which a mismatch is a fault: more values are wrong than right, so that the column is
written in another way, not mistyped."""
MIN_REPORTED_SHARE = 0.05
"""Share of unusual values, or of any mismatch, that is worth a line: the public data stays below it."""
USUAL_FACTOR = {"currency": 100, "days": 25}
"""Factor by which a value differs from the usual one where its unit is another: amounts in thousands, days as months or
years. At most 4.2 % of the values of a column do so in the public data."""
MIN_VALUES_FOR_SCALE = 30
"""Values of a column from which their scale is judged: of fewer, most may be small by chance."""
_ALWAYS, _NEVER = 0.0, 2.0
_LISTED_CATEGORIES = 3


@dataclass(frozen=True, kw_only=True)
class ColumnTest:
    """A condition that a sound value of a column does not meet."""

    column: str
    condition: pl.Expr
    what: str
    """The predicate of the sentence: "are below 0"."""
    remedy: str = ""
    """What to do where it is a fault."""
    treatment: str = ""
    """How the values are handled where it is none."""
    fault_from: float
    """Share from which it is a fault: of the values that are not null, or of all rows where the condition is on nulls.
    """
    reported_from: float = 0.0
    min_values: int = 0
    """Fewer values are not judged."""
    of_rows: bool = False
    """Whether the share is that of all rows."""
    declared: bool = False
    """Whether the anomaly is a known one of the data."""


def column_tests(column: Column) -> Iterator[ColumnTest]:
    """Yield the tests of a column."""
    yield from _tests_of_nulls(column)
    yield from _tests_of_bounds(column)
    yield from _tests_of_anomalies(column)
    value = pl.col(column.name)
    if column.categories:
        listed = ", ".join(repr(category) for category in column.categories[:_LISTED_CATEGORIES])
        others = ", …" if len(column.categories) > _LISTED_CATEGORIES else ""
        yield ColumnTest(
            column=column.name,
            condition=value.is_not_null() & ~value.is_in(column.categories),
            what="hold an unknown category",
            remedy=f"write the declared ones ({listed}{others})",
            treatment="passed, scored as missing",
            fault_from=MAX_MISMATCH_SHARE,
        )
    if column.usual is not None:
        factor, usual = USUAL_FACTOR[column.unit], abs(column.usual)
        unusual = (value.abs() < usual / factor) | (value.abs() > usual * factor)
        in_bounds = value.is_between(column.minimum, column.maximum)  # others are reported as such
        yield ColumnTest(
            column=column.name,
            condition=unusual & in_bounds & ~value.is_in(column.missing_codes),
            what=f"are over {factor} times smaller or larger than the usual {column.usual:,.15g}",
            remedy=f"write it in {'units of the currency' if column.unit == 'currency' else column.unit}",
            treatment="passed",
            fault_from=MAX_MISMATCH_SHARE,
            reported_from=MIN_REPORTED_SHARE,
            min_values=MIN_VALUES_FOR_SCALE,
        )


def _tests_of_nulls(column: Column) -> Iterator[ColumnTest]:
    is_null = pl.col(column.name).is_null()
    if column.kind == "id":
        remedy = "write it, or delete the row"
        yield ColumnTest(
            column=column.name, condition=is_null, what="have no id", remedy=remedy, fault_from=_ALWAYS, of_rows=True
        )
    elif column.name == TARGET.name:
        remedy = "leave them out"
        yield ColumnTest(
            column=column.name,
            condition=is_null,
            what="have no outcome",
            remedy=remedy,
            fault_from=_ALWAYS,
            of_rows=True,
        )
    elif not column.optional_in_files:
        yield ColumnTest(
            column=column.name,
            condition=is_null,
            what="hold no value",
            remedy="write the values",
            treatment="passed, not known",
            fault_from=MAX_MISMATCH_SHARE if column.required else _NEVER,
            reported_from=0.0 if column.required else 1.0,
            of_rows=True,
        )


def _tests_of_bounds(column: Column) -> Iterator[ColumnTest]:
    value = pl.col(column.name)
    faults = []
    if column.kind in ("id", "integer"):
        faults.append((value != value.round(), "are not whole numbers"))
    if column.minimum is not None:
        faults.append((value < column.minimum, f"are below {column.minimum:.16g}"))
    if column.maximum is not None:
        faults.append((value > column.maximum, f"are above {column.maximum:.16g}"))
    remedy = "correct them" if column.kind == "id" or column.required else "correct or empty them"
    for condition, what in faults:
        yield ColumnTest(column=column.name, condition=condition, what=what, remedy=remedy, fault_from=_ALWAYS)


def _tests_of_anomalies(column: Column) -> Iterator[ColumnTest]:
    value = pl.col(column.name)
    anomalies = []
    for code in column.missing_codes:
        shown = f"{code:g}" if isinstance(code, int | float) else code
        anomalies.append((value == code, f"hold the code {shown} for unknown"))
    if column.plausible_minimum is not None:
        anomalies.append((value < column.plausible_minimum, f"are below a plausible {column.plausible_minimum:g}"))
    if column.plausible_maximum is not None:
        anomalies.append((value > column.plausible_maximum, f"are above a plausible {column.plausible_maximum:g}"))
    for condition, what in anomalies:
        yield ColumnTest(
            column=column.name,
            condition=condition,
            what=what,
            treatment="cleaned to null",
            fault_from=_NEVER,
            declared=True,
        )
