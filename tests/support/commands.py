"""Compose the command lines that the tests run, and run commands of the research room in this process."""

import importlib
import sys
from pathlib import Path

import pytest

from research.cli import SERVING_PYTHON, run

RESEARCH = {
    "build": "research.deployment.build_bento",
    "compare": "research.comparison.compare",
    "containerize": "research.deployment.containerize",
    "data": "research.data.dataset",
    "demo": "research.deployment.demo",
    "examples": "research.data.example_credit_files",
    "explain": "research.explanation.explain",
    "fairness": "research.comparison.price_of_fairness",
    "import": "research.deployment.import_model",
    "notebooks": "research.reporting.run_notebooks",
    "pipeline": "research.deployment.pipeline",
    "promote": "research.registry.promote",
    "publish": "research.reporting.publish",
    "rollback": "research.registry.rollback",
    "study": "research.comparison.feature_study",
    "train": "research.training.train",
}
"""The module of each command of the research room."""
BENTO = {"journal": "bento.journal", "keys": "bento.api.keys", "serve": "bento.serve"}
"""The module of each command of the service."""

Words = str | Path | int


def research(command: str, *arguments: Words) -> list[str]:
    """Return the command line of a command of the research room."""
    return [sys.executable, "-m", RESEARCH[command], *map(str, arguments)]


def bento(command: str, *arguments: Words, python: Words = sys.executable) -> list[str]:
    """Return the command line of a command of the service."""
    return [str(python), "-m", BENTO[command], *map(str, arguments)]


def bentoml_serve(bento_tag: str, port: int) -> list[Words]:
    """Return the command line that starts a Bento as its container does, in the serving environment."""
    return [SERVING_PYTHON, "-m", "bentoml", "serve", bento_tag, "--host", "127.0.0.1", "--port", str(port)]


class CommandRunner:
    """Runs a command of the research room in this process; many times quicker than in a new one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, command: str, *arguments: Words) -> tuple[int, str, str]:
        """Return the exit code, the output and the error output."""
        self._monkeypatch.setattr(sys, "argv", research(command, *arguments)[2:])
        with pytest.raises(SystemExit) as ended:
            run(importlib.import_module(RESEARCH[command]).main)
        return int(ended.value.code or 0), *self._capsys.readouterr()
