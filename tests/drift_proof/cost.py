"""Error of the estimated cost against the true probabilities of synthetic clients, under shifts of the population."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit, logit

from drift.distributions import Floats
from drift.estimate import estimate, expected_costs, realised_costs, recalibrated
from tests.drift_proof.results import CostError
from tests.drift_proof.world import World

PAST = 8_000
"""Past applications; the outcome is known of those that the model granted."""
ROWS = 3_000
"""New applications, whose cost is estimated."""
CONCEPT = 0.5
"""Rise of the true log-odds of default: half as many defaults again, of the same applications."""
NEW_CONCEPT, KNOWN_CONCEPT = "concept drift", "concept drift in the known outcomes"
EMPTIED = 0.5
"""Share of the new applications whose external scores vanish."""
COST_SHIFTS = ("none", "younger clients", "weaker external scores", "scores vanish", NEW_CONCEPT, KNOWN_CONCEPT)


def cost_errors(world: World, folder: Path, seeds: int) -> Iterator[CostError]:
    """Yield the errors under each shift: a new draw of past and new applications for each seed."""
    truth = _truth(world, folder)
    for shift in COST_SHIFTS:
        errors = np.array([_errors(world, truth, shift, seed) for seed in range(seeds)])
        random = np.random.default_rng(1)
        means = [errors[random.integers(0, seeds, seeds), 2].mean() for _ in range(1000)]
        low, high = np.quantile(means, (0.025, 0.975))
        true_cost, plain, adapted, realised = errors.mean(axis=0)
        yield CostError(
            shift=shift,
            rows=ROWS,
            seeds=seeds,
            true_cost=true_cost,
            error_plain=plain,
            error=adapted,
            low=low,
            high=high,
            realised_error=realised,
        )


def _truth(world: World, folder: Path) -> Floats:
    oracle = pl.read_parquet(folder / "oracle.parquet")
    clients = world.population.applications.select("SK_ID_CURR")
    return clients.join(oracle, on="SK_ID_CURR", how="left", maintain_order="left")["PROBABILITY"].to_numpy()


def _errors(world: World, truth: Floats, shift: str, seed: int) -> tuple[float, float, float, float]:
    """Return the true cost of 1,000 new applications, and the errors of both estimates and of the realised cost."""
    random = np.random.default_rng(seed)
    order = random.permutation(world.population.rows)
    past, pool = np.sort(order[:PAST]), order[PAST:]
    new = np.sort(random.choice(pool, ROWS, replace=False, p=_weights(world, pool, shift)))
    true, model = truth[new], world.model
    features, probability = world.scores.features[new], world.scores.probability[new]
    past = past[world.scores.probability[past] < model.threshold]
    target = world.population.target
    assert target is not None
    past_outcomes = target[past].cast(pl.Float64).to_numpy()
    if shift in (NEW_CONCEPT, KNOWN_CONCEPT):
        true = expit(logit(true) + CONCEPT)
    if shift == KNOWN_CONCEPT:
        past_outcomes = (random.random(len(past)) < expit(logit(truth[past]) + CONCEPT)).astype(float)
    if shift == "scores vanish":
        applications = world.population.applications[new]
        emptied = pl.Series(random.random(ROWS) < EMPTIED)
        names = [name for name in applications.columns if name.startswith("EXT_SOURCE")]
        kept = [pl.when(~emptied).then(pl.col(name)).alias(name) for name in names]
        scores = world.rescored(new, applications.with_columns(kept))[1]
        features, probability = scores.features, scores.probability
    refused = probability >= model.threshold
    costs = model.manifest.costs
    adapted, _ = recalibrated(
        probability,
        features.select(model.feature_names),
        past_outcomes,
        world.scores.probability[past],
        world.scores.features[past].select(model.feature_names),
    )
    cost = 1000 * float(expected_costs(true, refused, costs).mean())
    outcomes = (random.random(ROWS) < true).astype(float)
    realised = 1000 * float(realised_costs(outcomes, refused, costs).mean())
    estimates = [estimate(values, refused, costs).cost for values in (probability, adapted)]
    return cost, *(abs(value - cost) for value in estimates), abs(realised - cost)


def _weights(world: World, pool: np.ndarray, shift: str) -> Floats:
    """Return the probabilities by which new applications are drawn from the pool."""
    applications = world.population.applications[pool]
    if shift == "younger clients":
        weights = np.exp(applications["DAYS_BIRTH"].to_numpy() / 3652.5)
    elif shift == "weaker external scores":
        weights = np.exp(-3 * applications["EXT_SOURCE_2"].fill_null(0.5).to_numpy())
    else:
        weights = np.ones(len(pool))
    return weights / weights.sum()
