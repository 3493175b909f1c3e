"""The processes of a pipeline: the service, the UI, their ports."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import psutil

from bento.api import endpoints
from research.cli import NO_TELEMETRY, ROOT, SERVING_PYTHON, CommandError, last_line
from research.data.dataset import DATA

READY_TIMEOUT_S = 300.0
"""Seconds that a program may take to become ready; 3 to 10 on two idle cores, and a program that has ended is not
waited for."""
NOTICE_INTERVAL_S = 15.0
"""Seconds between two lines that tell that a program is still starting."""
ANSWER_TIMEOUT_S = 5.0
"""Seconds that a ready program may take to report that it is."""
LOOK_INTERVAL_S = 0.5
"""Seconds between two looks at whether programs still run."""
STOP_TIMEOUT_S = 10.0
REQUEST_TIMEOUT_S = 30.0
LOOPBACK = "127.0.0.1"
LOGS = DATA / "logs"

# Without the proxies of the environment: one of a company does not know the ports of this machine.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], ready_url: str, log: Path, ready_timeout_s: float = READY_TIMEOUT_S, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a new process group: ready on entry, stopped on exit with all its children.

    `settings` are added to its environment. Raises CommandError where another program answers at `ready_url`, and, with
    the name of the log, where the program ends or is not ready in time.
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
    family: list[psutil.Process] = []
    try:
        _wait_until_ready(process, ready_url, log, ready_timeout_s)
        family = _family(process)  # kept, because children of a process that is killed cannot be found any more
        yield process
    finally:
        family += _family(process)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOP_TIMEOUT_S)
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait()


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return a process and those that it has started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        first = psutil.Process(process.pid)
        return [first, *first.children(recursive=True)]
    return []


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path, timeout_s: float) -> None:
    start = time.monotonic()
    notice_s = NOTICE_INTERVAL_S
    while (waited := time.monotonic() - start) < timeout_s:
        if process.poll() is not None:
            message = last_line(log.read_text(errors="replace"), "it ended without a message")
            raise CommandError(f"{message.removeprefix('error: ')} (log: {log})")
        if _answers(url):
            _require_listener(process, url)
            return
        if waited > notice_s:
            print(f"{log.stem} is still starting after {waited:.0f} s (log: {log})", file=sys.stderr, flush=True)
            notice_s += NOTICE_INTERVAL_S
        time.sleep(0.1)
    raise CommandError(f"not ready after {timeout_s:.0f} s (log: {log}); run this again when the machine is less busy")


def wait_for_end(programs: Mapping[Path, subprocess.Popen[bytes]]) -> NoReturn:
    """Wait until one of several programs, by their logs, ends by itself, and raise CommandError with its log."""
    while True:
        for log, process in programs.items():
            if process.poll() is not None:
                raise CommandError(f"{log.stem} has ended by itself, with exit code {process.returncode} (log: {log})")
        time.sleep(LOOK_INTERVAL_S)


def _answers(url: str) -> bool:
    try:
        with _open(url, timeout=ANSWER_TIMEOUT_S):
            return True
    except (OSError, http.client.HTTPException):
        return False


def _require_listener(process: subprocess.Popen[bytes], url: str) -> None:
    """Raise CommandError unless a process, or one that it started, listens on the port of an address."""
    port = urllib.parse.urlsplit(url).port
    for member in _family(process):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            connections = member.net_connections("tcp")
            if any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in connections):
                return
    raise CommandError(f"another program answers on port {port}: stop it, or choose another port")


@contextlib.contextmanager
def serving(bento: str, port: int, ready_timeout_s: float = READY_TIMEOUT_S) -> Iterator[subprocess.Popen[bytes]]:
    """Run the built service in the packages of the container: ready on entry, and of this Bento.

    Raises CommandError where the packages are not installed, or the service cannot start or serves another Bento.
    """
    if not SERVING_PYTHON.is_file():
        raise CommandError(f"{SERVING_PYTHON.parent.parent} is missing; make it with: make setup")
    command: list[str | Path] = [SERVING_PYTHON, "-m", "bento", "serve", "--bento", bento, "--port", str(port)]
    command += ["--no-auth", "--upgrade-journal"]
    url = f"http://{LOOPBACK}:{port}"
    with running(command, url + endpoints.READYZ.path, service_log(port), ready_timeout_s) as process:
        with _open(url + endpoints.MODEL.path, timeout=REQUEST_TIMEOUT_S) as response:
            served = json.load(response)["bento"]
        if served != bento:
            raise CommandError(f"{url} serves Bento {served}, not {bento}: stop it, or choose another port")
        yield process


def service_log(port: int) -> Path:
    """Return the log of the service on a port; it begins anew with each start."""
    return LOGS / f"service_{port}.log"


def ask(url: str, body: bytes) -> dict[str, Any]:
    """POST a JSON body and return the JSON answer; raise CommandError where the service declines."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    try:
        with _open(request, timeout=REQUEST_TIMEOUT_S) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as error:
        raise CommandError(f"{url} answers {error.code} {error.reason}; its log in {LOGS} holds the reason") from error
