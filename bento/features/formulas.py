"""Windows, ratios and trends that the formulas of several tables use."""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_

import polars as pl

from bento.features.definitions import Aggregate, Composite, Window


def last_months(months: int, newest: int = -1) -> Window:
    """Select the monthly states of the last months: `months` different ones at most, from the month `newest` back.

    The newest month is 0 in bureau_balance, and -1 in POS_CASH_balance and credit_card_balance.
    """
    month = pl.col("MONTHS_BALANCE")
    test = month >= newest - months + 1
    return Window(
        f"{months}m",
        test if newest == 0 else test & (month <= newest),
        f"last {months} months",
        f"{months} derniers mois",
    )


def latest(count: int, en: str, fr: str) -> Window:
    """Select the latest rows of a client, at most `count`, by the column `recency` (see `ordering.recency`)."""
    return Window(f"latest_{count}", pl.col("recency") <= count, en, fr)


def one_of(column: pl.Expr, values: Sequence[str]) -> pl.Expr:
    """Test whether a column holds one of the values; null where it is null."""
    return reduce(or_, (column == value for value in values))


def total_known(columns: Sequence[str]) -> pl.Expr:
    """Add the known values of a row's columns; null where none is known."""
    return pl.sum_horizontal(columns) + 0 * pl.coalesce(columns)


def ratio(numerator: pl.Expr | str, denominator: pl.Expr | str) -> pl.Expr:
    """Divide; the result is null where the denominator is 0 or either is null."""
    bottom = _expression(denominator)
    return pl.when(bottom != 0).then(over(numerator, bottom))


def over(numerator: pl.Expr | str, denominator: pl.Expr | str) -> pl.Expr:
    """Divide; the result is not finite where the denominator is 0.

    Cheaper than `ratio`, and enough where it is the last step of a formula: `build_features` replaces every result
    that is not finite by null.
    """
    return _expression(numerator) / _expression(denominator)


def quotient(numerator: Aggregate, denominator: Aggregate) -> Composite:
    """Divide one aggregate by another (see `over`)."""
    return Composite(over, (numerator, denominator))


def ratio_of_sums(numerator: pl.Expr, denominator: pl.Expr, window: Window | None = None) -> Composite:
    """Divide the sums of two values over the rows in which both are known (see `over`)."""
    has_both = numerator.is_not_null() & denominator.is_not_null()
    complete = Window("complete", has_both if window is None else window.test & has_both, "", "")

    def text(words: Callable[[pl.Expr], str]) -> str:
        test = "" if window is None else f" and {words(window.test)}"
        return f"(sum of {words(numerator)}) / (sum of {words(denominator)}) where both are known{test}"

    return Composite(over, (Aggregate("sum", numerator, complete), Aggregate("sum", denominator, complete)), text)


def slope(value: pl.Expr, time: pl.Expr, steps: int, window: Window | None = None) -> Composite:
    """Compute the least-squares slope of a value over time among the rows that have both; null below three rows.

    The value is rounded to a multiple of 1 / `steps` and time is whole, so that all sums are exact and the order of
    rows has no effect. Amounts, which are multiples of 0.005, need 1,000 steps: with 100, half of them would be ties,
    decided by the last bits of a sum.
    """
    has_both = value.is_not_null() & time.is_not_null()
    complete = Window("complete", has_both if window is None else window.test & has_both, "", "")
    x, y = time.cast(pl.Float64), (value * steps).round()
    sums = (pl.lit(1.0), x, y, x * y, x * x)

    def finish(n: pl.Expr, sx: pl.Expr, sy: pl.Expr, sxy: pl.Expr, sxx: pl.Expr) -> pl.Expr:
        return over(n * sxy - sx * sy, (n * sxx - sx * sx) * (n >= 3) * steps)

    def text(words: Callable[[pl.Expr], str]) -> str:
        where = "" if window is None else f" where {words(window.test)}"
        return f"slope of {words(value)}, rounded to 1/{steps}, by {words(time)}{where}"

    return Composite(finish, tuple(Aggregate("sum", value, complete) for value in sums), text)


def _expression(column: pl.Expr | str) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column
