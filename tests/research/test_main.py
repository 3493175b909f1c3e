"""The dispatcher of commands: help, exit codes, errors in one line."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from bento.data.files import DataError
from research import __main__ as dispatcher
from research.cli import FAULT, INTERRUPTED, ROOT, CommandError


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
        (KeyboardInterrupt(), INTERRUPTED, "interrupted\n"),
    ],
)
def test_exit_code_and_message(
    outcome: SimpleNamespace, result: object, code: int, message: str, capsys: pytest.CaptureFixture[str]
):
    outcome.result = result

    assert exit_code("rollback") == code
    assert capsys.readouterr().err == message


def test_error_that_the_user_cannot_correct_keeps_its_traceback(outcome: SimpleNamespace):
    outcome.result = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        dispatcher.main(["rollback"])
