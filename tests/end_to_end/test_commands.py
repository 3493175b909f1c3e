"""The commands as a user types them: whole runs, faults in one line, exit codes."""

import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import polars as pl
import pytest

from research.__main__ import COMMANDS
from research.cli import FAULT, ROOT
from research.deployment.processes import free_port, running
from tests.support.commands import CommandRunner, bento, research
from tests.support.deadlines import timeout_s, wait_until

COMMAND_TIMEOUT_S = 120.0
"""Seconds for a command that refuses its input, most of them for imports."""
STOP_TIMEOUT_S = 30.0


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> CommandRunner:
    return CommandRunner(capsys)


def _assert_fault(result: tuple[int, str, str], *words: str | Path) -> None:
    """Check that a command ended with one line that holds these words, and no traceback."""
    code, _, error = result
    assert code == FAULT, error
    assert "Traceback" not in error
    lines = [line for line in error.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert all(str(word) in lines[0] for word in words), lines[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(command: CommandRunner, name: str):
    code, output, _ = command(name, "--help")
    assert code == 0
    assert "example: " in output


def test_training_on_a_misspelt_column_names_file_column_and_remedy(
    command: CommandRunner, synthetic_folder: Path, tmp_path: Path
):
    applications = pl.read_parquet(synthetic_folder / "application_train.parquet")
    applications.rename({"AMT_CREDIT": "AMT_CRDIT"}).write_csv(tmp_path / "application_train.csv")
    words = ["application_train.csv", "AMT_CREDIT", "rename column 'AMT_CRDIT'"]
    _assert_fault(command("train", "--data", tmp_path), *words)


def test_training_without_applications_names_the_folder(command: CommandRunner, tmp_path: Path):
    _assert_fault(command("train", "--data", tmp_path), tmp_path, "application_train.csv")


def test_training_without_mlflow_names_its_address(command: CommandRunner, synthetic_folder: Path, monkeypatch):
    uri = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    _assert_fault(command("train", "--data", synthetic_folder), "MLflow does not answer", uri)


def test_importing_without_a_champion_names_the_remedy(command: CommandRunner, registry: str):
    _assert_fault(command("import"), "no champion", "make train promote")


def test_training_an_unknown_family_names_the_known_ones(command: CommandRunner, synthetic_folder: Path):
    result = command("train", "--data", synthetic_folder, "--family", "svm")
    _assert_fault(result, "'svm'", "lightgbm", "linear")


def test_promoting_without_a_challenger_names_the_remedy(command: CommandRunner, synthetic_folder: Path, registry: str):
    _assert_fault(command("promote", "--data", synthetic_folder), "no challenger", "make train")


def test_synthetic_data_of_zero_clients_is_refused(command: CommandRunner, tmp_path: Path):
    _assert_fault(command("data", "synth", "--clients", "0", "--out", tmp_path / "out"), "clients")
    assert not (tmp_path / "out").exists()


def test_publishing_an_unknown_run_names_its_folder(command: CommandRunner):
    _assert_fault(command("publish", "nosuchrun"), "nosuchrun", "results.json")


def _run(command: list[str], **environment: str) -> tuple[int, str, str]:
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=timeout_s(COMMAND_TIMEOUT_S),
        check=False,
    )
    return run.returncode, run.stdout, run.stderr


def test_building_without_a_model_names_the_remedy(tmp_path: Path):
    _assert_fault(_run(research("build"), BENTOML_HOME=str(tmp_path)), "make import")


def test_serving_without_a_bento_names_the_remedy(tmp_path: Path):
    _assert_fault(_run(bento("serve"), BENTOML_HOME=str(tmp_path)), "make pipeline")


def test_a_port_in_use_is_named(bento_tag: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        _assert_fault(_run(bento("serve", "--port", port)), f"127.0.0.1:{port}", "in use")


@pytest.mark.parametrize("option", ["--port", "--ui-port"])
def test_the_demo_refuses_a_taken_port_before_any_work(
    command: CommandRunner, option: str, service_url: str, synthetic_folder: Path
):
    port = service_url.rpartition(":")[2]
    other = "--ui-port" if option == "--port" else "--port"

    result = command("demo", "--data", synthetic_folder, option, port, other, free_port())

    _assert_fault(result, f"127.0.0.1:{port}", "in use", f"another {option} ")
    assert result[1] == ""
    assert "data:" not in result[2]


@pytest.mark.parametrize(("page", "variable"), [("ui", "UI_PORT"), ("mlflow", "MLFLOW_PORT")])
def test_a_page_refuses_a_taken_port(command: CommandRunner, page: str, variable: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _assert_fault(command("show", page, "--port", port), f"127.0.0.1:{port}", "in use", f"make: {variable}=")


@pytest.mark.parametrize(("page", "path"), [("ui", "/_stcore/health"), ("mlflow", "/health")])
def test_a_page_is_shown_on_the_port_that_is_named(page: str, path: str, registry: str, tmp_path: Path):
    port = free_port()
    with running(research("show", page, "--port", port), f"http://127.0.0.1:{port}{path}", tmp_path / "page.log"):
        pass  # it answers, or else CommandError is raised


def test_the_pages_of_a_server_of_mlflow_are_not_served_again(command: CommandRunner, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example")
    _assert_fault(command("show", "mlflow", "--port", free_port()), "open its address in a browser")


def test_the_demo_needs_two_ports(command: CommandRunner):
    _assert_fault(command("demo", "--port", 3000, "--ui-port", 3000), "--port and --ui-port are both 3000")


def test_two_demos_at_once_are_one_demo_and_one_line(bento_tag: str, synthetic_folder: Path, tmp_path: Path):
    ports = ["--port", free_port(), "--ui-port", free_port()]
    outputs = [tmp_path / "first", tmp_path / "second"]
    demos = []
    for output in outputs:
        with output.open("wb") as file:
            command = research("demo", "--data", synthetic_folder, *ports)
            demos.append(subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file))
    try:
        wait_until(lambda: any(demo.poll() is not None for demo in demos), COMMAND_TIMEOUT_S)
        refused, served = sorted(zip(demos, outputs, strict=True), key=lambda demo: demo[0].poll() is None)
        wait_until(lambda: "Ctrl-C" in served[1].read_text() or served[0].poll() is not None, COMMAND_TIMEOUT_S)

        _assert_fault((refused[0].returncode, "", refused[1].read_text()), f"127.0.0.1:{ports[1]}", "in use")
        assert "client" in served[1].read_text()
        assert served[0].poll() is None
    finally:
        for demo in demos:
            demo.terminate()
            demo.wait(timeout=timeout_s(STOP_TIMEOUT_S))


def test_the_demo_reuses_what_is_there_and_serves_until_interrupted(bento_tag: str, synthetic_folder: Path):
    ports = [free_port(), free_port()]
    command = research("demo", "--data", synthetic_folder, "--port", ports[0], "--ui-port", ports[1])
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        assert demo.stdout is not None
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        output = "".join(lines)
        try:
            curl = re.search(r"again: +(curl .*)", output)
            assert curl, output
            if shutil.which("curl"):
                again = subprocess.run(curl[1], shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
                assert '"probability_of_default"' in again.stdout
        finally:
            demo.send_signal(signal.SIGINT)
            try:
                demo.wait(timeout=timeout_s(STOP_TIMEOUT_S))
            finally:
                demo.kill()
    assert re.search(r"client \d+: (granted|refused|review), probability of default 0\.\d+", output)
    assert "version 1 registered" not in output
    assert f"{bento_tag} built" in output
    for port in ports:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=1)


def test_checking_data_names_each_fault_and_ends_with_1(command: CommandRunner, synthetic_folder: Path, tmp_path: Path):
    assert command("data", "check", synthetic_folder)[0] == 0
    applications = pl.read_parquet(synthetic_folder / "application_train.parquet").head(100)
    applications.with_columns(CNT_CHILDREN=-1, EXT_SOURCE_2=9.0).write_csv(tmp_path / "application_train.csv")
    code, output, error = command("data", "check", tmp_path)
    assert code == 1
    assert "2 faults" in output
    assert all(f"column {column}: 100 rows" in error for column in ("CNT_CHILDREN", "EXT_SOURCE_2"))


def test_training_on_faulty_data_names_fault_and_remedy(command: CommandRunner, synthetic_folder: Path, tmp_path: Path):
    applications = pl.read_parquet(synthetic_folder / "application_train.parquet").head(20)
    applications.with_columns(EXT_SOURCE_2=9.0).write_csv(tmp_path / "application_train.csv")
    words = ["application_train.csv", "EXT_SOURCE_2", "20 rows are above 1", "check"]
    _assert_fault(command("train", "--data", tmp_path), *words)
