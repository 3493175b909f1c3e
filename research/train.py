"""Trains the scoring model: folds, threshold, model folder, MLflow run, registered version."""

import argparse
import json
import shutil
import subprocess
import tomllib

import mlflow
import numpy as np
import polars as pl
from mlflow.entities.model_registry import ModelVersion
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from bento.decision import DEFAULT_COSTS
from bento.features import catalogue_hash
from bento.model import Scoring, encode, probability
from bento.tables import TARGET
from research import fitting, tracking
from research.business_score import best_threshold, cost_per_client
from research.command import ROOT, CommandError, add_data_option, parser, run
from research.data import DATA, Data, open_data
from research.figures import write_figures
from research.model_folder import write_model_folder
from research.selection import choose
from research.splits import split_of

FOLDS = 5
SEED = 1


def train(
    data: Data,
    folds: int = FOLDS,
    seed: int = SEED,
    constraints: bool = fitting.CONSTRAINTS,
    with_age: bool = fitting.WITH_AGE,
) -> ModelVersion:
    """Train on the development split, judge on the test split, log and register; the new version is champion.

    Args:
        data: the tables.
        folds: of the development split.
        seed: of folds, selection and boosters.
        constraints: hold the monotone features to their direction.
        with_age: let the features that are computed from age be chosen.

    Raises:
        CommandError: too few rows or outcomes; MLflow out of reach.
    """
    client = tracking.connect()
    features = data.features()
    split = split_of(features["SK_ID_CURR"])
    development, test = features.filter(split == "development"), features.filter(split == "test")
    columns = fitting.model_features(fitting.catalogue_names(with_age))
    target = development[TARGET.name].to_numpy()
    fitted = fitting.fit(encode(development, columns), target, columns, folds, seed, choose, constraints)
    out_of_fold = _probability(fitted.out_of_fold)
    threshold = best_threshold(target, out_of_fold)
    on_test = _probability(fitted.booster.predict(encode(test, fitted.features), raw_score=True))
    metrics = {
        **_metrics("out_of_fold", target, out_of_fold, threshold),
        **_metrics("test", test[TARGET.name].to_numpy(), on_test, threshold),
        "threshold": threshold,
        "theoretical_threshold": DEFAULT_COSTS.theoretical_threshold,
        "trees": float(fitted.booster.num_trees()),
        "features": float(len(fitted.features)),
    }
    scoring = Scoring(
        features=fitted.features,
        threshold=threshold,
        training_data=data.source,
        code_version=code_version(),
        metrics=metrics,
    )
    tracking.use_experiment()
    with mlflow.start_run(
        tags={tracking.DATA_TAG: data.source.tag, tracking.CATALOGUE_TAG: catalogue_hash()}
    ) as active:
        results = DATA / "results" / active.info.run_id
        model = write_model_folder(results / "model", fitted.booster, scoring)
        figures = write_figures(results, target, out_of_fold, threshold, fitted.curves, data.source)
        (results / "results.json").write_text(
            json.dumps({**data.source.model_dump(), "run": active.info.run_id, "metrics": metrics}, indent=1) + "\n"
        )
        mlflow.log_params(fitting.PARAMETERS | {"folds": folds, "seed": seed, "most_rounds": fitting.MOST_ROUNDS})
        mlflow.log_params({f"data_{key}": value for key, value in data.source.model_dump().items()})
        mlflow.log_params({"constraints": constraints, "with_age": with_age, "best_features": fitting.BEST_FEATURES})
        mlflow.log_params({"code_version": scoring.code_version, "rounds": fitted.rounds})
        mlflow.log_metrics(metrics)
        for name, curve in fitted.curves.items():
            for step, value in enumerate(curve, start=1):
                mlflow.log_metric(f"inner_{name}", value, step=step)
        for fold in range(folds):
            judged = fitted.fold == fold
            mlflow.log_metric("fold_auc", float(roc_auc_score(target[judged], out_of_fold[judged])), step=fold)
        for path in (*figures, results / "results.json"):
            mlflow.log_artifact(str(path))
        tracking.log_dataset(data.folder, data.source)
        example = pl.DataFrame(json.loads((results / "model" / "examples.json").read_text())["examples"][0]["features"])
        registered = tracking.log_model(model, example.to_pandas())
        client.set_model_version_tag(registered.name, registered.version, tracking.DATA_TAG, data.source.tag)
        client.set_model_version_tag(registered.name, registered.version, tracking.CATALOGUE_TAG, catalogue_hash())
        client.set_registered_model_alias(registered.name, tracking.CHAMPION, registered.version)
    return registered


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


def _probability(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([probability(value) for value in np.asarray(log_odds).tolist()])


def _metrics(
    name: str, target: NDArray[np.int64], probability: NDArray[np.float64], threshold: float
) -> dict[str, float]:
    everybody = np.ones(len(target), dtype=bool)
    measured = {
        "clients": len(target),
        "default_rate": target.mean(),
        "pr_auc": average_precision_score(target, probability),
        "log_loss": log_loss(target, probability, labels=[0, 1]),
        "brier": brier_score_loss(target, probability),
        "cost_per_client": cost_per_client(target, probability >= threshold),
        "cost_per_client_at_theory": cost_per_client(target, probability >= DEFAULT_COSTS.theoretical_threshold),
        "cost_per_client_accept_all": cost_per_client(target, ~everybody),
        "cost_per_client_refuse_all": cost_per_client(target, everybody),
        "refused_share": (probability >= threshold).mean(),
    }
    if len(np.unique(target)) == 2:
        measured["auc"] = roc_auc_score(target, probability)
    return {f"{name}_{key}": float(value) for key, value in measured.items()}


def main() -> None:
    """The command line."""
    arguments = parser("Train the scoring model and register it in MLflow.", "python -m research.train --data data/raw")
    add_data_option(arguments)
    arguments.add_argument("--folds", type=int, default=FOLDS)
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument(
        "--constraints",
        action=argparse.BooleanOptionalAction,
        default=fitting.CONSTRAINTS,
        help="hold monotone features to the direction that the catalogue names",
    )
    arguments.set_defaults(with_age=fitting.WITH_AGE)
    age = arguments.add_mutually_exclusive_group()
    age.add_argument(
        "--with-age",
        action="store_true",
        default=argparse.SUPPRESS,
        help=f"let the features that are computed from age be chosen (default: {fitting.WITH_AGE})",
    )
    age.add_argument(
        "--without-age", action="store_false", dest="with_age", default=argparse.SUPPRESS, help="leave them out"
    )
    options = arguments.parse_args()
    if options.folds < 2:
        raise CommandError("--folds must be at least 2")
    data = open_data(options.data)
    registered = train(data, options.folds, options.seed, options.constraints, options.with_age)
    report(registered, data)


def report(registered: ModelVersion, data: Data) -> None:
    """Print what was registered and its main figures."""
    metrics = json.loads((DATA / "results" / registered.run_id / "results.json").read_text())["metrics"]
    print(f"{registered.name} version {registered.version} registered, alias {tracking.CHAMPION}")
    print(f"  data {data.source.data}, {data.source.clients:,} clients; run {registered.run_id}")
    for name in ("out_of_fold", "test"):
        cost, accept = metrics[f"{name}_cost_per_client"], metrics[f"{name}_cost_per_client_accept_all"]
        auc = metrics.get(f"{name}_auc", float("nan"))
        print(f"  {name:12} AUC {auc:.3f}, cost per client {cost:.3f} (accept all {accept:.3f})")
    print(f"  threshold {metrics['threshold']:.4f} (theory {metrics['theoretical_threshold']:.4f})")


if __name__ == "__main__":
    run(main)
