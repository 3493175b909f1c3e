"""Monthly state of credit cards with this lender."""

import numpy as np
import polars as pl

from bento.tables import CREDIT_CARD_BALANCE
from research.synthetic.application import Clients
from research.synthetic.frames import frame, spread
from research.synthetic.previous import Loans


def draw_cards(clients: Clients, loans: Loans, rng: np.random.Generator) -> pl.DataFrame:
    """Months of every card among the loans."""
    months = np.where(loans.revolving, np.clip(np.ceil(-loans.start / 30.4), 1, 96), 0).astype(int)
    card, step = spread(months)
    size = len(card)
    month = step - months[card]
    limit = np.round(np.maximum(loans.credit[card], 45000) / 4500) * 4500
    in_use = rng.random(len(loans.ids)) < 0.55
    level = 1 / (1 + np.exp(-(-0.5 + 0.9 * loans.weakness + rng.standard_normal(len(loans.ids)))))
    share = np.clip(level[card] + 0.15 * rng.standard_normal(size), 0, 1.05)
    balance = np.where(in_use[card], np.round(share * limit, 2), 0.0)
    drawn = np.where(
        in_use[card] & (rng.random(size) < 0.3), np.round(limit * 0.1 * rng.random(size) / 2250) * 2250, 0.0
    )
    atm = np.where(rng.random(size) < 0.7, drawn, 0.0)
    least = np.round(balance * 0.05, 2)
    paid = np.round(least * np.exp(0.5 * rng.standard_normal(size)), 2)
    unknown = ~in_use[card] & (rng.random(size) < 0.45)
    late = in_use[card] & (loans.weakness[card] + 1.5 * rng.standard_normal(size) > 3)
    hidden = np.where(unknown, np.nan, 0.0)
    count = (drawn > 0).astype(float)
    return frame(
        CREDIT_CARD_BALANCE,
        {
            "SK_ID_PREV": loans.ids[card],
            "SK_ID_CURR": clients.ids[loans.owner[card]],
            "MONTHS_BALANCE": month,
            "AMT_BALANCE": balance,
            "AMT_CREDIT_LIMIT_ACTUAL": limit,
            "AMT_DRAWINGS_ATM_CURRENT": atm + hidden,
            "AMT_DRAWINGS_CURRENT": drawn,
            "AMT_DRAWINGS_OTHER_CURRENT": hidden,
            "AMT_DRAWINGS_POS_CURRENT": drawn - atm + hidden,
            "AMT_INST_MIN_REGULARITY": least,
            "AMT_PAYMENT_CURRENT": paid + hidden,
            "AMT_PAYMENT_TOTAL_CURRENT": paid,
            "AMT_RECEIVABLE_PRINCIPAL": np.round(balance * 0.95, 2),
            "AMT_RECIVABLE": balance,
            "AMT_TOTAL_RECEIVABLE": balance,
            "CNT_DRAWINGS_ATM_CURRENT": (atm > 0) + hidden,
            "CNT_DRAWINGS_CURRENT": count,
            "CNT_DRAWINGS_OTHER_CURRENT": hidden,
            "CNT_DRAWINGS_POS_CURRENT": count - (atm > 0) + hidden,
            "CNT_INSTALMENT_MATURE_CUM": np.where(in_use[card], step, 0),
            "NAME_CONTRACT_STATUS": np.where(rng.random(size) < 0.035, "Completed", "Active").astype(object),
            "SK_DPD": np.where(late, np.ceil(rng.exponential(10, size)), 0),
            "SK_DPD_DEF": np.where(late & (rng.random(size) < 0.5), 1, 0),
        },
    )
