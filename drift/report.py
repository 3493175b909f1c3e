"""Did the clients who apply change since those the model learnt from? An Evidently report, on demand.

Reference is application_train, current is application_test of the data folder, both cleaned as for the model and
sampled by seed. Every declared column but the identifier is judged. CODE_GENDER is too: it is never a feature, but
whoever audits the decisions for fairness needs to know that it shifted.

A column drifts when its values score beyond the threshold, or when its share of missing values moves by 10 points,
which Evidently would not see. The table drifts when the share of drifted columns reaches --share: at 3 %, 4 of the
120 columns. In synthetic data, which copies the known shift between the train and test sets, 6 to 7 % of the columns
drift; between two samples of 5,000 or more from one population, none does.

--method chooses the statistic (default threshold):
  wasserstein    numbers by normed Wasserstein distance (0.2), categories by Jensen-Shannon distance (0.07)
  jensenshannon  all by Jensen-Shannon distance (0.07)
  psi            all by population stability index (0.04)
  ks             numbers by the p-value of Kolmogorov and Smirnov (0.001), categories by Jensen-Shannon (0.07)

The first three thresholds stand for a mean that moved by 0.2 standard deviations. PSI at its customary 0.1 misses a
move of 0.3, whose PSI is 0.09. PSI and Jensen-Shannon cut the range of a number into equal bins, so one extreme value
hides what happens below it, and under 5,000 rows they find drift by chance; hence wasserstein. ks finds whatever is
statistically sure, at 20,000 rows also what is too small to matter.

Exit code: 0 no drift, 1 drift, 2 bad input.
"""

import argparse
import difflib
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from bento.data.cleaning import clean
from bento.data.readers import DataError, find_file, read_application
from bento.data.tables import APPLICATION, Column
from drift.compare import METHODS, MIN_VALUES, MISSING_STEP, ColumnDrift, Comparison, Method, compare
from drift.render import html, source, text

REFERENCE, CURRENT = "application_train", "application_test"


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the command line, writes drift.html and drift.json, and returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        summary = report(
            data=options.data or _default_data(),
            out=options.out,
            columns=_columns(options.columns),
            method_name=options.method,
            method=_method(options),
            sample=options.sample,
            seed=options.seed,
            share_limit=options.share,
        )
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(text(summary))
    print(f"{summary['sentence']} Report: {options.out / 'drift.html'} ({source(summary)})")
    return 1 if summary["verdict"] == "drift" else 0


def report(
    data: Path,
    out: Path,
    *,
    columns: Sequence[Column],
    method_name: str,
    method: Method,
    sample: int,
    seed: int,
    share_limit: float,
) -> dict[str, Any]:
    """Compares the two tables in `data`, writes drift.html and drift.json to `out`, and returns the latter's content.

    Raises:
        DataError: input that cannot be compared.
        OSError: `out` cannot be written.
    """
    frames = {}
    for stem in (REFERENCE, CURRENT):
        _progress(f"reading {stem} in {data}")
        frames[stem] = read_application(data, stem)
    rows = {stem: frame.height for stem, frame in frames.items()}
    for stem, count in rows.items():
        if count < MIN_VALUES:
            raise DataError(
                f"{find_file(data, stem)}: holds {count:,} rows, and so few differ by chance alone; "
                f"give at least {MIN_VALUES:,}"
            )
    made = _source(data, sum(rows.values()))
    out.mkdir(parents=True, exist_ok=True)
    samples = {stem: _sampled(frame, sample, seed) for stem, frame in frames.items()}
    sizes = " against ".join(f"{samples[stem].height:,}" for stem in (CURRENT, REFERENCE))
    _progress(f"comparing {len(columns)} columns of {sizes} rows with Evidently: 10 to 60 seconds")
    comparison = compare(samples[REFERENCE], samples[CURRENT], columns, method, share_limit)
    summary = {
        **made,
        **{
            side: {"table": stem, "rows": rows[stem], "rows_compared": samples[stem].height}
            for side, stem in (("reference", REFERENCE), ("current", CURRENT))
        },
        "sample": {"rows": sample, "seed": seed},
        "method": method_name,
        "thresholds": {
            "number": {"statistic": method["number"].name, "threshold": method["number"].threshold},
            "category": {"statistic": method["category"].name, "threshold": method["category"].threshold},
            "missing_step": MISSING_STEP,
            "share": share_limit,
        },
        "columns_judged": comparison.judged,
        "columns_drifted": comparison.drifted,
        "share_drifted": round(comparison.share, 4),
        "verdict": "drift" if comparison.is_drift else "no drift",
        "sentence": _sentence(comparison),
        "columns": [_record(column) for column in comparison.columns],
    }
    _progress(f"writing drift.html and drift.json to {out}")
    (out / "drift.html").write_text(html(summary, comparison.run), encoding="utf-8")
    (out / "drift.json").write_text(json.dumps(summary, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return summary


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m drift.report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of the tables (default: data/raw, else data/synthetic)")
    add("--out", type=Path, metavar="DIR", default=Path("data/results/drift"), help="where to write (%(default)s)")
    add("--sample", type=_at_least(MIN_VALUES), metavar="N", default=20_000, help="rows of each side (%(default)s)")
    add("--seed", type=_at_least(0), metavar="N", default=1, help="seed of the sample (%(default)s)")
    add("--method", choices=METHODS, default="wasserstein", help="statistic, see above (%(default)s)")
    add("--threshold", type=_positive, metavar="X", help="score from which a number drifts (see above)")
    add("--category-threshold", type=_positive, metavar="X", help="score from which a category drifts (see above)")
    add("--share", type=_share, metavar="X", default=0.03, help="share of drifted columns that is drift (%(default)s)")
    add("--columns", nargs="+", metavar="NAME", help="judge these columns only (default: all)")
    return parser


def _at_least(minimum: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise argparse.ArgumentTypeError(f"{value} is below {minimum}")
        return value

    return whole_number


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _share(text: str) -> float:
    value = _positive(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text} is above 1; 0.03 is 3 %")
    return value


def _default_data() -> Path:
    for folder in (Path("data/raw"), Path("data/synthetic")):
        if find_file(folder, REFERENCE):
            return folder
    raise DataError("neither data/raw nor data/synthetic holds tables; run `make data`, or name a folder with --data")


def _columns(names: Sequence[str] | None) -> list[Column]:
    judged = {column.name: column for column in APPLICATION if column.kind != "id"}
    for name in names or ():
        if name not in judged:
            near = difflib.get_close_matches(name, judged, n=1)
            raise DataError(
                f"no column {name} to judge; " + (f"is it {near[0]}?" if near else "see bento/data/tables.py")
            )
    return [judged[name] for name in dict.fromkeys(names or judged)]


def _method(options: argparse.Namespace) -> Method:
    method = dict(METHODS[options.method])
    if options.threshold is not None:
        method["number"] = replace(method["number"], threshold=options.threshold)
    if options.category_threshold is not None:
        method["category"] = replace(method["category"], threshold=options.category_threshold)
    return method


def _source(data: Path, clients: int) -> dict[str, Any]:
    """Whether the data is synthetic, which the generator says in synthetic.json."""
    path = data / "synthetic.json"
    if not path.is_file():
        return {"data": "real", "clients": clients, "seed": None}
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        return {"data": "synthetic", "clients": int(made["clients"]), "seed": int(made["seed"])}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: does not say clients and seed; make the data again with `make data`") from error


def _sampled(frame: pl.DataFrame, size: int, seed: int) -> pl.DataFrame:
    sample = frame.sample(min(size, frame.height), seed=seed)
    return clean({APPLICATION.name: sample})[APPLICATION.name]


def _record(result: ColumnDrift) -> dict[str, Any]:
    compared = result.score is not None
    return {
        "column": result.column.name,
        "measure": result.measure,
        "audit_only": result.column.audit_only,
        "statistic": result.statistic.name if compared else None,
        "score": _significant(result.score),
        "threshold": result.statistic.threshold if compared else None,
        "missing_reference": round(result.missing_reference, 4),
        "missing_current": round(result.missing_current, 4),
        "values_drifted": result.values_drifted,
        "missing_drifted": result.missing_drifted,
        "drifted": result.drifted,
        "note": result.note,
    }


def _significant(score: float | None) -> float | None:
    return None if score is None else float(f"{score:.4g}")


def _sentence(comparison: Comparison) -> str:
    verdict = "Drift" if comparison.is_drift else "No drift"
    return (
        f"{verdict}: {comparison.drifted} of {comparison.judged} columns drifted "
        f"({comparison.share:.1%}, limit {comparison.share_limit:.1%})."
    )


def _progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
