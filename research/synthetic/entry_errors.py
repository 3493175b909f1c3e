"""The data's known slips of entry in the histories, at their published rates."""

import numpy as np
import polars as pl

from research.synthetic.facts import facts


def with_slips(table: str, frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The rows of `table`, a few of them with a value that makes no sense."""
    for slip in facts()["structure"]["slips"].get(table, ()):
        name = slip["column"]
        hit = pl.Series(rng.random(len(frame)) < slip["rate"]) & frame[name].is_not_null()
        if "where" in slip:
            column, value = slip["where"]
            hit &= frame[column] == value
        if hit.any():
            value = pl.lit(slip["value"]).cast(frame.schema[name])
            frame = frame.with_columns(pl.when(hit).then(value).otherwise(pl.col(name)).alias(name))
    return frame
