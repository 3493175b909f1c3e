"""The clients on whom mutants are judged: small files, odd clients and synthetic ones, with their stated features."""

from pathlib import Path

import polars as pl

from bento.data.tables import TABLES
from tests.bento.features.odd_clients import odd_clients
from tests.bento.features.small_files import small_tables
from tests.bento.features.statement import state
from tests.mutation.judge import ALONE, STATED
from tests.support.synthetic_clients import synthetic_clients

ODD = 400
ODD_ALONE, SYNTHETIC_ALONE = 60, 15
"""Of the clients, those whose features are also built alone; so are those of every small file."""


def write_clients(folder: Path, *, synthetic: int, seed: int) -> None:
    """Write the raw tables, the stated features and the clients to be built alone as Parquet files."""
    small, odd, made_up = small_tables(), odd_clients(ODD, seed), synthetic_clients(synthetic, seed)
    tables = {name: pl.concat([small[name], odd[name], made_up[name]]) for name in TABLES}
    alone = [small["application"], odd["application"].head(ODD_ALONE), made_up["application"].head(SYNTHETIC_ALONE)]
    files = tables | {STATED: state(tables), ALONE: pl.concat(alone).select("SK_ID_CURR")}
    for name, frame in files.items():
        frame.write_parquet(folder / f"{name}.parquet")
