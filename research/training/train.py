"""Train a model and register it in MLflow as challenger."""

import argparse
import json
from pathlib import Path

import mlflow
import polars as pl
from mlflow.entities.model_registry import ModelVersion

from bento.data.credit_file import CreditFile
from bento.features.catalogue import catalogue_hash
from bento.model.manifest import EXAMPLES_FILE, SCORING_FILE, Example, Examples, ModelManifest
from bento.model.peer_groups import Reference
from bento.model.predictors import Predictor
from bento.model.scoring_model import ScoringModel, digests, probability
from bento.rules.check import Rules
from bento.rules.measures import Inputs
from bento.rules.rulebook import Rulebook
from research import tracking
from research.cli import CommandError, add_data_option, user_path
from research.data.dataset import DATA, Data, Rows, open_data
from research.data.example_credit_files import example_credit_files
from research.evaluation.business_score import add_cost_options, cost_model_from
from research.evaluation.fairness import fairness
from research.evaluation.fairness_figures import plot_groups
from research.evaluation.metrics import auc, caution_of
from research.evaluation.review_band import add_capacity_option
from research.evaluation.rule_prices import Decided, price_rules, rule_inputs, rule_metrics, write_prices
from research.explanation.explain import explain
from research.options import add_options, settings_from
from research.results import OUT_OF_FOLD_FILE, RESULTS_FILE
from research.training import boosting
from research.training.blend import fit_blend
from research.training.cluster import Cluster, check_cluster_can_train, fit_on_cluster
from research.training.cross_fitting import Fitted, catalogue_names, training_matrix
from research.training.figures import write_figures
from research.training.linear import fit_linear
from research.training.peer_groups import COLUMNS, peer_group_statistics, usual_ranges
from research.training.products import EARLIER_COLUMNS
from research.training.quoted import DIRECTIONS, LEFT_OUT
from research.training.report import Evaluation, code_version, report
from research.training.settings import DEFAULTS, Settings
from research.training.tuning import Tuned, prepared
from research.training.unknown_values import given_fields

EXAMPLE = "python -m research train --trials 0"
N_EXAMPLES = 20


def train(data: Data, settings: Settings = DEFAULTS, cluster: Cluster | None = None) -> ModelVersion:
    """Train on the development split, evaluate out of fold, log and register; the new version is challenger.

    The gate split is left to `promote`, and the test split to `publish`. With a `cluster`, the boosters are trained by
    `research.training.dask_engine`.

    Raises:
        CommandError: too few rows or outcomes; MLflow out of reach; the cluster cannot train this.
    """
    if cluster:
        check_cluster_can_train(data, settings)
    client = tracking.connect()
    tags = {
        **tracking.made_from(data.source),
        tracking.CAPACITY_TAG: f"{settings.capacity:g}",
        "family": settings.family,
    }
    with tracking.started_run(f"train {settings.family}", tags) as active:
        tracking.log_dataset(data.folder, data.source)
        source = {f"data_{key}": value for key, value in data.source.model_dump().items()}
        code = {
            "left_out": ", ".join(LEFT_OUT),
            "directions": DIRECTIONS,
            "code_version": code_version(),
            "engine": "dask" if cluster else "local",
        }
        mlflow.log_params(source | settings.parameters() | code)
        results = DATA / "results" / active.info.run_id
        if cluster:
            development, fitted, tuned = fit_on_cluster(data, settings, cluster)
        else:
            development = data.rows("development")
            fitted, tuned = fit_family(development, settings)
        evaluation = Evaluation(data=data, settings=settings, development=development, fitted=fitted, tuned=tuned)
        model = write_results(evaluation, results, active.info.run_id)
        for path in sorted(results.iterdir()):
            if path.is_file():
                mlflow.log_artifact(str(path))
        registered = tracking.log_model(model)
        for name, value in tags.items():
            client.set_model_version_tag(registered.name, registered.version, name, value)
        client.set_registered_model_alias(registered.name, tracking.CHALLENGER, registered.version)
    return registered


def fit_family(development: Rows, settings: Settings) -> tuple[Fitted, Tuned | None]:
    """Fit the family that the settings name, with as many features as suit the data; boosters are tuned first."""
    data = training_matrix(development, catalogue_names(settings.with_age, lawful=settings.lawful))
    folds, seed, constraints = settings.folds, settings.seed, settings.constraints
    choose_best, tuned = prepared(data, settings)
    if settings.family == "linear":
        return fit_linear(data, folds, seed, choose_best, constraints), None
    parameters = tuned.parameters if tuned else boosting.PARAMETERS
    fit = fit_blend if settings.family == "blend" else boosting.fit
    return fit(data, folds, seed, choose_best, constraints, parameters), tuned


def write_results(evaluation: Evaluation, results: Path, run_id: str) -> ScoringModel:
    """Write model folder, report, out-of-fold scores and figures into `results`; log parameters and metrics."""
    data, settings, scores, fitted = evaluation.data, evaluation.settings, evaluation.scores, evaluation.fitted
    features = evaluation.development.features
    names = [feature.name for feature in fitted.features]
    fields, rulebook = given_fields(data, "development"), Rulebook.read()
    inputs = rule_inputs(data, "development", features, rulebook)
    applications = data.applications("development", COLUMNS)
    earlier = data.earlier_applications("development", EARLIER_COLUMNS)
    statistics = peer_group_statistics(
        features, applications, earlier, names, fields=fields, usual=usual_ranges(inputs)
    )
    model = write_model_folder(results / "model", fitted.predictor, evaluation.manifest(), statistics)
    groups = fairness(
        scores.target, scores.probability, evaluation.refused, evaluation.development.audit, settings.seed
    )
    plot_groups(groups, results / "fairness.png", data.source)
    explanations = explain(model, data.test_features(names), results, settings.seed, settings.lime_samples)
    content = report(evaluation, run_id, groups, explanations)
    (results / RESULTS_FILE).write_text(json.dumps(content, indent=1) + "\n")
    columns = pl.DataFrame({"fold": scores.fold, "target": scores.target, "probability": scores.probability})
    features.select("SK_ID_CURR").hstack(columns).write_parquet(results / OUT_OF_FOLD_FILE)
    costs = settings.cost_model.costs
    write_figures(results, fitted.out_of_fold, scores, evaluation.threshold, costs, fitted.curves, data.source)
    _write_rule_prices(evaluation, inputs, Rules(rulebook, statistics.usual), results, run_id)
    _log(evaluation)
    return model


def _write_rule_prices(evaluation: Evaluation, inputs: Inputs, rules: Rules, results: Path, run_id: str) -> None:
    """Price the rules on the clients of the evaluation; `inputs` are those of the development clients."""
    prices = price_rules(
        rules,
        Decided(inputs=inputs, target=evaluation.scores.target, refused=evaluation.refused),
        evaluation.settings.cost_model.costs,
        {**evaluation.data.source.model_dump(), "run": run_id},
    )
    write_prices(prices, results)
    mlflow.log_param("rules_version", prices.rules_version)
    mlflow.log_metrics(rule_metrics(prices))


def write_model_folder(
    folder: Path, predictor: Predictor, manifest: ModelManifest, reference: Reference
) -> ScoringModel:
    """Write the folder, compute its examples, and read it back; a ModelError where it does not reproduce them."""
    folder.mkdir(parents=True)
    predictor.save(folder)
    reference.save(folder)
    (folder / SCORING_FILE).write_text(manifest.model_dump_json(indent=1) + "\n")
    model = ScoringModel(folder)
    examples = []
    for content in example_credit_files(N_EXAMPLES):
        features = model.features([CreditFile.model_validate_json(json.dumps(content))])
        log_odds, row = float(model.log_odds(features)[0]), features.select(model.feature_names).row(0, named=True)
        default = probability(log_odds)
        examples.append(Example(credit_file=content, features=row, log_odds=log_odds, probability_of_default=default))
    golden = Examples(catalogue=catalogue_hash(), files=digests(folder), examples=examples)
    (folder / EXAMPLES_FILE).write_text(golden.model_dump_json() + "\n")
    model.verify()
    return model


def _log(evaluation: Evaluation) -> None:
    fitted, tuned, scores = evaluation.fitted, evaluation.tuned, evaluation.scores
    if fitted.rounds:
        parameters = tuned.parameters if tuned else boosting.PARAMETERS
        rounds = {"rounds": fitted.rounds, "most_rounds": boosting.max_trees(parameters), "capped_folds": fitted.capped}
        mlflow.log_params(parameters | rounds | {"tuned": tuned is not None and not fitted.capped})
    mlflow.log_metrics(evaluation.metrics)
    for name, curve in fitted.curves.items():
        tracking.log_curve(f"inner_{name}", curve)
    for fold, validation in scores.by_fold():
        mlflow.log_metric("fold_auc", auc(scores.target[validation], scores.probability[validation]), step=fold)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_data_option(parser)
    parser.add_argument(
        "--features",
        type=user_path,
        metavar="DIR",
        help="the features of these data, as python -m bento portfolio features wrote them; without it computed here",
    )
    parser.add_argument(
        "--engine",
        choices=("local", "dask"),
        default="local",
        help="local (default): this machine; dask: boosters on many, from the table of --features",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of Dask, such as tcp://host:8786; by default processes of this machine"
    )
    add_options(parser, Settings)
    add_capacity_option(parser)
    add_cost_options(parser)


def run(options: argparse.Namespace) -> None:
    """Train, and print what was registered."""
    settings = settings_from(Settings, options, capacity=options.capacity, cost_model=cost_model_from(options))
    data = open_data(options.data, options.features)
    if options.scheduler and options.engine != "dask":
        raise CommandError("--scheduler is that of Dask: add --engine dask, or leave it out")
    cluster = Cluster(options.scheduler) if options.engine == "dask" else None
    print_training(train(data, settings, cluster), data)


def print_training(registered: ModelVersion, data: Data) -> None:
    """Print the registered version, its main figures, and the next command."""
    metrics = json.loads((DATA / "results" / str(registered.run_id) / RESULTS_FILE).read_text())["metrics"]
    print(f"{registered.name} version {registered.version} registered, alias {tracking.CHALLENGER}")
    print(f"  data {data.source.data}, {data.source.clients:,} clients; run {registered.run_id}")
    figures = (metrics.get(f"out_of_fold_{metric}", float("nan")) for metric in ("auc", "gini", "ks"))
    cost, accept = metrics["out_of_fold_cost_per_client"], metrics["out_of_fold_cost_per_client_accept_all"]
    print("  out of fold: AUC {:.3f}, Gini {:.3f}, KS {:.3f}".format(*figures), end=", ")
    print(f"cost per client {cost:.3f} (accept all {accept:.3f})")
    print("  the test split was not opened: make promote, then python -m research publish, which scores it once")
    print(f"  threshold {metrics['threshold']:.4f} (theory {metrics['theoretical_threshold']:.4f})")
    if "review_band_low" in metrics:
        print(f"  reviewed by a person from {metrics['review_band_low']:.4f} to {metrics['review_band_high']:.4f}")
    if caution := caution_of(int(metrics["out_of_fold_clients"])):
        print(f"  {caution}")
    print("  next: make promote")
