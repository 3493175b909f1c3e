"""Features of the monthly states of earlier consumer and cash loans."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import partial

import polars as pl

from bento.features.definitions import Aggregate, Feature, Group, Measure, Window, adverse_share, summarise
from bento.features.formulas import last_months, one_of, ratio_of_sums, slope
from bento.features.ordering import Groups, both, equal
from bento.features.rows import Rows, Vector, equals, numbers, with_flags

_GROUP: Group = "instalment_discipline"
_feature = partial(Feature, group=_GROUP)
_summarise = partial(summarise, "pos", _GROUP)
_MONTH = pl.col("MONTHS_BALANCE")
_DPD, _DPD_DEF = pl.col("SK_DPD"), pl.col("SK_DPD_DEF")


_WINDOWS = (None, *(last_months(months) for months in (6, 12, 24, 60)))
_LATE = adverse_share("late", _DPD > 0, "Months overdue", "Mois en retard")
_LATE_DEF = adverse_share(
    "late_def", _DPD_DEF > 0, "Months overdue by more than a trifle", "Mois en retard non négligeable"
)
_DAYS = Measure("days_past_due", _DPD, unit="days", risk=1, monotone=("mean", "max")).worded(
    "Days past due", "Jours de retard"
)
_DAYS_DEF = Measure("days_past_due_def", _DPD_DEF, unit="days", risk=1, monotone=("mean", "max")).worded(
    "Days past due, trifles forgiven", "Jours de retard, montants négligeables ignorés"
)
_LEFT = Measure("left", pl.col("CNT_INSTALMENT_FUTURE"), unit="count").worded("Instalments left", "Échéances restantes")
_TERM = Measure("term", pl.col("CNT_INSTALMENT"), unit="months").worded("Term", "Durée")

_STATUS = pl.col("NAME_CONTRACT_STATUS")
_FUTURE, _PLANNED = pl.col("CNT_INSTALMENT_FUTURE"), pl.col("CNT_INSTALMENT")
_LATEST_OF_LOAN = Window(
    "latest_of_loan", pl.col("is_latest_of_loan"), "latest month of loans", "dernier mois des prêts"
)
"""One row for each loan."""
_OF_REPAID_LOAN = Window(
    "of_repaid_loan", _LATEST_OF_LOAN.test & pl.col("was_completed"), "loans repaid", "prêts soldés"
)

FEATURES: tuple[Feature, ...] = (
    _feature("pos_months", Aggregate("len", _MONTH), unit="months").worded(
        "Months on record of earlier loans", "Mois d'historique des prêts"
    ),
    _feature("pos_loans", Aggregate("n_unique", pl.col("SK_ID_PREV"))).worded(
        "Earlier loans on record", "Prêts antérieurs connus"
    ),
    *_summarise(_LATE, ("share",), _WINDOWS),
    *_summarise(_LATE_DEF, ("share",), _WINDOWS),
    *_summarise(_DAYS, ("mean", "max"), (None, last_months(12))),
    *_summarise(_DAYS_DEF, ("mean", "max"), _WINDOWS),
    *_summarise(_LEFT, ("mean", "max"), (None, last_months(12))),
    *_summarise(_TERM, ("mean", "max", "min"), (None, last_months(12))),
    _feature("pos_left_latest_sum", Aggregate("sum", _FUTURE, _LATEST_OF_LOAN)).worded(
        "Instalments left to pay, all loans, latest month of each",
        "Échéances restantes, tous prêts, dernier mois de chacun",
    ),
    _feature("pos_left_to_term_latest", ratio_of_sums(_FUTURE, _PLANNED, _LATEST_OF_LOAN), unit="share").worded(
        "Share of the instalments of all loans left to pay", "Part des échéances de tous les prêts restant à payer"
    ),
    _feature(
        "pos_active_loans_latest",
        Aggregate("sum", pl.col("is_active"), _LATEST_OF_LOAN),
    ).worded("Loans active in the latest month on record", "Prêts actifs au dernier mois connu"),
    _feature("pos_completed_share", Aggregate("mean", pl.col("was_completed"), _LATEST_OF_LOAN), unit="share").worded(
        "Share of loans on record that were repaid", "Part des prêts connus qui ont été soldés"
    ),
    _feature(
        "pos_early_end_share", Aggregate("mean", pl.col("ended_early"), _OF_REPAID_LOAN), unit="share", risk=-1
    ).worded("Share of repaid loans that ended early", "Part des prêts soldés avant terme"),
    _feature(
        "pos_demand_months",
        Aggregate("sum", one_of(_STATUS, ("Demand", "Amortized debt"))),
        unit="months",
        risk=1,
        monotone=True,
    ).worded("Months in which the whole debt was called in", "Mois de mise en demeure ou de dette amortie"),
    _feature("pos_returned_loans", Aggregate("sum", pl.col("was_returned"), _LATEST_OF_LOAN)).worded(
        "Loans whose goods were returned to the store", "Prêts dont le bien a été rendu au magasin"
    ),
    _feature("pos_days_past_due_slope", slope(_DPD_DEF, _MONTH, 1), unit="days", risk=1).worded(
        "Trend of the days past due", "Tendance des jours de retard"
    ),
    _feature("pos_latest_month", Aggregate("max", _MONTH), unit="months").worded(
        "Latest month on record (negative)", "Dernier mois connu (négatif)"
    ),
    _feature("pos_first_month", Aggregate("min", _MONTH), unit="months").worded(
        "First month on record (negative)", "Premier mois connu (négatif)"
    ),
)


DERIVED = {
    "is_active": ("MONTHS_BALANCE", "NAME_CONTRACT_STATUS"),
    "is_latest_of_loan": ("MONTHS_BALANCE", "CNT_INSTALMENT_FUTURE", "CNT_INSTALMENT"),
    "was_completed": ("NAME_CONTRACT_STATUS",),
    "was_returned": ("NAME_CONTRACT_STATUS",),
    "ended_early": ("NAME_CONTRACT_STATUS", "CNT_INSTALMENT"),
}
"""The declared columns behind each derived column of `pos_cash_rows`."""
KEYS = ("SK_ID_PREV", "MONTHS_BALANCE")
_LATEST_FIRST = ("MONTHS_BALANCE", "CNT_INSTALMENT_FUTURE", "CNT_INSTALMENT")
"""Of several rows of a loan's latest month the one with the most instalments left."""


def pos_cash_rows(tables: Mapping[str, Rows], needed: AbstractSet[str]) -> Rows:
    """Return the monthly states of earlier loans, with the derived columns that are needed."""
    rows = tables["POS_CASH_balance"]
    if needed.isdisjoint(DERIVED):
        return rows
    latest_first = [-numbers(rows, name) for name in _LATEST_FIRST if name in rows.columns]
    loans = Groups([numbers(rows, name) for name in ("SK_ID_CURR", "SK_ID_PREV")], latest_first)
    flags = {"is_latest_of_loan": loans.is_first.astype(float)}
    if "NAME_CONTRACT_STATUS" in rows.columns:
        flags |= {name: loans.of_rows(loans.any(test)) for name, test in _tests(rows, loans).items() if name in needed}
    return with_flags(rows, {name: flag for name, flag in flags.items() if name in needed})


def _tests(rows: Rows, loans: Groups) -> dict[str, Vector]:
    """Return the tests of rows behind the derived columns that say whether any row of the loan passes."""
    status, month = partial(equals, rows, "NAME_CONTRACT_STATUS"), numbers(rows, "MONTHS_BALANCE")
    completed = status("Completed")
    clients = Groups([numbers(rows, "SK_ID_CURR")])
    tests = {
        "was_completed": completed,
        "was_returned": status("Returned to the store"),
        "is_active": both(status("Active"), equal(month, clients.of_rows(clients.max(month)))),
    }
    if "CNT_INSTALMENT" in rows.columns:
        term = numbers(rows, "CNT_INSTALMENT")
        tests["ended_early"] = both(completed, 1 - equal(term, loans.of_rows(loans.max(term))))
    return tests
