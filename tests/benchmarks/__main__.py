"""Runs every benchmark and writes one table and `benchmarks.json`: `python -m tests.benchmarks --help`."""

import json
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import polars as pl

from bento.features import CATALOGUE
from bento.files import read_application, read_client, read_file
from bento.model import FOLDER_IN_STORE, SCORING_FILE, Scoring
from bento.tables import HISTORIES, TABLES
from research.command import ROOT, SERVING_PYTHON, CommandError, parser, run
from research.examples import credit_file
from research.import_model import latest_model
from tests.benchmarks.measure import Figures, in_process, in_turn, printed

PYTHON = Path(sys.executable)
LIBRARIES = ("polars", "pandas", "pyarrow", "numpy", "pydantic", "lightgbm", "bentoml")
AVERAGE_ROWS = 200
"""History rows of a usual credit file of the real data."""
RESULT = "benchmarks.json"


def benchmarks(clients: int, seed: int, full: Path | None, seconds: float, rounds: int) -> Figures:
    """Every figure: offline, online, service, and with `full` the features of a folder of full size.

    Args:
        clients: synthetic clients to make the features of.
        seed: of the synthetic clients.
        full: a folder of Parquet files.
        seconds: for each thing that is measured over and over.
        rounds: runs of each process, in turn with those it is compared to.

    Raises:
        CommandError: the serving environment is missing.
    """
    if not SERVING_PYTHON.is_file():
        raise CommandError(f"{SERVING_PYTHON.parent.parent} is missing; make it with: make setup")
    with tempfile.TemporaryDirectory(prefix="credit_scoring_bench_") as place:
        folder, files = Path(place) / "clients", Path(place) / "files"
        _say(f"making {clients:,} synthetic clients")
        printed(PYTHON, "research.data", "synth", "--clients", clients, "--seed", seed, "--out", folder)
        chosen = _write_credit_files(folder, files)
        figures: Figures = {"data": "synthetic", "clients": clients, "seed": seed, "machine": _machine()}
        _say("offline: ours and pandas in turn")
        figures["offline"] = _offline(folder, rounds)
        _say("online: ours and pandas in turn, one thread")
        figures["online"] = _online(files, chosen, seconds, rounds)
        _say("service: one connection")
        average = files / "average.json"
        figures["service"] = in_process(PYTHON, "tests.benchmarks.service", average, "--seconds", 2 * seconds)
    if full is not None:
        _say(f"full size: {full}")
        figures["full"] = _source(full) | in_process(PYTHON, "tests.benchmarks.offline", "ours", full)
        figures["full"]["by_table"] = in_process(PYTHON, "tests.benchmarks.offline", "ours_by_table", full)
    return figures


def _offline(folder: Path, rounds: int) -> Figures:
    names = ("ours", "pandas")
    jobs = {name: lambda name=name: in_process(PYTHON, "tests.benchmarks.offline", name, folder) for name in names}
    figures = in_turn(jobs, rounds)
    ratios = {
        name: figures["pandas"][name] / figures["ours"][name] for name in ("seconds", "cpu_seconds", "peak_memory_mib")
    }
    return figures | {"pandas_over_ours": ratios}


def _online(files: Path, chosen: Mapping[str, Figures], seconds: float, rounds: int) -> Figures:
    served, why = _served_features()
    (files / "served").write_text(json.dumps(served))
    arguments = [*(files / f"{name}.json" for name in chosen), "--seconds", seconds]
    one_thread = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1"}

    def ours() -> Figures:
        options = [*arguments, "--served", files / "served"]
        return in_process(SERVING_PYTHON, "tests.benchmarks.online", "ours", *options, **one_thread)

    def in_pandas() -> Figures:
        return in_process(PYTHON, "tests.benchmarks.online", "pandas", *arguments, **one_thread)

    figures = in_turn({"ours": ours, "pandas": in_pandas}, rounds)
    answer: Figures = {"threads": 1, "served": why, "files": {}}
    for name, file in chosen.items():
        found = file | figures["ours"][name] | figures["pandas"][name]
        pandas = found["pandas"]["wall_ms"]["median"]
        found["pandas_over_ours"] = {part: pandas / found[part]["wall_ms"]["median"] for part in ("served", "all")}
        answer["files"][name] = found
    return answer


def _served_features() -> tuple[list[str], str]:
    """The features of the latest imported model, or all where there is none for this code; and which it was."""
    model = latest_model()
    if model is None:
        return list(CATALOGUE), "all features: no model is imported"
    scoring = Scoring.model_validate_json((Path(model.path_of(FOLDER_IN_STORE)) / SCORING_FILE).read_bytes())
    names = [feature.name for feature in scoring.features]
    if not CATALOGUE.keys() >= set(names):
        return list(CATALOGUE), f"all features: {model.tag} was trained with others"
    return names, str(model.tag)


def _write_credit_files(folder: Path, files: Path) -> dict[str, Figures]:
    """Write an average, a short and a long credit file as a request has them; history rows and bytes of each."""
    keys = {
        name: read_file(folder / f"{name}.parquet", TABLES[name], TABLES[name].schema.keys() & _IDS)
        for name in HISTORIES
    }
    owners = keys["bureau"].select("SK_ID_BUREAU", "SK_ID_CURR")
    keys["bureau_balance"] = keys["bureau_balance"].join(owners, on="SK_ID_BUREAU")
    counted = [frame["SK_ID_CURR"].value_counts() for frame in keys.values()]
    clients = read_application(folder, "application_train", names=["SK_ID_CURR"])
    totals = (
        pl.concat(counted)
        .group_by("SK_ID_CURR")
        .agg(rows=pl.col("count").sum().cast(pl.Int64), tables=pl.len().cast(pl.Int64))
    )
    sizes = clients.join(totals, on="SK_ID_CURR", how="left").fill_null(0)
    wanted = {
        "average": pl.lit(AVERAGE_ROWS),
        "short": pl.col("rows").quantile(0.1),
        "long": pl.col("rows").quantile(0.99),
    }
    files.mkdir()
    chosen = {}
    for name, rows in wanted.items():
        # The average file has as many histories as can be had, so that every part of the path is met.
        histories = pl.col("tables") * (-1 if name == "average" else 0)
        client, count, _ = sizes.sort(histories, (pl.col("rows") - rows).abs(), "SK_ID_CURR").row(0)
        text = json.dumps(credit_file(read_client(folder, "application_train", client)))
        (files / f"{name}.json").write_text(text)
        chosen[name] = {"history_rows": count, "bytes": len(text)}
    return chosen


_IDS = {"SK_ID_CURR", "SK_ID_BUREAU"}


def _source(folder: Path) -> Figures:
    note = folder / "synthetic.json"
    if not note.is_file():
        return {"data": "real", "seed": None}
    return {"data": "synthetic", "seed": json.loads(note.read_text())["seed"]}


def _machine() -> Figures:
    return {
        "cores": os.cpu_count(),
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


def table(figures: Figures) -> str:
    """The figures for people."""
    lines = [f"{'':36}{'ours':>12}{'pandas':>12}{'pandas/ours':>13}"]

    def line(what: str, ours: float | str, pandas: float | None = None) -> None:
        cells = [ours if isinstance(ours, str) else _number(ours)]
        cells += [] if pandas is None else [_number(pandas), f"{_number(pandas / float(ours))}x"]
        lines.append(
            f"{what:36}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, (12, 12, 13), strict=False))
        )

    ours, pandas = figures["offline"]["ours"], figures["offline"]["pandas"]
    lines.append(f"offline, {figures['clients']:,} {figures['data']} clients")
    for name in ("features", "seconds", "cpu_seconds", "clients_per_second", "values_per_second", "peak_memory_mib"):
        line(f"  {name.replace('_', ' ')}", ours[name], pandas[name])
    for name, file in figures["online"]["files"].items():
        lines.append(f"online, one thread, {name} file ({file['history_rows']:,} rows, {file['bytes']:,} bytes)")
        for part in ("served", "all"):
            found, other = file[part], file["pandas"]
            line(f"  ms, {found['features']} features ({part})", found["wall_ms"]["median"], other["wall_ms"]["median"])
            line("    95th percentile", found["wall_ms"]["p95"], other["wall_ms"]["p95"])
            line("    processor", found["cpu_ms"]["median"], other["cpu_ms"]["median"])
            for step, value in found["parts_ms"].items():
                line(f"    {step}", value)
    lines.append(f"service, one connection, average file ({figures['service']['bento']})")
    for endpoint in ("predict", "explain"):
        for place in ("median", "p99"):
            line(f"  /{endpoint}, ms, {place}", figures["service"][endpoint]["wall_ms"][place])
    if "full" in figures:
        full = figures["full"]
        lines.append(f"full size, {full['clients']:,} {full['data']} clients, {full['rows']:,} rows")
        for name in ("features", "seconds", "cpu_seconds", "peak_memory_mib"):
            line(f"  {name.replace('_', ' ')}", full[name])
        for step, taken in full["parts_seconds"].items():
            line(f"    seconds, {step}", taken)
        for name, alone in full["by_table"].items():
            line(f"    {name} alone, cpu seconds", alone["cpu_seconds"])
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.3g}"


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)  # noqa: T201


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    options = parser(
        "Time and memory of the one path: offline, online and behind HTTP.", "python -m tests.benchmarks --clients 5000"
    )
    options.add_argument("--clients", type=int, default=20_000, help="synthetic clients")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--full", type=Path, metavar="DIR", help="also the features of this folder of Parquet files")
    options.add_argument("--seconds", type=float, default=2.0, help="for each thing measured over and over")
    options.add_argument("--rounds", type=int, default=3, help="runs of each, in turn with what it is compared to")
    options.add_argument("--out", type=Path, default=ROOT / "research" / "results", help=f"where {RESULT} goes")
    chosen = options.parse_args(arguments)
    figures = benchmarks(chosen.clients, chosen.seed, chosen.full, chosen.seconds, chosen.rounds)
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / RESULT).write_text(json.dumps(figures, indent=1) + "\n")
    print(table(figures))  # noqa: T201
    _say(f"written: {chosen.out / RESULT}")


if __name__ == "__main__":
    run(main)
