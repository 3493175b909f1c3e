"""Measure how faithful a synthetic population is to the real data; exit code 1 where a bound is broken."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from bento.data.tables import APPLICATION, TABLES
from research.cli import CommandError
from research.results import FIDELITY_FILE, DiscriminatorResult
from research.synthetic.discriminator import discriminate, read_applications
from research.synthetic.fidelity_figure import plot_fidelity
from research.synthetic.fidelity_metrics import Finding, correlation_error, measure
from research.synthetic.population import TABLES as FILES
from research.synthetic.writer import DESCRIPTION

EXAMPLE = "python -m research fidelity --data data/synthetic --real data/raw"
FIGURE_FILE = "fidelity.png"
_MAX_FINDINGS = 40


class Folder(Mapping[str, pl.DataFrame]):
    """Tables of a folder that `write` made, each read on access."""

    def __init__(self, path: Path) -> None:
        """Raise ValueError if `path` is not a complete synthetic population."""
        self.path = path
        missing = [
            name for name in (*(f"{file}.parquet" for file in FILES), DESCRIPTION) if not (path / name).is_file()
        ]
        if missing:
            raise ValueError(f"{path} is not a synthetic population: it lacks {', '.join(missing[:3])}")
        try:
            self.description: dict[str, Any] = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ValueError(f"{path / DESCRIPTION} is not JSON: {error}") from None
        absent = {"clients", "seed"} - self.description.keys()
        if absent:
            raise ValueError(f"{path / DESCRIPTION} lacks {', '.join(sorted(absent))}")
        for file in FILES:
            self._check_columns(file)

    def _check_columns(self, file: str) -> None:
        expected = list(TABLES[file].schema) if file in TABLES else []
        if file.startswith("application"):
            expected = list(APPLICATION.schema)
        try:
            schema = pl.read_parquet_schema(self.path / f"{file}.parquet")
        except (pl.exceptions.PolarsError, OSError) as error:
            raise ValueError(f"{self.path / file}.parquet cannot be read: {error}") from None
        lacking = [name for name in expected if name not in schema]
        if lacking:
            raise ValueError(f"{self.path / file}.parquet lacks {', '.join(lacking[:3])}")

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in FILES:
            raise KeyError(name)
        return pl.read_parquet(self.path / f"{name}.parquet")

    def __iter__(self) -> Iterator[str]:
        return iter(FILES)

    def __len__(self) -> int:
        return len(FILES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the synthetic and the real folder, and the folder of the report."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that `data synth` wrote")
    parser.add_argument("--real", type=Path, metavar="DIR", help="folder with the real application_train.csv or _test")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the report; without it, DATA-fidelity")


def run(options: argparse.Namespace) -> int:
    """Compare the population, write table, figure and JSON; return 1 where a bound is broken."""
    try:
        folder = Folder(options.data)
        real = read_applications(options.real) if options.real else {}
    except ValueError as error:
        raise CommandError(str(error)) from error
    findings = measure(folder)
    errors = correlation_error(folder["application_train"])
    discriminated = [discriminate(name, frame, folder[name]) for name, frame in real.items()]
    _print(findings, errors, discriminated)
    out = options.out or options.data.with_name(f"{options.data.name}-fidelity")
    out.mkdir(parents=True, exist_ok=True)
    passed = all(finding.passed for finding in findings)
    report = {
        "data": "synthetic",
        "clients": folder.description["clients"],
        "seed": folder.description["seed"],
        "passed": passed,
        "correlation_error": errors,
        "told_apart": [result.model_dump() for result in discriminated],
        "findings": [finding.record() for finding in findings],
    }
    (out / FIDELITY_FILE).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    plot_fidelity(findings, out / FIGURE_FILE, folder.description)
    print(f"written: {out / FIDELITY_FILE}, {out / FIGURE_FILE}")
    return 0 if passed else 1


def _print(
    findings: Sequence[Finding], errors: Mapping[str, float], discriminated: Sequence[DiscriminatorResult]
) -> None:
    print(f"{'':4} {'table':21} {'column':44} {'measure':16} {'real':>9} {'synthetic':>9} {'distance':>9} {'bound':>7}")
    for finding in findings[:_MAX_FINDINGS]:
        synthetic = "" if finding.found is None else f"{finding.found:.4f}"
        print(
            f"{'ok' if finding.passed else 'FAIL':4} {finding.table[:21]:21} {finding.column[:44]:44} "
            f"{finding.measure:16} {finding.fact:9.4f} {synthetic:>9} {finding.distance:9.4f} {finding.bound:7.4f}"
        )
    failed = sum(not finding.passed for finding in findings)
    print(f"{len(findings)} findings, {len(findings) - failed} within their bounds, {failed} beyond; worst first")
    print(f"application correlations: mean error {errors['mean']:.4f}, 99th percentile {errors['p99']:.4f}")
    for result in discriminated:
        columns = ", ".join(f"{name} {share:.0%}" for name, share in result.columns.items())
        print(f"real distinguished from synthetic {result.table}: AUC {result.auc:.3f} ({columns})")
