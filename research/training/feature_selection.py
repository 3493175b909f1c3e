"""Rank features on training rows: constants and correlated features are dropped, shadow features measure noise."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import lightgbm
import numpy as np
import polars as pl

from research.cli import CommandError
from research.training.boosting import PARAMETERS, booster_dataset
from research.training.cross_fitting import n_threads
from research.types import Booleans, Floats, TrainingMatrix

MAX_RANK_CORRELATION = 0.999
"""Absolute rank correlation from which the later of two features is dropped: trees split on both alike."""
N_SHADOW_FEATURES = 50
"""Permuted copies of features that measure the gain of noise (Boruta: Kursa and Rudnicki 2010)."""
SHADOW_QUANTILE = 0.75
"""Quantile of the shadow features' gains that a feature must exceed."""
N_RANKING_SEEDS = 3
"""Boosters whose gains are added, so that the ranking depends less on one seed."""
RANKING_ROUNDS = 100
RANKING_PARAMETERS = {**PARAMETERS, "learning_rate": 0.1, "max_bin": 63, "feature_fraction": 0.1}
"""Few features for each tree, so that the strongest do not hide the others."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Features by gain, best first: `names` above the noise, `noise` below; `dropped` maps the others to the reason."""

    names: list[str]
    noise: list[str]
    dropped: dict[str, str]

    def best(self, count: int | None = None) -> list[str]:
        """Return the `count` best features, those of `noise` included if needed; without a count, those above noise."""
        return self.names if count is None else [*self.names, *self.noise][:count]


def choose(data: TrainingMatrix, seed: int, count: int | None = None) -> list[str]:
    """Return the best features by `rank`; a CommandError where none is better than noise."""
    names = rank(data, seed).best(count)
    if not names:
        raise CommandError(f"of {len(data)} rows no feature tells defaults better than noise does: give more clients")
    return names


def rank(data: TrainingMatrix, seed: int) -> Ranking:
    """Rank features by the gain they bring to small boosters that are also given shadow features.

    Constants are dropped, and of features with the same ranks all but the first. Validation rows must not be given.

    Raises:
        CommandError: all features are constant.
    """
    dropped = {data.columns[position].name: "constant" for position in np.flatnonzero(_constant(data.matrix))}
    varying = data.select({column.name for column in data.columns} - dropped.keys())
    for later, earlier in _correlated(varying.matrix).items():
        dropped[varying.columns[later].name] = f"rank correlation with {varying.columns[earlier].name}"
    candidates = varying.select({column.name for column in varying.columns} - dropped.keys())
    if not candidates.columns:
        raise CommandError(f"every feature is the same for all of {len(data)} clients: there is nothing to learn from")
    gain, noise_gain = _gains(candidates, seed)
    order = np.argsort(-gain, kind="stable")
    names, above = [candidates.columns[position].name for position in order], int(np.sum(gain > noise_gain))
    return Ranking(names=names[:above], noise=names[above:], dropped=dropped)


def smallest_within_noise(sizes: Sequence[float], losses: Sequence[float], errors: Sequence[float]) -> int:
    """Return the position of the smallest set whose loss against the best is within its standard error.

    >>> smallest_within_noise([30, 100, 300], losses=[0.01, 0.001, 0.0], errors=[0.002, 0.002, 0.0])
    1
    """
    within = [position for position in range(len(sizes)) if losses[position] <= errors[position]]
    return min(within, key=lambda position: sizes[position])


def _constant(matrix: Floats) -> Booleans:
    first = matrix[:1]
    return np.all((matrix == first) | (np.isnan(matrix) & np.isnan(first)), axis=0)


def _correlated(matrix: Floats) -> dict[int, int]:
    """Map each column that equals an earlier one up to a monotone change to that earlier one."""
    # Ranks, since trees use no more. Missing values get the mean rank, so that columns which differ in them differ.
    rank = pl.all().fill_nan(None).rank()
    centred = pl.DataFrame(matrix).select((rank - rank.mean()).fill_null(0.0).cast(pl.Float32)).to_numpy(writable=True)
    flat = ~centred.any(axis=0)
    present = ~np.isnan(matrix[:, flat])
    centred[:, flat] = present - present.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=0)
    correlated = np.abs(centred.T @ centred) >= MAX_RANK_CORRELATION
    earlier_of: dict[int, int] = {}
    for later in range(matrix.shape[1]):
        earlier = [position for position in np.flatnonzero(correlated[later, :later]) if position not in earlier_of]
        if earlier:
            earlier_of[later] = int(earlier[0])
    return earlier_of


def _gains(data: TrainingMatrix, seed: int) -> tuple[Floats, float]:
    """Return the gain of each column, and the gain up to which a column counts as noise."""
    random = np.random.default_rng(seed)
    copied = np.sort(random.permutation(len(data.columns))[:N_SHADOW_FEATURES])
    shadows = random.permuted(data.matrix[:, copied], axis=0)
    columns = [data.columns[position].model_copy(update={"name": f"shadow_{position}"}) for position in copied]
    both = replace(data, matrix=np.hstack([data.matrix, shadows]), columns=[*data.columns, *columns])
    parameters, dataset = RANKING_PARAMETERS | {"num_threads": n_threads(len(data))}, booster_dataset(both)
    gain = np.zeros(len(both.columns))
    for number in range(N_RANKING_SEEDS):
        booster = lightgbm.train(parameters | {"seed": seed + number}, dataset, RANKING_ROUNDS)
        gain += booster.feature_importance("gain")
    return gain[: len(data.columns)], float(np.quantile(gain[len(data.columns) :], SHADOW_QUANTILE))
