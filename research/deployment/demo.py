"""Train if needed, serve, open the UI, score a client; Ctrl-C stops everything."""

import argparse
import contextlib
import shlex
import signal

from bento.api.endpoints import PREDICT
from bento.serve import check_port, port_number
from research.cli import CommandError, add_data_option, shown
from research.data.dataset import open_data
from research.data.sample import write_sample
from research.deployment.pipeline import pipeline, pipeline_lock, print_decision, write_credit_file
from research.deployment.processes import LOGS, LOOPBACK, ask, running, service_log, serving, wait_for_end
from research.deployment.show import UI_PORT, ui_command
from research.evaluation.review_band import add_capacity_option
from research.training.settings import Settings

EXAMPLE = "python -m research demo --data data/raw"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add data, ports and the review capacity."""
    add_data_option(parser)
    parser.add_argument("--port", type=port_number, default=3000, help="port of the service")
    parser.add_argument("--ui-port", type=port_number, default=UI_PORT, help="port of the UI")
    add_capacity_option(parser)


def run(options: argparse.Namespace) -> None:
    """Run the steps of the pipeline whose product is missing, then service and UI until Ctrl-C or SIGTERM.

    Raises ServeError, before the first step, where a port is taken, and CommandError where a program ends by itself.
    """
    settings = Settings(capacity=options.capacity)
    _check_ports(options)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    service_url, ui_url = f"http://{LOOPBACK}:{options.port}", f"http://{LOOPBACK}:{options.ui_port}"
    with contextlib.ExitStack() as programs:
        # Until the service listens, so that another demo that has waited finds the port taken.
        with pipeline_lock():
            _check_ports(options)
            data = open_data(options.data)
            bento = pipeline(data, reuse=True, settings=settings)
            path = write_credit_file(data, data.first_client())
            clients = write_sample(data)
            service = programs.enter_context(serving(str(bento.tag), options.port))
        print_decision(ask(service_url + PREDICT.path, path.read_bytes()))
        ui_log = LOGS / f"ui_{options.ui_port}.log"
        ui_command_line = ui_command(options.ui_port)
        ui = programs.enter_context(
            running(
                ui_command_line,
                f"{ui_url}/_stcore/health",
                ui_log,
                API_URL=service_url,
                UI_CLIENTS=str(clients.resolve()),
            )
        )
        body = shlex.quote(f"@{shown(path)}")
        print(f"again:   curl -s -H 'Content-Type: application/json' --data {body} {service_url}{PREDICT.path}")
        print(f"service: {service_url}   UI: {ui_url}   Ctrl-C stops both", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            wait_for_end({service_log(options.port): service, ui_log: ui})


def _check_ports(options: argparse.Namespace) -> None:
    if options.port == options.ui_port:
        raise CommandError(f"--port and --ui-port are both {options.port}: choose two")
    check_port(LOOPBACK, options.port)
    check_port(LOOPBACK, options.ui_port, "--ui-port", "UI_PORT")
