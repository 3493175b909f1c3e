import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bento import NAME
from bento import __main__ as commands
from bento.__main__ import COMMANDS, main
from bento.model import verify


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"example: {COMMANDS[name][2]}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("arguments", [["keys", "new-key"], ["journal", "purge"], ["journal", "replay"]])
def test_every_subcommand_has_help(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])
    assert ended.value.code == 0
    assert f"usage: python -m bento {' '.join(arguments)}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["keys"], ["journal"], ["verify"]])
def test_an_incomplete_command_ends_with_2_and_its_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m bento" in capsys.readouterr().err


def test_a_command_that_is_interrupted_ends_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verify.ScoringModel, "verified", interrupt)
    assert main(["verify", "folder"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_model_folder_that_is_refused_ends_with_2_in_one_line(capsys: pytest.CaptureFixture[str]):
    assert main(["verify", "nowhere"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: nowhere: no usable examples.json")


@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "new-key", "--scope", "score", "--file", "{closed}/keys.json"],
        ["journal", "--url", "sqlite:///{closed}/journal.db", "upgrade"],
        ["serve", "--port", "{port}", "--upgrade-journal"],
    ],
)
def test_a_folder_that_cannot_be_written_is_named_in_one_line(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    closed = tmp_path / "file" / "folder"  # below a file, where even the superuser can make nothing
    closed.parent.touch()
    bento = tmp_path / "bentoml" / "bentos" / NAME / "1"
    bento.mkdir(parents=True)
    (bento / "bento.yaml").touch()
    (bento.parent / "latest").write_text("1")
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    monkeypatch.setenv("SCORING_DATA", str(closed))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert main([argument.format(closed=closed, port=port) for argument in arguments]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {closed}")


def test_a_file_that_cannot_be_used_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/models")

    monkeypatch.setattr(verify.ScoringModel, "verified", refuse)
    assert main(["verify", "folder"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: /models: Permission denied; give this user the right to write there")


def test_only_the_module_of_the_chosen_command_is_imported():
    code = (
        "import sys; from bento.__main__ import main\n"
        "try: main(['keys', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'bentoml', 'polars', 'sqlalchemy', 'lightgbm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_arguments_of_the_process_are_the_default(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(commands.sys, "argv", ["bento", "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0


def test_a_reader_that_stops_early_ends_the_command_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as closed:
        ended = subprocess.run(
            [sys.executable, "-m", "bento", "features"], stdout=closed, stderr=subprocess.PIPE, check=False
        )

    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.usefixtures("capsys")
def test_a_command_leaves_the_signals_of_the_process_alone() -> None:
    """With SIGPIPE at its default any later write to a closed connection would end the process without a word."""
    before = signal.getsignal(signal.SIGPIPE)

    main(["features"])

    assert signal.getsignal(signal.SIGPIPE) == before != signal.SIG_DFL
