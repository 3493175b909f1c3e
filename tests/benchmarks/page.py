"""Measure the page of the officers: a search among many clients, and the file of one of them.

python -m tests.benchmarks.page --clients 48744
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from bento.data.tables import TABLES
from tests.benchmarks.measure import Clock, Figures, repeat
from tests.support.deadlines import slowdown
from ui.client import Column
from ui.samples import Filters, Sample

CLIENTS = 48_744
"""Applications of the file that the competition asked decisions on."""
FIRST = 100_001
WORDS = ["Working", "Pensioner", "State servant"]
WRITERS: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    "parquet": pl.DataFrame.write_parquet,
    "csv": pl.DataFrame.write_csv,
}


def write_applications(folder: Path, clients: int, suffix: str) -> None:
    """Write invented applications with all columns of the table, most of them filled with numbers."""
    random = np.random.default_rng(1)
    columns: dict[str, Any] = {}
    for column in TABLES["application"]:
        is_word = column.kind == "category"
        columns[column.name] = random.choice(WORDS, clients) if is_word else random.integers(0, 2, clients)
    columns["SK_ID_CURR"] = np.arange(FIRST, FIRST + clients)
    columns["AMT_CREDIT"] = random.integers(45_000, 2_000_000, clients) + 0.5
    WRITERS[suffix](pl.DataFrame(columns), folder / f"application_test.{suffix}")


def measure(folder: Path, clients: int, suffix: str, seconds: float) -> Figures:
    """Return what searches cost, in milliseconds and MiB of Arrow's memory, at most and after them."""
    write_applications(folder, clients, suffix)
    tables = {
        name: {
            column.name: Column("category" if column.kind == "category" else "number", None, None, (), required=False)
            for column in columns
        }
        for name, columns in TABLES.items()
    }
    sample = Sample(folder, tables)
    jobs = {
        "by_number": lambda: sample.search(Filters(number=str(FIRST + clients - 1)[:4])),
        "by_filters": lambda: sample.search(Filters(income_type="Pensioner", min_credit=900_000.0)),
        "credit_file": lambda: sample.credit_file(FIRST + clients // 2),
    }
    pool = pa.default_memory_pool()
    figures: Figures = {name: repeat(lambda clock, job=job: _timed(clock, job), seconds) for name, job in jobs.items()}
    memory = {"peak_mib": pool.max_memory() / 2**20, "after_mib": pool.bytes_allocated() / 2**20}
    return figures | {"memory": memory, "slowdown": slowdown()}


def _timed(clock: Clock, job: Callable[[], object]) -> None:
    with clock.part("search"):
        assert job()


def main() -> None:
    """Print the figures as JSON, for each kind of file."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--clients", type=int, default=CLIENTS)
    arguments.add_argument("--seconds", type=float, default=2.0, help="for each measurement")
    options = arguments.parse_args()
    figures: Figures = {"clients": options.clients}
    for suffix in WRITERS:
        with tempfile.TemporaryDirectory() as folder:
            figures[suffix] = measure(Path(folder), options.clients, suffix, options.seconds)
    print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
