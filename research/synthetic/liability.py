"""The risk of default behind TARGET: log-odds by bins of the recorded application, and a part that histories show."""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.special import expit, ndtri

from research.synthetic.default_rates import default_rates, with_ratios
from research.synthetic.frames import Floats, Integers

LIABILITY_FILE = Path(__file__).with_name("liability.json")


@dataclass(frozen=True)
class Segment:
    """Clients whose histories show the same trouble, or none."""

    name: str
    share: float
    log_odds: float
    """Of default, beyond those that the application shows; the file scales them."""
    traits: dict[str, float]
    """Means of the traits, in standard deviations within the segment."""


SEGMENTS = (
    Segment("regular", 0.58, -0.5, {"late": -0.9, "indebted": -1.2, "seeking": -0.9, "recent": -0.6}),
    Segment("established", 0.20, -0.6, {"late": -1.05, "indebted": 3.0, "seeking": -1.05, "recent": -2.85}),
    Segment("over-indebted", 0.14, 1.4, {"late": 2.4, "indebted": 3.15, "seeking": 2.55, "recent": 3.15}),
    Segment("first-payment default", 0.08, 1.7, {"late": 4.5, "indebted": -1.8, "seeking": 3.75, "recent": 1.05}),
)
"""The over-indebted took up much credit of late; the established owe as much, but for long. Those who stop paying at
the first instalments pay late everywhere and are refused often, with little debt."""


@dataclass(frozen=True, eq=False)
class Risk:
    """Risk of clients; arrays of shape (clients,)."""

    visible: Floats
    """Standard normal; part of the risk that follows from the application."""
    segment: Integers
    """Position in `SEGMENTS`; the part that only the histories show."""
    probability: Floats
    """True probability of default."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Liability:
    """Effects on the log-odds of default; made by `python -m research liability`."""

    intercept: float
    hidden: float
    """Factor of the segments' log-odds."""
    columns: dict[str, Floats]
    """Effect of each bin of `default_rates.json`, and last of none."""
    pairs: tuple[Floats, ...]
    """Effect of each cell of its pairs, and last of none."""
    scores: dict[str, Floats]
    """Normal score of each bin, and last of none, of the columns in `products`."""
    products: tuple[tuple[str, str, float], ...]
    """Many weak interactions: weights of products of two scores."""
    levels: Floats
    """Ascending log-odds of the application at evenly spaced probabilities."""

    @cached_property
    def segment_log_odds(self) -> Floats:
        """Log-odds of each segment."""
        return self.hidden * np.array([segment.log_odds for segment in SEGMENTS])

    def log_odds(self, application: pl.DataFrame) -> Floats:
        """Return the log-odds that applications show (application_train's columns without TARGET): shape (clients,)."""
        rates, values = default_rates(), with_ratios(application)
        bins = {name: rates.columns[name].numbers(values[name]) for name in self.columns.keys() | self.scores.keys()}
        total = np.full(len(application), self.intercept)
        for name in self.columns:
            total += self.columns[name][bins[name]]
        for pair, effects in zip(rates.pairs, self.pairs, strict=True):
            total += effects[pair.numbers(*(values[name] for name in pair.names))]
        scores = {name: effects[bins[name]] for name, effects in self.scores.items()}
        for one, other, weight in self.products:
            total += weight * scores[one] * scores[other]
        return total

    def draw(self, application: pl.DataFrame, rng: np.random.Generator) -> Risk:
        """Draw the segments of the clients of `application`, and return their risk."""
        log_odds = self.log_odds(application)
        edges = np.cumsum([segment.share for segment in SEGMENTS])[:-1]
        segment = np.searchsorted(edges, rng.random(len(application)), side="right")
        ranks = np.interp(log_odds, self.levels, (np.arange(len(self.levels)) + 0.5) / len(self.levels))
        return Risk(ndtri(ranks), segment, expit(log_odds + self.segment_log_odds[segment]))


@lru_cache(maxsize=1)
def liability() -> Liability:
    """Load `liability.json`."""
    loaded: dict[str, Any] = json.loads(LIABILITY_FILE.read_text(encoding="utf-8"))
    return Liability(
        intercept=loaded["intercept"],
        hidden=loaded["hidden"],
        columns={name: np.array(effects) for name, effects in loaded["columns"].items()},
        pairs=tuple(map(np.array, loaded["pairs"])),
        scores={name: np.array(effects) for name, effects in loaded["scores"].items()},
        products=tuple((one, other, weight) for one, other, weight in loaded["products"]),
        levels=np.array(loaded["levels"]),
    )
