"""How many rows a client has in a history: skewed, and none for some."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import nbinom

from research.synthetic.facts import facts

Floats = NDArray[np.float64]

_LOAD = 0.15


def draw_counts(table: str, clients: int, rng: np.random.Generator, trait: Floats) -> NDArray[np.int64]:
    """Rows of `table` for each client: none, or one plus a negative binomial, of the published mean.

    Counts grow a little with the standard normal `trait` (shape clients) and end at the known largest.
    """
    published = facts()["published"]
    shape = facts()["structure"]["rows_per_client"][table]
    total = sum(published["rows"][f"application_{part}"] for part in ("train", "test"))
    has_any = published["clients"][table] / total
    mean = published["rows"][table] / published["clients"][table] - 1
    rank = ndtr(_LOAD * trait + np.sqrt(1 - _LOAD**2) * rng.standard_normal(clients))
    more = nbinom.ppf(rank, shape["dispersion"], shape["dispersion"] / (shape["dispersion"] + mean))
    return np.where(rng.random(clients) < has_any, np.minimum(1 + more, shape["most"]), 0).astype(np.int64)
