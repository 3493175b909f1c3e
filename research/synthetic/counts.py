"""Numbers of rows of the clients in a history: skewed, and zero for some."""

import numpy as np
from scipy.special import ndtr
from scipy.stats import nbinom

from research.synthetic.arrays import Floats, Integers
from research.synthetic.calibration_statistics import statistics

_LOAD = 0.15


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
