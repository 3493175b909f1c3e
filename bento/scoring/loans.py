"""Loans that may be proposed instead of the one asked for: smaller or over a longer term, as they are sold."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from bento.model.peer_groups import Product, Reference
from bento.scoring.loan_terms import is_within, longer_terms, longest_term

STEPS_PER_AMOUNT = 50
"""Fineness of the round amounts tried: their step is the 1, 2 or 5 of a power of ten just below 1/50 of the amount."""
MAX_COST = 0.5
"""Largest cost of a loan to the client (see `Loan`): one that gives up half of the money serves another purpose."""
CARD = "Revolving loans"
"""NAME_CONTRACT_TYPE of a card."""
MIN_WHOLE_INSTALMENT = 100
"""Instalment from which a proposed one is whole; below, it has cents, as texts show it."""


class Loan(NamedTuple):
    """A loan no larger than the one asked for, with no larger instalments."""

    cost: float
    """What the client gives up, as a share of the loan asked for: the part that is not lent, and additional interest.

    Both are money of the client, so that one figure compares a smaller loan with a longer term. The interest is that
    of the longest term which the instalment asked for fits. A smaller instalment costs nothing by itself.
    """
    credit: float
    annuity: float | None
    """None where the application has none."""
    months: int | None
    """Longest time of repayment at the monthly rate of the application; None for the term asked for."""
    months_asked: int | None
    """The same of the loan asked for; None for the term asked for."""


def candidate_loans(reference: Reference, application: Mapping[str, Any]) -> list[Loan]:
    """Return the loans to try, the cheapest for the client first.

    Their amounts are round and lie, as do their ratios to the instalment, in the ranges sold of this kind of loan, or
    of all kinds where it is unknown. The price of the goods has no part in it: it stays.
    """
    credit, annuity = float(application["AMT_CREDIT"]), application.get("AMT_ANNUITY")
    product = reference.product(application)
    amounts = product.credit if product else reference.ranges["AMT_CREDIT"]
    ratios = product.credit_to_annuity if product else reference.ranges["term"]
    least = max(amounts.low, credit * (1 - MAX_COST))
    smaller = [amount for amount in round_amounts(least, min(amounts.high, credit)) if amount < credit]
    loans = []
    if annuity is None or (annuity > 0 and is_within(credit / annuity, ratios)):
        for amount in smaller:
            instalment = None if annuity is None else _instalment(amount * annuity / credit, annuity)
            loans.append(Loan(1 - amount / credit, amount, instalment, None, None))
    if annuity and product:
        asked = [credit] if is_within(credit, amounts) else []
        loans += _with_longer_terms(product, credit, annuity, [*asked, *smaller])
    return sorted(loans, key=lambda loan: (loan.cost, loan.months or 0))


def is_card(application: Mapping[str, Any]) -> bool:
    """Whether an application asks for a card: a limit, without a term or a down payment."""
    return bool(application.get("NAME_CONTRACT_TYPE") == CARD)


def down_payment(application: Mapping[str, Any], credit: float) -> float | None:
    """Return the part of the price of the goods that a loan leaves to the client, None where there is none."""
    price = application.get("AMT_GOODS_PRICE")
    return None if price is None or price <= credit or is_card(application) else float(price - credit)


def round_amounts(low: float, high: float) -> list[float]:
    """Return all round amounts of a range, 1 to 2 % apart (see `STEPS_PER_AMOUNT`)."""
    amounts, amount = [], max(low, 1.0)
    while amount <= high:
        step = round_step(amount)
        amount = math.ceil(amount / step) * step
        amounts.append(amount)
        amount += step
    return [amount for amount in amounts if amount <= high]


def round_step(value: float) -> float:
    """Return the step between round amounts near a value.

    >>> round_step(450_000), round_step(24_700)
    (5000.0, 200.0)
    """
    step = max(value / STEPS_PER_AMOUNT, 1.0)
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(digit for digit in (5, 2, 1) if digit * power <= step)


def _with_longer_terms(product: Product, credit: float, annuity: float, amounts: Iterable[float]) -> list[Loan]:
    asked = longest_term(product, credit / annuity)
    if asked is None:
        return []
    loans = []
    for term in longer_terms(product, asked):
        interest = term.repaid - asked.repaid
        for amount in amounts:
            share = amount / credit
            cost = 1 - share + share * interest
            if cost <= MAX_COST:
                instalment = _instalment(amount / term.credit_to_annuity, annuity)
                loans.append(Loan(cost, amount, instalment, term.months, asked.months))
    return loans


def _instalment(value: float, asked: float) -> float:
    """Round an instalment up to what its text shows: the loan in the text is the one decided, and repaid in its term.

    The digits of float arithmetic are cut first: they would add one unit to an instalment that is already whole.
    """
    units = 1 if value >= MIN_WHOLE_INSTALMENT else 100
    return min(math.ceil(round(value * units, 6)) / units, float(asked))
