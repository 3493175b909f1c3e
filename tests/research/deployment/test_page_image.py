"""The image of the officers' page: what it is made of, and how the engine is asked."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from research.cli import ROOT
from research.deployment import page_image
from tests.research.commands import run_command


def test_the_context_holds_what_the_containerfile_copies(tmp_path: Path):
    context = page_image.write_context(tmp_path / "context")

    containerfile = (context / "ui" / "Containerfile").read_text("utf-8")
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", containerfile, re.MULTILINE)
    assert copied
    assert all((context / name).exists() for line in copied for name in line.split())
    assert {path.name for path in context.iterdir()} == {name.partition("/")[0] for name in page_image.CONTEXT}
    assert not list(context.rglob("__pycache__"))


def test_the_image_is_labelled_and_its_bill_lists_what_the_page_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    programs, log = tmp_path / "programs", tmp_path / "calls"
    programs.mkdir()
    (programs / "podman").write_text(
        f'#!/bin/sh\necho "$*" >>{log}\ncase "$1" in images) echo 300 MB;; inspect) echo x@sha256:1;; esac\n'
    )
    (programs / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    sbom = tmp_path / "build" / "page.cdx.json"

    assert run_command(page_image, "--engine", "podman", "--tag", "page:1", "--sbom", str(sbom)) == 0

    (build,) = [line for line in log.read_text().splitlines() if line.startswith("build ")]
    assert "--tag page:1" in build
    assert "--label=org.opencontainers.image.title=credit_scoring_page" in build
    assert "--build-arg=BASE=docker.io/library/python@sha256:1" in build
    assert build.endswith("/context")
    bill = json.loads(sbom.read_text("utf-8"))
    names = {component["name"] for component in bill["components"]}
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["ui"]
    assert {re.split(r"[\[<>=]", requirement)[0] for requirement in wanted} <= names
    assert not names & {"bentoml", "mlflow", "lightgbm"}
