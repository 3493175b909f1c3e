"""Monthly states of earlier consumer and cash loans; instalments of all loans and their payments."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from bento.data.tables import INSTALLMENTS_PAYMENTS, POS_CASH_BALANCE
from research.synthetic.application import Clients
from research.synthetic.calibration_statistics import grid_quantile, quantile, statistics, table_statistics
from research.synthetic.cards import CardMonths
from research.synthetic.frames import DAYS_IN_MONTH, Flags, Floats, Integers, categories, frame, spread
from research.synthetic.previous import Loans
from research.synthetic.products import DUE_STEP, OLDEST
from research.synthetic.risk_traits import Traits, among, mix

_OLDEST_MONTH = -96
_LONG_TERM = 24
"""Instalments from which the history of a loan may be missing."""
_LAG_RATIO = 0.6
"""Lag of the monthly states over that of the payments."""
_DUE_LEVEL = 0.45
"""Mean level of the cards with instalments due, when that of all cards is standard normal."""
_SMALLER = 0.8
"""Instalment of a later version of the plan over that of the first."""
_ROUND_SUM = 4500.0
"""Clients who pay more than is due pay a multiple of this."""
_PART_POWER = 3
"""Parts of a split payment are mostly a small and a large one."""
_STATES = (
    "Active",
    "Completed",
    "Signed",
    "Demand",
    "Returned to the store",
    "Approved",
    "Amortized debt",
    "Canceled",
    "XNA",
)


@dataclass(frozen=True)
class _Months:
    """Months of loans, one element each."""

    loan: Integers
    """Position in the loans."""
    step: Integers
    """Months since the first instalment."""
    month: Floats
    final: Flags
    """The month after the last instalment."""
    term: Floats
    """Instalments of the plan; those until the loan ended where it was repaid early."""


def draw_pos(clients: Clients, traits: Traits, loans: Loans, rng: np.random.Generator) -> pl.DataFrame:
    """Draw the months of the loans that are not cards, from the signature to the last instalment."""
    columns = table_statistics("POS_CASH_balance")
    loans = loans.only(~loans.card)
    months = _draw_months(loans, rng)
    state = _draw_states(months, rng)
    loan, size = months.loan, len(months.loan)
    habit = mix(rng, (0.85, among(traits.late[loans.owner])))
    delay = ndtr(0.8 * habit[loan] + 0.6 * rng.standard_normal(size))
    longest = np.maximum(-loans.first_due[loan] + months.month * DAYS_IN_MONTH, 0) + 60
    overdue = np.minimum(np.ceil(quantile(columns["SK_DPD"], delay)), np.ceil(longest))
    overdue_def = np.minimum(np.ceil(quantile(columns["SK_DPD_DEF"], delay)), overdue)
    missing = rng.random(size) < columns["CNT_INSTALMENT"].null_rate
    left = np.where(months.final, 0, np.maximum(months.term - months.step - 1, 0))
    order = np.lexsort((months.month, loans.ids[loan], loans.owner[loan]))
    return frame(
        POS_CASH_BALANCE,
        {
            "SK_ID_PREV": loans.ids[loan][order],
            "SK_ID_CURR": clients.ids[loans.owner[loan]][order],
            "MONTHS_BALANCE": months.month[order],
            "CNT_INSTALMENT": np.where(missing, np.nan, months.term)[order],
            "CNT_INSTALMENT_FUTURE": np.where(missing, np.nan, left)[order],
            "NAME_CONTRACT_STATUS": categories(_STATES, state[order]),
            "SK_DPD": overdue[order],
            "SK_DPD_DEF": overdue_def[order],
        },
    )


def _draw_months(loans: Loans, rng: np.random.Generator) -> _Months:
    structure = statistics()["structure"]
    first = np.minimum(np.floor(loans.first_due / DAYS_IN_MONTH), -1)
    ended = loans.first_due + DUE_STEP * (loans.paid - 1)
    last = np.minimum(np.floor(ended / DAYS_IN_MONTH), -1)
    complete = last < -1
    last = np.where(complete, last + 1, last)
    absent = (loans.term >= _LONG_TERM) & (rng.random(len(loans.ids)) < structure["pos_history_missing_of_long"])
    loan, step = spread(np.where(absent, 0, np.maximum(last - first + 1, 1)).astype(np.int64))
    month = first[loan] + step
    kept = (
        (month >= _OLDEST_MONTH)
        & ((month < -_LAG_RATIO * loans.lag[loan] / DAYS_IN_MONTH) | (step == 0))
        & (rng.random(len(loan)) > structure["pos_month_missing"])
    )
    loan, step, month = loan[kept], step[kept], month[kept]
    shortened = (loans.paid < loans.term)[loan] & complete[loan] & (month >= last[loan] - 1)
    term = np.where(shortened, loans.paid[loan], loans.term[loan])
    return _Months(loan, step, month, (month == last[loan]) & complete[loan], term)


def _draw_states(months: _Months, rng: np.random.Generator) -> Integers:
    shares = table_statistics("POS_CASH_balance")["NAME_CONTRACT_STATUS"].shares
    chance = rng.random(len(months.loan))
    signed = (months.step == 0) & (chance < statistics()["structure"]["pos_signed_of_first"]) & ~months.final
    state = np.where(months.final, 1, np.where(signed, 2, 0))
    edges = np.cumsum([shares.get(name, 0.0) for name in _STATES[3:]])
    rare = np.searchsorted(edges, chance, side="right")
    return np.where((state == 0) & (months.step > 0) & (rare < len(edges)), 3 + rare, state)


def draw_instalments(
    clients: Clients, traits: Traits, loans: Loans, cards: CardMonths, rng: np.random.Generator
) -> pl.DataFrame:
    """Draw the payments of loans and cards in use; each row is a payment or part of one."""
    parts = [_of_loans(traits, loans.only(~loans.card), rng), _of_cards(traits, cards, rng)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    owner = columns.pop("owner").astype(np.int64)
    order = np.lexsort((columns["DAYS_ENTRY_PAYMENT"], columns["NUM_INSTALMENT_NUMBER"], columns["SK_ID_PREV"], owner))
    missing = rng.random(len(order)) < table_statistics("installments_payments")["AMT_PAYMENT"].null_rate
    for name in ("DAYS_ENTRY_PAYMENT", "AMT_PAYMENT"):
        columns[name] = np.where(missing, np.nan, columns[name])
    columns["SK_ID_CURR"] = clients.ids[owner]
    return frame(INSTALLMENTS_PAYMENTS, {name: values[order] for name, values in columns.items()})


def _of_loans(traits: Traits, loans: Loans, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    structure = statistics()["structure"]
    due_dates = np.floor((-1 - loans.lag - loans.first_due) / DUE_STEP) + 1
    due_so_far = np.clip(due_dates, loans.first_due < 0, loans.paid).astype(np.int64)
    loan, number = spread(due_so_far)
    due = loans.first_due[loan] + DUE_STEP * number
    kept = due >= OLDEST
    loan, number, due = loan[kept], number[kept], due[kept]
    habit = mix(rng, (0.85, among(traits.late[loans.owner])))
    delay = 0.75 * habit[loan] + np.sqrt(1 - 0.75**2) * rng.standard_normal(len(loan))
    late = np.rint(grid_quantile(structure["days_late"]["loan"], ndtr(delay)))

    last = (number + 1 == loans.paid[loan]) & (loans.paid < loans.term)[loan]
    left = (loans.term - loans.paid)[loan] + 1.0
    rate = loans.rate[loan]
    amount = np.where(last, loans.annuity[loan] * (1 - (1 + rate) ** -left) / rate, loans.annuity[loan])
    changed = _changes_plan(loan, len(loans.ids), rng) & ~last
    before = np.cumsum(changed) - changed
    start = np.concatenate([[True], loan[1:] != loan[:-1]])[: len(loan)]
    version = 1 + last + before - np.maximum.accumulate(np.where(start, before, 0))
    amount = np.round(np.where(version > 1 + last, amount * _SMALLER, amount), 3)
    prepaid = _round_sum(amount * (1.05 + rng.exponential(0.45, len(loan)))) - amount

    short = 0.5 * delay + np.sqrt(0.75) * rng.standard_normal(len(loan)) > structure["split_above"]
    short &= ~changed
    part = np.where(short, np.round(amount * rng.random(len(loan)) ** _PART_POWER, 3), amount)
    part = np.where(changed, amount + prepaid, part)
    second = np.flatnonzero(short & (rng.random(len(loan)) < structure["split_made_good"]))
    again = np.flatnonzero(changed)
    row = np.concatenate([np.arange(len(loan)), second, again])
    later = (due + late)[second] + rng.geometric(0.25, len(second)) - 1
    in_time = (late[second] <= 0) & (rng.random(len(second)) < structure["split_in_time"])
    later = np.where(in_time, np.minimum(later, due[second]), later)
    return {
        "SK_ID_PREV": loans.ids[loan][row],
        "owner": loans.owner[loan][row],
        "NUM_INSTALMENT_VERSION": np.concatenate([version, version[second], version[again] + 1]),
        "NUM_INSTALMENT_NUMBER": (number + 1)[row],
        "DAYS_INSTALMENT": due[row],
        "DAYS_ENTRY_PAYMENT": np.minimum(np.concatenate([due + late, later, (due + late)[again]]), -1),
        "AMT_INSTALMENT": np.round(np.concatenate([amount, amount[second], prepaid[again]]), 3),
        "AMT_PAYMENT": np.round(np.concatenate([part, (amount - part)[second], part[again]]), 3),
    }


def _changes_plan(loan: Integers, loans: int, rng: np.random.Generator) -> Flags:
    """Draw at which instalments (of the loans at positions `loan`) more is paid than due, which changes the plan.

    The payment is then recorded twice, whole: for the instalment of the old version, and for the rest in the new one.
    """
    structure = statistics()["structure"]
    changes = (rng.random(loans) < structure["loans_with_changes"])[loan]
    return changes & (rng.random(len(loan)) < structure["changed_instalments"])


def _round_sum(amount: Floats) -> Floats:
    """Return the next round sum above each amount."""
    return np.ceil(amount / _ROUND_SUM) * _ROUND_SUM


def _of_cards(traits: Traits, cards: CardMonths, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Draw the payments of cards: one or more a month with an instalment due, numbered through the life of a card."""
    structure = statistics()["structure"]
    due_months = np.flatnonzero(cards.due)
    month, _ = spread(1 + rng.poisson(structure["payments_a_card_month"] - 1, len(due_months)))
    month = due_months[month]
    same = np.concatenate([[False], cards.ids[month][1:] == cards.ids[month][:-1]])
    start = np.maximum.accumulate(np.where(same, 0, np.arange(len(month))))
    number = np.arange(len(month)) - start + 1
    day = rng.integers(0, 30, len(month))
    due = np.clip(np.rint(cards.month[month] * DAYS_IN_MONTH) + day, OLDEST, -1)
    habit = 0.6 * among(traits.late[cards.owner[month]]) + 0.8 * rng.standard_normal(len(month))
    late = np.rint(grid_quantile(structure["days_late"]["card"], ndtr(habit)))
    level = 0.4 * (cards.level[month] - _DUE_LEVEL) + np.sqrt(1 - 0.4**2) * rng.standard_normal(len(month))
    amount = grid_quantile(structure["card_instalment"], ndtr(level))
    amount = np.where(amount > 2000, np.round(amount / 22.5) * 22.5, np.round(amount, 3))
    short = rng.random(len(month)) < structure["card_payment_short"]
    return {
        "SK_ID_PREV": cards.ids[month],
        "owner": cards.owner[month],
        "NUM_INSTALMENT_VERSION": np.zeros(len(month), dtype=np.int64),
        "NUM_INSTALMENT_NUMBER": number,
        "DAYS_INSTALMENT": due,
        "DAYS_ENTRY_PAYMENT": np.minimum(due + late, -1),
        "AMT_INSTALMENT": amount,
        "AMT_PAYMENT": np.where(short, np.round(amount * rng.random(len(month)), 3), amount),
    }
