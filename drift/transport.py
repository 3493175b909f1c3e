"""Give rows of the reference the current distribution of some features, and measure what that does to the PD.

Each value keeps its rank: the client at the 30th percentile of the reference gets the value at the 30th percentile of
the current applications. So only the distribution of the feature changes, by as little as possible for each client.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from bento.model.scoring_model import ScoringModel
from bento.policy import Decision
from drift.distributions import Floats, category_counts


@dataclass(frozen=True)
class Effect:
    """What a change of features does to the reference's clients under the model."""

    change: float
    """Mean absolute change of the PD, as a share of the mean PD."""
    flipped: float
    """Share of the decisions that change."""
    rank_correlation: float
    """Spearman's correlation of the PDs before and after."""


def effect(model: ScoringModel, features: pl.DataFrame, moved: Mapping[str, pl.Series]) -> Effect:
    """Measure the effect of replacing some features of clients (a row each) by `moved`."""
    before = model.probability(features)
    after = model.probability(features.with_columns(series.alias(name) for name, series in moved.items()))
    flipped = [model.decide(old) != model.decide(new) for old, new in zip(before, after, strict=True)]
    return Effect(
        change=float(np.abs(after - before).mean() / before.mean()),
        flipped=float(np.mean(flipped)),
        rank_correlation=correlation(before, after),
    )


def correlation(first: Floats, second: Floats) -> float:
    """Return Spearman's rank correlation, 0 where one of the two is constant."""
    before, after = (pl.Series(values).rank().to_numpy() for values in (first, second))
    if before.std() == 0 or after.std() == 0:
        return 0.0
    return float(np.corrcoef(before, after)[0, 1])


def approval_rate(model: ScoringModel, probabilities: Floats) -> float:
    """Return the share of applications that the model grants by itself."""
    return float(np.mean([model.decide(value) is Decision.GRANTED for value in probabilities.tolist()]))


def transported(rows: pl.Series, reference: pl.Series, current: pl.Series, random: np.random.Generator) -> pl.Series:
    """Return `rows`, a sample of `reference`, with the distribution of `current`, missing values included."""
    present = current.drop_nulls()
    if present.is_empty():
        return pl.Series(rows.name, [None] * len(rows), dtype=rows.dtype)
    moved = (_categories if rows.dtype == pl.String else _numbers)(rows, reference.drop_nulls(), present, random)
    before, now = reference.null_count() / len(reference), current.null_count() / len(current)
    missing = rows.is_null().to_numpy()
    draws = random.random(len(rows))
    if now >= before:
        missing |= draws < (now - before) / max(1 - before, 1e-12)
    else:
        missing &= draws < now / before
    return moved.set(pl.Series(missing), None)


def _numbers(rows: pl.Series, reference: pl.Series, present: pl.Series, random: np.random.Generator) -> pl.Series:
    values, ordered = rows.to_numpy(), np.sort(reference.to_numpy())
    if not len(ordered):
        ranks = random.random(len(values))
    else:
        # A value that many clients share has many ranks: one of them is drawn.
        low, high = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
        ranks = (low + random.random(len(values)) * np.maximum(high - low, 1)) / len(ordered)
    ranks = np.where(np.isnan(values), random.random(len(values)), ranks)
    now = np.sort(present.to_numpy())
    positions = np.clip((ranks * len(now)).astype(np.int64), 0, len(now) - 1)
    return pl.Series(rows.name, now[positions])


def _categories(rows: pl.Series, reference: pl.Series, present: pl.Series, random: np.random.Generator) -> pl.Series:
    before, now = category_counts(reference), category_counts(present)
    shares = {name: count / max(len(reference), 1) for name, count in before.items()}
    current = {name: count / len(present) for name, count in now.items()}
    gained = {name: max(share - shares.get(name, 0.0), 0.0) for name, share in current.items()}
    total = sum(gained.values())
    weights = np.array(list(gained.values())) / total if total else np.full(len(current), 1 / len(current))
    drawn = random.choice(list(gained), len(rows), p=weights)
    draws = random.random(len(rows))
    values = [
        value if value is not None and draw < current.get(value, 0.0) / shares.get(value, 1.0) else str(replacement)
        for value, draw, replacement in zip(rows.to_list(), draws, drawn, strict=True)
    ]
    return pl.Series(rows.name, values, dtype=pl.String)
