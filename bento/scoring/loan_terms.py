"""Longer terms of a loan at its own price, from its instalment and the plans that are sold.

The application holds no term. Its instalment fits several plans, each at another monthly rate; the longest of them is
the most expensive, so that a bound computed from it holds for the others too: at a lower rate the same instalment
repays the loan sooner.
"""

from typing import NamedTuple

from bento.model.peer_groups import Product, Range

BISECTIONS = 50
"""Halvings of the interval of rates from 0 to 1: the last is below the precision of a float."""
ROUNDING = 1e-9
"""Relative difference by which a ratio may lie outside a range: that of its computation."""


class Term(NamedTuple):
    """A number of monthly instalments, and the loan divided by one of them."""

    months: int
    credit_to_annuity: float

    @property
    def repaid(self) -> float:
        """What is repaid in all, for each unit lent."""
        return self.months / self.credit_to_annuity


def longest_term(product: Product, credit_to_annuity: float) -> Term | None:
    """Return the longest term that is sold with such an instalment, None where none is."""
    fitting = [plan.months for plan in product.plans if is_within(credit_to_annuity, plan.credit_to_annuity)]
    return Term(max(fitting), credit_to_annuity) if fitting else None


def longer_terms(product: Product, term: Term) -> list[Term]:
    """Return the longer terms that are sold at the monthly rate of a term, the shortest first."""
    rate = monthly_rate(term)
    terms = (Term(plan.months, credit_to_annuity(rate, plan.months)) for plan in product.plans)
    plans = {plan.months: plan.credit_to_annuity for plan in product.plans}
    return [
        longer
        for longer in terms
        if longer.months > term.months
        and is_within(longer.credit_to_annuity, plans[longer.months])
        and is_within(longer.credit_to_annuity, product.credit_to_annuity)
    ]


def credit_to_annuity(rate: float, months: int) -> float:
    """Return the loan that instalments of 1 repay: (1 - (1 + rate)^-months) / rate, of a monthly rate.

    >>> credit_to_annuity(0.0, 12), round(credit_to_annuity(0.02, 12), 4)
    (12.0, 10.5753)
    """
    return (1 - (1 + rate) ** -months) / rate if rate else float(months)


def monthly_rate(term: Term) -> float:
    """Return the monthly rate, from 0 to 1, at which the instalments of a term repay the loan.

    >>> round(monthly_rate(Term(12, 10.5753)), 5)
    0.02
    """
    if term.credit_to_annuity >= term.months:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        rate = (low + high) / 2
        if credit_to_annuity(rate, term.months) > term.credit_to_annuity:
            low = rate
        else:
            high = rate
    return high


def is_within(value: float, limits: Range) -> bool:
    """Whether a value lies in a range, apart from rounding."""
    return limits.low * (1 - ROUNDING) <= value <= limits.high * (1 + ROUNDING)
