"""Tune LightGBM on log-loss with Optuna, within a budget of trials, on folds of the development rows alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from tqdm import tqdm

from research.data.splits import fold_rows
from research.training.boosting import PARAMETERS, booster_params, predict_log_odds, train_booster
from research.training.cross_fitting import Choose, out_of_fold, parallel_map, select_columns
from research.types import Floats, Integers, TrainingMatrix

TUNING_FOLDS = 3
MAX_TUNING_ROWS = 30_000
"""Rows drawn by seed for tuning: parameters that are best on them are good enough on more."""
LEARNING_RATE = 0.05
"""Learning rate of a trial: coarse, for speed; the final model keeps its smaller rate."""
MAX_TRIAL_ROUNDS = 400
SPACE: dict[str, optuna.distributions.BaseDistribution] = {
    "num_leaves": optuna.distributions.IntDistribution(7, 31, step=4),
    "min_child_samples": optuna.distributions.IntDistribution(20, 300, log=True),
    "feature_fraction": optuna.distributions.FloatDistribution(0.15, 0.8, log=True),
    "bagging_fraction": optuna.distributions.FloatDistribution(0.5, 1.0),
    "lambda_l2": optuna.distributions.FloatDistribution(1.0, 200.0, log=True),
    "cat_smooth": optuna.distributions.FloatDistribution(10.0, 200.0, log=True),
}
"""Search space; few leaves, since scores and explanations take time in proportion to them."""


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """Result of tuning."""

    parameters: dict[str, Any]
    """To train with: the best, or the defaults where the gain is within its standard error."""
    best: dict[str, Any]
    gain: float
    """Log-loss that the best saves over the defaults on the same rows."""
    gain_error: float
    trials: int
    table: list[dict[str, Any]]


def tune(
    data: TrainingMatrix,
    trials: int,
    seed: int,
    choose: Choose,
    constraints: bool,
    defaults: Mapping[str, Any] = PARAMETERS,
    max_rows: int = MAX_TUNING_ROWS,
) -> Tuned:
    """Try the defaults, then `trials` other settings; features are chosen inside each fold.

    The tree-structured Parzen estimator (Bergstra et al. 2011) proposes them; the same seed proposes the same.

    Raises:
        CommandError: one class only, or fewer defaults than folds.
    """
    data = data.rows(np.sort(np.random.default_rng(seed).permutation(len(data))[:max_rows]))
    losses_of = _trial_losses(data, seed, choose, constraints, defaults)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial({name: defaults[name] for name in SPACE})
    losses = []
    for _ in tqdm(range(trials + 1), desc="tuning", unit="trial"):
        trial = study.ask(SPACE)
        losses.append(losses_of(trial.params))
        study.tell(trial, float(losses[-1].mean()))
    gain = losses[0] - losses[study.best_trial.number]
    mean, error = float(gain.mean()), float(gain.std(ddof=1) / np.sqrt(len(gain)))
    return Tuned(
        parameters={**defaults, **(study.best_params if mean > error else {})},
        best=study.best_params,
        gain=mean,
        gain_error=error,
        trials=trials,
        table=[{**trial.params, "log_loss": trial.value} for trial in study.trials],
    )


def _trial_losses(
    data: TrainingMatrix, seed: int, choose: Choose, constraints: bool, defaults: Mapping[str, Any]
) -> Callable[[Mapping[str, Any]], Floats]:
    """Choose each fold's features, and return the function that gives a trial's out-of-fold log-loss of each row."""
    splits = fold_rows(data.target, data.person, TUNING_FOLDS, seed)
    fold_data = parallel_map(
        lambda split: select_columns(data, split[0], choose, seed), splits, len(data), "tuning, features"
    )

    def losses(changed: Mapping[str, Any]) -> Floats:
        def score_fold(number: int, train: Integers, validation: Integers) -> Floats:
            chosen = fold_data[number]
            parameters = booster_params(chosen, {**defaults, **changed, "learning_rate": LEARNING_RATE}, constraints)
            booster, _ = train_booster(chosen, train, seed, parameters, MAX_TRIAL_ROUNDS)
            return predict_log_odds(booster, chosen.matrix[validation])

        scores = out_of_fold(data.target, splits, score_fold)
        return -np.log(np.where(data.target == 1, scores.probability, 1 - scores.probability))

    return losses
