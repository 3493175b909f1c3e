"""Monthly states of the credits at other lenders."""

import numpy as np
import polars as pl
from scipy.special import ndtr

from bento.data.tables import BUREAU_BALANCE
from research.synthetic.arrays import DAYS_IN_MONTH, Integers
from research.synthetic.bureau import Credits
from research.synthetic.calibration_statistics import statistics
from research.synthetic.frames import categories, frame, spread
from research.synthetic.risk_traits import Traits, mix

_MAX_MONTHS = 97
_STATES = ("C", "X", "0", "1", "2", "3", "4", "5")


def draw_bureau_balance(
    credits: Credits, traits: Traits, unmatched_ids: Integers, rng: np.random.Generator
) -> pl.DataFrame:
    """Draw the months of the covered `credits`, and of some without a bureau row, identified by `unmatched_ids`."""
    structure = statistics()["structure"]["bureau_balance"]
    covered = np.flatnonzero(rng.random(len(credits.ids)) < structure["covered"])
    unmatched = min(rng.binomial(len(credits.ids), structure["unmatched"]), len(unmatched_ids))
    ids = np.concatenate([credits.ids[covered], unmatched_ids[:unmatched]])
    start = np.concatenate(
        [credits.start[covered], -DAYS_IN_MONTH * (structure["unmatched_months"] + rng.integers(-20, 21, unmatched))]
    )
    end = np.concatenate([credits.end[covered], np.full(unmatched, np.nan)])
    late = mix(rng, (0.5, np.concatenate([traits.late[credits.owner[covered]], rng.standard_normal(unmatched)])))

    end = np.where(np.isnan(end) & (np.arange(len(ids)) >= len(covered)), start * rng.random(len(ids)), end)
    first = np.maximum(np.ceil(start / DAYS_IN_MONTH), 1 - _MAX_MONTHS)
    closing = np.where(np.isnan(end), 1.0, np.ceil(end / DAYS_IN_MONTH))
    stops = ~np.isnan(end) & (rng.random(len(ids)) < structure["stops_early"])
    last = np.where(stops, np.rint(np.clip(closing, first, 0) * rng.random(len(ids))), 0)
    credit, age = spread((last - first + 1).astype(np.int64))
    month = last[credit] - age

    unknown_share = np.where(rng.random(len(ids)) < structure["silent"], 0.97, structure["unknown"])
    state = np.where(rng.random(len(credit)) < unknown_share[credit], 1, 2)
    behind = 0.8 * late[credit] + 0.6 * rng.standard_normal(len(credit))
    levels = np.array(structure["late_shares"])
    edges = 1 - np.cumsum(levels[::-1])[::-1] / structure["open_share"]
    state = np.where(state == 2, 2 + np.searchsorted(edges, ndtr(behind)), state)
    state = np.where(month >= closing[credit], 0, state)
    return frame(
        BUREAU_BALANCE,
        {"SK_ID_BUREAU": ids[credit], "MONTHS_BALANCE": month, "STATUS": categories(_STATES, state)},
    )
