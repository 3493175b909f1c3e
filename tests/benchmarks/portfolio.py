"""Time and memory of a whole portfolio against its clients: `python -m tests.benchmarks.portfolio --help`."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from matplotlib.figure import Figure
from scipy import stats

from bento.model.manifest import DataSource
from bento.portfolio.local import ONE_THREAD
from research.cli import NO_TELEMETRY, ROOT, SERVING_PYTHON, CommandError, parser, run
from research.plotting import save_figure
from tests.benchmarks.__main__ import machine
from tests.benchmarks.calibration import Calibration
from tests.benchmarks.measure import Figures, in_process, printed
from tests.support.small_model import write_small_model

RESULT, PICTURE = "portfolio.json", "portfolio.png"
SPARK_PYTHON = ROOT / ".venv-spark" / "bin" / "python"
SAMPLE_EVERY_S = 0.2
CONFIDENCE = 0.95
SEED = 1


def portfolio(sizes: Mapping[int, Sequence[str]], rounds: int, model: Path | None, data: Path | None = None) -> Figures:
    """Return seconds, processor seconds and peak memory of each engine at each size, and their lines over the sizes.

    Args:
        sizes: synthetic clients, with the engines, of `ENGINES`, that are given them.
        rounds: runs at each size, the engines in turn; the medians are returned.
        model: a model folder; without one a small model is trained, whose contributions cost less than a champion's.
        data: folder that keeps the clients of each size, in a folder by their number; without one they are made anew.
    """
    calibration = Calibration()
    calibration.take("before")
    figures: Figures = {"data": "synthetic", "seed": SEED, "machine": machine(), "sizes": {}}
    with tempfile.TemporaryDirectory(prefix="credit_scoring_bench_", dir=data) as place:
        for size, engines in sizes.items():
            folder = _clients(data or Path(place), size)
            if model is None:
                model = write_small_model(Path(place) / "model", folder).folder
            if "layers" not in figures:
                figures["layers"] = layers_of(folder, model, Path(place) / "layers", size)
            runs: dict[str, list[Figures]] = {engine: [] for engine in engines}
            for number in range(rounds):
                for engine in engines:
                    out = Path(place) / f"{engine}-{size}-{number}"
                    runs[engine].append(measured(ENGINES[engine](folder, out, model)))
                    shutil.rmtree(out, ignore_errors=True)
                    print(f"{size:,} clients, {engine}: {runs[engine][-1]}", file=sys.stderr, flush=True)  # noqa: T201
            calibration.take(f"after {size}")
            figures["sizes"][str(size)] = {
                engine: {name: median(figures[name] for figures in of_engine) for name in of_engine[0]}
                for engine, of_engine in runs.items()
            }
    figures["calibration"] = calibration.figures()
    of_engine = {engine: [size for size, given in sizes.items() if engine in given] for engine in ENGINES}
    figures["lines"] = {
        engine: _line({str(size): figures["sizes"][str(size)] for size in given}, engine)
        for engine, given in of_engine.items()
        if len(given) > 2
    }
    return figures


def _clients(data: Path, size: int) -> Path:
    """Return the folder of `size` synthetic clients; make them where they are not there."""
    folder = data / str(size)
    if not (folder / "synthetic.json").is_file():
        options = ("--clients", size, "--seed", SEED, "--out", folder)
        printed(Path(sys.executable), "research", "data", "synth", *options)
    return folder


def measured(command: Sequence[object]) -> Figures:
    """Run a command; return seconds, processor seconds and the peak of the memory of it and all its processes.

    The system adds up the processor seconds of the processes that were waited for, which Java's is not: so those that
    were seen are added up too.
    """
    start, peak = time.perf_counter(), 0
    seen: dict[tuple[int, float], float] = {}
    environment = os.environ | NO_TELEMETRY
    with subprocess.Popen([*map(str, command)], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                break
            peak = max(peak, _memory(process.pid, seen))
            time.sleep(SAMPLE_EVERY_S)
    if process.returncode:
        raise CommandError(f"{' '.join(map(str, command))}: ended with {process.returncode}; run it to see why")
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": max(usage.ru_utime + usage.ru_stime, sum(seen.values())),
        "peak_memory_mib": peak / 2**20,
    }


def layers_of(folder: Path, model: Path, out: Path, clients: int) -> Figures:
    """Return the processor seconds that each layer takes for a client, in one process of one thread."""
    seconds = in_process(SERVING_PYTHON, "tests.benchmarks.portfolio_layers", folder, model, out, **ONE_THREAD)
    return {name: taken / clients for name, taken in seconds.items()}


def _memory(pid: int, seen: dict[tuple[int, float], float]) -> int:
    """Return the memory of a process and all below it that no other process shares (USS); note each one's CPU time."""
    total = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    for process in processes:
        try:
            total += process.memory_full_info().uss
            times = process.cpu_times()
            seen[process.pid, process.create_time()] = times.user + times.system
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return total


def _score(python: Path, *options: object) -> list[object]:
    return [python, "-m", "bento", "portfolio", "score", *options]


def _of(folder: Path, out: Path, model: Path) -> list[object]:
    return ["--data", folder, "--out", out, "--model", model]


ENGINES = {
    "local": lambda folder, out, model: _score(SERVING_PYTHON, *_of(folder, out, model)),
    "local, no reasons": lambda folder, out, model: _score(
        SERVING_PYTHON, *_of(folder, out, model), "--reasons", "none"
    ),
    "spark": lambda folder, out, model: _score(
        SPARK_PYTHON, *_of(folder, out, model), "--engine", "spark", "--master", "local[2,4]"
    ),
    "pandas": lambda folder, _, __: [sys.executable, "-m", "tests.benchmarks.pandas_scoring", folder],
}
"""The command of each engine; `pandas` is the anchor: the features of a widely known recipe, and `Booster.predict`."""


def _line(sizes: Mapping[str, Figures], engine: str) -> Figures:
    """Fit processor seconds and memory by clients: slope and intercept with their intervals."""
    clients = np.array([int(size) for size in sizes], dtype=np.float64)
    lines = {}
    for name in ("cpu_seconds", "peak_memory_mib"):
        values = [of_size[engine][name] for of_size in sizes.values()]
        fitted = stats.linregress(clients, values)
        width = stats.t.ppf((1 + CONFIDENCE) / 2, len(clients) - 2)
        lines[name] = {
            "per_client": fitted.slope,
            "per_client_interval": [fitted.slope + sign * width * fitted.stderr for sign in (-1, 1)],
            "fixed": fitted.intercept,
            "fixed_interval": [fitted.intercept + sign * width * fitted.intercept_stderr for sign in (-1, 1)],
        }
    return lines


def draw(figures: Figures, path: Path) -> None:
    """Write time and memory against clients."""
    figure = Figure(figsize=(9.6, 4), layout="constrained")
    clients = [int(size) for size in figures["sizes"]]
    for axes, name, label in zip(
        figure.subplots(1, 2),
        ("cpu_seconds", "peak_memory_mib"),
        ("processor seconds", "peak memory, MiB"),
        strict=True,
    ):
        for engine in next(iter(figures["sizes"].values())):
            of_engine = {int(size): runs[engine][name] for size, runs in figures["sizes"].items() if engine in runs}
            axes.plot(list(of_engine), list(of_engine.values()), "o-", label=engine)
        axes.set(xlabel="clients", ylabel=label, xlim=(0, None), ylim=(0, None))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(alpha=0.3)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), fontsize=8, loc="outside lower left", ncols=4)
    save_figure(figure, path, DataSource(data="synthetic", clients=max(clients), seed=figures["seed"], fingerprint=""))


def table(figures: Figures) -> str:
    """Return the figures, a line for each size and engine."""
    lines = [f"{'portfolio':28}{'clients':>10}{'seconds':>10}{'cpu s':>10}{'ms/client':>11}{'MiB':>8}"]
    for size, of_size in figures["sizes"].items():
        for engine, of_engine in of_size.items():
            seconds, cpu, memory = (of_engine[name] for name in ("seconds", "cpu_seconds", "peak_memory_mib"))
            milliseconds = 1000 * cpu / int(size)
            lines.append(f"{engine:28}{int(size):>10,}{seconds:>10.1f}{cpu:>10.1f}{milliseconds:>11.3f}{memory:>8,.0f}")
    if not figures["calibration"]["is_quiet"]:
        lines.append("the machine was busy: seconds on the wall are not judged")
    lines += [
        f"  {name:26}{1000 * seconds:>10.3f} ms of one core a client" for name, seconds in figures["layers"].items()
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = parser("Time and memory of a portfolio.", "python -m tests.benchmarks.portfolio --sizes 20000 60000")
    options.add_argument("--sizes", type=int, nargs="+", default=[5_000, 20_000, 60_000], help="synthetic clients")
    options.add_argument(
        "--local-sizes", type=int, nargs="+", default=[], help="more of them, for the local engine only"
    )
    options.add_argument("--data", type=Path, metavar="DIR", help="keeps the clients of each size, which are made once")
    options.add_argument("--rounds", type=int, default=3, help="runs at each size, the engines in turn")
    options.add_argument("--model", type=Path, metavar="DIR", help="a model folder; without it a small one is trained")
    engines = [name for name in ENGINES if name != "spark" or SPARK_PYTHON.is_file()]
    options.add_argument("--engines", nargs="+", choices=ENGINES, default=engines, metavar="NAME", help="what to run")
    options.add_argument("--out", type=Path, default=ROOT / "research" / "results", help=f"where {RESULT} goes")
    chosen = options.parse_args(arguments)
    if "spark" in chosen.engines and not SPARK_PYTHON.is_file():
        raise CommandError(f"{SPARK_PYTHON.parent.parent} is missing; make it with: make .venv-spark/.synced")
    local = [engine for engine in chosen.engines if engine.startswith("local")]
    sizes = dict.fromkeys(chosen.sizes, chosen.engines) | dict.fromkeys(chosen.local_sizes, local)
    for folder in filter(None, (chosen.data, chosen.out)):
        folder.mkdir(parents=True, exist_ok=True)
    figures = portfolio(dict(sorted(sizes.items())), chosen.rounds, chosen.model, chosen.data)
    (chosen.out / RESULT).write_text(json.dumps(figures, indent=1) + "\n")
    draw(figures, chosen.out / PICTURE)
    print(table(figures))  # noqa: T201
    return 0


if __name__ == "__main__":
    run(main)
