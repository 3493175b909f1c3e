"""Build the container image of a Bento: it runs as a user without rights and listens on 3000."""

import argparse
import os
import shutil
import subprocess
import sys

import bentoml

from bento import NAME
from research.cli import CommandError

EXAMPLE = "python -m research containerize --engine podman"
ENGINES = ("docker", "podman", "buildah")
ENTRYPOINT = "/home/bentoml/bento/env/docker/entrypoint.sh"
"""Start script of an image of BentoML; buildah does not run it unless it is named."""


def containerize(bento: bentoml.Bento, engine: str, image: str) -> str:
    """Build the image with `bentoml containerize`, printing its output on stderr, and return its size, as `741 MB`.

    Raises CommandError with the engine's reason where the build fails.
    """
    options = ["--backend", engine, "--image-tag", image]
    command = [sys.executable, "-m", "bentoml", "containerize", str(bento.tag), *options]
    environment = os.environ | engine_environment(engine) | {"PYTHONWARNINGS": "ignore"}
    reason = "it gave no reason"
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip()
            if line.startswith("Encountered exception"):
                process.stdout.read()  # repeats the lines above, with a traceback
                break
            print(line, file=sys.stderr)
            # The engine's last line only names the step that failed; the reason is in an earlier line.
            if "error: " in line.lower() and "building at STEP" not in line:
                reason = line[line.lower().index("error: ") + len("error: ") :]
    if process.returncode != 0:
        raise CommandError(f"{engine} could not build the image: {reason}")
    command = [engine, "images", "--format", "{{.Size}}", image]
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
        return f"{engine} run -p 3000:3000 {volumes} -e SCORING_KEYS_FILE=/secrets/keys.json {image}"
    settings = [f"{name}={value}" for name, value in engine_environment(engine).items()]
    return " ".join([*settings, *run_command(f"$(buildah from {image})", SCORING_KEYS_FILE="/journal/keys.json")])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add engine, Bento and name of the image."""
    parser.add_argument("--engine", choices=ENGINES, help="by default the first of these that is installed and running")
    parser.add_argument("--bento", default=f"{NAME}:latest", metavar="TAG", help="tag of the Bento")
    parser.add_argument("--tag", metavar="NAME:TAG", help="name of the image; by default the Bento's tag")


def run(options: argparse.Namespace) -> None:
    """Build the image and print how it is run."""
    engine = find_engine(options.engine)
    bento = find_bento(options.bento)
    image = options.tag or str(bento.tag)
    print(f"building {image} with {engine}", file=sys.stderr)
    size = containerize(bento, engine, image)
    print(f"{image} built, {size}; once it has keys and a journal (docs/operate.md), run it with:")
    print(f"  {_run_line(engine, image)}")
