"""Measure how faithful a synthetic population is to the real data; exit code 1 where a bound is broken."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from bento import require_writable
from bento.data.files import find_file
from bento.data.readers import read_application
from bento.data.tables import APPLICATION, TABLES
from research.cli import CommandError, user_path
from research.results import FIDELITY_FILE, DiscriminatorResult, FidelityFinding
from research.synthetic.fidelity_metrics import correlation_error, measure
from research.synthetic.fidelity_rates import rate_findings
from research.synthetic.ladder import MIN_CLIENTS, ladder
from research.synthetic.population import TABLES as FILES
from research.synthetic.writer import DESCRIPTION

EXAMPLE = "python -m research fidelity --data data/synthetic --real data/raw"
FIGURE_FILE = "fidelity.png"
_MAX_FINDINGS = 40
_MAX_FINDINGS_IN_FIGURE = 25
_MAX_ROWS = 5000
_FOLDS = 3
_ROUNDS = 150
_MAX_COLUMNS = 8
_PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "seed": 1,
    "deterministic": True,
    "num_threads": 1,
    "verbose": -1,
}


class Folder(Mapping[str, pl.DataFrame]):
    """Tables of a folder that `write` made, each read on access."""

    def __init__(self, path: Path) -> None:
        """Raise ValueError if `path` is not a complete synthetic population."""
        self.path = path
        names = (*(f"{file}.parquet" for file in FILES), DESCRIPTION)
        missing = [name for name in names if not (path / name).is_file()]
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
            expected = APPLICATION if file.startswith("application") else TABLES.get(file, ())
            try:
                schema = pl.scan_parquet(path / f"{file}.parquet", glob=False).collect_schema()
            except (pl.exceptions.PolarsError, OSError) as error:
                raise ValueError(f"{path / file}.parquet cannot be read: {error}") from None
            lacking = [column.name for column in expected if column.name not in schema]
            if lacking:
                raise ValueError(f"{path / file}.parquet lacks {', '.join(lacking[:3])}")

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in FILES:
            raise KeyError(name)
        return pl.read_parquet(self.path / f"{name}.parquet", glob=False)

    def __iter__(self) -> Iterator[str]:
        return iter(FILES)

    def __len__(self) -> int:
        return len(FILES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the synthetic and the real folder, and the folder of the report."""
    parser.add_argument("--data", type=user_path, required=True, metavar="DIR", help="folder that `data synth` wrote")
    parser.add_argument("--real", type=Path, metavar="DIR", help="folder with the real application_train or _test")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the report; without it, DATA-fidelity")


def run(options: argparse.Namespace) -> int:
    """Compare the population, write table, figure and JSON; return 1 where a bound is broken."""
    try:
        folder = Folder(options.data)
        real = read_applications(options.real) if options.real else {}
    except ValueError as error:
        raise CommandError(str(error)) from error
    out = options.out or options.data.with_name(f"{options.data.name}-fidelity")
    require_writable(out)
    findings = [*measure(folder), *rate_findings(folder["application_train"], folder["oracle"])]
    if folder.description["clients"] >= MIN_CLIENTS:
        findings += ladder(folder.path)
    else:
        print(f"the ladder of models is compared from {MIN_CLIENTS:,} clients on")
    findings.sort(key=lambda item: item.bound - item.distance if item.bound else 0.0)
    errors = correlation_error(folder["application_train"])
    discriminated = [discriminate(name, frame, folder[name]) for name, frame in real.items()]
    _print(findings, errors, discriminated)
    passed = all(finding.passed for finding in findings)
    report = {
        "data": "synthetic",
        "clients": folder.description["clients"],
        "seed": folder.description["seed"],
        "passed": passed,
        "correlation_error": errors,
        "told_apart": [result.model_dump() for result in discriminated],
        "findings": [
            {key: round(value, 6) if isinstance(value, float) else value for key, value in finding.model_dump().items()}
            for finding in findings
        ],
    }
    (out / FIDELITY_FILE).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    plot_fidelity(findings, out / FIGURE_FILE, folder.description)
    print(f"written: {out / FIDELITY_FILE}, {out / FIGURE_FILE}")
    return 0 if passed else 1


def _print(
    findings: Sequence[FidelityFinding], errors: Mapping[str, float], discriminated: Sequence[DiscriminatorResult]
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


def plot_fidelity(findings: Sequence[FidelityFinding], file: Path, description: Mapping[str, Any]) -> None:
    """Save a PNG: the findings nearest to or beyond their bounds; AUCs and information values of single columns."""
    figure = Figure(figsize=(17, 7), layout="constrained")
    worst, areas, information = figure.subplots(1, 3, width_ratios=(3, 2, 2))
    shown = sorted(findings, key=lambda finding: -finding.distance / finding.bound)[:_MAX_FINDINGS_IN_FIGURE][::-1]
    worst.barh(
        [f"{finding.table.removeprefix('application_')} {finding.column} ({finding.measure})" for finding in shown],
        [finding.distance / finding.bound for finding in shown],
        color=["#2b6cb0" if finding.passed else "#c53030" for finding in shown],
    )
    worst.axvline(1, color="black", linewidth=1)
    worst.set_xlabel("distance from the real figure, in bounds")
    worst.tick_params(axis="y", labelsize=7)
    aucs = [finding for finding in findings if finding.measure == "AUC"]
    areas.scatter([auc.fact for auc in aucs], [auc.found for auc in aucs], s=14, color="#2b6cb0")
    areas.plot([0.3, 0.7], [0.3, 0.7], color="black", linewidth=1)
    areas.set_xlabel("AUC of one column for TARGET, real")
    areas.set_ylabel("AUC, synthetic")
    columns = [item for item in findings if item.measure == "information value"]
    information.scatter([item.fact for item in columns], [item.found for item in columns], s=14, color="#2b6cb0")
    information.plot([0, 0.7], [0, 0.7], color="black", linewidth=1)
    information.set_xlabel("information value of one column or ratio, real")
    information.set_ylabel("information value, synthetic")
    passed = sum(finding.passed for finding in findings)
    figure.suptitle(
        f"Synthetic data, {description['clients']:,} clients, seed {description['seed']}: "
        f"{passed} of {len(findings)} findings within their bounds"
    )
    figure.savefig(file, dpi=110, metadata={"Software": None})


def read_applications(folder: Path) -> dict[str, pl.DataFrame]:
    """Read the real application tables in `folder`, CSV or Parquet; raise ValueError if there are none."""
    names = ("application_train", "application_test")
    tables = {name: read_application(folder, name) for name in names if find_file(folder, name)}
    if not tables:
        raise ValueError(f"{folder} holds neither application_train nor application_test, as .csv or .parquet")
    return tables


def discriminate(table: str, real: pl.DataFrame, synthetic: pl.DataFrame) -> DiscriminatorResult:
    """Train a LightGBM for "is real" on equal numbers of both kinds; return its out-of-fold AUC and main columns."""
    names = [column.name for column in APPLICATION.columns[1:]]
    rows = min(len(real), len(synthetic), _MAX_ROWS)
    texts = [column.name for column in APPLICATION if column.kind == "category"]
    columns = [pl.col(name) if name in texts else pl.col(name).cast(pl.Float64) for name in names]
    both = pl.concat(frame.select(columns).sample(rows, seed=1) for frame in (real, synthetic))
    codes = (pl.col(name).cast(pl.Categorical).to_physical().cast(pl.Float64) for name in texts)
    values = both.with_columns(codes).to_numpy()
    is_real = np.repeat([1, 0], rows)
    scores, gains = np.zeros(2 * rows), np.zeros(len(names))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=1)
    for train, validation in folds.split(values, is_real):
        data = lgb.Dataset(values[train], is_real[train], categorical_feature=[names.index(name) for name in texts])
        model = lgb.train(_PARAMETERS, data, _ROUNDS)
        scores[validation] = model.predict(values[validation])
        gains += model.feature_importance("gain")
    worst = np.argsort(-gains)[:_MAX_COLUMNS]
    shares = {names[index]: round(float(gains[index] / gains.sum()), 4) for index in worst}
    return DiscriminatorResult(table=table, auc=float(roc_auc_score(is_real, scores)), columns=shares)
