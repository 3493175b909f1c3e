"""Store results of candidates in MLflow, and reuse those of earlier runs."""

import json
import logging
import tempfile
from dataclasses import asdict
from pathlib import Path

import mlflow
import polars as pl
from mlflow.exceptions import MlflowException

from research import tracking
from research.comparison.candidates import FoldScores
from research.comparison.experiment import CHAMPION, Candidate, CandidateResult, Problem
from research.comparison.figures import plot_curves
from research.comparison.report import flatten, row_of
from research.data.dataset import DATA
from research.training.train import OUT_OF_FOLD_FILE

log = logging.getLogger(__name__)

KEY_TAG = "comparison_key"
PARENT_TAG = "mlflow.parentRunId"
SCORES_FILE, CANDIDATE_FILE, CURVES_FILE = "scores.parquet", "candidate.json", "curves.png"


def finished_results(client: mlflow.MlflowClient, problem: Problem, parent: str) -> dict[Candidate, CandidateResult]:
    """Return candidates of earlier runs; runs of a comparison that did not finish become children of this one."""
    experiment = mlflow.get_experiment_by_name(tracking.EXPERIMENT)
    experiments = [experiment.experiment_id] if experiment else []
    results = {}
    for candidate in problem.settings.candidates():
        query = f"tags.{KEY_TAG} = '{problem.key(candidate)}' and attributes.status = 'FINISHED'"
        for earlier in client.search_runs(experiments, query, max_results=1, order_by=["attributes.start_time DESC"]):
            run_id = earlier.info.run_id
            try:
                results[candidate] = _load(candidate, problem, run_id)
            except (MlflowException, OSError) as error:
                log.warning("%s: run %s cannot be read, so it runs again: %s", candidate.name, run_id, error)
                continue
            if client.get_run(earlier.data.tags[PARENT_TAG]).info.status in ("KILLED", "FAILED"):
                client.set_tag(run_id, PARENT_TAG, parent)
    return results


def _load(candidate: Candidate, problem: Problem, run_id: str) -> CandidateResult:
    with tempfile.TemporaryDirectory(prefix="comparison_") as folder:
        scores_file, candidate_file = (
            Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=name, dst_path=folder))
            for name in (SCORES_FILE, CANDIDATE_FILE)
        )
        stored = json.loads(candidate_file.read_text())
        probability = pl.DataFrame({"SK_ID_CURR": problem.clients}).join(
            pl.read_parquet(scores_file), on="SK_ID_CURR", how="left", maintain_order="left"
        )["probability"]
    return CandidateResult(
        candidate=candidate,
        scores=FoldScores(probability=probability.to_numpy(), **stored["judged"]),
        setting=stored["setting"],
        grid=stored["grid"],
        run=run_id,
        reused=True,
    )


def champion_result(client: mlflow.MlflowClient, problem: Problem) -> list[CandidateResult]:
    """Return the champion with the out-of-fold scores of its training, if that used the same folds."""
    champion = tracking.registered(client, tracking.CHAMPION)
    if champion is None or not tracking.made_from(problem.data.source).items() <= champion.tags.items():
        return []
    path = DATA / "results" / str(champion.run_id) / OUT_OF_FOLD_FILE
    if not path.is_file():
        return []
    stored = pl.read_parquet(path)
    if stored["SK_ID_CURR"].to_list() != problem.clients.to_list() or (stored["fold"].to_numpy() != problem.fold).any():
        return []
    scores = FoldScores(probability=stored["probability"].to_numpy())
    return [CandidateResult(candidate=Candidate(CHAMPION), scores=scores, run=str(champion.run_id), reused=True)]


def log_result(problem: Problem, result: CandidateResult) -> None:
    """Log to the active run: parameters, metrics by fold and overall, curves, and the scores for reuse."""
    row = row_of(problem, result)
    mlflow.log_params(
        {**asdict(result.candidate), **result.setting, "folds": len(problem.splits), "seed": problem.settings.seed}
        | problem.settings.costs.model_dump()
    )
    tracking.log_dataset(problem.data.folder, problem.data.source)
    mlflow.log_metrics({name: value for name, value in flatten(row).items() if type(value) in (int, float)})
    for number, of_fold in enumerate(row.get("by_fold", [])):
        mlflow.log_metrics({f"fold_{name}": value for name, value in of_fold.items()}, step=number)
    scores = asdict(result.scores)
    columns = {"SK_ID_CURR": problem.clients, "fold": problem.fold, "probability": scores.pop("probability")}
    with tempfile.TemporaryDirectory(prefix="comparison_") as name:
        folder = Path(name)
        pl.DataFrame(columns).write_parquet(folder / SCORES_FILE)
        content = {"setting": result.setting, "grid": result.grid, "judged": scores}
        (folder / CANDIDATE_FILE).write_text(json.dumps(content, indent=1) + "\n")
        if row.get("by_fold"):
            plot_curves(problem, result, row).savefig(folder / CURVES_FILE, dpi=110)
        mlflow.log_artifacts(name)
