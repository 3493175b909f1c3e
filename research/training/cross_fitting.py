"""Cross-fitting: the columns a model may be given, and out-of-fold scores by fits that run in parallel."""

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import joblib
import polars as pl
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from bento.features.catalogue import CATALOGUE
from bento.model.manifest import ModelFeature
from bento.model.predictors import Predictor
from bento.model.scoring_model import encode
from research.data.dataset import Rows
from research.training.lawful import Reading, doubtful_features
from research.training.quoted import LEFT_OUT, features_of_families
from research.training.unknown_values import described
from research.types import Floats, FoldSplit, Integers, OutOfFold, TrainingMatrix

MIN_ROWS_FOR_THREADS = 50_000
"""Training rows below which a booster is fitted faster by one thread than by several."""

Task = TypeVar("Task")
Result = TypeVar("Result")
Choose = Callable[[TrainingMatrix, int], Collection[str]]
"""Chooses feature names from training rows and a seed."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Out-of-fold scores, and the model that is served."""

    predictor: Predictor
    features: list[ModelFeature]
    out_of_fold: OutOfFold
    rounds: list[int]
    """Trees with which each fold is scored; empty for a family without trees."""
    capped: int = 0
    """Folds whose loss still fell at the most trees that are allowed: their parameters must not be called tuned."""
    curves: dict[str, list[float]]
    """Mean over the folds of each early-stopping metric, by round, up to the shortest fold."""


def catalogue_names(with_age: bool, left_out: Collection[str] = LEFT_OUT, lawful: Reading = "usual") -> list[str]:
    """Return the features that a model may be given, in the order of the catalogue.

    Those computed from age are among them only if `with_age`, those of the families `left_out` never, and with a strict
    reading of the law none that is doubtful.
    """
    excluded = features_of_families(left_out)
    if lawful == "strict":
        excluded |= doubtful_features()
    return [
        feature.name
        for feature in CATALOGUE.values()
        if (with_age or not feature.uses_age) and feature.name not in excluded
    ]


def model_features(names: Sequence[str], features: pl.DataFrame) -> list[ModelFeature]:
    """Return columns of these names, as the features of the training clients describe them.

    Typical values are those of all development rows, for the folds too: they depend on no outcome, and one fold more or
    less moves no median.
    """
    return [described(name, CATALOGUE[name].categories, features[name]) for name in names]


def training_matrix(rows: Rows, names: Sequence[str]) -> TrainingMatrix:
    """Encode the named features of the clients of the development split."""
    columns = model_features(names, rows.features)
    matrix = encode(rows.features, columns)
    return TrainingMatrix(matrix=matrix, target=rows.target, columns=columns, person=rows.person)


def n_threads(rows: int) -> int:
    """Return LightGBM's number of threads: 1 below `MIN_ROWS_FOR_THREADS`, otherwise 0 (all)."""
    return 1 if rows < MIN_ROWS_FOR_THREADS else 0


def algebra_threads(rows: int) -> threadpool_limits:
    """Limit linear algebra to the threads that a fit on `rows` rows may use, within a `with` statement.

    On few rows, its threads wait for each other ten times longer than they work.
    """
    return threadpool_limits(n_threads(rows) or None)


def n_parallel_fits(rows: int) -> int:
    """Return how many boosters to fit at a time, so that each core runs one thread."""
    return joblib.cpu_count() if n_threads(rows) == 1 else 1


def select_columns(data: TrainingMatrix, rows: Integers, choose: Choose | None, seed: int) -> TrainingMatrix:
    """Return all clients with the columns chosen from these rows; without `choose`, with all columns."""
    return data if choose is None else data.select(choose(data.rows(rows), seed))


def parallel_map(task: Callable[[Task], Result], tasks: Iterable[Task], rows: int, title: str | None) -> list[Result]:
    """Return the result of each task, which fits on about `rows` rows; with a title, a progress bar is shown."""
    listed = list(tasks)
    with ThreadPoolExecutor(n_parallel_fits(rows)) as pool:
        results = pool.map(task, listed)
        return list(tqdm(results, total=len(listed), desc=title, unit="fit", disable=title is None))


def out_of_fold(
    target: Integers,
    splits: Sequence[FoldSplit],
    score_fold: Callable[[int, Integers, Integers], Floats],
    title: str | None = None,
) -> OutOfFold:
    """Score each fold's validation rows by a model of its training rows.

    `score_fold` returns log-odds of the validation rows, from the fold's number, training and validation rows.
    """
    folds = range(len(splits))
    scores = parallel_map(lambda number: score_fold(number, *splits[number]), folds, len(target), title)
    return OutOfFold.from_folds(target, splits, scores)
