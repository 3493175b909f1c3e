"""A small portfolio whose files are not sorted, and the models that decide on it."""

from pathlib import Path

import polars as pl
import pytest

from tests.support.clients import make_clients
from tests.support.small_model import write_small_model

CLIENTS = 90


@pytest.fixture(scope="session")
def tables() -> dict[str, pl.DataFrame]:
    """Return the tables by the name of their file, in no order."""
    return {
        name: table.sample(fraction=1, shuffle=True, seed=3) for name, table in make_clients(CLIENTS, seed=5).items()
    }


@pytest.fixture(scope="session")
def portfolio(tables: dict[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of these tables: Parquet, CSV, and one in parts."""
    return write(tables, tmp_path_factory.mktemp("portfolio") / "data")


def write(tables: dict[str, pl.DataFrame], folder: Path) -> Path:
    """Write the tables: bureau as a folder of two parts, POS_CASH_balance as CSV, the others as Parquet."""
    folder.mkdir(parents=True)
    for name, table in tables.items():
        if name == "bureau":
            (folder / name).mkdir()
            half = len(table) // 2
            for number, part in enumerate((table[:half], table[half:])):
                part.write_parquet(folder / name / f"part-{number}.parquet")
        elif name == "POS_CASH_balance":
            table.write_csv(folder / f"{name}.csv")
        else:
            table.write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="session", params=["lightgbm", "linear"])
def any_model_folder(
    request: pytest.FixtureRequest, synthetic_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a model folder of each family."""
    return write_small_model(tmp_path_factory.mktemp("model") / "model", synthetic_folder, family=request.param).folder
