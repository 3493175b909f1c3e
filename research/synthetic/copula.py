"""The Gaussian copula of the application table and of the liability behind TARGET."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from research.synthetic.facts import facts, observed_correlation

Floats = NDArray[np.float64]

RIDGE = 0.1
"""Shrinks the effects on TARGET: the correlations come from a sample and would overstate what is predictable."""
HIDDEN_VARIANCE = 0.14
"""Share of the liability that only the histories tell of."""


@dataclass(frozen=True)
class Copula:
    """Columns, lower factor of their latent correlation, and the effect of each latent score on the liability."""

    names: tuple[str, ...]
    factor: Floats
    effects: Floats


@lru_cache(maxsize=1)
def copula() -> Copula:
    """The copula made positive definite from the observed correlations."""
    names, observed = observed_correlation()
    values, vectors = np.linalg.eigh(observed[1:, 1:])
    latent = (vectors * np.clip(values, 0.02, None)) @ vectors.T
    scale = np.sqrt(np.diag(latent))
    latent = np.round(latent / np.outer(scale, scale), 6)
    rate = facts()["published"]["default_rate"]
    to_liability = np.sqrt(rate * (1 - rate)) / norm.pdf(norm.ppf(rate))
    effects = np.linalg.solve(latent + RIDGE * np.eye(len(latent)), observed[0, 1:] * to_liability)
    return Copula(tuple(names[1:]), np.round(np.linalg.cholesky(latent), 9), np.round(effects, 9))


def draw(clients: int, rng: np.random.Generator) -> tuple[dict[str, Floats], Floats, Floats, Floats]:
    """Latent scores by column, then liability known by the application, hidden part, and true default probability."""
    model = copula()
    # einsum and not BLAS: its sums do not depend on the number of threads
    scores = np.einsum("ij,kj->ik", rng.standard_normal((clients, len(model.names))), model.factor)
    visible = np.einsum("ij,j->i", scores, model.effects)
    covariance = model.factor @ model.factor.T
    visible_variance = float(model.effects @ covariance @ model.effects)
    hidden = rng.standard_normal(clients)
    threshold = norm.ppf(1 - facts()["published"]["default_rate"])
    noise = np.sqrt(1 - visible_variance - HIDDEN_VARIANCE)
    probability = norm.cdf((visible + np.sqrt(HIDDEN_VARIANCE) * hidden - threshold) / noise)
    return dict(zip(model.names, scores.T, strict=True)), visible, hidden, probability
