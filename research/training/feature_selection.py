"""Which features are worth having, judged on training rows alone: no constant, no twin, no noise; the rest ranked."""

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
import polars as pl
from numpy.typing import NDArray

from bento.model.manifest import ModelFeature
from research.cli import CommandError
from research.training.boosting import BEST_FEATURES, PARAMETERS
from research.training.cross_fitting import Matrix, Outcomes, take, threads

TWINS = 0.999
"""Correlation of ranks, either sign, from which two features tell trees the same."""
PROBES = 50
"""Shuffled copies of features that stand for noise in the ranking."""
NOISE = 0.75
"""A feature must gain more than this share of the shuffled copies."""
BOOSTERS = 3
"""Whose gains are added up, so that the ranking hangs less on one seed."""
ROUNDS = 100
QUICK = {**PARAMETERS, "learning_rate": 0.1, "max_bin": 63, "feature_fraction": 0.1}
"""Few features at each tree, so that the strongest do not hide the others."""


@dataclass(frozen=True)
class Ranking:
    """The features by what they bring.

    Attributes:
        names: of the features worth having, best first.
        noise: of those that bring no more than noise, best first.
        dropped: each other feature, and why.
    """

    names: list[str]
    noise: list[str]
    dropped: dict[str, str]

    def best(self, count: int | None = None) -> list[str]:
        """So many features, be it into the noise; without a number, those worth having."""
        return self.names if count is None else [*self.names, *self.noise][:count]


def choose(matrix: Matrix, target: Outcomes, columns: list[ModelFeature], seed: int) -> list[str]:
    """The best features by `rank`, as many as the study found enough.

    Raises:
        CommandError: none is better than noise.
    """
    names = rank(matrix, target, columns, seed).best(BEST_FEATURES)
    if not names:
        raise CommandError(f"of {len(target)} rows no feature tells defaults better than noise does: give more clients")
    return names


def rank(matrix: Matrix, target: Outcomes, columns: list[ModelFeature], seed: int) -> Ranking:
    """Rank features by the gain they bring to quick boosters that also hold shuffled copies of some of them.

    Args:
        matrix: training rows x features; rows that are to be judged must not be among them.
        target: 1 where the client defaulted.
        columns: the features of the matrix.
        seed: the same seed gives the same ranking.

    A constant is dropped, so is a twin of an earlier feature. Noise is what gains no more than most shuffled copies do.

    Raises:
        CommandError: all are constant.
    """
    dropped = {columns[position].name: "constant" for position in np.flatnonzero(_constant(matrix))}
    candidates, kept = take(matrix, columns, {column.name for column in columns} - dropped.keys())
    for later, earlier in _twins(candidates).items():
        dropped[kept[later].name] = f"twin of {kept[earlier].name}"
    candidates, kept = take(matrix, columns, {column.name for column in columns} - dropped.keys())
    if not kept:
        raise CommandError(
            f"every feature is the same for all of {len(target)} clients: there is nothing to learn from"
        )
    gain, noise = _gains(candidates, target, kept, seed)
    order = np.argsort(-gain, kind="stable")
    names, below = (
        [kept[position].name for position in order if (gain[position] > noise) == worth] for worth in (True, False)
    )
    return Ranking(names, below, dropped)


def smallest_within_noise(sizes: Sequence[float], losses: Sequence[float], errors: Sequence[float]) -> int:
    """Position of the smallest set that loses no more against the best than one standard error of that difference.

    >>> smallest_within_noise([30, 100, 300], losses=[0.01, 0.001, 0.0], errors=[0.002, 0.002, 0.0])
    1
    """
    within = [position for position in range(len(sizes)) if losses[position] <= errors[position]]
    return min(within, key=lambda position: sizes[position])


def _constant(matrix: Matrix) -> NDArray[np.bool_]:
    first = matrix[:1]
    return np.all((matrix == first) | (np.isnan(matrix) & np.isnan(first)), axis=0)


def _twins(matrix: Matrix) -> dict[int, int]:
    """Each column that an earlier one equals up to a monotone change, and that earlier one."""
    # Ranks, since trees see no more; missing values stand at the mean, so that a different pattern of them tells apart.
    rank = pl.all().fill_nan(None).rank()
    centred = pl.DataFrame(matrix).select((rank - rank.mean()).fill_null(0.0).cast(pl.Float32)).to_numpy(writable=True)
    flat = ~centred.any(axis=0)
    known = ~np.isnan(matrix[:, flat])
    centred[:, flat] = known - known.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=0)
    alike = np.abs(centred.T @ centred) >= TWINS
    twins: dict[int, int] = {}
    for later in range(matrix.shape[1]):
        earlier = [position for position in np.flatnonzero(alike[later, :later]) if position not in twins]
        if earlier:
            twins[later] = int(earlier[0])
    return twins


def _gains(
    matrix: Matrix, target: Outcomes, columns: list[ModelFeature], seed: int
) -> tuple[NDArray[np.float64], float]:
    """Gain of each column, and the gain from which one is no longer taken for noise."""
    random = np.random.default_rng(seed)
    copied = np.sort(random.permutation(len(columns))[:PROBES])
    probes = random.permuted(matrix[:, copied], axis=0)
    both = [*columns, *(columns[position] for position in copied)]
    categories = [position for position, column in enumerate(both) if column.categories]
    parameters = QUICK | {"num_threads": threads(len(target))}
    rows = lightgbm.Dataset(np.hstack([matrix, probes]), target, categorical_feature=categories, params=parameters)
    gain = np.zeros(len(both))
    for number in range(BOOSTERS):
        gain += lightgbm.train(parameters | {"seed": seed + number}, rows, ROUNDS).feature_importance("gain")
    return gain[: len(columns)], float(np.quantile(gain[len(columns) :], NOISE))
