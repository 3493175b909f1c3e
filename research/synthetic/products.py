"""Products that clients applied for at this lender: dates and outcomes, amounts and prices, due dates of the loans."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtr

from bento.data.tables import OPEN_ENDED
from research.synthetic.calibration_statistics import choose, grid_quantile, quantile, statistics, table_statistics
from research.synthetic.frames import DAYS_IN_MONTH, Flags, Floats, Integers, Texts
from research.synthetic.risk_traits import Traits, among, mix, rank
from research.synthetic.same_day import with_same_days

OLDEST = -2922
"""Days; the data goes back eight years."""
DUE_STEP = 30
"""Days from one instalment to the next."""

_KINDS = ("Cash loans", "Consumer loans")
_CARD_TERM = 20
"""A card's annuity is a twentieth of its limit."""
_REPAID_ANYWAY = 0.19
"""Share of the loans whose plan runs past today that end before by the share of the plan that borrowers keep to."""
_LATE_ENDS = 0.35
"""Power of a uniform rank: most early ends are recent."""
_RECENT = 0.55
"""Weight of the client's trait in the recency of an application."""
_SEEKING = 0.8
"""Weight of the client's trait in the outcome of an application."""
_OUTCOME_RECENCY = 0.36
"""Weight of the recency in the outcome of an application."""
_OFFER_RECENCY = 0.85
"""Weight of the recency in whether an application is an offer of cash."""
_LATER_MEAN, _LATER_SPREAD = 0.21, 0.91
"""Recency of the applications after a client's first, when that of all is standard normal."""


@dataclass(frozen=True)
class Requests:
    """Applications of a chunk, one element each, by client and then by date."""

    owner: Integers
    first: Flags
    """The client's first application."""
    recency: Floats
    """Standard normal over all applications; higher is later."""
    decision: Floats
    """Days."""
    product: Texts
    status: Texts

    def of_kind(self, word: str) -> Flags:
        """Tell which products begin with `word`: Cash loans, Card (revolving) loans, POS loans (for goods)."""
        return np.char.startswith(self.product.astype(str), word)

    @property
    def contract(self) -> Texts:
        """Kind of loan."""
        names = ["Cash loans", "Revolving loans"]
        return np.select([self.of_kind("Cash"), self.of_kind("Card")], names, "Consumer loans").astype(object)

    @property
    def unpriced(self) -> Flags:
        """Applications without a price: offers of cash, cancelled cards, goods that were not fetched."""
        canceled_card = (self.product == "Card Street") & (self.status == "Canceled")
        return (self.product == "Cash") | canceled_card | (self.of_kind("POS") & (self.status == "Unused offer"))

    def draw(self, shares: Callable[[Mapping[str, Any]], Mapping[str, float]], ranks: Floats) -> Texts:
        """Return categories by the shares of each product."""
        result = np.empty(len(self.product), dtype=object)
        for name, item in statistics()["structure"]["products"].items():
            rows = self.product == name
            result[rows] = choose(dict(shares(item)), ranks[rows])
        return result


def draw_requests(owner: Integers, first: Flags, traits: Traits, rng: np.random.Generator) -> Requests:
    """Draw the applications of the clients `owner` (ascending); `first` marks the first of each client."""
    size = len(owner)
    recency = mix(rng, (_RECENT, among(traits.recent[owner])))
    recency = recency[np.lexsort((recency, owner))]
    decision = np.rint(quantile(table_statistics("previous_application")["DAYS_DECISION"], ndtr(recency)))
    product = np.where(first, choose(_first_products(), rng.random(size)), _later_product(recency, rng))
    requests = Requests(owner, first, recency, decision, product, product)
    recent_later = np.where(first | (product == "Cash"), 0.0, (recency - _LATER_MEAN) / _LATER_SPREAD)
    status = _status(requests, rank(rng, (_SEEKING, among(traits.seeking[owner])), (_OUTCOME_RECENCY, recent_later)))
    requests = replace(requests, status=_one_card(status, requests, rng))
    requests = replace(requests, decision=_with_card_ages(requests, rng))
    granted_card = requests.of_kind("Card") & (requests.status == "Approved")
    return replace(requests, decision=with_same_days(requests.decision, first, requests.status, granted_card, rng))


@lru_cache(maxsize=1)
def first_share() -> float:
    """Return the share of applications that are their client's first."""
    published = statistics()["published"]
    return float(published["clients"]["previous_application"] / published["rows"]["previous_application"])


@lru_cache(maxsize=1)
def _first_products() -> dict[str, float]:
    """Return the shares of products among first applications: mostly granted loans for goods."""
    structure = statistics()["structure"]
    products = structure["products"].items()
    granted = {name: item["share"] * item["status"].get("Approved", 0.0) for name, item in products}
    shares: dict[str, float] = dict.fromkeys(granted, 0.0)
    cash = structure["first_application"]["cash"]
    for kind, part in (("POS", 1 - cash), ("Cash", cash)):
        total = sum(share for name, share in granted.items() if name.startswith(kind))
        shares |= {name: part * share / total for name, share in granted.items() if name.startswith(kind)}
    return shares


def _later_products() -> dict[str, float]:
    """Return the shares of products among later applications, so that all together have the real shares."""
    products, first = statistics()["structure"]["products"], _first_products()
    return {name: max(item["share"] - first_share() * first[name], 0.0) for name, item in products.items()}


def _later_product(recency: Floats, rng: np.random.Generator) -> Texts:
    """Draw the products of later applications; most of the latest are offers of cash without a loan."""
    shares = _later_products()
    offer = shares.pop("Cash")
    offer /= offer + sum(shares.values())
    latest = rank(rng, (_OFFER_RECENCY, (recency - _LATER_MEAN) / _LATER_SPREAD)) > 1 - offer
    return np.where(latest, "Cash", choose(shares, rng.random(len(recency)))).astype(object)


def _status(requests: Requests, outcome: Floats) -> Texts:
    """Draw outcomes by product; first applications of returning clients are mostly granted."""
    structure = statistics()["structure"]
    result = np.empty(len(outcome), dtype=object)
    early, late = _first_products(), _later_products()
    for name, item in structure["products"].items():
        shares = {status: item["status"][status] for status in structure["status_order"] if status in item["status"]}
        of_all = shares.get("Approved", 0.0)
        of_first = structure["first_application"]["approved"]
        of_later = (item["share"] * of_all - first_share() * early[name] * of_first) / max(late[name], 1e-9)
        for group, approved in ((requests.first, of_first), (~requests.first, float(np.clip(of_later, 0.0, 1.0)))):
            rest = (1 - approved) / max(1 - of_all, 1e-9)
            rows = group & (requests.product == name)
            scaled = {status: approved if status == "Approved" else share * rest for status, share in shares.items()}
            result[rows] = choose(scaled, outcome[rows])
    return result


def _one_card(status: Texts, requests: Requests, rng: np.random.Generator) -> Texts:
    """Change outcomes so that a client has at most one granted card."""
    shares = statistics()["structure"]["card"]
    card = requests.of_kind("Card")
    cards = np.flatnonzero(card)
    main = np.zeros(len(card), dtype=bool)
    main[cards[np.unique(requests.owner[cards], return_index=True)[1]]] = True
    granted = main & (rng.random(len(card)) < shares["granted"])
    other = np.where(rng.random(len(card)) < shares["canceled_of_others"], "Canceled", "Refused")
    return np.where(granted, "Approved", np.where(card & (status == "Approved"), other, status)).astype(object)


def _with_card_ages(requests: Requests, rng: np.random.Generator) -> Floats:
    """Change dates so that granted cards have the real ages, and no application precedes the first."""
    decision, first = requests.decision, requests.first
    granted = requests.of_kind("Card") & (requests.status == "Approved")
    months = np.ceil(grid_quantile(statistics()["structure"]["card_months"], rng.random(len(decision))))
    decision = np.where(granted, -np.rint(months * DAYS_IN_MONTH) + rng.integers(1, 29, len(decision)), decision)
    if len(decision):
        oldest = np.minimum.reduceat(decision, np.flatnonzero(first))[np.cumsum(first) - 1]
        decision = np.where(first & (decision > oldest), oldest - 14, decision)
    return np.clip(decision, OLDEST, -2)


@dataclass(frozen=True)
class Plans:
    """Price and plan of every application, one element each."""

    asked: Floats
    credit: Floats
    down_payment: Floats
    down_rate: Floats
    """Down payment, scaled; NaN where none is known."""
    term: Floats
    """Instalments; 0 for cards."""
    paid: Floats
    """Instalments until the loan ends: the term, or fewer if it is repaid early."""
    band: Texts
    rate: Floats
    """Monthly interest."""
    annuity: Floats
    first_due: Floats
    """Days; may lie after the present application."""


def draw_plans(requests: Requests, large: Floats, rng: np.random.Generator) -> Plans:
    """Draw the plans of `requests`; `large` is a standard normal score of the size of each client's loans."""
    structure = statistics()["structure"]
    size = len(requests.owner)
    cash, card = map(requests.of_kind, ("Cash", "Card"))
    score = mix(rng, (0.4, large))
    asked, credit, down, down_rate = _amounts(requests, score, rng)
    long = rank(rng, (0.65, score), (np.where(cash, 0.6, 0.0), requests.recency))
    term = requests.draw(lambda item: item["terms"] or {"0": 1.0}, long).astype(float)
    luck = rng.random(size)
    kept = np.where(cash, *(grid_quantile(structure["paid_share"][name], luck) for name in _KINDS))
    paid = np.clip(np.rint(term * kept), 1, np.maximum(term, 1))
    band = requests.draw(lambda item: item["yields"], rng.random(size))
    band[requests.unpriced] = "XNA"
    rate = _rate(requests, band, rng)
    annuity = np.where(card, credit / _CARD_TERM, credit * rate / (1 - (1 + rate) ** -np.maximum(term, 1)))
    wait = np.maximum(np.rint(grid_quantile(structure["days_to_first_due"], rng.random(size))), 1)
    first_due = requests.decision + wait
    paid = np.where(card, paid, _with_early_ends(first_due, term, paid, rng))
    return Plans(asked, credit, down, down_rate, term, paid, band, rate, annuity, first_due)


def _with_early_ends(first_due: Floats, term: Floats, paid: Floats, rng: np.random.Generator) -> Floats:
    """Return the instalments until each loan ends, with more of the loans repaid whose plan runs past today."""
    target = statistics()["patterns"]["repaid_of_running"]["share"]
    share = (target - _REPAID_ANYWAY) / (1 - _REPAID_ANYWAY)
    due_so_far = np.ceil(-first_due / DUE_STEP)
    running = (due_so_far > 0) & (paid > due_so_far) & (first_due + DUE_STEP * (term - 1) > 0)
    ends = running & (rng.random(len(paid)) < share)
    return np.where(ends, np.ceil(rng.random(len(paid)) ** _LATE_ENDS * due_so_far), paid)


def draw_dates(requests: Requests, plans: Plans, used: Flags, rng: np.random.Generator) -> dict[str, Floats]:
    """Draw the five dates of a loan by column; `used` marks the cards that were ever drawn on."""
    structure = statistics()["structure"]
    card, size = requests.of_kind("Card"), len(requests.owner)
    planned, ended = (plans.first_due + DUE_STEP * (count - 1) for count in (plans.term, plans.paid))
    after = np.rint(grid_quantile(structure["days_to_termination"], rng.random(size)))
    drawing = np.minimum(requests.decision + np.rint(rng.exponential(20, size)), -1)
    card_due = drawing + 45
    drawn_share = 1 - statistics()["patterns"]["cards_never_drawn"]["share"]
    closed = used & (card_due < -60) & (rng.random(size) < structure["card"]["closed"] / drawn_share)
    card_end = np.rint(0.9 * card_due * rng.random(size)) - 2
    terminated = closed & (rng.random(size) < structure["card"]["terminated"])

    def dated(when: Flags, days: Floats) -> Floats:
        return np.where(when, days, OPEN_ENDED)

    return {
        "DAYS_FIRST_DRAWING": dated(used, drawing),
        "DAYS_FIRST_DUE": np.where(
            card, dated(used & (card_due < 0), card_due), dated(plans.first_due < 0, plans.first_due)
        ),
        "DAYS_LAST_DUE_1ST_VERSION": dated(~card, planned),
        "DAYS_LAST_DUE": np.where(card, dated(closed, card_end), dated(ended < 0, ended)),
        "DAYS_TERMINATION": np.where(
            card, dated(terminated, np.minimum(card_end + 20, -1)), dated(ended + after < -1, ended + after)
        ),
    }


def _amounts(requests: Requests, score: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Floats]:
    """Draw the amounts asked, granted and paid down, and the rate of the down payment."""
    structure = statistics()["structure"]
    size = len(score)
    cash, card, consumer = map(requests.of_kind, ("Cash", "Card", "POS"))
    ranks = rank(rng, (0.85, score), (0.3, requests.recency))
    asked = np.zeros(size)
    for name, item in structure["products"].items():
        rows = requests.product == name
        if item["amounts"] in structure["product_amounts"]:
            asked[rows] = grid_quantile(structure["product_amounts"][item["amounts"]], ranks[rows])
    asked = np.where(consumer, _multiple(asked, 4.5), _multiple(asked, 22500))
    limit = _multiple(grid_quantile(structure["product_amounts"]["Card limit"], ranks), 22500)
    kinds = ("x_sell_without_amount", "street_without_amount")
    silent = np.where(requests.product == "Card X-Sell", *(structure["card"][kind] for kind in kinds))
    nothing = (card & (requests.unpriced | (rng.random(size) < silent))) | (requests.product == "Cash")
    asked = np.where(nothing, 0.0, np.where(card, limit, asked))

    shares = [structure["down_payment_known"][name] for name in ("Consumer loans", "Cash loans")]
    has_down_payment = rng.random(size) < np.select([consumer, cash], shares, 0.0)
    rate = quantile(table_statistics("previous_application")["RATE_DOWN_PAYMENT"], rng.random(size))
    rate = np.where(has_down_payment, np.where(cash, 0.0, rate), np.nan)
    down = _multiple(asked * rate / structure["down_payment_scale"], 4.5)
    luck = rng.random(size)
    ratio = np.where(cash, *(grid_quantile(structure["credit_per_price"][name], luck) for name in _KINDS))
    granted = np.maximum(_multiple((asked - np.nan_to_num(down)) * ratio, 4.5), np.where(consumer, 4500.0, 0.0))
    granted = np.where(card, limit, granted)
    granted = np.where(requests.unpriced, np.where(consumer, asked, 0.0), granted)
    return asked, granted, down, rate


def _rate(requests: Requests, band: Texts, rng: np.random.Generator) -> Floats:
    """Draw the monthly interest by kind of loan and band."""
    structure = statistics()["structure"]
    result = np.full(len(band), structure["monthly_rate_of_others"])
    for kind, bands in structure["monthly_rate"].items():
        for name, grid in bands.items():
            rows = (requests.contract == kind) & (band == name)
            result[rows] = grid_quantile(grid, rng.random(rows.sum()))
    return result


def _multiple(values: Floats, step: float) -> Floats:
    return np.round(values / step) * step
