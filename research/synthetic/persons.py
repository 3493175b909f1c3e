"""People with several identifiers: their later applications repeat what belongs to the person, and mostly the outcome.

The risk is the person's: a later application has the true probability of the first. It is the probability before any
outcome of the person is known, and outcomes are drawn so that it stays exact: over both outcomes of the first
application, the later one defaults with this probability.
"""

import numpy as np
from numpy.typing import NDArray

from bento.data.tables import APPLICATION, OPEN_ENDED
from research.synthetic.application_draft import ApplicationDraft
from research.synthetic.calibration_statistics import statistics, table_statistics
from research.synthetic.frames import Floats, Integers

_DAYS_BETWEEN = (30, 720)
"""Least and most days between two applications of a person; assumed."""
_RESCORED = ("EXT_SOURCE_2", "EXT_SOURCE_3")
"""External scores that are made again for each application; the first is mostly kept."""
_SCORE_KEPT = 0.8
"""Correlation of two external scores of a person; assumed."""
_OF_APPLICATION = (
    *_RESCORED,
    "NAME_CONTRACT_TYPE",
    "AMT_CREDIT",
    "AMT_ANNUITY",
    "AMT_GOODS_PRICE",
    "NAME_TYPE_SUITE",
    "WEEKDAY_APPR_PROCESS_START",
    "HOUR_APPR_PROCESS_START",
    *(column.name for column in APPLICATION if column.name.startswith(("AMT_REQ_", "FLAG_DOCUMENT_"))),
)
"""Columns that belong to one application, not to the person."""
_DAYS = ("DAYS_BIRTH", "DAYS_REGISTRATION", "DAYS_ID_PUBLISH", "DAYS_EMPLOYED", "DAYS_LAST_PHONE_CHANGE")


def draw_persons(clients: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw for each client the position of the person's first application, mostly the client's: shape (clients,)."""
    later = (
        rng.random(clients) < statistics()["patterns"]["applications_of_persons"]["share"] / 2
    )  # nearly all have two
    if later.all():
        return np.arange(clients)
    firsts = np.flatnonzero(~later)
    return np.where(later, firsts[rng.integers(0, len(firsts), clients)], np.arange(clients))


def repeat_scores(scores: dict[str, Floats], person: NDArray[np.intp]) -> dict[str, Floats]:
    """Return the latent scores with those of the person's first application in what belongs to the person."""
    later = person != np.arange(len(person))
    result = dict(scores)
    for name, score in scores.items():
        if name in _RESCORED:
            own = np.sqrt(1 - _SCORE_KEPT**2) * score
            result[name] = np.where(later, _SCORE_KEPT * score[person] + own, score)
        elif name.removeprefix("missing:") not in _OF_APPLICATION:
            result[name] = score[person]
    return result


def repeat_values(draft: ApplicationDraft, person: NDArray[np.intp]) -> None:
    """Give later applications the values of the person's first one, with all days further back."""
    later = person != np.arange(len(person))
    values = draft.values
    oldest = table_statistics("application_train")["DAYS_BIRTH"].quantiles[0]
    between = draft.rng.integers(*_DAYS_BETWEEN, len(person)).astype(np.float64)
    between = np.where(later, np.clip(values["DAYS_BIRTH"][person] - oldest, 0, between), 0.0)
    for name in values.keys() - set(_OF_APPLICATION):
        first = values[name][person]
        if name in _DAYS:
            first = np.where(first == OPEN_ENDED, first, first - between)
        elif name == "OWN_CAR_AGE":
            first = first + np.floor(between / 365.25)
        values[name] = first
    for name in draft.missing.keys() - set(_OF_APPLICATION):
        draft.missing[name] = draft.missing[name][person]


def draw_targets(probability: Floats, person: NDArray[np.intp], rng: np.random.Generator) -> Integers:
    """Draw the outcome of each client (0 or 1) with its `probability`, the same for all applications of a person.

    A default is mostly followed by another; after none a default is rarer than `probability`, as its mean requires.
    """
    chance = rng.random(len(probability))
    target = chance < probability
    after_default = statistics()["patterns"]["default_after_default"]["share"]
    after_none = probability * (1 - after_default) / (1 - probability)
    later = person != np.arange(len(person))
    repeated = chance < np.where(target[person], after_default, np.minimum(after_none, 1.0))
    return np.where(later, repeated, target).astype(np.int64)
