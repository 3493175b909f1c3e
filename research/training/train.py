"""Trains the scoring model: tuning, folds, calibration, threshold, model folder, MLflow run, registered challenger."""

import argparse
import json
import shutil
import subprocess
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import polars as pl
from mlflow.entities.model_registry import ModelVersion
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from bento.features.catalogue import catalogue_hash
from bento.model.manifest import ModelManifest
from bento.model.predictors import FAMILIES
from bento.model.scoring_model import ScoringModel, encode
from bento.policy import DEFAULT_COSTS, DEFAULT_ECONOMICS, CostAssumptions, LoanEconomics
from research import tracking
from research.cli import ROOT, CommandError, add_data_option, parser, run
from research.data.dataset import DATA, Data, Rows, open_data
from research.evaluation.business_score import (
    add_cost_options,
    best_threshold,
    business_report,
    cost_options,
    cross_fitted_decisions,
    sensitivity,
)
from research.evaluation.calibration import compare_calibrations, served_calibration
from research.evaluation.fairness import fairness
from research.evaluation.fairness_figures import write_figure
from research.evaluation.metrics import caution_of, intervals, measures, oracle
from research.evaluation.review_band import add_capacity_option, review_metrics, review_report
from research.explanation.explain import explain
from research.training import boosting, cross_fitting
from research.training.feature_selection import choose
from research.training.figures import write_figures
from research.training.model_folder import write_model_folder
from research.training.peer_groups import COLUMNS, describe
from research.training.tuning import Tuned, tune

FOLDS = 5
SEED = 1
TRIALS = 8
RESULTS_FILE = "results.json"
OUT_OF_FOLD_FILE = "out_of_fold.parquet"


@dataclass(frozen=True)
class Settings:
    """How to train; the defaults are those that `research.comparison.feature_study` decided.

    Attributes:
        family: a name of `bento.model.predictors.FAMILIES`.
        folds: of the development split.
        seed: of folds, tuning, selection and models.
        trials: settings that tuning tries beyond the defaults; 0 takes the defaults. Boosters only.
        constraints: hold the monotone features to their direction. Boosters only.
        with_age: let the features that are computed from age be chosen.
        capacity: share of the applications that a person can review; 0: none is reviewed.
        costs: of the two errors.
        economics: the same in money.
    """

    family: str = "lightgbm"
    folds: int = FOLDS
    seed: int = SEED
    trials: int = TRIALS
    constraints: bool = boosting.CONSTRAINTS
    with_age: bool = boosting.WITH_AGE
    capacity: float = 0.0
    costs: CostAssumptions = DEFAULT_COSTS
    economics: LoanEconomics = DEFAULT_ECONOMICS

    def __post_init__(self) -> None:
        if not 0 <= self.capacity < 1:
            raise CommandError(f"--capacity must be at least 0 and below 1, it is {self.capacity:g}")


DEFAULTS = Settings()


def train(data: Data, settings: Settings = DEFAULTS) -> ModelVersion:
    """Train on the development split, judge on the test split, log and register; the new version is challenger.

    Raises:
        CommandError: too few rows or outcomes; unknown family; MLflow out of reach.
    """
    if settings.family not in FAMILIES:
        raise CommandError(f"no family {settings.family!r} can be served; choose from {', '.join(FAMILIES)}")
    client = tracking.connect()
    tags = {
        **tracking.made_from(data.source),
        tracking.CAPACITY_TAG: f"{settings.capacity:g}",
        "family": settings.family,
    }
    with tracking.started_run(f"train {settings.family}", tags) as active:
        tracking.log_dataset(data.folder, data.source)
        mlflow.log_params({f"data_{key}": value for key, value in data.source.model_dump().items()})
        mlflow.log_params({key: value for key, value in asdict(settings).items() if key not in ("costs", "economics")})
        mlflow.log_params({"best_features": boosting.BEST_FEATURES, "code_version": code_version()})
        mlflow.log_params({**settings.costs.model_dump(), **settings.economics.model_dump()})
        results = DATA / "results" / active.info.run_id
        model = _fit_and_report(data, settings, results, active.info.run_id)
        for path in sorted(results.iterdir()):
            if path.is_file():
                mlflow.log_artifact(str(path))
        example = pl.DataFrame(json.loads((model.folder / "examples.json").read_text())["examples"][0]["features"])
        registered = tracking.log_model(model, example.to_pandas())
        for name, value in tags.items():
            client.set_model_version_tag(registered.name, registered.version, name, value)
        client.set_registered_model_alias(registered.name, tracking.CHALLENGER, registered.version)
    return registered


def _fit_and_report(data: Data, settings: Settings, results: Path, run_id: str) -> ScoringModel:
    """Fit, write the model folder, results.json and figures into `results`, and log parameters and metrics."""
    development, test = data.rows("development"), data.rows("test")
    fitted, tuned = _fit(development, settings)
    target, costs = development.target, settings.costs
    compared = compare_calibrations(target, fitted.out_of_fold, fitted.fold)
    calibration = served_calibration(target, fitted.out_of_fold, compared)
    log_odds = fitted.out_of_fold * calibration.slope + calibration.intercept
    out_of_fold = expit(log_odds)
    threshold = best_threshold(target, out_of_fold, costs)
    on_test = fitted.predictor.log_odds(encode(test.features, fitted.features))
    on_test = expit(on_test * calibration.slope + calibration.intercept)
    refused, refused_on_test = cross_fitted_decisions(target, out_of_fold, fitted.fold, costs)[0], on_test >= threshold
    metrics = {
        **measures("out_of_fold", target, out_of_fold, refused, costs),
        **measures("test", test.target, on_test, refused_on_test, costs),
        "threshold": threshold,
        "theoretical_threshold": costs.theoretical_threshold,
        "features": float(len(fitted.features)),
        "calibration_slope": calibration.slope,
        "calibration_intercept": calibration.intercept,
    }
    if fitted.rounds:
        metrics["trees"] = float(np.median(fitted.rounds))
    rows = (target, out_of_fold, fitted.fold), (test.target, on_test)
    review = review_report(*rows, threshold, costs, settings.capacity)
    metrics |= review_metrics(review)
    scoring = ModelManifest(
        family=settings.family,
        features=fitted.features,
        calibration=calibration,
        costs=costs,
        threshold=threshold,
        review_band=review["served"],
        training_data=data.source,
        code_version=code_version(),
        metrics=metrics,
    )
    names = [feature.name for feature in fitted.features]
    reference = describe(development.features, data.applications("development", COLUMNS), names)
    model = write_model_folder(results / "model", fitted.predictor, scoring, reference)
    groups = fairness(target, out_of_fold, refused, development.audit, settings.seed)
    write_figure(groups, results / "fairness.png", data.source)
    report = {
        **data.source.model_dump(),
        "run": run_id,
        "family": settings.family,
        "code_version": code_version(),
        "catalogue": catalogue_hash(),
        "seed_of_training": settings.seed,
        "folds": settings.folds,
        "constraints": settings.constraints,
        "with_age": settings.with_age,
        "costs": costs.model_dump(),
        "economics": settings.economics.model_dump(),
        "metrics": metrics,
        "intervals": {
            "out_of_fold": intervals(target, out_of_fold),
            "test": intervals(test.target, on_test),
        },
        "business": {
            "out_of_fold": business_report(
                target, out_of_fold, refused, development.exposure, costs, settings.economics
            ),
            "test": business_report(test.target, on_test, refused_on_test, test.exposure, costs, settings.economics),
        },
        "sensitivity": sensitivity(target, out_of_fold, fitted.fold),
        "review": review,
        "calibration": {"compared": compared, "served": calibration.model_dump()},
        "tuning": asdict(tuned) if tuned else None,
        "oracle": oracle(data, {"out_of_fold": development, "test": test}, costs),
        "fairness": groups,
        "explanations": explain(model, test.features, results, settings.seed),
    }
    (results / RESULTS_FILE).write_text(json.dumps(report, indent=1) + "\n")
    scores = pl.DataFrame({"fold": fitted.fold, "target": target, "probability": out_of_fold})
    development.features.select("SK_ID_CURR").hstack(scores).write_parquet(results / OUT_OF_FOLD_FILE)
    write_figures(results, target, log_odds, fitted.fold, threshold, costs, fitted.curves, data.source)
    _log(report, tuned, fitted, target, out_of_fold)
    return model


def _fit(development: Rows, settings: Settings) -> tuple[cross_fitting.Fitted, Tuned | None]:
    columns = cross_fitting.model_features(cross_fitting.catalogue_names(settings.with_age))
    matrix = encode(development.features, columns)
    rows = (matrix, development.target, columns, development.person)
    if settings.family == "linear":
        return boosting.fit_linear(*rows, settings.folds, settings.seed, choose), None
    tuned = tune(*rows, settings.trials, settings.seed, choose, settings.constraints) if settings.trials else None
    parameters = tuned.parameters if tuned else boosting.PARAMETERS
    fitted = boosting.fit(*rows, settings.folds, settings.seed, choose, settings.constraints, parameters)
    return fitted, tuned


def _log(
    report: dict[str, Any],
    tuned: Tuned | None,
    fitted: cross_fitting.Fitted,
    target: NDArray[np.int64],
    out_of_fold: NDArray[np.float64],
) -> None:
    if fitted.rounds:
        mlflow.log_params((tuned.parameters if tuned else boosting.PARAMETERS) | {"rounds": fitted.rounds})
        mlflow.log_params({"most_rounds": boosting.MAX_ROUNDS})
    mlflow.log_metrics(report["metrics"])
    for name, curve in fitted.curves.items():
        tracking.log_curve(f"inner_{name}", curve)
    for fold in np.unique(fitted.fold):
        judged = fitted.fold == fold
        mlflow.log_metric("fold_auc", float(roc_auc_score(target[judged], out_of_fold[judged])), step=int(fold))


def code_version() -> str:
    """Version of the project and, in a git checkout, the commit."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        number = tomllib.load(file)["project"]["version"]
    git = shutil.which("git")
    if git is None:
        return number
    described = subprocess.run(
        [git, "-C", str(ROOT), "describe", "--always", "--dirty"], check=False, capture_output=True, text=True
    )
    return f"{number}+{described.stdout.strip()}" if described.returncode == 0 else number


def main() -> None:
    """The command line."""
    arguments = parser(
        "Train a model and register it in MLflow as challenger.", "python -m research.training.train --trials 0"
    )
    add_data_option(arguments)
    arguments.add_argument("--family", default=DEFAULTS.family, metavar="|".join(FAMILIES), help="what is trained")
    arguments.add_argument("--folds", type=int, default=FOLDS)
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument("--trials", type=int, default=TRIALS, help="settings that tuning tries; 0: the defaults")
    arguments.add_argument(
        "--constraints",
        action=argparse.BooleanOptionalAction,
        default=boosting.CONSTRAINTS,
        help="hold monotone features to the direction that the catalogue names",
    )
    add_capacity_option(arguments)
    add_cost_options(arguments)
    arguments.set_defaults(with_age=boosting.WITH_AGE)
    age = arguments.add_mutually_exclusive_group()
    age.add_argument(
        "--with-age",
        action="store_true",
        default=argparse.SUPPRESS,
        help=f"let the features that are computed from age be chosen (default: {boosting.WITH_AGE})",
    )
    age.add_argument(
        "--without-age", action="store_false", dest="with_age", default=argparse.SUPPRESS, help="leave them out"
    )
    options = arguments.parse_args()
    if options.folds < 2:
        raise CommandError("--folds must be at least 2")
    if options.trials < 0:
        raise CommandError("--trials must be at least 0")
    costs, economics = cost_options(options)
    settings = Settings(
        family=options.family,
        folds=options.folds,
        seed=options.seed,
        trials=options.trials,
        constraints=options.constraints,
        with_age=options.with_age,
        capacity=options.capacity,
        costs=costs,
        economics=economics,
    )
    data = open_data(options.data)
    print_training(train(data, settings), data)


def print_training(registered: ModelVersion, data: Data) -> None:
    """Print what was registered, its main figures, and what comes next."""
    metrics = json.loads((DATA / "results" / registered.run_id / RESULTS_FILE).read_text())["metrics"]
    print(f"{registered.name} version {registered.version} registered, alias {tracking.CHALLENGER}")
    print(f"  data {data.source.data}, {data.source.clients:,} clients; run {registered.run_id}")
    for name in ("out_of_fold", "test"):
        cost, accept = metrics[f"{name}_cost_per_client"], metrics[f"{name}_cost_per_client_accept_all"]
        auc = metrics.get(f"{name}_auc", float("nan"))
        print(f"  {name:12} AUC {auc:.3f}, cost per client {cost:.3f} (accept all {accept:.3f})")
    print(f"  threshold {metrics['threshold']:.4f} (theory {metrics['theoretical_threshold']:.4f})")
    if "review_band_low" in metrics:
        print(f"  reviewed by a person from {metrics['review_band_low']:.4f} to {metrics['review_band_high']:.4f}")
    if caution := caution_of(int(metrics["out_of_fold_clients"])):
        print(f"  {caution}")
    print("  next: make promote")


if __name__ == "__main__":
    run(main)
