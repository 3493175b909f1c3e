"""Run a workflow at home: jobs in the order of their needs, steps by bash, actions and programs by stand-ins.

The checkout is a copy of the project, with its environments. The stand-ins fail where the real ones would: without a
role or a region there are no credentials, an artifact that is missing ends the step, and an attestation names the
workflow that called the action.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from research.cli import ROOT
from tests.support.workflows import read
from tests.walk.expressions import filled, holds
from tests.walk.github import GitHub

ENVIRONMENTS = (".venv", ".venv-serve")
HIDDEN_FOLDERS = (".github", ".streamlit")
MADE_HERE = ("build", "data", "mlruns", "secrets", "tests")
"""Folders that are not part of a checkout, and the tests, which no step of these workflows runs."""
STEP_TIMEOUT_S = 900
"""Seconds for a step; the longest, a deployment, takes half a minute."""
_GROUPS: dict[str, threading.Lock] = {}
"""By concurrency group, the lock that a run holds."""


class StepError(Exception):
    """A stand-in for an action failed, as the action would."""


@dataclass(kw_only=True)
class Result:
    """How a run ended: the step that failed and what it printed, the outputs of jobs, all commands, the summary."""

    failed: str | None = None
    output: str = ""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    """Names of the steps that ran, each with its job: `staging: Verify …`."""
    summary: str = ""

    @property
    def error(self) -> str:
        """The line that says what is wrong: the last of the failed step that begins with `error: `."""
        lines = [line for line in self.output.splitlines() if line.startswith("error: ")]
        return lines[-1] if lines else self.output.strip().splitlines()[-1]


Hook = Callable[[str, Path], None]


def run(
    workflow: str, github: GitHub, *, inputs: Mapping[str, Any] | None = None, before: Hook | None = None
) -> Result:
    """Run a workflow; `before` is called with the name of each step, and its folder, before the step."""
    content, result, run_id = read(workflow), Result(), github.new_run()
    group = content.get("concurrency", {}).get("group")
    with _GROUPS.setdefault(group, threading.Lock()) if group else nullcontext():
        github.finish(run_id, workflow, "in_progress")
        _Walk(github, result, run_id, before or (lambda *_: None)).workflow(workflow, dict(inputs or {}), "")
        github.finish(run_id, workflow, "failure" if result.failed else "success")
    return result


class _Walk:
    def __init__(self, github: GitHub, result: Result, run_id: int, before: Hook) -> None:
        self._github, self._result, self._run_id, self._before = github, result, run_id, before

    def workflow(self, name: str, inputs: dict[str, Any], prefix: str) -> dict[str, str]:
        """Run the jobs of a workflow and return its outputs."""
        content = read(name)
        declared = (content["on"].get("workflow_call") or content["on"].get("workflow_dispatch") or {}) or {}
        defaults = {key: one.get("default") for key, one in declared.get("inputs", {}).items()}
        jobs: dict[str, dict[str, Any]] = dict(content["jobs"])
        done: dict[str, dict[str, Any]] = {}
        while len(done) < len(jobs):
            key = next(key for key in jobs if key not in done and set(_needs(jobs[key])) <= set(done))
            if self._result.failed:
                done[key] = {"outputs": {}}
                continue
            contexts = {"needs": {need: done[need] for need in _needs(jobs[key])}, "inputs": defaults | inputs}
            done[key] = {"outputs": self._job(name, jobs[key], contexts, prefix + key)}
            self._result.outputs[prefix + key] = done[key]["outputs"]
        values = {key: one["value"] for key, one in declared.get("outputs", {}).items()}
        return {key: filled(value, {"jobs": done}, {}) for key, value in values.items()}

    def _job(self, workflow: str, job: dict[str, Any], contexts: dict[str, Any], name: str) -> dict[str, str]:
        contexts |= {
            "vars": self._github.variables[""],
            "secrets": self._github.secrets,
            "github": {"token": "a token", "ref": "refs/heads/main"},
            "steps": {},
            "env": {},
        }
        if "if" in job and not holds(job["if"], contexts, {"success": lambda: True}):
            return {}
        if "uses" in job:
            given = {key: filled(str(value), contexts, {}) for key, value in job.get("with", {}).items()}
            return self.workflow(Path(job["uses"]).name, given, f"{name} / ")
        environment = filled(str(job.get("environment", "")), contexts, {})
        contexts["vars"] = self._github.variables[""] | self._github.variables.get(environment, {})
        machine = _Machine(self._github, self._result, self._run_id, workflow, contexts, name)
        machine.work(job, self._before)
        return {key: filled(value, contexts, machine.functions) for key, value in job.get("outputs", {}).items()}


class _Machine:
    """A machine that runs the steps of one job."""

    def __init__(
        self, github: GitHub, result: Result, run_id: int, workflow: str, contexts: dict[str, Any], name: str
    ) -> None:
        self._github, self._result, self._run_id = github, result, run_id
        self._workflow, self._contexts, self._name = workflow, contexts, name
        self._folder = github.folder / "work" / f"{run_id} {name}".replace("/", "_").replace(" ", "_")
        self._folder.mkdir(parents=True)
        self._environment: dict[str, str] = {}
        self._failed = False
        self.functions: dict[str, Callable[..., Any]] = {
            "always": lambda: True,
            "failure": lambda: self._failed,
            "success": lambda: not self._failed,
            "hashFiles": self._hash,
        }

    def work(self, job: dict[str, Any], before: Hook) -> None:
        """Run the steps, those after a failure too where their conditions say so."""
        self._contexts["env"] = self._filled(job.get("env", {}))
        for step in job["steps"]:
            name = f"{self._name}: {step.get('name') or step.get('run') or step['uses'].partition('@')[0]}"
            if not holds(step.get("if", "success()"), self._contexts, self.functions):
                continue
            before(name, self._folder)
            self._result.steps.append(name)
            environment = self._contexts["env"] | self._filled(step.get("env", {}))
            code, output = self._run(step, environment) if "run" in step else self._use(step)
            if code != 0 and not self._failed:
                self._failed = True
                self._result.failed, self._result.output = name, output

    def _filled(self, values: Mapping[str, object]) -> dict[str, str]:
        return {key: filled(str(value), self._contexts, self.functions) for key, value in values.items()}

    def _hash(self, path: str) -> str:
        file = self._folder / path
        return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""

    def _run(self, step: dict[str, Any], environment: dict[str, str]) -> tuple[int, str]:
        outputs, summary = self._folder.parent / f"{self._folder.name}.outputs", self._folder.parent / "summary.md"
        outputs.write_text("")
        summary.write_text("")
        files = {"GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary)}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", filled(step["run"], self._contexts, {})]
        process = subprocess.Popen(
            command,
            cwd=self._folder,
            env=os.environ | self._github.environment | self._environment | environment | files,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._github.process = process
        try:
            output, _ = process.communicate(timeout=STEP_TIMEOUT_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self._result.summary += summary.read_text()
        if "id" in step:
            written = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
            self._contexts["steps"][step["id"]] = {"outputs": written}
        return process.returncode, output

    def _use(self, step: dict[str, Any]) -> tuple[int, str]:
        action = step["uses"].partition("@")[0]
        options = {key: filled(str(value), self._contexts, {}) for key, value in step.get("with", {}).items()}
        stand_in: Callable[[dict[str, str]], None] = {
            "actions/checkout": self._check_out,
            "astral-sh/setup-uv": lambda _: None,
            "aws-actions/configure-aws-credentials": self._assume,
            "aws-actions/amazon-ecr-login": lambda _: None,
            "actions/attest": self._attest,
            "actions/upload-artifact": self._upload,
        }[action]
        try:
            stand_in(options)
        except StepError as error:
            return 1, f"error: {error}"
        return 0, ""

    def _check_out(self, _: dict[str, str]) -> None:
        for name in ENVIRONMENTS:
            (self._folder / name).symlink_to(ROOT / name)
        for path in ROOT.iterdir():
            is_hidden = path.name.startswith(".") and path.name not in HIDDEN_FOLDERS
            if path.is_dir() and not is_hidden and path.name not in MADE_HERE:
                shutil.copytree(path, self._folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
            elif path.is_file() and not is_hidden and "mlflow.db" not in path.name:
                shutil.copy2(path, self._folder)

    def _assume(self, options: dict[str, str]) -> None:
        if not options["role-to-assume"] or not options["aws-region"]:
            raise StepError("could not load credentials: role-to-assume and aws-region must be set")
        role = options["role-to-assume"].rpartition("/")[2]
        client = boto3.client(
            "iam",
            endpoint_url=self._github.environment["AWS_ENDPOINT_URL"],
            region_name=options["aws-region"],
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106 - the stand-in asks for any
        )
        try:
            client.get_role(RoleName=role)
        except ClientError as error:
            raise StepError(f"not authorized to assume {role}: {error}") from error
        self._environment |= {
            "AWS_REGION": options["aws-region"],
            "AWS_DEFAULT_REGION": options["aws-region"],
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }

    def _attest(self, options: dict[str, str]) -> None:
        predicate = "https://cyclonedx.org/bom" if "sbom-path" in options else "https://slsa.dev/provenance/v1"
        if "sbom-path" in options:
            bill = json.loads((self._folder / options["sbom-path"]).read_text("utf-8"))
            if bill.get("bomFormat") != "CycloneDX" or not bill["components"]:
                raise StepError(f"{options['sbom-path']} is no bill of materials")
        digests = [options["subject-digest"]] if "subject-digest" in options else []
        for pattern in options.get("subject-path", "").split():
            paths = [path for path in self._folder.glob(pattern) if path.is_file()]
            if not paths:
                raise StepError(f"could not find subject at path {pattern}")
            digests += [f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths]
        for digest in digests:
            if not digest.startswith("sha256:"):
                raise StepError(f"the digest {digest!r} is none")
            self._github.attest(self._workflow, digest, predicate)

    def _upload(self, options: dict[str, str]) -> None:
        target = self._github.artifact(self._run_id, options["name"])
        paths = [path for pattern in options["path"].split() for path in self._folder.glob(pattern)]
        if not paths and options.get("if-no-files-found") == "error":
            raise StepError(f"no files were found at {options['path']}")
        for path in paths:
            target.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target, dirs_exist_ok=True)
            else:
                shutil.copy(path, target)


def _needs(job: dict[str, Any]) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else list(needs)
