"""The tests of the values of a column, derived from its declaration."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

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
    is_declared: bool = False
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
    test = partial(ColumnTest, column=column.name, condition=pl.col(column.name).is_null(), of_rows=True)
    if column.kind == "id":
        yield test(what="have no id", remedy="write it, or delete the row", fault_from=_ALWAYS)
    elif column.name == TARGET.name:
        yield test(what="have no outcome", remedy="leave them out", fault_from=_ALWAYS)
    elif column.required:
        yield test(what="hold no value", remedy="write it, or leave the row out", fault_from=_ALWAYS)
    elif not column.optional_in_files:
        yield test(what="hold no value", treatment="passed, not known", fault_from=_NEVER, reported_from=1.0)


def _tests_of_bounds(column: Column) -> Iterator[ColumnTest]:
    value, minimum, maximum = pl.col(column.name), column.minimum, column.maximum
    remedy = "correct them" if column.kind == "id" or column.required else "correct or empty them"
    test = partial(ColumnTest, column=column.name, remedy=remedy, fault_from=_ALWAYS)
    if column.kind in ("id", "integer"):
        yield test(condition=value != value.round(), what="are not whole numbers")
    if minimum is not None:
        yield test(condition=value < minimum, what=f"are below {minimum:.16g}")
    if maximum is not None:
        yield test(condition=value > maximum, what=f"are above {maximum:.16g}")
    if (latest := column.maximum_beside_codes) is not None:
        beyond = (value > latest) & ~value.is_in(column.missing_codes)
        yield test(condition=beyond, what=f"are above {latest:.16g} and no code for unknown")


def _tests_of_anomalies(column: Column) -> Iterator[ColumnTest]:
    value, low, high = pl.col(column.name), column.plausible_minimum, column.plausible_maximum
    test = partial(ColumnTest, column=column.name, treatment="cleaned to null", fault_from=_NEVER, is_declared=True)
    for code in column.missing_codes:
        shown = f"{code:g}" if isinstance(code, int | float) else code
        yield test(condition=value == code, what=f"hold the code {shown} for unknown")
    if low is not None:
        yield test(condition=value < low, what=f"are below a plausible {low:g}")
    if high is not None:
        yield test(condition=value > high, what=f"are above a plausible {high:g}")
