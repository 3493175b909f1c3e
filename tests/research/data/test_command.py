from pathlib import Path

import polars as pl
import pytest

from bento.data.files import STEMS
from research.data import command
from tests.research.commands import run_command


@pytest.fixture
def folder(synthetic_folder: Path, tmp_path: Path) -> Path:
    for stem in STEMS:
        pl.read_parquet(synthetic_folder / f"{stem}.parquet").write_csv(tmp_path / f"{stem}.csv")
    return tmp_path


def test_check_names_missing_misnamed_and_ignored_files(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "bureau_balance.csv").unlink()
    (folder / "credit_card_balance.csv").rename(folder / "credit_card_balance (1).csv")
    (folder / "POS_CASH_balance.csv").write_text("a,b\n")
    path = folder / "application_test.csv"
    pl.read_csv(path, infer_schema_length=None).with_columns(EXTRA=1).write_csv(path)

    code = run_command(command, "check", str(folder))

    output, errors = capsys.readouterr()
    assert code == 1
    assert f"note: {folder}: holds neither bureau_balance.csv nor bureau_balance.parquet; put the file there" in output
    assert "note: application_test.csv: ignored, for they are not declared: columns 'EXTRA'" in output
    assert "2 faults, " in output
    assert "fault: " in errors
    assert "'credit_card_balance (1).csv' seems to be it: rename it to credit_card_balance.csv" in errors
    assert "POS_CASH_balance.csv: the first line holds no column name" in errors


def test_check_of_sound_files_has_no_notes(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run_command(command, "check", str(folder)) == 0
    output, errors = capsys.readouterr()
    assert "note: " not in output
    assert "\n0 faults, " in output
    assert errors == ""


def test_check_reports_missing_applications_with_the_other_faults(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "application_train.csv").unlink()
    (folder / "bureau.csv").write_text("")
    assert run_command(command, "check", str(folder)) == 1
    errors = capsys.readouterr().err.splitlines()
    assert any("holds neither application_train.csv nor application_train.parquet" in line for line in errors)
    assert any("bureau.csv: the file is empty" in line for line in errors)


def test_check_of_no_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run_command(command, "check", str(tmp_path / "nowhere")) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'nowhere'}: no such folder; name the folder that holds the tables, such as "
        "application_train.csv\n"
    )
