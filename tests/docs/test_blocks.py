"""Every shell block of the documents is run by a test, or stands here with the reason why not."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from research.cli import ROOT
from tests.docs.pages import PAGES, name_of
from tests.support.doc_blocks import blocks

MANUAL = "docs/operate.md"
"""Its blocks are listed by tests/test_manual.py."""
TUTORIALS = "tests/end_to_end/test_tutorials.py"
RUN_BY = {
    "README.md": {"make demo": "tests/end_to_end/test_commands.py"},
    "docs/decide.md": {"# A decision": "tests/end_to_end/test_decide.py"},
    "docs/tutorials/another_lender.md": {"python lender.py": TUTORIALS},
    "docs/tutorials/first_model.md": {
        "python -m research data check": TUTORIALS,
        "make train": TUTORIALS,
        "make promote": TUTORIALS,
        "make import bento": TUTORIALS,
        "curl": TUTORIALS,
    },
    "docs/portfolio.md": {
        "python -m bento portfolio score": "tests/bento/portfolio/test_score.py",
        "uv sync --no-default-groups --group spark": "tests/spark/test_spark.py",
        "python -m bento portfolio features": "tests/research/data/test_feature_table.py",
        "uv sync --group dask": "tests/dask/test_dask.py",
        "python -m tests.benchmarks.portfolio": "tests/benchmarks/test_portfolio.py",
    },
    "docs/tutorials/monitor.md": {
        "make drift": TUTORIALS,
        "python -m drift report": TUTORIALS,
        "python -m drift performance": TUTORIALS,
    },
}
"""By page, the first words of a block and the test that runs it."""
ACCOUNT = "needs an account of AWS; tests/cloud runs the command against a server that stands for AWS"
AWS = "needs an account of AWS and its program"
NOT_RUN = {
    "docs/deploy.md": {
        "python -m research cloud bootstrap": ACCOUNT,
        "python -m research cloud create": ACCOUNT,
        "aws secretsmanager get-secret-value --query": AWS,
        "aws cognito-idp": AWS,
        "aws secretsmanager get-secret-value --secret-id": AWS,
        "make promote import bento container": "needs an account and an engine; tests/container builds the image",
        "make rollback-deployment": ACCOUNT,
        "make destroy": ACCOUNT,
    },
    "docs/elsewhere.md": {
        "kubectl": "needs a cluster; tests/test_elsewhere.py checks the manifests",
        "gcloud": "needs an account of Google; tests/test_elsewhere.py checks the manifests",
        "az ": "needs an account of Azure; tests/test_elsewhere.py checks the manifest",
    },
    "docs/workflows.md": {
        "gh attestation": "needs GitHub; tests/walk runs the workflow that attests",
        "mlflow server": "needs S3; tests/end_to_end runs a server of a team on PostgreSQL",
    },
    "docs/results.md": {
        "python -m research data": "computes for hours; tests/research measures the same on little data",
    },
    "docs/tutorials/first_model.md": {"make setup": "made the environment that this test runs in"},
}
"""By page, the first words of a block and why no test runs it."""
BLOCKS = [(page, block) for page in PAGES if name_of(page) != MANUAL for block in blocks(page)]
_COMMAND = re.compile(r"python -m (research|bento|drift) (.+)$", re.MULTILINE)
NESTED = ("cloud", "keys", "journal", "data", "portfolio")
"""Commands that have commands of their kind."""


@pytest.mark.parametrize(("page", "block"), BLOCKS, ids=lambda part: name_of(part) if isinstance(part, Path) else "")
def test_a_block_is_run_or_named_with_the_reason(page: Path, block: str):
    words = [*RUN_BY.get(name_of(page), {}), *NOT_RUN.get(name_of(page), {})]

    assert sum(block.startswith(first) for first in words) == 1, block


def test_every_named_block_and_test_exists():
    for pages in (RUN_BY, NOT_RUN):
        for name, entries in pages.items():
            for first in entries:
                assert any(block.startswith(first) for block in blocks(ROOT / name)), (name, first)
    for entries in RUN_BY.values():
        for test in entries.values():
            assert (ROOT / test).is_file()


@pytest.mark.parametrize(
    ("page", "block"), [*BLOCKS, *((ROOT / MANUAL, block) for block in blocks(ROOT / MANUAL))], ids=lambda part: ""
)
def test_a_block_is_a_script_of_bash(page: Path, block: str):
    done = subprocess.run(["/bin/bash", "-n"], input=block, capture_output=True, text=True, check=False)

    assert done.returncode == 0, f"{name_of(page)}: {done.stderr}"


@cache
def help_of(program: str, *names: str) -> str:
    command = [sys.executable, "-m", program, *names, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def options_shown() -> list[tuple[str, tuple[str, ...], str]]:
    """Return the program, command and options of each line of a block."""
    shown = []
    for page in PAGES:
        for block in blocks(page):
            joined = re.sub(r"\\\n\s*", " ", re.sub(r"#.*", "", block))
            for program, text in _COMMAND.findall(joined):
                line = text.split("|")[0]  # what follows is another program
                words = line.split()
                names = tuple(words[: 2 if words[0] in NESTED else 1])
                shown += [(program, names, option) for option in re.findall(r"(?<= )--[a-z-]+", f" {line}")]
    return sorted(set(shown))


@pytest.mark.parametrize(("program", "names", "option"), options_shown(), ids=str)
def test_an_option_that_is_shown_exists(program: str, names: tuple[str, ...], option: str):
    assert re.search(rf"{option}\b", help_of(program, *names))
