"""Tunes LightGBM on log-loss with Optuna, within a budget of trials, on folds of the development rows alone."""

from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from scipy.special import expit
from tqdm import tqdm

from bento.model.manifest import ModelFeature
from research.data.splits import fold_rows
from research.training.boosting import PARAMETERS, constrained, grow
from research.training.cross_fitting import Choose, Matrix, Outcomes, at_a_time, each, take, threads

Rows = NDArray[np.int64]
Split = tuple[Rows, Rows]
Fold = tuple[Matrix, list[ModelFeature], Rows, Rows]

FOLDS = 3
MAX_TUNING_ROWS = 30_000
"""Rows that tuning looks at, drawn by seed: settings that are best on them are good enough on more."""
STEP = 0.05
"""Learning rate of a trial: coarse, for speed; the model that follows takes its own smaller one."""
MAX_ROUNDS = 400
SPACE: dict[str, optuna.distributions.BaseDistribution] = {
    "num_leaves": optuna.distributions.IntDistribution(7, 31, step=4),
    "min_child_samples": optuna.distributions.IntDistribution(20, 300, log=True),
    "feature_fraction": optuna.distributions.FloatDistribution(0.15, 0.8, log=True),
    "bagging_fraction": optuna.distributions.FloatDistribution(0.5, 1.0),
    "lambda_l2": optuna.distributions.FloatDistribution(1.0, 200.0, log=True),
    "cat_smooth": optuna.distributions.FloatDistribution(10.0, 200.0, log=True),
}
"""The settings tried; leaves stay few, for scores and explanations cost time by leaves."""


@dataclass(frozen=True)
class Tuned:
    """What tuning found.

    Attributes:
        parameters: to train with: those found, or the defaults where the gain is within its standard error.
        best: the changed settings of the best trial.
        gain, gain_error: log-loss it saves over the defaults on the same rows, and its standard error.
        trials: how many were run.
        table: each trial's settings and log-loss.
    """

    parameters: dict[str, Any]
    best: dict[str, Any]
    gain: float
    gain_error: float
    trials: int
    table: list[dict[str, Any]]


def tune(
    matrix: Matrix,
    target: Outcomes,
    columns: list[ModelFeature],
    person: NDArray[np.int64],
    trials: int,
    seed: int,
    choose: Choose,
    constraints: bool,
    defaults: Mapping[str, Any] = PARAMETERS,
) -> Tuned:
    """Try the defaults and then `trials` other settings; features are chosen inside each fold.

    The tree-structured Parzen estimator (Bergstra et al. 2011) proposes them; the same seed proposes the same.

    Raises:
        CommandError: one class only, or fewer defaults than folds.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(target))[:MAX_TUNING_ROWS])
    matrix, target, person = matrix[rows], target[rows], person[rows]

    def chosen(split: Split) -> Fold:
        train, judged = split
        return *take(matrix, columns, choose(matrix[train], target[train], columns, seed)), train, judged

    folds = each(chosen, fold_rows(target, person, FOLDS, seed), len(target), "tuning, features")

    def losses(changed: Mapping[str, Any], pool: Executor) -> NDArray[np.float64]:
        found = np.empty(len(target))

        def one(fold: Fold) -> None:
            part, kept, train, judged = fold
            held = constrained(kept) if constraints else {}
            settings = {**defaults, **changed, **held, "learning_rate": STEP, "num_threads": threads(len(target))}
            booster, _ = grow(part, target, kept, train, seed, settings, MAX_ROUNDS)
            probability = expit(np.asarray(booster.predict(part[judged], raw_score=True)))
            found[judged] = -np.log(np.where(target[judged] == 1, probability, 1 - probability))

        list(pool.map(one, folds))
        return found

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial({name: defaults[name] for name in SPACE})
    by_trial = []
    with ThreadPoolExecutor(at_a_time(len(target))) as pool:
        for _ in tqdm(range(trials + 1), desc="tuning", unit="trial"):
            trial = study.ask(SPACE)
            by_trial.append(losses(trial.params, pool))
            study.tell(trial, float(by_trial[-1].mean()))
    gain = by_trial[0] - by_trial[study.best_trial.number]
    mean, error = float(gain.mean()), float(gain.std(ddof=1) / np.sqrt(len(gain)))
    best = study.best_params if mean > error else {}
    table = [{**trial.params, "log_loss": trial.value} for trial in study.trials]
    return Tuned({**defaults, **best}, study.best_params, mean, error, trials, table)
