"""Ask GitHub, by its program gh: fetch an attested artifact, verify an image, keep one issue open."""

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from bento.addresses import without_secrets
from research.cli import CommandError, last_line, shown, user_path

EXAMPLE = "python -m research github verify-image REGISTRY/credit-scoring@sha256:…"
REPOSITORY_VARIABLE = "GITHUB_REPOSITORY"
MAIN = "main"
BUILD_WORKFLOW, TRAIN_WORKFLOW = "build.yml", "train.yml"
PREDICATES = {"provenance": "https://slsa.dev/provenance/v1", "bill of materials": "https://cyclonedx.org/bom"}
"""Attestations that an image must have, by their predicate types."""
BY_DIGEST = r"[\w./:-]+@sha256:[0-9a-f]{64}"
GH_TIMEOUT_S = 300.0
"""Seconds for one call of gh; downloading an artifact of some megabytes takes a few."""


class Pushed(BaseModel):
    """What `cloud push` writes, as far as workflows use it."""

    image: str = Field(pattern=f"^{BY_DIGEST}$")
    page: str = Field(pattern=f"^{BY_DIGEST}$")
    model_version: str = Field(pattern=r"^\w+$")


def download(run_id: int, workflow: str, artifact: str, folder: Path, attested: bool) -> list[Path]:
    """Download an artifact of a run of a workflow; return its files.

    With `attested`, each file must have an attestation of that workflow on main; without it, or where gh cannot
    download, CommandError is raised and nothing is left in the folder.
    """
    with tempfile.TemporaryDirectory() as temporary:
        _gh("run", "download", str(run_id), "--repo", repository(), "--name", artifact, "--dir", temporary)
        names = sorted(path.relative_to(temporary) for path in Path(temporary).rglob("*") if path.is_file())
        if not names:
            raise CommandError(f"the artifact {artifact} of run {run_id} of {workflow} is empty: run {workflow} again")
        for name in names if attested else ():
            _verify(
                str(Path(temporary) / name), workflow, PREDICATES["provenance"], "--source-ref", f"refs/heads/{MAIN}"
            )
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(temporary) / name, folder / name)
    return [folder / name for name in names]


def newest_run(workflow: str, status: str = "success") -> int | None:
    """Return the number of the newest run of a workflow on main that has this status, or None."""
    answer = _gh(
        *("run", "list", "--repo", repository(), "--workflow", workflow, "--branch", MAIN, "--status", status),
        *("--limit", "1", "--json", "databaseId"),
    )
    runs = json.loads(answer)
    return int(runs[0]["databaseId"]) if runs else None


def verify_image(image: str) -> None:
    """Require that the workflow which builds has attested provenance and bill of materials of an image, by its digest.

    Raises CommandError where one is missing, or the image is named by a tag, which may name another one tomorrow.
    """
    if not re.fullmatch(BY_DIGEST, image):
        raise CommandError(f"{image}: name the image by its digest, as REGISTRY/NAME@sha256:…")
    for predicate in PREDICATES.values():
        _verify(f"oci://{image}", BUILD_WORKFLOW, predicate)


def _verify(subject: str, workflow: str, predicate: str, *options: str) -> None:
    signer = f"{repository()}/.github/workflows/{workflow}"
    _gh(
        *("attestation", "verify", subject, "--repo", repository(), "--signer-workflow", signer),
        *("--predicate-type", predicate, "--deny-self-hosted-runners", *options),
    )


def report(title: str, label: str, text: Path) -> str:
    """Write a text into the open issue of a label, or into a new one where none is open; return its address."""
    command = ("issue", "list", "--repo", repository(), "--label", label, "--state", "open", "--limit", "1")
    issues = json.loads(_gh(*command, "--json", "number,url"))
    if issues:
        number = str(issues[0]["number"])
        _gh("issue", "edit", number, "--repo", repository(), "--title", title, "--body-file", str(text))
        return str(issues[0]["url"])
    _gh("label", "create", label, "--repo", repository(), "--force", "--description", "Opened by a workflow")
    arguments = ("--title", title, "--label", label, "--body-file", str(text))
    return _gh("issue", "create", "--repo", repository(), *arguments).strip()


def outputs(deployment: Path) -> dict[str, str]:
    """Return what `cloud push` wrote as outputs of a step: each image whole, and as name and digest for attestations.

    Raises CommandError where the file is missing, or holds other than images by digest and the version of the model.
    """
    try:
        pushed = Pushed.model_validate_json(deployment.read_bytes())
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise CommandError(f"{shown(deployment)}: {field} is missing or wrong: run cloud push again") from error
    results = {"model-version": pushed.model_version}
    for output, image in (("image", pushed.image), ("page", pushed.page)):
        name, _, digest = image.partition("@")
        results |= {output: image, f"{output}-name": name, f"{output}-digest": digest}
    return results


def repository() -> str:
    """Return owner/name of the repository, which a workflow has in GITHUB_REPOSITORY."""
    name = os.environ.get(REPOSITORY_VARIABLE, "")
    if name.count("/") != 1:
        raise CommandError(f"{REPOSITORY_VARIABLE} is not set: give it the repository on GitHub, as owner/name")
    return name


def _gh(*arguments: str) -> str:
    """Return what gh prints; raise CommandError with its reason where it fails."""
    program = shutil.which("gh")
    if program is None:
        raise CommandError("gh is not installed: see https://cli.github.com")
    what = " ".join(arguments[:3])
    try:
        finished = subprocess.run(
            [program, *arguments], check=False, capture_output=True, text=True, timeout=GH_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"gh {what}: no answer within {GH_TIMEOUT_S:.0f} s; run this again") from error
    if finished.returncode != 0:
        raise CommandError(without_secrets(f"gh {what} failed: {last_line(finished.stderr, 'it gave no reason')}"))
    return finished.stdout


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a subcommand for each task."""
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    get = command("download", "download an artifact of the newest run of a workflow on main that succeeded")
    get.add_argument("--workflow", default=TRAIN_WORKFLOW, metavar="FILE", help=f"by default {TRAIN_WORKFLOW}")
    get.add_argument("--artifact", default="champion", metavar="NAME", help="by default champion")
    get.add_argument("--output", type=user_path, default=Path("build"), metavar="DIR", help="by default build")
    get.add_argument("--or-none", action="store_true", help="it is no fault where there is no such run yet")
    get.add_argument("--also-failed", action="store_true", help="of the newest run that has ended, failed or not")
    get.add_argument("--attested", action="store_true", help="require that this workflow has attested each file")
    pushed = command("outputs", "print what cloud push wrote as outputs of a step of a workflow")
    pushed.add_argument("deployment", type=user_path, metavar="FILE")
    verify = command("verify-image", "require the attestations of an image: provenance and bill of materials")
    verify.add_argument("images", nargs="+", metavar="IMAGE", help="by digest: REGISTRY/NAME@sha256:…")
    issue = command("issue", "write a text into the open issue of a label, or open one")
    issue.add_argument("--title", required=True)
    issue.add_argument("--label", required=True)
    issue.add_argument("--text", type=user_path, required=True, metavar="FILE", help="Markdown")


def run(options: argparse.Namespace) -> None:
    """Run the subcommand and print its result."""
    if options.command == "download":
        _download(options)
    elif options.command == "outputs":
        print("\n".join(f"{name}={value}" for name, value in outputs(options.deployment).items()))
    elif options.command == "verify-image":
        for image in options.images:
            verify_image(image)
            print(f"{image}: provenance and bill of materials are attested by {BUILD_WORKFLOW}")
    else:
        print(report(options.title, options.label, options.text))


def _download(options: argparse.Namespace) -> None:
    status, word = ("completed", "ended") if options.also_failed else ("success", "succeeded")
    run_id = newest_run(options.workflow, status)
    if run_id is None and options.or_none:
        print(f"{options.workflow} has not {word} on {MAIN} yet: nothing to download")
    elif run_id is None:
        raise CommandError(f"{options.workflow} has not {word} on {MAIN} yet: run it once, then this again")
    else:
        for path in download(run_id, options.workflow, options.artifact, options.output, options.attested):
            print(f"{shown(path)} is of run {run_id} of {options.workflow}")
