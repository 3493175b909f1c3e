"""The real service under load, beside other servers of the same model: `python -m tests.benchmarks.service --help`."""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import bentoml
import httpx
import numpy as np
import psutil

from bento.data.credit_file import CreditFile
from bento.model.manifest import FOLDER_IN_STORE
from bento.model.scoring_model import ScoringModel
from research.deployment.processes import ask, free_port, serving
from tests.benchmarks import anchors
from tests.benchmarks.anchors import Anchor
from tests.benchmarks.measure import Figures, in_process, in_turn, peak_memory, spread
from tests.support.workers import workers_of

PYTHON = Path(sys.executable)
ANCHORS = ("mlflow", "fastapi", "bentoml")
"""What is measured beside the service; see `tests.benchmarks.anchors`."""
WARM_UP = 20
"""Requests at one connection that are not counted."""
CONNECTIONS = 16
"""Of the sustained load."""
BATCHES = 5
"""Of each kind, each round."""
MAX_LARGE_AT_ONCE = 4
"""Of the largest batches: more than there are workers, so that one has to wait for another."""
POLL_EVERY = 0.02
"""Seconds between two looks at /livez."""
SYNCS = 100

Workers = Sequence[psutil.Process]


def measured(
    bento: bentoml.Bento, files: Path, seconds: float, sustained: float, rounds: int, soak: int, logs: Path
) -> Figures:
    """Every figure of the service, and those of the anchors for the same model.

    Args:
        bento: what is served, in the serving environment, with a journal in SQLite (JOURNAL_URL).
        files: what `credit_files.write_requests` wrote.
        seconds: for each thing measured at one connection, in each round.
        sustained: seconds of the sustained load.
        rounds: of what is measured in turn, and cold starts.
        soak: requests over which memory is watched; 0 for none.
        logs: folder for the logs of the anchors.
    """
    model = bentoml.models.get(bento.info.all_models[0].tag)
    scoring = ScoringModel(Path(model.path_of(FOLDER_IN_STORE)))
    _write_features(scoring, files)
    figures: Figures = {
        "bento": str(bento.tag),
        "model": {"family": scoring.manifest.family, "features": len(scoring.feature_names)},
        "disk_sync_ms": _disk_sync(files),
    }
    cold_starts: list[float] = []
    for _ in range(rounds - 1):
        with _ours(str(bento.tag), cold_starts):
            pass
    with (
        _ours(str(bento.tag), cold_starts) as (ours, workers),
        anchors.started(Path(model.path_of("mlflow_model")), scoring.folder, logs) as others,
    ):
        memory = {"workers": len(workers), "ready_mib": _rss(workers)}
        _check(ours, others, files)
        figures |= _one_connection(ours, others, files, seconds, rounds, workers)
        memory["after_one_connection_mib"] = _rss(workers)
        figures |= _batches(ours, files, figures["predict"], rounds, workers)
        memory |= {"after_largest_batches_mib": _rss(workers), "peak_mib": _peak(workers)}
        figures |= _sustained(ours, others, files, sustained, rounds, workers)
        memory["after_sustained_mib"] = _rss(workers)
        if soak:
            figures["soak"] = _soak(ours, files, soak, workers)
        figures["memory"] = memory
    figures["cold_start_seconds"] = {"median": median(cold_starts), "worst": max(cold_starts), "starts": rounds}
    batch, at_once = figures["predict_batch"]["files_per_second"], figures["sustained"]["requests_per_second"]
    figures["predict_batch"]["over_sustained"] = batch / at_once
    figures |= {f"{name}_over_ours": ratios(figures, name) for name in ANCHORS}
    explain, predict = (figures[name]["wall_ms"]["median"] for name in ("explain", "predict"))
    figures["explain"]["over_predict"] = explain / predict
    return figures


def _load(
    url: str, bodies: Path, watched: Workers = (), *, answering: Workers = (), warm_up: int = WARM_UP, **options: float
) -> Figures:
    """Run Locust; return requests, errors, requests a second, milliseconds, and the memory of watched processes.

    With the processes that are `answering` come the milliseconds of the processor that they take for a request.
    """
    options["warm_up"] = warm_up
    before = _processor(answering)
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    words += [word for worker in watched for word in ("--watch", worker.pid)]
    load = in_process(PYTHON, "tests.benchmarks.load", url, bodies, *words)
    answers, faults = load["answers"], load["faults"]
    if not answers:
        raise RuntimeError(f"{url}: no request was answered: {faults}")
    return {
        "requests": len(answers),
        "errors": sum(faults.values()),
        "faults": [f"{count} x {what}" for what, count in faults.items()],
        "requests_per_second": len(answers) / load["seconds"],
        "wall_ms": spread(answers),
        "percentiles_ms": dict(zip(PLACES, (1000 * np.percentile(answers, PLACES)).tolist(), strict=True)),
        "memory": load["memory"],
        "processor_ms": 1000 * (_processor(answering) - before) / (len(answers) + sum(faults.values()) + warm_up),
    }


PLACES = (1, 5, 10, 25, 50, 75, 90, 95, 98, 99, 99.5, 99.9)
"""Percentiles that are drawn."""


def _one_connection(
    ours: str, others: Mapping[str, Anchor], files: Path, seconds: float, rounds: int, workers: Workers
) -> Figures:
    """Measure our service and the anchors, alternating so that noise affects all alike."""

    def job(url: str, bodies: str, answering: Workers) -> Callable[[], Figures]:
        return lambda: _load(url, files / bodies, answering=answering, seconds=seconds)

    jobs = {"predict": job(f"{ours}/predict", "average", workers)}
    jobs |= {name: job(other.url, other.bodies, other.processes) for name, other in others.items()}
    jobs["explain"] = job(f"{ours}/explain", "average", workers)
    return in_turn(jobs, rounds)


def _batches(ours: str, files: Path, predict: Figures, rounds: int, workers: Workers) -> Figures:
    """Measure batches of a hundred average files, with and without reasons, and several of the largest beside /livez.

    Besides files a second, the processor time of a file is compared with that of a single request (`predict`).
    """
    url, several = f"{ours}/predict_batch", {"requests": BATCHES * rounds, "warm_up": 2}
    batch = _load(url, files / "batch", answering=workers, **several)
    explained = _load(f"{url}?reasons=true", files / "batch", answering=workers, **several)
    with _watched(ours) as livez:
        largest = _load(url, files / "largest", connections=MAX_LARGE_AT_ONCE, **several)
    for figures, name in ((batch, "batch"), (explained, "batch"), (largest, "largest")):
        count = len(json.loads((files / name / "batch.json").read_bytes())["credit_files"])
        figures |= {"credit_files": count, "files_per_second": count * figures["requests_per_second"]}
        figures["over_one_by_one"] = figures["files_per_second"] / predict["requests_per_second"]
    return {"predict_batch": batch, "batch_with_reasons": explained, "largest_batch": largest | {"livez": livez}}


def _sustained(
    ours: str, others: Mapping[str, Anchor], files: Path, seconds: float, rounds: int, workers: Workers
) -> Figures:
    """Measure many connections over a long time beside /livez; in each round, each anchor for a third of the time."""
    part = seconds / rounds

    def job(url: str, bodies: str, answering: Workers, part: float) -> Figures:
        options = {"connections": CONNECTIONS, "warm_up": 5 * CONNECTIONS, "seconds": part}
        figures = _load(url, files / bodies, answering=answering, **options)
        return figures | {"connections": CONNECTIONS, "seconds": part * rounds}

    def watched() -> Figures:
        with _watched(ours) as livez:
            figures = job(f"{ours}/predict", "average", workers, part)
        return figures | {"livez": livez}

    jobs: dict[str, Callable[[], Figures]] = {"sustained": watched}
    for name, other in others.items():
        jobs[f"{name}_sustained"] = partial(job, other.url, other.bodies, other.processes, part / 3)
    return in_turn(jobs, rounds)


def _soak(ours: str, files: Path, requests: int, workers: Workers) -> Figures:
    """Measure memory over many requests, and its growth after the first tenth."""
    figures = _load(f"{ours}/predict", files / "average", workers, connections=CONNECTIONS, requests=requests)
    count, mib = np.array(figures["memory"][1:]).T
    slope = float(np.polyfit(count, mib, 1)[0])
    return figures | {"most_mib": float(mib.max()), "mib_per_10000_requests": 10_000 * slope}


def ratios(figures: Mapping[str, Any], anchor: str) -> Figures:
    """Return how many times slower an anchor is from finished features than ours from raw tables."""
    ours, theirs = figures["predict"]["wall_ms"], figures[anchor]["wall_ms"]
    able = figures["sustained"]["requests_per_second"] / figures[f"{anchor}_sustained"]["requests_per_second"]
    return {place: theirs[place] / ours[place] for place in ours} | {"requests_per_second": able}


@contextlib.contextmanager
def _ours(bento: str, cold_starts: list[float]) -> Iterator[tuple[str, Workers]]:
    """The address of the service and the processes that answer; the seconds until it was ready are added."""
    port, start = free_port(), time.perf_counter()
    with serving(bento, port) as process:
        cold_starts.append(time.perf_counter() - start)
        yield f"http://127.0.0.1:{port}", workers_of(psutil.Process(process.pid))


def _write_features(model: ScoringModel, files: Path) -> None:
    """The features of each average credit file, as MLflow's server takes them, and as the other anchors do."""
    for name in ("features", "finished"):
        (files / name).mkdir()
    for path in (files / "average").glob("*.json"):
        features = model.features([CreditFile.model_validate_json(path.read_bytes())]).select(model.feature_names)
        content = {"dataframe_split": {"columns": features.columns, "data": [list(features.row(0))]}}
        (files / "features" / path.name).write_text(json.dumps(content))
        (files / "finished" / path.name).write_text(json.dumps({"features": features.row(0, named=True)}))


def _check(ours: str, others: Mapping[str, Anchor], files: Path) -> None:
    """Make sure that it is the same model, that reasons are given and decisions journalled, and batches answered."""
    for path in sorted((files / "average").glob("*.json"))[:3]:
        answer = ask(f"{ours}/predict", path.read_bytes())
        if not (answer["reasons"] and answer["decision_id"]):
            raise RuntimeError(f"{path.name}: no reasons or no decision: {answer}")
        for name, other in others.items():
            theirs = ask(other.url, (files / other.bodies / path.name).read_bytes())
            (theirs,) = theirs.get("predictions", [theirs])
            if not abs(theirs["probability_of_default"] - answer["probability_of_default"]) < 1e-9:
                raise RuntimeError(f"{path.name}: {name} says {theirs}, ours {answer}")
    for name in ("batch", "largest"):
        results = ask(f"{ours}/predict_batch", (files / name / "batch.json").read_bytes())["results"]
        if problems := [result["problem"] for result in results if result["problem"]]:
            raise RuntimeError(f"{name}: {problems[0]}")


@contextlib.contextmanager
def _watched(url: str) -> Iterator[Figures]:
    """How long /livez takes meanwhile; the figures are there once it is over."""
    over = threading.Event()
    taken: list[float] = []
    failed: list[str] = []

    def poll() -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            while not over.wait(POLL_EVERY):
                start = time.perf_counter()
                try:
                    client.get("/livez").raise_for_status()
                except httpx.HTTPError as error:
                    failed.append(str(error))
                taken.append(time.perf_counter() - start)

    figures: Figures = {}
    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield figures
    finally:
        over.set()
        thread.join()
    figures |= spread(taken) | {"worst": 1000 * max(taken), "polls": len(taken), "errors": len(failed)}


def _disk_sync(folder: Path) -> float:
    """Milliseconds (median) in which the disk of the journal takes a page for good: the floor of a decision's time."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            start = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - start)
    return 1000 * median(taken)


def _rss(workers: Workers) -> float:
    """Of the one that takes most, as is the peak."""
    return max(float(worker.memory_info().rss / 2**20) for worker in workers)


def _peak(workers: Workers) -> float:
    return max(peak_memory(worker.pid) for worker in workers)


def _processor(workers: Workers) -> float:
    """Seconds of all of them."""
    return sum(float(times.user + times.system) for times in (worker.cpu_times() for worker in workers))


def main() -> None:
    """The command line: prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("files", type=Path, metavar="DIR", help="what credit_files.write_requests wrote")
    parser.add_argument("--bento", required=True, help="tag of the Bento")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each endpoint at one connection, each round")
    parser.add_argument("--sustained", type=float, default=60.0, help="seconds of the sustained load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=int, default=0, help="requests over which memory is watched")
    options = parser.parse_args()
    bento = bentoml.bentos.get(options.bento)
    figures = measured(
        bento, options.files, options.seconds, options.sustained, options.rounds, options.soak, options.files
    )
    print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
