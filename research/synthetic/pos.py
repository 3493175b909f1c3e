"""Monthly state of earlier consumer and cash loans."""

import numpy as np
import polars as pl
from scipy.special import ndtr

from bento.data.tables import POS_CASH_BALANCE
from research.synthetic.application import Clients
from research.synthetic.facts import facts, table_facts
from research.synthetic.frames import categories, frame, spread
from research.synthetic.marginals import quantile
from research.synthetic.plans import DUE_STEP
from research.synthetic.previous import Loans
from research.synthetic.risk_traits import Traits, mix

_MONTH = 30.44
_OLDEST = -96
_LONG = 24
_PROMPT = 0.6
"""Monthly states lag less than payments do."""
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


def draw_pos(clients: Clients, traits: Traits, loans: Loans, rng: np.random.Generator) -> pl.DataFrame:
    """Months of the loans that are no cards, from the signature to the last instalment."""
    known, structure = table_facts("POS_CASH_balance"), facts()["structure"]
    loans = loans.only(~loans.card)
    first = np.minimum(np.floor(loans.first_due / _MONTH), -1)
    ended = loans.first_due + DUE_STEP * (loans.paid - 1)
    last = np.minimum(np.floor(ended / _MONTH), -1)
    complete = last < -1
    last = np.where(complete, last + 1, last)
    gone = (loans.term >= _LONG) & (rng.random(len(loans.ids)) < structure["pos_history_missing_of_long"])
    loan, step = spread(np.where(gone, 0, np.maximum(last - first + 1, 1)).astype(np.int64))
    month = first[loan] + step
    kept = (
        (month >= _OLDEST)
        & ((month < -_PROMPT * loans.lag[loan] / _MONTH) | (step == 0))
        & (rng.random(len(loan)) > structure["pos_month_missing"])
    )
    loan, step, month = loan[kept], step[kept], month[kept]

    final = (month == last[loan]) & complete[loan]
    shortened = (loans.paid < loans.term)[loan] & complete[loan] & (month >= last[loan] - 1)
    term = np.where(shortened, loans.paid[loan], loans.term[loan])
    left = np.maximum(term - step - 1, 0)
    state = np.where(final, 1, 0)
    chance = rng.random(len(loan))
    state = np.where((step == 0) & (chance < structure["pos_signed_of_first"]) & ~final, 2, state)
    other = known["NAME_CONTRACT_STATUS"].shares
    edges = np.cumsum([other.get(name, 0.0) for name in _STATES[3:]])
    rare = np.searchsorted(edges, chance, side="right")
    state = np.where((state == 0) & (step > 0) & (rare < len(edges)), 3 + rare, state)

    habit = mix(rng, (0.75, traits.late[loans.owner]))
    delay = ndtr(0.8 * habit[loan] + 0.6 * rng.standard_normal(len(loan)))
    longest = np.maximum(-loans.first_due[loan] + month * _MONTH, 0) + 60
    overdue = np.minimum(np.ceil(quantile(known["SK_DPD"], delay)), np.ceil(longest))
    forgiven = np.minimum(np.ceil(quantile(known["SK_DPD_DEF"], delay)), overdue)
    lost = rng.random(len(loan)) < known["CNT_INSTALMENT"].null_rate
    order = np.lexsort((month, loans.ids[loan], loans.owner[loan]))
    return frame(
        POS_CASH_BALANCE,
        {
            "SK_ID_PREV": loans.ids[loan][order],
            "SK_ID_CURR": clients.ids[loans.owner[loan]][order],
            "MONTHS_BALANCE": month[order],
            "CNT_INSTALMENT": np.where(lost, np.nan, term)[order],
            "CNT_INSTALMENT_FUTURE": np.where(lost, np.nan, np.where(final, 0, left))[order],
            "NAME_CONTRACT_STATUS": categories(_STATES, state[order]),
            "SK_DPD": overdue[order],
            "SK_DPD_DEF": forgiven[order],
        },
    )
