"""CONTRIBUTING.md names files and objects that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
ANSWERS = re.findall(r"^\| (?:the .+?) \| `(\S+\.py)` \| `(\w+)` \|$", TEXT, re.MULTILINE)
PATHS = sorted(set(re.findall(r"`((?:bento|research|tests|docs)/[\w/]+(?:\.\w+)?)`", TEXT)))
TARGETS = sorted(set(re.findall(r"make ([a-z][a-z-]+)", TEXT)))


def test_at_least_ten_questions_are_answered():
    assert len(ANSWERS) >= 10


@pytest.mark.parametrize(("path", "name"), ANSWERS)
def test_the_named_file_defines_the_named_object(path: str, name: str):
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        defined |= {target.id for target in targets if isinstance(target, ast.Name)}
    assert name in defined


@pytest.mark.parametrize("path", PATHS)
def test_a_named_path_exists(path: str):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("target", TARGETS)
def test_a_named_target_is_in_the_makefile(target: str):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
