"""The real service process under one keep-alive connection: `python -m tests.benchmarks.service FILE.json`."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import bentoml
import httpx

from bento import NAME
from research.pipeline import free_port, serving
from research.synthetic import write
from tests.benchmarks.measure import Figures, in_process, printed, spread

CLIENTS = 1500
"""Synthetic clients that a Bento is made of where the store holds none."""


def latest_bento() -> bentoml.Bento | None:
    """The Bento that `make serve` would start, or nothing."""
    bentos = [bento for bento in bentoml.bentos.list() if bento.tag.name == NAME]
    return max(bentos, key=lambda bento: bento.info.creation_time) if bentos else None


def timed(bento: bentoml.Bento, file: Path, seconds: float) -> Figures:
    """Milliseconds of /predict and /explain for one credit file, after a warm-up."""
    body, headers = file.read_bytes(), {"Content-Type": "application/json"}
    figures: Figures = {"bento": str(bento.tag)}
    port = free_port()
    with serving(str(bento.tag), port), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for endpoint in ("predict", "explain"):
            for _ in range(20):
                client.post(f"/{endpoint}", content=body, headers=headers).raise_for_status()
            taken: list[float] = []
            end = time.perf_counter() + seconds
            while len(taken) < 20 or time.perf_counter() < end:
                start = time.perf_counter()
                client.post(f"/{endpoint}", content=body, headers=headers).raise_for_status()
                taken.append(time.perf_counter() - start)
            figures[endpoint] = {"wall_ms": spread(taken), "requests": len(taken)}
    return figures


def _with_a_bento_of_its_own(arguments: Sequence[str]) -> Figures:
    """The same in a temporary store, in which the pipeline has built a Bento of a few synthetic clients."""
    with tempfile.TemporaryDirectory(prefix="credit_scoring_bench_") as home:
        stores = {
            "BENTOML_HOME": f"{home}/bentoml",
            "MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlflow.db",
            "SCORING_DATA": f"{home}/data",
        }
        folder = Path(home) / "clients"
        write(folder, CLIENTS)
        printed(Path(sys.executable), "research.pipeline", "--data", folder, **stores)
        return in_process(Path(sys.executable), "tests.benchmarks.service", *arguments, **stores)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("file", type=Path, metavar="FILE.json")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each endpoint")
    options = parser.parse_args(arguments)
    bento = latest_bento()
    if bento is None:
        figures = _with_a_bento_of_its_own([str(options.file), "--seconds", str(options.seconds)])
    else:
        figures = timed(bento, options.file, options.seconds)
    print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
