"""Tables of synthetic clients, as the features are built from."""

import polars as pl

from bento.data.tables import HISTORIES, TABLES
from research.synthetic import generate


def synthetic_clients(count: int, seed: int) -> dict[str, pl.DataFrame]:
    """Return the seven raw tables of synthetic clients, with and without outcome."""
    tables = generate(count, seed)
    columns = list(TABLES["application"].schema)
    applications = [tables[f"application_{part}"].select(columns) for part in ("train", "test")]
    return {"application": pl.concat(applications)} | {name: tables[name] for name in HISTORIES}
