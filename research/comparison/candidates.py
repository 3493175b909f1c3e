"""What is compared: families of models and ways to treat the imbalance, each a pipeline fitted inside the fold."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import joblib
import numpy as np
from imblearn.pipeline import Pipeline as SamplingPipeline
from imblearn.under_sampling import RandomUnderSampler
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from bento.policy import DEFAULT_COSTS, CostAssumptions
from research.cli import CommandError
from research.comparison.estimators import Completed, Linear, PriorCorrected, Selected, Smote
from research.comparison.resources import MIB, PeakMemory
from research.evaluation.business_score import cost_per_client
from research.training.cross_fitting import Matrix, Outcomes
from research.training.linear import INVERSE_PENALTY, MAX_ITERATIONS

NONE, WEIGHTS, UNDER, SMOTED = ARMS = ("none", "class_weights", "under_sampling", "smote")
"""What is done about the imbalance; all but the first train on as many defaults as good clients, or as if."""
BALANCED = 0.5
METRICS = {"auc": 1, "pr_auc": 1, "log_loss": -1, "brier": -1, "cost": -1}
"""1 where more is better; the cost is that at theory's threshold, so that none is fitted to the rows judged."""

Folds = Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]
Setting = dict[str, Any]
CLASSIFIER = "estimator__rest__classifier__"
"""Where a setting of the classifier stands in what `build` gives."""


@dataclass(frozen=True)
class Family:
    """A kind of model: its classifier from a seed and a number of jobs, and the settings tried.

    Attributes:
        weights: the parameter of class weights and its value; None as value: the weight of one default is given.
        served: whether the service can run it.
    """

    classifier: Callable[[int, int], Any]
    grid: Mapping[str, list[Any]]
    weights: tuple[str, str | None] = ("class_weight", "balanced")
    served: bool = False


# Held back as boosting.PARAMETERS are; larger steps, so that a grid takes minutes.
FAMILIES: dict[str, Family] = {
    "logistic": Family(
        lambda seed, jobs: LogisticRegression(C=INVERSE_PENALTY, max_iter=MAX_ITERATIONS),
        {"C": [0.001, 0.01, 0.1, 1.0]},
        served=True,
    ),
    "random_forest": Family(
        lambda seed, jobs: RandomForestClassifier(
            100, max_samples=0.5, min_samples_leaf=20, random_state=seed, n_jobs=jobs
        ),
        {"min_samples_leaf": [20, 60]},
    ),
    "xgboost": Family(
        lambda seed, jobs: XGBClassifier(
            n_estimators=300,
            max_depth=3,
            learning_rate=0.05,
            min_child_weight=5,
            subsample=0.8,
            colsample_bytree=0.3,
            reg_lambda=20.0,
            enable_categorical=True,
            random_state=seed,
            n_jobs=jobs,
        ),
        {"max_depth": [2, 3, 5], "n_estimators": [150, 300]},
        weights=("scale_pos_weight", None),
    ),
    "lightgbm": Family(
        lambda seed, jobs: LGBMClassifier(
            n_estimators=300,
            num_leaves=15,
            learning_rate=0.05,
            min_child_samples=60,
            subsample=0.8,
            subsample_freq=1,
            colsample_bytree=0.3,
            reg_lambda=20.0,
            cat_smooth=50.0,
            cat_l2=50.0,
            deterministic=True,
            force_row_wise=True,
            verbosity=-1,
            random_state=seed,
            n_jobs=jobs,
        ),
        {"num_leaves": [7, 15, 31], "n_estimators": [150, 300]},
        served=True,
    ),
}


def build(
    family: str, arm: str, names: tuple[str, ...], seed: int, jobs: int, memory: joblib.Memory | None = None
) -> PriorCorrected:
    """The whole candidate: everything that is fitted, the sampler included, is fitted on the rows given to `fit`.

    Args:
        family: of `FAMILIES`.
        arm: of `ARMS`.
        names: of the matrix's columns, features of the catalogue.
        seed: of selection, sampler and classifier.
        jobs: threads of the classifier, -1 for all.
        memory: keeps what `Selected` learned from the same rows.
    """
    chosen = FAMILIES[family]
    classifier = chosen.classifier(seed, jobs)
    parameter, value = chosen.weights
    if arm == WEIGHTS and value is not None:
        classifier.set_params(**{parameter: value})
    steps: list[tuple[str, Any]] = []
    if family == "logistic":
        # SMOTE then draws between two clients' columns of a category as between numbers: to a sum they are numbers.
        steps.append(("preprocess", Linear()))
    elif arm == SMOTED:
        # Trees bear missing values, neighbours do not: what a value's absence tells is lost in this arm.
        steps.append(("complete", Completed()))
    if arm == UNDER:
        steps.append(("sampler", RandomUnderSampler(random_state=seed)))
    elif arm == SMOTED:
        steps.append(("sampler", Smote(seed)))
    # A pipeline within, since `memory` keeps every step but the last, and only the selection is worth it.
    rest = SamplingPipeline([*steps, ("classifier", classifier)])
    whole = selecting(names, seed, rest, memory)
    weight = f"rest__classifier__{parameter}" if arm == WEIGHTS and value is None else None
    return PriorCorrected(whole, None if arm == NONE else BALANCED, weight)


def selecting(names: tuple[str, ...], seed: int, rest: Any, memory: joblib.Memory | None = None) -> Pipeline:
    """Selection of features, and what is fitted on them; `memory` keeps the selection."""
    return Pipeline([("select", Selected(names, seed=seed)), ("rest", rest)], memory=memory)


def check(matrix: Matrix, target: Outcomes, names: Sequence[str], folds: Folds) -> None:
    """Refuse what would only fail later, or be judged to no purpose; NaN is a missing value, and is fine.

    Raises:
        CommandError: an infinite feature, or a fold of one outcome.
    """
    infinite = np.isinf(matrix).sum(axis=0)
    if infinite.any():
        worst = int(infinite.argmax())
        raise CommandError(f"feature {names[worst]} is infinite in {infinite[worst]} of {len(matrix)} rows")
    for number, (train, judged) in enumerate(folds):
        for rows, part in ((train, "train"), (judged, "judge")):
            if len(np.unique(target[rows])) < 2:
                raise CommandError(
                    f"fold {number} has {len(rows)} rows to {part}, all of one outcome: "
                    "give more clients, or fewer --folds"
                )


def metrics(target: Outcomes, probability: NDArray[np.float64], costs: CostAssumptions = DEFAULT_COSTS) -> Setting:
    """`METRICS` of natural sign."""
    return {
        "auc": float(roc_auc_score(target, probability)),
        "pr_auc": float(average_precision_score(target, probability)),
        "log_loss": float(log_loss(target, probability)),
        "brier": float(brier_score_loss(target, probability)),
        "cost": cost_per_client(target, probability >= costs.theoretical_threshold, costs),
    }


def search(
    model: PriorCorrected,
    grid: Mapping[str, list[Any]],
    matrix: Matrix,
    target: Outcomes,
    folds: Folds,
    costs: CostAssumptions,
    metric: str,
    jobs: int,
    done: Callable[[], Any],
) -> tuple[Setting, list[dict[str, Any]]]:
    """The setting of the grid that is best by `metric`, and a row for each: setting, mean and spread of all metrics.

    Args:
        model: given by `build`.
        grid: values of the classifier's parameters.
        matrix: rows x features.
        target: 1 where the client defaulted.
        folds: rows to train on and to judge.
        costs: of errors.
        metric: of `METRICS`.
        jobs: fits at a time.
        done: called after each fit.
    """

    def score(fitted: PriorCorrected, rows: Matrix, outcomes: Outcomes) -> dict[str, float]:
        done()
        measured = metrics(outcomes, fitted.predict_proba(rows)[:, 1], costs)
        return {name: METRICS[name] * value for name, value in measured.items()}

    given = {f"{CLASSIFIER}{name}": values for name, values in grid.items()}
    tried = GridSearchCV(model, given, scoring=score, cv=folds, refit=False, n_jobs=jobs, error_score="raise")
    # Threads: the classifiers run outside Python's lock, and no process has to be given the rows.
    with joblib.parallel_config(backend="threading"):
        found = tried.fit(matrix, target).cv_results_
    rows = [
        {
            **{name.removeprefix(CLASSIFIER): value for name, value in setting.items()},
            **{name: float(sign * found[f"mean_test_{name}"][number]) for name, sign in METRICS.items()},
            **{f"{name}_spread": float(found[f"std_test_{name}"][number]) for name in METRICS},
        }
        for number, setting in enumerate(found["params"])
    ]
    best = max(rows, key=lambda row: METRICS[metric] * row[metric])
    return {name: best[name] for name in grid}, rows


def points(grid: Mapping[str, list[Any]]) -> int:
    """How many settings a grid holds."""
    return len(ParameterGrid(dict(grid)))


@dataclass(frozen=True)
class Judged:
    """What the folds gave: a probability for each row by the model that did not see it, and what it took."""

    probability: NDArray[np.float64]
    fit_seconds: list[float] = field(default_factory=list)
    score_ms_per_1000: list[float] = field(default_factory=list)
    peak_memory_mib: float | None = None
    memory_gained_mib: float | None = None


def judge(model: Any, matrix: Matrix, target: Outcomes, folds: Folds, done: Callable[[], Any]) -> Judged:
    """Fit and score in each fold, one after the other, so that times are comparable."""
    probability = np.full(len(target), np.nan)
    fit_seconds, score_ms = [], []
    with PeakMemory() as memory:
        for train, judged in folds:
            start = time.perf_counter()
            fitted = clone(model).fit(matrix[train], target[train])
            trained = time.perf_counter()
            probability[judged] = fitted.predict_proba(matrix[judged])[:, 1]
            score_ms.append((time.perf_counter() - trained) / len(judged) * 1e6)
            fit_seconds.append(trained - start)
            done()
    return Judged(probability, fit_seconds, score_ms, memory.peak / MIB, (memory.peak - memory.before) / MIB)
