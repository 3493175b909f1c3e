"""Run every benchmark and write one table, `benchmarks.json` and a figure: `python -m tests.benchmarks --help`."""

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import bentoml

from bento import NAME
from bento.model.manifest import FOLDER_IN_STORE, SCORING_FILE, ModelManifest
from bento.settings import JOURNAL_VARIABLE
from research.cli import ROOT, SERVING_PYTHON, CommandError, parser, run
from research.data.dataset import open_folder
from tests.benchmarks.calibration import Calibration
from tests.benchmarks.credit_files import write_requests, write_three
from tests.benchmarks.figure import draw, draw_layers
from tests.benchmarks.measure import Figures, in_process, in_turn, printed
from tests.benchmarks.table import table

PYTHON = Path(sys.executable)
LIBRARIES = (
    "polars",
    "pandas",
    "pyarrow",
    "numpy",
    "pydantic",
    "lightgbm",
    "bentoml",
    "sqlalchemy",
    "mlflow",
    "locust",
    "evidently",
)
RESULT, PICTURE, LAYERS_PICTURE = "benchmarks.json", "service.png", "request_layers.png"


def benchmarks(
    bento: bentoml.Bento,
    clients: int,
    seed: int,
    full: Path | None,
    seconds: float,
    rounds: int,
    sustained: float,
    soak: int,
) -> Figures:
    """Return every figure: offline, online, service, and with `full` the features of a folder of full size.

    Args:
        bento: what is served.
        clients: synthetic clients to make the features of, and to score.
        seed: of the synthetic clients.
        full: a folder of Parquet files.
        seconds: for each measurement that is repeated.
        rounds: runs of each process, alternating with those it is compared to.
        sustained: seconds of the service under many connections.
        soak: requests over which the memory of the service is watched; 0 for none.

    Raises:
        CommandError: the serving environment is missing.
    """
    if not SERVING_PYTHON.is_file():
        raise CommandError(f"{SERVING_PYTHON.parent.parent} is missing; make it with: make setup")
    with tempfile.TemporaryDirectory(prefix="credit_scoring_bench_") as place:
        folder, files, load = Path(place) / "clients", Path(place) / "files", Path(place) / "load"
        _report(f"making {clients:,} synthetic clients")
        _make_clients(folder, clients, seed)
        chosen, asked = write_three(folder, files), write_requests(folder, load)
        figures: Figures = {"data": "synthetic", "clients": clients, "seed": seed, "machine": machine()}
        calibration = Calibration()
        calibration.take("before")
        _report("offline: ours and pandas in turn")
        figures["offline"] = _offline(folder, rounds)
        _report("online: ours and pandas in turn, one thread")
        figures["online"] = _online(bento, files, chosen, seconds, rounds)
        calibration.take("before the service")
        _report("service, and other servers of the same model beside it")
        options = {"bento": bento.tag, "seconds": 4 * seconds, "rounds": rounds, "sustained": sustained, "soak": soak}
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        # As in the image, the code is compiled once and not at each start.
        environment = {JOURNAL_VARIABLE: f"sqlite:///{place}/journal.db", "PYTHONDONTWRITEBYTECODE": ""}
        service = in_process(PYTHON, "tests.benchmarks.service", load, *words, **environment)
        calibration.take("after")
        figures["service"] = {"asked": asked} | service | {"layers_ms": _layers(bento, files, seconds, service)}
        figures["calibration"] = calibration.figures()
    if full is not None:
        _report(f"full size: {full}")
        figures["full"] = source(full) | in_process(PYTHON, "tests.benchmarks.offline", "ours", full)
        figures["full"]["by_table"] = in_process(PYTHON, "tests.benchmarks.offline", "ours_by_table", full)
    return figures


def _make_clients(folder: Path, clients: int, seed: int) -> None:
    printed(PYTHON, "research", "data", "synth", "--clients", clients, "--seed", seed, "--out", folder)


def _offline(folder: Path, rounds: int) -> Figures:
    names = ("ours", "pandas")
    jobs = {name: lambda name=name: in_process(PYTHON, "tests.benchmarks.offline", name, folder) for name in names}
    figures = in_turn(jobs, rounds)
    ratios = {
        name: figures["pandas"][name] / figures["ours"][name] for name in ("seconds", "cpu_seconds", "peak_memory_mib")
    }
    return figures | {"pandas_over_ours": ratios}


def _online(bento: bentoml.Bento, files: Path, chosen: Mapping[str, Figures], seconds: float, rounds: int) -> Figures:
    model = bentoml.models.get(bento.info.all_models[0].tag)
    scoring = ModelManifest.model_validate_json((Path(model.path_of(FOLDER_IN_STORE)) / SCORING_FILE).read_bytes())
    (files / "served").write_text(json.dumps([feature.name for feature in scoring.features]))
    arguments = [*(files / f"{name}.json" for name in chosen), "--seconds", seconds]
    one_thread = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1"}

    def ours() -> Figures:
        options = [*arguments, "--served", files / "served"]
        return in_process(SERVING_PYTHON, "tests.benchmarks.online", "ours", *options, **one_thread)

    def in_pandas() -> Figures:
        return in_process(PYTHON, "tests.benchmarks.online", "pandas", *arguments, **one_thread)

    figures = in_turn({"ours": ours, "pandas": in_pandas}, rounds)
    answer: Figures = {"threads": 1, "served": str(model.tag), "files": {}}
    for name, file in chosen.items():
        figures_of_file = file | figures["ours"][name] | figures["pandas"][name]
        pandas = figures_of_file["pandas"]["wall_ms"]["median"]
        ratios = {part: pandas / figures_of_file[part]["wall_ms"]["median"] for part in ("served", "all")}
        answer["files"][name] = figures_of_file | {"pandas_over_ours": ratios}
    return answer


def _layers(bento: bentoml.Bento, files: Path, seconds: float, service: Figures) -> Figures:
    """Return the processor time of each layer of a decision on the average file, and of the rest of a request."""
    model = bentoml.models.get(bento.info.all_models[0].tag)
    arguments = (Path(model.path_of(FOLDER_IN_STORE)), files / "average.json", "--seconds", seconds)
    parts = in_process(SERVING_PYTHON, "tests.benchmarks.layers", *arguments, POLARS_MAX_THREADS="1")
    return parts | {"HTTP, answer, journal": max(service["predict"]["processor_ms"] - sum(parts.values()), 0.0)}


def source(folder: Path) -> Figures:
    """Return where the data of a folder is from: synthetic data names its seed."""
    note = folder / "synthetic.json"
    if not note.is_file():
        return {"data": "real", "seed": None}
    return {"data": "synthetic", "seed": json.loads(note.read_text())["seed"]}


def machine() -> Figures:
    """Return what the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


@contextlib.contextmanager
def _temporary_stores(clients: int, seed: int) -> Iterator[dict[str, str]]:
    """Yield the environment of temporary stores, in which the pipeline has built a Bento of the synthetic clients."""
    with tempfile.TemporaryDirectory(prefix="credit_scoring_bench_") as home:
        stores = {
            "BENTOML_HOME": f"{home}/bentoml",
            "MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlflow.db",
            "SCORING_DATA": f"{home}/data",
        }
        folder = Path(home) / "clients"
        _report(f"training a model of {clients:,} synthetic clients, and building a Bento of it")
        _make_clients(folder, clients, seed)
        printed(PYTHON, "research", "pipeline", "--data", folder, **stores)
        yield stores


def _report(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)  # noqa: T201


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = parser(
        "Time and memory of the one path: offline, online and behind HTTP.", "python -m tests.benchmarks --soak 50000"
    )
    options.add_argument("--clients", type=int, default=20_000, help="synthetic clients")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--bento", help="tag of the Bento to serve; without it one is trained and built for the run")
    options.add_argument("--full", type=Path, metavar="DIR", help="also the features of this folder of Parquet files")
    options.add_argument("--seconds", type=float, default=2.0, help="for each measurement that is repeated")
    options.add_argument("--rounds", type=int, default=3, help="runs of each, alternating with what it is compared to")
    options.add_argument("--sustained", type=float, default=60.0, help="seconds of the service under many connections")
    options.add_argument("--soak", type=int, default=0, help="requests over which the service's memory is watched")
    options.add_argument("--out", type=Path, default=ROOT / "research" / "results", help=f"where {RESULT} goes")
    chosen = options.parse_args(arguments)
    if chosen.full is not None:
        open_folder(chosen.full)
    chosen.out.mkdir(parents=True, exist_ok=True)
    if chosen.bento is None:
        with _temporary_stores(chosen.clients, chosen.seed) as stores:
            again = [*(sys.argv[1:] if arguments is None else arguments), "--bento", f"{NAME}:latest"]
            return subprocess.run(
                [PYTHON, "-m", "tests.benchmarks", *again], env=os.environ | stores, check=False
            ).returncode
    try:
        bento = bentoml.bentos.get(chosen.bento)
    except bentoml.exceptions.NotFound as error:
        raise CommandError(f"there is no Bento {chosen.bento}; leave --bento out to have one made") from error
    measured = vars(chosen).keys() - {"bento", "out"}
    figures = benchmarks(bento, **{name: getattr(chosen, name) for name in measured})
    (chosen.out / RESULT).write_text(json.dumps(figures, indent=1) + "\n")
    draw(figures, chosen.out / PICTURE)
    draw_layers(figures, chosen.out / LAYERS_PICTURE)
    print(table(figures))  # noqa: T201
    _report(f"written: {', '.join(str(chosen.out / name) for name in (RESULT, PICTURE, LAYERS_PICTURE))}")
    return 0


if __name__ == "__main__":
    run(main)
