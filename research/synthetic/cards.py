"""Monthly state of credit cards with this lender."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtr

from bento.data.tables import CREDIT_CARD_BALANCE
from research.synthetic.application import Clients
from research.synthetic.facts import facts, probabilities, table_facts
from research.synthetic.frames import categories, frame, spread
from research.synthetic.marginals import quantile
from research.synthetic.previous import Loans
from research.synthetic.risk_traits import Traits, mix

Floats = NDArray[np.float64]

_MONTH = 30.44
_MAX_MONTHS = 96
_STATES = ("Active", "Completed", "Signed", "Demand", "Sent proposal")
_OF_CARD = 0.85
"""Share of the score of a balance that stays with the card; the rest wanders from month to month."""
_MEMORY = 0.92


@dataclass(frozen=True)
class CardMonths:
    """Months of cards, one element each and in time order: what the payments of cards need."""

    ids: NDArray[np.int64]
    owner: NDArray[np.int64]
    month: Floats
    level: Floats
    """Standard normal; higher for higher balances."""
    due: NDArray[np.bool_]
    """An instalment fell due in the month."""


def draw_cards(
    clients: Clients, traits: Traits, loans: Loans, rng: np.random.Generator
) -> tuple[pl.DataFrame, CardMonths]:
    """Months of the cards among the loans."""
    known, structure = table_facts("credit_card_balance"), facts()["structure"]["card"]
    loans = loans.only(loans.card)
    cards = len(loans.ids)
    months = np.clip(np.ceil(-loans.decision / _MONTH), 1, _MAX_MONTHS)
    card, step = spread(months.astype(np.int64))
    month = step - months[card]
    size = len(card)

    habit = loans.habit
    wander = lfilter(
        [np.sqrt(1 - _MEMORY**2)], [1.0, -_MEMORY], rng.standard_normal((cards, 200 + _MAX_MONTHS)), axis=1
    )[:, 200:]
    level = _OF_CARD * habit[card] + np.sqrt(1 - _OF_CARD**2) * wander[card, step]
    before = _OF_CARD * habit[card] + np.sqrt(1 - _OF_CARD**2) * wander[card, np.maximum(step - 1, 0)]
    in_use = ndtr(level) > _zero_share("AMT_TOTAL_RECEIVABLE")

    def at(name: str, score: Floats) -> Floats:
        return quantile(known[name], ndtr(score))

    balance = np.round(at("AMT_BALANCE", level), 3)
    owed = np.round(at("AMT_RECIVABLE", level), 3)
    principal = np.where(balance > 0, np.minimum(np.round(at("AMT_RECEIVABLE_PRINCIPAL", level), 3), balance), 0.0)
    size_score = mix(rng, (0.75, habit))[card]
    limit = np.round(at("AMT_CREDIT_LIMIT_ACTUAL", size_score) / 4500) * 4500
    limit = np.where(balance > limit * 1.05, np.ceil(balance / 1.05 / 22500) * 22500, limit)

    spending = mix(rng, (0.6, level))
    drawn = at("AMT_DRAWINGS_CURRENT", spending)
    drew = drawn > 0
    way = rng.random(size)
    by_atm, by_pos = drew & (way < 0.66), drew & (way > 0.50)
    split = np.where(by_atm & by_pos, rng.random(size), np.where(by_atm, 1.0, 0.0))
    atm = np.where(by_atm, _notes(drawn * split), 0.0)
    shop = np.where(by_pos, np.round(drawn * (1 - split), 3), 0.0)
    elsewhere = np.where(drew & (rng.random(size) < 0.02), np.round(drawn, 3), 0.0)
    drawings = np.maximum(np.rint(at("CNT_DRAWINGS_CURRENT", spending)), 1)
    atm_count = np.where(by_atm, np.where(by_pos, np.ceil(drawings * 0.4), np.minimum(drawings, 5)), 0)
    shop_count = np.where(by_pos, np.maximum(drawings - atm_count, 1), 0)
    other_count = (elsewhere > 0).astype(float)

    asleep_share = known["AMT_DRAWINGS_ATM_CURRENT"].null_rate / max(_zero_share("AMT_BALANCE"), 1e-9)
    asleep = ~in_use & ~drew & (rng.random(cards)[card] < asleep_share * 1.02)
    fresh = (
        ~in_use
        & ~drew
        & (rng.random(cards)[card] < known["AMT_INST_MIN_REGULARITY"].null_rate / _zero_share("AMT_BALANCE"))
    )

    def unless(asleep: NDArray[np.bool_], values: Floats) -> Floats:
        return np.where(asleep, np.nan, values)

    paying = mix(rng, (0.75, before))
    least = np.round(quantile(known["AMT_INST_MIN_REGULARITY"], _rank_among(before, ~fresh)), 3)
    paid = np.round(quantile(known["AMT_PAYMENT_CURRENT"], _rank_among(paying, ~asleep)), 3)
    paid_in_all = np.round(at("AMT_PAYMENT_TOTAL_CURRENT", paying), 3)
    paid_in_all = np.where(asleep, paid_in_all, np.minimum(paid_in_all, paid))
    mature = _matured(card, step, ndtr(loans.habit) > 1 - structure["ever_used"], rng)
    due = mature > np.where(step > 0, np.roll(mature, 1), 0.0)
    overdue = np.rint(at("SK_DPD", mix(rng, (0.7, traits.late[loans.owner[card]]))))
    overdue_def = np.minimum(overdue, np.where(overdue > 0, np.where(rng.random(size) < 0.55, 1, 0), 0))
    done = (rng.random(cards) < structure["completed"])[card] & ~in_use & (month > -1 - structure["completed_months"])
    state = np.where(done, 1, np.where((step == 0) & (rng.random(size) < structure["signed_of_first"]), 2, 0))
    state = np.where((state == 0) & (rng.random(size) < structure["demand"]), 3, state)
    table = frame(
        CREDIT_CARD_BALANCE,
        {
            "SK_ID_PREV": loans.ids[card],
            "SK_ID_CURR": clients.ids[loans.owner[card]],
            "MONTHS_BALANCE": month,
            "AMT_BALANCE": balance,
            "AMT_CREDIT_LIMIT_ACTUAL": limit,
            "AMT_DRAWINGS_ATM_CURRENT": unless(asleep, atm),
            "AMT_DRAWINGS_CURRENT": atm + shop + elsewhere,
            "AMT_DRAWINGS_OTHER_CURRENT": unless(asleep, elsewhere),
            "AMT_DRAWINGS_POS_CURRENT": unless(asleep, shop),
            "AMT_INST_MIN_REGULARITY": unless(fresh, least),
            "AMT_PAYMENT_CURRENT": unless(asleep, paid),
            "AMT_PAYMENT_TOTAL_CURRENT": paid_in_all,
            "AMT_RECEIVABLE_PRINCIPAL": principal,
            "AMT_RECIVABLE": owed,
            "AMT_TOTAL_RECEIVABLE": owed,
            "CNT_DRAWINGS_ATM_CURRENT": unless(asleep, atm_count),
            "CNT_DRAWINGS_CURRENT": atm_count + shop_count + other_count,
            "CNT_DRAWINGS_OTHER_CURRENT": unless(asleep, other_count),
            "CNT_DRAWINGS_POS_CURRENT": unless(asleep, shop_count),
            "CNT_INSTALMENT_MATURE_CUM": unless(fresh, mature),
            "NAME_CONTRACT_STATUS": categories(_STATES, state),
            "SK_DPD": overdue,
            "SK_DPD_DEF": overdue_def,
        },
    )
    return table, CardMonths(loans.ids[card], loans.owner[card], month, level, due)


def _zero_share(name: str) -> float:
    """Share of rows at or below zero."""
    quantiles = np.array(table_facts("credit_card_balance")[name].quantiles)
    return float(probabilities()[np.flatnonzero(quantiles <= 0)[-1]])


def _matured(
    card: NDArray[np.int64], step: NDArray[np.int64], ever_used: NDArray[np.bool_], rng: np.random.Generator
) -> Floats:
    """Instalments paid so far: most months since the first use."""
    asleep = rng.geometric(0.3, len(ever_used))
    pace = rng.uniform(0.5, 0.9, len(ever_used))
    since = np.maximum(step + 1 - asleep[card], 0)
    return np.where(ever_used[card], np.ceil(since * pace[card]), 0.0)


def _rank_among(score: Floats, rows: NDArray[np.bool_]) -> Floats:
    """Ranks in 0..1 of the scores among those of `rows`."""
    ordered = np.sort(score[rows])
    return np.searchsorted(ordered, score) / max(len(ordered), 1)


def _notes(amount: Floats) -> Floats:
    """What a cash machine pays out for about `amount`."""
    step = np.where(amount < 4500, 450, 2250)
    return np.maximum(np.round(amount / step), 1) * step
