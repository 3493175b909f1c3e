"""Open the test split for a run: record it, score the run's model on it once, and keep the figures with the run.

The test split is worth what no choice has seen of it: to train again after reading its figures is to choose on it. So
`publish` alone opens it, the run is tagged in MLflow, and the model card states how many models of the same data have
been scored on it.
"""

from datetime import UTC, datetime
from pathlib import Path

import mlflow
import numpy as np
from mlflow.entities import ViewType

from research import tracking
from research.cli import CommandError
from research.data import splits
from research.data.dataset import DATA
from research.evaluation.business_score import CostModel, business_report
from research.evaluation.metrics import intervals, measures, oracle
from research.evaluation.review_band import evaluate_review, reviewed
from research.registry.trained_run import TrainedRun, open_run
from research.results import RESULTS_FILE, TEST_FILE, OpenedTestSplit, Opening, TrainingResults, read, read_if_present

SPLIT_TAG, OPENED_TAG = "test_split", "test_split_opened"
"""Tags of a run whose model was scored on the test split: which one (version of the splits and data), and when."""
MAX_RUNS = 1000
"""Openings that are counted: far more than a test split stays worth something for."""


def results_with_test_split(run_id: str, data_folder: Path | None) -> TrainingResults:
    """Return the results of a training run with its figures on the test split, which is opened if they are missing.

    `data_folder` is that of the run's data, as `open_data` takes it; it is read only where the split is opened.

    Raises:
        CommandError: the data is not that of the run, its splits were others, or its results are of other code.
        MlflowException: the store holds no such run, so that no opening can be recorded.
    """
    client, results = tracking.connect(), DATA / "results" / run_id
    trained = read(TrainingResults, results / RESULTS_FILE)
    figures = read_if_present(OpenedTestSplit, results / TEST_FILE)
    if (version := client.get_run(run_id).data.tags.get(tracking.SPLITS_TAG)) != splits.VERSION:
        raise CommandError(
            f"run {run_id} was trained on other splits ({version}) than those of this code ({splits.VERSION}), so that "
            "it may have seen clients of the test split; train again: make train"
        )
    split = f"{splits.VERSION}:{trained.fingerprint}"
    if figures is None:
        run = open_run(run_id, data_folder)
        # Recorded before the first look: a fault in between leaves an opening without figures, not the reverse.
        figures = _figures(run, trained, _recorded(client, run_id, split))
        (results / TEST_FILE).write_text(figures.model_dump_json(indent=1) + "\n")
    _recorded(client, run_id, split)
    return merged(trained, figures, _models_scored(client, split))


def merged(trained: TrainingResults, figures: OpenedTestSplit, models: int) -> TrainingResults:
    """Return results of a training with those of the test split; `models` were scored on it, this one among them."""
    review = trained.review
    if review is not None:
        table = [
            row.model_copy(update={"test": of_test}) for row, of_test in zip(review.table, figures.review, strict=True)
        ]
        review = review.model_copy(update={"table": table})
    return trained.model_copy(
        update={
            "metrics": trained.metrics | figures.metrics,
            "intervals": trained.intervals | {"test": figures.intervals},
            "business": trained.business | {"test": figures.business},
            "review": review,
            "oracle": None if figures.oracle is None else (trained.oracle or {}) | figures.oracle,
            "test_split": Opening(opened_at=figures.opened_at, models=models),
        }
    )


def _figures(run: TrainedRun, trained: TrainingResults, opened_at: str) -> OpenedTestSplit:
    """Score the model of a run on the test split."""
    rows, costs = run.data.test_rows(), trained.costs
    target, probability = rows.target, np.asarray(run.model.probability(rows.features))
    refused = probability >= run.model.threshold
    cost_model = CostModel(costs=costs, economics=trained.economics)
    bands = [row.band for row in trained.review.table] if trained.review else []
    return OpenedTestSplit.model_validate(
        {
            **run.data.source.model_dump(),
            "run": trained.run,
            "opened_at": opened_at,
            "metrics": measures("test", target, probability, refused, costs),
            "intervals": intervals(target, probability),
            "business": business_report(target, probability, refused, rows.exposure, cost_model),
            "review": [evaluate_review(target, refused, reviewed(probability, band), costs) for band in bands],
            "oracle": oracle(run.data, {"test": rows}, costs),
        }
    )


def _recorded(client: mlflow.MlflowClient, run_id: str, split: str) -> str:
    """Tag a run as scored on a test split, unless it is, and return the time of the first opening."""
    with tracking.registry_lock("opens the test split"):
        opened: str | None = client.get_run(run_id).data.tags.get(OPENED_TAG)
        if opened is None:
            opened = datetime.now(UTC).isoformat(timespec="seconds")
            client.set_tag(run_id, SPLIT_TAG, split)
            client.set_tag(run_id, OPENED_TAG, opened)
    return opened


def _models_scored(client: mlflow.MlflowClient, split: str) -> int:
    """Count the runs whose models were scored on a test split; deleting a run does not undo that it was looked at."""
    experiments = [experiment.experiment_id for experiment in client.search_experiments(ViewType.ALL)]
    return len(client.search_runs(experiments, f"tags.{SPLIT_TAG} = '{split}'", ViewType.ALL, max_results=MAX_RUNS))
