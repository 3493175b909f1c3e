"""Distances of default rates by bin from the real ones: information value of each column, deviance of each pair."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from scipy.special import expit, logit, xlogy

from research.results import FidelityFinding
from research.synthetic.default_rates import PairRates, default_rates, information_value, with_ratios
from research.synthetic.fidelity_metrics import finding
from research.synthetic.frames import Floats, Integers

_IV_BOUND = 0.02
"""Distance of information values that passes, beyond two standard errors of the real one."""
_IV_SHARE = 0.15
"""The same, as a share of the real one."""
_MIN_PAIR_SHARE, _MAX_PAIR_SHARE = 0.3, 1.1
"""Share of the real pairs' deviance beyond chance that the synthetic pairs have: being the strongest of 527, the real
ones owe part of it to chance (see `pair_share`)."""
_ITERATIONS = 60


def rate_findings(train: pl.DataFrame, oracle: pl.DataFrame) -> Iterator[FidelityFinding]:
    """Yield the findings of application_train, whose default rates are those that the oracle expects."""
    rates, values = default_rates(), with_ratios(train)
    joined = train.select("SK_ID_CURR").join(oracle, on="SK_ID_CURR", how="left", maintain_order="left")
    probability = joined["PROBABILITY"].to_numpy()
    information = rates.rows * rates.default_rate * (1 - rates.default_rate)
    for name, column in rates.columns.items():
        if len(column.n) == 1:
            continue
        free = len(column.n) - 1
        real = max(information_value(column.n, column.rate) - free / information, 0.0)
        error = np.sqrt(2 * free + 4 * information * real) / information
        drawn = information_value(*expected_rates(column.numbers(values[name]), probability, len(column.n)))
        bound = _IV_BOUND + _IV_SHARE * real + 2 * error
        yield finding("application_train", name, "information value", real, drawn, bound)
    shares = pair_share(values, probability)
    middle, half = (_MAX_PAIR_SHARE + _MIN_PAIR_SHARE) / 2, (_MAX_PAIR_SHARE - _MIN_PAIR_SHARE) / 2
    yield finding("application_train", "(pairs)", "deviance", middle, shares, half)


def expected_rates(bins: Integers, probability: Floats, count: int) -> tuple[Floats, Floats]:
    """Return clients and expected default rate of each of `count` bins; clients in no bin (-1) are left out."""
    clients = np.bincount(bins + 1, minlength=count + 1)[1:].astype(np.float64)
    defaults = np.bincount(bins + 1, probability, minlength=count + 1)[1:]
    return clients, defaults / np.maximum(clients, 1)


def pair_share(values: pl.DataFrame, probability: Floats) -> float:
    """Return the deviance beyond additivity of the synthetic pairs, as a share of that of the real ones beyond chance.

    `values` are applications `with_ratios`, `probability` their true probabilities. The real deviances lose their mean
    under chance, not what the choice of the strongest adds.
    """
    pairs = default_rates().pairs
    real = sum(pair.deviance - pair.free for pair in pairs)
    synthetic = 0.0
    for pair in pairs:
        cells = pair.numbers(*(values[name] for name in pair.names))
        clients, rate = expected_rates(cells, probability, len(pair.n))
        synthetic += deviance_beyond_additive(pair, clients / clients.sum() * pair.n.sum(), rate)
    return synthetic / real


def deviance_beyond_additive(pair: PairRates, clients: Floats, rate: Floats) -> float:
    """Return the deviance that an additive logistic model leaves of default rates by cell (each of shape cells)."""
    design = np.zeros((len(clients), len(pair.bins[0]) + len(pair.bins[1])))
    design[np.arange(len(clients)), pair.places[:, 0]] = 1.0
    design[np.arange(len(clients)), len(pair.bins[0]) + pair.places[:, 1]] = 1.0
    rate = np.clip(rate, 1e-6, 1 - 1e-6)
    effects = np.zeros(design.shape[1])
    effects[: len(pair.bins[0])] = logit(np.average(rate, weights=clients))
    for _ in range(_ITERATIONS):
        fitted = expit(design @ effects)
        curvature = (design * (clients * fitted * (1 - fitted))[:, None]).T @ design + 1e-6 * np.eye(design.shape[1])
        step = np.linalg.solve(curvature, design.T @ (clients * (rate - fitted)))
        effects += step
        if np.abs(step).max() < 1e-8:
            break
    fitted = expit(design @ effects)
    log_likelihood = xlogy(rate, rate / fitted) + xlogy(1 - rate, (1 - rate) / (1 - fitted))
    return float(2 * clients @ log_likelihood)
