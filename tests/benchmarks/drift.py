"""Time the drift report beside plain Evidently on the same rows: `python -m tests.benchmarks.drift --help`."""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from bento.features.catalogue import CATALOGUE
from drift.__main__ import main as drift
from drift.adversarial import separation
from drift.compare import Field, application_fields, comparable, compare, comparisons_in, feature_fields
from drift.evidently_page import DTYPES, evidently_html
from research.cli import ROOT
from tests.benchmarks.__main__ import machine, source
from tests.benchmarks.measure import Clock, Figures, in_process, in_turn, peak_memory, printed
from tests.support.drift_runs import last_run
from tests.support.small_model import write_small_model

RESULT = "drift_speed.json"
WIDE_ROWS = 50_000
"""Rows of each sample of the comparison of all features."""
MODEL_CLIENTS = 3_000
"""Synthetic clients that the model is trained on: what it knows does not matter, only that it scores."""


def ours(folder: Path, model: Path, _: int) -> Figures:
    """Run the report on a folder of tables, as the command does."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(sys.stderr):
        with clock.part("report"):
            drift(["report", "--data", str(folder), "--model", str(model), "--out", out])
        page = last_run(Path(out)) / "drift.html"
        report = json.loads((page.parent / "drift.json").read_text())
        size = page.stat().st_size
    sides = {side: report[side]["rows"] for side in ("reference", "current")}
    return sides | {"columns": len(report["columns"])} | _figures(clock, size)


def evidently(folder: Path, _: Path, __: int) -> Figures:
    """Run Evidently's preset on the same columns and rows, by its defaults, and write its page."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    clock, fields = Clock(), application_fields()
    with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(sys.stderr):
        with clock.part("report"):
            frames = [comparable(pl.read_parquet(folder / f"application_{part}.parquet")) for part in ("train", "test")]
            fields = [field for field in fields if all(frame[field.name].count() > 1 for frame in frames)]
            names = {
                measure: [field.name for field in fields if field.measure == measure]
                for measure in ("number", "category")
            }
            definition = DataDefinition(numerical_columns=names["number"], categorical_columns=names["category"])
            casts = [pl.col(field.name).cast(DTYPES[field.measure]) for field in fields]
            datasets = [Dataset.from_pandas(frame.select(casts).to_pandas(), definition) for frame in reversed(frames)]
            run = Report([DataDriftPreset(columns=[*names["number"], *names["category"]])]).run(*datasets)
            page = Path(out) / "page.html"
            run.save_html(str(page))
        size = page.stat().st_size
    return {"reference": len(frames[0]), "current": len(frames[1]), "columns": len(fields)} | _figures(clock, size)


def wide(_: Path, __: Path, rows: int) -> Figures:
    """Compare two samples of all features, tell them apart, and draw the page; the values are drawn at random."""
    fields, clock = feature_fields(list(CATALOGUE)), Clock()
    reference, current = (_features(fields, rows, seed) for seed in (1, 2))
    with clock.part("report"):
        results = compare(reference, current, fields)
        total = comparisons_in(results)
        drifted = sum(result.drifted(total) for result in results)
        separated = separation(reference, current)
        page = evidently_html(reference, current, fields)
    sizes = {"reference": rows, "current": rows, "columns": len(fields)}
    return sizes | {"drifted": drifted, "auc": separated.auc} | _figures(clock, len(page.encode()))


def _features(fields: Sequence[Field], rows: int, seed: int) -> pl.DataFrame:
    """Return values of every feature, a fifth of them missing."""
    random = np.random.default_rng(seed)
    columns = {}
    for field in fields:
        categories = CATALOGUE[field.name].categories
        values = random.choice(sorted(categories), rows) if categories else random.normal(size=rows)
        if field.measure == "category" and not categories:
            values = random.integers(0, 3, rows)
        columns[field.name] = pl.Series(values).set(pl.Series(random.random(rows) < 0.2), None)
    return pl.DataFrame(columns)


def _figures(clock: Clock, page_bytes: int) -> Figures:
    return {
        "seconds": clock.wall["report"],
        "cpu_seconds": clock.cpu["report"],
        "peak_memory_mib": peak_memory(),
        "page_mb": page_bytes / 1e6,
    }


JOBS = {"ours": ours, "evidently": evidently, "wide": wide}


def benchmark(data: Path | None, clients: int, seed: int, rows: int, rounds: int) -> Figures:
    """Return the figures of all jobs; those on applications run in turn, so that noise affects both alike.

    Args:
        data: folder of Parquet tables; without it `clients` synthetic ones are made.
        clients: synthetic clients to make.
        seed: of the synthetic clients.
        rows: of each sample of the comparison of all features.
        rounds: runs of each job.
    """
    python = Path(sys.executable)
    with tempfile.TemporaryDirectory(prefix="drift_bench_") as place:
        folder, small, model = data or Path(place) / "clients", Path(place) / "small", Path(place) / "model"
        for name, count in ((folder, clients), (small, MODEL_CLIENTS)):
            if name != data:
                printed(python, "research", "data", "synth", "--clients", count, "--seed", seed, "--out", name)
        write_small_model(model, small)
        jobs = {
            name: lambda name=name: in_process(python, "tests.benchmarks.drift", "--job", name, folder, model, rows)
            for name in JOBS
        }
        compared = in_turn({name: jobs[name] for name in ("ours", "evidently")}, rounds)
        clients = compared["ours"]["reference"] + compared["ours"]["current"]
        rest = {"clients": clients, "machine": machine()}
        return source(folder) | rest | compared | in_turn({"wide": jobs["wide"]}, rounds)


def document_rows(figures: Figures) -> list[str]:
    """Return the rows of the table in docs/drift.md."""
    names = {"ours": "the report", "evidently": "plain Evidently", "wide": "all features, compared and drawn"}
    return [
        f"| {what} | {part['reference']:,} and {part['current']:,} | {part['columns']} | {part['seconds']:.0f} "
        f"| {part['cpu_seconds']:.0f} | {part['peak_memory_mib'] / 1024:.1f} | {part['page_mb']:.1f} |"
        for what, part in ((what, figures[name]) for name, what in names.items())
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.drift", description=__doc__)
    add = options.add_argument
    add("--job", nargs=4, metavar=("NAME", "DIR", "MODEL", "ROWS"), help="run one job and print its figures as JSON")
    add("--data", type=Path, metavar="DIR", help="folder of Parquet tables; without it synthetic ones are made")
    add("--clients", type=int, default=20_000, help="synthetic clients; 356,255 are the size of the public data")
    add("--seed", type=int, default=1)
    add("--rows", type=int, default=WIDE_ROWS, help="rows of each sample of all features (%(default)s)")
    add("--rounds", type=int, default=1, help="runs of each job")
    add("--out", type=Path, default=ROOT / "research" / "results", help=f"where {RESULT} goes")
    chosen = options.parse_args(arguments)
    if chosen.job:
        name, folder, model, rows = chosen.job
        print(json.dumps(JOBS[name](Path(folder), Path(model), int(rows))))  # noqa: T201
        return 0
    figures = benchmark(chosen.data, chosen.clients, chosen.seed, chosen.rows, chosen.rounds)
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / RESULT).write_text(json.dumps(figures, indent=1) + "\n")
    heading = "| | rows | columns | seconds | processor seconds | peak memory, GiB | page, MB |"
    print("\n".join([heading, *document_rows(figures)]))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
