"""The clients on whom mutants are judged: small files, odd clients and synthetic ones, with their stated features."""

from pathlib import Path

import polars as pl

from bento.data.tables import HISTORIES, TABLES
from research.synthetic import generate
from tests.bento.features.odd_clients import odd_clients
from tests.bento.features.small_files import small_tables
from tests.bento.features.statement import state
from tests.mutation.judge import ALONE, STATED

ODD, SYNTHETIC, SEED = 400, 200, 1
ODD_ALONE, SYNTHETIC_ALONE = 40, 10
"""Of the clients, those whose features are also built alone; so are those of every small file."""


def write_clients(folder: Path) -> None:
    """Write the raw tables, the stated features and the clients to be built alone as Parquet files."""
    small, odd, synthetic = small_tables(), odd_clients(ODD, SEED), synthetic_clients(SYNTHETIC, SEED)
    tables = {name: pl.concat([small[name], odd[name], synthetic[name]]) for name in TABLES}
    alone = [
        small["application"],
        odd["application"].head(ODD_ALONE),
        synthetic["application"].head(SYNTHETIC_ALONE),
    ]
    files = tables | {STATED: state(tables), ALONE: pl.concat(alone).select("SK_ID_CURR")}
    for name, frame in files.items():
        frame.write_parquet(folder / f"{name}.parquet")


def synthetic_clients(count: int, seed: int) -> dict[str, pl.DataFrame]:
    """Return the seven raw tables of synthetic clients, with and without outcome."""
    tables = generate(count, seed)
    columns = list(TABLES["application"].schema)
    applications = [tables[f"application_{part}"].select(columns) for part in ("train", "test")]
    return {"application": pl.concat(applications)} | {name: tables[name] for name in HISTORIES}
