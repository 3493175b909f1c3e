"""A population that several modules only read."""

import polars as pl
import pytest

from research.synthetic import generate


@pytest.fixture(scope="package")
def synthetic_tables() -> dict[str, pl.DataFrame]:
    return generate(8000)
