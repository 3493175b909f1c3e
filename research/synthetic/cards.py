"""Monthly states of credit cards with this lender."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.signal import lfilter
from scipy.special import ndtr, ndtri

from bento.data.tables import CREDIT_CARD_BALANCE
from research.synthetic.application import Clients
from research.synthetic.calibration_statistics import probabilities, quantile, statistics, table_statistics
from research.synthetic.frames import DAYS_IN_MONTH, Flags, Floats, Integers, categories, frame, rank_among, spread
from research.synthetic.previous import Loans
from research.synthetic.risk_traits import Traits, among, mix

_MAX_MONTHS = 96
_STATES = ("Active", "Completed", "Signed", "Demand", "Sent proposal")
_OF_CARD = 0.85
"""Weight of the card's constant part in the score of a balance; the rest changes from month to month."""
_MEMORY = 0.92
"""Autocorrelation of the changing part from one month to the next."""


@dataclass(frozen=True)
class CardMonths:
    """Months of cards in time order, one element each, with what the payments of cards need."""

    ids: Integers
    owner: Integers
    month: Floats
    level: Floats
    """Standard normal; higher for higher balances."""
    due: Flags
    """An instalment fell due in the month."""


@dataclass(frozen=True)
class _Drawings:
    """Amounts and numbers of drawings of each month, by channel."""

    atm: Floats
    shop: Floats
    other: Floats
    atm_count: Floats
    shop_count: Floats
    other_count: Floats
    any: Flags


def draw_cards(
    clients: Clients, traits: Traits, loans: Loans, rng: np.random.Generator
) -> tuple[pl.DataFrame, CardMonths]:
    """Draw the months of the cards among the loans."""
    columns = table_statistics("credit_card_balance")
    loans = loans.only(loans.card)
    cards = len(loans.ids)
    months = np.clip(np.ceil(-loans.decision / DAYS_IN_MONTH), 1, _MAX_MONTHS)
    card, step = spread(months.astype(np.int64))
    month = step - months[card]
    level, level_before = _draw_levels(loans.habit, card, step, rng)
    drawn = loans.drawn[card]
    level, level_before = (_among_drawn(score, drawn) for score in (level, level_before))
    in_use = ndtr(level) > _zero_share("AMT_TOTAL_RECEIVABLE")

    balance = np.round(_at("AMT_BALANCE", level), 3)
    receivable = np.round(_at("AMT_RECIVABLE", level), 3)
    principal = np.minimum(np.round(_at("AMT_RECEIVABLE_PRINCIPAL", level), 3), balance)
    limit = np.round(_at("AMT_CREDIT_LIMIT_ACTUAL", mix(rng, (0.75, loans.habit))[card]) / 4500) * 4500
    limit = np.where(balance > limit * 1.05, np.ceil(balance / 1.05 / 22500) * 22500, limit)
    drawings = _draw_drawings(level, drawn, rng)

    luck, undrawn = rng.random(cards)[card], max(1 - drawn.mean(), 1e-9) if cards else 1.0
    dormant, without_instalments = (
        ~drawn & (luck < columns[name].null_rate / undrawn)
        for name in ("AMT_DRAWINGS_ATM_CURRENT", "AMT_INST_MIN_REGULARITY")
    )
    paying = _among_drawn(mix(rng, (0.75, level_before)), drawn)
    min_instalment = quantile(columns["AMT_INST_MIN_REGULARITY"], rank_among(level_before, ~without_instalments))
    payment = np.round(quantile(columns["AMT_PAYMENT_CURRENT"], rank_among(paying, ~dormant)), 3)
    payment = np.where(drawn, payment, 0.0)
    total_payment = np.where(drawn, np.round(_at("AMT_PAYMENT_TOTAL_CURRENT", paying), 3), 0.0)
    mature = _draw_matured(card, step, loans.drawn, rng)
    due = mature > np.where(step > 0, np.roll(mature, 1), 0.0)
    overdue = np.rint(_at("SK_DPD", _among_drawn(mix(rng, (0.8, among(traits.late[loans.owner[card]]))), drawn)))
    overdue_def = np.minimum(overdue, np.where(overdue > 0, np.where(rng.random(len(card)) < 0.55, 1, 0), 0))
    table = frame(
        CREDIT_CARD_BALANCE,
        {
            "SK_ID_PREV": loans.ids[card],
            "SK_ID_CURR": clients.ids[loans.owner[card]],
            "MONTHS_BALANCE": month,
            "AMT_BALANCE": balance,
            "AMT_CREDIT_LIMIT_ACTUAL": limit,
            "AMT_DRAWINGS_ATM_CURRENT": _unless(dormant, drawings.atm),
            "AMT_DRAWINGS_CURRENT": drawings.atm + drawings.shop + drawings.other,
            "AMT_DRAWINGS_OTHER_CURRENT": _unless(dormant, drawings.other),
            "AMT_DRAWINGS_POS_CURRENT": _unless(dormant, drawings.shop),
            "AMT_INST_MIN_REGULARITY": _unless(without_instalments, np.round(min_instalment, 3)),
            "AMT_PAYMENT_CURRENT": _unless(dormant, payment),
            "AMT_PAYMENT_TOTAL_CURRENT": np.where(dormant, total_payment, np.minimum(total_payment, payment)),
            "AMT_RECEIVABLE_PRINCIPAL": np.where(balance > 0, principal, 0.0),
            "AMT_RECIVABLE": receivable,
            "AMT_TOTAL_RECEIVABLE": receivable,
            "CNT_DRAWINGS_ATM_CURRENT": _unless(dormant, drawings.atm_count),
            "CNT_DRAWINGS_CURRENT": drawings.atm_count + drawings.shop_count + drawings.other_count,
            "CNT_DRAWINGS_OTHER_CURRENT": _unless(dormant, drawings.other_count),
            "CNT_DRAWINGS_POS_CURRENT": _unless(dormant, drawings.shop_count),
            "CNT_INSTALMENT_MATURE_CUM": _unless(without_instalments, mature),
            "NAME_CONTRACT_STATUS": categories(_STATES, _draw_states(card, step, month, in_use, cards, rng)),
            "SK_DPD": overdue,
            "SK_DPD_DEF": overdue_def,
        },
    )
    return table, CardMonths(loans.ids[card], loans.owner[card], month, level, due)


def _at(name: str, score: Floats) -> Floats:
    """Return the values of a column at standard normal scores."""
    return quantile(table_statistics("credit_card_balance")[name], ndtr(score))


def _unless(missing: Flags, values: Floats) -> Floats:
    return np.where(missing, np.nan, values)


def _draw_levels(habit: Floats, card: Integers, step: Integers, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw the level of the balance of each month and of the month before: an autoregressive walk around the habit."""
    noise = rng.standard_normal((len(habit), 200 + _MAX_MONTHS))
    walk = lfilter([np.sqrt(1 - _MEMORY**2)], [1.0, -_MEMORY], noise, axis=1)[:, 200:]
    constant, changing = _OF_CARD * habit[card], np.sqrt(1 - _OF_CARD**2)
    return constant + changing * walk[card, step], constant + changing * walk[card, np.maximum(step - 1, 0)]


def _among_drawn(score: Floats, drawn: Flags) -> Floats:
    """Return standard normal scores over all months, in which the cards that were never drawn are below the others."""
    below = 1 - drawn.mean() if len(drawn) else 0.0
    among = np.where(drawn, below + (1 - below) * rank_among(score, drawn), below * rank_among(score, ~drawn))
    return ndtri(np.clip(among, 1e-6, 1 - 1e-6))


def _draw_drawings(level: Floats, drawn: Flags, rng: np.random.Generator) -> _Drawings:
    size = len(level)
    spending = _among_drawn(mix(rng, (0.6, level)), drawn)
    amount = _at("AMT_DRAWINGS_CURRENT", spending)
    drew = drawn & (amount > 0)
    amount = np.where(drew, amount, 0.0)
    channel = rng.random(size)
    by_atm, in_shop = drew & (channel < 0.66), drew & (channel > 0.50)
    atm_share = np.where(by_atm & in_shop, rng.random(size), np.where(by_atm, 1.0, 0.0))
    note = np.where(amount * atm_share < 4500, 450, 2250)
    atm = np.where(by_atm, np.maximum(np.round(amount * atm_share / note), 1) * note, 0.0)
    shop = np.where(in_shop, np.round(amount * (1 - atm_share), 3), 0.0)
    other = np.where(drew & (rng.random(size) < 0.02), np.round(amount, 3), 0.0)
    count = np.maximum(np.rint(_at("CNT_DRAWINGS_CURRENT", spending)), 1)
    atm_count = np.where(by_atm, np.where(in_shop, np.ceil(count * 0.4), np.minimum(count, 5)), 0)
    shop_count = np.where(in_shop, np.maximum(count - atm_count, 1), 0)
    return _Drawings(atm, shop, other, atm_count, shop_count, (other > 0).astype(float), drew)


def _draw_states(
    card: Integers, step: Integers, month: Floats, in_use: Flags, cards: int, rng: np.random.Generator
) -> Integers:
    structure = statistics()["structure"]["card"]
    recent = month > -1 - structure["completed_months"]
    completed = (rng.random(cards) < structure["completed"])[card] & ~in_use & recent
    signed = (step == 0) & (rng.random(len(card)) < structure["signed_of_first"])
    state = np.where(completed, 1, np.where(signed, 2, 0))
    return np.where((state == 0) & (rng.random(len(card)) < structure["demand"]), 3, state)


def _zero_share(name: str) -> float:
    """Return the share of rows at or below zero."""
    quantiles = np.array(table_statistics("credit_card_balance")[name].quantiles)
    return float(probabilities()[np.flatnonzero(quantiles <= 0)[-1]])


def _draw_matured(card: Integers, step: Integers, ever_used: Flags, rng: np.random.Generator) -> Floats:
    """Draw the number of instalments paid so far: most months since the first use."""
    first_use = rng.geometric(0.3, len(ever_used))
    pace = rng.uniform(0.5, 0.9, len(ever_used))
    since = np.maximum(step + 1 - first_use[card], 0)
    return np.where(ever_used[card], np.ceil(since * pace[card]), 0.0)
