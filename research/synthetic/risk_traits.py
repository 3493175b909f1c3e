"""Traits of a client that depend on the risk of default, and draws that depend on the traits."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import nbinom, rankdata

from research.synthetic.application import Clients
from research.synthetic.calibration_statistics import statistics
from research.synthetic.frames import Floats, Integers
from research.synthetic.liability import SEGMENTS

_LOAD = 0.45
"""Weight of a trait in the number of rows of a history."""
_VISIBLE = 0.12
"""Weight of the risk that the application shows, in every trait."""
_MIN_RANK = 1e-9


@dataclass(frozen=True)
class Traits:
    """Standard normal traits of the clients of a chunk, each of shape (clients,) and higher for the risky."""

    late: Floats
    """Pays late."""
    indebted: Floats
    """Uses a large part of the granted credit."""
    seeking: Floats
    """Asks for credit that is refused."""
    recent: Floats
    """Took up credit recently."""


def draw_traits(clients: Clients, rng: np.random.Generator) -> Traits:
    """Draw the traits of `clients`."""
    visible = (_VISIBLE, clients.risk.visible)
    return Traits(
        **{item.name: _of_segments(item.name, clients.risk.segment, mix(rng, visible)) for item in fields(Traits)}
    )


def _of_segments(trait: str, segment: Integers, noise: Floats) -> Floats:
    """Move standard normal `noise` (clients,) to the mean of each segment, and return standard normal scores."""
    means = np.array([item.traits[trait] for item in SEGMENTS])
    shares = np.array([item.share for item in SEGMENTS])
    return ndtri(np.clip(ndtr((means[segment] + noise)[:, None] - means) @ shares, _MIN_RANK, 1 - _MIN_RANK))


def among(trait: Floats) -> Floats:
    """Return the normal scores of `trait` (rows) among these rows; equal values have equal scores.

    Clients with much of a trait have more rows, so the trait is not standard normal over the rows of a table.

    >>> among(np.array([5.0, 7.0, 7.0, 9.0])).round(2).tolist()
    [-1.15, 0.0, 0.0, 1.15]
    """
    return ndtri((rankdata(trait) - 0.5) / max(len(trait), 1))


def mix(rng: np.random.Generator, *parts: tuple[float | Floats, Floats]) -> Floats:
    """Draw standard normal scores: independent standard normal `parts` with their weights, and noise."""
    rest = np.sqrt(1 - sum(load**2 for load, _ in parts))
    score = rest * rng.standard_normal(len(parts[0][1]))
    for load, part in parts:
        score += load * part
    return score


def rank(rng: np.random.Generator, *parts: tuple[float | Floats, Floats]) -> Floats:
    """Draw the uniform ranks of `mix`."""
    return ndtr(mix(rng, *parts))


def draw_counts(table: str, clients: int, rng: np.random.Generator, trait: Floats) -> Integers:
    """Draw the rows of `table` for each client: zero, or one plus a negative binomial, of the published mean.

    Counts grow a little with the standard normal `trait` (shape clients), up to the largest real one.
    """
    published = statistics()["published"]
    shape = statistics()["structure"]["rows_per_client"][table]
    total = sum(published["rows"][f"application_{part}"] for part in ("train", "test"))
    has_any = published["clients"][table] / total
    mean = published["rows"][table] / published["clients"][table] - 1
    rank = ndtr(_LOAD * trait + np.sqrt(1 - _LOAD**2) * rng.standard_normal(clients))
    more = nbinom.ppf(rank, shape["dispersion"], shape["dispersion"] / (shape["dispersion"] + mean))
    return np.where(rng.random(clients) < has_any, np.minimum(1 + more, shape["most"]), 0).astype(np.int64)
