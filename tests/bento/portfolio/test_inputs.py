"""Bad input and bad folders: one line that names file, column and remedy, and no good part is lost."""

import fcntl
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from bento.__main__ import main
from tests.bento.portfolio.conftest import CLIENTS, write

Tables = dict[str, pl.DataFrame]


@pytest.fixture
def run(model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Score a folder into `tmp_path/out` and return the error, empty where it was scored."""

    def score(data: Path, *options: str) -> str:
        arguments = ["--data", str(data), "--out", str(tmp_path / "out"), "--workers", "1"]
        code = main(["portfolio", "score", "--model", str(model_folder), *arguments, *options])
        error = "".join(line for line in capsys.readouterr().err.splitlines() if line.startswith("error"))
        assert code == (2 if error else 0)
        return error

    return score


def _not_scored(tmp_path: Path) -> set[tuple[int, str, str, str]]:
    return set(pl.read_parquet(tmp_path / "out" / "not_scored" / "*.parquet").rows())


def _changed(tables: Tables, name: str, number: int, **values: object) -> Tables:
    """Return the tables with other values in one row."""
    row = [{**tables[name].row(number, named=True), **values}]
    changed = pl.DataFrame(row, tables[name].schema)
    return tables | {name: pl.concat([tables[name][:number], changed, tables[name][number + 1 :]])}


@pytest.mark.parametrize(
    ("name", "values", "column", "reason"),
    [
        ("application_train", {"DAYS_BIRTH": 5}, "DAYS_BIRTH", "values are above -1"),
        ("application_train", {"AMT_CREDIT": None}, "AMT_CREDIT", "values hold no value"),
        ("installments_payments", {"AMT_PAYMENT": -1.0}, "AMT_PAYMENT", "values are below 0"),
        ("previous_application", {"DAYS_LAST_DUE": 40_000}, "DAYS_LAST_DUE", "above 20000 and no code"),
    ],
)
def test_a_client_with_an_unusable_value_is_left_out_and_listed(
    tables: Tables,
    run: Callable[..., str],
    tmp_path: Path,
    name: str,
    values: dict[str, object],
    column: str,
    reason: str,
):
    client = tables[name]["SK_ID_CURR"][3]
    assert not run(write(_changed(tables, name, 3, **values), tmp_path / "data"))
    ((left_out, table, column_of_it, text),) = _not_scored(tmp_path)
    assert (left_out, table, column_of_it) == (client, name.replace("_train", ""), column)
    assert reason in text
    rows = pl.read_parquet(tmp_path / "out" / "decisions" / "*.parquet")
    assert len(rows) == CLIENTS - 1
    assert client not in rows["SK_ID_CURR"]


def test_months_of_a_credit_are_attributed_to_its_client(tables: Tables, run: Callable[..., str], tmp_path: Path):
    credit = tables["bureau_balance"]["SK_ID_BUREAU"][0]
    client = tables["bureau"].filter(SK_ID_BUREAU=credit)["SK_ID_CURR"][0]
    assert not run(write(_changed(tables, "bureau_balance", 0, MONTHS_BALANCE=7), tmp_path / "data"))
    assert {row[:3] for row in _not_scored(tmp_path)} == {(client, "bureau_balance", "MONTHS_BALANCE")}


def test_two_rows_of_one_key_leave_their_client_out(tables: Tables, run: Callable[..., str], tmp_path: Path):
    months = tables["bureau_balance"]
    client = tables["bureau"].filter(SK_ID_BUREAU=months["SK_ID_BUREAU"][0])["SK_ID_CURR"][0]
    assert not run(write(tables | {"bureau_balance": pl.concat([months, months[:1]])}, tmp_path / "data"))
    assert _not_scored(tmp_path) == {(client, "bureau_balance", "MONTHS_BALANCE", "two rows have the same key")}


def test_an_application_that_is_impossible_by_a_rule_is_left_out(
    tables: Tables, run: Callable[..., str], tmp_path: Path
):
    changed = _changed(tables, "application_train", 0, DAYS_BIRTH=-17 * 365)
    assert not run(write(changed, tmp_path / "data"))
    client = tables["application_train"]["SK_ID_CURR"][0]
    assert (client, "application", "DAYS_BIRTH", "impossible by the rule age") in _not_scored(tmp_path)
    assert client not in pl.read_parquet(tmp_path / "out" / "decisions" / "*.parquet")["SK_ID_CURR"]


def test_orphan_rows_are_counted_and_ignored(tables: Tables, run: Callable[..., str], tmp_path: Path):
    changed = _changed(tables, "installments_payments", 0, SK_ID_CURR=77)
    changed = _changed(changed, "bureau_balance", 0, SK_ID_BUREAU=88)
    assert not run(write(changed, tmp_path / "data"))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert manifest["orphan_rows"] == {"installments_payments": 1, "bureau_balance": 1}
    assert manifest["rows"] == CLIENTS


def test_ids_as_floats_are_read_and_fractions_refused(
    tables: Tables, portfolio: Path, run: Callable[..., str], tmp_path: Path
):
    ids = pl.col("SK_ID_CURR").cast(pl.Float64)
    floats = {
        name: table.with_columns(ids) if "SK_ID_CURR" in table.columns else table for name, table in tables.items()
    }
    assert not run(write(floats, tmp_path / "floats"))
    rows = pl.read_parquet(tmp_path / "out" / "decisions" / "*.parquet")
    assert rows["SK_ID_CURR"].to_list() == sorted(tables["application_train"]["SK_ID_CURR"])
    shutil.rmtree(tmp_path / "out")
    error = run(write(_changed(floats, "installments_payments", 4, SK_ID_CURR=100_001.5), tmp_path / "fraction"))
    assert (
        "installments_payments.parquet: row 5, column SK_ID_CURR: 100001.5 is not a whole number; correct it" in error
    )


def test_a_client_in_two_parts_is_an_error_that_names_both(tables: Tables, run: Callable[..., str], tmp_path: Path):
    folder = write(tables, tmp_path / "data")
    (folder / "application_train.parquet").unlink()
    (folder / "application_train").mkdir()
    tables["application_train"].write_parquet(folder / "application_train" / "part-0.parquet")
    tables["application_train"][5:6].write_parquet(folder / "application_train" / "part-1.parquet")
    error = run(folder)
    assert "part-0.parquet and " in error
    assert "part-1.parquet: column SK_ID_CURR: " in error
    assert error.endswith("appears more than once; keep one row of it")


def test_a_client_in_training_and_test_files_is_an_error(tables: Tables, run: Callable[..., str], tmp_path: Path):
    folder = write(tables, tmp_path / "data")
    tables["application_train"][5:6].drop("TARGET").write_parquet(folder / "application_test.parquet")
    assert "application_train.parquet and " in run(folder)


@pytest.mark.parametrize("kept", [0, 4, 3000])
def test_a_cut_part_is_an_error_that_names_it(tables: Tables, run: Callable[..., str], tmp_path: Path, kept: int):
    folder = write(tables, tmp_path / "data")
    part = folder / "bureau" / "part-1.parquet"
    part.write_bytes(part.read_bytes()[:kept])
    assert str(part) in run(folder)


def test_a_foreign_file_among_the_parts_is_an_error(tables: Tables, run: Callable[..., str], tmp_path: Path):
    folder = write(tables, tmp_path / "data")
    (folder / "bureau" / "_SUCCESS").touch()
    (folder / "bureau" / ".part-0.parquet.crc").touch()
    assert not run(folder)
    shutil.rmtree(tmp_path / "out")
    (folder / "bureau" / "part-2.xlsx").touch()
    assert "part-2.xlsx: is no part of a table; take it away" in run(folder)


def test_a_table_twice_misnamed_or_without_parts_is_an_error(tables: Tables, run: Callable[..., str], tmp_path: Path):
    folder = write(tables, tmp_path / "data")
    tables["bureau"].write_parquet(folder / "bureau.parquet")
    assert "bureau and bureau.parquet both hold the table bureau" in run(folder)
    shutil.rmtree(folder / "bureau")
    (folder / "bureau.parquet").rename(folder / "bureau (1).parquet")
    assert "'bureau (1).parquet' seems to be it" in run(folder)
    (folder / "bureau (1).parquet").unlink()
    (folder / "bureau").mkdir()
    assert "bureau: holds no part" in run(folder)


def test_an_output_folder_that_cannot_be_made_is_an_error(portfolio: Path, model_folder: Path, tmp_path: Path, capsys):
    (tmp_path / "file").touch()
    arguments = ["--data", str(portfolio), "--out", str(tmp_path / "file" / "out"), "--model", str(model_folder)]
    assert main(["portfolio", "score", *arguments]) == 2
    assert "file/out: Not a directory; correct the path or name another" in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["local", "spark"])
def test_an_output_address_is_refused_before_anything_is_made(portfolio: Path, engine: str, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["portfolio", "features", "--data", str(portfolio), "--out", "s3://bucket/out", "--engine", engine])
    assert "s3://bucket/out: is an address; name a folder" in capsys.readouterr().err
    assert not Path("s3:").exists()


def test_a_part_that_cannot_be_written_is_an_error_that_names_it(
    portfolio: Path, run: Callable[..., str], tmp_path: Path
):
    (tmp_path / "out").mkdir()
    assert not run(portfolio)
    shutil.rmtree(tmp_path / "out" / "decisions")
    (tmp_path / "out" / "decisions").touch()
    assert "out/decisions" in run(portfolio)
    (tmp_path / "out" / "decisions").unlink()
    assert not run(portfolio)
    assert len(pl.read_parquet(tmp_path / "out" / "decisions" / "*.parquet")) == CLIENTS


def test_an_output_folder_with_other_files_is_left_alone(portfolio: Path, run: Callable[..., str], tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert "holds mine.txt, which no run over a portfolio wrote; name an empty folder" in run(portfolio)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_another_run_in_the_same_folder_is_refused(portfolio: Path, run: Callable[..., str], tmp_path: Path):
    assert not run(portfolio)
    before = (tmp_path / "out" / "manifest.json").read_bytes()
    assert "holds a run with another reasons: refused, not all" in run(portfolio, "--reasons", "all")
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before


def test_two_runs_at_once_in_one_folder_are_refused(portfolio: Path, run: Callable[..., str], tmp_path: Path):
    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another run writes there; wait for its end, or name another --out" in run(portfolio)
    assert not run(portfolio)


def test_a_model_of_other_features_is_refused(portfolio: Path, model_folder: Path, tmp_path: Path, capsys):
    folder = shutil.copytree(model_folder, tmp_path / "model")
    examples = json.loads((folder / "examples.json").read_bytes())
    (folder / "examples.json").write_text(json.dumps(examples | {"catalogue": "0" * 16}))
    arguments = ["--data", str(portfolio), "--out", str(tmp_path / "out"), "--model", str(folder)]
    assert main(["portfolio", "score", *arguments]) == 2
    assert "trained with other feature code than this; train again" in capsys.readouterr().err


def test_a_model_of_another_format_is_refused(portfolio: Path, model_folder: Path, tmp_path: Path, capsys):
    from bento.model.scoring_model import digests

    folder = shutil.copytree(model_folder, tmp_path / "model")
    for name, change in (("scoring.json", {"schema": 99}), ("examples.json", None)):
        content = json.loads((folder / name).read_bytes())
        (folder / name).write_text(json.dumps(content | (change or {"files": digests(folder)})))
    arguments = ["--data", str(portfolio), "--out", str(tmp_path / "out"), "--model", str(folder)]
    assert main(["portfolio", "score", *arguments]) == 2
    assert f"{folder}: not a usable model folder: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_a_model_the_error_says_how_to_get_one(portfolio: Path, tmp_path: Path, capsys):
    assert main(["portfolio", "score", "--data", str(portfolio), "--out", str(tmp_path / "out")]) == 2
    assert "BentoML's store holds no model; name a folder with --model" in capsys.readouterr().err


@pytest.mark.end_to_end
def test_a_full_disk_ends_in_one_line_and_the_run_resumes(
    portfolio: Path, model_folder: Path, run: Callable[..., str], tmp_path: Path
):
    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY))

    out = tmp_path / "out"
    options = ["--data", str(portfolio), "--out", str(out), "--model", str(model_folder), "--workers", "1"]
    ended = subprocess.run(
        [sys.executable, "-m", "bento", "portfolio", "score", *options],
        preexec_fn=limit_file_size,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},  # a compiled module would be cut, too
        check=False,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert ended.returncode == 2
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert str(out) in line
    assert "File too large" in line
    assert not run(portfolio)
    assert len(pl.read_parquet(out / "decisions" / "*.parquet")) == CLIENTS
