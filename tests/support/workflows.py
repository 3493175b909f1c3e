"""Read the workflows of .github/workflows."""

from pathlib import Path
from typing import Any

import yaml

from research.cli import ROOT

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))


def read(name: str | Path) -> dict[str, Any]:
    """Return a workflow; YAML 1.1 takes its key `on` for true."""
    content: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    return {str(key) if key is not True else "on": value for key, value in content.items()}


def jobs(name: str | Path) -> dict[str, dict[str, Any]]:
    """Return the jobs of a workflow by their ids."""
    return dict(read(name)["jobs"])


def steps(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of a job; none of one that calls another workflow."""
    return list(job.get("steps", []))
