"""The dispatcher of commands: help, exit codes, errors in one line."""

import errno
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest
from bentoml.exceptions import BentoMLException
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError

from bento.data.files import DataError
from bento.journal.entries import JournalError
from research import __main__ as dispatcher
from research.cli import FAULT, INTERRUPTED, ROOT, CommandError
from tests.support.deadlines import wait_until


def exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        dispatcher.main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A command whose result is set by the test: an exit code, or an exception."""
    command = SimpleNamespace(result=None, add_arguments=lambda parser: None)

    def run(_: object) -> int | None:
        if isinstance(command.result, BaseException):
            raise command.result
        return command.result

    command.run = run
    monkeypatch.setattr(dispatcher.importlib, "import_module", lambda _: command)
    return command


@pytest.mark.parametrize("name", dispatcher.COMMANDS)
def test_command_has_a_summary_and_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]):
    assert exit_code(name, "--help") == 0

    output = capsys.readouterr().out
    assert f"usage: python -m research {name}" in output
    assert f"example: python -m research {name}" in output
    assert dispatcher.summary(dispatcher.COMMANDS[name]).endswith(".")


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_every_command(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    assert exit_code(*arguments) == 0

    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines if line.startswith("  ")} == set(dispatcher.COMMANDS)


def test_help_imports_no_command():
    code = "import sys; from research.__main__ import help_text; help_text(); print(*sys.modules, sep='\\n')"
    modules = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert not {"mlflow", "sklearn", "bentoml"} & set(modules.splitlines())


@pytest.mark.parametrize(("name", "hint"), [("trian", "did you mean train?"), ("xyz", "python -m research --help")])
def test_unknown_command_is_refused_with_a_hint(name: str, hint: str, capsys: pytest.CaptureFixture[str]):
    assert exit_code(name) == FAULT
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("result", "code", "message"),
    [
        (None, 0, ""),
        (1, 1, ""),
        (CommandError("no champion"), FAULT, "error: no champion\n"),
        (DataError("no such folder"), FAULT, "error: no such folder\n"),
        (JournalError("no journal"), FAULT, "error: no journal\n"),
        (KeyboardInterrupt(), INTERRUPTED, "interrupted\n"),
    ],
)
def test_exit_code_and_message(
    outcome: SimpleNamespace, result: object, code: int, message: str, capsys: pytest.CaptureFixture[str]
):
    outcome.result = result

    assert exit_code("rollback") == code
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "/data"),
            "/data: Permission denied; give this user the right",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; free some space"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/data/x"), "/data/x: No such file; correct the path"),
        (OSError("Not a directory (os error 20): /data/x"), "Not a directory (os error 20): /data/x; correct that"),
        (
            MlflowException("table is locked\n[SQL: SELECT 1]"),
            "MLflow failed (table is locked); see that MLFLOW_TRACKING",
        ),
        (
            OperationalError("SELECT 1", {}, ValueError("is locked")),
            "the database of MLflow failed ((builtins.ValueError",
        ),
        (BentoMLException("no such model"), "BentoML failed (no such model); see that BENTOML_HOME"),
    ],
)
def test_fault_of_a_library_is_one_line_that_says_what_to_do(
    outcome: SimpleNamespace, error: Exception, message: str, capsys: pytest.CaptureFixture[str]
):
    outcome.result = error

    assert exit_code("rollback") == FAULT
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {message}")


def _started(command: list[str], stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr)


def test_one_process_at_a_time_does_what_is_exclusive(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from research.cli import exclusive\n"
        "with exclusive(Path(sys.argv[1]) / 'made' / 'lock', 'makes a number'):\n"
        "    number = Path(sys.argv[1], 'number')\n"
        "    before = int(number.read_text())\n"
        "    sys.stdout.write('x'); sys.stdout.flush(); sys.stdin.read(1)\n"
        "    number.write_text(str(before + 1))"
    )
    (tmp_path / "number").write_text("0")
    command = [sys.executable, "-c", code, str(tmp_path)]
    output = tmp_path / "stderr"
    with output.open("wb") as stderr, _started(command, stderr) as first:
        assert first.stdout is not None
        first.stdout.read(1)
        with _started(command, stderr) as second:
            wait_until(output.read_text)  # before the first has ended
            first.communicate(b"x")
            second.communicate(b"x")

    assert output.read_text() == f"waiting for another process that makes a number ({tmp_path}/made/lock)\n"
    assert (tmp_path / "number").read_text() == "2"


def test_error_that_the_user_cannot_correct_keeps_its_traceback(outcome: SimpleNamespace):
    outcome.result = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        dispatcher.main(["rollback"])
