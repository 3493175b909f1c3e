"""Instalments and how they were paid, from rows each of a payment in part or of a version of the plan."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from bento.features.ordering import Flags, Groups, latest_of_clients
from bento.features.rows import Rows, Vector, numbers, take, with_flags, with_numbers

_KEYS = ("SK_ID_CURR", "SK_ID_PREV", "NUM_INSTALMENT_NUMBER", "DAYS_INSTALMENT")
MIN_SHORTFALL = 0.0025
"""Half of the smallest step of the data's amounts: a smaller difference of two sums of amounts is rounding."""


def instalments(parts: Rows, needed: AbstractSet[str]) -> Rows:
    """Return one row for each instalment, with the columns that are needed (`docs/features.md` defines them).

    An instalment has several rows where it was paid in parts, and where its plan was changed: each version of the plan
    then has a row with its share of the amount due, and each of these rows repeats the same payments.
    """
    groups = Groups([numbers(parts, name) for name in _KEYS])
    rows = take(parts, groups.first, _KEYS)
    due_day = numbers(rows, "DAYS_INSTALMENT")
    columns = {name: numbers(parts, name) for name in parts.columns if name not in _KEYS}
    values = {"due_day": due_day}
    if "NUM_INSTALMENT_VERSION" in columns:
        values["version"] = groups.max(columns["NUM_INSTALMENT_VERSION"])
        if "AMT_INSTALMENT" in columns:
            values["due"] = _due(groups, columns["NUM_INSTALMENT_VERSION"], columns["AMT_INSTALMENT"])
    if {"DAYS_ENTRY_PAYMENT", "AMT_PAYMENT"} <= columns.keys():
        values |= _payments(groups, columns["DAYS_ENTRY_PAYMENT"], columns["AMT_PAYMENT"])
        values |= _lateness(due_day, values)
    if not needed.isdisjoint(("recency", "is_latest_loan")):
        recency, is_latest_loan = _of_latest(rows)
        values["recency"] = recency
        if "is_latest_loan" in needed:
            rows = with_flags(rows, {"is_latest_loan": is_latest_loan})
    return with_numbers(rows, {name: array for name, array in values.items() if name in needed})


def _due(groups: Groups, version: Vector, amount: Vector) -> Vector:
    """Add up the versions of each instalment; NaN where no amount is known.

    The rows of one version repeat its amount; should they differ, the largest counts.
    """
    is_counted = _is_first(groups, [version], [-amount]) & ~np.isnan(amount)
    total = groups.sum(np.where(is_counted, amount, 0.0))
    return np.where(groups.sum(is_counted.astype(float)) > 0, total, np.nan)


def _payments(groups: Groups, day: Vector, amount: Vector) -> dict[str, Vector]:
    """Return the number of different payments of each instalment, their sum and the day of the last."""
    has_day, has_amount = ~np.isnan(day), ~np.isnan(amount)
    is_payment = _is_first(groups, [day, amount]) & (has_day | has_amount)
    paid = groups.sum(np.where(is_payment & has_amount, amount, 0.0))
    is_unknown = groups.sum((has_day & ~has_amount).astype(float)) > 0
    return {
        "payments": groups.sum(is_payment.astype(float)),
        "paid": np.where(is_unknown, np.nan, paid),
        "paid_day": groups.max(day),
    }


def _is_first(groups: Groups, keys: list[Vector], by: Sequence[Vector] = ()) -> Flags:
    """Tell for each row whether it is the first of its group with these keys; `by` says which row is first."""
    is_first = np.ones(len(keys[0]), dtype=bool)
    several = np.flatnonzero(groups.of_rows(groups.sizes.astype(float)) > 1)  # few: most instalments have one row
    if len(several):
        group = groups.of_rows(np.arange(len(groups.sizes), dtype=float))
        same = Groups([key[several] for key in (group, *keys)], [key[several] for key in by])
        is_first[several] = same.is_first
    return is_first


def _lateness(due_day: Vector, values: Mapping[str, Vector]) -> dict[str, Vector]:
    """Compute how late, how early and how short each instalment was paid; NaN where the amount due is not there."""
    paid, paid_day, due = values["paid"], values["paid_day"], values.get("due", np.full(len(due_day), np.nan))
    with np.errstate(all="ignore"):
        never_paid = (values["payments"] == 0) & (due != 0)
        # An instalment that was never paid is late until today, with all of its amount.
        late_until = np.where(never_paid, 0.0, paid_day)
        short = due - paid
        return {
            "late_until": late_until,
            "days_late": np.maximum(late_until - due_day, 0),
            "share_late": np.where(never_paid, 1.0, np.where(due != 0, paid / due, np.nan)),
            "days_early": np.maximum(due_day - paid_day, 0),
            "underpaid": np.where(short < MIN_SHORTFALL, 0.0, short),
        }


def _of_latest(rows: Rows) -> tuple[Vector, Vector]:
    """Return the rank of each instalment from the client's latest on, and whether it is of the loan of the latest."""
    clients = latest_of_clients(rows, ("DAYS_INSTALMENT", "SK_ID_PREV", "NUM_INSTALMENT_NUMBER"))
    due_day, loan = numbers(rows, "DAYS_INSTALMENT"), numbers(rows, "SK_ID_PREV")
    latest_loan = clients.of_rows(loan[clients.first])
    is_unknown = np.isnan(loan) | np.isnan(latest_loan) | np.isnan(clients.of_rows(due_day[clients.first]))
    recency = np.where(np.isnan(due_day), np.nan, clients.ranks())
    return recency, np.where(is_unknown, np.nan, loan == latest_loan)
