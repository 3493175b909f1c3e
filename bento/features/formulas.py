"""Windows, ratios, trends and derived columns that the formulas of several tables use."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import polars as pl

from bento.features.definitions import Aggregate, Composite, Window


def last_months(months: int) -> Window:
    """Select the monthly states of the last months before the application."""
    test = pl.col("MONTHS_BALANCE") >= -months
    return Window(f"{months}m", test, f"last {months} months", f"{months} derniers mois")


def latest(count: int, en: str, fr: str) -> Window:
    """Select the latest rows of a client by the column `recency` (see `recency`), with all that tie for the last."""
    return Window(f"latest_{count}", pl.col("recency") <= count, en, fr)


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


def slope(value: pl.Expr, time: pl.Expr, step: float, window: Window | None = None) -> Composite:
    """Compute the least-squares slope of a value over time among the rows that have both; null below three rows.

    The value is rounded to `step` and time is whole, so that all sums are exact and the order of rows has no effect.
    """
    has_both = value.is_not_null() & time.is_not_null()
    complete = Window("complete", has_both if window is None else window.test & has_both, "", "")
    x, y = time.cast(pl.Float64), (value / step).round()
    sums = (pl.lit(1.0), x, y, x * y, x * x)

    def finish(n: pl.Expr, sx: pl.Expr, sy: pl.Expr, sxy: pl.Expr, sxx: pl.Expr) -> pl.Expr:
        return pl.when(n >= 3).then(over((n * sxy - sx * sy) * step, n * sxx - sx * sx))

    return Composite(finish, tuple(Aggregate("sum", value, complete) for value in sums))


def with_derived(
    rows: pl.DataFrame, derived: Mapping[str, pl.Expr | pl.Series], needed: AbstractSet[str]
) -> pl.DataFrame:
    """Add those derived columns that are needed."""
    added = {name: column for name, column in derived.items() if name in needed}
    return rows.with_columns(**added) if added else rows


def recency(time: str, clients: pl.Series) -> pl.Expr:
    """Rank the rows of each client by time: 1 for the latest, equal ranks for equal times."""
    return for_each_client(pl.col(time).rank("min", descending=True), clients)


def for_each_client(expression: pl.Expr, clients: pl.Series) -> pl.Expr:
    """Evaluate an expression over the rows of each client; with one client, over all rows."""
    return expression if len(clients) == 1 else expression.over("SK_ID_CURR")


def _expression(column: pl.Expr | str) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column
