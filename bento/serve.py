"""Start the service of a built Bento on this machine: `python -m bento serve --help`."""

import argparse
import errno
import ipaddress
import os
import socket
import sys
import time
from pathlib import Path

from bento import NAME, CorrectableError
from bento.journal.schema import REVISION
from bento.journal.store import Journal
from bento.journal.vault import Vault
from bento.settings import AUTH_VARIABLE, JOURNAL_VARIABLE, Settings

LOOPBACK = ("127.0.0.1", "::1")
MAX_PORT = 65_535
PORT_TIMEOUT_S = 3.0
"""Seconds to wait for a port that is taken."""


class ServeError(CorrectableError):
    """The service cannot start."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--bento", default=f"{NAME}:latest", help="tag of the Bento (default: %(default)s)")
    parser.add_argument("--host", type=ip, default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=port_number, default=3000, help="port to listen on (default: %(default)s)")
    parser.add_argument("--no-auth", action="store_true", help="ask for no API keys; on 127.0.0.1 and ::1 only")
    parser.add_argument(
        "--upgrade-journal", action="store_true", help="make the journal, or bring it up to date, first"
    )
    parser.set_defaults(run=serve)


def serve(options: argparse.Namespace, settings: Settings) -> int:
    """Check what would keep the service from starting, then replace this process by `bentoml serve`.

    Raises:
        ServeError: the address must not or cannot be used, or there is no such Bento.
        JournalError: the journal cannot be upgraded.
        VaultError: the master key is unusable.
    """
    if options.no_auth and options.host not in LOOPBACK:
        raise ServeError(f"--no-auth is for loopback alone, not for {options.host}")
    home = Path(settings.bentoml_home or Path.home() / "bentoml")
    tag = _resolved(options.bento, home)
    if tag is None:
        raise ServeError(f"there is no Bento {options.bento}; build one with: make pipeline")
    wait_for_port(options.host, options.port)
    settings = settings.resolved()
    journal_url = settings.journal_address
    if options.upgrade_journal:
        _upgrade(journal_url, settings)
    # The service reads its settings from its environment, which is this one with what the options change.
    environment = {"BENTOML_DO_NOT_TRACK": "True", **os.environ, JOURNAL_VARIABLE: journal_url}
    if options.no_auth:
        environment[AUTH_VARIABLE] = "off"
    command = ["bentoml", "serve", tag, "--host", options.host, "--port", str(options.port)]
    print(f"serving {tag} on http://{options.host}:{options.port}", file=sys.stderr, flush=True)
    os.execve(sys.executable, [sys.executable, "-m", *command], environment)  # noqa: S606 - no shell


def ip(text: str) -> str:
    """Return the address that an option names; raise ArgumentTypeError for a name, which BentoML cannot listen on."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no IP address, such as 127.0.0.1 or 0.0.0.0") from error


def port_number(text: str) -> int:
    """Return the port that an option names; raise ArgumentTypeError where no program can listen on it."""
    port = int(text)
    if not 1 <= port <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"{port} is not between 1 and {MAX_PORT}")
    return port


def check_port(host: str, port: int, option: str = "--port", variable: str = "PORT") -> None:
    """Make sure that a program can listen on an address; `option` names its port, or `variable` for `make`.

    Raises:
        ServeError: the port is taken or not allowed, or the host is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            pass
    except OSError as error:
        remedy = f"choose another {option} (with make: {variable}=...)"
        if error.errno == errno.EADDRINUSE:
            remedy = f"stop the program that listens there, or {remedy}"
        elif error.errno == errno.EADDRNOTAVAIL:
            remedy = "choose another --host"
        reason = str(error.strerror).partition(" (while ")[0]  # Python repeats the address there
        raise ServeError(f"cannot listen on {host}:{port}: {reason}; {remedy}") from error


def wait_for_port(host: str, port: int, timeout_s: float = PORT_TIMEOUT_S) -> None:
    """Wait while a port is taken: the workers of a service that was killed need a moment to end.

    Raises:
        ServeError: as `check_port`; where the port is taken, after `timeout_s` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return check_port(host, port)
        except ServeError as error:
            is_taken = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE
            if not is_taken or time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _resolved(tag: str, home: Path) -> str | None:
    """Return the tag with its version, from the files of the store: BentoML's own command takes half a second."""
    name, _, version = tag.partition(":")
    folder = home / "bentos" / name
    try:
        if version in ("", "latest"):
            version = (folder / "latest").read_text("utf-8").strip()
    except OSError:
        return None
    return f"{name}:{version}" if (folder / version / "bento.yaml").is_file() else None


def _upgrade(journal_url: str, settings: Settings) -> None:
    journal = Journal(journal_url, Vault.of(settings))
    if journal.revision() != REVISION:
        from bento.journal.upgrade import upgrade  # noqa: PLC0415 - a tenth of a second that few starts need

        upgrade(journal)
    journal.close()
