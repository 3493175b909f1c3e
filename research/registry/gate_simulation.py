"""Simulate the gate: how often challengers that are dearer, equal or cheaper pass, by number of clients.

Outcomes are drawn from a normal distribution of log-odds with the default rate and, of the champion, the AUC of the
real data. Challengers see the same clients with more or less noise than the champion, so that their true cost differs
by a stated amount. `before` is the rule of a fixed margin, for comparison.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.optimize import brentq
from scipy.special import expit

from bento.policy import DEFAULT_COSTS
from research.cli import ROOT
from research.evaluation.bootstrap import mean_with_interval
from research.evaluation.business_score import costs_of
from research.evaluation.calibration import calibration_line
from research.plotting import new_axes
from research.registry.checks import MARGIN, MIN_DEFAULTS, RESAMPLES, Answers, cost_against, enough_defaults
from research.types import Floats, Integers

EXAMPLE = "python -m research simulate-gate --repeats 100"

FILE, PICTURE = "gate_simulation.json", "gate_simulation.png"
DEFAULT_RATE = 0.0807
"""Of the real training clients (`home_credit_facts.json`)."""
SPREAD = 1.15
"""Standard deviation of the true log-odds: the champion's AUC is then about 0.78."""
NOISE, SHARED = 0.45, 0.7
"""Standard deviation of the champion's error in log-odds, and the correlation of the errors of two models."""
SIZES = (300, 1_000, 2_600, 7_800, 46_000)
"""Clients of the gate split: of a small folder, and of 20,000, 60,000 and 307,511 clients."""
DIFFERENCES = (-20.0, -10.0, -5.0, 0.0, 5.0, 10.9, 20.0)
"""True cost of the challenger less the champion's, in good clients refused per 1,000 clients."""
ATTEMPTS = (1, 5)
STEPS, STEP = 10, 5.0
"""Challengers one after another, each dearer by this much per 1,000 clients than the champion it meets."""
POPULATION = 400_000
"""Clients on whom the true costs are computed."""


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PassRate(_Result):
    """How often a challenger passes its cost and its number of defaults; `before`, under a fixed margin."""

    clients: int
    attempt: int
    difference_per_1000: float
    passed: float
    before: float


class Creep(_Result):
    """True cost per 1,000 clients above the first champion's after challengers that are each dearer than the last."""

    clients: int
    challengers: int
    step_per_1000: float
    dearer_per_1000: float
    before: float


class GateSimulation(_Result):
    """The content of gate_simulation.json."""

    seed: int
    repeats: int
    default_rate: float
    margin: float
    min_defaults: int
    rates: list[PassRate]
    creep: list[Creep]


class World:
    """Clients with true log-odds, and models of any true cost for them."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        draws = self._random.normal(0, SPREAD, POPULATION)
        self._centre = float(brentq(lambda centre: expit(centre + draws).mean() - DEFAULT_RATE, -6, 0))
        truth, shared, own = self._draw(POPULATION)
        self._population = truth, shared, own
        self._lines: dict[float, tuple[float, float]] = {}
        self.cost = self._true_cost(NOISE)

    def noise(self, difference: float) -> float:
        """Return the noise of the model whose true cost per 1,000 clients differs by this much from the champion's."""
        wanted = self.cost + difference / 1000
        return float(brentq(lambda noise: self._true_cost(noise) - wanted, 0.0, 3.0, xtol=1e-3))

    def gate(self, clients: int) -> tuple[Integers, tuple[Floats, Floats, Floats]]:
        """Draw outcomes of clients, and what the answers of models for them are made from."""
        drawn = self._draw(clients)
        return (self._random.random(clients) < expit(drawn[0])).astype(np.int64), drawn

    def answers(self, drawn: tuple[Floats, Floats, Floats], noise: float) -> Answers:
        """Return the calibrated answers of a model with this noise, at the theoretical threshold."""
        slope, intercept = self._line(noise)
        return Answers(
            np.asarray(expit(slope * self._log_odds(drawn, noise) + intercept)), DEFAULT_COSTS.theoretical_threshold
        )

    def _draw(self, clients: int) -> tuple[Floats, Floats, Floats]:
        truth = self._random.normal(self._centre, SPREAD, clients)
        return truth, self._random.normal(size=clients), self._random.normal(size=clients)

    def _log_odds(self, drawn: tuple[Floats, Floats, Floats], noise: float) -> Floats:
        truth, shared, own = drawn
        error = shared if noise == NOISE else SHARED * shared + np.sqrt(1 - SHARED**2) * own
        return np.asarray(truth + noise * error)

    def _line(self, noise: float) -> tuple[float, float]:
        if noise not in self._lines:
            # Outcomes count by their probability: a line of the true default rates, without the noise of a draw.
            truth = expit(self._population[0])
            log_odds = np.tile(self._log_odds(self._population, noise), 2)
            outcome = np.repeat([1, 0], POPULATION)
            self._lines[noise] = calibration_line(outcome, log_odds, np.concatenate([truth, 1 - truth]))
        return self._lines[noise]

    def _true_cost(self, noise: float) -> float:
        probability, refused = expit(self._population[0]), self.answers(self._population, noise).refused
        lost, missed = DEFAULT_COSTS.false_positive, DEFAULT_COSTS.false_negative
        return float(np.where(refused, (1 - probability) * lost, probability * missed).mean())


def passes(target: Integers, challenger: Answers, champions: list[Answers], attempt: int = 1) -> bool:
    """Return whether a challenger passes the gate's number of defaults, and its cost against each of these."""
    if not enough_defaults(target).passed:
        return False
    return all(
        cost_against(target, challenger, champion, DEFAULT_COSTS, name="it", attempt=attempt).passed
        for champion in champions
    )


def passed_before(target: Integers, challenger: Answers, champion: Answers) -> bool:
    """Return whether a challenger passes a fixed margin, at any number of defaults and attempts."""
    difference = costs_of(target, challenger.refused) - costs_of(target, champion.refused)
    return mean_with_interval(difference, resamples=RESAMPLES).high <= MARGIN


def pass_rates(world: World, sizes: tuple[int, ...], repeats: int) -> Iterator[PassRate]:
    """Estimate how often challengers pass, by clients, true difference and attempt."""
    noises = {difference: world.noise(difference) for difference in DIFFERENCES}
    for clients in sizes:
        passed = {(difference, attempt): 0 for difference in DIFFERENCES for attempt in ATTEMPTS}
        before = dict.fromkeys(DIFFERENCES, 0)
        for _ in range(repeats):
            target, drawn = world.gate(clients)
            champion = world.answers(drawn, NOISE)
            for difference, noise in noises.items():
                challenger = world.answers(drawn, noise)
                before[difference] += passed_before(target, challenger, champion)
                for attempt in ATTEMPTS:
                    passed[difference, attempt] += passes(target, challenger, [champion], attempt)
        for (difference, attempt), count in passed.items():
            yield PassRate(
                clients=clients,
                attempt=attempt,
                difference_per_1000=difference,
                passed=count / repeats,
                before=before[difference] / repeats,
            )


def creep(world: World, clients: int, repeats: int) -> Creep:
    """Estimate what a row of challengers, each dearer than the champion it meets, adds to the cost in the end."""
    noises = [NOISE, *(world.noise(step * STEP) for step in range(1, STEPS + 1))]
    ended, ended_before = 0.0, 0.0
    for _ in range(repeats):
        target, drawn = world.gate(clients)
        answers = [world.answers(drawn, noise) for noise in noises]
        champion, best, attempt, before = 0, 0, 1, 0
        for _step in range(STEPS):
            challenger = answers[champion + 1]
            if passes(target, challenger, [answers[champion], answers[best]], attempt):
                champion, attempt = champion + 1, 1
                costs = [costs_of(target, answers[at].refused).mean() for at in (best, champion)]
                best = champion if costs[1] < costs[0] else best
            else:
                attempt += 1
            before += passed_before(target, answers[before + 1], answers[before])
        ended, ended_before = ended + champion * STEP, ended_before + before * STEP
    return Creep(
        clients=clients,
        challengers=STEPS,
        step_per_1000=STEP,
        dearer_per_1000=ended / repeats,
        before=ended_before / repeats,
    )


def draw(simulation: GateSimulation, path: Path) -> None:
    """Draw the rate of passing the first judgement against the true difference, a line for each number of clients."""
    figure, axes = new_axes(
        "How often a challenger passes the gate",
        "true cost above the champion's, per 1,000 clients",
        "share that passes",
    )
    for clients in sorted({rate.clients for rate in simulation.rates}):
        rates = [rate for rate in simulation.rates if rate.clients == clients and rate.attempt == 1]
        axes.plot(
            [rate.difference_per_1000 for rate in rates],
            [rate.passed for rate in rates],
            marker="o",
            label=f"{clients:,} clients",
        )
    axes.axvline(0, c="grey", lw=1)
    axes.legend()
    figure.savefig(path, dpi=110)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the number of draws, the sizes, the seed and the folder of the result."""
    parser.add_argument("--repeats", type=int, default=200, help="draws of clients for each size (200)")
    parser.add_argument("--clients", type=int, nargs="+", default=SIZES, help=f"sizes of the gate split {SIZES}")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draws (1)")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "research" / "results", help="folder of the result (research/results)"
    )


def run_simulation(seed: int, repeats: int, sizes: tuple[int, ...]) -> GateSimulation:
    """Simulate the gate, and print each rate as it is known."""
    world = World(seed)
    print(f"{'clients':>8} {'attempt':>8} {'dearer by, per 1,000':>21} {'passes':>7} {'before':>7}")
    rates = []
    for rate in pass_rates(world, sizes, repeats):
        rates.append(rate)
        figures = f"{rate.difference_per_1000:21.1f} {rate.passed:7.3f} {rate.before:7.3f}"
        print(f"{rate.clients:8,} {rate.attempt:8} {figures}", flush=True)
    return GateSimulation(
        seed=seed,
        repeats=repeats,
        default_rate=DEFAULT_RATE,
        margin=MARGIN,
        min_defaults=MIN_DEFAULTS,
        rates=rates,
        creep=[creep(world, clients, repeats) for clients in sizes],
    )


def run(options: argparse.Namespace) -> None:
    """Simulate, print the rates and write JSON and picture."""
    simulation = run_simulation(options.seed, options.repeats, tuple(options.clients))
    for end in simulation.creep:
        print(
            f"{end.clients:,} clients: after {end.challengers} challengers, each {end.step_per_1000} dearer than the "
            f"champion, dearer by {end.dearer_per_1000:.1f} (before: {end.before:.1f}) per 1,000"
        )
    (options.out / FILE).write_text(simulation.model_dump_json(indent=1) + "\n", "utf-8")
    draw(simulation, options.out / PICTURE)
    print(f"written: {options.out / FILE}, {PICTURE}")
