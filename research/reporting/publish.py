"""Publish the results of runs: README, model card and documents take their figures from there alone."""

import argparse
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from research import tracking
from research.cli import ROOT, CommandError, add_data_option, shown
from research.data.dataset import DATA
from research.evaluation.bootstrap import WHAT_INTERVALS_HOLD
from research.evaluation.test_split import results_with_test_split
from research.reporting.card_parts import interval, metric_rows, opening
from research.reporting.documents import write_documents
from research.reporting.model_card import write_model_card
from research.reporting.quoted_figures import PUBLISHED
from research.results import (
    COMPARISON_FILE,
    COUNTERFACTUALS_FILE,
    GATE_FILE,
    MISSING_FILE,
    MITIGATION_FILE,
    PRICE_FILE,
    QUOTABLE_FILE,
    REASONS_FILE,
    RESULTS_FILE,
    RULES_FILE,
    SPLITS,
    Comparison,
    Interval,
    Policy,
    TrainingResults,
    read,
    read_if_present,
    written,
)

EXAMPLE = "python -m research publish 87e7285f5d1a4265a9585d572ac97ed1"

README = ROOT / "README.md"
BEGIN, END = "<!-- results: written by python -m research publish -->", "<!-- end of results -->"
PUBLISHABLE = (
    RESULTS_FILE,
    GATE_FILE,
    COMPARISON_FILE,
    PRICE_FILE,
    MITIGATION_FILE,
    MISSING_FILE,
    RULES_FILE,
    COUNTERFACTUALS_FILE,
    QUOTABLE_FILE,
    REASONS_FILE,
)
"""Result files of single commands, from train to reasons, of which a published run holds at least one."""


def publish(run_id: str, out: Path = PUBLISHED, data_folder: Path | None = None) -> Path:
    """Copy results and figures of a run, which must have some, into `out`, over those of an earlier run of its kind.

    Results of a training get the figures of the test split, which is opened once for each run; `data_folder` is that of
    the run's data, as `open_data` takes it.
    """
    results = DATA / "results" / run_id
    files = [results / name for name in PUBLISHABLE if (results / name).is_file()]
    if not files:
        raise CommandError(f"{results}: holds none of {', '.join(PUBLISHABLE)}; name the folder of a finished run")
    out.mkdir(parents=True, exist_ok=True)
    for path in (*files, *sorted(results.glob("*.png"))):
        if path.name == RESULTS_FILE:
            content = written(results_with_test_split(run_id, data_folder))
            (out / path.name).write_text(json.dumps(content, indent=1) + "\n")
        else:
            shutil.copy2(path, out / path.name)
    return out


def results_table(folder: Path = PUBLISHED) -> str:
    """Return the published figures as the Markdown of the README."""
    results = read(TrainingResults, folder / RESULTS_FILE)
    metrics = results.metrics
    policies: tuple[tuple[str, Policy], ...] = (
        ("cost per client, at the threshold", "model"),
        ("everybody granted", "accept_all"),
        ("everybody refused", "refuse_all"),
    )
    rows = [["clients", *(f"{metrics[f'{split}_clients']:,.0f}" for split in SPLITS)]]
    rows += [["AUC", *(interval(results.intervals[split].get("auc")) for split in SPLITS)]]
    rows += metric_rows(results, (("Gini", "gini"), ("KS", "ks")), ".3f")
    if results.oracle:
        rows += [["AUC of the true probabilities", *(f"{results.oracle.get(f'{name}_auc', 0):.3f}" for name in SPLITS)]]
    for title, policy in policies:
        rows += [[title, *(interval(results.business[split][policy].cost_per_client) for split in SPLITS)]]
    rows += [["share refused", *(f"{metrics[f'{split}_refused_share']:.3f}" for split in SPLITS)]]
    lines = [
        f"Obtained on {results.description}; bootstrap intervals at 95 %:",
        "",
        "| | out of fold | test |",
        "|---|---|---|",
        *(f"| {' | '.join(cells)} |" for cells in rows),
        "",
        f"{WHAT_INTERVALS_HOLD['en']} The figures to quote are those of the test split. {opening(results)}".rstrip(),
        "",
        f"Threshold {metrics['threshold']:.4f} (theory {metrics['theoretical_threshold']:.4f}); "
        f"{metrics['features']:.0f} features" + (f", {metrics['trees']:.0f} trees." if "trees" in metrics else "."),
    ]
    comparison = read_if_present(Comparison, folder / COMPARISON_FILE)
    return "\n".join(lines if comparison is None else [*lines, "", *_comparison_table(comparison)])


def _comparison_table(comparison: Comparison) -> Iterator[str]:
    """Yield the lines of the table of candidates: costs of 1,000 applications out of fold, in good clients refused."""
    figures = [
        column
        for column in (
            ("AUC", "auc", ".3f"),
            ("Gini", "gini", ".3f"),
            ("KS", "ks", ".3f"),
            ("slope", "calibration_slope", ".2f"),
            ("fit, s", "fit_seconds", ".1f"),
            ("1,000 scores, ms", "score_ms_per_1000", ".0f"),
        )
        if any(getattr(row, column[1]) is not None for row in comparison.rows)
    ]
    head = ["candidate", "cost of 1,000 applications", "cost above the champion", *(title for title, _, _ in figures)]
    yield (
        f"Compared on {comparison.description}, the same {comparison.folds} folds and cost of errors for all "
        "(slope: of calibration, 1 is perfect; *: can be served):"
    )
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in comparison.rows:
        values = ((getattr(row, name), form) for _, name, form in figures)
        above = row.cost_above_champion if row.candidate != "champion" else None
        cells = [row.candidate.replace("_", " ") + (" *" if row.served else "")]
        cells += [_of_1000(row.cost_per_client, ".0f"), _of_1000(above, "+.0f")]
        cells += ["" if value is None else f"{value:{form}}" for value, form in values]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield WHAT_INTERVALS_HOLD["en"] + (f" {comparison.verdict.statement}." if comparison.verdict else "")


def _of_1000(cost: Interval | None, form: str) -> str:
    """Return the cost of 1,000 applications, empty where there is none."""
    if cost is None:
        return ""
    value, low, high = (None if end is None else 1000 * end for end in (cost.value, cost.low, cost.high))
    return interval(Interval(value=value, low=low, high=high), form)


def write_readme(folder: Path = PUBLISHED, readme: Path = README) -> None:
    """Write the published figures between the README's two marks."""
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{results_table(folder)}\n{END}{after}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the data and the runs."""
    add_data_option(parser)
    parser.add_argument(
        "runs",
        nargs="*",
        metavar="RUN",
        help="MLflow run ids: folders of data/results; by default that of the champion",
    )


def run(options: argparse.Namespace) -> None:
    """Copy the results of the runs, and write README, model card and documents anew."""
    for run_id in options.runs or [tracking.run_id(tracking.champion(tracking.connect()))]:
        publish(run_id, data_folder=options.data)
    write_readme()
    write_model_card(PUBLISHED)
    write_documents(PUBLISHED)
    results = read(TrainingResults, PUBLISHED / RESULTS_FILE)
    print(f"{shown(PUBLISHED)}: results on {results.description}")
    print(opening(results))
