"""Make `liability.json`: effects under which the synthetic default rates by bin are the real ones.

The expected number of defaults in each bin and cell is that of the file of default rates. These conditions are the
score equations of a logistic additive model, so the effects solve a convex problem; its penalties shrink what the real
rates cannot tell from chance.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import polars as pl
from scipy.optimize import minimize
from scipy.special import expit, logit, ndtri

from research.synthetic.application import draw_applications
from research.synthetic.calibration_statistics import statistics
from research.synthetic.default_rates import MISSING, PairRates, Rates, default_rates, with_ratios
from research.synthetic.frames import Floats, Integers
from research.synthetic.liability import LIABILITY_FILE, SEGMENTS, Liability

EXAMPLE = "python -m research liability"
CLIENTS, CHUNK = 60_000, 4096
SEED = 20_240
HIDDEN = 0.7
"""Factor of the segments' log-odds."""
DIFFUSE = 0.05
"""Standard deviation of the weak interactions together, in log-odds."""
CREDIT = 0.05
"""Share of the variance of a column's log-odds that is its part; correlated columns share the rest."""
WIGGLE_CREDIT = 0.5
"""The same of what departs from a line over a column's bins."""
PAIR_CREDIT = 0.08
"""The same of a pair; the pairs are the strongest of many, hence in part by chance."""
_PRODUCTS, _COLUMNS_OF_PRODUCTS = 60, 24
_MIN_STEP = 0.02
"""Least standard deviation of the step from one bin to the next, in log-odds."""
_LEVELS = 200
_MAX_ITERATIONS = 400


@dataclass(frozen=True, eq=False)
class Term:
    """Bins or cells of a population; their effects are `basis` @ free, with a standard normal prior of free."""

    codes: Integers
    """Bin of each client, or -1: shape (clients,)."""
    rate: Floats
    """Real default rates: shape (bins,)."""
    basis: Floats
    """Shape (bins, free)."""

    @cached_property
    def clients(self) -> Floats:
        """Clients of each bin."""
        return self.sums(np.ones(len(self.codes)))

    def sums(self, weights: Floats) -> Floats:
        """Return the sum of `weights` (clients,) in each bin."""
        return np.bincount(self.codes + 1, weights, minlength=len(self.rate) + 1)[1:].astype(np.float64)

    def effects(self, free: Floats) -> Floats:
        """Return the effect of each bin, and last of none."""
        return np.append(self.basis @ free, 0.0)


def run(options: argparse.Namespace) -> int:
    """Draw applications, solve for the effects and write the file."""
    application = draw_population(CLIENTS, SEED)
    made = solve(application)
    LIABILITY_FILE.write_text(as_text(made), encoding="utf-8")
    print(f"written: {LIABILITY_FILE}")
    return 0


def draw_population(clients: int, seed: int) -> pl.DataFrame:
    """Draw applications of training clients."""
    parts = []
    for first in range(0, clients, CHUNK):
        ids = np.arange(first, min(first + CHUNK, clients))
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(first,)))
        parts.append(draw_applications(ids, np.ones(len(ids), dtype=bool), np.arange(len(ids)), rng))
    return pl.concat(parts)


def solve(application: pl.DataFrame) -> Liability:
    """Return the effects under which the expected default rates of the applications are the real ones."""
    rates, values = default_rates(), with_ratios(application)
    columns = {name: rates.columns[name] for name in rates.columns if _is_used(name) and len(rates.columns[name].n) > 1}
    terms = [
        *(Term(column.numbers(values[name]), column.rate, column_basis(column)) for name, column in columns.items()),
        *(
            Term(pair.numbers(*(values[name] for name in pair.names)), pair.rate, pair_basis(pair))
            for pair in rates.pairs
        ),
    ]
    scores = {name: _scores(columns[name], term) for (name, term) in zip(columns, terms, strict=False)}
    products, offset = _products(columns, dict(zip(columns, terms, strict=False)), scores)
    segments = HIDDEN * np.array([segment.log_odds for segment in SEGMENTS])
    intercept, effects = _solved(terms, offset, segments)
    total = intercept + offset
    for term, effect in zip(terms, effects, strict=True):
        total = total + effect[term.codes]
    used = {name for product in products for name in product[:2]}
    return Liability(
        intercept=round(intercept, 6),
        hidden=HIDDEN,
        columns={name: np.round(effect, 4) for name, effect in zip(columns, effects, strict=False)},
        pairs=tuple(np.round(effect, 4) for effect in effects[len(columns) :]),
        scores={name: scores[name] for name in columns if name in used},
        products=products,
        levels=np.round(np.quantile(total, (np.arange(_LEVELS) + 0.5) / _LEVELS), 4),
    )


def _is_used(name: str) -> bool:
    """Tell which columns have effects: of mean, mode and median of a building, which nearly agree, the mean alone."""
    stem, _, word = name.rpartition("_")
    return not (word in ("MODE", "MEDI") and f"{stem}_AVG" in default_rates().columns)


def column_basis(column: Rates) -> Floats:
    """Return the basis of a column: a line and a random walk over ordered bins, and independent effects of others.

    Variances are those of the real log-odds beyond chance (empirical Bayes).
    """
    odds, noise = _log_odds(column.n, column.rate)
    weights = column.n / column.n.sum()
    spread = max(weights @ (odds - weights @ odds) ** 2 - weights @ noise, _MIN_STEP**2)
    independent = np.sqrt(CREDIT * spread) * np.eye(len(odds))
    if not column.ordered or len(odds) < 5:
        return independent
    places = np.array([number for number, bin_ in enumerate(column.bins) if bin_ != MISSING])
    steps = np.diff(odds[places])
    step_noise = noise[places][1:] + noise[places][:-1]
    drift = steps.mean()
    wiggle = max(float(np.mean((steps - drift) ** 2 - step_noise)), _MIN_STEP**2)
    line = np.linspace(-1.0, 1.0, len(places))
    walk = np.tril(np.ones((len(places), len(places) - 1)), -1)
    walk -= walk.mean(axis=0)
    parts = np.column_stack([np.sqrt(3 * CREDIT * spread) * line, np.sqrt(WIGGLE_CREDIT * wiggle) * walk])
    basis = np.zeros((len(odds), parts.shape[1] + len(odds) - len(places)))
    basis[places, : parts.shape[1]] = parts
    for position, other in enumerate(np.setdiff1d(np.arange(len(odds)), places)):
        basis[other, parts.shape[1] + position] = np.sqrt(CREDIT * spread)
    return basis


def pair_basis(pair: PairRates) -> Floats:
    """Return the basis of a pair: independent effects of its cells, with the variance of its deviance beyond chance."""
    information = pair.n.sum() * default_rates().default_rate * (1 - default_rates().default_rate)
    variance = max((pair.deviance - pair.free) / information, 1e-4)
    return np.sqrt(PAIR_CREDIT * variance) * np.eye(len(pair.n))


def _log_odds(n: Floats, rate: Floats) -> tuple[Floats, Floats]:
    """Return log-odds and their variance by chance, with a client more at the mean rate."""
    mean = default_rates().default_rate
    pulled = (n * rate + 10 * mean) / (n + 10)
    return logit(pulled), 1 / (n * pulled * (1 - pulled))


def expected_risk(log_odds: Floats, segments: Floats) -> Floats:
    """Return the mean probability over the segments, of log-odds `segments`, of clients (log_odds: clients)."""
    shares = [segment.share for segment in SEGMENTS]
    return sum((share * expit(log_odds + shift) for share, shift in zip(shares, segments, strict=True)), np.zeros(1))


def _scores(column: Rates, term: Term) -> Floats:
    """Return the normal score of each bin in the population, and 0 for none; categories by ascending default rate."""
    shares = term.clients / len(term.codes)
    order = np.arange(len(shares)) if column.ordered else np.argsort(column.rate)
    middle = np.empty(len(shares))
    middle[order] = np.cumsum(shares[order]) - shares[order] / 2
    not_missing = shares * np.array([bin_ != MISSING for bin_ in column.bins])
    result = np.where(not_missing > 0, ndtri(np.clip(middle, 0.001, 0.999)), 0.0)
    result -= np.where(not_missing > 0, not_missing @ result / not_missing.sum(), 0.0)
    return np.round(np.append(result / np.sqrt(not_missing @ result**2 / not_missing.sum()), 0.0), 4)


def _products(
    columns: dict[str, Rates], terms: dict[str, Term], scores: dict[str, Floats]
) -> tuple[tuple[tuple[str, str, float], ...], Floats]:
    """Draw the weak interactions between the strongest columns; return them and their sum for every client."""
    spread = {name: np.ptp(term.basis @ term.basis.T) for name, term in terms.items()}
    strongest = sorted(columns, key=lambda name: (-spread[name], name))[:_COLUMNS_OF_PRODUCTS]
    pairs = list(combinations(strongest, 2))
    rng = np.random.default_rng(SEED)
    chosen = rng.choice(len(pairs), _PRODUCTS, replace=False)
    weights = rng.standard_normal(_PRODUCTS)
    parts = [
        scores[one][terms[one].codes] * scores[other][terms[other].codes] for one, other in (pairs[i] for i in chosen)
    ]
    total = np.einsum("k,kc->c", weights, np.array(parts))
    scale = DIFFUSE / total.std()
    products = tuple((*pairs[i], round(float(weight * scale), 5)) for i, weight in zip(chosen, weights, strict=True))
    return products, total * scale


def _solved(terms: list[Term], offset: Floats, segments: Floats) -> tuple[float, list[Floats]]:
    """Solve the score equations; return the intercept and the effects of each term."""
    clients = len(offset)
    shares = np.array([segment.share for segment in SEGMENTS])
    weight = default_rates().rows / clients
    rate = statistics()["published"]["default_rate"]
    lift = rate / default_rates().default_rate
    targets = [term.clients * term.rate * lift for term in terms]
    edges = np.cumsum([0, *(term.basis.shape[1] for term in terms)])

    def loss(point: Floats) -> tuple[float, Floats]:
        effects = [term.effects(point[1:][low:high]) for term, low, high in _slices(terms, edges)]
        total = offset + point[0]
        for term, effect in zip(terms, effects, strict=True):
            total += effect[term.codes]
        risk, value = expected_risk(total, segments), 0.0
        for share, shift in zip(shares, segments, strict=True):
            value += share * np.logaddexp(0.0, total + shift).sum()
        value -= point[0] * rate * clients
        gradient = [np.array([risk.sum() - rate * clients])]
        for term, effect, target in zip(terms, effects, targets, strict=True):
            value -= effect[:-1] @ target
            gradient.append(term.basis.T @ (term.sums(risk) - target))
        slope = weight * np.concatenate(gradient)
        slope[1:] += point[1:]
        return weight * value + 0.5 * point[1:] @ point[1:], slope

    start = np.zeros(1 + edges[-1])
    start[0] = logit(rate)
    solution = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _MAX_ITERATIONS, "maxfun": 2000})
    point = solution.x
    return float(point[0]), [term.effects(point[1:][low:high]) for term, low, high in _slices(terms, edges)]


def _slices(terms: list[Term], edges: Integers) -> Iterator[tuple[Term, int, int]]:
    return zip(terms, edges[:-1], edges[1:], strict=True)


def as_text(made: Liability) -> str:
    """Return the file's text, one line an effect, so that changes can be read."""
    columns = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(effects.tolist())}" for name, effects in made.columns.items()
    )
    pairs = ",\n".join(f"  {json.dumps(effects.tolist())}" for effects in made.pairs)
    scores = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(effects.tolist())}" for name, effects in made.scores.items()
    )
    products = ",\n".join(f"  {json.dumps(product)}" for product in made.products)
    return (
        f'{{\n "intercept": {made.intercept},\n "hidden": {made.hidden},\n'
        f' "columns": {{\n{columns}\n }},\n "pairs": [\n{pairs}\n ],\n'
        f' "scores": {{\n{scores}\n }},\n "products": [\n{products}\n ],\n'
        f' "levels": {json.dumps(made.levels.tolist())}\n}}\n'
    )
