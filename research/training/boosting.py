"""Fit LightGBM on log-loss: out-of-fold scores by stratified folds, then one booster on all development rows."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import lightgbm
import numpy as np
from sklearn.model_selection import train_test_split

from bento.model.manifest import ModelFeature
from bento.model.predictors import BoosterPredictor
from research.data.splits import fold_rows
from research.training.cross_fitting import Choose, Fitted, n_threads, parallel_map, select_columns
from research.training.quoted import DIRECTIONS, Directions, direction
from research.types import Floats, FoldSplit, Integers, OutOfFold, TrainingMatrix

PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "metric": ["binary_logloss", "auc"],
    "learning_rate": 0.01,
    "num_leaves": 15,
    "max_depth": 4,
    "min_child_samples": 60,
    "feature_fraction": 0.1,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 20.0,
    "cat_smooth": 50.0,
    "cat_l2": 50.0,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
# Real, 11,891 applications without histories, 5 folds, 3 seeds: small steps with a tenth of all 71 features for each
# tree gain 0.0032 ± 0.0011 of AUC over steps of 0.02 with three tenths of 60 features. In a blend, 15 leaves instead of
# 31 lose 0.0002 ± 0.0002, and explain a client in 0.6 ms instead of 1.9 ms: TreeSHAP takes leaves times squared depth.
MAX_SHRINKAGE = 60.0
"""Cap on the trees of a booster, times their learning rate; early stopping is to come first (see `Fitted.capped`)."""
# Held by research/results/feature_study.json; measure again with: python -m research study
BEST_FEATURES: int | None = 60
"""Features that the candidates of a comparison are given, best first; None: all that rank above noise. No number of the
study is better beyond chance; fewer would be enough there, but lose .004 to .006 of AUC on 11,891 real applications (26
to 40 features). Training counts them on its own data: `research.training.tuning.best_count`."""
CONSTRAINTS = True
CONSTRAINTS_METHOD = "intermediate"
"""LightGBM's "advanced" fits closer, but sometimes violates a constraint: seen by raising features of scored rows."""
WITH_AGE = False

PATIENCE = 4.0
"""Rounds without improvement before early stopping, times the learning rate: smaller steps need more rounds."""
INNER_SHARE = 0.15
"""Share of the training rows that early stopping evaluates where there is one booster only; never validation rows."""

LOSS = "binary_logloss"
"""The metric of early stopping."""
log = logging.getLogger(__name__)

TrainingLog = dict[str, list[float]]
"""Value of each metric by round."""


def monotone_constraint_params(columns: Sequence[ModelFeature], directions: Directions = DIRECTIONS) -> dict[str, Any]:
    """Return LightGBM's parameters that keep the risk monotone in a set of features (see `direction`)."""
    signs = [direction(column.name, directions) for column in columns]
    constrained = {"monotone_constraints": signs, "monotone_constraints_method": CONSTRAINTS_METHOD}
    return constrained if any(signs) else {}


def booster_params(
    data: TrainingMatrix, parameters: Mapping[str, Any], constraints: bool, directions: Directions = DIRECTIONS
) -> dict[str, Any]:
    """Return the parameters with those that depend on the data: threads, and monotone constraints if asked for."""
    constrained = monotone_constraint_params(data.columns, directions) if constraints else {}
    return {**parameters, "num_threads": n_threads(len(data)), **constrained}


def train_booster(
    data: TrainingMatrix, rows: Integers, seed: int, parameters: Mapping[str, Any], max_rounds: int | None = None
) -> tuple[lightgbm.Booster, TrainingLog]:
    """Train a booster on these rows, `INNER_SHARE` of which decide when it stops; return it and its log."""
    inner_train, inner_stop = train_test_split(
        rows, test_size=INNER_SHARE, stratify=data.target[rows], random_state=seed
    )
    return _train(data, (inner_train, inner_stop), seed, parameters, max_rounds)


def max_trees(parameters: Mapping[str, Any]) -> int:
    """Return the number of trees at which a booster ends, for its learning rate.

    >>> max_trees({"learning_rate": 0.05})
    1200
    """
    return round(MAX_SHRINKAGE / parameters["learning_rate"])


def _train(
    data: TrainingMatrix, split: FoldSplit, seed: int, parameters: Mapping[str, Any], max_rounds: int | None = None
) -> tuple[lightgbm.Booster, TrainingLog]:
    """Train on the first rows of the split until the loss on the second ones does not improve; return the log of it."""
    patience = round(PATIENCE / parameters["learning_rate"])
    # first_metric_only must be an argument here: the callback does not read the parameter of that name, and AUC on few
    # rows has its maximum by chance.
    stop = lightgbm.early_stopping(patience, first_metric_only=True, verbose=False)
    curves: dict[str, TrainingLog] = {}
    booster = lightgbm.train(
        {**parameters, "seed": seed},
        booster_dataset(data.rows(split[0])),
        max_trees(parameters) if max_rounds is None else max_rounds,
        valid_sets=[booster_dataset(data.rows(split[1]))],
        valid_names=["stop"],
        callbacks=[stop, lightgbm.record_evaluation(curves)],
        keep_training_booster=True,
    )
    return booster, curves["stop"]


def predict_log_odds(booster: lightgbm.Booster, matrix: Floats, trees: int | None = None) -> Floats:
    """Predict with the number of threads that the booster was trained with.

    LightGBM keeps that number in a global variable, and `predict` without it sets it to all cores: a booster that is
    trained with one thread in another Python thread then writes beyond its buffers. Measured with one training and one
    predicting loop: 2 of 24 processes ended in a segmentation fault, 0 of 24 with the number given. See "num_threads"
    in https://lightgbm.readthedocs.io/en/latest/Parameters.html. The verbosity is global as well: without it, boosters
    that train meanwhile warn of each tree that has no more splits.
    """
    n_threads = booster.params["num_threads"]
    raw = booster.predict(matrix, raw_score=True, num_iteration=trees, num_threads=n_threads, verbosity=-1)
    return np.asarray(raw)


def booster_dataset(data: TrainingMatrix) -> lightgbm.Dataset:
    """Return the clients as LightGBM takes them."""
    return lightgbm.Dataset(
        data.matrix,
        data.target,
        feature_name=[column.name for column in data.columns],
        categorical_feature=[column.name for column in data.columns if column.categories],
        params={"verbosity": -1, "num_threads": n_threads(len(data))},
    )


def fit(
    data: TrainingMatrix,
    folds: int,
    seed: int,
    choose: Choose | None = None,
    constraints: bool = False,
    parameters: Mapping[str, Any] = PARAMETERS,
) -> Fitted:
    """Fit a booster for each fold, and one on all rows with the number of trees at which their mean loss is lowest.

    A fold is scored with the number of trees that is best on the validation rows of the *other* folds: no row has a
    part in its own score, and no training rows are held back for early stopping, which has few defaults to spare.

    Raises:
        CommandError: one class only, or fewer defaults than folds.
    """
    splits = fold_rows(data.target, data.person, folds, seed)

    def train_fold(number: int) -> tuple[lightgbm.Booster, TrainingLog, Floats]:
        train, validation = splits[number]
        chosen = select_columns(data, train, choose, seed + number)
        params = booster_params(chosen, parameters, constraints)
        booster, curves = _train(chosen, splits[number], seed + number, params)
        return booster, curves, chosen.matrix[validation]

    fold_boosters = parallel_map(train_fold, range(folds), len(data), "folds")
    losses = [curves[LOSS] for _, curves, _ in fold_boosters]
    capped = sum(int(np.argmin(loss)) + 1 == max_trees(parameters) for loss in losses)
    if capped:
        log.warning(
            "%d of %d folds ended at the most trees that are allowed, %d, while their loss still fell: "
            "raise boosting.MAX_SHRINKAGE",
            capped,
            folds,
            max_trees(parameters),
        )
    rounds = [best_trees(losses[:number] + losses[number + 1 :]) for number in range(folds)]
    scores = [
        _log_odds_at(booster, validation, trees)
        for (booster, _, validation), trees in zip(fold_boosters, rounds, strict=True)
    ]
    chosen = select_columns(data, np.arange(len(data)), choose, seed)
    params = booster_params(chosen, parameters, constraints) | {"seed": seed}
    return Fitted(
        predictor=BoosterPredictor(
            lightgbm.train(params, booster_dataset(chosen), best_trees(losses)).model_to_string()
        ),
        features=chosen.columns,
        out_of_fold=OutOfFold.from_folds(data.target, splits, scores),
        rounds=rounds,
        capped=capped,
        curves=_mean_curves([curves for _, curves, _ in fold_boosters]),
    )


def median_trees(rounds: Sequence[int]) -> int:
    """Return the median number of trees, at least 1."""
    return max(1, round(float(np.median(rounds))))


def best_trees(losses: Sequence[Sequence[float]]) -> int:
    """Return the number of trees at which the mean of the folds' losses is lowest, up to the shortest fold.

    >>> best_trees([[0.3, 0.2, 0.3, 0.4], [0.5, 0.4, 0.2]])
    3
    """
    shortest = min(map(len, losses))
    return int(np.argmin(np.mean([loss[:shortest] for loss in losses], axis=0))) + 1


def _log_odds_at(booster: lightgbm.Booster, matrix: Floats, trees: int) -> Floats:
    """Predict with `trees`; those that the booster lacks, since its own loss stopped it, are trained now."""
    # LightGBM keeps its verbosity for each thread, and sets it as it predicts, but not as it trains further: without
    # this, each tree without a split left a warning, 196 lines for 6,000 clients.
    predict_log_odds(booster, matrix[:1], trees=1)
    while booster.current_iteration() < trees:
        booster.update()
    return predict_log_odds(booster, matrix, trees)


def _mean_curves(logs: Sequence[TrainingLog]) -> dict[str, list[float]]:
    shortest = min(len(log["auc"]) for log in logs)
    return {name: np.mean([log[name][:shortest] for log in logs], axis=0).tolist() for name in logs[0]}
