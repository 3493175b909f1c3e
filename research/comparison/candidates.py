"""Build and score candidates: families of models and treatments of the imbalance, fitted inside each fold."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import joblib
import numpy as np
import psutil
from imblearn import FunctionSampler
from imblearn.pipeline import Pipeline as SamplingPipeline
from imblearn.under_sampling import RandomUnderSampler
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from xgboost import XGBClassifier

from bento.model.manifest import ModelFeature
from bento.policy import DEFAULT_COSTS, CostAssumptions
from bento.settings import MIB
from research.cli import CommandError
from research.comparison import estimators
from research.evaluation.business_score import cost_per_client
from research.evaluation.metrics import discrimination
from research.training.linear import INVERSE_PENALTY, MAX_ITERATIONS, linear_preprocessing
from research.training.spline import SplineLogistic
from research.types import Floats, FoldSplit, Integers, TrainingMatrix

NONE, WEIGHTS, UNDER, SMOTED = ARMS = ("none", "class_weights", "under_sampling", "smote")
"""Treatments of the imbalance; all but the first train as if half of the clients defaulted."""
BALANCED = 0.5
METRICS = {"auc": 1, "gini": 1, "ks": 1, "pr_auc": 1, "log_loss": -1, "brier": -1, "cost": -1}
"""1 where greater is better; the cost is at the theoretical threshold, so that none is fitted to validation rows."""

Setting = dict[str, Any]
SAMPLING_INTERVAL_S = 0.02
"""Between two samples of memory; a shorter peak may be missed."""
CLASSIFIER = "estimator__rest__classifier__"
"""Prefix of the classifier's parameters in the result of `build`."""


@dataclass(frozen=True)
class Family:
    """A family of models: its classifier from a seed and a number of jobs, and its parameters that are tried."""

    classifier: Callable[[int, int], Any]
    grid: Mapping[str, list[Any]]
    weights: tuple[str, str | None] = ("class_weight", "balanced")
    """Its parameter of class weights and the value; None as value: it takes the weight of one default."""
    served: bool = False
    """Whether the service can run it."""
    arms: tuple[str, ...] = ARMS
    """Treatments of the imbalance that are tried."""


BOOSTING: dict[str, Any] = {
    "n_estimators": 300,
    "learning_rate": 0.05,
    "subsample": 0.8,
    "colsample_bytree": 0.3,
    "reg_lambda": 20.0,
}
"""Regularised as boosting.PARAMETERS are, with a larger learning rate, so that a grid takes minutes."""
SLOW: dict[str, Any] = {
    "n_estimators": 500,
    "learning_rate": 0.02,
    "num_leaves": 15,
    "max_depth": 4,
    "colsample_bytree": 0.1,
    "subsample": 0.8,
    "reg_lambda": 20.0,
}
"""As `boosting.PARAMETERS`, with twice the learning rate; the number of trees is searched, as no rows are held back."""


def _lightgbm(seed: int, jobs: int, **parameters: Any) -> LGBMClassifier:
    return LGBMClassifier(
        **parameters,
        min_child_samples=60,
        subsample_freq=1,
        cat_smooth=50.0,
        cat_l2=50.0,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
        random_state=seed,
        n_jobs=jobs,
    )


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
            **BOOSTING, max_depth=3, min_child_weight=5, enable_categorical=True, random_state=seed, n_jobs=jobs
        ),
        {"max_depth": [2, 3, 5], "n_estimators": [150, 300]},
        weights=("scale_pos_weight", None),
    ),
    "lightgbm": Family(
        lambda seed, jobs: _lightgbm(seed, jobs, **BOOSTING, num_leaves=15),
        {"num_leaves": [7, 15, 31], "n_estimators": [150, 300]},
        served=True,
    ),
    "slow_lightgbm": Family(
        lambda seed, jobs: _lightgbm(seed, jobs, **SLOW), {"n_estimators": [400, 800]}, served=True, arms=(NONE,)
    ),
    "spline": Family(lambda seed, jobs: SplineLogistic(), {"penalty": [30.0, 60.0, 120.0]}, served=True, arms=(NONE,)),
    "blend": Family(
        lambda seed, jobs: estimators.LogOddsMean(
            make_pipeline(FunctionTransformer(estimators.with_category_types), _lightgbm(seed, jobs, **SLOW)),
            SplineLogistic(),
        ),
        {},
        served=True,
        arms=(NONE,),
    ),
}
UNTYPED = ("spline", "blend")
"""Families that take categories as codes, and describe columns by name."""


def build(
    family: str, arm: str, columns: tuple[ModelFeature, ...], seed: int, jobs: int, memory: joblib.Memory | None = None
) -> estimators.PriorCorrected:
    """Build a candidate; all that is fitted, the sampler included, is fitted on the rows given to `fit`."""
    chosen = FAMILIES[family]
    classifier = chosen.classifier(seed, jobs)
    parameter, value = chosen.weights
    if arm == WEIGHTS and value is not None:
        classifier.set_params(**{parameter: value})
    steps: list[tuple[str, Any]]
    if family in UNTYPED:
        described = {name: columns for name in classifier.get_params() if name.split("__")[-1] == "columns"}
        classifier, steps = classifier.set_params(**described), []
    elif family == "logistic":
        # SMOTE then interpolates the one-hot columns of a category.
        steps = [("preprocess", linear_preprocessing(estimators.numbers, estimators.categories))]
    else:
        # SMOTE takes no missing values, so this arm loses the information in their absence.
        steps = [("complete", estimators.complete_and_scale())] if arm == SMOTED else []
        steps.append(("types", FunctionTransformer(estimators.with_category_types)))
    if arm == UNDER:
        steps.append(("sampler", RandomUnderSampler(random_state=seed)))
    elif arm == SMOTED:
        steps.append(("sampler", FunctionSampler(func=estimators.smote, kw_args={"seed": seed}, validate=False)))
    # A pipeline inside, since `memory` caches every step but the last, and only the selection is worth caching.
    rest = SamplingPipeline([*steps, ("classifier", classifier)])
    weight = f"rest__classifier__{parameter}" if arm == WEIGHTS and value is None else None
    return estimators.PriorCorrected(selecting(columns, seed, rest, memory), None if arm == NONE else BALANCED, weight)


def selecting(columns: tuple[ModelFeature, ...], seed: int, rest: Any, memory: joblib.Memory | None = None) -> Pipeline:
    """Return a pipeline of feature selection, which `memory` caches, and `rest`, which is given a frame."""
    select = estimators.RankedFeatures(columns, seed=seed).set_output(transform="pandas")
    return Pipeline([("select", select), ("rest", rest)], memory=memory)


def check(data: TrainingMatrix, splits: Sequence[FoldSplit]) -> None:
    """Refuse an infinite feature or a fold of one outcome by a CommandError; NaN is a missing value, and accepted."""
    infinite = np.isinf(data.matrix).sum(axis=0)
    if infinite.any():
        worst = int(infinite.argmax())
        raise CommandError(f"feature {data.columns[worst].name} is infinite in {infinite[worst]} of {len(data)} rows")
    for number, (train, validation) in enumerate(splits):
        for rows, part in ((train, "training"), (validation, "validation")):
            if len(np.unique(data.target[rows])) < 2:
                raise CommandError(
                    f"fold {number} has {len(rows)} {part} rows, all of one outcome: "
                    "give more clients, or fewer --folds"
                )


def metrics(target: Integers, probability: Floats, costs: CostAssumptions = DEFAULT_COSTS) -> dict[str, float]:
    """Compute `METRICS`, each with its natural sign."""
    return {
        **discrimination(target, probability),
        "pr_auc": float(average_precision_score(target, probability)),
        "log_loss": float(log_loss(target, probability)),
        "brier": float(brier_score_loss(target, probability)),
        "cost": cost_per_client(target, probability >= costs.theoretical_threshold, costs),
    }


def search(
    model: estimators.PriorCorrected,
    grid: Mapping[str, list[Any]],
    data: TrainingMatrix,
    splits: Sequence[FoldSplit],
    costs: CostAssumptions,
    metric: str,
    jobs: int,
    done: Callable[[], Any],
) -> tuple[Setting, list[dict[str, Any]]]:
    """Search a grid; return the setting of the best `metric`, and a row for each with mean and spread of all metrics.

    At a time, `jobs` fits run; `done` is called after each.
    """

    def score(fitted: estimators.PriorCorrected, rows: Floats, outcomes: Integers) -> dict[str, float]:
        done()
        measured = metrics(outcomes, fitted.predict_proba(rows)[:, 1], costs)
        return {name: METRICS[name] * value for name, value in measured.items()}

    parameters = {f"{CLASSIFIER}{name}": values for name, values in grid.items()}
    searched = GridSearchCV(model, parameters, scoring=score, cv=splits, refit=False, n_jobs=jobs, error_score="raise")
    # Threads: the classifiers release Python's lock, and no rows are copied to other processes.
    with joblib.parallel_config(backend="threading"):
        results = searched.fit(data.matrix, data.target).cv_results_
    rows = [
        {
            **{name.removeprefix(CLASSIFIER): value for name, value in setting.items()},
            **{name: float(sign * results[f"mean_test_{name}"][number]) for name, sign in METRICS.items()},
            **{f"{name}_spread": float(results[f"std_test_{name}"][number]) for name in METRICS},
        }
        for number, setting in enumerate(results["params"])
    ]
    best = max(rows, key=lambda row: METRICS[metric] * row[metric])
    return {name: best[name] for name in grid}, rows


class PeakMemory:
    """Sample the largest resident set of this process, in bytes, from entering to leaving the context."""

    def __enter__(self) -> Self:
        self._process, self._stop = psutil.Process(), threading.Event()
        self.before = self.peak = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLING_INTERVAL_S):
            self.peak = max(self.peak, self._process.memory_info().rss)


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldScores:
    """The probability of each row by the model of the fold that did not train on it, with times and memory."""

    probability: Floats
    fit_seconds: list[float] = field(default_factory=list)
    score_ms_per_1000: list[float] = field(default_factory=list)
    peak_memory_mib: float | None = None
    memory_gained_mib: float | None = None


def score_folds(model: Any, data: TrainingMatrix, splits: Sequence[FoldSplit], done: Callable[[], Any]) -> FoldScores:
    """Fit and score each fold, one after the other, so that times are comparable."""
    probability = np.full(len(data), np.nan)
    fit_seconds, score_ms = [], []
    with PeakMemory() as memory:
        for train, validation in splits:
            start = time.perf_counter()
            fitted = clone(model).fit(data.matrix[train], data.target[train])
            trained = time.perf_counter()
            probability[validation] = fitted.predict_proba(data.matrix[validation])[:, 1]
            score_ms.append((time.perf_counter() - trained) / len(validation) * 1e6)
            fit_seconds.append(trained - start)
            done()
    return FoldScores(
        probability=probability,
        fit_seconds=fit_seconds,
        score_ms_per_1000=score_ms,
        peak_memory_mib=memory.peak / MIB,
        memory_gained_mib=(memory.peak - memory.before) / MIB,
    )
