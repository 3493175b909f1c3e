"""Compare families of models and treatments of the imbalance on the same folds; finished candidates are reused."""

import argparse
import json
import logging
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import joblib
import mlflow
import numpy as np
import polars as pl
from mlflow.exceptions import MlflowException
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import ParameterGrid
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from research import tracking
from research.cli import CommandError, add_data_option, shown
from research.comparison import candidates
from research.comparison.candidates import ARMS, CLASSIFIER, FAMILIES, NONE, FoldScores, Setting
from research.comparison.experiment import CHAMPION, PRIOR, Candidate, CandidateResult, Problem, Row, Settings
from research.comparison.report import flatten, plot_comparison, plot_curves, print_table, report, row_of
from research.data.dataset import DATA, Data, open_data
from research.data.splits import fold_rows
from research.evaluation.business_score import add_cost_options, cost_model_from, trivial_policies
from research.options import add_options, settings_from
from research.results import COMPARISON_FILE, OUT_OF_FOLD_FILE
from research.training import cross_fitting
from research.types import Integers

__all__ = ["ARMS", "FAMILIES", "Settings", "compare", "plot_comparison", "read", "table"]

EXAMPLE = "python -m research compare --families lightgbm,logistic --arms none,smote"
KEY_TAG = "comparison_key"
PARENT_TAG = "mlflow.parentRunId"
SCORES_FILE, CANDIDATE_FILE, CURVES_FILE = "scores.parquet", "candidate.json", "curves.png"
PICTURE_FILE = "comparison.png"
DEFAULTS = Settings()

log = logging.getLogger(__name__)


def compare(data: Data, settings: Settings = DEFAULTS) -> dict[str, Any]:
    """Score every candidate out of fold on the development rows, each in a nested MLflow run.

    Baselines are added, and the champion if it was trained on the same folds. The grid is searched without treatment of
    the imbalance, and its best setting is used in the other arms. It is chosen on the folds that then evaluate it: with
    so small a grid this flatters little, and all families alike.

    Raises:
        CommandError: rows on which no candidate can be fitted; MLflow out of reach (finished runs are kept).
    """
    client = tracking.connect()
    problem = pose_problem(data, settings)
    results: list[CandidateResult] = []
    try:
        with tracking.started_run("comparison", tracking.made_from(data.source)) as active:
            parent = active.info.run_id
            parameters = {name: getattr(settings, name) for name in ("folds", "seed", "metric", "grid")}
            mlflow.log_params(parameters | settings.costs.model_dump())
            tracking.log_dataset(data.folder, data.source)
            finished = {} if settings.again else finished_results(client, problem, parent)
            for result in _run_candidates(problem, finished):
                results.append(result)  # one by one: those before a failure are named
            results += champion_result(client, problem)
            content = report(problem, results, parent)
            folder = DATA / "results" / parent
            folder.mkdir(parents=True, exist_ok=True)
            (folder / COMPARISON_FILE).write_text(json.dumps(content, indent=1) + "\n")
            plot_comparison(content).savefig(folder / PICTURE_FILE, dpi=110)
            for name in (COMPARISON_FILE, PICTURE_FILE):
                mlflow.log_artifact(str(folder / name))
    except CommandError as error:
        if error.__cause__ is None:
            raise
        names = ", ".join(result.candidate.name for result in results)
        raise CommandError(f"{error} (finished: {names})") from error
    return content


def read(run_id: str) -> dict[str, Any]:
    """Read the result of a finished comparison; a CommandError where it is not here."""
    path = DATA / "results" / run_id / COMPARISON_FILE
    if not path.is_file():
        raise CommandError(f"{path}: no such file; name the run id of a finished comparison")
    return json.loads(path.read_text())


def table(content: dict[str, Any]) -> pl.DataFrame:
    """Return the rows of a comparison as a frame; an estimate becomes three columns: its name, `_low` and `_high`."""
    return pl.DataFrame([flatten(row) for row in content["rows"]], infer_schema_length=None)


def pose_problem(data: Data, settings: Settings) -> Problem:
    """Encode the development rows and split them into folds; a CommandError where no candidate could be fitted."""
    rows = data.rows("development")
    matrix = cross_fitting.training_matrix(rows, cross_fitting.catalogue_names(with_age=False))
    splits = fold_rows(matrix.target, matrix.person, settings.folds, settings.seed)
    candidates.check(matrix, splits)
    return Problem(data=data, rows=rows, matrix=matrix, splits=splits, settings=settings)


def _run_candidates(problem: Problem, finished: dict[Candidate, CandidateResult]) -> Iterator[CandidateResult]:
    """Yield each candidate in turn, run unless it is finished, with a progress bar."""
    chosen = problem.settings.candidates()
    remaining = [candidate for candidate in chosen if candidate not in finished]
    settings: dict[str, Setting] = {}
    with (
        tempfile.TemporaryDirectory(prefix="comparison_") as folder,
        tqdm(total=sum(_n_fits(problem, candidate) for candidate in remaining), unit="fit") as progress,
    ):
        runner = _Runner(problem, joblib.Memory(folder, verbose=0), progress.update)
        if any(candidate.family in FAMILIES for candidate in remaining):
            progress.set_description("choosing features")
            runner.select_features()
        for candidate in chosen:
            if candidate in finished:
                result = finished[candidate]
            else:
                progress.set_description(candidate.name)
                tags = {**tracking.made_from(problem.data.source), **asdict(candidate), KEY_TAG: problem.key(candidate)}
                with tracking.started_run(candidate.name, tags, nested=True) as active, runner.limited():
                    result = runner.score(candidate, settings.get(candidate.family), active.info.run_id)
                    log_result(problem, result)
            if candidate.arm == NONE:
                settings[candidate.family] = result.setting
            yield result


def _n_fits(problem: Problem, candidate: Candidate) -> int:
    if candidate.family not in FAMILIES:
        return len(problem.splits) if candidate.family == PRIOR else 0
    search = problem.settings.grid and candidate.arm == NONE
    return len(problem.splits) * (1 + (len(ParameterGrid(dict(FAMILIES[candidate.family].grid))) if search else 0))


@dataclass(frozen=True)
class _Runner:
    """Fits and scores candidates."""

    problem: Problem
    memory: joblib.Memory
    done: Callable[[], Any]

    @property
    def jobs(self) -> tuple[int, int]:
        """Fits at a time and threads of each: with many rows all threads for one fit, otherwise one each."""
        return (-1, 1) if cross_fitting.n_threads(len(self.problem.matrix)) == 1 else (1, -1)

    def limited(self) -> threadpool_limits:
        """Limit linear algebra too: on few rows its threads wait for each other ten times longer than they work."""
        return threadpool_limits(1 if self.jobs[1] == 1 else None)

    def select_features(self) -> None:
        """Select the features of every fold: all candidates use the same, and none is timed on it."""
        data, seed = self.problem.matrix, self.problem.settings.seed

        def select(train: Integers) -> None:
            pipeline = candidates.selecting(tuple(data.columns), seed, DummyClassifier(), self.memory)
            pipeline.fit(data.matrix[train], data.target[train])

        with self.limited():
            parallel = joblib.Parallel(self.jobs[0], backend="threading")
            parallel(joblib.delayed(select)(train) for train, _ in self.problem.splits)

    def score(self, candidate: Candidate, setting: Setting | None, run_id: str) -> CandidateResult:
        """Score each fold, after the search of the grid if no setting is given."""
        problem, settings = self.problem, self.problem.settings
        data, splits, searched = problem.matrix, problem.splits, list[Row]()
        if candidate.family not in FAMILIES:
            if candidate.family == PRIOR:
                scores = candidates.score_folds(DummyClassifier(), data, splits, self.done)
            else:
                scores = FoldScores(probability=trivial_policies(len(data))[candidate.family].astype(np.float64))
            return CandidateResult(candidate=candidate, scores=scores, run=run_id)
        n_parallel, threads = self.jobs
        columns = tuple(data.columns)
        model = candidates.build(candidate.family, candidate.arm, columns, settings.seed, threads, self.memory)
        if setting is None and settings.grid:
            grid, costs = FAMILIES[candidate.family].grid, settings.costs
            setting, searched = candidates.search(
                model, grid, data, splits, costs, settings.metric, n_parallel, self.done
            )
        setting = setting or {}
        model.set_params(**{f"{CLASSIFIER}{name}": value for name, value in setting.items()})
        scores = candidates.score_folds(model, data, splits, self.done)
        return CandidateResult(candidate=candidate, scores=scores, setting=setting, grid=searched, run=run_id)


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
            pl.read_parquet(scores_file, glob=False), on="SK_ID_CURR", how="left", maintain_order="left"
        )["probability"]
    scores = FoldScores(probability=probability.to_numpy(), **stored.pop("judged"))
    return CandidateResult(candidate=candidate, scores=scores, run=run_id, reused=True, **stored)


def champion_result(client: mlflow.MlflowClient, problem: Problem) -> list[CandidateResult]:
    """Return the champion with the out-of-fold scores of its training, if that used the same folds."""
    champion = tracking.registered(client, tracking.CHAMPION)
    if champion is None or not tracking.made_from(problem.data.source).items() <= champion.tags.items():
        return []
    path = DATA / "results" / str(champion.run_id) / OUT_OF_FOLD_FILE
    if not path.is_file():
        return []
    stored = pl.read_parquet(path, glob=False)
    if stored["SK_ID_CURR"].to_list() != problem.clients.to_list() or (stored["fold"].to_numpy() != problem.fold).any():
        return []
    scores = FoldScores(probability=stored["probability"].to_numpy())
    return [CandidateResult(candidate=Candidate(CHAMPION), scores=scores, run=str(champion.run_id), reused=True)]


def log_result(problem: Problem, result: CandidateResult) -> None:
    """Log to the active run: parameters, metrics by fold and overall, curves, and the scores for reuse."""
    row = row_of(problem, result)
    folds = {"folds": len(problem.splits), "seed": problem.settings.seed}
    mlflow.log_params(asdict(result.candidate) | result.setting | folds | problem.settings.costs.model_dump())
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_data_option(parser)
    add_options(parser, Settings)
    add_cost_options(parser)


def run(options: argparse.Namespace) -> None:
    """Compare, and print the table."""
    # A run that is terminated is recorded as one that is interrupted at the keyboard.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = settings_from(Settings, options, cost_model=cost_model_from(options))
    content = compare(open_data(options.data), settings)
    print_table(content)
    print(f"{shown(DATA / 'results' / content['run'])}: {COMPARISON_FILE}, {PICTURE_FILE}")
