"""Measure, on the development split, what leaving gender and age out of the model costs."""

import argparse
import json
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import lightgbm
import numpy as np
import polars as pl
from scipy.stats import norm

from bento.features.catalogue import CATALOGUE
from bento.model.manifest import ModelFeature
from bento.model.scoring_model import encode
from research.cli import add_data_option
from research.comparison.feature_study import Arm, Result
from research.data.dataset import DATA, Data, Rows, open_data
from research.data.splits import fold_rows
from research.evaluation import fairness
from research.evaluation.bootstrap import Estimate, mean_with_interval
from research.evaluation.business_score import cross_fitted_decisions
from research.evaluation.fairness_figures import plot_excluding_cost
from research.evaluation.metrics import delong_auc
from research.options import FOLDS, SEED, add_options, check_folds, option, settings_from
from research.results import PRICE_FILE
from research.training import boosting, cross_fitting
from research.training.feature_selection import choose as choose_features
from research.training.unknown_values import described
from research.types import Floats, Integers, TrainingMatrix

EXAMPLE = "python -m research fairness --data data/raw"
PICTURE_FILE = "fairness_price.png"
DEFAULT = "default"
ARMS = {DEFAULT: (False, False), "with gender": (True, False), "with age": (False, True), "with both": (True, True)}
"""Arms by whether the model is given gender, and whether it is given features of age."""
GENDER = ModelFeature(name="CODE_GENDER", categories=["F", "M"])
"""The column of gender, which only the models of this module are given; none of them is kept."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to measure; a CommandError where there are too few folds."""

    folds: int = option(FOLDS, "folds of the development split, the same for all arms")
    seed: int = option(SEED, "of folds, selection, boosters and intervals")

    def __post_init__(self) -> None:
        check_folds(self.folds)


DEFAULTS = Settings()


def cost_of_excluding_protected_attributes(
    data: Data,
    settings: Settings = DEFAULTS,
    choose: cross_fitting.Choose = choose_features,
    parameters: dict[str, Any] = boosting.PARAMETERS,
) -> dict[str, Any]:
    """Compare the default model, out of fold, with models that are given gender, age or both.

    The arms of a fold differ by what is added to the features chosen for the default: gender, and the features of age
    that are chosen where age is allowed. All have the number of trees at which the default stops, since a different
    number would change AUC and cost by more than is measured. `prices` are the AUC that the default loses (DeLong's
    interval) and its additional cost per client (in good clients refused; bootstrap), paired by client; the intervals
    do not include the randomness of the fit.

    Raises:
        CommandError: too few rows or outcomes for the folds.
    """
    rows = data.rows("development")
    results = _fit_arms(rows, settings, choose, parameters)
    default = results[DEFAULT]
    return {
        **data.source.model_dump(),
        "development_clients": len(rows.target),
        "folds": settings.folds,
        "folds_seed": settings.seed,
        "constraints": boosting.CONSTRAINTS,
        "arms": [_row(result, default, rows.audit, settings.seed) for result in results.values()],
        "prices": [
            {
                "leaving_out": name.removeprefix("with "),
                "auc": asdict(_delong_interval(result.placement - default.placement, rows.target)),
                "cost": asdict(mean_with_interval(default.cost - result.cost, settings.seed)),
            }
            for name, result in results.items()
            if result is not default
        ],
    }


def _fit_arms(
    rows: Rows, settings: Settings, choose: cross_fitting.Choose, parameters: dict[str, Any]
) -> dict[str, Result]:
    features = rows.features.with_columns(rows.audit["gender"].alias(GENDER.name))
    columns = cross_fitting.model_features(cross_fitting.catalogue_names(with_age=True), features)
    columns.append(described(GENDER.name, GENDER.categories, features[GENDER.name]))
    matrix = encode(features, columns)
    data = TrainingMatrix(matrix=matrix, target=rows.target, columns=columns, person=rows.person)
    splits = fold_rows(rows.target, rows.person, settings.folds, settings.seed)
    seeds = [settings.seed + number for number in range(settings.folds)]

    def chosen(number: int, with_age: bool) -> list[str]:
        allowed = data.select(cross_fitting.catalogue_names(with_age))
        return list(choose(allowed.rows(splits[number][0]), seeds[number]))

    default = [chosen(number, with_age=False) for number in range(settings.folds)]
    age = [[name for name in chosen(number, with_age=True) if _uses_age(name)] for number in range(settings.folds)]

    def rounds(number: int) -> int:
        fold_data = data.select(default[number])
        params = boosting.booster_params(fold_data, parameters, boosting.CONSTRAINTS)
        booster, _ = boosting.train_booster(fold_data, splits[number][0], seeds[number], params)
        return booster.best_iteration

    stops = cross_fitting.parallel_map(rounds, range(settings.folds), len(data), "number of trees")
    trees = boosting.median_trees(stops)

    def score_fold(names: list[list[str]], number: int, train: Integers, validation: Integers) -> Floats:
        fold_data = data.select(names[number])
        params = boosting.booster_params(fold_data, parameters, boosting.CONSTRAINTS) | {"seed": seeds[number]}
        booster = lightgbm.train(params, boosting.booster_dataset(fold_data.rows(train)), trees)
        return boosting.predict_log_odds(booster, fold_data.matrix[validation])

    results = {}
    for name, (with_gender, with_age) in ARMS.items():
        names = [
            default[number] + age[number] * with_age + [GENDER.name] * with_gender for number in range(settings.folds)
        ]
        scores = cross_fitting.out_of_fold(rows.target, splits, partial(score_fold, names), name)
        results[name] = Result(arm=Arm(name=name, chosen=names), trees=trees, scores=scores)
    return results


def _row(result: Result, default: Result, audit: pl.DataFrame, seed: int) -> dict[str, Any]:
    target, (refused, _) = result.scores.target, cross_fitted_decisions(result.scores)
    approval = {}
    for dimension in ("gender", "age"):
        group = fairness.groups_of(audit)[dimension].to_numpy()
        names = [name for name in (*GENDER.categories, *fairness.BANDS) if fairness.has_enough(target[group == name])]
        refused_of = {name: refused[group == name] for name in names}
        reference = max(refused_of, key=lambda name: len(refused_of[name]), default="")
        approval[dimension] = {
            "rates": {name: float(np.mean(~members)) for name, members in refused_of.items()},
            "gap": asdict(fairness.approval_gap(list(refused_of.values()), seed)) if len(refused_of) > 1 else None,
            "reference": reference or None,
            "differences": {
                name: asdict(fairness.approval_difference(members, refused_of[reference], seed))
                for name, members in refused_of.items()
                if name != reference
            },
        }
    return {
        **result.row(default),
        "given_gender": all(GENDER.name in names for names in result.arm.chosen),
        "features_of_age": float(np.mean([sum(_uses_age(name) for name in names) for names in result.arm.chosen])),
        "approval": approval,
    }


def _uses_age(name: str) -> bool:
    return name in CATALOGUE and CATALOGUE[name].uses_age


def _delong_interval(placement: Floats, target: Integers) -> Estimate:
    value, error = delong_auc(placement, target)
    margin = float(norm.ppf(fairness.TAILS[1])) * error
    return Estimate(value, value - margin, value + margin)


def print_table(content: dict[str, Any]) -> None:
    """Print every arm."""
    print(
        f"{'arm':14} {'AUC':>6}  {'gain':^17}  {'Gini':>6}  {'KS':>6}  {'cost':>6}  gap in approval by gender, by age"
    )
    for row in content["arms"]:
        gaps = [row["approval"][name]["gap"] for name in ("gender", "age")]
        values = ", ".join("unknown" if gap is None else f"{gap['value']:.3f}" for gap in gaps)
        gain = f"{row['auc_gain']:+.4f} ± {row['auc_gain_error']:.4f}"
        print(
            f"{row['arm']:14} {row['auc']:.4f}  {gain}  {row['gini']:.4f}  {row['ks']:.4f}  {row['cost']:.4f}  {values}"
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_data_option(parser)
    add_options(parser, Settings)


def run(options: argparse.Namespace) -> None:
    """Measure, write both files, and print the table."""
    settings = settings_from(Settings, options)
    data = open_data(options.data)
    content = cost_of_excluding_protected_attributes(data, settings)
    out = DATA / "results" / "fairness"
    out.mkdir(parents=True, exist_ok=True)
    (out / PRICE_FILE).write_text(json.dumps(content, indent=1) + "\n")
    plot_excluding_cost(content, out / PICTURE_FILE, data.source)
    print_table(content)
    print(f"written: {out}")
