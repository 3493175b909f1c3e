"""The image of the page holds the packages of the group `ui` alone: each package that the page imports is in it."""

import ast
import sys
import tomllib

from research.cli import ROOT


def _imported() -> set[str]:
    nodes = [node for path in (ROOT / "ui").rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"ui"}


def test_every_package_that_the_page_imports_is_declared_for_its_image():
    group = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["ui"]
    declared = {name.partition(">")[0].partition("=")[0].partition("[")[0].replace("-", "_") for name in group}

    assert _imported() <= declared
