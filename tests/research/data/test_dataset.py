import os
import stat
from pathlib import Path

import polars as pl
import pytest

from bento.data.readers import DataError
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
    for stem in data.FILES:
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
