"""Compare features as built with features as stated."""

import polars as pl

TOLERANCE = 1e-9
"""Of numbers, relative and absolute.

Sums are added in another order, each with an error of the order of 1e-16 of its largest partial sum; thousands of rows
and the difference of two nearly equal amounts of 100,000 stay below this. A wrong formula differs by far more.
"""


def differing(built: pl.DataFrame, stated: pl.DataFrame) -> dict[str, tuple[int, object, object]]:
    """Return the features that differ: SK_ID_CURR, value built and value stated, of the first client who differs.

    Both have a row for each client, in the same order; features of `built` are those compared. Nulls must be equal,
    and so must categories; numbers up to `TOLERANCE`.
    """
    clients = built["SK_ID_CURR"]
    assert clients.equals(stated["SK_ID_CURR"])
    names = [name for name in built.columns if name != "SK_ID_CURR"]
    both = pl.concat([built.select(names), stated.select(pl.col(names).name.prefix("stated/"))], how="horizontal")
    differs = both.select(_differs(name, built.schema[name]) for name in names)
    positions = {name: differs[name].arg_max() for name in names if differs[name].any()}
    return {
        name: (clients[position], built[name][position], stated[name][position])
        for name, position in positions.items()
        if position is not None
    }


def _differs(name: str, dtype: pl.DataType) -> pl.Expr:
    built, stated = pl.col(name), pl.col(f"stated/{name}")
    if dtype == pl.String:
        return built.ne_missing(stated)
    allowed = TOLERANCE * pl.max_horizontal(1.0, built.abs(), stated.abs())
    is_far = ((built - stated).abs() > allowed).fill_null(False)
    return (is_far | (built.is_null() != stated.is_null()) | built.is_nan().fill_null(False)).alias(name)
