"""The workflows: pinned actions, least permissions, steps that are commands of the project, secrets that are named."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from research.__main__ import COMMANDS
from research.cli import ROOT
from tests.support.workflows import FILES, FOLDER, jobs, read, steps

PINS = {
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/upload-artifact": ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
    "astral-sh/setup-uv": ("20cfd1bf945f4377ade1205e4dbc17946fc9a30d", "v10.0.1"),
    "aws-actions/configure-aws-credentials": ("e6de054238d6b7531b4efff3b6587d9aade6a06c", "v6.2.3"),
    "aws-actions/amazon-ecr-login": ("03f1aad4c6c7ffd436567f42f9384779290529bd", "v2.1.7"),
    "actions/attest": ("1e69f48acb82d1966a394da916b4c1698aa569d6", "v4.2.2"),
}
"""Commit and release of every action."""
WRITES = {
    ("build.yml", "build"): {"id-token", "attestations"},
    ("deploy.yml", "build"): {"id-token", "attestations"},
    ("deploy.yml", "staging"): {"id-token"},
    ("deploy.yml", "production"): {"id-token"},
    ("rollout.yml", "rollout"): {"id-token"},
    ("train.yml", "train"): {"id-token", "attestations"},
    ("drift.yml", "watch"): {"issues", "id-token"},
}
"""By workflow and job, what it may write; every other job only reads."""
SHELL = ("cat ", "rm -rf ", "if ", "touch build/started && JOURNAL_URL=", "find build/drift ")
"""Begin of steps that are neither a target of make nor a command of the project."""
JOBS = [(path.name, name, job) for path in FILES for name, job in jobs(path).items()]
STEPS = [(path, name, step) for path, name, job in JOBS for step in steps(job)]
MANUAL = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md")))
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def test_every_action_is_pinned_to_the_commit_of_its_release():
    text = "\n".join(path.read_text("utf-8") for path in FILES)
    used = re.findall(r"uses: ([\w/-]+)@(\S+) # (\S+)$", text, re.MULTILINE)

    assert len(used) == len(re.findall(r"uses: (?!\./)", text))
    assert {(name, commit, release) for name, commit, release in used} == {(name, *pin) for name, pin in PINS.items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_workflow_grants_nothing_by_itself(path: Path):
    assert read(path)["permissions"] == {}


@pytest.mark.parametrize(("path", "name", "job"), JOBS, ids=[f"{path} {name}" for path, name, _ in JOBS])
def test_a_job_has_the_permissions_it_needs_and_an_end(path: str, name: str, job: dict[str, Any]):
    permissions = job["permissions"]

    assert {scope for scope, level in permissions.items() if level == "write"} == WRITES.get((path, name), set())
    assert set(permissions.values()) <= {"read", "write"}
    assert "uses" in job or job["timeout-minutes"] <= 360


def test_no_checkout_leaves_credentials_behind():
    checkouts = [step for _, _, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]

    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_the_cloud_is_reached_by_a_role_alone():
    logins = [step["with"] for _, _, step in STEPS if "configure-aws-credentials" in step.get("uses", "")]

    assert logins
    assert all(set(options) == {"role-to-assume", "aws-region"} for options in logins)
    assert "AWS_SECRET" not in "".join(path.read_text("utf-8") for path in FILES)


def test_steps_are_targets_and_commands_of_the_project():
    for path, name, step in STEPS:
        for line in (line for line in step.get("run", "").split(" | ")[0].splitlines() if line.strip()):
            words = line.split()
            if words[0] == "make":
                assert words[1] == '"$TARGET"' or set(words[1:]) <= TARGETS, (path, name, line)
            elif words[:2] == [".venv/bin/python", "-m"]:
                assert words[2] in ("drift", "tests.summary") or words[3] in {*COMMANDS, "cloud"}, (path, name, line)
            else:
                assert line.startswith(SHELL), (path, name, line)


def test_every_target_of_the_matrix_is_one_and_every_tier_is_in_it():
    matrix = jobs("ci.yml")["tests"]["strategy"]["matrix"]["include"]
    targets = {entry["target"] for entry in matrix}

    assert targets == {target for target in TARGETS if target.startswith("test")} | {"coverage"}
    assert {entry["python"] for entry in matrix if entry["target"] in ("test", "coverage")} == {"3.11", "3.12"}


def test_no_expression_is_pasted_into_a_shell():
    assert not [step["run"] for _, _, step in STEPS if "${{" in step.get("run", "")]


@pytest.mark.parametrize("kind", ["secrets", "vars"])
def test_every_secret_and_variable_is_named_in_the_documents(kind: str):
    names = set(re.findall(rf"{kind}\.(\w+)", "\n".join(path.read_text("utf-8") for path in FILES)))

    assert names
    assert names == {name for name in names if f"`{name}`" in MANUAL}


def test_production_is_given_what_staging_was_given():
    deployment = jobs("deploy.yml")
    staging, production = deployment["staging"], deployment["production"]

    assert "staging" in production["needs"]
    assert staging["uses"] == production["uses"] == "./.github/workflows/rollout.yml"
    assert {**staging["with"], "environment": "production"} == production["with"]


def test_images_are_verified_before_they_are_deployed():
    commands = [step.get("run", "") for step in steps(jobs("rollout.yml")["rollout"])]
    verified = next(at for at, command in enumerate(commands) if "verify-image" in command)
    deployed = next(at for at, command in enumerate(commands) if "cloud deploy" in command)

    assert verified < deployed
    assert "if" not in steps(jobs("rollout.yml")["rollout"])[verified]


@pytest.mark.parametrize("name", ["deploy.yml", "train.yml", "drift.yml"])
def test_one_run_at_a_time_and_none_is_cut(name: str):
    assert read(name)["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize(
    ("program", "fault", "words"),
    [
        ("actionlint", ("needs: build", "needs: biuld"), "biuld"),
        ("zizmor", ("persist-credentials: false", "persist-credentials: true"), "persist-credentials"),
    ],
)
def test_the_checkers_detect_a_fault(program: str, fault: tuple[str, str], words: str, tmp_path: Path):
    shutil.copytree(FOLDER, tmp_path / ".github" / "workflows")
    (tmp_path / ".git").mkdir()
    for path in (tmp_path / ".github" / "workflows").iterdir():
        path.write_text(path.read_text("utf-8").replace(*fault), "utf-8")
    options = {"actionlint": [], "zizmor": ["--offline", "--no-progress", "--persona=auditor", ".github"]}[program]

    done = subprocess.run(
        [ROOT / ".venv" / "bin" / program, *options], cwd=tmp_path, check=False, capture_output=True, text=True
    )

    assert done.returncode != 0
    assert words in done.stdout
