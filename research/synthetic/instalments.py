"""Instalments of earlier loans, and the monthly state of those loans."""

import numpy as np
import polars as pl
from scipy.stats import norm

from bento.tables import INSTALLMENTS_PAYMENTS, POS_CASH_BALANCE
from research.synthetic.application import Clients
from research.synthetic.frames import frame, spread
from research.synthetic.previous import Loans


def draw_instalments(clients: Clients, loans: Loans, rng: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Payments and monthly states of the loans that are no cards."""
    due_so_far = np.clip(np.floor((-1 - loans.first_due) / 30) + 1, 0, loans.paid).astype(int)
    due_so_far[loans.revolving] = 0
    loan, number = spread(due_so_far)
    due = loans.first_due[loan] + 30 * number
    habit = 0.5 * loans.weakness + np.sqrt(0.75) * rng.standard_normal(len(loans.ids))
    strain = 0.6 * habit[loan] + 0.8 * rng.standard_normal(len(loan))
    late = np.where(
        strain > 1.45, np.ceil((strain - 1.45) * 12), np.floor(-9 - 7 * norm.ppf(rng.random(len(loan))) - 4)
    )
    late = np.where(late > 0, late, np.minimum(late, 0))
    late[rng.random(len(loan)) < 0.2] = 0
    amount = loans.annuity[loan]
    last = number + 1 == loans.paid[loan]
    remaining = (loans.term - loans.paid)[loan]
    amount = np.where(last, amount * (1 + 0.9 * remaining), amount)
    short = (strain > 1.6) & (rng.random(len(loan)) < 0.5)
    first_part = np.where(short, np.round(amount * rng.random(len(loan)), 2), amount)
    second = np.flatnonzero(short & (rng.random(len(loan)) < 0.7))
    row = np.concatenate([np.arange(len(loan)), second])
    entry = np.concatenate([due + late, (due + late)[second] + rng.integers(1, 25, len(second))])
    entry = np.minimum(entry, -1)
    paid = np.concatenate([first_part, (amount - first_part)[second]])
    order = np.lexsort((entry, row))
    row, entry, paid = row[order], entry[order], paid[order]
    instalments = frame(
        INSTALLMENTS_PAYMENTS,
        {
            "SK_ID_PREV": loans.ids[loan][row],
            "SK_ID_CURR": clients.ids[loans.owner[loan]][row],
            "NUM_INSTALMENT_VERSION": np.where(last & (remaining > 0), 2, 1)[row],
            "NUM_INSTALMENT_NUMBER": (number + 1)[row],
            "DAYS_INSTALMENT": due[row],
            "DAYS_ENTRY_PAYMENT": entry,
            "AMT_INSTALMENT": amount[row],
            "AMT_PAYMENT": paid,
        },
    )
    first_month = np.floor(loans.start / 30.4).astype(int)
    last_month = np.minimum(np.floor((loans.first_due + 30 * (loans.paid - 1)) / 30.4).astype(int), -1)
    months = np.where(loans.revolving, 0, np.maximum(last_month - first_month + 1, 1))
    loan, step = spread(months)
    month = first_month[loan] + step
    keep = month >= -96
    loan, step, month = loan[keep], step[keep], month[keep]
    done = (month == last_month[loan]) & (loans.first_due[loan] + 30 * (loans.paid[loan] - 1) < -30)
    strain = 0.6 * habit[loan] + 0.8 * rng.standard_normal(len(loan))
    days_late = np.where(strain > 1.9, np.ceil((strain - 1.9) * 20), 0)
    pos = frame(
        POS_CASH_BALANCE,
        {
            "SK_ID_PREV": loans.ids[loan],
            "SK_ID_CURR": clients.ids[loans.owner[loan]],
            "MONTHS_BALANCE": month,
            "CNT_INSTALMENT": loans.term[loan],
            "CNT_INSTALMENT_FUTURE": np.where(done, 0, np.maximum(loans.term[loan] - step, 0)),
            "NAME_CONTRACT_STATUS": np.where(done, "Completed", "Active").astype(object),
            "SK_DPD": days_late,
            "SK_DPD_DEF": np.where(rng.random(len(loan)) < 0.4, days_late, 0),
        },
    )
    return instalments, pos
