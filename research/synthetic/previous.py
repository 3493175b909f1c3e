"""Earlier applications to this lender: product, amount, outcome and plan."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scipy.special import ndtr

from bento.tables import OPEN_ENDED, PREVIOUS_APPLICATION
from research.synthetic.application import Clients
from research.synthetic.behaviour import Traits, mix, rank
from research.synthetic.counts import draw_counts
from research.synthetic.facts import facts, table_facts
from research.synthetic.frames import frame, spread
from research.synthetic.marginals import choose, grid_quantile, pick, quantile

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

IDS_PER_CLIENT = 8
"""Identifiers set aside, more than a chunk of clients ever has applications."""
DUE_STEP = 30
"""Days from one instalment to the next."""

_MONTH = 30.44
_SEEKING = 0.55
_LATELY = 0.3
_FASHION = 0.85
_LATER_MEAN, _LATER_SPREAD = 0.227, 0.885
"""Recency of the applications after a client's first, when that of all is standard normal."""


@dataclass(frozen=True)
class Loans:
    """Granted loans and cards, one element each: their plan and owner."""

    ids: NDArray[np.int64]
    owner: NDArray[np.int64]
    card: Flags
    decision: Floats
    first_due: Floats
    term: NDArray[np.int64]
    paid: NDArray[np.int64]
    """Instalments until the loan ends: the term, or fewer if it is repaid early."""
    annuity: Floats
    rate: Floats
    """Monthly interest."""
    habit: Floats
    """Standard normal; higher for cards whose limit is used more."""

    def only(self, which: Flags) -> "Loans":
        """The loans in `which`."""
        return Loans(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def draw_previous(
    clients: Clients, traits: Traits, ids: NDArray[np.int64], rng: np.random.Generator
) -> tuple[pl.DataFrame, Loans]:
    """Earlier applications of `clients`, identified by the shuffled `ids`, and the loans among them."""
    known, structure = table_facts("previous_application"), facts()["structure"]
    products = structure["products"]
    owner, position = spread(draw_counts("previous_application", len(clients.ids), rng, traits.seeking))
    size = len(owner)
    ids = ids[:size]
    first = position == 0
    recency = mix(rng, (0.3, traits.recent[owner]))
    recency = recency[np.lexsort((recency, owner))]
    decision = np.minimum(np.rint(quantile(known["DAYS_DECISION"], ndtr(recency))), -2)
    product = np.where(first, choose(_first_products(), rng.random(size)), _later_product(recency, rng))
    contract = np.select(
        [_starts(product, "Cash"), _starts(product, "Card")], ["Cash loans", "Revolving loans"], "Consumer loans"
    ).astype(object)
    cash, card, consumer = (contract == name for name in ("Cash loans", "Revolving loans", "Consumer loans"))
    lately = np.where(first, 0.0, (recency - _LATER_MEAN) / _LATER_SPREAD)
    outcome = rank(rng, (_SEEKING, traits.seeking[owner]), (_LATELY, lately))
    status = _one_card(_status(product, first, outcome, structure), card, owner, structure, rng)
    approved, refused, canceled, unused = (
        status == name for name in ("Approved", "Refused", "Canceled", "Unused offer")
    )
    street = product == "Card Street"
    unpriced = (product == "Cash") | (street & canceled) | (consumer & unused)

    decision = _with_card_ages(decision, card & approved, first, structure, rng)
    habit = mix(rng, (0.75, traits.indebted[owner]))
    large = rng.standard_normal(len(clients.ids))[owner]
    score = mix(rng, (0.4, large))
    asked, credit, down_rate = _amounts(structure, product, contract, status, unpriced, score, recency, rng)
    term = _by_product(
        products,
        product,
        lambda facts_of: facts_of["terms"] or {"0": 1.0},
        rank(rng, (0.65, score), (np.where(cash, 0.6, 0.0), recency)),
    ).astype(float)
    band = _by_product(products, product, lambda facts_of: facts_of["yields"], rng.random(size))
    band[unpriced] = "XNA"
    rate = _rate(structure, contract, band, rng)
    annuity = np.where(card, credit / 20, credit * rate / (1 - (1 + rate) ** -np.maximum(term, 1)))

    dated = approved & (rng.random(size) < structure["dates_known_of_approved"])
    first_due = decision + np.maximum(np.rint(grid_quantile(structure["days_to_first_due"], rng.random(size))), 1)
    luck = rng.random(size)
    paid_share = np.where(
        cash, *(grid_quantile(structure["paid_share"][name], luck) for name in ("Cash loans", "Consumer loans"))
    )
    paid = np.clip(np.rint(term * paid_share), 1, np.maximum(term, 1))
    used = card & (ndtr(habit) > 1 - structure["card"]["used"])
    dates = _dates(structure, card, used, decision, first_due, term, paid, rng)

    industry = _by_product(products, product, lambda facts_of: facts_of["industry"], rng.random(size))
    table = frame(
        PREVIOUS_APPLICATION,
        {
            "SK_ID_PREV": ids,
            "SK_ID_CURR": clients.ids[owner],
            "NAME_CONTRACT_TYPE": _with(
                contract, "XNA", canceled & (rng.random(size) < structure["contract_unknown_of_canceled"])
            ),
            "AMT_ANNUITY": np.where(unpriced, np.nan, annuity),
            "AMT_APPLICATION": asked,
            "AMT_CREDIT": credit,
            "AMT_DOWN_PAYMENT": np.round(asked * down_rate / structure["down_payment_scale"] / 4.5) * 4.5,
            "AMT_GOODS_PRICE": np.where(asked > 0, asked, np.nan),
            "WEEKDAY_APPR_PROCESS_START": choose(known["WEEKDAY_APPR_PROCESS_START"].shares, rng.random(size)),
            "HOUR_APPR_PROCESS_START": np.rint(quantile(known["HOUR_APPR_PROCESS_START"], rng.random(size))),
            "FLAG_LAST_APPL_PER_CONTRACT": choose(known["FLAG_LAST_APPL_PER_CONTRACT"].shares, rng.random(size)),
            "NFLAG_LAST_APPL_IN_DAY": choose(known["NFLAG_LAST_APPL_IN_DAY"].shares, rng.random(size)).astype(float),
            "RATE_DOWN_PAYMENT": down_rate,
            **_interest(known, rng, size),
            "NAME_CASH_LOAN_PURPOSE": _purpose(known, cash, rng),
            "NAME_CONTRACT_STATUS": status,
            "DAYS_DECISION": decision,
            "NAME_PAYMENT_TYPE": _payment_type(known, structure, cash, card, rng),
            "CODE_REJECT_REASON": _reason(known, refused, unused, rng, traits.seeking[owner]),
            "NAME_TYPE_SUITE": _with(
                choose(known["NAME_TYPE_SUITE"].shares, rng.random(size)),
                None,
                rng.random(size) < known["NAME_TYPE_SUITE"].null_rate,
            ),
            "NAME_CLIENT_TYPE": _client_type(known, first, rng),
            "NAME_GOODS_CATEGORY": _goods(structure, industry, consumer, rng),
            "NAME_PORTFOLIO": np.select([unpriced, consumer, cash], ["XNA", "POS", "Cash"], "Cards").astype(object),
            "NAME_PRODUCT_TYPE": np.select(
                [_has(product, "X-Sell") | (refused & (product == "Cash")), _has(product, "Cash Street")],
                ["x-sell", "walk-in"],
                "XNA",
            ).astype(object),
            "CHANNEL_TYPE": _by_product(products, product, lambda facts_of: facts_of["channel"], rng.random(size)),
            "SELLERPLACE_AREA": np.rint(
                quantile(known["SELLERPLACE_AREA"], rank(rng, (0.8, np.where(consumer, 0.95, -0.74))))
            ),
            "NAME_SELLER_INDUSTRY": industry,
            "CNT_PAYMENT": np.where(unpriced, np.nan, np.where(card, 0, term)),
            "NAME_YIELD_GROUP": band,
            "PRODUCT_COMBINATION": _with(product, None, rng.random(size) < known["PRODUCT_COMBINATION"].null_rate),
            **{name: np.where(dated, values, np.nan) for name, values in dates.items()},
            "NFLAG_INSURED_ON_APPROVAL": np.where(
                dated, choose(known["NFLAG_INSURED_ON_APPROVAL"].shares, rng.random(size)).astype(float), np.nan
            ),
        },
    )
    loans = Loans(
        ids, owner, card, decision, first_due, term.astype(np.int64), paid.astype(np.int64), annuity, rate, habit
    )
    return table, loans.only(approved)


def _starts(texts: NDArray, beginning: str) -> Flags:
    return np.char.startswith(texts.astype(str), beginning)


def _has(texts: NDArray, part: str) -> Flags:
    return np.char.find(texts.astype(str), part) >= 0


def _with(values: NDArray, other: str | None, where: Flags) -> NDArray:
    values = values.copy()
    values[where] = other
    return values


@lru_cache(maxsize=1)
def _first_share() -> float:
    """Share of applications that are their client's first."""
    published = facts()["published"]
    return float(published["clients"]["previous_application"] / published["rows"]["previous_application"])


@lru_cache(maxsize=1)
def _first_products() -> dict[str, float]:
    """Shares of products among first applications: goods bought on credit, and what was granted."""
    structure = facts()["structure"]
    granted = {
        name: item["share"] * item["status"].get("Approved", 0.0) for name, item in structure["products"].items()
    }
    shares: dict[str, float] = dict.fromkeys(granted, 0.0)
    cash = structure["first_application"]["cash"]
    for kind, part in (("POS", 1 - cash), ("Cash", cash)):
        total = sum(share for name, share in granted.items() if name.startswith(kind))
        shares |= {name: part * share / total for name, share in granted.items() if name.startswith(kind)}
    return shares


def _later_products() -> dict[str, float]:
    """Shares of products among the other applications, so that all together have the known shares."""
    products, first = facts()["structure"]["products"], _first_products()
    return {name: max(item["share"] - _first_share() * first[name], 0.0) for name, item in products.items()}


def _with_card_ages(
    decision: Floats, granted: Flags, first: Flags, structure: dict, rng: np.random.Generator
) -> Floats:
    """Dates in which granted cards have the ages of the known cards, and nothing is older than the first application."""
    months = np.ceil(grid_quantile(structure["card_months"], rng.random(len(decision))))
    decision = np.where(granted, -np.rint(months * _MONTH) + rng.integers(1, 29, len(decision)), decision)
    if len(decision):
        oldest = np.minimum.reduceat(decision, np.flatnonzero(first))[np.cumsum(first) - 1]
        decision = np.where(first & (decision > oldest), np.maximum(oldest - 14, -2922), decision)
    return np.minimum(decision, -2)


def _later_product(recency: Floats, rng: np.random.Generator) -> NDArray[np.object_]:
    """Products of later applications; most of the latest are offers of cash that came to nothing."""
    shares = _later_products()
    offer = shares.pop("Cash")
    offer /= offer + sum(shares.values())
    latest = rank(rng, (_FASHION, (recency - _LATER_MEAN) / _LATER_SPREAD)) > 1 - offer
    return np.where(latest, "Cash", choose(shares, rng.random(len(recency))))


def _status(product: NDArray, first: Flags, outcome: Floats, structure: dict) -> NDArray[np.object_]:
    """Outcomes by product; first applications, of clients who came to stay, are mostly granted."""
    result = np.empty(len(product), dtype=object)
    granted = structure["first_application"]["approved"]
    early, late = _first_products(), _later_products()
    for name, item in structure["products"].items():
        shares = {status: item["status"][status] for status in structure["status_order"] if status in item["status"]}
        early_share = _first_share() * early[name]
        approved = (item["share"] * shares.get("Approved", 0.0) - early_share * granted) / max(late[name], 1e-9)
        approved = min(max(approved, 0.0), 1.0)
        for rows, share in ((first, granted), (~first, approved)):
            rows = rows & (product == name)
            refused = 1 - shares.get("Approved", 0.0)
            scaled = {
                status: share if status == "Approved" else value * (1 - share) / max(refused, 1e-9)
                for status, value in shares.items()
            }
            result[rows] = choose(scaled, outcome[rows])
    return result


def _one_card(
    status: NDArray, card: Flags, owner: NDArray[np.int64], structure: dict, rng: np.random.Generator
) -> NDArray[np.object_]:
    """Outcomes with at most one card granted to a client."""
    cards = np.flatnonzero(card)
    main = np.zeros(len(card), dtype=bool)
    main[cards[np.unique(owner[cards], return_index=True)[1]]] = True
    granted = main & (rng.random(len(card)) < structure["card"]["granted"])
    other = np.where(rng.random(len(card)) < 0.6, "Canceled", "Refused")
    return np.where(granted, "Approved", np.where(card & (status == "Approved"), other, status)).astype(object)


def _by_product(products: dict, product: NDArray, shares, ranks: Floats) -> NDArray[np.object_]:
    """Categories by the shares that belong to each product."""
    result = np.empty(len(product), dtype=object)
    for name, facts_of in products.items():
        rows = product == name
        result[rows] = choose(shares(facts_of), ranks[rows])
    return result


def _amounts(
    structure: dict,
    product: NDArray,
    contract: NDArray,
    status: NDArray,
    unpriced: Flags,
    score: Floats,
    recency: Floats,
    rng: np.random.Generator,
) -> tuple[Floats, Floats, Floats]:
    """Asked, granted, and rate of the down payment (NaN where none is known)."""
    size = len(product)
    card, cash, consumer = (contract == name for name in ("Revolving loans", "Cash loans", "Consumer loans"))
    asked = np.zeros(size)
    ranks = rank(rng, (0.85, score), (0.3, recency))
    for name, facts_of in structure["products"].items():
        rows = product == name
        if facts_of["amounts"] in structure["product_amounts"]:
            asked[rows] = grid_quantile(structure["product_amounts"][facts_of["amounts"]], ranks[rows])
    asked = np.where(consumer, np.round(asked / 4.5) * 4.5, np.round(asked / 22500) * 22500)
    limit = np.round(grid_quantile(structure["product_amounts"]["Card limit"], ranks) / 22500) * 22500
    silent = np.where(
        product == "Card X-Sell", structure["card"]["x_sell_without_amount"], structure["card"]["street_without_amount"]
    )
    nothing = (card & (rng.random(size) < silent)) | (product == "Cash") | (unpriced & card)
    asked = np.where(nothing, 0.0, np.where(card, limit, asked))
    chance = np.select(
        [consumer, cash], [structure["down_payment_known"][name] for name in ("Consumer loans", "Cash loans")], 0.0
    )
    rate = quantile(table_facts("previous_application")["RATE_DOWN_PAYMENT"], rng.random(size))
    rate = np.where(rng.random(size) < chance, np.where(cash, 0.0, rate), np.nan)
    down = np.round(asked * rate / structure["down_payment_scale"] / 4.5) * 4.5
    ratio = np.where(
        consumer,
        *(
            grid_quantile(structure["credit_per_price"][name], rng.random(size))
            for name in ("Consumer loans", "Cash loans")
        ),
    )
    granted = np.where(
        card, np.where(unpriced, 0.0, limit), np.round((asked - np.nan_to_num(down)) * ratio / 4.5) * 4.5
    )
    granted = np.where(unpriced & ~consumer, 0.0, np.maximum(granted, np.where(consumer & ~unpriced, 4500.0, 0.0)))
    return asked, np.where(status == "Unused offer", asked, granted), rate


def _rate(structure: dict, contract: NDArray, band: NDArray, rng: np.random.Generator) -> Floats:
    """Monthly interest by contract and yield band."""
    result = np.full(len(band), 0.03)
    for kind, bands in structure["monthly_rate"].items():
        for name, grid in bands.items():
            rows = (contract == kind) & (band == name)
            result[rows] = grid_quantile(grid, rng.random(rows.sum()))
    return result


def _dates(
    structure: dict,
    card: Flags,
    used: Flags,
    decision: Floats,
    first_due: Floats,
    term: Floats,
    paid: Floats,
    rng: np.random.Generator,
) -> dict[str, Floats]:
    size = len(card)
    facts_of = structure["card"]
    planned, ended = first_due + DUE_STEP * (term - 1), first_due + DUE_STEP * (paid - 1)
    after = np.rint(grid_quantile(structure["days_to_termination"], rng.random(size)))
    running = ended + after >= -1
    drawing = np.minimum(decision + np.rint(rng.exponential(20, size)), -1)
    card_due = drawing + 45
    card_closed = used & (card_due < -60) & (rng.random(size) < facts_of["closed"] / facts_of["used"])
    card_end = np.where(card_closed, np.rint(card_due * rng.random(size)) - 2, OPEN_ENDED)
    return {
        "DAYS_FIRST_DRAWING": np.where(used, drawing, OPEN_ENDED),
        "DAYS_FIRST_DUE": np.where(
            card, np.where(used & (card_due < 0), card_due, OPEN_ENDED), np.where(first_due < 0, first_due, OPEN_ENDED)
        ),
        "DAYS_LAST_DUE_1ST_VERSION": np.where(card, OPEN_ENDED, planned),
        "DAYS_LAST_DUE": np.where(card, card_end, np.where(ended < 0, ended, OPEN_ENDED)),
        "DAYS_TERMINATION": np.where(
            card,
            np.where(
                card_closed & (rng.random(size) < facts_of["terminated"]), np.minimum(card_end + 20, -1), OPEN_ENDED
            ),
            np.where(running, OPEN_ENDED, ended + after),
        ),
    }


def _interest(known: dict, rng: np.random.Generator, size: int) -> dict[str, Floats]:
    filled = rng.random(size) > known["RATE_INTEREST_PRIMARY"].null_rate
    return {
        name: np.where(filled, choose(known[name].shares, rng.random(size)).astype(float), np.nan)
        for name in ("RATE_INTEREST_PRIMARY", "RATE_INTEREST_PRIVILEGED")
    }


def _purpose(known: dict, cash: Flags, rng: np.random.Generator) -> NDArray[np.object_]:
    shares = {name: share for name, share in known["NAME_CASH_LOAN_PURPOSE"].shares.items() if name != "XAP"}
    return np.where(cash, choose(shares, rng.random(len(cash))), "XAP").astype(object)


def _payment_type(
    known: dict, structure: dict, cash: Flags, card: Flags, rng: np.random.Generator
) -> NDArray[np.object_]:
    shares = {name: share for name, share in known["NAME_PAYMENT_TYPE"].shares.items() if name != "XNA"}
    unknown = structure["payment_type_unknown"]
    chance = np.select([card, cash], [1.0, unknown["Cash loans"]], unknown["Consumer loans"])
    return np.where(rng.random(len(cash)) < chance, "XNA", choose(shares, rng.random(len(cash)))).astype(object)


def _reason(
    known: dict, refused: Flags, unused: Flags, rng: np.random.Generator, seeking: Floats
) -> NDArray[np.object_]:
    shares = known["CODE_REJECT_REASON"].shares
    by_risk = {name: shares[name] for name in ("VERIF", "LIMIT", "XNA", "HC", "SCO", "SCOFR") if name in shares}
    reasons = choose(by_risk, rank(rng, (0.2, seeking)))
    return np.where(refused, reasons, np.where(unused, "CLIENT", "XAP")).astype(object)


def _client_type(known: dict, first: Flags, rng: np.random.Generator) -> NDArray[np.object_]:
    """New clients are those at their first application."""
    shares = known["NAME_CLIENT_TYPE"].shares
    others = {name: share for name, share in shares.items() if name != "New"}
    new = first & (rng.random(len(first)) < shares["New"] / _first_share())
    return np.where(new, "New", choose(others, rng.random(len(first)))).astype(object)


def _goods(structure: dict, industry: NDArray, consumer: Flags, rng: np.random.Generator) -> NDArray[np.object_]:
    result = np.full(len(industry), "XNA", dtype=object)
    for name, shares in structure["goods_by_industry"].items():
        rows = consumer & (industry == name)
        result[rows] = choose(shares, rng.random(rows.sum()))
    return result
