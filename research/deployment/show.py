"""Show the page of the loan officers, or the runs and the registry of MLflow, in the browser."""

import argparse
import os
import sys
from pathlib import Path

from bento.serve import check_port, port_number
from research import tracking
from research.cli import NO_TELEMETRY, ROOT, CommandError
from research.data.sample import newest_sample
from research.deployment.processes import LOOPBACK
from research.settings import Settings

EXAMPLE = "python -m research show ui --port 8502"
UI_PORT, MLFLOW_PORT = 8501, 5000


def ui_command(port: int) -> list[str]:
    """Return the command line that serves the page of the loan officers on a port of this machine."""
    return [sys.executable, "-m", "streamlit", "run", str(Path("ui", "app.py")), "--server.port", str(port)]


def mlflow_command(port: int, store: str) -> list[str]:
    """Return the command line that serves the pages of MLflow on a store, on a port of this machine."""
    options = ["--backend-store-uri", store, "--host", LOOPBACK, "--port", str(port)]
    return [sys.executable, "-m", "mlflow", "server", *options]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a subcommand for each of the two, with its port."""
    commands = parser.add_subparsers(dest="command", required=True)
    ui, ml = "show the page of the loan officers, for the service that API_URL names", "show runs and registry"
    for name, text, port in (("ui", ui, UI_PORT), ("mlflow", ml, MLFLOW_PORT)):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--port", type=port_number, default=port, help=f"port of the page, by default {port}")


def run(options: argparse.Namespace) -> None:
    """Check the port, then replace this process by the program that serves the page."""
    check_port(LOOPBACK, options.port, variable="UI_PORT" if options.command == "ui" else "MLFLOW_PORT")
    if options.command == "ui":
        command = ui_command(options.port)
    else:
        store = Settings().mlflow_tracking_uri
        if store.startswith(("http://", "https://")):
            raise CommandError("MLFLOW_TRACKING_URI names a server of MLflow: open its address in a browser")
        tracking.connect()
        command = mlflow_command(options.port, store)
    sample = newest_sample()
    settings = {} if sample is None else {"UI_CLIENTS": str(sample.resolve())}
    os.chdir(ROOT)
    os.execve(command[0], command, settings | os.environ | NO_TELEMETRY)  # noqa: S606 - no shell
