"""Every command in docs/deploy.md is one that there is, with options that it takes."""

import re
import shlex

import pytest

from research.cli import ROOT, parser
from research.deployment.cloud import command
from research.deployment.cloud.stacks import read_template

DOCUMENT = (ROOT / "docs" / "deploy.md").read_text("utf-8")
BLOCKS = [block.replace("\\\n", " ") for block in re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)]
LINES = [line for block in BLOCKS for line in block.splitlines()]
PREFIX = "python -m research cloud "
COMMANDS = [line.removeprefix(PREFIX) for line in LINES if line.startswith(PREFIX)]
TARGETS = sorted(
    {
        word
        for line in LINES
        if line.startswith("make ")
        for word in shlex.split(line, comments=True)[1:]
        if word.islower()
    }
)


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_takes_these_options(line: str):
    options = parser("", "")
    command.add_arguments(options)

    options.parse_args(shlex.split(line, comments=True))


def test_every_command_is_in_the_document():
    names = {"bootstrap", "create", "push", "deploy", "rollback", "status", "scale", "destroy", "cost"}

    assert {line.split()[0] for line in COMMANDS} >= {"bootstrap", "create", "push", "status", "scale"}
    mentioned = {name for name in names if f"cloud {name}" in DOCUMENT or f"make {name}" in DOCUMENT}
    assert mentioned == names


@pytest.mark.parametrize("target", TARGETS)
def test_the_target_is_in_the_makefile(target: str):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_outputs_that_the_document_names_are_there():
    outputs = read_template("environment.yaml")["Outputs"]

    for name in ("MasterKey", "ApiKeys", "People", "CloudFrontName", "CloudFrontPageName"):
        assert name in DOCUMENT
        assert name in outputs
