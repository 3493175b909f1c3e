"""Synthetic Home Credit data: the eight tables, and the true default probability of every client."""

import polars as pl

from research.synthetic.population import check, chunks
from research.synthetic.writer import write

__all__ = ["generate", "write"]


def generate(clients: int, seed: int = 1) -> dict[str, pl.DataFrame]:
    """Generate the tables of `clients` clients by name, plus "oracle" (SK_ID_CURR, PROBABILITY).

    About one client in seven is in application_test, without TARGET. The same arguments give the same frames. Raises
    ValueError if `clients` < 1 or `seed` < 0.

    >>> sorted(generate(10))[:3]
    ['POS_CASH_balance', 'application_test', 'application_train']
    """
    check(clients, seed)
    parts = list(chunks(clients, seed))
    return {name: pl.concat([part[name] for part in parts]) for name in parts[0]}
