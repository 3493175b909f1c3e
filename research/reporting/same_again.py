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
    first = ["fidelity"] if results.data == "synthetic" else []
    data, made = _data(results, "data/published")
    # make trains with the settings that are the defaults
    trained = [_train(data, settings)] if settings else []
    targets = [*first, *([] if settings else ["train"]), "promote", *MEASURED.split()]
    return [*made, *trained, f"make {' '.join(targets)} DATA={data}", f"python -m research publish --data {data}"]


def full_size_commands(results: TrainingResults) -> list[str]:
    """Return the lines of a shell that make the results of a training on many clients again, and no more."""
    data, made = _data(results, "data/full_size")
    return [*made, _train(data, train_options(results)), f"python -m research publish --data {data} --full-size RUN"]


def _data(results: TrainingResults, folder: str) -> tuple[str, list[str]]:
    """Return the folder of the data, `folder` where they are generated, and the lines that make or check them."""
    if results.data == "real":
        return "data/raw", ["python -m research data check data/raw"]
    made = f"python -m research data synth --clients {results.clients} --seed {results.seed} --out {folder}"
    return folder, [made]


def _train(data: str, settings: list[str]) -> str:
    return " ".join(["python -m research train --data", data, *settings])


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
