"""Cross-fitting: out-of-fold scores by stratified folds."""

import os
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bento.features.catalogue import CATALOGUE
from bento.model.manifest import ModelFeature
from bento.model.predictors import Predictor
from research.data.splits import fold_rows

MIN_ROWS_FOR_THREADS = 50_000


Matrix = NDArray[np.float64]


Outcomes = NDArray[np.int64]


Scorer = Callable[..., Matrix]
"""Log-odds from a matrix."""


Choose = Callable[[Matrix, Outcomes, list[ModelFeature], int], Collection[str]]
"""Names the features worth having, from training rows and a seed."""


@dataclass(frozen=True)
class Fitted:
    """What the folds gave, and the model that is served."""

    predictor: Predictor
    features: list[ModelFeature]
    out_of_fold: Matrix
    """Log-odds of each development row, from the model of the fold that did not see it."""
    fold: NDArray[np.int64]
    rounds: list[int]
    """Trees that each fold stopped at; empty for a family without any."""
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


def threads(rows: int) -> int:
    """Return LightGBM's number of threads: 1 below `MIN_ROWS_FOR_THREADS`, where more are slower, else 0 (all)."""
    return 1 if rows < MIN_ROWS_FOR_THREADS else 0


def at_a_time(rows: int) -> int:
    """How many boosters of so many rows to grow at once, so that each core has one thread."""
    return (os.cpu_count() or 1) if threads(rows) == 1 else 1


def cross_fit(
    matrix: Matrix,
    target: Outcomes,
    columns: list[ModelFeature],
    person: NDArray[np.int64],
    folds: int,
    seed: int,
    choose: Choose | None,
    fit_one: Callable[[Matrix, list[ModelFeature], NDArray[np.int64], int], Scorer],
) -> tuple[list[Scorer], NDArray[np.int64]]:
    """For each fold the scores of its rows by a model that did not see them, and the number of each row's fold.

    Args:
        matrix: rows x columns.
        target: 1 where the client defaulted.
        columns: of the matrix.
        person: who stays in one fold.
        folds: how many.
        seed: of folds and models.
        choose: names the features of a fold from the rows it trains on; by default all are taken.
        fit_one: what scores a matrix, from the matrix of these features, the rows to train on and a seed.

    Raises:
        CommandError: one class only, or fewer defaults than folds.
    """
    splits = fold_rows(target, person, folds, seed)
    fold_of = np.empty(len(target), dtype=np.int64)
    for number, (_, judged) in enumerate(splits):
        fold_of[judged] = number

    def one(number: int) -> Scorer:
        train, judged = splits[number]
        part, kept = _chosen(matrix, target, columns, train, choose, seed + number)
        return partial(fit_one(part, kept, train, seed + number), part[judged])

    return each(one, range(folds), len(target), "folds"), fold_of


def each(task: Callable[[Any], Any], arguments: Sequence[Any], rows: int, title: str) -> list[Any]:
    """The task of each argument, in order, with a progress bar; see `at_a_time`."""
    with ThreadPoolExecutor(at_a_time(rows)) as pool:
        return list(tqdm(pool.map(task, arguments), total=len(arguments), desc=title, unit="fold"))


def _chosen(
    matrix: Matrix,
    target: Outcomes,
    columns: list[ModelFeature],
    rows: NDArray[np.int64],
    choose: Choose | None,
    seed: int,
) -> tuple[Matrix, list[ModelFeature]]:
    if choose is None:
        return matrix, columns
    return take(matrix, columns, choose(matrix[rows], target[rows], columns, seed))
