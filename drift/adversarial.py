"""Adversarial validation: how well a LightGBM tells reference from current rows, and by what."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from drift.distributions import Floats, Positions

FOLDS = 2
TREES = 50
MAX_ROWS = 5_000
"""Rows of each sample, by default: an AUC of 0.53 is beyond chance from there."""
DEVIATIONS = 4.0
"""Standard errors beyond 0.5 up to which an AUC is chance: once in 30,000 comparisons of one population."""
_SETTINGS = {
    "objective": "binary",
    "num_leaves": 15,
    "learning_rate": 0.1,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.7,
    "verbosity": -1,
    "seed": 1,
    "deterministic": True,
    "num_threads": 1,
}


@dataclass(frozen=True)
class Separation:
    """How well a model separates current from reference rows, out of fold."""

    auc: float
    by_chance: float
    """AUC that chance reaches at these sizes."""
    gains: dict[str, float]
    """Share of the gain of the columns that give it away, the first five."""
    weights: Floats
    """Density of current over reference at each sampled reference row, up to a factor: shape (reference rows,)."""
    rows: Positions
    """Positions of the sampled reference rows."""
    current_weights: Floats
    """The same density at each sampled current row: shape (current rows,)."""

    @property
    def is_beyond_chance(self) -> bool:
        """Whether chance would not explain the AUC."""
        return self.auc > self.by_chance


def separation(reference: pl.DataFrame, current: pl.DataFrame, seed: int = 1, max_rows: int = MAX_ROWS) -> Separation:
    """Train to tell the rows of two frames with the same columns apart; categories are read as codes.

    At most `max_rows` of each are used, drawn by `seed`.
    """
    import lightgbm  # noqa: PLC0415 - takes a third of a second

    random = np.random.default_rng(seed)
    drawn = [_draw(frame, random, max_rows) for frame in (reference, current)]
    matrix = _matrix(pl.concat([frame[rows] for frame, rows in zip((reference, current), drawn, strict=True)]))
    n, m = (len(rows) for rows in drawn)
    label = np.repeat([0, 1], [n, m])
    folds = random.permutation(n + m) % FOLDS
    scores, gains = np.zeros(n + m), np.zeros(matrix.shape[1])
    for fold in range(FOLDS):
        inside = folds != fold
        dataset = lightgbm.Dataset(matrix[inside], label[inside])
        booster = lightgbm.train(_SETTINGS, dataset, TREES)
        scores[~inside] = booster.predict(matrix[~inside], raw_score=True)
        gains += booster.feature_importance("gain")
    largest = np.argsort(-gains)[:5]
    total = gains.sum() or 1.0
    weights = np.exp(np.clip(scores, -5, 5)) * n / m
    return Separation(
        auc=auc(scores, label),
        by_chance=0.5 + DEVIATIONS * float(np.sqrt((n + m + 1) / (12 * n * m))),
        gains={reference.columns[at]: float(gains[at] / total) for at in largest if gains[at] > 0},
        weights=weights[:n],
        rows=drawn[0],
        current_weights=weights[n:],
    )


def auc(scores: Floats, label: Floats) -> float:
    """Return the area under the ROC curve of scores for labels 0 and 1, with ties counted half.

    >>> auc(np.array([0.1, 0.2, 0.2, 0.3]), np.array([0, 1, 0, 1]))
    0.875
    """
    ranks = pl.Series(scores).rank().to_numpy()
    ones = int(label.sum())
    return float((ranks[label == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(label) - ones)))


def _draw(frame: pl.DataFrame, random: np.random.Generator, rows: int) -> Positions:
    return np.sort(random.permutation(frame.height)[:rows])


def _matrix(frame: pl.DataFrame) -> Floats:
    """Encode a frame as float32; a category is its place in the alphabet."""
    columns = [
        (pl.col(name).rank("dense") if dtype == pl.String else pl.col(name)).cast(pl.Float32)
        for name, dtype in frame.schema.items()
    ]
    return frame.select(columns).to_numpy(order="c")
