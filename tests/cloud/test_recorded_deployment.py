"""The deployment that a slide shows: its commands are run, and print what the recording holds.

`make deployment-recording` writes the recording again.
"""

import io
import os
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from research.__main__ import main
from research.deployment.cloud import push
from research.deployment.cloud.deploy import PUT_BACK
from research.deployment.cloud.stacks import Stacks
from research.reporting.slides.walkthrough import RECORDING
from tests.cloud.conftest import PEM, VERSION, Deployed
from tests.cloud.engine import Engine, named_bento

WRONG_VERSION = "8"
"""Version that a release is announced with, and does not serve."""
HEADER = """\
# What the commands of a deployment printed. A server stood for AWS and a program for docker: neither ran a container.
# The service that was tested is a real one. Written by: make deployment-recording
"""
IDENTITY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=127\.0\.0\.1:)\d+|(?<=sha256:)[0-9a-f]{64}")
"""What differs between two runs: ids of decisions, ports, and digests of images."""


def ran(folder: Path, command: str, *arguments: str) -> tuple[int, list[str]]:
    """Run a command of `research cloud` in this process; return its exit code, and its line with all that it prints."""
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output), pytest.raises(SystemExit) as ended:
        main(["cloud", command, *arguments])
    printed = output.getvalue().replace(str(folder), ".").splitlines()
    return int(ended.value.code or 0), [f"$ python -m research cloud {command} {' '.join(arguments)}", *printed]


@pytest.fixture(scope="module")
def walked(stacks: Stacks, deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[int], list[str]]:
    """Run the commands of a deployment on an empty account; return their exit codes and what they print.

    Where DEPLOYMENT_RECORDING names a file, what they print is written there.
    """
    folder = tmp_path_factory.mktemp("deployment")
    (folder / "ca.pem").write_text(PEM)
    engine = Engine(folder)
    codes, lines = [], []

    def run(command: str, *arguments: str) -> None:
        code, printed = ran(folder, command, *arguments)
        codes.append(code)
        lines.extend(printed)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PATH", str(folder), prepend=":")
        patch.setenv("SCORING_KEY", deployed.service.key)
        staging, poll = ("--environment", "staging"), ("--poll", "0.01")
        where = ("--url", deployed.service.url)
        run("bootstrap", "--repository", "lender/scoring", *poll)
        size = ("--size", "small", "--repository", "lender/scoring")
        run("create", *staging, *size, "--database-ca", "ca.pem", "--yes", *poll)
        for name, version in (("one", VERSION), ("two", VERSION), ("three", WRONG_VERSION)):
            engine.install(name)
            patch.setattr(push, "find_bento", lambda _, name=name: named_bento(name))
            run("push", *staging, "--engine", "docker", "--output", f"{name}.json")
            image = push.Pushed.model_validate_json((folder / f"{name}.json").read_text()).image
            run("deploy", *staging, "--image", image, "--model-version", version, *where, "--watch", "0", *poll)
        run("rollback", *staging, *where, "--watch", "0", *poll)
        run("smoke", "--model-version", VERSION, *where)
    if target := os.environ.get("DEPLOYMENT_RECORDING"):
        Path(target).write_text(HEADER + "\n".join(lines) + "\n", "utf-8")
    return codes, lines


def comparable(lines: list[str]) -> list[str]:
    """Return lines in which each identity is the number of its first appearance."""
    numbers: dict[str, int] = {}
    return [IDENTITY.sub(lambda match: f"<{numbers.setdefault(match[0], len(numbers))}>", line) for line in lines]


def test_the_commands_of_a_deployment_print_what_was_recorded(walked: tuple[list[int], list[str]]):
    codes, lines = walked

    assert codes == [0, 0, 0, 0, 0, 0, 0, PUT_BACK, 0, 0]
    assert comparable(lines) == comparable(RECORDING.read_text("utf-8").removeprefix(HEADER).splitlines())
