"""Watch a period of the journal: drift, performance and stability by month, compared with earlier runs.

Writes drift.html, drift.json, performance.json, performance.md, watch.json and watch.md to the folder of the run, adds
a line to watch.jsonl beside it, and posts the summary to the address in DRIFT_WEBHOOK, where it is set, as JSON:
{"text": ...}. docs/drift.md has the rule that leads from findings to an action.

Exit code: 0 nothing to do, 1 look, recalibrate or retrain, 2 could not tell, or bad input.
"""

import argparse
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bento import require_writable
from bento.addresses import without_secrets
from bento.data.files import DataError
from bento.i18n import NARROW_SPACE, Wording, format_number
from drift import report as drift_report
from drift import runs
from drift.actions import ACTIONS, REMEDIES, Action, Finding, Month, findings
from drift.distributions import number_distance
from drift.journals import open_journal
from drift.judge import MIN_PD_PSI, Weighed
from drift.performance import PerformanceReport, performance
from drift.performance import write as write_performance
from drift.populations import Population, of_journal, period
from drift.report import add_source_arguments
from drift.runs import progress
from drift.summary import DriftReport, Part, Verdict

EXAMPLE = "python -m drift watch --current journal:2026-06-01..2026-07-01 --outcomes outcomes.csv"
HISTORY = "watch.jsonl"
MIN_DECISIONS = 100
"""Decisions of a month from which it has a point."""
DEVIATIONS = 3
"""Standard errors from the mean PD of the reference to the control limits."""
WEBHOOK_TIMEOUT_S = 10


class Settings(BaseSettings):
    """What the environment may set for the watch."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, extra="ignore")

    drift_webhook: str | None = None


class Line(Part):
    """One run in watch.jsonl."""

    period: str
    model: str
    verdict: Verdict
    action: Action
    approval_rate: float
    mean_pd: float
    expected_cost: float
    auc: float | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add period, reference, outcomes, model, journal and output."""
    add = parser.add_argument
    add_source_arguments(parser)
    add("--current", metavar="SOURCE", required=True, help="the period: journal:FROM..TO")
    add("--outcomes", type=Path, metavar="CSV", help="outcomes by decision_id or SK_ID_CURR, with TARGET")
    runs.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Run report and performance, name the action, and return the exit code."""
    start, end = period(options.current)
    require_writable(options.out)
    journal = open_journal(options.journal)
    current = of_journal(journal, start, end)
    reference = drift_report.open_reference(options, journal)
    judgement = drift_report.judgement_of(options, reference, current)
    if judgement.weighed is None:
        raise DataError("there is no model to watch; import one (`make import`) or name it with --model")
    measured = performance(journal, current, options.outcomes, judgement.weighed.tag, judgement.weighed.model)
    months = stability(judgement.weighed, current)
    results = findings(judgement.report, measured, months)
    earlier = _earlier(options.out, judgement.report.current.name)
    line = _line(judgement.report, measured, results[0].action)
    text = "\n".join(markdown(judgement.report, measured, months, results, earlier, line))
    code = 2 if line.verdict == "could not tell" or measured.faults else 0 if line.action == "nothing" else 1
    with runs.new_folder(options.out, "watch") as folder:
        drift_report.write(judgement, folder)
        write_performance(measured, folder)
        _write(folder, line, results, months, text)
        runs.record(folder, "watch", line.action, code, in_short(line, results), options.keep)
    with (options.out / HISTORY).open("a", encoding="utf-8") as file:
        file.write(line.model_dump_json() + "\n")
    print(text)
    _post(text)
    return code


def stability(weighed: Weighed, current: Population) -> list[Month]:
    """Compare the PD of each month of the scored decisions with those of the reference."""
    reference, scores = weighed.reference.probability, weighed.current
    months = np.array([f"{current.decisions[row].decided_at:%Y-%m}" for row in scores.rows])
    points = []
    for month in sorted(set(months.tolist())):
        probability = scores.probability[months == month]
        if len(probability) >= MIN_DECISIONS:
            distance = number_distance(reference, probability)
            error = DEVIATIONS * float(reference.std()) / len(probability) ** 0.5
            mean = float(reference.mean())
            points.append(
                Month(
                    month=month,
                    decisions=len(probability),
                    psi=distance.psi,
                    limit=distance.limit(1, MIN_PD_PSI),
                    mean_pd=float(probability.mean()),
                    low=mean - error,
                    high=mean + error,
                )
            )
    return points


def markdown(
    report: DriftReport,
    measured: PerformanceReport,
    months: Sequence[Month],
    results: Sequence[Finding],
    earlier: Line | None,
    line: Line,
) -> Iterator[str]:
    """Yield the lines of the summary."""
    yield f"# {line.period}: {line.action}"
    yield ""
    yield f"What to do: {REMEDIES[line.action]}."
    yield ""
    yield from (f"- {finding.action}: {finding.text}" for finding in results)
    yield ""
    yield f"Approved {line.approval_rate:.1%}, mean PD {line.mean_pd:.4f}, {_cost(measured)}."
    if earlier is not None:
        yield (
            f"Before ({earlier.period}): {earlier.action}, approved {earlier.approval_rate:.1%}, mean PD "
            f"{earlier.mean_pd:.4f}, expected cost {earlier.expected_cost:.0f}."
        )
    yield ""
    yield "| month | decisions | PSI of the PD | limit | mean PD | control limits |"
    yield f"|{'---|' * 6}"
    for month in months:
        mark = " !" if month.is_beyond else ""
        yield (
            f"| {month.month}{mark} | {month.decisions:,} | {month.psi:.4f} | {month.limit:.4f} "
            f"| {month.mean_pd:.4f} | {month.low:.4f} to {month.high:.4f} |"
        )
    yield ""
    yield report.sentence


def in_short(line: Line, results: Sequence[Finding]) -> Wording:
    """Return the action, how many findings there are, and the approval rate in one sentence."""
    action, count = ACTIONS[line.action], sum(finding.action != "nothing" for finding in results)
    approved, approved_fr = format_number(100 * line.approval_rate, 1)
    return Wording(
        en=f"{action.en}; findings: {count}; approved: {approved}%.",
        fr=f"{action.fr}{NARROW_SPACE}; constats{NARROW_SPACE}: {count}{NARROW_SPACE}; "
        f"accordés{NARROW_SPACE}: {approved_fr}{NARROW_SPACE}%.",
    )


def _cost(measured: PerformanceReport) -> str:
    expected = measured.overall.estimate
    return f"expected cost of 1,000 applications {expected.cost:.0f} ({expected.low:.0f} to {expected.high:.0f})"


def _line(report: DriftReport, measured: PerformanceReport, action: Action) -> Line:
    overall = measured.overall
    return Line(
        period=report.current.name,
        model=str(report.model),
        verdict=report.verdict,
        action=action,
        approval_rate=overall.approval_rate,
        mean_pd=overall.mean_pd,
        expected_cost=overall.estimate.cost,
        auc=None if overall.auc is None else overall.auc.value,
    )


def _earlier(out: Path, current: str) -> Line | None:
    """Return the last run on another period."""
    path = out / HISTORY
    if not path.is_file():
        return None
    try:
        lines = [Line.model_validate_json(text) for text in path.read_text(encoding="utf-8").splitlines() if text]
    except ValidationError as error:
        raise DataError(f"{path}: holds a line that no watch has written; delete it, or name another --out") from error
    return next((line for line in reversed(lines) if line.period != current), None)


def _write(folder: Path, line: Line, results: Sequence[Finding], months: Sequence[Month], text: str) -> None:
    content = line.model_dump() | {
        "findings": [asdict(finding) for finding in results],
        "months": [asdict(month) for month in months],
    }
    (folder / "watch.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (folder / "watch.md").write_text(text + "\n", encoding="utf-8")


def _post(text: str) -> None:
    """Post the summary to DRIFT_WEBHOOK; that it fails is a warning, as the files hold the summary."""
    address = Settings().drift_webhook
    if address is None:
        return
    if not address.startswith(("https://", "http://")):
        raise DataError("DRIFT_WEBHOOK: is no address; write https://...")
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT_S):  # noqa: S310
            progress("posted the summary to DRIFT_WEBHOOK")
    except (urllib.error.URLError, TimeoutError) as error:
        progress(without_secrets(f"warning: DRIFT_WEBHOOK: {error}"))
