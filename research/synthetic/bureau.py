"""Credits at other lenders."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from bento.data.tables import BUREAU
from research.synthetic.application import Clients
from research.synthetic.counts import draw_counts
from research.synthetic.facts import facts, probabilities, table_facts
from research.synthetic.frames import frame, spread
from research.synthetic.marginals import choose, grid_quantile, quantile
from research.synthetic.risk_traits import Traits, mix, rank

Floats = NDArray[np.float64]

IDS_PER_CLIENT = 8
"""Identifiers set aside, more than a chunk of clients ever has credits."""

_OLD_NEWS = 700
"""Days after which a closed credit is at times reported again."""
_BY_RISK = (
    "Mortgage",
    "Car loan",
    "Consumer credit",
    "Another type of loan",
    "Loan for business development",
    "Cash loan (non-earmarked)",
    "Unknown type of loan",
    "Credit card",
    "Loan for working capital replenishment",
    "Microloan",
)


@dataclass(frozen=True)
class Credits:
    """Bureau credits of a chunk, one element each: what their monthly states need."""

    ids: NDArray[np.int64]
    owner: NDArray[np.int64]
    start: Floats
    """Days."""
    end: Floats
    """Days; NaN while the credit is open."""


def draw_bureau(
    clients: Clients, traits: Traits, ids: NDArray[np.int64], rng: np.random.Generator
) -> tuple[pl.DataFrame, Credits]:
    """Bureau credits of `clients`, identified by the shuffled `ids`, and their lives."""
    known = table_facts("bureau")
    owner, _ = spread(draw_counts("bureau", len(clients.ids), rng, traits.recent))
    size = len(owner)
    kind = choose(
        {name: known["CREDIT_TYPE"].shares[name] for name in _BY_RISK}, rank(rng, (0.12, traits.indebted[owner]))
    )
    groups = facts()["structure"]["bureau"]
    group = np.where(np.isin(kind, list(groups)), kind, "other")
    is_card = kind == "Credit card"
    active_shares = _by_group(groups, group, lambda states: states["Active"]["share"])
    active = rank(rng, (0.2, traits.indebted[owner])) > 1 - active_shares
    state = np.where(active, "Active", "Closed")

    recency = mix(rng, (0.35, traits.recent[owner]), (0.25, rng.standard_normal(len(clients.ids))[owner]))
    start = np.minimum(np.floor(_grid(groups, group, state, "start", ndtr(recency))), 0)
    age = -start
    length = mix(rng, (np.where(active, 0.5, 0.3), -recency))
    term = np.rint(_grid(groups, group, state, "term", ndtr(length)))
    life = np.rint(_grid(groups, group, state, "life", ndtr(mix(rng, (0.75, length)))))
    life = np.where(life < age, np.maximum(life, 1), np.ceil(age * (1 - 0.8 * rng.random(size))))
    on_time = ~active & (rng.random(size) < np.where(is_card, 0.1, 0.4))
    term = np.where(on_time, life, term)
    end = start + term
    closed_on = np.where(active, np.nan, np.minimum(start + life, 0))
    sold, bad = known["CREDIT_ACTIVE"].shares["Sold"], facts()["structure"]["bad_debt_share"]
    status = np.select([rng.random(size) < bad, rng.random(size) < sold], ["Bad debt", "Sold"], state).astype(object)

    large = mix(rng, (0.45, length))
    amount = _grid(groups, group, state, "amount", ndtr(large))
    amount = quantile(known["AMT_CREDIT_SUM"], _rank_in_all("amount", amount, rng))
    amount = np.round(amount / 4.5) * 4.5
    owed = _grid(groups, group, state, "debt", rank(rng, (0.45, traits.indebted[owner]), (0.3, recency)))
    debt = np.round(np.where(active, np.maximum(owed, 0), owed * (rng.random(size) < 0.3)) * amount, 2)
    debt = np.where(active & (rng.random(size) < 0.004), -np.round(rng.exponential(3000, size) / 4.5) * 4.5, debt)
    open_limit = active & (rng.random(size) < np.where(is_card, 0.41, 0.01))
    limit = np.where(open_limit, np.maximum(amount - debt, 0), 0.0)
    late_score = mix(rng, (0.45, traits.late[owner]))
    late_days, late_amount = _overdue(active, late_score, age, amount, rng)
    worst = quantile(known["AMT_CREDIT_MAX_OVERDUE"], rank(rng, (0.8, late_score)))
    lag = _grid(groups, group, state, "late_news", rng.random(size))
    swept = rng.random(size) < facts()["structure"]["old_news_swept_up"]
    lag = np.maximum(lag, np.where(swept, (-closed_on - _OLD_NEWS) * rng.random(size), 0))
    lag = np.clip(lag, 0, -closed_on * rng.random(size) ** 0.5)
    news = _grid(groups, group, state, "update", ndtr(mix(rng, (0.3, recency))))
    news = np.clip(np.rint(np.where(active, news, closed_on + lag)), start, 0)
    annuity = quantile(known["AMT_ANNUITY"], ndtr(mix(rng, (0.45, large), (0.4, np.where(active, 1.3, -0.75)))))

    def sometimes(name: str, values: Floats, tilt: float = 1.0) -> Floats:
        """Empty at the known rate, `tilt` times as often for the active."""
        rate = known[name].null_rate
        share = _active_share()
        closed_rate = rate / (1 - share + share * tilt)
        return np.where(rng.random(size) < np.where(active, closed_rate * tilt, closed_rate), np.nan, values)

    ids = ids[:size]
    table = frame(
        BUREAU,
        {
            "SK_ID_CURR": clients.ids[owner],
            "SK_ID_BUREAU": ids,
            "CREDIT_ACTIVE": status,
            "CREDIT_CURRENCY": choose(known["CREDIT_CURRENCY"].shares, rng.random(size)),
            "DAYS_CREDIT": start,
            "CREDIT_DAY_OVERDUE": late_days,
            "DAYS_CREDIT_ENDDATE": _slips(sometimes("DAYS_CREDIT_ENDDATE", end, 1.6), rng),
            "DAYS_ENDDATE_FACT": closed_on,
            "AMT_CREDIT_MAX_OVERDUE": sometimes("AMT_CREDIT_MAX_OVERDUE", np.maximum(worst, late_amount)),
            "CNT_CREDIT_PROLONG": choose(known["CNT_CREDIT_PROLONG"].shares, rng.random(size)).astype(float),
            "AMT_CREDIT_SUM": amount,
            "AMT_CREDIT_SUM_DEBT": sometimes("AMT_CREDIT_SUM_DEBT", debt, 0.8),
            "AMT_CREDIT_SUM_LIMIT": sometimes("AMT_CREDIT_SUM_LIMIT", limit, 0.8),
            "AMT_CREDIT_SUM_OVERDUE": late_amount,
            "CREDIT_TYPE": kind,
            "DAYS_CREDIT_UPDATE": news,
            "AMT_ANNUITY": sometimes("AMT_ANNUITY", annuity),
        },
    )
    return table, Credits(ids, owner, start, closed_on)


def _by_group(groups: dict, group: NDArray, value) -> Floats:
    result = np.empty(len(group))
    for name, states in groups.items():
        result[group == name] = value(states)
    return result


def _grid(groups: dict, group: NDArray, state: NDArray, measure: str, ranks: Floats) -> Floats:
    """Values of `measure` at `ranks`, by the quantiles of the group and state; NaN where these know none."""
    result = np.full(len(group), np.nan)
    for name, states in groups.items():
        for which, grids in states.items():
            rows = (group == name) & (state == which)
            if measure in grids:
                result[rows] = grid_quantile(grids[measure], ranks[rows])
    return result


def _overdue(
    active: NDArray[np.bool_], late_score: Floats, age: Floats, amount: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Days and amount overdue now: of few, and of the active only."""
    rare = (1 - facts()["structure"]["bureau_on_time_share"]) / _active_share()
    overdue = active & (ndtr(late_score) > 1 - rare)
    days = np.minimum(np.ceil(rng.lognormal(3.3, 1.6, len(active))), np.maximum(age, 1))
    owed = np.maximum(np.round(amount * 0.02 * rng.random(len(active)) / 4.5), 1) * 4.5
    return np.where(overdue, days, 0.0), np.where(overdue, owed, 0.0)


@cache
def _group_shares() -> dict[str, float]:
    """Share of each group among all credits."""
    shares = table_facts("bureau")["CREDIT_TYPE"].shares
    groups = facts()["structure"]["bureau"]
    named = {name: shares[name] for name in groups if name in shares}
    return {name: named.get(name, 1 - sum(named.values())) for name in groups}


@cache
def _active_share() -> float:
    groups = facts()["structure"]["bureau"]
    return sum(share * groups[name]["Active"]["share"] for name, share in _group_shares().items())


@cache
def _in_all(measure: str) -> tuple[Floats, Floats, Floats]:
    """Values of `measure` ascending, and the share of all credits below, and at or below, each."""
    grids = [
        (_group_shares()[name] * item["share"], item[measure])
        for name, states in facts()["structure"]["bureau"].items()
        for item in states.values()
    ]
    values = np.unique(np.concatenate([quantiles for _, quantiles in grids]))
    total = sum(weight for weight, _ in grids)
    below = sum(weight * _level(quantiles, values, "left") for weight, quantiles in grids) / total
    within = sum(weight * _level(quantiles, values, "right") for weight, quantiles in grids) / total
    return values, below, within


def _level(quantiles: list[float], values: Floats, side: Literal["left", "right"]) -> Floats:
    """Probability of a value below (left) or up to (right) each of `values`."""
    levels = probabilities()
    first = np.searchsorted(quantiles, values, side="left")
    last = np.searchsorted(quantiles, values, side="right") - 1
    between = np.interp(values, quantiles, levels)
    atom = last >= first
    if side == "left":
        return np.where(atom, levels[np.minimum(first, len(levels) - 1)], between)
    return np.where(atom, levels[np.maximum(last, 0)], between)


def _rank_in_all(measure: str, drawn: Floats, rng: np.random.Generator) -> Floats:
    """Ranks among all credits of values drawn by group; ranks of equal values are spread by chance."""
    values, below, within = _in_all(measure)
    place = np.minimum(np.searchsorted(values, drawn), len(values) - 1)
    before = np.maximum(place - 1, 0)
    exact = values[place] == drawn
    low = np.where(exact, below[place], within[before])
    high = np.where(exact, within[place], below[place])
    way = (drawn - values[before]) / np.maximum(values[place] - values[before], 1e-9)
    return low + np.where(exact, rng.random(len(drawn)), np.clip(way, 0.0, 1.0)) * (high - low)


def _slips(end: Floats, rng: np.random.Generator) -> Floats:
    """Planned ends with the data's known slips: dates of a century ago."""
    slip = rng.random(len(end)) < facts()["structure"]["century_slip_share"]
    return np.where(slip & ~np.isnan(end), end - 36_525 - 3_000, end)
