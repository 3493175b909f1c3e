"""Run the shell blocks of a Markdown section as they are printed, in a copy of the project's folder."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from research.cli import ROOT
from tests.support.deadlines import timeout_s, wait_until

BLOCK_TIMEOUT_S = 120.0
"""Seconds for a block that ends by itself, on a quiet machine."""
STOP_TIMEOUT_S = 30.0
"""Seconds for a block to end once it is stopped."""

COPIED = ("bento", "docs", "drift", "research", "ui", "bentofile.yaml", "pyproject.toml", "uv.lock", "Makefile")
LINKED = (".venv", ".venv-serve")
_SHELL = ("/bin/bash", "-euo", "pipefail", "-c")
_TEST_SETTINGS = re.compile(r"SCORING_|JOURNAL_|PYTEST_")
"""Variables that a reader of the manual does not have."""


def sh_blocks(document: Path, heading: str) -> list[str]:
    """Return the `sh` blocks under a heading, up to the next one of the same or a higher level.

    Raises:
        ValueError: the document has no such heading.
    """
    section, level = "", 0
    in_block = False
    for line in document.read_text(encoding="utf-8").splitlines(keepends=True):
        in_block ^= line.startswith("```")
        mark = None if in_block else re.fullmatch(r"(#+) (.*)\n?", line)
        if mark and level and len(mark[1]) <= level:
            break
        if mark and not level and mark[2].strip() == heading:
            level = len(mark[1])
        if level:
            section += line
    if not level:
        raise ValueError(f"{document}: there is no heading {heading!r}")
    return re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


def blocks(document: Path, language: str = "sh") -> list[str]:
    """Return all blocks of a language, those inside of lists without their indent."""
    matches = re.findall(
        rf"^( *)```{language}\n(.*?)^ *```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return [textwrap.dedent(text) for _, text in matches]


def replaced(block: str, replacements: Mapping[str, str]) -> str:
    """Return a block with other names, ports or folders; raise ValueError where it does not hold what is replaced."""
    for printed, used in replacements.items():
        if printed not in block:
            raise ValueError(f"the block does not hold {printed!r}:\n{block}")
        block = block.replace(printed, used)
    return block


def project_copy(folder: Path) -> Path:
    """Copy what the manual's commands need of the project's root, without data or secrets; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("results"))
        else:
            shutil.copy2(source, folder / name)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    return folder


def manual_environment(environment: str = ".venv", **settings: str) -> dict[str, str]:
    """Return the environment of a shell that has entered `.venv` or `.venv-serve`, with the given settings only.

    BENTOML_HOME stays that of the tests, as the Bento of the pipeline is there.
    """
    inherited = {name: value for name, value in os.environ.items() if not _TEST_SETTINGS.match(name)}
    path = f"{ROOT / environment / 'bin'}:{os.environ['PATH']}"
    return inherited | {"PATH": path, "VIRTUAL_ENV": str(ROOT / environment), "BENTOML_DO_NOT_TRACK": "True"} | settings


def run_block(
    block: str, folder: Path, environment: Mapping[str, str], seconds: float = BLOCK_TIMEOUT_S
) -> subprocess.CompletedProcess[str]:
    """Run a block that ends by itself, stopping at the first command that fails; nothing is asserted."""
    return subprocess.run(
        [*_SHELL, block],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=timeout_s(seconds),
        check=False,
    )


@contextlib.contextmanager
def running_block(
    block: str, folder: Path, environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a block whose last command keeps running, such as a service; stop it, with its children, on exit.

    The output of all commands goes to `log`. The caller waits for what shows that the block is ready.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_SHELL, block],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        for ending, seconds in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, STOP_TIMEOUT_S)):
            with contextlib.suppress(ProcessLookupError, AssertionError):
                os.killpg(process.pid, ending)
                wait_until(lambda: process.poll() is not None and not _has_members(process.pid), seconds)
                break
        process.wait()


def _has_members(group: int) -> bool:
    """Return whether any process of a process group still runs; one that only waits to be reaped does not."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False
