from pathlib import Path

import polars as pl
import pytest

from research.data.dataset import Data
from research.data.sample import newest_sample, write_sample

CLIENTS = 40


@pytest.fixture(scope="module")
def sample(synthetic_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(Data(synthetic_folder), tmp_path_factory.mktemp("samples"), CLIENTS)


def test_the_sample_holds_new_clients_with_all_their_rows(sample: Path, synthetic_folder: Path):
    applications = pl.read_parquet(sample / "application.parquet")
    everybody = pl.read_parquet(synthetic_folder / "application_test.parquet")
    numbers = applications["SK_ID_CURR"]

    assert CLIENTS / 2 < len(applications) <= CLIENTS
    assert numbers.is_sorted()
    assert set(numbers) <= set(everybody["SK_ID_CURR"])
    for name in ("bureau", "previous_application", "installments_payments"):
        rows, all_rows = (
            pl.read_parquet(sample / f"{name}.parquet"),
            pl.read_parquet(synthetic_folder / f"{name}.parquet"),
        )
        assert len(rows) == all_rows["SK_ID_CURR"].is_in(numbers.implode()).sum()
        assert rows["SK_ID_CURR"].is_sorted()
    credits = pl.read_parquet(sample / "bureau.parquet")["SK_ID_BUREAU"]
    months = pl.read_parquet(sample / "bureau_balance.parquet")
    assert set(months["SK_ID_BUREAU"]) <= set(credits)
    assert len(months) > 0


def test_a_sample_is_written_once(sample: Path, synthetic_folder: Path):
    before = (sample / "application.parquet").stat().st_mtime_ns

    assert write_sample(Data(synthetic_folder), sample.parent, CLIENTS) == sample
    assert (sample / "application.parquet").stat().st_mtime_ns == before
    assert newest_sample(sample.parent) == sample
    assert sorted(path.name for path in sample.parent.iterdir()) == [sample.name]


def test_without_a_sample_there_is_none(tmp_path: Path):
    assert newest_sample(tmp_path / "nothing") is None
