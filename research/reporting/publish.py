"""Publish the results of runs: README, model card and documents take their figures from there alone."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from bento.model.manifest import SCORING_FILE, DataSource, ModelManifest
from research import tracking
from research.cli import ROOT, CommandError, add_data_option, shown
from research.data.dataset import DATA
from research.evaluation.bootstrap import WHAT_INTERVALS_HOLD
from research.evaluation.test_split import results_with_test_split
from research.reporting.badges import write_badges
from research.reporting.card_parts import interval, metric_rows, opening
from research.reporting.documents import write_documents
from research.reporting.model_card import write_model_card
from research.reporting.quoted_figures import PUBLISHED
from research.reporting.runs import of_another_model, runs_beside
from research.reporting.same_again import commands, full_size_commands
from research.results import (
    COMPARISON_FILE,
    COUNTERFACTUALS_FILE,
    FIDELITY_FILE,
    GATE_FILE,
    LAWFUL_FILE,
    MISSING_FILE,
    MITIGATION_FILE,
    PRICE_FILE,
    QUOTABLE_FILE,
    REASONS_FILE,
    RESULTS_FILE,
    RULES_FILE,
    SERVED_FEATURES_FILE,
    SPLITS,
    Comparison,
    Interval,
    Policy,
    ServedFeatures,
    SplitName,
    TrainingResults,
    read,
    read_if_present,
    written,
)

EXAMPLE = "python -m research publish 87e7285f5d1a4265a9585d572ac97ed1"

README = ROOT / "README.md"
RESULTS_PAGE = ROOT / "docs" / "results.md"
FULL_SIZE = "full_size"
"""Folder of the results of a training on as many clients as the public data have, within the published results."""
BEGIN, END = "<!-- results: written by python -m research publish -->", "<!-- end of results -->"
_PAGE_BEGIN = """# Results

Written by `python -m research publish`. A missed default costs about ten good clients refused; cost is counted in good
clients refused. Out of fold, the cost is judged by thresholds that the other folds choose. Figures marked
`data: synthetic` describe the generator. The [model card](../MODEL_CARD.md) holds the rest: decision, calibration,
groups, explanation, limits.

"""
_PAGE_END = """

## Pictures

The gain of each table and each size of the feature set, the cost of constraints, of leaving age out and of leaving out
what cannot be quoted to a client, and the fidelity of the synthetic data are in `research/results/` as tables (JSON) and
figures, each with the source of its data:

| | |
|---|---|
| ![Cost of every threshold, with its band](../research/results/cost_curve.png) | ![The comparison of families and imbalance arms](../research/results/comparison.png) |
| ![Features that change the score most](../research/results/shap_beeswarm.png) | ![Approval and AUC by group](../research/results/fairness.png) |
| ![AUC against the number of features](../research/results/feature_study.png) | ![Fidelity of the synthetic data](../research/results/fidelity.png) |
| ![Cost of leaving out what cannot be quoted](../research/results/quotable.png) | |
"""  # noqa: E501 - a row of a table is a line
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
    LAWFUL_FILE,
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
            trained = results_with_test_split(run_id, data_folder)
            (out / path.name).write_text(json.dumps(written(trained), indent=1) + "\n")
            served = _served_features(trained, results / "model" / SCORING_FILE)
            (out / SERVED_FEATURES_FILE).write_text(json.dumps(written(served), indent=1) + "\n")
        else:
            shutil.copy2(path, out / path.name)
    return out


def publish_full_size(run_id: str, data_folder: Path | None = None, out: Path = PUBLISHED) -> Path:
    """Write the results of a training, with the figures of the test split, beside the published ones.

    Nothing but the page of results shows them.
    """
    trained = results_with_test_split(run_id, data_folder)
    path = out / FULL_SIZE / RESULTS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(written(trained), indent=1) + "\n")
    return path


def _served_features(trained: TrainingResults, manifest: Path) -> ServedFeatures:
    """Return the features of the model of a run, which its manifest lists."""
    features = ModelManifest.model_validate_json(manifest.read_text("utf-8")).features
    source = trained.model_dump(include=set(DataSource.model_fields))
    return ServedFeatures(**source, run=trained.run, features=[feature.name for feature in features])


def publish_fidelity(fidelity: Path, out: Path = PUBLISHED) -> None:
    """Copy what `fidelity` wrote into a folder, if it is there, into `out`."""
    for path in (fidelity / FIDELITY_FILE, *fidelity.glob("*.png")):
        if path.is_file():
            shutil.copy2(path, out / path.name)


def headline(folder: Path = PUBLISHED) -> str:
    """Return five published figures with their intervals, as the Markdown of the README."""
    results = read(TrainingResults, folder / RESULTS_FILE)
    split: SplitName = "test" if "test" in results.intervals else "out_of_fold"
    costs = results.business[split]
    ratios = [group for group in results.fairness.age.groups if group.approval_ratio is not None]
    lowest = min(ratios, key=lambda group: _value(group.approval_ratio), default=None)
    rows = [
        ("AUC: pairs of a default and a good client that are ranked right", interval(results.intervals[split]["auc"])),
        ("cost of 1,000 applications decided by the model", _of_1000(costs["model"].cost_per_client, ".0f")),
        ("cost of 1,000 applications, all granted", _of_1000(costs["accept_all"].cost_per_client, ".0f")),
        ("slope of calibration (1 is perfect)", interval(results.intervals[split]["calibration_slope"], ".2f")),
    ]
    if lowest is not None:
        title = f"approval rate of the least approved age group ({lowest.group}), over that of the most approved"
        rows.append((title, interval(lowest.approval_ratio, ".2f")))
    clients = "clients that no choice was made on" if split == "test" else "development clients, out of fold"
    return "\n".join(
        [
            f"`data: {results.data}` {results.description}; {results.metrics[f'{split}_clients']:,.0f} {clients}; in",
            "brackets, bootstrap intervals at 95 %:",
            "",
            "| | |",
            "|---|---|",
            *(f"| {' | '.join(row)} |" for row in rows),
        ]
    )


def _value(figure: Interval | None) -> float:
    return float("inf") if figure is None or figure.value is None else figure.value


def results_page(folder: Path = PUBLISHED) -> str:
    """Return the page of all published figures as Markdown."""
    source = read(TrainingResults, folder / RESULTS_FILE)
    real = "with the real files in `data/raw`, " if source.data == "real" else ""
    same = "\n".join(
        [f"To obtain the same, {real}in the environment of `make setup`:", "", "```sh", *commands(source), "```"]
    )
    same += "\n\n"
    return f"{_PAGE_BEGIN}{same}{results_table(folder)}{_PAGE_END}"


def results_table(folder: Path = PUBLISHED) -> str:
    """Return the published figures as Markdown: of the model, and of the comparison and full size where there are."""
    lines = ["## The published model", "", *_model_table(read(TrainingResults, folder / RESULTS_FILE))]
    comparison = read_if_present(Comparison, folder / COMPARISON_FILE)
    if comparison is not None:
        lines += ["", *_comparison_table(comparison)]
    full_size = read_if_present(TrainingResults, folder / FULL_SIZE / RESULTS_FILE)
    if full_size is not None:
        lines += ["", f"## The same training on {full_size.clients:,} clients", "", *_model_table(full_size), ""]
        lines += ["To obtain the same, where `RUN` is what `train` names:", "", "```sh", *full_size_commands(full_size)]
        lines += ["```"]
    return "\n".join(lines)


def _model_table(results: TrainingResults) -> Iterator[str]:
    """Yield the lines of the figures of a training, with what their intervals do not hold."""
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
        best = [results.oracle[f"{split}_auc"] for split in SPLITS]
        rows += [["AUC of the true probabilities", *(f"{value:.3f}" for value in best)]]
        shares = [
            (2 * metrics[f"{split}_auc"] - 1) / (2 * value - 1) for split, value in zip(SPLITS, best, strict=True)
        ]
        rows += [["share of the Gini of the true probabilities", *(f"{share:.1%}" for share in shares)]]
    for title, policy in policies:
        rows += [[title, *(interval(results.business[split][policy].cost_per_client) for split in SPLITS)]]
    rows += [["share refused", *(f"{metrics[f'{split}_refused_share']:.3f}" for split in SPLITS)]]
    yield f"Obtained on {results.description}; bootstrap intervals at 95 %:"
    yield ""
    yield "| | out of fold | test |"
    yield "|---|---|---|"
    yield from (f"| {' | '.join(cells)} |" for cells in rows)
    yield ""
    yield f"{WHAT_INTERVALS_HOLD['en']} The figures to quote are those of the test split. {opening(results)}".rstrip()
    yield ""
    yield (
        f"Threshold {metrics['threshold']:.4f} (theory {metrics['theoretical_threshold']:.4f}); "
        f"{metrics['features']:.0f} features" + (f", {metrics['trees']:.0f} trees." if "trees" in metrics else ".")
    )


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
    yield "## The comparison of families"
    yield ""
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
    """Write five published figures between the README's two marks."""
    before, _, rest = readme.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{headline(folder)}\n{END}{after}", "utf-8")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the data and the runs."""
    add_data_option(parser)
    parser.add_argument(
        "runs",
        nargs="*",
        metavar="RUN",
        help="folders of data/results, as MLflow run ids; by default that of the champion, and the newest of each "
        "command on its data",
    )
    parser.add_argument(
        "--full-size",
        metavar="RUN",
        help="publish nothing but the results of this training, beside the others: on the page of results they show "
        "what more clients are worth",
    )


def run(options: argparse.Namespace) -> None:
    """Copy the results of the runs, and write README, model card and documents anew."""
    if options.full_size is not None:
        path = publish_full_size(options.full_size, options.data)
        RESULTS_PAGE.write_text(results_page(), "utf-8")
        print(f"published: {shown(path)}")
        return
    runs = options.runs or runs_beside(tracking.run_id(tracking.champion(tracking.connect())), DATA / "results")
    for run_id in runs:
        publish(run_id, data_folder=options.data)
        print(f"published: {shown(DATA / 'results' / run_id)}")
    if options.data is not None:
        publish_fidelity(options.data.with_name(f"{options.data.name}-fidelity"))
    write_readme()
    RESULTS_PAGE.write_text(results_page(), "utf-8")
    write_badges()
    write_model_card(PUBLISHED)
    write_documents(PUBLISHED)
    results = read(TrainingResults, PUBLISHED / RESULTS_FILE)
    print(f"{shown(PUBLISHED)}: results on {results.description}")
    print(opening(results))
    for line in of_another_model(PUBLISHED):
        print(f"{shown(PUBLISHED)}/{line}", file=sys.stderr)
