"""Credits at other lenders, and their monthly states."""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from bento.data.tables import BUREAU, BUREAU_BALANCE
from research.synthetic.application import Clients
from research.synthetic.calibration_statistics import (
    choose,
    grid_quantile,
    probabilities,
    quantile,
    statistics,
    table_statistics,
)
from research.synthetic.frames import DAYS_IN_MONTH, Flags, Floats, Integers, Texts, categories, frame, spread
from research.synthetic.risk_traits import Traits, among, draw_counts, mix, rank

IDS_PER_CLIENT = 8
"""Identifiers reserved for each client of a chunk; the mean number of credits is below 6."""

_DAYS_UNTIL_REPORTED_AGAIN = 700
"""Days after the end of a closed credit from which a second report may come."""
_MAX_MONTHS = 97
_DAYS_IN_CENTURY = 36_525
_STATES = ("C", "X", "0", "1", "2", "3", "4", "5")
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
    """Bureau credits of a chunk, one element each, with what their monthly states need."""

    ids: Integers
    owner: Integers
    start: Floats
    """Days."""
    end: Floats
    """Days; NaN while the credit is open."""


@dataclass(frozen=True)
class _Segments:
    """Kind and state of each credit, whose statistics are those of its segment."""

    kind: Texts
    active: Flags

    @cached_property
    def group(self) -> NDArray[np.str_]:
        """Kinds with statistics, and "other"."""
        return np.where(np.isin(self.kind, list(_groups())), self.kind, "other").astype(str)

    @cached_property
    def state(self) -> NDArray[np.str_]:
        """Active or closed."""
        return np.where(self.active, "Active", "Closed")

    def values(self, measure: str, ranks: Floats) -> Floats:
        """Return the values of `measure` at `ranks`, by the quantiles of each segment; NaN where it has none."""
        result = np.full(len(self.kind), np.nan)
        for name, states in _groups().items():
            for state, quantiles in states.items():
                rows = (self.group == name) & (self.state == state)
                if measure in quantiles:
                    result[rows] = grid_quantile(quantiles[measure], ranks[rows])
        return result


@dataclass(frozen=True)
class _Lives:
    """Dates of each credit, in days, and its status."""

    start: Floats
    planned_end: Floats
    closed_on: Floats
    """NaN while the credit is open."""
    length: Floats
    """Standard normal score of the length."""
    status: Texts


@dataclass(frozen=True)
class _Amounts:
    """Amounts of each credit, and the days that it is overdue now."""

    size: Floats
    """Standard normal score of the amount."""
    amount: Floats
    debt: Floats
    limit: Floats
    days_overdue: Floats
    overdue: Floats
    max_overdue: Floats


def draw_bureau(
    clients: Clients, traits: Traits, ids: Integers, rng: np.random.Generator
) -> tuple[pl.DataFrame, Credits]:
    """Draw the bureau credits of `clients`, identified by the shuffled `ids`, with the dates their months need."""
    columns = table_statistics("bureau")
    owner, _ = spread(draw_counts("bureau", len(clients.ids), rng, traits.indebted))
    size = len(owner)
    segments = _draw_segments(among(traits.indebted[owner]), rng)
    recency = mix(rng, (0.6, among(traits.recent[owner])), (0.25, rng.standard_normal(len(clients.ids))[owner]))
    lives = _draw_lives(segments, recency, rng)
    amounts = _draw_amounts(segments, lives, recency, traits, owner, rng)
    updated = _draw_updates(segments, lives, recency, rng)
    annuity_rank = mix(rng, (0.45, amounts.size), (0.4, np.where(segments.active, 1.3, -0.75)))
    annuity = quantile(columns["AMT_ANNUITY"], ndtr(annuity_rank))

    def with_missing(name: str, values: Floats, active_ratio: float = 1.0) -> Floats:
        """Remove values at the column's rate, `active_ratio` times as often from active credits."""
        share = _active_share()
        closed_rate = columns[name].null_rate / (1 - share + share * active_ratio)
        rate = np.where(segments.active, closed_rate * active_ratio, closed_rate)
        return np.where(rng.random(size) < rate, np.nan, values)

    def with_century_errors(end: Floats) -> Floats:
        """Move a few planned ends back by a century, as in the real data."""
        wrong = rng.random(size) < statistics()["structure"]["century_error_share"]
        return np.where(wrong & ~np.isnan(end), end - _DAYS_IN_CENTURY - 3_000, end)

    ids = ids[:size]
    table = frame(
        BUREAU,
        {
            "SK_ID_CURR": clients.ids[owner],
            "SK_ID_BUREAU": ids,
            "CREDIT_ACTIVE": lives.status,
            "CREDIT_CURRENCY": choose(columns["CREDIT_CURRENCY"].shares, rng.random(size)),
            "DAYS_CREDIT": lives.start,
            "CREDIT_DAY_OVERDUE": amounts.days_overdue,
            "DAYS_CREDIT_ENDDATE": with_century_errors(with_missing("DAYS_CREDIT_ENDDATE", lives.planned_end, 1.6)),
            "DAYS_ENDDATE_FACT": lives.closed_on,
            "AMT_CREDIT_MAX_OVERDUE": with_missing("AMT_CREDIT_MAX_OVERDUE", amounts.max_overdue),
            "CNT_CREDIT_PROLONG": choose(columns["CNT_CREDIT_PROLONG"].shares, rng.random(size)).astype(float),
            "AMT_CREDIT_SUM": amounts.amount,
            "AMT_CREDIT_SUM_DEBT": with_missing("AMT_CREDIT_SUM_DEBT", amounts.debt, 0.8),
            "AMT_CREDIT_SUM_LIMIT": with_missing("AMT_CREDIT_SUM_LIMIT", amounts.limit, 0.8),
            "AMT_CREDIT_SUM_OVERDUE": amounts.overdue,
            "CREDIT_TYPE": segments.kind,
            "DAYS_CREDIT_UPDATE": updated,
            "AMT_ANNUITY": with_missing("AMT_ANNUITY", annuity),
        },
    )
    return table, Credits(ids, owner, lives.start, lives.closed_on)


def _draw_segments(indebted: Floats, rng: np.random.Generator) -> _Segments:
    shares = table_statistics("bureau")["CREDIT_TYPE"].shares
    kind = choose({name: shares[name] for name in _BY_RISK}, rank(rng, (0.12, indebted)))
    segments = _Segments(kind, np.zeros(len(kind), dtype=bool))
    active_share = np.empty(len(kind))
    for name, states in _groups().items():
        active_share[segments.group == name] = states["Active"]["share"]
    return _Segments(kind, rank(rng, (0.6, indebted)) > 1 - active_share)


def _draw_lives(segments: _Segments, recency: Floats, rng: np.random.Generator) -> _Lives:
    active, size = segments.active, len(recency)
    start = np.minimum(np.floor(segments.values("start", ndtr(recency))), 0)
    age = -start
    length = mix(rng, (np.where(active, 0.65, 0.3), -recency))
    term = np.rint(segments.values("term", ndtr(length)))
    life = np.rint(segments.values("life", ndtr(mix(rng, (0.75, length)))))
    life = np.where(life < age, np.maximum(life, 1), np.ceil(age * (1 - 0.8 * rng.random(size))))
    on_time = ~active & (rng.random(size) < np.where(segments.kind == "Credit card", 0.1, 0.4))
    term = np.where(on_time, life, term)
    closed_on = np.where(active, np.nan, np.minimum(start + life, 0))
    bad_debt = rng.random(size) < statistics()["structure"]["bad_debt_share"]
    sold = rng.random(size) < table_statistics("bureau")["CREDIT_ACTIVE"].shares["Sold"]
    status = np.select([bad_debt, sold], ["Bad debt", "Sold"], segments.state).astype(object)
    return _Lives(start, start + term, closed_on, length, status)


def _draw_amounts(
    segments: _Segments, lives: _Lives, recency: Floats, traits: Traits, owner: Integers, rng: np.random.Generator
) -> _Amounts:
    columns = table_statistics("bureau")
    active, count = segments.active, len(recency)
    size = mix(rng, (0.45, lives.length))
    amount = segments.values("amount", ndtr(size))
    amount = quantile(columns["AMT_CREDIT_SUM"], _rank_in_all("amount", amount, rng))
    amount = np.round(amount / 4.5) * 4.5
    indebted = np.zeros(count)
    indebted[active] = among(traits.indebted[owner[active]])
    owed = segments.values("debt", rank(rng, (0.75, indebted), (0.3, recency)))
    debt = np.round(np.where(active, np.maximum(owed, 0), owed * (rng.random(count) < 0.3)) * amount, 2)
    overpaid = active & (rng.random(count) < 0.004)
    debt = np.where(overpaid, -np.round(rng.exponential(3000, count) / 4.5) * 4.5, debt)
    has_limit = active & (rng.random(count) < np.where(segments.kind == "Credit card", 0.41, 0.01))
    limit = np.where(has_limit, np.maximum(amount - debt, 0), 0.0)
    late_score = mix(rng, (0.8, among(traits.late[owner])))
    days_overdue, overdue = _overdue(active, late_score, -lives.start, amount, rng)
    max_overdue = quantile(columns["AMT_CREDIT_MAX_OVERDUE"], rank(rng, (0.8, late_score)))
    return _Amounts(size, amount, debt, limit, days_overdue, overdue, np.maximum(max_overdue, overdue))


def _draw_updates(segments: _Segments, lives: _Lives, recency: Floats, rng: np.random.Generator) -> Floats:
    """Draw the day of the last report: recent for active credits, after the end for closed ones."""
    size = len(recency)
    lag = segments.values("late_news", rng.random(size))
    reported_again = rng.random(size) < statistics()["structure"]["old_news_swept_up"]
    again_lag = (-lives.closed_on - _DAYS_UNTIL_REPORTED_AGAIN) * rng.random(size)
    lag = np.maximum(lag, np.where(reported_again, again_lag, 0))
    lag = np.clip(lag, 0, -lives.closed_on * rng.random(size) ** 0.5)
    updated = segments.values("update", ndtr(mix(rng, (0.3, recency))))
    return np.clip(np.rint(np.where(segments.active, updated, lives.closed_on + lag)), lives.start, 0)


def _overdue(
    active: Flags, late_score: Floats, age: Floats, amount: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw days and amount overdue now, for a few of the active credits."""
    rare = (1 - statistics()["structure"]["bureau_on_time_share"]) / _active_share()
    overdue = active & (ndtr(late_score) > 1 - rare)
    days = np.minimum(np.ceil(rng.lognormal(3.3, 1.6, len(active))), np.maximum(age, 1))
    owed = np.maximum(np.round(amount * 0.02 * rng.random(len(active)) / 4.5), 1) * 4.5
    return np.where(overdue, days, 0.0), np.where(overdue, owed, 0.0)


def _groups() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the statistics of each group of kinds, by state."""
    groups: dict[str, dict[str, dict[str, Any]]] = statistics()["structure"]["bureau"]
    return groups


@cache
def _group_shares() -> dict[str, float]:
    """Return the share of each group among all credits."""
    shares = table_statistics("bureau")["CREDIT_TYPE"].shares
    groups = _groups()
    named = {name: shares[name] for name in groups if name in shares}
    return {name: named.get(name, 1 - sum(named.values())) for name in groups}


@cache
def _active_share() -> float:
    groups = _groups()
    return sum(share * groups[name]["Active"]["share"] for name, share in _group_shares().items())


@cache
def _in_all(measure: str) -> tuple[Floats, Floats, Floats]:
    """Return the ascending values of `measure`, and the shares of all credits below, and at or below, a value."""
    grids = [
        (_group_shares()[name] * item["share"], item[measure])
        for name, states in _groups().items()
        for item in states.values()
    ]
    values = np.unique(np.concatenate([quantiles for _, quantiles in grids]))
    total = sum(weight for weight, _ in grids)
    below = sum(weight * _level(quantiles, values, "left") for weight, quantiles in grids) / total
    within = sum(weight * _level(quantiles, values, "right") for weight, quantiles in grids) / total
    return values, below, within


def _level(quantiles: list[float], values: Floats, side: Literal["left", "right"]) -> Floats:
    """Return the probability of a value below (left) or up to (right) `values`."""
    levels = probabilities()
    first = np.searchsorted(quantiles, values, side="left")
    last = np.searchsorted(quantiles, values, side="right") - 1
    between = np.interp(values, quantiles, levels)
    edge = np.clip(first if side == "left" else last, 0, len(levels) - 1)
    return np.where(last >= first, levels[edge], between)


def _rank_in_all(measure: str, drawn: Floats, rng: np.random.Generator) -> Floats:
    """Return the ranks among all credits of values drawn by group; equal values get random ranks."""
    values, below, within = _in_all(measure)
    place = np.minimum(np.searchsorted(values, drawn), len(values) - 1)
    before = np.maximum(place - 1, 0)
    exact = values[place] == drawn
    low = np.where(exact, below[place], within[before])
    high = np.where(exact, within[place], below[place])
    fraction = (drawn - values[before]) / np.maximum(values[place] - values[before], 1e-9)
    return low + np.where(exact, rng.random(len(drawn)), np.clip(fraction, 0.0, 1.0)) * (high - low)


def draw_bureau_balance(
    credits: Credits, traits: Traits, unmatched_ids: Integers, rng: np.random.Generator
) -> pl.DataFrame:
    """Draw the months of the covered `credits`, and of some without a bureau row, identified by `unmatched_ids`."""
    structure = statistics()["structure"]["bureau_balance"]
    covered = np.flatnonzero(rng.random(len(credits.ids)) < structure["covered"])
    unmatched = min(rng.binomial(len(credits.ids), structure["unmatched"]), len(unmatched_ids))
    ids = np.concatenate([credits.ids[covered], unmatched_ids[:unmatched]])
    unmatched_months = structure["unmatched_months"] + rng.integers(-20, 21, unmatched)
    start = np.concatenate([credits.start[covered], -DAYS_IN_MONTH * unmatched_months])
    end = np.concatenate([credits.end[covered], np.full(unmatched, np.nan)])
    late = mix(
        rng, (0.75, np.concatenate([among(traits.late[credits.owner[covered]]), rng.standard_normal(unmatched)]))
    )

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
    states = categories(_STATES, state)
    return frame(BUREAU_BALANCE, {"SK_ID_BUREAU": ids[credit], "MONTHS_BALANCE": month, "STATUS": states})
