"""Training reads features that were computed before, and only those of the same data and code."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bento.__main__ import main
from bento.data.files import DataError
from research.data.dataset import Data, open_data
from research.data.feature_table import read_feature_table


@pytest.fixture(scope="module")
def table(synthetic_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the features of the synthetic clients, in parts."""
    out = tmp_path_factory.mktemp("features [1]") / "out"
    options = ["--data", str(synthetic_folder), "--out", str(out), "--part-clients", "400", "--workers", "2"]
    assert main(["portfolio", "features", *options]) == 0
    return out


def test_a_table_holds_the_features_that_training_computes(data: Data, table: Path):
    read = open_data(data.folder, table)
    assert_frame_equal(read.features(), data.features(), rel_tol=1e-9)
    assert_frame_equal(read.rows("gate").features, data.rows("gate").features, rel_tol=1e-9)


def _read(table: Path, data: Data, **changes: object) -> pl.DataFrame:
    source = {"fingerprint": data.source.fingerprint, "clients": data.features()["SK_ID_CURR"]} | changes
    return read_feature_table(table, source["fingerprint"], source["clients"])


def test_features_of_other_files_are_refused(data: Data, table: Path):
    with pytest.raises(DataError, match="are those of other files than --data names; make them with"):
        _read(table, data, fingerprint="0" * 64)


def test_a_client_without_features_is_an_error(data: Data, table: Path):
    with pytest.raises(DataError, match=r"1 training clients have no features; .*not_scored says why"):
        _read(table, data, clients=pl.Series([*data.features()["SK_ID_CURR"], 7]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"job": "score"}, "holds scores, not features"), ({"catalogue": "0" * 16}, "other feature code than this")],
)
def test_a_run_of_another_kind_or_code_is_refused(
    data: Data, table: Path, tmp_path: Path, changes: dict[str, str], message: str
):
    folder = shutil.copytree(table, tmp_path / "out")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"run": manifest["run"] | changes}))
    with pytest.raises(DataError, match=message):
        _read(folder, data)


def test_an_unfinished_run_is_refused(data: Data, table: Path, tmp_path: Path):
    folder = shutil.copytree(table, tmp_path / "out")
    (folder / "manifest.json").unlink()
    with pytest.raises(DataError, match="holds no finished run"):
        _read(folder, data)
