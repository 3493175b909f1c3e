"""Compares families of models and ways to treat the imbalance, all on the same folds, by what their decisions cost."""

import argparse
import json
import logging
import signal
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import joblib
import mlflow
import numpy as np
import polars as pl
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from bento.model.scoring_model import encode
from bento.policy import DEFAULT_COSTS, DEFAULT_ECONOMICS, CostAssumptions, LoanEconomics
from research import tracking
from research.cli import CommandError, add_data_option, parser, run, shown
from research.comparison import candidates
from research.comparison.candidates import ARMS, CLASSIFIER, FAMILIES, METRICS, NONE, Judged
from research.comparison.experiment import (
    ACCEPT,
    BASELINES,
    CHAMPION,
    PRIOR,
    REFUSE,
    Candidate,
    CandidateResult,
    Problem,
    Row,
)
from research.comparison.figures import curves, picture
from research.comparison.report import print_table, report, row_of
from research.data.dataset import DATA, Data, open_data
from research.data.splits import fold_rows
from research.evaluation.bootstrap import Estimate
from research.evaluation.business_score import add_cost_options, cost_options
from research.training import cross_fitting
from research.training.train import OUT_OF_FOLD_FILE

log = logging.getLogger(__name__)

FOLDS = 5
SEED = 1
KEY_TAG = "comparison_key"
PARENT_TAG = "mlflow.parentRunId"
SCORES_FILE, CANDIDATE_FILE, CURVES_FILE = "scores.parquet", "candidate.json", "curves.png"
RESULT_FILE, PICTURE_FILE = "comparison.json", "comparison.png"


def compare(
    data: Data,
    families: Collection[str] = tuple(FAMILIES),
    arms: Collection[str] = ARMS,
    folds: int = FOLDS,
    seed: int = SEED,
    costs: CostAssumptions = DEFAULT_COSTS,
    again: bool = False,
    metric: str = "log_loss",
    grid: bool = True,
    economics: LoanEconomics = DEFAULT_ECONOMICS,
) -> dict[str, Any]:
    """Judge every candidate out of fold on the development rows, each in a nested MLflow run; baselines come along, and
    the champion, where it was trained in the same folds.

    The grid is searched without any treatment of the imbalance, and its best setting serves the other arms. It is
    chosen on the folds that then judge it: with so few settings that flatters little, and every family alike.

    Args:
        data: the tables.
        families: of `FAMILIES`.
        arms: of `ARMS`; "none" is always among them.
        folds: how many.
        seed: of folds, selection, samplers and classifiers.
        costs: of errors.
        again: run candidates anew that a run has finished before.
        metric: of `METRICS`, by which a setting of the grid is best.
        grid: search it; else the classifiers keep their own setting.
        economics: of a loan, for money.

    Returns:
        Source of the data, run, folds, costs, best candidate, verdict, and a row for each candidate, cheapest first.

    Raises:
        CommandError: an unknown name; rows that cannot be judged; MLflow out of reach (finished runs are kept).
    """
    chosen = _chosen(families, arms, metric)
    client = tracking.connect()
    problem = _problem(data, folds, seed, costs, economics, metric, grid)
    scored: list[CandidateResult] = []
    try:
        with tracking.started_run("comparison", tracking.made_from(data.source)) as active:
            parent = active.info.run_id
            mlflow.log_params({"folds": folds, "seed": seed, "metric": metric, "grid": grid, **costs.model_dump()})
            tracking.log_dataset(data.folder, data.source)
            finished = {} if again else _finished(client, problem, chosen, parent)
            for each in _judged(problem, chosen, finished):
                scored.append(each)
            scored += _champion(client, problem)
            found = report(problem, scored, parent)
            for path in _write(found):
                mlflow.log_artifact(str(path))
    except CommandError as error:
        if error.__cause__ is None:
            raise
        raise CommandError(f"{error} (finished: {', '.join(each.candidate.name for each in scored)})") from error
    return found


def read(run_id: str) -> dict[str, Any]:
    """What a finished comparison returned.

    Raises:
        CommandError: the run is none of a comparison here.
    """
    path = DATA / "results" / run_id / RESULT_FILE
    if not path.is_file():
        raise CommandError(f"{path}: no such file; name the run id of a finished comparison")
    return json.loads(path.read_text())


def table(found: dict[str, Any]) -> pl.DataFrame:
    """The rows of a comparison as a frame; an estimate becomes three columns: itself, `_low` and `_high`."""
    return pl.DataFrame([_flat(row) for row in found["rows"]], infer_schema_length=None)


def _chosen(families: Collection[str], arms: Collection[str], metric: str) -> list[Candidate]:
    for kind, given, known in (("family", families, FAMILIES), ("arm", arms, ARMS), ("metric", [metric], METRICS)):
        for name in given:
            if name not in known:
                raise CommandError(f"unknown {kind} {name!r}; known: {', '.join(known)}")
    models = [
        Candidate(family, arm)
        for family in FAMILIES
        if family in families
        for arm in ARMS
        if arm in arms or arm == NONE
    ]
    return [*(Candidate(name) for name in BASELINES), *models]


def _problem(
    data: Data, folds: int, seed: int, costs: CostAssumptions, economics: LoanEconomics, metric: str, grid: bool
) -> Problem:
    if folds < 2:
        raise CommandError("--folds must be at least 2")
    development = data.rows("development")
    names = tuple(cross_fitting.catalogue_names(with_age=False))
    matrix = encode(development.features, cross_fitting.model_features(list(names)))
    rows = fold_rows(development.target, development.person, folds, seed)
    candidates.check(matrix, development.target, names, rows)
    return Problem(data, development, matrix, names, rows, seed, costs, economics, metric, grid)


def _finished(
    client: mlflow.MlflowClient, problem: Problem, chosen: Sequence[Candidate], parent: str
) -> dict[Candidate, CandidateResult]:
    """Candidates that a run has finished before; those of a comparison that never ended become this one's."""
    experiment = mlflow.get_experiment_by_name(tracking.EXPERIMENT).experiment_id
    found = {}
    for candidate in chosen:
        query = f"tags.{KEY_TAG} = '{problem.key(candidate)}' and attributes.status = 'FINISHED'"
        for earlier in client.search_runs([experiment], query, max_results=1, order_by=["attributes.start_time DESC"]):
            try:
                found[candidate] = _load(candidate, problem, earlier.info.run_id)
            except (MlflowException, OSError) as error:
                log.warning(
                    "%s: run %s cannot be read, so it runs again: %s", candidate.name, earlier.info.run_id, error
                )
                continue
            if client.get_run(earlier.data.tags[PARENT_TAG]).info.status in ("KILLED", "FAILED"):
                client.set_tag(earlier.info.run_id, PARENT_TAG, parent)
    return found


def _load(candidate: Candidate, problem: Problem, run_id: str) -> CandidateResult:
    with tempfile.TemporaryDirectory(prefix="comparison_") as folder:
        scores, noted = (
            Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=name, dst_path=folder))
            for name in (SCORES_FILE, CANDIDATE_FILE)
        )
        kept = json.loads(noted.read_text())
        probability = pl.DataFrame({"SK_ID_CURR": problem.clients}).join(
            pl.read_parquet(scores), on="SK_ID_CURR", how="left", maintain_order="left"
        )["probability"]
    judged = Judged(probability=probability.to_numpy(), **kept["judged"])
    return CandidateResult(candidate, judged, kept["setting"], kept["grid"], run_id, reused=True)


def _champion(client: mlflow.MlflowClient, problem: Problem) -> list[CandidateResult]:
    """The registry's champion by the out-of-fold scores of its training, where that had these very folds."""
    champion = tracking.registered(client, tracking.CHAMPION)
    if champion is None or not tracking.made_from(problem.data.source).items() <= champion.tags.items():
        return []
    path = DATA / "results" / champion.run_id / OUT_OF_FOLD_FILE
    if not path.is_file():
        return []
    scores = pl.read_parquet(path)
    if scores["SK_ID_CURR"].to_list() != problem.clients.to_list() or (scores["fold"].to_numpy() != problem.fold).any():
        return []
    return [
        CandidateResult(Candidate(CHAMPION), Judged(scores["probability"].to_numpy()), run=champion.run_id, reused=True)
    ]


def _judged(
    problem: Problem, chosen: Sequence[Candidate], finished: dict[Candidate, CandidateResult]
) -> Iterator[CandidateResult]:
    """Each candidate in turn, run where it is not finished, with progress."""
    remaining = [candidate for candidate in chosen if candidate not in finished]
    settings: dict[str, candidates.Setting] = {}
    with (
        tempfile.TemporaryDirectory(prefix="comparison_") as folder,
        tqdm(total=sum(_fits(problem, candidate) for candidate in remaining), unit="fit") as progress,
    ):
        bench = _Bench(problem, joblib.Memory(folder, verbose=0), progress.update)
        if any(candidate.family in FAMILIES for candidate in remaining):
            progress.set_description("choosing features")
            bench.choose()
        for candidate in chosen:
            if candidate in finished:
                scored = finished[candidate]
            else:
                progress.set_description(candidate.name)
                tags = {**tracking.made_from(problem.data.source), **asdict(candidate), KEY_TAG: problem.key(candidate)}
                with tracking.started_run(candidate.name, tags, nested=True) as active, bench.limited():
                    scored = bench.judge(candidate, settings.get(candidate.family), active.info.run_id)
                    _log(problem, scored)
            if candidate.arm == NONE:
                settings[candidate.family] = scored.setting
            yield scored


def _fits(problem: Problem, candidate: Candidate) -> int:
    if candidate.family not in FAMILIES:
        return len(problem.folds) if candidate.family == PRIOR else 0
    searched = candidates.points(FAMILIES[candidate.family].grid) if problem.grid and candidate.arm == NONE else 0
    return len(problem.folds) * (1 + searched)


@dataclass(frozen=True)
class _Bench:
    """Where candidates are fitted and judged."""

    problem: Problem
    memory: joblib.Memory
    done: Callable[[], Any]

    @property
    def jobs(self) -> tuple[int, int]:
        """Fits at a time and threads of each: many rows are worth all threads of one fit, few are not."""
        return (-1, 1) if self._few else (1, -1)

    @property
    def _few(self) -> bool:
        return cross_fitting.threads(len(self.problem.target)) == 1

    def limited(self) -> threadpool_limits:
        """Of linear algebra too: on few rows its threads wait for each other ten times longer than they work."""
        return threadpool_limits(1 if self._few else None)

    def choose(self) -> None:
        """Choose the features of every fold: all candidates use the same, and none is timed on it."""
        problem = self.problem

        def one(train: NDArray[np.int64]) -> None:
            candidates.selecting(problem.names, problem.seed, DummyClassifier(), self.memory).fit(
                problem.matrix[train], problem.target[train]
            )

        with self.limited():
            joblib.Parallel(self.jobs[0], backend="threading")(joblib.delayed(one)(train) for train, _ in problem.folds)

    def judge(self, candidate: Candidate, setting: candidates.Setting | None, run_id: str) -> CandidateResult:
        """Fit in each fold, after the search of the grid where no setting is given."""
        problem = self.problem
        if candidate.family in (ACCEPT, REFUSE):
            certain = np.full(len(problem.target), float(candidate.family == REFUSE))
            return CandidateResult(candidate, Judged(certain), run=run_id)
        rows = (problem.matrix, problem.target, problem.folds)
        if candidate.family == PRIOR:
            return CandidateResult(candidate, candidates.judge(DummyClassifier(), *rows, self.done), run=run_id)
        at_a_time, threads = self.jobs
        model = candidates.build(candidate.family, candidate.arm, problem.names, problem.seed, threads, self.memory)
        tried: list[Row] = []
        if setting is None and problem.grid:
            grid = FAMILIES[candidate.family].grid
            setting, tried = candidates.search(model, grid, *rows, problem.costs, problem.metric, at_a_time, self.done)
        setting = setting or {}
        model.set_params(**{f"{CLASSIFIER}{name}": value for name, value in setting.items()})
        return CandidateResult(candidate, candidates.judge(model, *rows, self.done), setting, tried, run_id)


def _log(problem: Problem, scored: CandidateResult) -> None:
    """Into the active run: parameters, metrics by fold and over all, curves, the scores that resuming reads."""
    row = row_of(problem, scored)
    mlflow.log_params(
        {**asdict(scored.candidate), **scored.setting, "folds": len(problem.folds), "seed": problem.seed}
        | problem.costs.model_dump()
    )
    tracking.log_dataset(problem.data.folder, problem.data.source)
    measured = {name: value for name, value in _flat(row).items() if type(value) in (int, float)}
    mlflow.log_metrics(measured)
    for number, of_fold in enumerate(row.get("by_fold", [])):
        mlflow.log_metrics({f"fold_{name}": value for name, value in of_fold.items()}, step=number)
    judged = asdict(scored.judged)
    scores = pl.DataFrame(
        {"SK_ID_CURR": problem.clients, "fold": problem.fold, "probability": judged.pop("probability")}
    )
    with tempfile.TemporaryDirectory(prefix="comparison_") as name:
        folder = Path(name)
        scores.write_parquet(folder / SCORES_FILE)
        noted = {"setting": scored.setting, "grid": scored.grid, "judged": judged}
        (folder / CANDIDATE_FILE).write_text(json.dumps(noted, indent=1) + "\n")
        if row.get("by_fold"):
            curves(problem, scored, row).savefig(folder / CURVES_FILE, dpi=110)
        mlflow.log_artifacts(name)


def _flat(row: Row) -> Row:
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, dict) and set(value) == set(Estimate.__dataclass_fields__):
            flat |= {name: value["value"], f"{name}_low": value["low"], f"{name}_high": value["high"]}
        elif name != "by_fold":
            flat[name] = json.dumps(value) if isinstance(value, dict | list) else value
    return flat


def _write(found: dict[str, Any]) -> list[Path]:
    folder = DATA / "results" / found["run"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RESULT_FILE).write_text(json.dumps(found, indent=1) + "\n")
    picture(found).savefig(folder / PICTURE_FILE, dpi=110)
    return [folder / RESULT_FILE, folder / PICTURE_FILE]


def main() -> None:
    """The command line."""
    arguments = parser(
        "Compare families of models and treatments of the imbalance on the same folds; a finished candidate is not "
        "run again.",
        "python -m research.comparison.compare --families lightgbm,logistic --arms none,smote",
    )
    add_data_option(arguments)
    for name, known in (("families", FAMILIES), ("arms", ARMS)):
        arguments.add_argument(f"--{name}", default=",".join(known), help="names, with commas between them")
    arguments.add_argument("--folds", type=int, default=FOLDS)
    arguments.add_argument("--seed", type=int, default=SEED, help="of folds, selection, samplers and classifiers")
    arguments.add_argument("--metric", default="log_loss", help=f"by which the grid is judged: {', '.join(METRICS)}")
    arguments.add_argument(
        "--grid", action=argparse.BooleanOptionalAction, default=True, help="search the grid of each family"
    )
    arguments.add_argument("--again", action="store_true", help="run finished candidates anew")
    add_cost_options(arguments)
    options = arguments.parse_args()
    # A run that is ended from outside is as interrupted as one that is ended at the keyboard.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    costs, economics = cost_options(options)
    found = compare(
        open_data(options.data),
        options.families.split(","),
        options.arms.split(","),
        options.folds,
        options.seed,
        costs,
        options.again,
        options.metric,
        options.grid,
        economics,
    )
    print_table(found)
    print(f"{shown(DATA / 'results' / found['run'])}: {RESULT_FILE}, {PICTURE_FILE}")


if __name__ == "__main__":
    run(main)
