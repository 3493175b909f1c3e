"""Commands that documents show exist, with their options."""

import re

import pytest

from bento.__main__ import COMMANDS as BENTO_COMMANDS
from drift.__main__ import COMMANDS as DRIFT_COMMANDS
from research.__main__ import COMMANDS as RESEARCH_COMMANDS
from research.cli import ROOT
from tests.docs.pages import PAGES, name_of

TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
COMMANDS = {"research": RESEARCH_COMMANDS, "bento": BENTO_COMMANDS, "drift": DRIFT_COMMANDS}
_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_MAKE = re.compile(r"^\s*make ([a-z-]+(?: [a-z-]+)*)", re.MULTILINE)
_PROGRAM = re.compile(r"python -m (research|bento|drift) ([a-z][a-z-]*)")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_shown_command_exists(page):
    text = page.read_text("utf-8")
    blocks = "\n".join(_BLOCK.findall(text))

    assert {target for targets in _MAKE.findall(blocks) for target in targets.split()} <= TARGETS
    assert [name for program, name in _PROGRAM.findall(text) if name not in COMMANDS[program]] == []


def test_tutorials_show_commands():
    shown = "\n".join(path.read_text("utf-8") for path in ROOT.glob("docs/tutorials/*.md"))

    assert {"setup", "train", "promote", "serve", "drift"} <= set(" ".join(_MAKE.findall(shown)).split())
