"""Measure decisions of the journal by the outcomes that arrived, and estimate the rest.

--outcomes is a CSV file with decision_id or SK_ID_CURR, and TARGET (1 default, 0 repaid); with a column OUTCOME_DATE
(2026-01-31) the report also has a table by vintage. Applicants who were refused have no outcome, so that measured
figures describe granted loans only: they rank a narrower range of clients (AUC is lower than on all applicants), and
miss the good clients who were refused. The estimate covers all decisions, from their PD; it cannot see a change of the
relation between application and default.

Exit code: 0, or 2 for bad input and where no outcome could be used.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from bento import FAULT, CorrectableError, require_writable
from bento.data.files import DataError
from bento.i18n import NARROW_SPACE, Wording, format_number
from bento.journal.store import Journal
from bento.model.scoring_model import ScoringModel
from drift import runs
from drift.champion import champion
from drift.figures import Figures, Overrides, decided, figures, table
from drift.journals import open_journal
from drift.outcomes import read_outcomes
from drift.populations import Population, of_journal, period
from drift.runs import progress
from drift.summary import Part
from drift.vintages import Vintage, vintages
from drift.vintages import table as vintage_table

EXAMPLE = "python -m drift performance --current journal:2026-01-01..2026-07-01 --outcomes outcomes.csv"
CAVEAT = (
    "Refused applicants have no outcome: AUC, KS, Brier and cost describe granted loans, "
    "which differ less in risk than all applicants."
)


class PerformanceReport(Part):
    """The content of performance.json."""

    period: str
    model: str | None = Field(description="by whose features the shift of the population is weighed")
    caveat: str
    faults: list[str] = Field(description="what could not be measured, and why")
    notes: list[str]
    overall: Figures
    by_month: list[Figures]
    by_vintage: list[Vintage] = Field(description="empty where the outcomes have no date")
    by_group: list[Figures]
    overrides: Overrides


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add period, outcomes, journal, model and output."""
    add = parser.add_argument
    add("--current", metavar="SOURCE", required=True, help="the decisions: journal:FROM..TO")
    add("--outcomes", type=Path, metavar="CSV", help="outcomes by decision_id or SK_ID_CURR, with TARGET")
    add("--model", metavar="TAG", help="model of the BentoML store, or its folder (default: the newest there)")
    add("--journal", metavar="URL", help="where the journal is, instead of JOURNAL_URL")
    runs.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Write performance.json and performance.md, and print the latter."""
    start, end = period(options.current)
    require_writable(options.out)
    journal = open_journal(options.journal)
    progress(f"reading {options.current}")
    report = performance(journal, of_journal(journal, start, end), options.outcomes, *usable_model(options.model))
    code = FAULT if report.faults else 0
    with runs.new_folder(options.out, "performance") as folder:
        text = write(report, folder)
        verdict = "estimated" if report.overall.auc is None else "measured"
        runs.record(folder, "performance", verdict, code, in_short(report), options.keep)
    print(text)
    return code


def write(report: PerformanceReport, folder: Path) -> str:
    """Write performance.json and performance.md; return the content of the latter."""
    (folder / "performance.json").write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    text = "\n".join(markdown(report))
    (folder / "performance.md").write_text(text + "\n", encoding="utf-8")
    return text


def in_short(report: PerformanceReport) -> Wording:
    """Return how many decisions have an outcome, and the expected cost, in one sentence."""
    overall = report.overall
    values = (overall.decisions, overall.outcomes, overall.estimate.cost)
    (decisions, outcomes, cost), (decisions_fr, outcomes_fr, cost_fr) = zip(
        *(format_number(value, 0) for value in values), strict=True
    )
    colon = f"{NARROW_SPACE}:"
    return Wording(
        en=f"Decisions: {decisions}; outcomes known: {outcomes}; expected cost of 1,000 applications: {cost}.",
        fr=f"Décisions{colon} {decisions_fr}{NARROW_SPACE}; issues connues{colon} {outcomes_fr}{NARROW_SPACE}; "
        f"coût attendu de 1{NARROW_SPACE}000 demandes{colon} {cost_fr}.",
    )


def usable_model(name: str | None) -> tuple[str | None, ScoringModel | None]:
    """Return tag and model, or None twice where there is none; raise ModelError where a named one is unusable."""
    try:
        named = champion(name)
    except CorrectableError as error:
        if name is not None:
            raise
        progress(f"warning: {error}")
        named = None
    return (None, None) if named is None else named


def performance(
    journal: Journal, population: Population, outcomes: Path | None, tag: str | None, model: ScoringModel | None
) -> PerformanceReport:
    """Measure and estimate the decisions of a population of the journal."""
    joined = None if outcomes is None else read_outcomes(outcomes, population)
    if any(decision.probability is None for decision in population.decisions):
        raise DataError(f"{population.name}: holds decisions without probability; choose a period that is not purged")
    decisions = decided(journal, population, joined, model)
    overall, by_month, by_group = figures(decisions)
    missing = population.rows - int(decisions.has_outcome.sum()) - int(decisions.refused.sum())
    notes = [*population.notes, *(joined.notes if joined else ())]
    notes += [f"{missing:,} granted loans have no outcome yet"] if missing else []
    return PerformanceReport(
        period=population.name,
        model=tag,
        caveat=CAVEAT,
        faults=list(joined.faults) if joined else [],
        notes=notes,
        overall=overall,
        by_month=by_month,
        by_vintage=[]
        if decisions.ages is None
        else vintages(decisions.months, decisions.refused, decisions.target, decisions.ages),
        by_group=by_group,
        overrides=decisions.overrides,
    )


def markdown(report: PerformanceReport) -> Iterator[str]:
    """Yield the lines of the report as Markdown."""
    expected, overrides = report.overall.estimate, report.overrides
    yield f"# Performance of {report.period}"
    yield ""
    yield from table([report.overall, *report.by_month])
    yield ""
    yield report.caveat
    yield ""
    how = f"PD of the model, {expected.recalibrated:,} of them calibrated again on known outcomes"
    yield (
        f"Estimate for all {report.overall.decisions:,} decisions ({how}): default rate {expected.default_rate:.1%}, "
        f"AUC {expected.auc:.3f}, cost of 1,000 applications {expected.cost:.0f} "
        f"({expected.low:.0f} to {expected.high:.0f}). It cannot see concept drift."
    )
    yield ""
    yield f"Reviews by officers: {overrides.reviews}, of which {overrides.overturned} overturned the decision."
    yield from _listed([*(f"not measured: {fault}" for fault in report.faults), *report.notes])
    yield ""
    if report.by_vintage:
        yield "By vintage: defaults as a share of the loans granted in that month (outcomes that had arrived):"
        yield ""
        yield from vintage_table(report.by_vintage)
        yield ""
    yield "By group:"
    yield ""
    yield from table(report.by_group)


def _listed(notes: Sequence[str]) -> Iterator[str]:
    if notes:
        yield ""
        yield from (f"- {note}" for note in notes)
