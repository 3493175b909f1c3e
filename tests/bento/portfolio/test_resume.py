"""A run that is killed at any part is resumed: no client is lost or doubled."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bento.__main__ import main
from bento.data.tables import TABLES
from tests.bento.portfolio.conftest import CLIENTS
from tests.support.deadlines import wait_until

PART_CLIENTS = 10
PARTS = CLIENTS // PART_CLIENTS


def _arguments(data: Path, out: Path, model: Path) -> list[str]:
    options = ["--data", str(data), "--out", str(out), "--model", str(model), "--part-clients", str(PART_CLIENTS)]
    return ["portfolio", "score", *options, "--workers", "1"]


def _rows(out: Path) -> pl.DataFrame:
    return pl.read_parquet(out / "decisions" / "*.parquet")


@pytest.fixture(scope="module")
def uninterrupted(portfolio: Path, model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    out = tmp_path_factory.mktemp("whole") / "out"
    assert main(_arguments(portfolio, out, model_folder)) == 0
    return _rows(out)


def _start(arguments: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "bento", *arguments], stderr=subprocess.PIPE, text=True)


def _children(process: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.end_to_end
@pytest.mark.promise("a run over a portfolio that is killed at any part resumes; no client is lost or doubled")
@pytest.mark.parametrize("parts", range(PARTS))
def test_a_run_that_was_killed_resumes_without_loss_or_double(
    portfolio: Path, model_folder: Path, uninterrupted: pl.DataFrame, tmp_path: Path, parts: int
):
    out = tmp_path / "out"
    arguments = _arguments(portfolio, out, model_folder)
    with _start(arguments) as process:
        wait_until(lambda: len(list(out.glob("receipts/*.json"))) >= parts and (out / ".work").is_dir())
        workers = _children(process.pid)
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{worker}/exe").exists() for worker in workers))  # they end by themselves
    kept = {path: path.stat().st_mtime_ns for path in out.glob("receipts/*.json")}
    # The two processes finish the parts in work, so that of the last parts there may be none left to make.
    assert len(kept) < PARTS or parts > PARTS - 3
    assert main(arguments) == 0
    assert_frame_equal(_rows(out), uninterrupted)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept, "a finished part was made again"


@pytest.mark.end_to_end
def test_a_killed_process_ends_the_run_in_one_line(
    portfolio: Path, model_folder: Path, uninterrupted: pl.DataFrame, tmp_path: Path
):
    out = tmp_path / "out"
    arguments = _arguments(portfolio, out, model_folder)
    with _start(arguments) as process:
        wait_until(lambda: len(list(out.glob("receipts/*.json"))) >= 1)
        for worker in _children(process.pid):
            if "spawn_main" in Path(f"/proc/{worker}/cmdline").read_text():
                os.kill(worker, signal.SIGKILL)
        error = (process.communicate()[1] or "").splitlines()[-1]
    assert process.returncode == 2
    assert error.startswith("error: a process was killed, mostly for want of memory")
    assert main(arguments) == 0
    assert_frame_equal(_rows(out), uninterrupted)


def test_a_damaged_part_of_the_output_is_made_again(
    portfolio: Path, model_folder: Path, uninterrupted: pl.DataFrame, tmp_path: Path
):
    arguments = _arguments(portfolio, tmp_path / "out", model_folder)
    assert main(arguments) == 0
    part = tmp_path / "out" / "decisions" / "part-00003.parquet"
    part.write_bytes(part.read_bytes()[:-100])
    (tmp_path / "out" / "decisions" / "part-00004.parquet").unlink()
    assert main(arguments) == 0
    assert_frame_equal(_rows(tmp_path / "out"), uninterrupted)


def test_a_finished_run_is_not_made_again(portfolio: Path, model_folder: Path, tmp_path: Path):
    arguments = _arguments(portfolio, tmp_path / "out", model_folder)
    assert main(arguments) == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("out/*/*")}
    assert main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("out/*/*")} == before


def test_rows_are_spread_in_batches_of_few_values(tmp_path: Path, portfolio: Path, monkeypatch: pytest.MonkeyPatch):
    from bento.portfolio import spread
    from bento.portfolio.inputs import find_inputs
    from bento.portfolio.jobs import FeatureJob

    values: dict[str, int] = {}

    def partition_by(batch: pl.DataFrame, *names: str, **options: bool) -> object:
        table = "application" if "AMT_CREDIT" in batch.columns and "EXT_SOURCE_1" in batch.columns else "history"
        values[table] = max(values.get(table, 0), len(batch) * (batch.width - 1))
        return original(batch, *names, **options)

    original = pl.DataFrame.partition_by
    inputs, columns = find_inputs(portfolio), FeatureJob().columns
    clients = spread.Clients(inputs.clients().to_numpy(), PART_CLIENTS)
    whole = spread.spread(inputs, columns, clients, range(PARTS), tmp_path / "whole")
    monkeypatch.setattr(spread, "BATCH_VALUES", 1_000)
    monkeypatch.setattr(pl.DataFrame, "partition_by", partition_by)
    assert spread.spread(inputs, columns, clients, range(PARTS), tmp_path / "small") == whole
    assert set(values) == {"application", "history"}
    assert max(values.values()) <= 1_000 * 4 / 3  # months get a fourth column, the client
    for part in range(PARTS):
        ours, theirs = (spread.tables_of(tmp_path / name, part, columns) for name in ("small", "whole"))
        for name in TABLES:
            assert_frame_equal(ours[name], theirs[name], check_row_order=False)


def test_tables_spread_before_a_part_was_lost_are_spread_again(tmp_path: Path, portfolio: Path):
    from bento.portfolio.inputs import find_inputs
    from bento.portfolio.jobs import FeatureJob
    from bento.portfolio.spread import Clients, spread, tables_of

    inputs, columns, work = find_inputs(portfolio), FeatureJob().columns, tmp_path / "work"
    clients = Clients(inputs.clients().to_numpy(), PART_CLIENTS)
    spread(inputs, columns, clients, [3], work)
    spread(inputs, columns, clients, [3, 4], work)
    lengths = {name: len(table) for name, table in tables_of(work, 4, columns).items()}
    assert lengths["application"] == PART_CLIENTS
    assert all(lengths[name] for name in TABLES)
