"""Tune LightGBM on log-loss with Optuna, within a budget of trials, on folds of the development rows alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import optuna
from tqdm import tqdm

from research.data.splits import fold_rows
from research.training.boosting import PARAMETERS, booster_params, predict_log_odds, train_booster
from research.training.cross_fitting import Choose, out_of_fold, parallel_map, select_columns
from research.training.feature_selection import choose, rank
from research.training.settings import Settings
from research.types import Floats, Integers, OutOfFold, TrainingMatrix

TUNING_FOLDS = 3
MAX_TUNING_ROWS = 30_000
"""Rows drawn by seed for tuning: parameters that are best on them are good enough on more."""
LEARNING_RATE = 0.05
"""Learning rate of a trial: coarse, for speed; the final model keeps its smaller rate. Both may shrink as much in all
(`boosting.MAX_SHRINKAGE`), otherwise trials would choose parameters for fewer trees than the model has."""
COUNTS = (30, 60, 90, 130, 200)
"""Numbers of features that are tried. To compute them for one client takes 2.1 ms for 60, 3.1 ms for 130 and 4.6 ms for
all 494: more than 200 do not leave enough of the five milliseconds of a decision."""
SPACE: dict[str, optuna.distributions.BaseDistribution] = {
    "num_leaves": optuna.distributions.IntDistribution(7, 31, step=4),
    "max_depth": optuna.distributions.IntDistribution(3, 8),
    "min_child_samples": optuna.distributions.IntDistribution(20, 300, log=True),
    "feature_fraction": optuna.distributions.FloatDistribution(0.05, 0.8, log=True),
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
    data = _drawn(data, seed, max_rows)
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


def best_count(
    data: TrainingMatrix,
    seed: int,
    constraints: bool,
    counts: Sequence[int] = COUNTS,
    max_rows: int = MAX_TUNING_ROWS,
) -> int:
    """Return how many features, best first by the ranking of each fold, to give the model.

    As many as are tried, unless fewer have a smaller out-of-fold log-loss by more than its standard error. The other
    way round, the smallest number whose loss is within the error of the least, chose 30 of 71 on 11,891 real
    applications; there, only those above noise, some 20, cost 0.0037 ± 0.0016 of AUC.

    Raises:
        CommandError: one class only, or fewer defaults than folds; no feature varies.
    """
    data = _drawn(data, seed, max_rows)
    splits = fold_rows(data.target, data.person, TUNING_FOLDS, seed)
    rankings = parallel_map(lambda split: rank(data.rows(split[0]), seed), splits, len(data), "features, rankings")
    ranked = [[*ranking.names, *ranking.noise] for ranking in rankings]
    most = min(map(len, ranked))
    sizes = [count for count in counts if count < most]
    if most <= max(counts):
        sizes.append(most)
    parameters = {**PARAMETERS, "learning_rate": LEARNING_RATE}

    def score(task: tuple[int, int]) -> Floats:
        size, fold = task
        chosen, (train, validation) = data.select(ranked[fold][:size]), splits[fold]
        booster, _ = train_booster(chosen, train, seed, booster_params(chosen, parameters, constraints))
        return predict_log_odds(booster, chosen.matrix[validation])

    tasks = list(product(sizes, range(TUNING_FOLDS)))
    scores = parallel_map(score, tasks, len(data), "features, number")
    losses = [
        _losses(OutOfFold.from_folds(data.target, splits, scores[start : start + TUNING_FOLDS]))
        for start in range(0, len(scores), TUNING_FOLDS)
    ]
    least = min(range(len(sizes)), key=lambda number: float(losses[number].mean()))
    gain = losses[-1] - losses[least]
    return sizes[least if gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)) else -1]


def prepared(data: TrainingMatrix, settings: Settings) -> tuple[Choose, Tuned | None]:
    """Return how features are chosen, in a number that suits these data, and what tuning found where it is asked for.

    Raises:
        CommandError: one class only, or fewer defaults than folds; no feature varies.
    """
    seed, constraints = settings.seed, settings.constraints
    choose_best = partial(choose, count=best_count(data, seed, constraints))
    is_tuned = settings.trials and settings.family != "linear"
    return choose_best, tune(data, settings.trials, seed, choose_best, constraints) if is_tuned else None


def _drawn(data: TrainingMatrix, seed: int, rows: int) -> TrainingMatrix:
    return data.rows(np.sort(np.random.default_rng(seed).permutation(len(data))[:rows]))


def _losses(scores: OutOfFold) -> Floats:
    """Return the log-loss of each row."""
    return np.logaddexp(0, np.where(scores.target == 1, -scores.log_odds, scores.log_odds))


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
            booster, _ = train_booster(chosen, train, seed, parameters)
            return predict_log_odds(booster, chosen.matrix[validation])

        return _losses(out_of_fold(data.target, splits, score_fold))

    return losses
