"""Open a finished training run: its results folder, its model, and the data that it was trained on."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from bento.model.scoring_model import ScoringModel
from research.cli import CommandError, add_data_option
from research.data.dataset import DATA, Data, open_data
from research.tracking import champion, connect


@dataclass(frozen=True)
class TrainedRun:
    """A training run of this machine."""

    results: Path
    """Folder of its results, named by the run id."""
    model: ScoringModel
    data: Data


def open_run(run: str | None, data_folder: Path | None) -> TrainedRun:
    """Open a run, by default that of the champion, and the data of a folder (see `open_data`).

    Raises:
        CommandError: there is no champion, or the data is not that of the run.
        ModelError: the run left no usable model folder here.
    """
    results = DATA / "results" / (run or str(champion(connect()).run_id))
    model = ScoringModel(results / "model")
    data = open_data(data_folder)
    if data.source.fingerprint != model.manifest.training_data.fingerprint:
        raise CommandError(
            f"{data.folder}: not the data that {results.name} was trained on; name that folder by --data"
        )
    return TrainedRun(results, model, data)


def add_run_options(arguments: argparse.ArgumentParser) -> None:
    """Add `--data DIR` and `--run RUN`."""
    add_data_option(arguments)
    arguments.add_argument("--run", help="MLflow run id: a folder of data/results; by default that of the champion")
