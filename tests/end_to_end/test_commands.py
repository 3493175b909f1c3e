"""The commands as a user types them: whole runs, faults in one line, exit codes."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from research.__main__ import COMMANDS, main
from research.cli import FAULT, ROOT
from research.deployment.processes import free_port


class Command:
    """Runs a command of the research room in this process, as `python -m research NAME` would."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, name: str, *arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([name, *map(str, arguments)])
        return int(ended.value.code or 0), *self.capsys.readouterr()

    def assert_fault(self, name: str, *arguments: str | Path, said: list[str]) -> None:
        code, _, error = self(name, *arguments)
        _assert_one_line_fault(code, error, said)


def _assert_one_line_fault(code: int, error: str, said: list[str]) -> None:
    assert code == FAULT, error
    assert "Traceback" not in error
    lines = [line for line in error.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert all(word in lines[0] for word in said), lines[0]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(command: Command, name: str):
    code, said, _ = command(name, "--help")
    assert code == 0
    assert "example: " in said


def test_training_on_a_misspelt_column_names_file_column_and_remedy(
    command: Command, synthetic_folder: Path, tmp_path: Path
):
    applications = pl.read_parquet(synthetic_folder / "application_train.parquet")
    applications.rename({"AMT_CREDIT": "AMT_CRDIT"}).write_csv(tmp_path / "application_train.csv")
    said = ["application_train.csv", "AMT_CREDIT", "rename column 'AMT_CRDIT'"]
    command.assert_fault("train", "--data", tmp_path, said=said)


def test_training_without_applications_names_the_folder(command: Command, tmp_path: Path):
    command.assert_fault("train", "--data", tmp_path, said=[str(tmp_path), "application_train.csv"])


def test_training_without_mlflow_names_its_address(command: Command, synthetic_folder: Path, monkeypatch):
    uri = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    command.assert_fault("train", "--data", synthetic_folder, said=["MLflow does not answer", uri])


def test_importing_without_a_champion_names_the_remedy(command: Command, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/empty.db")
    command.assert_fault("import", said=["no champion", "make train promote"])


def test_training_an_unknown_family_names_the_known_ones(command: Command, synthetic_folder: Path):
    command.assert_fault("train", "--data", synthetic_folder, "--family", "svm", said=["'svm'", "lightgbm", "linear"])


def test_promoting_without_a_challenger_names_the_remedy(
    command: Command, synthetic_folder: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/empty.db")
    command.assert_fault("promote", "--data", synthetic_folder, said=["no challenger", "make train"])


def test_synthetic_data_of_nobody_is_refused(command: Command, tmp_path: Path):
    command.assert_fault("data", "synth", "--clients", "0", "--out", tmp_path / "out", said=["clients"])
    assert not (tmp_path / "out").exists()


def test_publishing_an_unknown_run_names_its_folder(command: Command):
    command.assert_fault("publish", "nosuchrun", said=["nosuchrun", "results.json"])


def _process(*arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr


def test_building_without_a_model_names_the_remedy(tmp_path: Path):
    _assert_one_line_fault(*_process("research", "build", BENTOML_HOME=str(tmp_path)), said=["make import"])


def test_serving_without_a_bento_names_the_remedy(tmp_path: Path):
    _assert_one_line_fault(*_process("bento", "serve", BENTOML_HOME=str(tmp_path)), said=["make pipeline"])


def test_a_port_in_use_is_named(bento_tag: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        _assert_one_line_fault(*_process("bento", "serve", "--port", port), said=[f"127.0.0.1:{port}", "in use"])


def test_the_demo_serves_until_interrupted_and_does_nothing_twice(bento_tag: str, synthetic_folder: Path):
    ports = [free_port(), free_port()]
    command = [sys.executable, "-m", "research", "demo", "--data", str(synthetic_folder)]
    command += ["--port", str(ports[0]), "--ui-port", str(ports[1])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        said = []
        assert demo.stdout is not None
        for line in demo.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        text = "".join(said)
        try:
            curl = re.search(r"again: +(curl .*)", text)
            assert curl, text
            if shutil.which("curl"):
                again = subprocess.run(curl[1], shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
                assert '"probability_of_default"' in again.stdout
        finally:
            demo.send_signal(signal.SIGINT)
            try:
                demo.wait(timeout=30)
            finally:
                demo.kill()
    assert re.search(r"client \d+: (granted|refused), probability of default 0\.\d+", text)
    assert "version 1 registered" not in text
    assert f"{bento_tag} built" in text
    for port in ports:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=1)


def test_checking_data_names_each_fault_and_ends_with_1(command: Command, synthetic_folder: Path, tmp_path: Path):
    assert command("data", "check", synthetic_folder)[0] == 0
    applications = pl.read_parquet(synthetic_folder / "application_train.parquet").head(20)
    applications.with_columns(CNT_CHILDREN=-1, EXT_SOURCE_2=9.0).write_csv(tmp_path / "application_train.csv")
    code, said, error = command("data", "check", tmp_path)
    assert code == 1
    assert "2 faults" in said
    assert all(f"column {column}: 20 rows" in error for column in ("CNT_CHILDREN", "EXT_SOURCE_2"))


def test_training_on_faulty_data_stops_at_the_door(command: Command, synthetic_folder: Path, tmp_path: Path):
    applications = pl.read_parquet(synthetic_folder / "application_train.parquet").head(20)
    applications.with_columns(EXT_SOURCE_2=9.0).write_csv(tmp_path / "application_train.csv")
    said = ["application_train.csv", "EXT_SOURCE_2", "20 rows are above 1", "research data check"]
    command.assert_fault("train", "--data", tmp_path, said=said)
