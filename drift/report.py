"""Compare new applications with the training applications by an Evidently report; exit code 1 on drift.

Reference is application_train, current is application_test of the data folder, both cleaned as for the model and
sampled by seed. Every declared column except the identifier is compared, CODE_GENDER too: it is never a feature, but
an audit of fairness needs to know that it shifted.

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
hides what happens below it, and under 5,000 rows they find drift by chance; hence wasserstein. ks finds every
statistically significant change; at 20,000 rows also changes too small to matter.

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

import polars as pl

from bento import require_writable
from bento.data.cleaning import clean
from bento.data.files import DataError, find_file
from bento.data.readers import read_application
from bento.data.tables import APPLICATION, Column
from drift.compare import METHODS, MIN_VALUES, Method, compare
from drift.render import html, source, text
from drift.summary import ColumnSummary, Limits, Sample, Side, Source, Summary, sentence

EXAMPLE = "python -m drift report --data data/raw --method psi"
REFERENCE, CURRENT = "application_train", "application_test"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add data, sample, method and limits."""
    add = parser.add_argument
    add("--data", type=_path, metavar="DIR", help="folder of the tables (default: data/raw, else data/synthetic)")
    add("--out", type=Path, metavar="DIR", default=Path("data/results/drift"), help="where to write (%(default)s)")
    add("--sample", type=_at_least(MIN_VALUES), metavar="N", default=20_000, help="rows of each side (%(default)s)")
    add("--seed", type=_at_least(0), metavar="N", default=1, help="seed of the sample (%(default)s)")
    add("--method", choices=METHODS, default="wasserstein", help="statistic, see above (%(default)s)")
    add("--threshold", type=_positive, metavar="X", help="score from which a number drifts (see above)")
    add("--category-threshold", type=_positive, metavar="X", help="score from which a category drifts (see above)")
    add("--share", type=_share, metavar="X", default=0.03, help="share of drifted columns that is drift (%(default)s)")
    add("--columns", nargs="+", metavar="NAME", help="compare these columns only (default: all)")


def run(options: argparse.Namespace) -> int:
    """Write drift.html and drift.json, print the table, and return 1 on drift."""
    summary = report(
        data=options.data or _default_data(),
        out=options.out,
        columns=_columns(options.columns),
        method_name=options.method,
        method=_method(options),
        sample=Sample(rows=options.sample, seed=options.seed),
        share_limit=options.share,
    )
    print(text(summary))
    print(f"{summary.sentence} Report: {options.out / 'drift.html'} ({source(summary)})")
    return 1 if summary.verdict == "drift" else 0


def report(
    data: Path,
    out: Path,
    *,
    columns: Sequence[Column],
    method_name: str,
    method: Method,
    sample: Sample,
    share_limit: float,
) -> Summary:
    """Compare the two tables in `data`, write drift.html and drift.json to `out`, and return the latter's content.

    Raises DataError for input that cannot be compared, OSError where `out` cannot be written.
    """
    frames = _read(data)
    rows = {stem: frame.height for stem, frame in frames.items()}
    origin = _source(data, sum(rows.values()))
    require_writable(out)
    samples = {stem: _sampled(frame, sample) for stem, frame in frames.items()}
    sizes = " against ".join(f"{samples[stem].height:,}" for stem in (CURRENT, REFERENCE))
    _progress(f"comparing {len(columns)} columns of {sizes} rows with Evidently: 10 to 60 seconds")
    comparison = compare(samples[REFERENCE], samples[CURRENT], columns, method, share_limit)
    reference, current = (
        Side(table=stem, rows=rows[stem], rows_compared=samples[stem].height) for stem in (REFERENCE, CURRENT)
    )
    summary = Summary(
        **origin.model_dump(),
        reference=reference,
        current=current,
        sample=sample,
        method=method_name,
        thresholds=Limits.of(method, share_limit),
        columns_judged=comparison.evaluated,
        columns_drifted=comparison.drifted,
        share_drifted=round(comparison.share, 4),
        verdict="drift" if comparison.is_drift else "no drift",
        sentence=sentence(comparison),
        columns=[ColumnSummary.of(column) for column in comparison.columns],
    )
    _progress(f"writing drift.html and drift.json to {out}")
    (out / "drift.html").write_text(html(summary, comparison.run), encoding="utf-8")
    content = json.dumps(summary.model_dump(), indent=1, allow_nan=False)
    (out / "drift.json").write_text(content + "\n", encoding="utf-8")
    return summary


def _read(data: Path) -> dict[str, pl.DataFrame]:
    """Read the two tables; raise DataError where one of them is missing, broken or too small."""
    frames = {}
    for stem in (REFERENCE, CURRENT):
        _progress(f"reading {stem} in {data}")
        frames[stem] = read_application(data, stem)
    for stem, frame in frames.items():
        if frame.height < MIN_VALUES:
            raise DataError(
                f"{find_file(data, stem)}: holds {frame.height:,} rows, too few to tell drift from chance; "
                f"give at least {MIN_VALUES:,}"
            )
    return frames


def _path(text: str) -> Path:
    return Path(text).expanduser()


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
    columns = {column.name: column for column in APPLICATION if column.kind != "id"}
    for name in names or ():
        if name not in columns:
            nearest = difflib.get_close_matches(name, columns, n=1)
            raise DataError(
                f"no column {name} to compare; " + (f"is it {nearest[0]}?" if nearest else "see bento/data/tables.py")
            )
    return [columns[name] for name in dict.fromkeys(names or columns)]


def _method(options: argparse.Namespace) -> Method:
    method = dict(METHODS[options.method])
    if options.threshold is not None:
        method["number"] = replace(method["number"], threshold=options.threshold)
    if options.category_threshold is not None:
        method["category"] = replace(method["category"], threshold=options.category_threshold)
    return method


def _source(data: Path, clients: int) -> Source:
    """Read clients and seed of synthetic data from synthetic.json; data without that file is real."""
    path = data / "synthetic.json"
    if not path.is_file():
        return Source(data="real", clients=clients, seed=None)
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        return Source(data="synthetic", clients=int(description["clients"]), seed=int(description["seed"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: does not name clients and seed; make the data again with `make data`") from error


def _sampled(frame: pl.DataFrame, sample: Sample) -> pl.DataFrame:
    rows = frame.sample(min(sample.rows, frame.height), seed=sample.seed)
    return clean({APPLICATION.name: rows})[APPLICATION.name]


def _progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
