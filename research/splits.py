"""Three splits by a salted hash of the client, the same in every run."""

import hashlib
from typing import Literal

import numpy as np
import polars as pl

Split = Literal["development", "gate", "test"]

SALT = "credit-scoring/splits/1"
SHARES: dict[Split, float] = {"development": 0.70, "gate": 0.15, "test": 0.15}
"""Development: folds, tuning, selection, calibration, threshold. Gate: promotion only. Test: read once per result."""


def split_of(clients: pl.Series) -> pl.Series:
    """Name of the split of each client (SK_ID_CURR).

    >>> split_of(pl.Series([100002, 100003, 100004])).to_list()
    ['test', 'development', 'gate']
    """
    position = np.array([_position(client) for client in clients.to_list()])
    edges = np.cumsum(list(SHARES.values()))[:-1]
    names = np.array(list(SHARES))
    return pl.Series("split", names[np.searchsorted(edges, position, side="right")])


def _position(client: int) -> float:
    digest = hashlib.blake2b(f"{SALT}:{client}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
