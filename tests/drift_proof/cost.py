"""Error of the estimated cost against the true probabilities of synthetic clients, under shifts of the population."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit, logit

from drift.distributions import Floats, Positions
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
SHIFTS_OF_COST = ("none", "younger clients", "weaker external scores", "scores vanish", NEW_CONCEPT, KNOWN_CONCEPT)


def cost_errors(world: World, folder: Path, seeds: int) -> Iterator[CostError]:
    """Yield the errors under each shift: a new draw of past and new applications for each seed."""
    truth = truth_of(world, folder)
    for shift in SHIFTS_OF_COST:
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


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Past applications of which some have an outcome, and new ones under a shift."""

    past: Positions
    """Of all past applications in the population."""
    granted: Positions
    """Of those that the model granted."""
    granted_outcomes: Floats
    features: pl.DataFrame
    """Of the new applications."""
    probability: Floats
    true: Floats
    outcomes: Floats
    """Of the new applications, drawn from their true probabilities."""


def truth_of(world: World, folder: Path) -> Floats:
    """Return the true probability of default of each application of the population."""
    oracle = pl.read_parquet(folder / "oracle.parquet")
    clients = world.population.applications.select("SK_ID_CURR")
    return clients.join(oracle, on="SK_ID_CURR", how="left", maintain_order="left")["PROBABILITY"].to_numpy()


def draw(world: World, truth: Floats, shift: str, seed: int) -> Draw:
    """Draw past and new applications, the latter under a shift."""
    random = np.random.default_rng(seed)
    order = random.permutation(world.population.rows)
    past, pool = np.sort(order[:PAST]), order[PAST:]
    new = np.sort(random.choice(pool, ROWS, replace=False, p=_weights(world, pool, shift)))
    true, model = truth[new], world.model
    features, probability = world.scores.features[new], world.scores.probability[new]
    granted = past[world.scores.probability[past] < model.threshold]
    target = world.population.target
    assert target is not None
    granted_outcomes = target[granted].cast(pl.Float64).to_numpy()
    if shift in (NEW_CONCEPT, KNOWN_CONCEPT):
        true = expit(logit(true) + CONCEPT)
    if shift == KNOWN_CONCEPT:
        granted_outcomes = (random.random(len(granted)) < expit(logit(truth[granted]) + CONCEPT)).astype(float)
    if shift == "scores vanish":
        applications = world.population.applications[new]
        emptied = pl.Series(random.random(ROWS) < EMPTIED)
        names = [name for name in applications.columns if name.startswith("EXT_SOURCE")]
        kept = [pl.when(~emptied).then(pl.col(name)).alias(name) for name in names]
        scores = world.rescored(new, applications.with_columns(kept))[1]
        features, probability = scores.features, scores.probability
    return Draw(
        past=past,
        granted=granted,
        granted_outcomes=granted_outcomes,
        features=features.select(model.feature_names),
        probability=probability,
        true=true,
        outcomes=(random.random(ROWS) < true).astype(float),
    )


def _errors(world: World, truth: Floats, shift: str, seed: int) -> tuple[float, float, float, float]:
    """Return the true cost of 1,000 new applications, and the errors of both estimates and of the realised cost."""
    drawn, model = draw(world, truth, shift, seed), world.model
    refused, costs = drawn.probability >= model.threshold, model.manifest.costs
    past = drawn.granted
    adapted, _ = recalibrated(
        drawn.probability,
        drawn.features,
        drawn.granted_outcomes,
        world.scores.probability[past],
        world.scores.features[past].select(model.feature_names),
    )
    cost = 1000 * float(expected_costs(drawn.true, refused, costs).mean())
    realised = 1000 * float(realised_costs(drawn.outcomes, refused, costs).mean())
    estimates = [estimate(values, refused, costs).cost for values in (drawn.probability, adapted)]
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
