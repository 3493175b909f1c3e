"""Train if needed, serve, open the UI, score a client; Ctrl-C stops everything."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from research.cli import add_data_option, shown
from research.data.dataset import DATA, open_data
from research.deployment.pipeline import pipeline, print_decision, write_credit_file
from research.deployment.processes import ask, running, serving
from research.evaluation.review_band import add_capacity_option
from research.training.settings import Settings

EXAMPLE = "python -m research demo --data data/raw"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add data, ports and the review capacity."""
    add_data_option(parser)
    parser.add_argument("--port", type=int, default=3000, help="port of the service")
    parser.add_argument("--ui-port", type=int, default=8501, help="port of the UI")
    add_capacity_option(parser)


def run(options: argparse.Namespace) -> None:
    """Run the steps of the pipeline whose product is missing, then service and UI until Ctrl-C or SIGTERM."""
    settings = Settings(capacity=options.capacity)
    data = open_data(options.data)
    bento = pipeline(data, reuse=True, settings=settings)
    path = write_credit_file(data, data.first_client())
    service_url, ui_url = f"http://127.0.0.1:{options.port}", f"http://127.0.0.1:{options.ui_port}"
    streamlit = Path(sys.executable).with_name("streamlit")
    ui: list[str | Path] = ["env", f"API_URL={service_url}", streamlit, "run", "ui/app.py"]
    ui += ["--server.port", str(options.ui_port)]
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with serving(str(bento.tag), options.port), running(ui, f"{ui_url}/_stcore/health", DATA / "logs" / "ui.log"):
        print_decision(ask(f"{service_url}/predict", path.read_bytes()))
        print(f"again:   curl -s -H 'Content-Type: application/json' --data @{shown(path)} {service_url}/predict")
        print(f"service: {service_url}   UI: {ui_url}   Ctrl-C stops both", flush=True)
        stop.wait()
