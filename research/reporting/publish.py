"""Publishes the results of runs: README, slides and model card take their numbers from there alone."""

import json
import shutil
from pathlib import Path
from typing import Any

from research.cli import ROOT, CommandError, parser, run, shown
from research.data.dataset import DATA
from research.reporting.model_card import estimate, source, write_model_card

PUBLISHED = ROOT / "research" / "results"
README = ROOT / "README.md"
BEGIN, END = "<!-- results: written by research.reporting.publish -->", "<!-- end of results -->"
PUBLISHABLE = ("results.json", "gate.json", "comparison.json", "fairness_price.json")
"""What runs write, any of which makes a folder of results worth publishing: train, promote, compare, fairness."""


def publish(run_id: str, out: Path = PUBLISHED) -> Path:
    """Copy the results and figures of one run into `out`, in place of what an earlier run of its kind left there.

    Raises:
        CommandError: the run wrote no results here.
    """
    results = DATA / "results" / run_id
    there = [results / name for name in PUBLISHABLE if (results / name).is_file()]
    if not there:
        raise CommandError(f"{results}: holds none of {', '.join(PUBLISHABLE)}; name the folder of a finished run")
    out.mkdir(parents=True, exist_ok=True)
    for path in (*there, *sorted(results.glob("*.png"))):
        shutil.copy2(path, out / path.name)
    return out


def results_table(folder: Path = PUBLISHED) -> str:
    """The published figures as the Markdown that stands in the README."""
    results = json.loads((folder / "results.json").read_text())
    metrics, business, splits = results["metrics"], results["business"], ("out_of_fold", "test")
    policies = (
        ("cost per client, at the threshold", "model"),
        ("everybody granted", "accept_all"),
        ("everybody refused", "refuse_all"),
    )
    rows = [("clients", *(f"{metrics[f'{name}_clients']:,.0f}" for name in splits))]
    rows += [("AUC", *(estimate(results["intervals"][name].get("auc")) for name in splits))]
    if results["oracle"]:
        rows += [
            ("AUC of the true probabilities", *(f"{results['oracle'].get(f'{name}_auc', 0):.3f}" for name in splits))
        ]
    rows += [
        (title, *(estimate(business[name][policy]["cost_per_client"]) for name in splits)) for title, policy in policies
    ]
    rows += [("share refused", *(f"{metrics[f'{name}_refused_share']:.3f}" for name in splits))]
    lines = [
        f"Obtained on {source(results)}; bootstrap intervals at 95 %:",
        "",
        "| | out of fold | test |",
        "|---|---|---|",
        *(f"| {' | '.join(cells)} |" for cells in rows),
        "",
        f"Threshold {metrics['threshold']:.4f} (theory {metrics['theoretical_threshold']:.4f}); "
        f"{metrics['features']:.0f} features" + (f", {metrics['trees']:.0f} trees." if "trees" in metrics else "."),
    ]
    comparison = folder / "comparison.json"
    if comparison.is_file():
        lines += ["", *_comparison(json.loads(comparison.read_text()))]
    return "\n".join(lines)


def _comparison(found: dict[str, Any]) -> list[str]:
    """Each candidate beside the champion; in good clients refused for 1,000 applications, out of fold."""
    head = (
        "candidate",
        "cost of 1,000 applications",
        "dearer than the champion",
        "AUC",
        "slope",
        "fit, s",
        "1,000 scores, ms",
    )
    lines = [
        f"Compared on {source(found)}, the same {found['folds']} folds and cost of errors for all "
        "(slope: of calibration, 1 is perfect; *: can be served):",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
    ]
    for row in found["rows"]:
        against = row.get("cost_above_champion")
        cells = (
            row["candidate"].replace("_", " ") + (" *" if row["served"] else ""),
            estimate(_per_1000(row["cost_per_client"]), ".0f"),
            estimate(_per_1000(against), "+.0f") if against and row["candidate"] != "champion" else "",
            *(
                "" if row.get(name) is None else f"{row[name]:{form}}"
                for name, form in (
                    ("auc", ".3f"),
                    ("calibration_slope", ".2f"),
                    ("fit_seconds", ".1f"),
                    ("score_ms_per_1000", ".0f"),
                )
            ),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, "", f"{found['verdict']['said']}." if found["verdict"] else ""]


def _per_1000(found: dict[str, float]) -> dict[str, float]:
    return {name: 1000 * value for name, value in found.items()}


def write_readme(folder: Path = PUBLISHED, readme: Path = README) -> None:
    """Put the published figures between the README's two marks."""
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{results_table(folder)}\n{END}{after}")


def main() -> None:
    """The command line."""
    arguments = parser(
        "Publish the results of runs.", "python -m research.reporting.publish 87e7285f5d1a4265a9585d572ac97ed1"
    )
    arguments.add_argument("runs", nargs="+", metavar="RUN", help="MLflow run ids: folders of data/results")
    options = arguments.parse_args()
    for run_id in options.runs:
        publish(run_id)
    write_readme()
    write_model_card(PUBLISHED)
    print(f"{shown(PUBLISHED)}: results on {source(json.loads((PUBLISHED / 'results.json').read_text()))}")


if __name__ == "__main__":
    run(main)
