"""Three splits by a salted hash of the person, the same in every run; folds that keep a person together."""

import hashlib
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from research.cli import CommandError

Split = Literal["development", "gate", "test"]

VERSION = "splits/2"
"""Version of the splits; version 1 hashed the client's number, so that a person could be in two splits."""
SALT = f"credit-scoring/{VERSION}"
SHARES: dict[Split, float] = {"development": 0.70, "gate": 0.15, "test": 0.15}
"""Development: folds, tuning, selection, calibration, threshold. Gate: promotion only. Test: opened to publish only."""
PERSON_FROM = ("DAYS_BIRTH", "DAYS_REGISTRATION", "DAYS_ID_PUBLISH", "CODE_GENDER")


def split_of(applications: pl.DataFrame) -> pl.Series:
    """Return the name of the split of each application (SK_ID_CURR and `PERSON_FROM`, before cleaning).

    What is hashed are the traits by which `persons` recognises a person, so that all applications of a person are in
    one split; where they are unknown, the number of the client. No other row matters: a client added to or taken from
    the data moves no other client.

    >>> one = {"DAYS_BIRTH": -12000, "DAYS_REGISTRATION": -4000, "DAYS_ID_PUBLISH": -900, "CODE_GENDER": "F"}
    >>> later = {"DAYS_BIRTH": -12090, "DAYS_REGISTRATION": -4090, "DAYS_ID_PUBLISH": -990, "CODE_GENDER": "F"}
    >>> unknown = one | {"DAYS_REGISTRATION": None}
    >>> rows = [{"SK_ID_CURR": 100003 + row} | traits for row, traits in enumerate([one, later, unknown])]
    >>> split_of(pl.DataFrame(rows)).to_list()
    ['development', 'development', 'gate']
    """
    traits = _traits(applications)
    client = pl.format("client:{}", applications["SK_ID_CURR"])
    person = pl.format("person:{}:{}:{}", "registered_at", "identified_at", pl.col("gender").fill_null(""))
    hashed = traits.select(pl.when("is_unknown").then(client).otherwise(person)).to_series()
    position = np.array([_position(text) for text in hashed.to_list()])
    edges = np.cumsum(list(SHARES.values()))[:-1]
    names = np.array(list(SHARES))
    return pl.Series("split", names[np.searchsorted(edges, position, side="right")])


def persons(applications: pl.DataFrame) -> pl.Series:
    """Assign each application (`PERSON_FROM`) the number of its person: the same where two seem to be of one.

    Days are counted back from each application, so all of them shift by the same number between two applications of a
    person: the age at the last change of registration and the age at the last change of identity document stay the
    same until one changes again. A person who changed one of them gets a second number. Two people with the same two
    ages and gender get one number, which only puts them in the same split and fold. An application without one of the
    two ages gets a number by itself: otherwise all clients of a lender who knows neither would be one person, in one
    fold.

    >>> one = {"DAYS_BIRTH": -12000, "DAYS_REGISTRATION": -4000, "DAYS_ID_PUBLISH": -900, "CODE_GENDER": "F"}
    >>> later = one | {"DAYS_BIRTH": -12090, "DAYS_REGISTRATION": -4090, "DAYS_ID_PUBLISH": -990}
    >>> persons(pl.DataFrame([one, later, one | {"CODE_GENDER": "M"}])).to_list()
    [1, 1, 2]
    """
    traits = _traits(applications).with_columns(alone=pl.when("is_unknown").then(pl.int_range(pl.len())))
    return traits.select(pl.struct(pl.all()).rank("dense").alias("person")).to_series()


def _traits(applications: pl.DataFrame) -> pl.DataFrame:
    """Return the two ages of each application in days, the gender, and whether an age is unknown."""
    days = {name: pl.col(name).cast(pl.Int64) for name in PERSON_FROM if name.startswith("DAYS")}
    traits = applications.select(
        registered_at=days["DAYS_BIRTH"] - days["DAYS_REGISTRATION"],
        identified_at=days["DAYS_BIRTH"] - days["DAYS_ID_PUBLISH"],
        gender=pl.col("CODE_GENDER").cast(pl.String),
    )
    return traits.with_columns(is_unknown=pl.any_horizontal(pl.col("registered_at", "identified_at").is_null()))


def fold_rows(
    target: NDArray[np.int64], person: NDArray[np.int64], folds: int, seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the training and the validation rows of each fold; stratified, and a person stays in one fold.

    `target` is 1 where the client defaulted, `person` as `persons` numbers them. Raises CommandError where a class
    has fewer than two rows for each fold.
    """
    rarest = int(min(np.sum(target == 0), np.sum(target == 1)))
    if rarest < 2 * folds:
        raise CommandError(
            f"{len(target)} development rows hold {rarest} of the rarer outcome; {folds} folds need {2 * folds}: "
            "give more clients or fewer --folds"
        )
    _, number = np.unique(person, return_inverse=True)
    defaulted = np.zeros(number.max() + 1, dtype=np.int64)
    np.maximum.at(defaulted, number, target)
    split = StratifiedKFold(folds, shuffle=True, random_state=seed).split(defaulted, defaulted)
    rows = []
    for _, validation_persons in split:
        validation = np.isin(number, validation_persons)
        rows.append((np.flatnonzero(~validation), np.flatnonzero(validation)))
    return rows


def _position(text: str) -> float:
    digest = hashlib.blake2b(f"{SALT}:{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
