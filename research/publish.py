"""Publishes the results of one run: README, slides and model card take their numbers from there alone."""

import json
import shutil
from pathlib import Path

from research.command import ROOT, CommandError, parser, run
from research.data import DATA

PUBLISHED = ROOT / "research" / "results"
README = ROOT / "README.md"
BEGIN, END = "<!-- results: written by research.publish -->", "<!-- end of results -->"


def publish(run_id: str, out: Path = PUBLISHED) -> Path:
    """Copy results.json and the figures of one run into `out`, in place of what was there of an earlier run.

    Raises:
        CommandError: the run wrote no results here.
    """
    results = DATA / "results" / run_id
    if not (results / "results.json").is_file():
        raise CommandError(f"{results}: holds no results.json; name the run id of a finished training")
    out.mkdir(parents=True, exist_ok=True)
    for path in (results / "results.json", *sorted(results.glob("*.png"))):
        shutil.copy2(path, out / path.name)
    return out


def results_table(folder: Path = PUBLISHED) -> str:
    """The published figures as the Markdown that stands in the README."""
    results = json.loads((folder / "results.json").read_text())
    metrics = results["metrics"]
    seed = "" if results["seed"] is None else f", seed {results['seed']}"
    lines = [
        f"Obtained on {results['data']} data, {results['clients']:,} clients{seed}:",
        "",
        "| | out of fold | test |",
        "|---|---|---|",
        *(
            f"| {title} | {metrics[f'out_of_fold_{name}']:{form}} | {metrics[f'test_{name}']:{form}} |"
            for title, name, form in (
                ("clients", "clients", ",.0f"),
                ("AUC", "auc", ".3f"),
                ("cost per client, at the threshold", "cost_per_client", ".3f"),
                ("cost per client, everybody granted", "cost_per_client_accept_all", ".3f"),
                ("cost per client, everybody refused", "cost_per_client_refuse_all", ".3f"),
                ("share refused", "refused_share", ".3f"),
            )
        ),
        "",
        f"Threshold {metrics['threshold']:.4f} (theory {metrics['theoretical_threshold']:.4f}); "
        f"{metrics['features']:.0f} features, {metrics['trees']:.0f} trees.",
    ]
    return "\n".join(lines)


def write_readme(folder: Path = PUBLISHED, readme: Path = README) -> None:
    """Put the published figures between the README's two marks."""
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{results_table(folder)}\n{END}{after}")


def main() -> None:
    """The command line."""
    arguments = parser("Publish the results of one run.", "python -m research.publish 87e7285f5d1a4265a9585d572ac97ed1")
    arguments.add_argument("run", help="MLflow run id: a folder of data/results")
    out = publish(arguments.parse_args().run)
    write_readme(out)
    source = json.loads((out / "results.json").read_text())
    print(f"{out}: results on {source['data']} data, {source['clients']:,} clients, seed {source['seed']}")


if __name__ == "__main__":
    run(main)
