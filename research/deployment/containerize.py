"""Builds the container image of a Bento with the engine that this machine has."""

import os
import shutil
import subprocess
import sys

import bentoml

from bento import NAME
from research.cli import CommandError, parser, run

ENGINES = ("docker", "podman", "buildah")
ENTRYPOINT = "/home/bentoml/bento/env/docker/entrypoint.sh"
"""What an image of BentoML starts with; buildah, made for building, has to be told."""


def containerize(bento: bentoml.Bento, engine: str, image: str) -> str:
    """Build the image with `bentoml containerize`, whose output goes to stderr as it comes; its size, as `741 MB`.

    Raises:
        CommandError: the build failed; the message ends with the reason the engine gave.
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
                process.stdout.read()  # all of the above once more, and a traceback
                break
            print(line, file=sys.stderr)
            # That a step failed is the engine's last word, why it failed stands before it.
            if "error: " in line.lower() and "building at STEP" not in line:
                reason = line[line.lower().index("error: ") + len("error: ") :]
    if process.returncode != 0:
        raise CommandError(f"{engine} could not build the image: {reason}")
    listed = subprocess.run(
        [engine, "images", "--format", "{{.Size}}", image], check=True, capture_output=True, text=True
    )
    return listed.stdout.strip()


def engine_environment(engine: str) -> dict[str, str]:
    """What the engine needs to know of this machine."""
    if engine == "buildah" and os.geteuid() == 0 and "BUILDAH_ISOLATION" not in os.environ:
        # The isolation that works for root everywhere, also inside a container or a small virtual machine.
        return {"BUILDAH_ISOLATION": "chroot"}
    return {}


def find_engine(wanted: str | None = None) -> str:
    """The wanted engine, or else the first one here: docker (running), podman, buildah.

    Raises:
        CommandError: there is none; names what to install.
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
    """The Bento of that tag.

    Raises:
        CommandError: the store does not hold it.
    """
    try:
        return bentoml.bentos.get(tag)
    except (bentoml.exceptions.NotFound, ValueError) as error:
        raise CommandError(f"there is no Bento {tag}; build one with: make pipeline") from error


def run_command(container: str, *command: str, **environment: str) -> list[str]:
    """What runs a command, or else the service, in a container of buildah's, on the network of this machine."""
    # Buildah's chroot knows no process namespace; in one of its own the service leaves no worker behind.
    namespace = ["unshare", "--pid", "--fork", "--kill-child"] if os.geteuid() == 0 else []
    settings = [f"--env={name}={value}" for name, value in environment.items()]
    return [*namespace, "buildah", "run", "--network", "host", *settings, container, "--", ENTRYPOINT, *command]


def _run_line(engine: str, image: str) -> str:
    if engine != "buildah":
        volumes = "-v journal:/journal -v ./secrets:/secrets:ro"
        return f"{engine} run -p 3000:3000 {volumes} -e SCORING_KEYS_FILE=/secrets/keys.json {image}"
    settings = [f"{name}={value}" for name, value in engine_environment(engine).items()]
    return " ".join([*settings, *run_command(f"$(buildah from {image})", SCORING_KEYS_FILE="/journal/keys.json")])


def main() -> None:
    """The command line."""
    arguments = parser(
        "Build the container image of a Bento: it runs as a user without rights and listens on 3000.",
        "python -m research.deployment.containerize --engine podman",
    )
    arguments.add_argument("--engine", choices=ENGINES, help="by default the first of these that is here and running")
    arguments.add_argument("--bento", default=f"{NAME}:latest", metavar="TAG", help="the Bento")
    arguments.add_argument("--tag", metavar="NAME:TAG", help="the image's name; None: the Bento's tag")
    options = arguments.parse_args()
    engine = find_engine(options.engine)
    bento = find_bento(options.bento)
    image = options.tag or str(bento.tag)
    print(f"building {image} with {engine}", file=sys.stderr)
    size = containerize(bento, engine, image)
    print(f"{image} built, {size}; once it has keys and a journal (docs/operate.md), run it with:")
    print(f"  {_run_line(engine, image)}")


if __name__ == "__main__":
    run(main)
