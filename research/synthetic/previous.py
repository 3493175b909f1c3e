"""Earlier applications to this lender, and the loans granted on them."""

from dataclasses import dataclass, fields

import numpy as np
import polars as pl
from scipy.special import ndtri

from bento.data.tables import PREVIOUS_APPLICATION
from research.synthetic.application import Clients
from research.synthetic.calibration_statistics import choose, quantile, statistics, table_statistics
from research.synthetic.frames import Flags, Floats, Integers, Texts, frame, rank_among, spread
from research.synthetic.products import Requests, draw_dates, draw_plans, draw_requests, first_share
from research.synthetic.risk_traits import Traits, among, draw_counts, mix, rank

IDS_PER_CLIENT = 8
"""Identifiers reserved for each client of a chunk; the mean number of applications is below 5."""

_DRAWN_AGE = 0.6
"""Weight of a card's age in whether it was ever drawn on: with it, the never drawn have a fifth of the months."""
_DRAWN_HABIT = 0.45
"""Weight of the use of its limit in whether a card was ever drawn on."""
_REASONS_BY_RISK = ("VERIF", "LIMIT", "XNA", "HC", "SCO", "SCOFR")


@dataclass(frozen=True)
class Loans:
    """Granted loans and cards, one element each: their plan and owner."""

    ids: Integers
    owner: Integers
    card: Flags
    decision: Floats
    first_due: Floats
    term: Integers
    paid: Integers
    """Instalments until the loan ends: the term, or fewer if it is repaid early."""
    annuity: Floats
    rate: Floats
    """Monthly interest."""
    drawn: Flags
    """Cards that were ever drawn on."""
    habit: Floats
    """Standard normal; higher for cards whose limit is used more."""
    lag: Floats
    """Days by which the records of the loan end before the present application."""

    def only(self, which: Flags) -> "Loans":
        """Return the loans in `which`."""
        return Loans(*(getattr(self, field.name)[which] for field in fields(self)))


def draw_previous(
    clients: Clients, traits: Traits, ids: Integers, rng: np.random.Generator
) -> tuple[pl.DataFrame, Loans]:
    """Draw the earlier applications of `clients`, identified by the shuffled `ids`, and the loans among them."""
    structure = statistics()["structure"]
    owner, position = spread(draw_counts("previous_application", len(clients.ids), rng, traits.seeking))
    size = len(owner)
    ids = ids[:size]
    requests = draw_requests(owner, position == 0, traits, rng)
    plans = draw_plans(requests, rng.standard_normal(len(clients.ids))[owner], rng)
    habit = mix(rng, (0.9, among(traits.indebted[owner])))
    approved = requests.status == "Approved"
    used = _drawn(requests, approved, habit, rng)
    dated = approved & (rng.random(size) < structure["dates_known_of_approved"])
    dates = draw_dates(requests, plans, used, rng)
    insured = _by_share("NFLAG_INSURED_ON_APPROVAL", size, rng).astype(float)
    table = frame(
        PREVIOUS_APPLICATION,
        {
            "SK_ID_PREV": ids,
            "SK_ID_CURR": clients.ids[owner],
            **_product_columns(requests, rng),
            **_visit_columns(size, rng),
            "AMT_ANNUITY": np.where(requests.unpriced, np.nan, plans.annuity),
            "AMT_APPLICATION": plans.asked,
            "AMT_CREDIT": plans.credit,
            "AMT_DOWN_PAYMENT": plans.down_payment,
            "AMT_GOODS_PRICE": np.where(plans.asked > 0, plans.asked, np.nan),
            "RATE_DOWN_PAYMENT": plans.down_rate,
            "NAME_CONTRACT_STATUS": requests.status,
            "DAYS_DECISION": requests.decision,
            "CODE_REJECT_REASON": _reason(requests, traits, rng),
            "NAME_CLIENT_TYPE": _client_type(requests.first, rng),
            "CNT_PAYMENT": np.where(requests.unpriced, np.nan, plans.term),
            "NAME_YIELD_GROUP": plans.band,
            **{name: np.where(dated, days, np.nan) for name, days in dates.items()},
            "NFLAG_INSURED_ON_APPROVAL": np.where(dated, insured, np.nan),
        },
    )
    shortest_lag, longest_lag = structure["records_lag"]
    loans = Loans(
        ids=ids,
        owner=owner,
        card=requests.of_kind("Card"),
        decision=requests.decision,
        first_due=plans.first_due,
        term=plans.term.astype(np.int64),
        paid=plans.paid.astype(np.int64),
        annuity=plans.annuity,
        rate=plans.rate,
        drawn=used,
        habit=habit,
        lag=np.maximum(rng.uniform(shortest_lag, longest_lag, size), 0),
    )
    return table, loans.only(approved)


def _drawn(requests: Requests, approved: Flags, habit: Floats, rng: np.random.Generator) -> Flags:
    """Draw which of the cards were ever drawn on: the granted ones rather if they are old or used much."""
    card = requests.of_kind("Card")
    age = ndtri(np.clip(rank_among(-requests.decision, card & approved), 0.001, 0.999))
    return card & (
        rank(rng, (_DRAWN_AGE, age), (_DRAWN_HABIT, habit)) > statistics()["patterns"]["cards_never_drawn"]["share"]
    )


def _by_share(name: str, size: int, rng: np.random.Generator) -> Texts:
    return choose(table_statistics("previous_application")[name].shares, rng.random(size))


def _replaced(values: Texts, other: str | None, where: Flags) -> Texts:
    values = values.copy()
    values[where] = other
    return values


def _product_columns(requests: Requests, rng: np.random.Generator) -> dict[str, Texts | Floats]:
    """Draw the columns that depend on the product and the shop."""
    columns, structure = table_statistics("previous_application"), statistics()["structure"]
    size = len(requests.owner)
    product = requests.product
    cash, card, consumer = map(requests.of_kind, ("Cash", "Card", "POS"))
    canceled, refused = requests.status == "Canceled", requests.status == "Refused"
    without_type = canceled & (rng.random(size) < structure["contract_unknown_of_canceled"])
    offered = refused & (product == "Cash") & (rng.random(size) < structure["offers_crossed"])
    crossed = offered | (np.char.find(product.astype(str), "X-Sell") >= 0)
    walked_in = np.char.startswith(product.astype(str), "Cash Street")
    purposes = {name: share for name, share in columns["NAME_CASH_LOAN_PURPOSE"].shares.items() if name != "XAP"}
    payments = {name: share for name, share in columns["NAME_PAYMENT_TYPE"].shares.items() if name != "XNA"}
    unknown = structure["payment_type_unknown"]
    unpaid = rng.random(size) < np.select([card, cash], [1.0, unknown["Cash loans"]], unknown["Consumer loans"])
    industry = requests.draw(lambda item: item["industry"], rng.random(size))
    goods = np.full(size, "XNA", dtype=object)
    for name, shares in structure["goods_by_industry"].items():
        rows = consumer & (industry == name)
        goods[rows] = choose(shares, rng.random(rows.sum()))
    area = quantile(columns["SELLERPLACE_AREA"], rank(rng, (0.8, np.where(consumer, 0.95, -0.74))))
    portfolio = np.select([requests.unpriced, consumer, cash], ["XNA", "POS", "Cash"], "Cards")
    return {
        "NAME_CONTRACT_TYPE": _replaced(requests.contract, "XNA", without_type),
        "NAME_CASH_LOAN_PURPOSE": np.where(cash, choose(purposes, rng.random(size)), "XAP").astype(object),
        "NAME_PAYMENT_TYPE": np.where(unpaid, "XNA", choose(payments, rng.random(size))).astype(object),
        "NAME_GOODS_CATEGORY": goods,
        "NAME_PORTFOLIO": portfolio.astype(object),
        "NAME_PRODUCT_TYPE": np.select([crossed, walked_in], ["x-sell", "walk-in"], "XNA").astype(object),
        "CHANNEL_TYPE": requests.draw(lambda item: item["channel"], rng.random(size)),
        "SELLERPLACE_AREA": np.rint(area),
        "NAME_SELLER_INDUSTRY": industry,
        "PRODUCT_COMBINATION": _replaced(product, None, rng.random(size) < columns["PRODUCT_COMBINATION"].null_rate),
    }


def _visit_columns(size: int, rng: np.random.Generator) -> dict[str, Texts | Floats]:
    """Draw the columns of the visit, which do not depend on the loan."""
    columns = table_statistics("previous_application")
    suite_unknown = rng.random(size) < columns["NAME_TYPE_SUITE"].null_rate
    priced = rng.random(size) > columns["RATE_INTEREST_PRIMARY"].null_rate
    rates = ("RATE_INTEREST_PRIMARY", "RATE_INTEREST_PRIVILEGED")
    return {
        "WEEKDAY_APPR_PROCESS_START": _by_share("WEEKDAY_APPR_PROCESS_START", size, rng),
        "HOUR_APPR_PROCESS_START": np.rint(quantile(columns["HOUR_APPR_PROCESS_START"], rng.random(size))),
        "FLAG_LAST_APPL_PER_CONTRACT": _by_share("FLAG_LAST_APPL_PER_CONTRACT", size, rng),
        "NFLAG_LAST_APPL_IN_DAY": _by_share("NFLAG_LAST_APPL_IN_DAY", size, rng).astype(float),
        "NAME_TYPE_SUITE": _replaced(_by_share("NAME_TYPE_SUITE", size, rng), None, suite_unknown),
        **{name: np.where(priced, _by_share(name, size, rng).astype(float), np.nan) for name in rates},
    }


def _reason(requests: Requests, traits: Traits, rng: np.random.Generator) -> Texts:
    shares = table_statistics("previous_application")["CODE_REJECT_REASON"].shares
    by_risk = {name: shares[name] for name in _REASONS_BY_RISK if name in shares}
    reasons = choose(by_risk, rank(rng, (0.2, among(traits.seeking[requests.owner]))))
    refused, unused = requests.status == "Refused", requests.status == "Unused offer"
    return np.where(refused, reasons, np.where(unused, "CLIENT", "XAP")).astype(object)


def _client_type(first: Flags, rng: np.random.Generator) -> Texts:
    """Draw the type of client; new clients are those at their first application."""
    shares = table_statistics("previous_application")["NAME_CLIENT_TYPE"].shares
    others = {name: share for name, share in shares.items() if name != "New"}
    new = first & (rng.random(len(first)) < shares["New"] / first_share())
    return np.where(new, "New", choose(others, rng.random(len(first)))).astype(object)
