"""Starts the service of a built Bento on this machine: `python -m bento.serve --help`."""

import argparse
import os
import socket
import sys
from pathlib import Path

from bento import NAME
from bento.api.keys import AUTH_VARIABLE
from bento.journal.database import URL_VARIABLE, journal_url
from bento.journal.entries import JournalError
from bento.journal.schema import REVISION
from bento.journal.store import Journal
from bento.journal.vault import Vault, VaultError

FAULT = 2
LOOPBACK = ("127.0.0.1", "::1")


def main() -> int:  # noqa: RET503 - the process becomes another
    """Check what would keep the service from starting, then become `bentoml serve`."""
    parser = argparse.ArgumentParser(description=main.__doc__, epilog="example: python -m bento.serve --port 3000")
    parser.add_argument("--bento", default=f"{NAME}:latest", help="tag of the Bento (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=3000, help="port to listen on (default: %(default)s)")
    parser.add_argument("--no-auth", action="store_true", help="ask for no API keys; on 127.0.0.1 and ::1 only")
    parser.add_argument(
        "--upgrade-journal", action="store_true", help="make the journal, or bring it up to date, first"
    )
    options = parser.parse_args()
    if options.no_auth and options.host not in LOOPBACK:
        return _fault(f"--no-auth is for loopback alone, not for {options.host}")
    tag = _found(options.bento)
    if tag is None:
        return _fault(f"there is no Bento {options.bento}; build one with: make pipeline")
    try:
        with socket.create_server((options.host, options.port)):
            pass
    except OSError as error:
        return _fault(f"cannot listen on {options.host}:{options.port}: {error.strerror}; choose another --port")
    if options.no_auth:
        os.environ[AUTH_VARIABLE] = "off"
    try:
        _settle_journal(upgrade_it=options.upgrade_journal)
    except (JournalError, VaultError) as error:
        return _fault(str(error))
    command = ["bentoml", "serve", tag, "--host", options.host, "--port", str(options.port)]
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    print(f"serving {tag} on http://{options.host}:{options.port}", file=sys.stderr, flush=True)
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606 - the same interpreter, no shell


def _found(tag: str) -> str | None:
    """The Bento of that tag, its version spelt out, from the store's files: BentoML takes half a second to say it."""
    name, _, version = tag.partition(":")
    folder = Path(os.environ.get("BENTOML_HOME") or Path.home() / "bentoml") / "bentos" / name
    try:
        if version in ("", "latest"):
            version = (folder / "latest").read_text("utf-8").strip()
    except OSError:
        return None
    return f"{name}:{version}" if (folder / version / "bento.yaml").is_file() else None


def _settle_journal(upgrade_it: bool) -> None:
    """Name the journal by a path that is the same wherever the workers run, and have it made if that is wished."""
    url = journal_url()
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        url = f"sqlite:///{Path(url.removeprefix('sqlite:///')).resolve()}"
    os.environ[URL_VARIABLE] = url
    if upgrade_it:
        journal = Journal(url, Vault.from_environment())
        if journal.revision() != REVISION:
            from bento.journal.upgrade import upgrade  # noqa: PLC0415 - a tenth of a second that few starts need

            upgrade(journal)
        journal.close()


def _fault(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return FAULT


if __name__ == "__main__":
    sys.exit(main())
