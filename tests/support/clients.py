"""Write raw tables of clients at random, drawn from the declared columns alone: data for tests of `bento`.

They need no research package, so that these tests run in the serving environment too. Nothing about the values is like
the real data but their types, bounds, codes and keys; the outcome depends on the external scores, on the instalment
compared with income, on the term and on refused applications, so that a model has something to learn.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bento.data.cleaning import clean
from bento.data.credit_file import CreditFile, frames
from bento.data.tables import HISTORIES, OPEN_ENDED, TABLES, TARGET, Column, Table

FIRST_CLIENT, FIRST_CREDIT = 100_001, 5_000_001
MISSING_SHARE = 0.1
"""Share of nulls in a column that may be null."""
CODE_SHARE = 0.05
"""Share of values that are the column's code for unknown."""
WITHOUT_HISTORY = 0.1
"""Share of clients without any row in a history."""
MEAN_ROWS = {
    "bureau": 5,
    "bureau_balance": 5,
    "previous_application": 5,
    "POS_CASH_balance": 10,
    "installments_payments": 12,
    "credit_card_balance": 4,
}
"""Mean rows of a history for each row of the table that it belongs to."""
MEDIAN_AMOUNT = 100_000.0
OPEN_SHARE = 0.4
"""Share of earlier applications without a last due date."""


def make_clients(count: int, seed: int) -> dict[str, pl.DataFrame]:
    """Return the seven tables by the name of their file, `application_train` with its outcomes."""
    random = np.random.default_rng(seed)
    applications = _rows(TABLES["application"], count, random).with_columns(
        SK_ID_CURR=pl.Series(range(FIRST_CLIENT, FIRST_CLIENT + count))
    )
    applications = applications.with_columns(_loan(count, random))
    histories: dict[str, pl.DataFrame] = {}
    for name in HISTORIES:
        parent, key = TABLES[name].parent or ("application", "SK_ID_CURR")
        owners = applications if parent == "application" else histories[parent]
        histories[name] = _history(TABLES[name], owners[key], random)
    histories |= _with_plans(histories, random)
    outcome = _outcome(applications, histories["previous_application"], random)
    return {"application_train": applications.with_columns(outcome.alias(TARGET.name)), **histories}


def write_clients(folder: Path, count: int = 600, seed: int = 1) -> Path:
    """Write `make_clients` as Parquet files named as the data's own; return the folder."""
    folder.mkdir(parents=True)
    for name, table in make_clients(count, seed).items():
        table.write_parquet(folder / f"{name}.parquet")
    return folder


def credit_file(tables: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """Return the tables of one client as a request holds them: nulls and empty histories left out."""
    rows = {
        name: [{column: value for column, value in row.items() if value is not None} for row in table.to_dicts()]
        for name, table in tables.items()
    }
    return {"application": rows["application"][0]} | {name: rows[name] for name in HISTORIES if rows[name]}


def cleaned_tables(
    application: dict[str, Any] | None = None, **histories: list[dict[str, Any]]
) -> dict[str, pl.DataFrame]:
    """Return the cleaned tables of client 1, with these values of the application and these rows of the histories."""
    required = {"AMT_CREDIT": 100.0, "AMT_ANNUITY": 10.0, "AMT_INCOME_TOTAL": 50.0, "DAYS_BIRTH": -9000}
    content = {"application": {"SK_ID_CURR": 1, **required, **(application or {})}, **histories}
    return clean(frames([CreditFile.model_validate_json(json.dumps(content))]))


def make_credit_files(count: int, seed: int = 2) -> list[dict[str, Any]]:
    """Return `count` credit files, by length of their histories; the first has none."""
    tables = make_clients(4 * count, seed)
    files = []
    for application in tables["application_train"].drop(TARGET.name).iter_slices(1):
        is_client = pl.col("SK_ID_CURR") == application["SK_ID_CURR"][0]
        histories = {name: tables[name].filter(is_client) for name in HISTORIES if name != "bureau_balance"}
        histories["bureau_balance"] = tables["bureau_balance"].join(histories["bureau"], on="SK_ID_BUREAU", how="semi")
        files.append(credit_file({"application": application, **histories}))
    files.sort(key=lambda file: sum(len(file.get(name, ())) for name in HISTORIES))
    return [{"application": files[0]["application"]}, *files[4 :: len(files) // count]][:count]


def _history(table: Table, owners: pl.Series, random: np.random.Generator) -> pl.DataFrame:
    """Return the rows of a history for the values of its parent's key; months of one credit follow each other."""
    counts = random.poisson(MEAN_ROWS[table.name], len(owners))
    counts[random.random(len(owners)) < WITHOUT_HISTORY] = 0
    rows = _rows(table, int(counts.sum()), random)
    keys = pl.Series(owners.name, np.repeat(owners.to_numpy(), counts))
    place = np.concatenate([np.arange(count) for count in counts])
    rows = rows.with_columns(keys)
    for key in ("SK_ID_BUREAU", "SK_ID_PREV"):
        if key in rows.columns and key != owners.name:
            # A history by months holds one credit of each client.
            values = keys.to_numpy() if "MONTHS_BALANCE" in rows.columns else 10 * keys.to_numpy() + place % 10
            rows = rows.with_columns(pl.Series(key, values))
    if "MONTHS_BALANCE" in rows.columns:
        rows = rows.with_columns(MONTHS_BALANCE=pl.Series(-place, dtype=pl.Int64))
    if table.key in (("SK_ID_BUREAU",), ("SK_ID_PREV",)):
        rows = rows.with_columns(pl.Series(table.key[0], range(FIRST_CREDIT, FIRST_CREDIT + len(rows))))
    return rows


def _with_plans(histories: dict[str, pl.DataFrame], random: np.random.Generator) -> dict[str, pl.DataFrame]:
    """Return earlier applications that are plans, some of them still open, and months of the client's first of them."""
    previous = histories["previous_application"]
    count = len(previous)
    term = random.integers(3, 37, count)
    credit = np.round(random.lognormal(np.log(MEDIAN_AMOUNT), 0.8, count), 1)
    is_open = random.random(count) < OPEN_SHARE
    end = [
        pl.Series(name, np.where(is_open, OPEN_ENDED, -50), pl.Int64) for name in ("DAYS_LAST_DUE", "DAYS_TERMINATION")
    ]
    plans = [
        pl.Series("CNT_PAYMENT", term),
        pl.Series("AMT_CREDIT", credit),
        pl.Series("AMT_ANNUITY", np.round(credit / term * random.uniform(0.95, 1.6, count), 1)),
        pl.Series("DAYS_FIRST_DUE", -random.integers(0, 1200, count)),
        *end,
    ]
    plans = [values.set(pl.Series(random.random(count) < MISSING_SHARE), None) for values in plans]
    first = previous.group_by("SK_ID_CURR", maintain_order=True).agg(first=pl.col("SK_ID_PREV").first())
    months = {
        name: histories[name]
        .join(first, on="SK_ID_CURR", how="left", maintain_order="left")
        .with_columns(SK_ID_PREV=pl.coalesce("first", "SK_ID_PREV"))
        .drop("first")
        for name in ("POS_CASH_balance", "credit_card_balance")
    }
    return {"previous_application": previous.with_columns(plans), **months}


def _rows(table: Table, count: int, random: np.random.Generator) -> pl.DataFrame:
    return pl.DataFrame({column.name: _values(column, count, random) for column in table}, schema=table.schema)


def _values(column: Column, count: int, random: np.random.Generator) -> pl.Series:
    """Draw values of a column within its bounds, a few of them null or its code for unknown."""
    if column.kind == "category":
        values = pl.Series(column.name, random.choice(column.categories, count) if count else [], pl.String)
    else:
        numbers = np.clip(_numbers(column, count, random), column.minimum, column.maximum).astype(np.float64)
        if column.missing_codes:
            numbers[random.random(count) < CODE_SHARE] = column.missing_codes[0]
        values = pl.Series(column.name, numbers).cast(column.dtype)
    if not column.required and column.kind != "id":
        values = values.set(pl.Series(random.random(count) < MISSING_SHARE), None)
    return values


def _numbers(column: Column, count: int, random: np.random.Generator) -> np.ndarray:
    if column.unit == "currency":
        signs = np.where(random.random(count) < CODE_SHARE, 0 if column.minimum == 0 else -1, 1)
        return np.round(signs * random.lognormal(np.log(MEDIAN_AMOUNT), 0.8, count), 1)
    if column.unit in ("share", "score"):
        return np.round(random.random(count), 4)
    if column.unit == "flag":
        return random.integers(0, 2, count)
    if column.unit in ("rank", "hour"):
        return random.integers(int(column.minimum or 0), int(column.maximum or 0) + 1, count)
    if column.unit in ("days", "months") and (column.minimum or 0) < 0:
        return -50 * random.integers(1, 60, count)  # so coarse that some rows have the same date
    return random.poisson(3, count)


def _loan(count: int, random: np.random.Generator) -> list[pl.Series]:
    """Return an application's amounts, which belong together, and a birth in working age."""
    annuity = np.round(random.lognormal(np.log(25_000), 0.4, count))
    credit = np.round(annuity * random.uniform(8, 40, count))
    goods = np.round(credit / random.uniform(1, 1.3, count))
    return [
        pl.Series("AMT_ANNUITY", annuity),
        pl.Series("AMT_CREDIT", credit),
        pl.Series("AMT_GOODS_PRICE", goods),
        pl.Series("AMT_INCOME_TOTAL", np.round(random.lognormal(np.log(150_000), 0.5, count))),
        pl.Series("DAYS_BIRTH", -random.integers(21 * 365, 69 * 365, count)),
    ]


def _outcome(applications: pl.DataFrame, previous: pl.DataFrame, random: np.random.Generator) -> pl.Series:
    refused = previous.group_by("SK_ID_CURR").agg(refused=(pl.col("NAME_CONTRACT_STATUS") == "Refused").mean())
    row = applications.join(refused, on="SK_ID_CURR", how="left", maintain_order="left").select(
        pl.col("EXT_SOURCE_2", "EXT_SOURCE_3", "refused").fill_null(0.5),
        term=pl.col("AMT_CREDIT") / pl.col("AMT_ANNUITY"),
        effort=(pl.col("AMT_ANNUITY") / pl.col("AMT_INCOME_TOTAL")).clip(0, 1),
        cover=pl.col("AMT_CREDIT") / pl.col("AMT_GOODS_PRICE"),
    )
    log_odds = (
        -0.5
        - 4 * row["EXT_SOURCE_2"]
        - 3 * row["EXT_SOURCE_3"]
        + 1.5 * row["refused"]
        + 0.08 * (row["term"] - 24)
        + 4 * row["effort"]
        + 5 * (row["cover"] - 1.15)
    )
    return pl.Series((random.random(len(row)) < 1 / (1 + np.exp(-log_odds.to_numpy()))).astype(np.int64))
