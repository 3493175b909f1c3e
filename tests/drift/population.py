"""Applications at random, with the declared columns."""

from pathlib import Path

import numpy as np
import polars as pl

from bento.data.tables import APPLICATION


def applications(rows: int, seed: int, **replaced: pl.Expr) -> pl.DataFrame:
    """Every column drawn evenly from its declared range or categories, then those of `replaced` replaced."""
    rng = np.random.default_rng(seed)
    values: dict[str, object] = {}
    for column in APPLICATION:
        low = column.minimum or 0
        high = low + 50 if column.maximum is None else min(column.maximum, low + 50)
        if column.kind == "id":
            values[column.name] = np.arange(1, rows + 1) + seed * 1_000_000
        elif column.kind == "category":
            values[column.name] = rng.choice(sorted(set(column.categories) - set(column.missing_codes)), rows)
        elif column.kind == "integer":
            values[column.name] = rng.integers(int(low), int(high) + 1, rows)
        else:
            values[column.name] = rng.uniform(low, high, rows)
    return pl.DataFrame(values, schema=APPLICATION.schema).with_columns(**replaced)


def write(folder: Path, train: pl.DataFrame, test: pl.DataFrame) -> Path:
    """Train as CSV and test as Parquet, named as Kaggle names them."""
    train.write_csv(folder / "application_train.csv")
    test.write_parquet(folder / "application_test.parquet")
    return folder
