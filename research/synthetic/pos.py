"""Monthly states of earlier consumer and cash loans."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import ndtr

from bento.data.tables import POS_CASH_BALANCE
from research.synthetic.application import Clients
from research.synthetic.calibration_statistics import quantile, statistics, table_statistics
from research.synthetic.frames import DAYS_IN_MONTH, Flags, Floats, Integers, categories, frame, spread
from research.synthetic.plans import DUE_STEP
from research.synthetic.previous import Loans
from research.synthetic.risk_traits import Traits, mix

_OLDEST_MONTH = -96
_LONG_TERM = 24
"""Instalments from which the history of a loan may be missing."""
_LAG_RATIO = 0.6
"""Lag of the monthly states over that of the payments."""
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
    habit = mix(rng, (0.75, traits.late[loans.owner]))
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
