"""How a client behaves: traits that the risk of default shines through, and draws that follow them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from research.synthetic.application import Clients

Floats = NDArray[np.float64]

_VISIBLE = 0.12
"""Load of every trait on what the application shows of the risk."""
_HIDDEN = {"late": 0.6, "indebted": 0.62, "seeking": 0.62, "recent": 0.55}
"""Load of each trait on what only the histories show."""


@dataclass(frozen=True)
class Traits:
    """Standard normal traits of the clients of a chunk, each of shape (clients,) and higher for the risky."""

    late: Floats
    """Pays late."""
    indebted: Floats
    """Uses much of the credit there is."""
    seeking: Floats
    """Asks for credit that is refused."""
    recent: Floats
    """Took up credit lately."""


def draw_traits(clients: Clients, rng: np.random.Generator) -> Traits:
    """Traits of `clients`."""
    return Traits(
        **{name: mix(rng, (_VISIBLE, clients.visible), (load, clients.hidden)) for name, load in _HIDDEN.items()}
    )


def mix(rng: np.random.Generator, *parts: tuple[float, Floats]) -> Floats:
    """Standard normal scores with the given loads on independent standard normal `parts`; the rest is chance."""
    rest = np.sqrt(1 - sum(load**2 for load, _ in parts))
    score = rest * rng.standard_normal(len(parts[0][1]))
    for load, part in parts:
        score += load * part
    return score


def rank(rng: np.random.Generator, *parts: tuple[float, Floats]) -> Floats:
    """Uniform ranks of `mix`."""
    return ndtr(mix(rng, *parts))
