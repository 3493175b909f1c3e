"""Fits LightGBM on log-loss: out-of-fold scores by stratified folds, then one booster on all development rows."""

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
    "learning_rate": 0.05,
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
MOST_ROUNDS = 1000
PATIENCE = 50
FEW_ROWS = 10_000
INNER_SHARE = 0.15
"""Share of a fold's training rows on which early stopping looks; never the rows whose scores count."""

Matrix = NDArray[np.float64]


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


def model_features(names: list[str]) -> list[ModelFeature]:
    """The columns of the model's matrix; the codes of a category are the order of its declaration."""
    return [ModelFeature(name=name, categories=list(CATALOGUE[name].categories)) for name in names]


def fit(matrix: Matrix, target: NDArray[np.int64], columns: list[ModelFeature], folds: int, seed: int) -> Fitted:
    """Fit on development rows.

    Raises:
        CommandError: one class only, or fewer defaults than folds.
    """
    # On few rows threads cost more than they give.
    parameters = PARAMETERS | {"num_threads": 1 if len(target) < FEW_ROWS else 0}
    rarest = int(min(np.sum(target == 0), np.sum(target == 1)))
    if rarest < 2 * folds:
        raise CommandError(
            f"{len(target)} development rows hold {rarest} of the rarer outcome; {folds} folds need {2 * folds}: "
            "give more clients or fewer --folds"
        )
    out_of_fold = np.empty(len(target))
    fold_of = np.empty(len(target), dtype=np.int64)
    rounds: list[int] = []
    logs: list[dict[str, list[float]]] = []
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(matrix, target)
    for number, (train, judged) in enumerate(tqdm(splits, total=folds, desc="folds", unit="fold")):
        inner_train, inner_stop = train_test_split(
            train, test_size=INNER_SHARE, stratify=target[train], random_state=seed + number
        )
        log: dict[str, dict[str, list[float]]] = {}
        booster = lightgbm.train(
            parameters | {"seed": seed + number},
            _dataset(matrix[inner_train], target[inner_train], columns),
            MOST_ROUNDS,
            valid_sets=[_dataset(matrix[inner_stop], target[inner_stop], columns)],
            valid_names=["inner"],
            callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False), lightgbm.record_evaluation(log)],
        )
        out_of_fold[judged] = booster.predict(matrix[judged], raw_score=True)
        fold_of[judged] = number
        rounds.append(booster.best_iteration)
        logs.append(log["inner"])
    served = lightgbm.train(
        parameters | {"seed": seed}, _dataset(matrix, target, columns), max(1, round(float(np.median(rounds))))
    )
    shortest = min(len(log["auc"]) for log in logs)
    curves = {name: np.mean([log[name][:shortest] for log in logs], axis=0).tolist() for name in logs[0]}
    return Fitted(served, columns, out_of_fold, fold_of, rounds, curves)


def _dataset(matrix: Matrix, target: NDArray[np.int64], columns: list[ModelFeature]) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        matrix,
        target,
        feature_name=[column.name for column in columns],
        categorical_feature=[column.name for column in columns if column.categories],
        params={"verbosity": -1},
    )
