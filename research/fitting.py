"""Fits LightGBM on log-loss: out-of-fold scores by stratified folds, then one booster on all development rows."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold, train_test_split
from tqdm import tqdm

from bento.features import CATALOGUE
from bento.model import ModelFeature
from research.command import CommandError

PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "metric": ["binary_logloss", "auc"],
    "first_metric_only": True,
    "learning_rate": 0.01,
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
# Decided by research/results/feature_study.json; measure again with: python -m research.feature_study
MOST_ROUNDS = 1500
BEST_FEATURES: int | None = 100
"""Features chosen by their ranking; None: all that bring more than noise."""
CONSTRAINTS = True
CONSTRAINTS_METHOD = "advanced"
WITH_AGE = False

PATIENCE = 2.5
"""Rounds without a gain before a booster stops, times its learning rate: smaller steps need more of them."""
FEW_ROWS = 50_000
INNER_SHARE = 0.15
"""Share of a fold's training rows on which early stopping looks; never the rows whose scores count."""

Matrix = NDArray[np.float64]
Outcomes = NDArray[np.int64]
Log = dict[str, list[float]]
Choose = Callable[[Matrix, Outcomes, list[ModelFeature], int], Collection[str]]
"""Names the features worth having, from training rows and a seed."""


@dataclass(frozen=True)
class Fitted:
    """What the folds gave, and the booster that is served."""

    booster: lightgbm.Booster
    features: list[ModelFeature]
    out_of_fold: Matrix
    """Log-odds of each development row, from the booster of the fold that did not see it."""
    fold: NDArray[np.int64]
    rounds: list[int]
    curves: dict[str, list[float]]
    """Mean over the folds of each inner metric, by round, as long as every fold still trained."""


def catalogue_names(with_age: bool) -> list[str]:
    """The features a model may be given: all of the catalogue, or those that are not computed from age."""
    return [feature.name for feature in CATALOGUE.values() if with_age or not feature.uses_age]


def model_features(names: list[str]) -> list[ModelFeature]:
    """The columns of the model's matrix; the codes of a category are the order of its declaration."""
    return [ModelFeature(name=name, categories=list(CATALOGUE[name].categories)) for name in names]


def take(matrix: Matrix, columns: list[ModelFeature], names: Collection[str]) -> tuple[Matrix, list[ModelFeature]]:
    """The named columns of the matrix, in its order."""
    positions = [position for position, column in enumerate(columns) if column.name in names]
    return matrix[:, positions], [columns[position] for position in positions]


def constrained(columns: list[ModelFeature], method: str = CONSTRAINTS_METHOD) -> dict[str, Any]:
    """LightGBM's parameters that hold each monotone feature to the direction that the catalogue names."""
    directions = [feature.risk if feature.monotone else 0 for feature in (CATALOGUE[each.name] for each in columns)]
    return {"monotone_constraints": directions, "monotone_constraints_method": method} if any(directions) else {}


def threads(rows: int) -> int:
    """Threads for a booster: one below `FEW_ROWS`, where waiting for each other costs more than it gives; else all."""
    return 1 if rows < FEW_ROWS else 0


def fold_rows(target: Outcomes, folds: int, seed: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows to train on and rows to judge, for each fold.

    Raises:
        CommandError: one class only, or fewer defaults than folds.
    """
    rarest = int(min(np.sum(target == 0), np.sum(target == 1)))
    if rarest < 2 * folds:
        raise CommandError(
            f"{len(target)} development rows hold {rarest} of the rarer outcome; {folds} folds need {2 * folds}: "
            "give more clients or fewer --folds"
        )
    return list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(target, target))


def grow(
    matrix: Matrix,
    target: Outcomes,
    columns: list[ModelFeature],
    train: NDArray[np.int64],
    seed: int,
    parameters: Mapping[str, Any],
    most_rounds: int = MOST_ROUNDS,
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
        callbacks=[lightgbm.early_stopping(patience, verbose=False), lightgbm.record_evaluation(log)],
    )
    return booster, log["inner"]


def fit(
    matrix: Matrix,
    target: Outcomes,
    columns: list[ModelFeature],
    folds: int,
    seed: int,
    choose: Choose | None = None,
    constraints: bool = False,
) -> Fitted:
    """Fit on development rows: inside each fold the features are chosen anew, on the rows it trains on.

    Raises:
        CommandError: one class only, or fewer defaults than folds.
    """
    out_of_fold = np.empty(len(target))
    fold_of = np.empty(len(target), dtype=np.int64)
    rounds: list[int] = []
    logs: list[Log] = []

    def chosen(rows: NDArray[np.int64], seed: int) -> tuple[Matrix, list[ModelFeature], dict[str, Any]]:
        names = choose(matrix[rows], target[rows], columns, seed) if choose else [column.name for column in columns]
        part, kept = take(matrix, columns, names)
        parameters = PARAMETERS | {"num_threads": threads(len(target))} | (constrained(kept) if constraints else {})
        return part, kept, parameters

    splits = fold_rows(target, folds, seed)
    for number, (train, judged) in enumerate(tqdm(splits, desc="folds", unit="fold")):
        part, kept, parameters = chosen(train, seed + number)
        booster, log = grow(part, target, kept, train, seed + number, parameters)
        out_of_fold[judged] = booster.predict(part[judged], raw_score=True)
        fold_of[judged] = number
        rounds.append(booster.best_iteration)
        logs.append(log)
    part, kept, parameters = chosen(np.arange(len(target)), seed)
    served = lightgbm.train(
        parameters | {"seed": seed}, _dataset(part, target, kept), max(1, round(float(np.median(rounds))))
    )
    shortest = min(len(log["auc"]) for log in logs)
    curves = {name: np.mean([log[name][:shortest] for log in logs], axis=0).tolist() for name in logs[0]}
    return Fitted(served, kept, out_of_fold, fold_of, rounds, curves)


def _dataset(matrix: Matrix, target: Outcomes, columns: list[ModelFeature]) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        matrix,
        target,
        feature_name=[column.name for column in columns],
        categorical_feature=[column.name for column in columns if column.categories],
        params={"verbosity": -1, "num_threads": threads(len(target))},
    )
