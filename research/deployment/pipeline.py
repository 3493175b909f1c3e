"""The whole path: data, training, registry, BentoML store, Bento, and one client scored by the built service."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bentoml
from mlflow.entities.model_registry import ModelVersion

from bento import NAME
from bento.data.readers import read_client
from research import tracking
from research.cli import NO_TELEMETRY, ROOT, SERVING_PYTHON, CommandError, add_data_option, parser, run
from research.data.dataset import DATA, Data, open_data
from research.data.example_credit_files import credit_file
from research.deployment.build_bento import build_bento
from research.deployment.import_model import import_model
from research.evaluation.review_band import add_capacity_option
from research.registry.promote import print_verdict, promote
from research.training.train import DEFAULTS, Settings, print_training, train

READY_TIMEOUT_S = 60.0
"""Seconds given to a service to get ready."""


def pipeline(data: Data, reuse: bool = False, settings: Settings = DEFAULTS) -> bentoml.Bento:
    """From data to a built Bento; with `reuse`, steps whose product is there already are not done again.

    A challenger that the gate refuses leaves the champion in its place. A champion is not used again where review is
    asked for with another capacity than its own.

    Raises:
        CommandError: the gate refuses the first model of all.
    """
    client = tracking.connect()
    champion = tracking.registered(client, tracking.CHAMPION)
    if champion is None or not reuse or not _made_from(champion, data) or not _reviews(champion, settings):
        print_training(train(data, settings), data)
        print_verdict(promote(data, new_data=champion is not None and not _made_from(champion, data)))
        champion = tracking.champion(client)
    model = import_model(champion)
    print(f"{model.tag} imported from {NAME} version {champion.version}")
    bento = build_bento(reuse)
    print(f"{bento.tag} built")
    return bento


def _made_from(registered: ModelVersion, data: Data) -> bool:
    """Whether a version was trained on this data by this code."""
    return tracking.made_from(data.source).items() <= registered.tags.items()


def _reviews(registered: ModelVersion, settings: Settings) -> bool:
    """Whether a version's review capacity is the one asked for, if any is."""
    return not settings.capacity or registered.tags.get(tracking.CAPACITY_TAG) == f"{settings.capacity:g}"


def write_credit_file(data: Data, client: int) -> Path:
    """Write one client's credit file as JSON under data/credit_files, for curl and the UI."""
    path = DATA / "credit_files" / f"client_{client}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(credit_file(read_client(data.folder, "application_train", client)), indent=1) + "\n")
    return path


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str | Path], ready_url: str, log: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program in its own process group, ready on entry, stopped on exit with all its children.

    `settings` are added to the environment that it gets.

    Raises:
        CommandError: it ends, or is not ready in time; names the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | NO_TELEMETRY | settings
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, ready_url, log)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < end:
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
            raise CommandError(f"{said[-1].removeprefix('error: ')} (log: {log})")
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise CommandError(f"not ready after {READY_TIMEOUT_S:.0f} s (log: {log})")


def serving(bento: str, port: int) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """The built service, run in the environment that holds only what the container holds.

    Raises:
        CommandError: that environment is missing.
    """
    if not SERVING_PYTHON.is_file():
        raise CommandError(f"{SERVING_PYTHON.parent.parent} is missing; make it with: make setup")
    command: list[str | Path] = [SERVING_PYTHON, "-m", "bento.serve", "--bento", bento, "--port", str(port)]
    command += ["--no-auth", "--upgrade-journal"]
    return running(command, f"http://127.0.0.1:{port}/readyz", DATA / "logs" / "service.log")


def ask(url: str, body: bytes) -> dict[str, Any]:
    """POST a JSON body and return the JSON answer."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        answer: dict[str, Any] = json.load(response)
        return answer


def print_decision(answer: dict[str, Any]) -> None:
    """One client's decision in words."""
    print(
        f"client {answer['SK_ID_CURR']}: {answer['decision']}, probability of default "
        f"{answer['probability_of_default']:.4f}, threshold {answer['threshold']:.4f}, "
        f"{answer['model']['name']} version {answer['model']['version']}"
    )


def main() -> None:
    """The command line."""
    arguments = parser(
        "Data, training, registry, BentoML store, Bento, one client scored by the built service; nothing is left "
        "running.",
        "python -m research.deployment.pipeline --data data/raw",
    )
    add_data_option(arguments)
    arguments.add_argument("--client", type=int, help="SK_ID_CURR of the client to score; the first one by default")
    add_capacity_option(arguments)
    options = arguments.parse_args()
    settings = Settings(capacity=options.capacity)
    data = open_data(options.data)
    bento = pipeline(data, settings=settings)
    path = write_credit_file(data, options.client or data.first_client())
    port = free_port()
    with serving(str(bento.tag), port):
        print_decision(ask(f"http://127.0.0.1:{port}/predict", path.read_bytes()))
    print("serve this Bento with: make serve")


if __name__ == "__main__":
    run(main)
