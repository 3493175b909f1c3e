"""Every feature stated a second time, in SQL, from the words of docs/features.md.

The statement shares nothing with `bento.features`: where the two differ, one of them misreads the words. `state`
computes the values; each module states the features of a table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import polars as pl

from bento.data.tables import APPLICATION, TABLES
from tests.bento.features.statement import (
    application,
    bureau,
    combined,
    credit_card,
    installments,
    pos_cash,
    previous,
)
from tests.bento.features.statement.cleaning import cleaned
from tests.bento.features.statement.sql import MACROS

HISTORIES = {
    "bureau": (bureau.ROWS, bureau.FEATURES),
    "bureau_balance": (bureau.BALANCE_ROWS, bureau.BALANCE_FEATURES),
    "previous": (previous.ROWS, previous.FEATURES),
    "pos": (pos_cash.ROWS, pos_cash.FEATURES),
    "installments": (installments.ROWS, installments.FEATURES),
    "card": (credit_card.ROWS, credit_card.FEATURES),
}
"""Rows and features of each history, by the first word of the features' names."""
CATEGORIES = frozenset(
    f"application_{name}"
    for name, column in application.FEATURES.items()
    if name == "income_type" or (column in APPLICATION.schema and APPLICATION[column].kind == "category")
)
NAMES = (
    *(f"application_{name}" for name in application.FEATURES),
    *(f"{history}_{name}" for history, (_, features) in HISTORIES.items() for name in features),
    *combined.FEATURES,
)
"""All features and share counts that are stated."""


@dataclass(frozen=True)
class _Stream:
    """A frame as nothing but a stream of Arrow data: DuckDB would read a frame of Polars through pyarrow."""

    frame: pl.DataFrame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.frame.__arrow_c_stream__(requested_schema)


def state(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Compute every feature and share count from the seven declared tables, before cleaning.

    Returns SK_ID_CURR and a column for each of `NAMES`, a row for each row of `application`, in its order.
    """
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute(MACROS)
        for table in TABLES:
            database.register(f"raw_{table}", _Stream(tables[table]))
            database.execute(f"CREATE TABLE {table} AS {cleaned(table)}")
        database.execute(f"CREATE TABLE stated AS {_of_application()}")
        for history, (rows, features) in HISTORIES.items():
            database.execute(f"CREATE TABLE of_{history} AS {_of_history(history, rows, features)}")
            database.execute(f"CREATE OR REPLACE TABLE stated AS FROM stated JOIN of_{history} USING (SK_ID_CURR)")
        together = ", ".join(f"{sql} AS {name}" for name, sql in combined.FEATURES.items())
        sources = "stated JOIN application USING (SK_ID_CURR)"
        database.execute(f"CREATE OR REPLACE TABLE stated AS SELECT stated.*, {together} FROM {sources}")
        columns = ", ".join(name if name in CATEGORIES else _finite(name) for name in NAMES)
        stated = pl.DataFrame(database.sql(f"SELECT SK_ID_CURR, {columns} FROM stated"))
    order = tables["application"].select("SK_ID_CURR")
    return order.join(stated, on="SK_ID_CURR", how="left", maintain_order="left")


def _of_application() -> str:
    columns = ", ".join(f"{sql} AS application_{name}" for name, sql in application.FEATURES.items())
    return f"SELECT SK_ID_CURR, {columns} FROM application"


def _of_history(history: str, rows: str, features: Mapping[str, str]) -> str:
    columns = ", ".join(f"{sql} AS {history}_{name}" for name, sql in features.items())
    return f"""
        SELECT application.SK_ID_CURR, {columns}
        FROM (SELECT SK_ID_CURR FROM application) AS application
        LEFT JOIN (SELECT *, true AS is_row FROM ({rows})) AS history USING (SK_ID_CURR)
        GROUP BY application.SK_ID_CURR
    """


def _finite(name: str) -> str:
    return f"CASE WHEN isfinite(CAST({name} AS DOUBLE)) THEN CAST({name} AS DOUBLE) END AS {name}"
