"""What the user sets on the command line of make reaches the commands as it is written, and is never run."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from research.cli import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
RECIPES = dict(re.findall(r"^([a-z-]+):.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE))
WITH_DATA = [target for target, recipe in RECIPES.items() if "$(DATA_OPTION)" in recipe or "$${DATA" in recipe]
HOSTILE = "mes données (2026) [x]; touch made $(shell touch made) $HOME `touch made` \"q\" 'a' # *"
ENVIRONMENTS = (".venv", ".venv-serve", ".venv-serve-tests", ".venv-spark", ".venv-dask")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, and environments whose Python writes its arguments, a line for each."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for path in ("uv.lock", "pyproject.toml", *(f"{name}/.synced" for name in ENVIRONMENTS)):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    for name in ENVIRONMENTS:
        program = tmp_path / name / "bin" / "python"
        program.parent.mkdir()
        program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
    return tmp_path


def make(project: Path, *arguments: str, **environment: str) -> list[str]:
    """Return the arguments that a target gives to Python."""
    command = ["make", "--no-print-directory", *arguments]
    done = subprocess.run(
        command, cwd=project, env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("target", WITH_DATA)
def test_a_folder_of_any_name_is_one_argument(target: str, project: Path):
    assert f"--data={HOSTILE}" in make(project, target, f"DATA={HOSTILE}")
    assert f"--data={HOSTILE}" in make(project, target, DATA=HOSTILE)
    assert not list(project.rglob("made"))


@pytest.mark.parametrize(
    ("target", "variable", "option"),
    [
        ("demo", "PORT", "--port"),
        ("demo", "UI_PORT", "--ui-port"),
        ("serve", "PORT", "--port"),
        ("ui", "UI_PORT", "--port"),
        ("mlflow", "MLFLOW_PORT", "--port"),
        ("train", "CAPACITY", "--capacity"),
        ("deploy", "IMAGE", "--image"),
        ("deploy", "MODEL_VERSION", "--model-version"),
        ("rollback-deployment", "ENVIRONMENT", "--environment"),
        ("destroy", "DELETE_JOURNAL", "--delete-journal"),
        ("container", "CONTAINER_ENGINE", "--engine"),
        ("bench", "FULL", "--full"),
        ("bench", "SOAK", "--soak"),
        ("bench", "BENTO", "--bento"),
    ],
)
def test_each_variable_is_one_argument_where_it_is_set(target: str, variable: str, option: str, project: Path):
    assert f"{option}={HOSTILE}" in make(project, target, f"{variable}={HOSTILE}")
    assert not [argument for argument in make(project, target) if argument.startswith(option)]
    assert not list(project.rglob("made"))


def test_most_targets_take_a_folder_of_data():
    assert {"train", "compare", "promote", "pipeline", "demo", "drift", "fidelity", "notebooks"} <= set(WITH_DATA)


@pytest.mark.parametrize(("version", "expected"), [("", []), ("3.12", ["--python=3.12"])])
def test_setup_leaves_the_choice_of_python_to_uv(version: str, expected: list[str], project: Path):
    programs = project / "programs"
    programs.mkdir()
    (programs / "uv").write_text('#!/bin/sh\nprintf "uv "; printf "%s " "$@"; echo\n')
    (programs / "uv").chmod(0o755)

    output = make(project, "--always-make", "setup", PATH=f"{programs}:{os.environ['PATH']}", PYTHON_VERSION=version)

    syncs = [line.split() for line in output if line.startswith("uv ")]
    assert [[word for word in words if word.startswith("--python")] for words in syncs] == [expected, expected]
