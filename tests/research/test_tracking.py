"""A store of MLflow that cannot be used is named in one line, and nothing is half done."""

import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import mlflow
import pytest

from research import tracking
from research.cli import ROOT, CommandError
from tests.support.deadlines import timeout_s

CONNECT_TIMEOUT_S = 20.0
"""Seconds to notice that a database does not answer; MLflow alone takes two minutes."""
STORE_TIMEOUT_S = 120.0
"""Seconds for a process to make the tables of MLflow, which takes about ten."""


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the lock of an SQLite database, as a program that writes to it for long."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def answering(line: bytes) -> Iterator[int]:
    """Serve a port whose program answers each connection with these bytes."""

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1024)
                connection.sendall(line)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("postgresql://user:word@127.0.0.1:{port}/x", "MLflow cannot be used at .*refused; correct or unset"),
        ("mysql://user:word@127.0.0.1:{port}/x", "MLflow cannot be used at .*; correct or unset MLFLOW_TRACKING_URI"),
        ("postgresql://user:p@ss:word@host:x/y", "MLFLOW_TRACKING_URI is no address such as"),
        ("http://127.0.0.1:{port}", "MLflow does not answer at .*refused"),
        ("file:///nowhere", "MLflow cannot be used at file:///nowhere"),
    ],
)
def test_store_out_of_reach_is_named_at_once(
    uri: str, words: str, closed_port: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri.format(port=closed_port))
    start = time.monotonic()

    with pytest.raises(CommandError, match=words) as raised:
        tracking.connect()

    assert time.monotonic() - start < timeout_s(CONNECT_TIMEOUT_S)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("line", [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 404 Not Found\r\n\r\n"])
def test_program_that_is_not_mlflow_is_named(line: bytes, monkeypatch: pytest.MonkeyPatch):
    with answering(line) as port:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")

        with pytest.raises(CommandError, match=f"MLflow does not answer at http://127.0.0.1:{port} "):
            tracking.connect()


def test_store_below_a_file_is_an_error_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/file/folder/mlflow.db")

    with pytest.raises(OSError, match="Not a directory"):
        tracking.connect()


def test_file_that_is_no_database_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mlflow.db").write_text("no database\n" * 100)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")

    with pytest.raises(CommandError, match=r"MLflow cannot be used at .*file is not a database"):
        tracking.connect()


def test_locked_store_is_named(registry: str, tmp_path: Path):
    with locked(tmp_path / "mlflow.db"), pytest.raises(CommandError, match=r"MLflow cannot .*database is locked"):
        tracking.connect()


@pytest.mark.end_to_end
def test_store_that_is_locked_during_a_run_ends_it_in_one_line(
    client: mlflow.MlflowClient, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    with (
        pytest.raises(CommandError, match=r"MLflow failed halfway \(.*database is locked\); finished runs are kept"),
        tracking.started_run("test", {}),
        locked(tmp_path / "mlflow.db"),
    ):
        mlflow.log_metric("metric", 1)

    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.end_to_end
def test_two_processes_make_the_tables_of_one_store(tmp_path: Path):
    code = (
        "from research import tracking\n"
        "client = tracking.connect()\n"
        "with tracking.started_run('test', {}): pass\n"
        "print(client.search_registered_models())"
    )
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/new/mlflow.db",
        "SCORING_DATA": str(tmp_path / "data"),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]

    results = [process.communicate(timeout=timeout_s(STORE_TIMEOUT_S)) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], results
    assert all(output == "[]\n" and "Traceback" not in error for output, error in results), results


@pytest.mark.parametrize("closed", ["results", "artifacts"])
def test_run_that_cannot_be_written_ends_before_its_work(
    closed: str, client: mlflow.MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("SCORING_DATA", str(tmp_path / "data"))
    {"results": tmp_path / "data" / "results", "artifacts": tmp_path / "mlruns"}[closed].touch()
    work = []

    with pytest.raises(OSError, match=r"File exists|Not a directory"), tracking.started_run("test", {}):
        work.append("begun")

    assert not work
    experiment = mlflow.get_experiment_by_name(tracking.EXPERIMENT)
    runs = client.search_runs([experiment.experiment_id]) if experiment else []
    assert {run.info.status for run in runs} <= {"FAILED"}


def test_store_of_a_relative_path_keeps_its_artifacts_beside_it(
    empty_registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").write_bytes(empty_registry.read_bytes())
    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
        tracking.connect()
        with tracking.started_run("test", {}):
            mlflow.log_text("text", "file.txt")
    tracking.connect()

    assert len(list((tmp_path / "mlruns").rglob("file.txt"))) == 1
