"""The population in chunks of clients; each chunk has a separate random stream, so that parallel runs agree."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import polars as pl
from tqdm import tqdm

from bento.data.tables import HISTORIES, TARGET
from research.synthetic import bureau, previous
from research.synthetic.application import draw_clients
from research.synthetic.bureau import draw_bureau, draw_bureau_balance
from research.synthetic.calibration_statistics import statistics
from research.synthetic.cards import draw_cards
from research.synthetic.frames import Flags
from research.synthetic.instalments import draw_instalments, draw_pos
from research.synthetic.previous import draw_previous
from research.synthetic.risk_traits import draw_traits

CHUNK = 4096
WORKERS = 2
TABLES = ("application_train", "application_test", *HISTORIES, "oracle")

_FIRST_CLIENT = 100_002
_FIRST_BUREAU = 5_000_000
_FIRST_PREVIOUS = 1_000_001
_SPLIT_STREAM = 2**31


def check(clients: int, seed: int) -> None:
    """Raise ValueError unless `clients` and `seed` describe a population."""
    if clients < 1:
        raise ValueError(f"clients must be at least 1, not {clients}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, but is {seed}")


def chunks(clients: int, seed: int) -> Iterator[dict[str, pl.DataFrame]]:
    """Yield the tables of each chunk of clients; at most `WORKERS` + 1 chunks are in memory."""
    train = train_clients(clients, seed)
    total = -(-clients // CHUNK)
    waiting = iter(range(total))
    with (
        ThreadPoolExecutor(WORKERS) as pool,
        tqdm(total=clients, unit="client", desc="synthetic data", leave=False, disable=total < 3) as bar,
    ):
        running = [pool.submit(_chunk, index, total, train, seed) for index in islice(waiting, WORKERS)]
        while running:
            tables = running.pop(0).result()
            running.extend(pool.submit(_chunk, index, total, train, seed) for index in islice(waiting, 1))
            bar.update(len(tables["oracle"]))
            yield tables


def train_clients(clients: int, seed: int) -> Flags:
    """Choose at random, in the real proportion, which clients are training data: shape (clients,)."""
    rows = statistics()["published"]["rows"]
    test = round(clients * rows["application_test"] / (rows["application_train"] + rows["application_test"]))
    train = np.ones(clients, dtype=bool)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SPLIT_STREAM,)))
    train[rng.permutation(clients)[:test]] = False
    return train


def _chunk(index: int, total: int, train: Flags, seed: int) -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
    rows = slice(index * CHUNK, (index + 1) * CHUNK)
    ids = np.arange(len(train))[rows] + _FIRST_CLIENT
    clients = draw_clients(ids, train[rows], rng)
    # interleaved over the chunks, so that identifiers carry no information on the client
    bureau_ids = _FIRST_BUREAU + rng.permutation(CHUNK * bureau.IDS_PER_CLIENT) * total + index
    previous_ids = _FIRST_PREVIOUS + rng.permutation(CHUNK * previous.IDS_PER_CLIENT) * total + index
    traits = draw_traits(clients, rng)
    credit_table, credits = draw_bureau(clients, traits, bureau_ids, rng)
    application_table, loans = draw_previous(clients, traits, previous_ids, rng)
    card_table, card_months = draw_cards(clients, traits, loans, rng)
    target = pl.Series(TARGET.name, clients.target)
    labelled = clients.application.insert_column(1, target)
    train_rows = pl.Series(clients.train)
    histories = {
        "bureau": credit_table,
        "bureau_balance": draw_bureau_balance(credits, traits, bureau_ids[len(credits.ids) :], rng),
        "previous_application": application_table,
        "POS_CASH_balance": draw_pos(clients, traits, loans, rng),
        "installments_payments": draw_instalments(clients, traits, loans, card_months, rng),
        "credit_card_balance": card_table,
    }
    return {
        "application_train": labelled.filter(train_rows),
        "application_test": labelled.filter(~train_rows).drop(TARGET.name),
        **{name: _with_entry_errors(name, frame, rng) for name, frame in histories.items()},
        "oracle": pl.DataFrame({"SK_ID_CURR": clients.ids, "PROBABILITY": clients.risk.probability}),
    }


def _with_entry_errors(table: str, frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Replace a few values of a history by the impossible ones of the real data, at their published rates."""
    for error in statistics()["structure"]["entry_errors"].get(table, ()):
        name = error["column"]
        wrong = pl.Series(rng.random(len(frame)) < error["rate"]) & frame[name].is_not_null()
        if "where" in error:
            column, value = error["where"]
            wrong &= frame[column] == value
        if wrong.any():
            value = pl.lit(error["value"]).cast(frame.schema[name])
            frame = frame.with_columns(pl.when(wrong).then(value).otherwise(pl.col(name)).alias(name))
    return frame
