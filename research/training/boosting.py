"""Fits a family on log-loss: out-of-fold scores by stratified folds, then one model on all development rows."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from bento.features.catalogue import CATALOGUE
from bento.model.manifest import ModelFeature
from bento.model.predictors import BoosterPredictor
from research.training.cross_fitting import Choose, Fitted, Matrix, Outcomes, Scorer, _chosen, cross_fit, threads
from research.training.linear import linear_pipeline, linear_predictor

PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "metric": ["binary_logloss", "auc"],
    "learning_rate": 0.02,
    "num_leaves": 31,
    "min_child_samples": 60,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 20.0,
    "cat_smooth": 50.0,
    "cat_l2": 50.0,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
# Decided by research/results/feature_study.json; measure again with: python -m research.comparison.feature_study
MAX_ROUNDS = 500
BEST_FEATURES: int | None = 60
"""Features chosen by their ranking; None: all that bring more than noise."""
CONSTRAINTS = True
CONSTRAINTS_METHOD = "intermediate"
"""LightGBM's "advanced" fits closer, but breaks a promise now and then: found by scoring rows of raised features."""
WITH_AGE = False

PATIENCE = 2.5
"""Rounds without a gain before a booster stops, times its learning rate: smaller steps need more of them."""
INNER_SHARE = 0.15
"""Share of a fold's training rows on which early stopping looks; never the rows whose scores count."""

Log = dict[str, list[float]]


def constrained(columns: list[ModelFeature]) -> dict[str, Any]:
    """LightGBM's parameters that hold each monotone feature to the direction that the catalogue names."""
    directions = [feature.risk if feature.monotone else 0 for feature in (CATALOGUE[each.name] for each in columns)]
    return (
        {"monotone_constraints": directions, "monotone_constraints_method": CONSTRAINTS_METHOD}
        if any(directions)
        else {}
    )


def grow(
    matrix: Matrix,
    target: Outcomes,
    columns: list[ModelFeature],
    train: NDArray[np.int64],
    seed: int,
    parameters: Mapping[str, Any],
    most_rounds: int = MAX_ROUNDS,
) -> tuple[lightgbm.Booster, Log]:
    """A booster of these training rows, and its log; it stops by an inner part of them on which it does not grow."""
    inner_train, inner_stop = train_test_split(train, test_size=INNER_SHARE, stratify=target[train], random_state=seed)
    patience = round(PATIENCE / parameters["learning_rate"])
    log: dict[str, Log] = {}
    booster = lightgbm.train(
        {**parameters, "seed": seed},
        _dataset(matrix[inner_train], target[inner_train], columns),
        most_rounds,
        valid_sets=[_dataset(matrix[inner_stop], target[inner_stop], columns)],
        valid_names=["inner"],
        # Told to the callback: of the parameter of that name it knows nothing, and AUC on few rows peaks by chance.
        callbacks=[
            lightgbm.early_stopping(patience, first_metric_only=True, verbose=False),
            lightgbm.record_evaluation(log),
        ],
    )
    return booster, log["inner"]


def fit(
    matrix: Matrix,
    target: Outcomes,
    columns: list[ModelFeature],
    person: NDArray[np.int64],
    folds: int,
    seed: int,
    choose: Choose | None = None,
    constraints: bool = False,
    parameters: Mapping[str, Any] = PARAMETERS,
) -> Fitted:
    """Boosters of the folds, each stopped early by rows of its own, and one of all rows with their median of trees.

    Out-of-fold scores are those at that median too: with other numbers of trees, log-odds would spread less or more
    than the served ones, and neither calibration nor threshold would pass from them to the served booster.

    Args and Raises: as `cross_fit`; `constraints` holds monotone features to their direction.
    """
    grown: dict[int, tuple[int, Log]] = {}

    def settings(kept: list[ModelFeature]) -> dict[str, Any]:
        return {**parameters, "num_threads": threads(len(target))} | (constrained(kept) if constraints else {})

    def fit_one(part: Matrix, kept: list[ModelFeature], train: NDArray[np.int64], seed: int) -> Scorer:
        booster, log = grow(part, target, kept, train, seed, settings(kept))
        grown[seed] = booster.best_iteration, log
        return partial(booster.predict, raw_score=True)

    scores, fold_of = cross_fit(matrix, target, columns, person, folds, seed, choose, fit_one)
    rounds, logs = (list(found) for found in zip(*(grown[number] for number in sorted(grown)), strict=True))
    trees = max(1, round(float(np.median(rounds))))
    out_of_fold = np.empty(len(target))
    for number, score in enumerate(scores):
        out_of_fold[fold_of == number] = score(num_iteration=trees)
    part, kept = _chosen(matrix, target, columns, np.arange(len(target)), choose, seed)
    served = lightgbm.train(settings(kept) | {"seed": seed}, _dataset(part, target, kept), trees)
    shortest = min(len(log["auc"]) for log in logs)
    curves = {name: np.mean([log[name][:shortest] for log in logs], axis=0).tolist() for name in logs[0]}
    return Fitted(BoosterPredictor(served), kept, out_of_fold, fold_of, rounds, curves)


def fit_linear(
    matrix: Matrix,
    target: Outcomes,
    columns: list[ModelFeature],
    person: NDArray[np.int64],
    folds: int,
    seed: int,
    choose: Choose | None = None,
) -> Fitted:
    """Linear models of the folds, and one of all rows. Args and Raises: as `cross_fit`."""

    def fit_one(part: Matrix, kept: list[ModelFeature], train: NDArray[np.int64], seed: int) -> Scorer:
        return linear_pipeline(kept).fit(part[train], target[train]).decision_function

    scores, fold_of = cross_fit(matrix, target, columns, person, folds, seed, choose, fit_one)
    out_of_fold = np.empty(len(target))
    for number, score in enumerate(scores):
        out_of_fold[fold_of == number] = score()
    part, kept = _chosen(matrix, target, columns, np.arange(len(target)), choose, seed)
    served = linear_predictor(linear_pipeline(kept).fit(part, target), part, kept)
    return Fitted(served, kept, out_of_fold, fold_of, [], {})


def _dataset(matrix: Matrix, target: Outcomes, columns: list[ModelFeature]) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        matrix,
        target,
        feature_name=[column.name for column in columns],
        categorical_feature=[column.name for column in columns if column.categories],
        params={"verbosity": -1, "num_threads": threads(len(target))},
    )
