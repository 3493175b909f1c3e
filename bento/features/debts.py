"""Rates, instalments left and debts of earlier credits, from their terms and their latest monthly states."""

from collections.abc import Mapping

import numpy as np

from bento.features.ordering import Flags
from bento.features.rows import ClientRows, Rows, Vector, equals, numbers, with_numbers
from bento.i18n import DAYS_PER_YEAR

_CREDIT = ("SK_ID_PREV", "SK_ID_CURR")
_DAYS_PER_MONTH = DAYS_PER_YEAR / 12
CARD = "Revolving loans"
"""The kind of credit that is a card: it has a balance, and no plan of instalments."""
MIN_TOTAL_DUE = 0.999
"""The least sum of the instalments over the credit: below it, the three amounts are not those of one plan."""
_NEWTON_STEPS = 4
"""Enough for 12 digits of rates from 0.0001 to 1 a month and terms from 1 to 1,000 months."""
MAX_RATE = 1.0
"""Largest monthly rate of interest: above it, the three amounts are not those of one plan."""
DAYS_TO_FIRST_DUE = 30
"""Days from the decision to the first instalment of most loans, for those whose first due date is not set yet."""


def with_debts(rows: Rows, tables: Mapping[str, Rows], *, with_owed: bool) -> Rows:
    """Add `instalments_left` to earlier applications, and with `with_owed` also `owed`: of those that are open.

    A card owes its latest balance. A loan owes the principal left, which is the present value of the instalments left
    at the rate of the loan: what was paid of interest does not reduce it.

    Args:
        rows: earlier applications with `is_open`, and `true_rate` for `owed`.
        tables: with the monthly states of loans, and of cards for `owed`.
        with_owed: whether to add `owed`.
    """
    if not (numbers(rows, "is_open") == 1).any():
        unknown = np.full(len(rows), np.nan)
        return with_numbers(rows, {"instalments_left": unknown, "owed": unknown})
    left = _instalments_left(rows, tables["POS_CASH_balance"])
    columns = {"instalments_left": left}
    if with_owed:
        columns["owed"] = _owed(rows, left, tables["credit_card_balance"])
    return with_numbers(rows, columns)


def with_interest(rows: Rows) -> Rows:
    """Add `interest`, the share of the credit that is paid beyond it, and `true_rate`, the monthly rate of the plan.

    At that rate the instalments repay the credit in its term. It is the r that solves
    n r / (1 - (1 + r)^-n) = instalment n / credit, whose left side rises with r from 1 at r = 0 and is convex, so that
    Newton's method from r = 0 meets no other root. Its first step is the start here.
    """
    annuity, granted, term = (numbers(rows, name) for name in ("AMT_ANNUITY", "AMT_CREDIT", "CNT_PAYMENT"))
    with np.errstate(all="ignore"):
        total_due = annuity * term / granted
        rate = 2 * (total_due - 1) / (term + 1)
        for _ in range(_NEWTON_STEPS):
            repaid = -np.expm1(-term * np.log1p(rate))
            gradient = (repaid - term * rate * (1 - repaid) / (1 + rate)) / repaid
            rate = rate - (rate - total_due * repaid / term) / gradient
        is_plan = np.isfinite(total_due) & (total_due >= MIN_TOTAL_DUE)
        rate = np.where(total_due > 1, rate, 0.0)
        interest = np.where(is_plan, np.maximum(total_due - 1, 0), np.nan)
        rate = np.where(is_plan & (rate <= MAX_RATE), rate, np.nan)
    return with_numbers(rows, {"interest": interest, "true_rate": rate})


def _instalments_left(rows: Rows, months: Rows) -> Vector:
    term, first_due, decision = (numbers(rows, name) for name in ("CNT_PAYMENT", "DAYS_FIRST_DUE", "DAYS_DECISION"))
    first_due = np.where(np.isnan(first_due), decision + DAYS_TO_FIRST_DUE, first_due)
    passed = np.maximum(np.floor(-first_due / _DAYS_PER_MONTH) + 1, 0)
    by_plan = np.maximum(term - passed, 0)
    _, month, left_then = _latest_state(rows, months, "CNT_INSTALMENT_FUTURE")
    # One instalment has been paid in each month since that state; the latest state in the data is of month -1.
    by_state = np.maximum(left_then - np.maximum(-1 - month, 0), 0)
    return np.where(np.isnan(by_state), by_plan, by_state)


def _owed(rows: Rows, left: Vector, months: Rows) -> Vector:
    annuity, granted, rate = (numbers(rows, name) for name in ("AMT_ANNUITY", "AMT_CREDIT", "true_rate"))
    is_drawn, _, balance = _latest_state(rows, months, "AMT_BALANCE")
    of_card = np.where(is_drawn, np.maximum(balance, 0), 0.0)
    of_loan = np.minimum(_present_value(annuity, rate, left), granted)
    is_card = equals(rows, "NAME_CONTRACT_TYPE", CARD)
    return np.where(is_card == 1, of_card, np.where(is_card == 0, of_loan, np.nan))


def _present_value(annuity: Vector, rate: Vector, payments: Vector) -> Vector:
    """Compute the present value of an annuity: equal payments at the ends of periods, at a rate of interest.

    https://en.wikipedia.org/wiki/Annuity#Proof_of_annuity-immediate_formula
    """
    with np.errstate(all="ignore"):
        value: Vector = annuity * np.where(rate == 0, payments, -np.expm1(-payments * np.log1p(rate)) / rate)
    return value


def _latest_state(rows: Rows, months: Rows, name: str) -> tuple[Flags, Vector, Vector]:
    """Look up the latest monthly state of each credit in which a column is known; the largest of one month.

    Returns:
        For each row, whether the credit has any state; the month and the column's value of the latest, NaN if unknown.
    """
    if not isinstance(rows, ClientRows) and not isinstance(months, ClientRows):  # a small part of a large table
        months = months.join(rows.filter("is_open"), on=_CREDIT, how="semi")
    first_row = len(months)
    credit, client = (np.append(numbers(months, key), numbers(rows, key)) for key in _CREDIT)
    nothing = np.full(len(rows), np.nan)
    month, value = (np.append(numbers(months, key), nothing) for key in ("MONTHS_BALANCE", name))
    is_known, is_row = ~np.isnan(month + value), np.arange(len(credit)) >= first_row
    # The states of each credit come before its rows, the latest known one last.
    ordered = np.lexsort((value, month, is_known, is_row, credit, client))
    places = np.where(is_row[ordered], 0, np.arange(len(ordered)))
    state = np.empty(len(ordered), dtype=np.int64)
    state[ordered] = ordered[np.maximum.accumulate(places)]
    state = state[first_row:]
    has_state = (credit[state] == credit[first_row:]) & (client[state] == client[first_row:]) & ~is_row[state]
    is_usable = has_state & is_known[state]
    return has_state, np.where(is_usable, month[state], np.nan), np.where(is_usable, value[state], np.nan)
