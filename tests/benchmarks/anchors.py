"""What the service is measured beside: servers of the same model that get finished features, and give no reasons.

MLflow's own server, and minimal ones with FastAPI and BentoML (`finished_features`). None of them reads a credit file,
checks it, or keeps a record.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from research.cli import SERVING_PYTHON
from research.deployment.processes import free_port, running
from tests.benchmarks.finished_features import MODEL_VARIABLE

PYTHON = Path(sys.executable)
SERVERS = "tests.benchmarks.finished_features"


@dataclass(frozen=True)
class Anchor:
    """A running server: what is asked, the folder of its request bodies, and its processes."""

    url: str
    bodies: str
    processes: tuple[psutil.Process, ...]


@contextlib.contextmanager
def started(stored_model: Path, folder: Path, logs: Path) -> Iterator[dict[str, Anchor]]:
    """Start the anchors; yield them by name.

    Args:
        stored_model: MLflow's folder of the model.
        folder: the model folder in it.
        logs: folder for their logs.
    """
    ports = [free_port() for _ in range(3)]
    options = ["--host", "127.0.0.1", "--port"]
    mlflow = [PYTHON.with_name("mlflow"), "models", "serve", "--model-uri", stored_model, "--workers", "1"]
    fastapi = [PYTHON, "-m", "uvicorn", "--factory", f"{SERVERS}:application", "--no-access-log"]
    bentoml = [SERVING_PYTHON, "-m", "bentoml", "serve", f"{SERVERS}:Floor"]
    servers = {
        "mlflow": ([*mlflow, "--env-manager", "local", *options], "/ping", "/invocations", "features"),
        "fastapi": ([*fastapi, *options], "/livez", "/predict", "finished"),
        "bentoml": ([*bentoml, *options], "/readyz", "/predict", "finished"),
    }
    path = f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"  # MLflow calls uvicorn by name
    with contextlib.ExitStack() as stack:
        anchors = {}
        for (name, (command, ready, asked, bodies)), port in zip(servers.items(), ports, strict=True):
            url = f"http://127.0.0.1:{port}"
            environment = {"PATH": path, MODEL_VARIABLE: str(folder)}
            server = running([*command, str(port)], url + ready, logs / f"{name}.log", **environment)
            process = psutil.Process(stack.enter_context(server).pid)
            anchors[name] = Anchor(url + asked, bodies, (process, *process.children(recursive=True)))
        yield anchors
