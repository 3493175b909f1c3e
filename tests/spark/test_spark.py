"""Spark decides on a portfolio as one machine does, which decides as the service does."""

import contextlib
import csv
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pyspark.sql import SparkSession

from bento.__main__ import main
from bento.policy import score_points
from tests.bento.portfolio.conftest import CLIENTS, write
from tests.bento.portfolio.online import scored_online
from tests.support.clients import FIRST_CREDIT
from tests.support.deadlines import wait_until

Tables = dict[str, pl.DataFrame]
SKEW = 100_000
"""Rows of one client."""
START_S = 120
"""Seconds for Spark to start and to read the tables."""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(spark: SparkSession, model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Score a folder into `tmp_path/<engine>`; return the error, empty where it was scored."""

    def score(data: Path | str, engine: str = "spark", out: Path | None = None, *options: str) -> str:
        folder = out or tmp_path / engine
        arguments = ["--data", str(data), "--out", str(folder), "--model", str(model_folder), "--part-clients", "40"]
        code = main(["portfolio", "score", *arguments, "--engine", engine, "--reasons", "all", *options])
        error = "".join(line for line in capsys.readouterr().err.splitlines() if line.startswith("error"))
        assert code == (2 if error else 0)
        return error

    return score


def _rows(out: Path) -> pl.DataFrame:
    return pl.read_parquet(out / "decisions" / "*.parquet").sort("SK_ID_CURR")


def _manifest(out: Path) -> dict[str, object]:
    return json.loads((out / "manifest.json").read_bytes())


@pytest.mark.promise("Spark, one machine and the service give a client the same PD, decision and reasons")
def test_spark_one_machine_and_the_service_decide_the_same(
    portfolio: Path, tables: Tables, model_folder: Path, run: Callable[..., str], tmp_path: Path
):
    assert not run(portfolio)
    assert not run(portfolio, "local")
    rows = _rows(tmp_path / "spark")
    assert_frame_equal(rows, _rows(tmp_path / "local"), rel_tol=1e-9)
    for row, (client, scored) in zip(rows.iter_rows(named=True), scored_online(model_folder, tables), strict=True):
        assert row["SK_ID_CURR"] == client
        assert row["probability_of_default"] == pytest.approx(scored.probability, rel=1e-9)
        assert row["score_points"] == pytest.approx(score_points(scored.log_odds), rel=1e-9)
        assert row["decision"] == scored.decision
        assert row["rules"] == [hit.code for hit in scored.rules]
        reasons = [(reason["code"], reason["text_en"], reason["text_fr"]) for reason in row["reasons"]]
        assert reasons == [(reason.code, reason.text.en, reason.text.fr) for reason in scored.reasons or ()]
    ours, theirs = _manifest(tmp_path / "spark"), _manifest(tmp_path / "local")
    for name in ("clients", "rows", "decisions", "not_scored", "input_rows", "orphan_rows"):
        assert ours[name] == theirs[name]


def test_an_address_of_spark_is_read_as_a_folder(portfolio: Path, run: Callable[..., str], tmp_path: Path):
    assert not run(portfolio.as_uri())
    assert not run(portfolio, "local")
    assert_frame_equal(_rows(tmp_path / "spark"), _rows(tmp_path / "local"), rel_tol=1e-9)
    assert "nowhere: no such folder" in run(f"{portfolio.as_uri()}/nowhere", "spark", tmp_path / "other")


def test_a_client_with_a_hundred_thousand_rows_is_scored(tables: Tables, run: Callable[..., str], tmp_path: Path):
    rows = tables["installments_payments"]
    long = pl.concat([rows[:1]] * SKEW).with_columns(DAYS_INSTALMENT=-pl.int_range(SKEW) % 3000)
    folder = write(tables | {"installments_payments": pl.concat([rows, long])}, tmp_path / "data")
    assert not run(folder)
    assert not run(folder, "local")
    assert _manifest(tmp_path / "spark")["input_rows"]["installments_payments"] == len(rows) + SKEW
    assert_frame_equal(_rows(tmp_path / "spark"), _rows(tmp_path / "local"), rel_tol=1e-9)


def test_unusable_values_orphans_and_keys_are_treated_as_locally(
    tables: Tables, run: Callable[..., str], tmp_path: Path
):
    payments = tables["installments_payments"].with_row_index("row")
    odd = payments.with_columns(
        AMT_PAYMENT=pl.when(row=3).then(-1.0).otherwise("AMT_PAYMENT"),
        SK_ID_CURR=pl.when(row=5).then(77).otherwise("SK_ID_CURR"),
    ).drop("row")
    months = tables["bureau_balance"].with_columns(
        SK_ID_BUREAU=pl.when(pl.int_range(pl.len()) == 4).then(FIRST_CREDIT * 9).otherwise("SK_ID_BUREAU")
    )
    odd_tables = {"installments_payments": odd, "bureau_balance": pl.concat([months, months[:1]])}
    folder = write(tables | odd_tables, tmp_path / "data")
    assert not run(folder)
    assert not run(folder, "local")
    ours, theirs = _manifest(tmp_path / "spark"), _manifest(tmp_path / "local")
    for name in ("not_scored", "orphan_rows", "clients_not_scored", "input_rows"):
        assert ours[name] == theirs[name]
    assert ours["clients_not_scored"] == 2
    assert ours["orphan_rows"] == {"installments_payments": 1, "bureau_balance": 1}


def test_text_among_numbers_missing_ids_and_columns_are_errors(tables: Tables, run: Callable[..., str], tmp_path: Path):
    def error_with(header: str, value: str) -> str:
        folder = write(tables, tmp_path / f"données [1] {{{header}}} {value}")
        path = folder / "POS_CASH_balance.csv"
        with path.open() as file:
            lines = list(csv.reader(file))
        place = lines[0].index(header)
        lines[0 if value == "OTHER" else 3][place] = value
        with path.open("w") as file:
            csv.writer(file).writerows(lines)
        return run(folder, "spark", tmp_path / f"out {header} {value}")

    assert "POS_CASH_balance: column MONTHS_BALANCE holds text that is not a number" in error_with(
        "MONTHS_BALANCE", "many"
    )
    assert "POS_CASH_balance: column SK_ID_CURR: a row has no id" in error_with("SK_ID_CURR", "")
    assert "POS_CASH_balance.csv: has no column MONTHS_BALANCE" in error_with("MONTHS_BALANCE", "OTHER")


def test_a_repeated_client_or_a_cut_file_is_an_error(tables: Tables, run: Callable[..., str], tmp_path: Path):
    folder = write(tables, tmp_path / "data")
    tables["application_train"][5:6].drop("TARGET").write_parquet(folder / "application_test.parquet")
    assert "application: column SK_ID_CURR: " in run(folder)
    (folder / "application_test.parquet").unlink()
    path = folder / "previous_application.parquet"
    path.write_bytes(path.read_bytes()[:3000])
    assert "previous_application.parquet" in run(folder, "spark", tmp_path / "other")


def _content(path: Path) -> bytes:
    """Return a file of a process or thread; empty where it has ended since it was listed."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _workers(of: int) -> list[int]:
    """Return the Python processes that Spark started below a process and that run tasks."""
    try:
        threads = list(Path(f"/proc/{of}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []
    children = [int(pid) for thread in threads for pid in _content(thread / "children").split()]
    below = [worker for child in children for worker in _workers(child)]
    is_daemon = b"pyspark.daemon" in _content(Path(f"/proc/{of}/cmdline"))
    return [*below, *(children if is_daemon else [])]


def test_a_task_that_is_killed_is_tried_again_without_a_double(
    portfolio: Path, run: Callable[..., str], tmp_path: Path
):
    killed: list[int] = []

    def kill_a_worker() -> None:
        wait_until((tmp_path / "spark" / ".work" / "bounds.json").exists, START_S)
        wait_until(kill_one, START_S)

    def kill_one() -> bool:
        for worker in _workers(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
                killed.append(worker)
                return True
        return False

    thread = threading.Thread(target=kill_a_worker)
    thread.start()
    assert not run(portfolio)
    thread.join()
    assert killed
    assert not run(portfolio, "local")
    assert_frame_equal(_rows(tmp_path / "spark"), _rows(tmp_path / "local"), rel_tol=1e-9)


@pytest.mark.parametrize("parts", [0, 1, 2])
def test_a_run_that_was_killed_resumes_without_loss_or_double(
    portfolio: Path, model_folder: Path, run: Callable[..., str], tmp_path: Path, parts: int
):
    out, elsewhere = tmp_path / "spark", tmp_path / "elsewhere"
    elsewhere.mkdir()
    options = ["--data", str(portfolio), "--out", str(out), "--model", str(model_folder), "--part-clients", "40"]
    # In another folder than the project's, and without PYTHONPATH, so that the tasks import the code that was shipped.
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bento.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "portfolio", "score", *options, "--reasons", "all", "--engine", "spark"]
    with subprocess.Popen([*command, "--master", "local[1,3]"], cwd=elsewhere) as process:
        wait_until(lambda: (out / ".work" / "bounds.json").exists() or process.poll() is not None, START_S)
        wait_until(lambda: len(list(out.glob("receipts/*.json"))) >= parts or process.poll() is not None, START_S)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    kept = {path: path.stat().st_mtime_ns for path in out.glob("receipts/*.json")}
    assert not run(portfolio)
    assert not run(portfolio, "local")
    assert_frame_equal(_rows(out), _rows(tmp_path / "local"), rel_tol=1e-9)
    assert len(_rows(out)) == CLIENTS
    assert {path: path.stat().st_mtime_ns for path in kept} == kept, "a finished part was made again"


def test_features_are_those_of_one_machine(spark: SparkSession, portfolio: Path, tmp_path: Path):
    for engine in ("spark", "local"):
        options = ["--data", str(portfolio), "--out", str(tmp_path / engine), "--part-clients", "40"]
        assert main(["portfolio", "features", *options, "--engine", engine]) == 0
    ours, theirs = (pl.read_parquet(tmp_path / engine / "features" / "*.parquet") for engine in ("spark", "local"))
    assert_frame_equal(ours.sort("SK_ID_CURR"), theirs.sort("SK_ID_CURR"), rel_tol=1e-9)


def test_a_zip_archive_is_refused(portfolio: Path, run: Callable[..., str], tmp_path: Path):
    folder = shutil.copytree(portfolio, tmp_path / "data")
    shutil.make_archive(str(tmp_path / "pos"), "zip", folder, "POS_CASH_balance.csv")
    (folder / "POS_CASH_balance.csv").unlink()
    (tmp_path / "pos.zip").rename(folder / "pos.zip")
    assert "POS_CASH_balance.csv: Spark reads no zip archive; unzip it into the same folder" in run(folder)


def test_ids_as_floats_are_read_and_fractions_refused(tables: Tables, run: Callable[..., str], tmp_path: Path):
    ids = pl.col("SK_ID_CURR").cast(pl.Float64)
    floats = {
        name: table.with_columns(ids) if "SK_ID_CURR" in table.columns else table for name, table in tables.items()
    }
    assert not run(write(floats, tmp_path / "floats"))
    assert _rows(tmp_path / "spark")["SK_ID_CURR"].to_list() == sorted(tables["application_train"]["SK_ID_CURR"])
    payments = floats["installments_payments"].with_columns(
        SK_ID_CURR=pl.when(pl.int_range(pl.len()) == 4).then(100_001.5).otherwise("SK_ID_CURR")
    )
    folder = write(floats | {"installments_payments": payments}, tmp_path / "fraction")
    error = run(folder, "spark", tmp_path / "other")
    assert "installments_payments: column SK_ID_CURR: a row has no id, or one that is no whole number" in error


def test_a_client_in_two_parts_is_an_error(tables: Tables, run: Callable[..., str], tmp_path: Path):
    folder = write(tables, tmp_path / "data")
    (folder / "application_train.parquet").unlink()
    (folder / "application_train").mkdir()
    tables["application_train"].write_parquet(folder / "application_train" / "part-0.parquet")
    tables["application_train"][5:6].write_parquet(folder / "application_train" / "part-1.parquet")
    client = tables["application_train"]["SK_ID_CURR"][5]
    assert f"application: column SK_ID_CURR: {client} appears more than once; keep one row of it" in run(folder)


@pytest.mark.parametrize("kept", [0, 4, 3000])
def test_a_cut_part_is_an_error_that_names_it(tables: Tables, run: Callable[..., str], tmp_path: Path, kept: int):
    folder = write(tables, tmp_path / "data")
    part = folder / "bureau" / "part-1.parquet"
    part.write_bytes(part.read_bytes()[:kept])
    assert "part-1.parquet" in run(folder)
    assert "part-1.parquet" in run(folder.as_uri(), "spark", tmp_path / "other")


def test_a_part_that_cannot_be_written_is_an_error_and_the_run_resumes(
    portfolio: Path, run: Callable[..., str], tmp_path: Path
):
    assert not run(portfolio)
    shutil.rmtree(tmp_path / "spark" / "decisions")
    (tmp_path / "spark" / "decisions").touch()
    assert "spark/decisions" in run(portfolio)
    (tmp_path / "spark" / "decisions").unlink()
    assert not run(portfolio)
    assert len(_rows(tmp_path / "spark")) == CLIENTS


def test_two_runs_at_once_and_another_run_in_one_folder_are_refused(
    portfolio: Path, run: Callable[..., str], tmp_path: Path
):
    out = tmp_path / "spark"
    out.mkdir()
    with (out / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another run writes there; wait for its end, or name another --out" in run(portfolio)
    assert not run(portfolio)
    before = (out / "manifest.json").read_bytes()
    assert "holds a run with another engine: spark, not local" in run(portfolio, "local", out)
    assert (out / "manifest.json").read_bytes() == before


def test_a_model_of_other_features_is_refused(portfolio: Path, model_folder: Path, tmp_path: Path, capsys):
    folder = shutil.copytree(model_folder, tmp_path / "model")
    examples = json.loads((folder / "examples.json").read_bytes())
    (folder / "examples.json").write_text(json.dumps(examples | {"catalogue": "0" * 16}))
    arguments = ["--data", str(portfolio), "--out", str(tmp_path / "out"), "--model", str(folder)]
    assert main(["portfolio", "score", *arguments, "--engine", "spark"]) == 2
    assert "trained with other feature code than this; train again" in capsys.readouterr().err
