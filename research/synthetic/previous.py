"""Earlier applications to this lender, and what became of the loans."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import norm

from bento.tables import OPEN_ENDED, PREVIOUS_APPLICATION
from research.synthetic.application import Clients
from research.synthetic.facts import table_facts
from research.synthetic.frames import frame, spread
from research.synthetic.marginals import choose, quantile

IDS_PER_CLIENT = 8


@dataclass(frozen=True)
class Loans:
    """Approved loans, one element each: plan, owner and how well they were paid."""

    ids: np.ndarray
    owner: np.ndarray
    revolving: np.ndarray
    start: np.ndarray
    first_due: np.ndarray
    term: np.ndarray
    paid: np.ndarray
    annuity: np.ndarray
    credit: np.ndarray
    weakness: np.ndarray


def draw_previous(clients: Clients, ids: np.ndarray, rng: np.random.Generator) -> tuple[pl.DataFrame, Loans]:
    """Earlier applications of `clients`, identified by the shuffled `ids`, and the loans among them."""
    known = table_facts("previous_application")
    count = np.where(
        rng.random(len(clients.ids)) < 0.951, 1 + rng.negative_binomial(1.4, 1.4 / (1.4 + 3.93), len(clients.ids)), 0
    )
    owner, _ = spread(np.minimum(count, 77))
    size = len(owner)
    ids = ids[:size]
    weak = clients.weakness[owner]
    decision = np.minimum(np.rint(quantile(known["DAYS_DECISION"], rng.random(size))), -3)
    contract = choose(known["NAME_CONTRACT_TYPE"].shares, rng.random(size))
    cash, consumer, revolving = contract == "Cash loans", contract == "Consumer loans", contract == "Revolving loans"
    risk = norm.cdf(0.35 * weak + np.sqrt(1 - 0.35**2) * rng.standard_normal(size))
    status = np.where(
        risk > 0.826, "Refused", np.where(rng.random(size) < 0.2 * (1 + cash) * ~consumer, "Canceled", "Approved")
    ).astype(object)
    status[(status == "Approved") & consumer & (rng.random(size) < 0.03)] = "Unused offer"
    approved, refused, canceled = status == "Approved", status == "Refused", status == "Canceled"
    asked = (
        np.round(np.where(cash, rng.lognormal(12.3, 0.8, size), rng.lognormal(11.2, 0.75, size)) / 4500) * 4500 + 4500
    )
    asked = np.where(canceled, 0.0, asked)
    term = np.where(
        cash, rng.choice([12, 18, 24, 36, 48, 60], size), rng.choice([6, 8, 10, 12, 12, 18, 24], size)
    ).astype(float)
    down = np.where(consumer & (rng.random(size) < 0.5), np.round(asked * 0.1, 1), 0.0)
    credit = np.where(revolving | canceled, asked, np.round((asked - down) * np.where(cash, 1.12, 1.05), 1))
    rate = np.where(cash, 0.025, 0.02) * np.exp(0.2 * rng.standard_normal(size))
    annuity = np.where(revolving, credit * 0.05, credit * rate / (1 - (1 + rate) ** -term))
    annuity = np.round(annuity, 3)
    unknown = canceled | (refused & (rng.random(size) < 0.2))
    first_due = decision + 30 + rng.integers(0, 15, size)
    planned_last = first_due + 30 * (term - 1)
    early = np.minimum(term, np.maximum(1, np.rint(term * np.where(rng.random(size) < 0.3, rng.random(size), 1.0))))
    actual_last = first_due + 30 * (early - 1)
    open_still = revolving | (actual_last >= 0)

    def dated(values: np.ndarray) -> np.ndarray:
        return np.where(approved, values, np.nan)

    def only(flag: np.ndarray, name: str) -> np.ndarray:
        return np.where(
            flag,
            choose({k: v for k, v in known[name].shares.items() if k not in ("XNA", "XAP")}, rng.random(size)),
            "XNA",
        ).astype(object)

    reasons = {
        k: v for k, v in known["CODE_REJECT_REASON"].shares.items() if k in ("HC", "LIMIT", "SCO", "SCOFR", "VERIF")
    }
    band = choose({k: v for k, v in known["NAME_YIELD_GROUP"].shares.items() if k != "XNA"}, rng.random(size))
    suite = choose(known["NAME_TYPE_SUITE"].shares, rng.random(size))
    suite[rng.random(size) < known["NAME_TYPE_SUITE"].null_rate] = None
    product = np.where(
        revolving, "Card Street", np.where(cash, "Cash X-Sell: middle", "POS household with interest")
    ).astype(object)
    product[canceled & cash] = "Cash"
    table = frame(
        PREVIOUS_APPLICATION,
        {
            "SK_ID_PREV": ids,
            "SK_ID_CURR": clients.ids[owner],
            "NAME_CONTRACT_TYPE": contract,
            "AMT_ANNUITY": np.where(unknown, np.nan, annuity),
            "AMT_APPLICATION": asked,
            "AMT_CREDIT": credit,
            "AMT_DOWN_PAYMENT": np.where(consumer, down, np.nan),
            "AMT_GOODS_PRICE": np.where(canceled, np.nan, asked),
            "WEEKDAY_APPR_PROCESS_START": choose(known["WEEKDAY_APPR_PROCESS_START"].shares, rng.random(size)),
            "HOUR_APPR_PROCESS_START": np.rint(quantile(known["HOUR_APPR_PROCESS_START"], rng.random(size))),
            "FLAG_LAST_APPL_PER_CONTRACT": choose(known["FLAG_LAST_APPL_PER_CONTRACT"].shares, rng.random(size)),
            "NFLAG_LAST_APPL_IN_DAY": choose(known["NFLAG_LAST_APPL_IN_DAY"].shares, rng.random(size)).astype(float),
            "RATE_DOWN_PAYMENT": np.where(consumer & (asked > 0), down / np.maximum(asked, 1) * 1.089, np.nan),
            "RATE_INTEREST_PRIMARY": np.where(rng.random(size) < 0.0034, 0.189136, np.nan),
            "RATE_INTEREST_PRIVILEGED": np.where(rng.random(size) < 0.0034, 0.835095, np.nan),
            "NAME_CASH_LOAN_PURPOSE": np.where(cash, "XNA", "XAP").astype(object),
            "NAME_CONTRACT_STATUS": status,
            "DAYS_DECISION": decision,
            "NAME_PAYMENT_TYPE": np.where(canceled | (rng.random(size) < 0.2), "XNA", "Cash through the bank").astype(
                object
            ),
            "CODE_REJECT_REASON": np.where(
                refused, choose(reasons, rng.random(size)), np.where(status == "Unused offer", "CLIENT", "XAP")
            ).astype(object),
            "NAME_TYPE_SUITE": suite,
            "NAME_CLIENT_TYPE": choose(known["NAME_CLIENT_TYPE"].shares, rng.random(size)),
            "NAME_GOODS_CATEGORY": only(consumer, "NAME_GOODS_CATEGORY"),
            "NAME_PORTFOLIO": np.select([canceled, consumer, cash], ["XNA", "POS", "Cash"], "Cards").astype(object),
            "NAME_PRODUCT_TYPE": np.where(
                consumer, "XNA", np.where(rng.random(size) < 0.75, "x-sell", "walk-in")
            ).astype(object),
            "CHANNEL_TYPE": choose(known["CHANNEL_TYPE"].shares, rng.random(size)),
            "SELLERPLACE_AREA": np.rint(quantile(known["SELLERPLACE_AREA"], rng.random(size))),
            "NAME_SELLER_INDUSTRY": only(consumer, "NAME_SELLER_INDUSTRY"),
            "CNT_PAYMENT": np.where(unknown, np.nan, np.where(revolving, 0, term)),
            "NAME_YIELD_GROUP": np.where(canceled | revolving, "XNA", band).astype(object),
            "PRODUCT_COMBINATION": product,
            "DAYS_FIRST_DRAWING": dated(np.where(revolving, decision + 5, OPEN_ENDED)),
            "DAYS_FIRST_DUE": dated(first_due),
            "DAYS_LAST_DUE_1ST_VERSION": dated(np.where(revolving, OPEN_ENDED, planned_last)),
            "DAYS_LAST_DUE": dated(np.where(open_still, OPEN_ENDED, actual_last)),
            "DAYS_TERMINATION": dated(np.where(open_still, OPEN_ENDED, np.minimum(actual_last + 5, -1))),
            "NFLAG_INSURED_ON_APPROVAL": dated((rng.random(size) < 0.3).astype(float)),
        },
    )
    chosen = np.flatnonzero(approved)
    loans = Loans(
        ids[chosen],
        owner[chosen],
        revolving[chosen],
        decision[chosen],
        first_due[chosen],
        term[chosen].astype(np.int64),
        early[chosen].astype(np.int64),
        annuity[chosen],
        credit[chosen],
        weak[chosen],
    )
    return table, loans
