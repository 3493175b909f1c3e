"""Blend boosted trees and the linear model on log-odds, with the weights that suit the folds."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize

from bento.model.predictors import BlendPredictor
from research.training import boosting
from research.training.cross_fitting import Choose, Fitted
from research.training.linear import fit_linear
from research.types import Floats, Integers, OutOfFold, TrainingMatrix


def fit_blend(
    data: TrainingMatrix,
    folds: int,
    seed: int,
    choose: Choose,
    constraints: bool = False,
    parameters: Mapping[str, Any] = boosting.PARAMETERS,
) -> Fitted:
    """Fit both families on the same folds, and blend them.

    The scores of a fold are blended with the weights that suit the other folds, those that are served with the weights
    that suit all folds.

    Raises:
        CommandError: one class only, or fewer defaults than folds.
    """
    choose = _remembered(choose)
    trees = boosting.fit(data, folds, seed, choose, constraints, parameters)
    parts = {"lightgbm": trees, "linear": fit_linear(data, folds, seed, choose, constraints)}
    log_odds = np.column_stack([part.out_of_fold.log_odds for part in parts.values()])
    blended = np.empty(len(data))
    for _, validation in trees.out_of_fold.by_fold():
        weights = blend_weights(log_odds[~validation], data.target[~validation])
        blended[validation] = log_odds[validation] @ weights
    served = dict(zip(parts, blend_weights(log_odds, data.target).tolist(), strict=True))
    return Fitted(
        predictor=BlendPredictor.of({family: part.predictor for family, part in parts.items()}, served),
        features=trees.features,
        out_of_fold=OutOfFold(target=data.target, log_odds=blended, fold=trees.out_of_fold.fold),
        rounds=trees.rounds,
        capped=trees.capped,
        curves=trees.curves,
    )


def blend_weights(log_odds: Floats, target: Integers) -> Floats:
    """Return weights of the columns (rows x models), none negative and 1 in all, whose sum has the least log-loss.

    How far the sum is to be stretched or moved is left to the calibration.

    >>> target, model = np.array([0, 0, 0, 1] * 50), np.array([-2.0, -1.0, 1.0, 0.5] * 50)
    >>> blend_weights(np.column_stack([model, -model]), target).tolist()
    [1.0, 0.0]
    """

    def loss(point: Floats) -> tuple[float, Floats]:
        blended = log_odds @ point[:-1] + point[-1]
        error = 1 / (1 + np.exp(-blended)) - target
        value = np.mean(np.logaddexp(0, blended) - target * blended)
        return float(value), np.append(error @ log_odds, error.sum()) / len(target)

    models = log_odds.shape[1]
    start = np.append(np.full(models, 1 / models), 0.0)
    bounds: Sequence[tuple[float | None, float | None]] = [*[(0.0, None)] * models, (None, None)]
    weights = np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x[:-1])
    # Without any use for the models, as on outcomes at random, all of them weigh the same.
    return weights / weights.sum() if weights.sum() > 0 else np.full(models, 1 / models)


def _remembered(choose: Choose) -> Choose:
    """Return `choose` with a memory, so that features are ranked once for both families.

    Rows are distinguished by their number, as a fold and all clients share a seed.
    """
    chosen: dict[tuple[int, int], Collection[str]] = {}

    def remembered(data: TrainingMatrix, seed: int) -> Collection[str]:
        key = len(data), seed
        if key not in chosen:
            chosen[key] = choose(data, seed)
        return chosen[key]

    return remembered
