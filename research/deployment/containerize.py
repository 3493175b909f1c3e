"""Build the container image of a Bento: it runs as a user without rights and listens on 3000."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import bentoml

from bento import NAME
from bento.addresses import without_secrets
from bento.settings import KEYS_FILE_VARIABLE, MASTER_KEY_VARIABLE
from research.cli import ROOT, CommandError, user_path
from research.deployment.build_bento import SBOM

EXAMPLE = "python -m research containerize --engine podman"
ENGINES = ("docker", "podman", "buildah")
CONTAINERFILE = Path(__file__).with_name("Containerfile")
LABELS = "org.opencontainers.image"
BASE = "docker.io/library/python:3.11-slim"
ENTRYPOINT = "/home/bentoml/bento/env/docker/entrypoint.sh"
"""Start script of an image of BentoML; buildah does not run it unless it is named."""


def containerize(bento: bentoml.Bento, engine: str, image: str) -> str:
    """Build the image of a Bento, printing the engine's output on stderr, and return its size, as `741 MB`.

    The same Bento gives the same files, with the time stamp of the Bento; Debian's packages are the newest of the day.

    Raises CommandError with the engine's reason where the build fails.
    """
    base = base_image(engine)
    labels = labels_of(bento.tag.name, str(bento.tag.version), bento.creation_time, base)
    with tempfile.TemporaryDirectory() as temporary:
        context = write_context(bento, Path(temporary) / "context")
        return build_image(engine, image, CONTAINERFILE, context, base, labels)


def build_image(
    engine: str, image: str, containerfile: Path, context: Path, base: str, labels: Mapping[str, str]
) -> str:
    """Build an image on a base, with the time stamp of its label `created`, and return its size, as `741 MB`.

    Raises CommandError with the engine's reason where the build fails.
    """
    created = datetime.fromisoformat(labels[f"{LABELS}.created"])
    options = ["--file", str(containerfile), "--tag", image, f"--build-arg=BASE={base}"]
    options += [f"--label={name}={value}" for name, value in labels.items()]
    options += _time_stamp_options(engine, int(created.timestamp()))
    _build([engine, "build", *options, str(context)])
    return _output(engine, "images", "--format", "{{.Size}}", image)


def write_context(bento: bentoml.Bento, context: Path) -> Path:
    """Copy a Bento and its models into a folder, readable by every user; return the folder.

    Raises CommandError where the Bento has no model: its service would start, and never be ready.
    """
    if not bento.info.all_models:
        raise CommandError(f"{bento.tag} holds no model; build another one with: make import bento")
    shutil.copytree(bento.path, context)
    for model in bento.info.all_models:
        stored = bentoml.models.get(model.tag)
        folder = context / "models" / model.tag.name
        shutil.copytree(stored.path, folder / str(model.tag.version))
        (folder / "latest").write_text(str(model.tag.version))
    for path in (context, *context.rglob("*")):
        is_executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if is_executable else 0o644)
    return context


def base_image(engine: str) -> str:
    """Return the base image by its digest, pulled where it is missing; by its tag where the engine has no digest.

    An image that was made on this machine, and not pulled, has none.
    """
    if subprocess.run([engine, "inspect", "--type", "image", BASE], check=False, capture_output=True).returncode != 0:
        _build([engine, "pull", BASE])
    template = {"buildah": "{{.FromImageDigest}}"}.get(engine, "{{if .RepoDigests}}{{index .RepoDigests 0}}{{end}}")
    digest = _output(engine, "inspect", "--type", "image", "--format", template, BASE).rpartition("@")[2]
    by_digest = f"{BASE.rpartition(':')[0]}@{digest}"
    is_there = [engine, "inspect", "--type", "image", by_digest]
    if digest and subprocess.run(is_there, check=False, capture_output=True).returncode == 0:
        return by_digest
    return BASE


def labels_of(title: str, version: str, created: datetime, base: str) -> dict[str, str]:
    """Return the labels of an image, by the names of the OCI; those whose value is not known are left out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    digest = base.partition("@")[2]
    values = {
        "title": title,
        "description": project["description"],
        "version": version,
        "created": created.isoformat(timespec="seconds"),
        "licenses": project["license"],
        "revision": git("describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"),
        "source": without_secrets(git("remote", "get-url", "origin")),
        "base.name": BASE,
        "base.digest": digest,
    }
    return {f"{LABELS}.{label}": value for label, value in values.items() if value}


def git(*arguments: str) -> str:
    """Return what git reports about the project; nothing outside of a repository, or without git."""
    if shutil.which("git") is None:
        return ""
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()


def _time_stamp_options(engine: str, seconds: int) -> list[str]:
    if engine == "docker":
        return [f"--build-arg=SOURCE_DATE_EPOCH={seconds}"]
    return [f"--timestamp={seconds}", "--format=docker"]  # the format of the OCI has no HEALTHCHECK


def _build(command: list[str]) -> None:
    """Run an engine, printing what it prints; raise CommandError with its reason where it fails."""
    environment = os.environ | engine_environment(command[0])
    reason = "it gave no reason"
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip()
            print(line, file=sys.stderr)
            # The engine's last line only names the step that failed; the reason is in an earlier line.
            if "error: " in line.lower() and "building at STEP" not in line:
                reason = line[line.lower().index("error: ") + len("error: ") :]
    if process.returncode != 0:
        raise CommandError(f"{command[0]} could not build the image: {reason}")


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def engine_environment(engine: str) -> dict[str, str]:
    """Return the environment variables that the engine needs on this machine."""
    if engine == "buildah" and os.geteuid() == 0 and "BUILDAH_ISOLATION" not in os.environ:
        # The isolation that works for root inside a container or a small virtual machine too.
        return {"BUILDAH_ISOLATION": "chroot"}
    return {}


def find_engine(wanted: str | None = None) -> str:
    """Return the wanted engine, or the first that is installed: docker (running), podman, buildah.

    Raises CommandError where none is installed; the message names what to install.
    """
    for engine in (wanted,) if wanted else ENGINES:
        if shutil.which(engine) is not None and (engine != "docker" or _docker_runs()):
            return engine
    if wanted == "docker" and shutil.which("docker") is not None:
        raise CommandError("docker is installed, but its engine does not answer; start it, or choose another --engine")
    raise CommandError(
        f"found no {wanted or 'container engine'}; install docker, podman or buildah (Debian: apt-get install buildah)"
    )


def _docker_runs() -> bool:
    return subprocess.run(["docker", "info"], check=False, capture_output=True).returncode == 0  # noqa: S607


def find_bento(tag: str) -> bentoml.Bento:
    """Return the Bento of a tag from the store; raise CommandError where it holds none."""
    try:
        return bentoml.bentos.get(tag)
    except (bentoml.exceptions.NotFound, ValueError) as error:
        raise CommandError(f"there is no Bento {tag}; build one with: make pipeline") from error


def run_command(container: str, *command: str, **environment: str) -> list[str]:
    """Return the arguments that run a command, by default the service, in a buildah container on the host network."""
    # Buildah's chroot has no process namespace; without one, workers would outlive the service.
    namespace = ["unshare", "--pid", "--fork", "--kill-child"] if os.geteuid() == 0 else []
    settings = [f"--env={name}={value}" for name, value in environment.items()]
    return [*namespace, "buildah", "run", "--network", "host", *settings, container, "--", ENTRYPOINT, *command]


def _run_line(engine: str, image: str) -> str:
    if engine != "buildah":
        volumes = "-v journal:/journal -v ./secrets:/secrets:ro"
        options = f"-e {KEYS_FILE_VARIABLE}=/secrets/keys.json -e {MASTER_KEY_VARIABLE}=/secrets/master.key"
        return f"{engine} run -p 3000:3000 {volumes} {options} {image}"
    settings = [f"{name}={value}" for name, value in engine_environment(engine).items()]
    files = {KEYS_FILE_VARIABLE: "/journal/keys.json", MASTER_KEY_VARIABLE: "/journal/master.key"}
    return " ".join([*settings, *run_command(f"$(buildah from {image})", **files)])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add engine, Bento and name of the image."""
    parser.add_argument("--engine", choices=ENGINES, help="by default the first of these that is installed and running")
    parser.add_argument("--bento", default=f"{NAME}:latest", metavar="TAG", help="tag of the Bento")
    parser.add_argument("--tag", metavar="NAME:TAG", help="name of the image; by default the Bento's tag")
    parser.add_argument("--sbom", type=user_path, metavar="FILE", help="copy the bill of materials to this file")


def run(options: argparse.Namespace) -> None:
    """Build the image and print how it is run."""
    engine = find_engine(options.engine)
    bento = find_bento(options.bento)
    image = options.tag or str(bento.tag)
    print(f"building {image} with {engine}", file=sys.stderr)
    size = containerize(bento, engine, image)
    print(f"{image} built, {size}; once it has keys and a journal (docs/operate.md), run it with:")
    print(f"  {_run_line(engine, image)}")
    sbom = Path(bento.path_of(SBOM))
    if options.sbom:
        options.sbom.parent.mkdir(parents=True, exist_ok=True)
        sbom = shutil.copyfile(sbom, options.sbom)
    print(f"bill of materials (CycloneDX): {sbom}")
