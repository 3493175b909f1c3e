"""Starts the service of a built Bento on this machine: `python -m bento.serve --help`."""

import argparse
import os
import socket
import sys

import bentoml

from bento import NAME

FAULT = 2


def main() -> int:  # noqa: RET503 - the process becomes another
    """Check what would keep the service from starting, then become `bentoml serve`."""
    parser = argparse.ArgumentParser(description=main.__doc__, epilog="example: python -m bento.serve --port 3000")
    parser.add_argument("--bento", default=f"{NAME}:latest", help="tag of the Bento (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=3000, help="port to listen on (default: %(default)s)")
    options = parser.parse_args()
    try:
        tag = str(bentoml.bentos.get(options.bento).tag)
    except bentoml.exceptions.NotFound:
        return _fault(f"there is no Bento {options.bento}; build one with: make pipeline")
    try:
        with socket.create_server((options.host, options.port)):
            pass
    except OSError as error:
        return _fault(f"cannot listen on {options.host}:{options.port}: {error.strerror}; choose another --port")
    command = ["bentoml", "serve", tag, "--host", options.host, "--port", str(options.port)]
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    print(f"serving {tag} on http://{options.host}:{options.port}", file=sys.stderr, flush=True)  # noqa: T201
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606 - the same interpreter, no shell


def _fault(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)  # noqa: T201
    return FAULT


if __name__ == "__main__":
    sys.exit(main())
