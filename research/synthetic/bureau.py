"""Credits at other lenders and their monthly states."""

import numpy as np
import polars as pl
from scipy.stats import norm

from bento.tables import BUREAU, BUREAU_BALANCE
from research.synthetic.application import Clients
from research.synthetic.facts import table_facts
from research.synthetic.frames import frame, spread
from research.synthetic.marginals import choose, quantile

IDS_PER_CLIENT = 8


def draw_bureau(clients: Clients, ids: np.ndarray, rng: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bureau credits and balances of `clients`, identified by the shuffled `ids`."""
    known = table_facts("bureau")
    count = np.where(
        rng.random(len(clients.ids)) < 0.858, 1 + rng.negative_binomial(1.25, 1.25 / (1.25 + 4.61), len(clients.ids)), 0
    )
    owner, _ = spread(np.minimum(count, 116))
    size = len(owner)
    weak = clients.weakness[owner]

    def latent(load: float) -> np.ndarray:
        return norm.cdf(load * weak + np.sqrt(1 - load**2) * rng.standard_normal(size))

    start = np.rint(quantile(known["DAYS_CREDIT"], latent(0.2)))
    kind = choose(known["CREDIT_TYPE"].shares, latent(0.05))
    card = kind == "Credit card"
    term = np.select(
        [card, kind == "Mortgage"],
        [rng.integers(365, 1825, size), rng.integers(3650, 9000, size)],
        rng.choice([180, 365, 365, 730, 1095, 1825], size),
    )
    end = start + term
    amount = np.round(quantile(known["AMT_CREDIT_SUM"], rng.random(size)) / 4.5) * 4.5
    closed = (end < 0) & (rng.random(size) < 0.93) | (end >= 0) & (rng.random(size) < 0.35)
    fact = np.where(
        closed,
        np.minimum(np.maximum(start + 1, np.rint(end - rng.exponential(200, size) * (rng.random(size) < 0.5))), -1),
        np.nan,
    )
    active = np.where(closed, "Closed", np.where(rng.random(size) < 0.01, "Sold", "Active")).astype(object)
    left = np.clip(end / np.maximum(term, 1), 0.0, 1.0)
    debt = np.where(closed, 0.0, np.round(amount * left * np.exp(0.3 * weak), 2))
    overdue = ~closed & (latent(0.4) > 0.993)
    late_days = np.where(overdue, np.ceil(rng.exponential(60, size)), 0)
    late_amount = np.where(overdue, np.round(amount * 0.02 + 4.5, 2), 0.0)
    worst = np.where(latent(0.3) > 0.93, np.round(rng.lognormal(8.5, 1.5, size), 2), 0.0)
    update = np.where(closed, np.minimum(fact + rng.integers(0, 60, size), -1), -np.ceil(rng.exponential(25, size)))

    def sometimes(name: str, values: np.ndarray) -> np.ndarray:
        return np.where(rng.random(size) < known[name].null_rate, np.nan, values)

    ids = ids[:size]
    credits = frame(
        BUREAU,
        {
            "SK_ID_CURR": clients.ids[owner],
            "SK_ID_BUREAU": ids,
            "CREDIT_ACTIVE": active,
            "CREDIT_CURRENCY": choose(known["CREDIT_CURRENCY"].shares, rng.random(size)),
            "DAYS_CREDIT": start,
            "CREDIT_DAY_OVERDUE": late_days,
            "DAYS_CREDIT_ENDDATE": sometimes("DAYS_CREDIT_ENDDATE", end),
            "DAYS_ENDDATE_FACT": fact,
            "AMT_CREDIT_MAX_OVERDUE": sometimes("AMT_CREDIT_MAX_OVERDUE", np.maximum(worst, late_amount)),
            "CNT_CREDIT_PROLONG": choose(known["CNT_CREDIT_PROLONG"].shares, rng.random(size)).astype(float),
            "AMT_CREDIT_SUM": amount,
            "AMT_CREDIT_SUM_DEBT": sometimes("AMT_CREDIT_SUM_DEBT", debt),
            "AMT_CREDIT_SUM_LIMIT": sometimes(
                "AMT_CREDIT_SUM_LIMIT", np.where(card & ~closed, np.maximum(amount - debt, 0), 0.0)
            ),
            "AMT_CREDIT_SUM_OVERDUE": late_amount,
            "CREDIT_TYPE": kind,
            "DAYS_CREDIT_UPDATE": update,
            "AMT_ANNUITY": sometimes(
                "AMT_ANNUITY", np.where(closed, 0.0, np.round(amount / np.maximum(term / 30, 1) * 1.15, 2))
            ),
        },
    )
    covered = np.flatnonzero(rng.random(size) < 0.48)
    months = np.clip(np.ceil(-start[covered] / 30.4), 1, 97).astype(int)
    credit, age = spread(months)
    row = covered[credit]
    month = -age
    status = np.full(len(row), "0", dtype=object)
    status[rng.random(len(row)) < 0.2] = "X"
    late = rng.random(len(row)) < 0.02 * np.exp(0.6 * weak[row])
    status[late] = "1"
    status[late & (rng.random(len(row)) < 0.15)] = "5"
    over = closed[row] & (month * 30.4 > fact[row])
    status[over] = "C"
    balance = frame(BUREAU_BALANCE, {"SK_ID_BUREAU": ids[row], "MONTHS_BALANCE": month, "STATUS": status})
    return credits, balance
