"""State the commands that make the published figures again: data, training, measurements, publishing."""

from research.results import TrainingResults
from research.training.settings import DEFAULTS

MEASURED = "compare fairness mitigation quotable lawful missing reasons counterfactuals study"
"""Targets of make, each of which measures one thing about the champion or its data."""


def commands(results: TrainingResults) -> list[str]:
    """Return the lines of a shell that make the published figures again, from data to publishing.

    Real data is to be in `data/raw`; of generated data the seed and the number of clients are stated.
    """
    settings = train_options(results)
    if results.data == "synthetic":
        data = "data/published"
        made = [f"python -m research data synth --clients {results.clients} --seed {results.seed} --out {data}"]
        first = ["fidelity"]
    else:
        data, first = "data/raw", []
        made = [f"python -m research data check {data}"]
    trained = (
        [f"python -m research train --data {data} {' '.join(settings)}"]
        if settings
        else []  # make trains with the settings that are the defaults
    )
    targets = [*first, *([] if settings else ["train"]), "promote", *MEASURED.split()]
    return [*made, *trained, f"make {' '.join(targets)} DATA={data}", f"python -m research publish --data {data}"]


def train_options(results: TrainingResults) -> list[str]:
    """Return the options of `train` by which the published model differs from one that is trained by default."""
    costs, economics, review = results.costs, results.economics, results.review
    default_costs, default_economics = DEFAULTS.cost_model.costs, DEFAULTS.cost_model.economics
    trials = results.tuning.get("trials", DEFAULTS.trials) if results.tuning else 0
    values = {
        "family": (results.family, DEFAULTS.family),
        "folds": (results.folds, DEFAULTS.folds),
        "seed": (results.seed_of_training, DEFAULTS.seed),
        "trials": (DEFAULTS.trials if results.family == "linear" else trials, DEFAULTS.trials),
        "lawful": (results.lawful, DEFAULTS.lawful),
        "capacity": (review.capacity if review else DEFAULTS.capacity, DEFAULTS.capacity),
        "cost-false-negative": (costs.false_negative, default_costs.false_negative),
        "cost-false-positive": (costs.false_positive, default_costs.false_positive),
        "loss-given-default": (economics.loss_given_default, default_economics.loss_given_default),
        "margin": (economics.margin, default_economics.margin),
    }
    options = [
        f"--{name} {value:g}" if isinstance(value, float) else f"--{name} {value}"
        for name, (value, default) in values.items()
        if value != default
    ]
    switches = {
        "constraints": (results.constraints, DEFAULTS.constraints),
        "with-age": (results.with_age, DEFAULTS.with_age),
    }
    return options + [
        f"--{name}" if value else f"--no-{name}" for name, (value, default) in switches.items() if value != default
    ]
