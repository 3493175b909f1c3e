"""Compose the command lines that the tests run, and run commands of the research room in this process."""

import sys
from pathlib import Path

import pytest

from research.__main__ import main
from research.cli import SERVING_PYTHON

Words = str | Path | int


def research(command: str, *arguments: Words) -> list[str]:
    """Return the command line of a command of the research room."""
    return [sys.executable, "-m", "research", command, *map(str, arguments)]


def bento(command: str, *arguments: Words, python: Words = sys.executable) -> list[str]:
    """Return the command line of a command of the service."""
    return [str(python), "-m", "bento", command, *map(str, arguments)]


def bentoml_serve(bento_tag: str, port: int) -> list[Words]:
    """Return the command line that starts a Bento as its container does, in the serving environment."""
    return [SERVING_PYTHON, "-m", "bentoml", "serve", bento_tag, "--host", "127.0.0.1", "--port", str(port)]


class CommandRunner:
    """Runs a command of the research room in this process; many times quicker than in a new one."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, command: str, *arguments: Words) -> tuple[int, str, str]:
        """Return the exit code, the output and the error output."""
        with pytest.raises(SystemExit) as ended:
            main([command, *map(str, arguments)])
        return int(ended.value.code or 0), *self._capsys.readouterr()
