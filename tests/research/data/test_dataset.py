import os
import shutil
import stat
import zipfile
from pathlib import Path

import polars as pl
import pytest

from bento.data.files import STEMS, DataError
from bento.features.catalogue import CATALOGUE
from research.cli import CommandError
from research.data import command
from research.data import dataset as data
from research.data.dataset import Data, open_data


def test_source_of_synthetic_data_names_clients_and_seed(synthetic_folder: Path):
    source = open_data(synthetic_folder).source
    assert (source.data, source.clients, source.seed) == ("synthetic", 1500, 1)
    assert source.tag == f"synthetic:{source.fingerprint[:16]}"


def test_any_change_of_the_data_changes_its_fingerprint(synthetic_folder: Path, tmp_path: Path):
    for stem in ("application_train", "application_test"):
        pl.read_parquet(synthetic_folder / f"{stem}.parquet").head(30).write_csv(tmp_path / f"{stem}.csv")
    before = Data(tmp_path).source
    assert (before.data, before.clients, before.seed) == ("real", 60, None)
    path = tmp_path / "application_train.csv"
    path.write_text(path.read_text().replace("Cash loans", "Revolving loans", 1))
    assert Data(tmp_path).source.fingerprint != before.fingerprint


def test_zipped_data_has_the_fingerprint_of_the_plain_files(synthetic_folder: Path, tmp_path: Path):
    for stem in ("application_train", "application_test"):
        pl.read_parquet(synthetic_folder / f"{stem}.parquet").head(30).write_csv(tmp_path / f"{stem}.csv")
    plain = Data(tmp_path).source
    with zipfile.ZipFile(tmp_path / "home-credit-default-risk.zip", "w") as archive:
        for path in list(tmp_path.glob("*.csv")):
            archive.write(path, path.name)
            path.unlink()
    assert Data(tmp_path).source == plain
    assert plain.clients == 60


def test_blank_lines_are_no_clients(synthetic_folder: Path, tmp_path: Path):
    pl.read_parquet(synthetic_folder / "application_train.parquet").head(30).write_csv(
        tmp_path / "application_train.csv"
    )
    with (tmp_path / "application_train.csv").open("a") as file:
        file.write("\n\n")
    assert Data(tmp_path).source.clients == 30


def _with_unknown_categories(synthetic_folder: Path, folder: Path, rows: int) -> Path:
    """Copy the folder as CSV, without bureau, and with an unknown income type in the first rows."""
    folder.mkdir()
    for stem in STEMS:
        pl.read_parquet(synthetic_folder / f"{stem}.parquet").write_csv(folder / f"{stem}.csv")
    for stem in ("bureau", "bureau_balance"):
        (folder / f"{stem}.csv").unlink()
    applications = pl.read_csv(folder / "application_train.csv", infer_schema_length=None)
    is_first = pl.int_range(pl.len()) < rows
    income = pl.when(is_first).then(pl.lit("working")).otherwise(pl.lit("Working"))
    applications.with_columns(NAME_INCOME_TYPE=income).write_csv(folder / "application_train.csv")
    return folder


def test_what_is_passed_is_reported_at_each_use(
    synthetic_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    folder = _with_unknown_categories(synthetic_folder, tmp_path / "data", 100)
    expected = [
        *(
            f"{folder}: holds neither {stem}.csv nor {stem}.parquet; put the file there, otherwise no client has such "
            for stem in ("bureau", "bureau_balance")
        ),
        "application_train.csv: column NAME_INCOME_TYPE: 100 rows hold an unknown category, such as working: passed, ",
    ]
    for _ in range(2):
        caplog.clear()
        opened = Data(folder)
        opened.features()
        opened.features()
        logged = [record.getMessage() for record in caplog.records]
        assert len(logged) == 3
        assert all(line.startswith(start) for line, start in zip(logged, expected, strict=True))
        monkeypatch.setattr(data, "check_folder", None)  # kept from the first time


def test_features_of_mismatched_columns_are_refused(synthetic_folder: Path, tmp_path: Path):
    folder = _with_unknown_categories(synthetic_folder, tmp_path / "data", 900)
    with pytest.raises(DataError, match=r"column NAME_INCOME_TYPE: 900 rows hold an unknown category.*all faults"):
        Data(folder).features()


@pytest.mark.parametrize("name", ["x [2026]", "mes données"])
def test_folders_of_any_name_are_opened_and_cached(
    synthetic_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    folder = Path(shutil.copytree(synthetic_folder, tmp_path / name))
    monkeypatch.setattr(data, "DATA", tmp_path / f"{name} results")
    features = open_data(folder).features()
    assert Data(folder).features().equals(features)
    assert features.equals(Data(synthetic_folder).features())


def test_folder_without_data_is_named_in_the_error(tmp_path: Path):
    with pytest.raises(DataError, match=r"neither application_train\.csv"):
        open_data(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        open_data(tmp_path / "nowhere")


def test_synthetic_data_is_generated_once_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(data, "RAW", tmp_path / "raw")
    monkeypatch.setattr(data, "SYNTHETIC", tmp_path / "synthetic")
    monkeypatch.setattr(data, "SYNTHETIC_CLIENTS", 50)
    assert open_data(None).source.clients == 50
    assert "making 50 synthetic clients" in capsys.readouterr().err
    open_data(None)
    assert "making" not in capsys.readouterr().err


def test_real_files_come_before_synthetic_ones(synthetic_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(data, "RAW", synthetic_folder)
    monkeypatch.setattr(data, "SYNTHETIC", tmp_path / "synthetic")
    assert open_data(None).folder == synthetic_folder


def test_features_are_computed_once_and_cached(synthetic_folder: Path, monkeypatch: pytest.MonkeyPatch):
    features = Data(synthetic_folder).features()
    assert features.columns == ["SK_ID_CURR", *CATALOGUE, "TARGET"]
    monkeypatch.setattr(data, "build_features", None)
    assert Data(synthetic_folder).features().equals(features)


def test_folder_of_any_name_is_opened_and_its_features_cached(
    synthetic_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "mes données [2026] (x); $a"
    folder.mkdir()
    for stem in STEMS:
        pl.read_parquet(synthetic_folder / f"{stem}.parquet").write_csv(folder / f"{stem}.csv")
    monkeypatch.setattr(data, "DATA", tmp_path / "cache [2026]")
    opened = open_data(folder)

    first, again = opened.features(), Data(folder).features()

    assert opened.source.clients == 1500
    assert first.equals(again)
    assert len(list((tmp_path / "cache [2026]").rglob("*.parquet"))) == 1
    assert first.equals(Data(synthetic_folder).features())


def test_refused_download_explains_token_and_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # A real process stands in for Python running Kaggle's client: no test may reach the network.
    refusing = tmp_path / "python"
    refusing.write_text("#!/bin/sh\necho '401 - Unauthorized' >&2\nexit 1\n")
    refusing.chmod(refusing.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(command.sys, "executable", os.fspath(refusing))
    with pytest.raises(CommandError, match=r"401 - Unauthorized.*token.*rules"):
        command.download(tmp_path / "raw")
