"""Compare applications with those of the training, or two periods of the journal; exit code 1 on drift.

--reference and --current are each a folder of tables, a CSV or Parquet file of applications, or a period of the
journal, journal:FROM..TO (dates or moments, UTC). By default application_train and application_test of --data.

Compared are all columns of the application (CODE_GENDER too: never a feature, but an audit of fairness needs to know
that it shifted), the features of the model, the predicted probability of default and the approval rate. The size of a
change is a population stability index; what counts is what chance reaches at these sample sizes
(drift/distributions.py) and what the drifted columns do to the PD under the model (drift/judge.py). docs/drift.md says
how well that works.

Exit code: 0 no drift, 1 drift, 2 could not tell, or bad input.
"""

import argparse
import difflib
import json
from collections.abc import Sequence
from pathlib import Path

from bento import CorrectableError, require_writable
from bento.data.files import DataError, find_file
from bento.data.tables import APPLICATION
from bento.journal.store import Journal
from drift import runs
from drift.champion import champion, scores
from drift.compare import Field, application_fields, feature_fields
from drift.evidently_page import evidently_html
from drift.journals import open_journal
from drift.judge import Judgement, Weighed, judge
from drift.populations import REFERENCE, Population, period, population
from drift.render import html, in_short, text
from drift.runs import at_least, progress
from drift.summary import DriftReport, Verdict

EXAMPLE = "python -m drift report --current journal:2026-01-01..2026-02-01"
EXIT_CODES: dict[Verdict, int] = {"no drift": 0, "drift": 1, "could not tell": 2}
MAX_SCORED = 50_000
"""Applications of each population whose features and PD are computed, by default: about a minute at full size."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add populations, model, journal, sample and output."""
    add = parser.add_argument
    add_source_arguments(parser)
    add("--current", metavar="SOURCE", help="what is compared (default: application_test of --data)")
    runs.add_arguments(parser)
    add("--columns", nargs="+", metavar="NAME", help="compare these columns only (default: all)")
    add("--mlflow", action="store_true", help="also log the report as a run of MLflow (MLFLOW_TRACKING_URI)")
    add("--schema", action="store_true", help="print the JSON schema of drift.json, and nothing else")


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every command of drift reads: data, reference, model, journal, sample."""
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of the tables (default: data/raw, else data/synthetic)")
    add("--reference", metavar="SOURCE", help="what is compared with (default: application_train of --data)")
    add("--model", metavar="TAG", help="model of the BentoML store, or its folder (default: the newest there)")
    add("--journal", metavar="URL", help="where the journal is, instead of JOURNAL_URL")
    add("--sample", type=at_least(1000), metavar="N", default=MAX_SCORED, help="applications scored (%(default)s)")
    add("--seed", type=at_least(0), metavar="N", default=1, help="seed of the sample (%(default)s)")


def run(options: argparse.Namespace) -> int:
    """Write drift.html, drift.json and drift.md, print the findings, and return the exit code of the verdict."""
    if options.schema:
        print(json.dumps(DriftReport.model_json_schema(), indent=1))
        return 0
    fields = _fields(options.columns)
    require_writable(options.out)
    reference, current = open_populations(options)
    judgement = judgement_of(options, reference, current, fields)
    report = judgement.report
    code, findings = EXIT_CODES[report.verdict], text(report)
    with runs.new_folder(options.out, "report") as folder:
        page = write(judgement, folder, fields)
        (folder / "drift.md").write_text(f"# {report.sentence}\n\n```\n{findings}\n```\n", encoding="utf-8")
        runs.record(folder, "report", report.verdict, code, in_short(report), options.keep)
    if options.mlflow:
        _log(report, folder)
    print(findings)
    print(f"{report.sentence} Report: {page}")
    return code


def open_reference(options: argparse.Namespace, journal: Journal | None) -> Population:
    """Open the reference; raise DataError where it cannot be used."""
    source = options.reference or str(options.data or _default_data())
    progress(f"reading {source}")
    return population(source, "reference", journal)


def open_populations(options: argparse.Namespace) -> tuple[Population, Population]:
    """Open reference and current set; raise DataError where one cannot be used."""
    current = options.current or str(options.data or _default_data())
    periods = [period(source) for source in (options.reference or "", current) if source.startswith("journal:")]
    journal = open_journal(options.journal) if periods else None
    reference = open_reference(options, journal)
    progress(f"reading {current}")
    return reference, population(current, "current", journal)


def judgement_of(
    options: argparse.Namespace, reference: Population, current: Population, fields: Sequence[Field] | None = None
) -> Judgement:
    """Compare the populations, weighed by the model where there is one."""
    weighed = _weighed(options, reference, current)
    progress(f"comparing {current.rows:,} with {reference.rows:,} applications")
    return judge(reference, current, weighed, fields)


def write(judgement: Judgement, out: Path, fields: Sequence[Field] | None = None) -> Path:
    """Write drift.json and drift.html; return the path of the page."""
    report = judgement.report
    progress(f"writing drift.html and drift.json to {out}")
    (out / "drift.json").write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    page = out / "drift.html"
    page.write_text(html(report, _drawn(judgement, fields)), encoding="utf-8")
    return page


def _drawn(judgement: Judgement, fields: Sequence[Field] | None) -> str:
    """Return Evidently's page: PD and features of the model where there is one, else columns, the worst first."""
    report = judgement.report
    if judgement.features is not None:
        by_name = {field.name: field for field in feature_fields([column.column for column in report.features])}
        return evidently_html(*judgement.features, [Field("PD", "number"), *by_name.values()])
    by_name = {field.name: field for field in fields or application_fields()}
    return evidently_html(*judgement.columns, [by_name[column.column] for column in report.columns])


def _weighed(options: argparse.Namespace, reference: Population, current: Population) -> Weighed | None:
    try:
        named = champion(options.model)
    except CorrectableError as error:
        if options.model is not None:
            raise
        progress(f"warning: {error}")
        return None
    if named is None:
        progress("warning: there is no model in the BentoML store; features and PD are not compared")
        return None
    tag, model = named
    progress(f"scoring both populations by {tag}")
    parts = [scores(model, side, options.sample, options.seed) for side in (reference, current)]
    return Weighed(tag=tag, model=model, reference=parts[0], current=parts[1])


def _log(report: DriftReport, out: Path) -> None:
    import mlflow  # noqa: PLC0415 - takes seconds, and only this option needs it

    mlflow.set_experiment("drift")
    with mlflow.start_run(run_name=report.current.name):
        mlflow.set_tags({"verdict": report.verdict, "model": report.model or "none"})
        mlflow.log_metric("drifted_columns", len(report.drifted_columns))
        if report.probability is not None:
            mlflow.log_metric("pd_psi", report.probability.psi or 0.0)
        for name in ("drift.json", "drift.html"):
            mlflow.log_artifact(str(out / name))


def _default_data() -> Path:
    for folder in (Path("data/raw"), Path("data/synthetic")):
        if find_file(folder, REFERENCE):
            return folder
    raise DataError("neither data/raw nor data/synthetic holds tables; run `make data`, or name a folder with --data")


def _fields(names: Sequence[str] | None) -> list[Field] | None:
    if names is None:
        return None
    columns = [column.name for column in APPLICATION if column.kind != "id"]
    for name in names:
        if name not in columns:
            nearest = difflib.get_close_matches(name, columns, n=1)
            raise DataError(
                f"no column {name} to compare; " + (f"is it {nearest[0]}?" if nearest else "see bento/data/tables.py")
            )
    return application_fields(names)
