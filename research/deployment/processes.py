"""The processes of a pipeline: the service, the UI, their ports."""

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

from research.cli import NO_TELEMETRY, ROOT, SERVING_PYTHON, CommandError, last_line
from research.data.dataset import DATA

READY_TIMEOUT_S = 60.0
"""Seconds that a service may take to become ready; a start takes 3 to 10 on two cores."""


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(
    command: list[str | Path], ready_url: str, log: Path, ready_timeout_s: float = READY_TIMEOUT_S, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a new process group: ready on entry, stopped on exit with all its children.

    `settings` are added to its environment. Raises CommandError, which names the log, where the program ends, or is not
    ready in time.
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
        _wait_until_ready(process, ready_url, log, ready_timeout_s)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path, timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if process.poll() is not None:
            message = last_line(log.read_text(errors="replace"), "it ended without a message")
            raise CommandError(f"{message.removeprefix('error: ')} (log: {log})")
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise CommandError(f"not ready after {timeout_s:.0f} s (log: {log})")


def serving(
    bento: str, port: int, ready_timeout_s: float = READY_TIMEOUT_S
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """Run the built service in the packages of the container; raise CommandError where they are not installed."""
    if not SERVING_PYTHON.is_file():
        raise CommandError(f"{SERVING_PYTHON.parent.parent} is missing; make it with: make setup")
    command: list[str | Path] = [SERVING_PYTHON, "-m", "bento", "serve", "--bento", bento, "--port", str(port)]
    command += ["--no-auth", "--upgrade-journal"]
    return running(command, f"http://127.0.0.1:{port}/readyz", DATA / "logs" / "service.log", ready_timeout_s)


def ask(url: str, body: bytes) -> dict[str, Any]:
    """POST a JSON body and return the JSON answer."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        answer: dict[str, Any] = json.load(response)
        return answer
