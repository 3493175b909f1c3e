"""Amounts and prices of earlier applications, and the due dates of their loans."""

from dataclasses import dataclass

import numpy as np

from bento.data.tables import OPEN_ENDED
from research.synthetic.calibration_statistics import grid_quantile, quantile, statistics, table_statistics
from research.synthetic.frames import Flags, Floats, Texts
from research.synthetic.products import Requests
from research.synthetic.risk_traits import mix, rank

DUE_STEP = 30
"""Days from one instalment to the next."""

_KINDS = ("Cash loans", "Consumer loans")
_CARD_TERM = 20
"""A card's annuity is a twentieth of its limit."""


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
    return Plans(asked, credit, down, down_rate, term, paid, band, rate, annuity, requests.decision + wait)


def draw_dates(requests: Requests, plans: Plans, used: Flags, rng: np.random.Generator) -> dict[str, Floats]:
    """Draw the five dates of a loan by column; `used` marks the cards that were ever drawn on."""
    structure = statistics()["structure"]
    card, size = requests.of_kind("Card"), len(requests.owner)
    planned, ended = (plans.first_due + DUE_STEP * (count - 1) for count in (plans.term, plans.paid))
    after = np.rint(grid_quantile(structure["days_to_termination"], rng.random(size)))
    drawing = np.minimum(requests.decision + np.rint(rng.exponential(20, size)), -1)
    card_due = drawing + 45
    closed = used & (card_due < -60) & (rng.random(size) < structure["card"]["closed"] / structure["card"]["used"])
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
    ratio = np.where(
        consumer,
        *(grid_quantile(structure["credit_per_price"][name], luck) for name in ("Consumer loans", "Cash loans")),
    )
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
