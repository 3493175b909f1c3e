"""How faithful a synthetic population is: `python -m research.synthetic.fidelity --data DIR [--real DIR] [--out DIR]`.

Exit codes: 0 all bounds hold, 1 a bound is broken, 2 the input cannot be used.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from bento.data.tables import APPLICATION, TABLES
from research.synthetic.discriminator import Likeness, read_applications, tell_apart
from research.synthetic.fidelity_figure import draw_fidelity
from research.synthetic.fidelity_metrics import Finding, correlation_error, measure
from research.synthetic.population import TABLES as FILES
from research.synthetic.writer import DESCRIPTION

_SHOWN = 40


class Folder(Mapping[str, pl.DataFrame]):
    """Tables of a folder made by `write`, each read when it is asked for."""

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
            found = pl.read_parquet_schema(self.path / f"{file}.parquet")
        except (pl.exceptions.PolarsError, OSError) as error:
            raise ValueError(f"{self.path / file}.parquet cannot be read: {error}") from None
        lacking = [name for name in expected if name not in found]
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m research.synthetic.fidelity", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of Parquet files made by research.synthetic")
    parser.add_argument("--real", type=Path, help="folder with application_train.csv or application_test.csv of Kaggle")
    parser.add_argument("--out", type=Path, help="folder for fidelity.json and fidelity.png (default: DATA-fidelity)")
    options = parser.parse_args(arguments)
    try:
        folder = Folder(options.data)
        real = read_applications(options.real) if options.real else {}
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    findings = measure(folder)
    errors = correlation_error(folder["application_train"])
    likenesses = [tell_apart(name, frame, folder[name]) for name, frame in real.items()]
    _print(findings, errors, likenesses)
    out = options.out or options.data.with_name(f"{options.data.name}-fidelity")
    out.mkdir(parents=True, exist_ok=True)
    report = {
        "data": "synthetic",
        "clients": folder.description["clients"],
        "seed": folder.description["seed"],
        "passed": all(finding.passed for finding in findings),
        "correlation_error": errors,
        "told_apart": [likeness.record() for likeness in likenesses],
        "findings": [finding.record() for finding in findings],
    }
    (out / "fidelity.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    draw_fidelity(findings, out / "fidelity.png", folder.description)
    print(f"written: {out / 'fidelity.json'}, {out / 'fidelity.png'}")
    return 0 if report["passed"] else 1


def _print(findings: Sequence[Finding], errors: Mapping[str, float], likenesses: Sequence[Likeness]) -> None:
    print(f"{'':4} {'table':21} {'column':44} {'measure':16} {'fact':>9} {'synthetic':>9} {'distance':>9} {'bound':>7}")
    for finding in findings[:_SHOWN]:
        found = "" if finding.found is None else f"{finding.found:.4f}"
        print(
            f"{'ok' if finding.passed else 'FAIL':4} {finding.table[:21]:21} {finding.column[:44]:44} "
            f"{finding.measure:16} {finding.fact:9.4f} {found:>9} {finding.distance:9.4f} {finding.bound:7.4f}"
        )
    failed = sum(not finding.passed for finding in findings)
    print(f"{len(findings)} findings, {len(findings) - failed} within their bounds, {failed} beyond; worst first")
    print(f"application correlations: mean error {errors['mean']:.4f}, 99th percentile {errors['p99']:.4f}")
    for likeness in likenesses:
        columns = ", ".join(f"{name} {share:.0%}" for name, share in likeness.columns.items())
        print(f"real told from synthetic {likeness.table}: AUC {likeness.auc:.3f} ({columns})")


if __name__ == "__main__":
    sys.exit(main())
