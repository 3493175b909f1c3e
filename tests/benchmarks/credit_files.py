"""Credit files as requests hold them, from a folder of synthetic clients."""

import json
from functools import lru_cache
from pathlib import Path

import polars as pl

from bento.api.endpoints import PREDICT_BATCH
from bento.api.schemas import MAX_CREDIT_FILES
from bento.data.readers import read_application, read_client, read_file
from bento.data.tables import HISTORIES, TABLES
from research.data.example_credit_files import credit_file
from tests.benchmarks.measure import Figures

AVERAGE_ROWS = 200
"""History rows of a usual credit file of the real data."""
_IDS = {"SK_ID_CURR", "SK_ID_BUREAU"}


def write_three(folder: Path, files: Path) -> dict[str, Figures]:
    """Write an average, a short and a long credit file; return history rows and bytes of each."""
    sizes = _sizes(folder)
    wanted = {
        "average": pl.lit(AVERAGE_ROWS),
        "short": pl.col("rows").quantile(0.1),
        "long": pl.col("rows").quantile(0.99),
    }
    files.mkdir(parents=True)
    chosen = {}
    for name, rows in wanted.items():
        # The average file has as many histories as can be had, so that every part of the path is met.
        histories = pl.col("tables") * (-1 if name == "average" else 0)
        client, count, _ = sizes.sort(histories, (pl.col("rows") - rows).abs(), "SK_ID_CURR").row(0)
        text = _text(folder, client)
        (files / f"{name}.json").write_text(text)
        chosen[name] = {"history_rows": count, "bytes": len(text)}
    return chosen


def write_requests(folder: Path, files: Path) -> Figures:
    """Write what the service is asked: average credit files one by one, the same as a batch, and the largest batch.

    Each in a separate folder: `average`, `batch`, `largest`. The largest batch holds as many files as a batch may,
    and nearly as many bytes as a request may.

    Returns:
        The number of credit files, their mean history rows and bytes; bytes of each batch.
    """
    sizes = _sizes(folder)
    nearest = _nearest(sizes, AVERAGE_ROWS)
    average = {client: _text(folder, client) for client in nearest["SK_ID_CURR"]}
    for name in ("average", "batch", "largest"):
        (files / name).mkdir(parents=True)
    for client, text in average.items():
        (files / "average" / f"{client}.json").write_text(text)
    batch = _batch(list(average.values()))
    largest = _largest_batch(folder, sizes, len(batch))
    (files / "batch" / "batch.json").write_text(batch)
    (files / "largest" / "batch.json").write_text(largest)
    return {
        "credit_files": len(average),
        "history_rows": float(nearest["rows"].mean()),
        "bytes": sum(map(len, average.values())) / len(average),
        "batch_bytes": len(batch),
        "largest_batch_bytes": len(largest),
    }


def _largest_batch(folder: Path, sizes: pl.DataFrame, average_batch: int) -> str:
    """Return a batch of a hundred files, as long as the largest request allows."""
    limit = PREDICT_BATCH.max_body_bytes
    rows = AVERAGE_ROWS * limit / average_batch
    while True:
        texts = [_text(folder, client) for client in _nearest(sizes, rows)["SK_ID_CURR"]]
        if len(batch := _batch(texts)) <= limit:
            return batch
        rows *= 0.98


def _nearest(sizes: pl.DataFrame, rows: float) -> pl.DataFrame:
    return sizes.sort((pl.col("rows") - rows).abs(), "SK_ID_CURR").head(MAX_CREDIT_FILES)


def _batch(texts: list[str]) -> str:
    return f'{{"credit_files": [{", ".join(texts)}]}}'


@lru_cache(maxsize=1000)
def _text(folder: Path, client: int) -> str:
    return json.dumps(credit_file(read_client(folder, "application_train", client)))


def _sizes(folder: Path) -> pl.DataFrame:
    """Return the number of history rows of each client, and of histories that hold any."""
    keys = {
        name: read_file(folder / f"{name}.parquet", TABLES[name], TABLES[name].schema.keys() & _IDS)
        for name in HISTORIES
    }
    owners = keys["bureau"].select("SK_ID_BUREAU", "SK_ID_CURR")
    keys["bureau_balance"] = keys["bureau_balance"].join(owners, on="SK_ID_BUREAU")
    counted = [frame["SK_ID_CURR"].value_counts() for frame in keys.values()]
    clients = read_application(folder, "application_train", names=["SK_ID_CURR"])
    totals = (
        pl.concat(counted)
        .group_by("SK_ID_CURR")
        .agg(rows=pl.col("count").sum().cast(pl.Int64), tables=pl.len().cast(pl.Int64))
    )
    return clients.join(totals, on="SK_ID_CURR", how="left").fill_null(0)
