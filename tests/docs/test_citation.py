"""Citation, list of changes, lock file and badge are of the version that pyproject.toml states."""

import re
import tomllib

import yaml

from research.cli import ROOT
from research.reporting.badges import BADGES


def test_the_citation_is_that_of_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(citation)
    assert str(citation["version"]) == project["version"]
    assert citation["license"] == project["license"]


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    packages = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    releases = re.findall(
        r"^## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M
    )
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))

    assert [package["version"] for package in packages if package["name"] == "credit-scoring"] == [version]
    assert releases[0] == (version, str(citation["date-released"]))
    assert f">{version}<" in (BADGES / "version.svg").read_text("utf-8")
