"""Features of the monthly states of earlier consumer and cash loans."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import partial

import polars as pl

from bento.features.definitions import Aggregate, Feature, Group, Measure, Window, adverse_share, summarise
from bento.features.formulas import last_months, quotient, ratio, recency, slope, with_derived

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
_LAST_MONTH = pl.col("recency") == 1
_LATEST_OF_LOAN = Window(
    "latest_of_loan", pl.col("is_latest_of_loan"), "latest month of loans", "dernier mois des prêts"
)
_ENDED = _STATUS == "Completed"
# Completed with a shorter term than the longest one of the loan; the share below counts each loan once.
_EARLY = _ENDED & (pl.col("CNT_INSTALMENT") < pl.col("longest_term"))

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
    _feature("pos_left_latest_sum", Aggregate("sum", pl.col("CNT_INSTALMENT_FUTURE"), _LATEST_OF_LOAN)).worded(
        "Instalments left to pay, all loans, latest month of each",
        "Échéances restantes, tous prêts, dernier mois de chacun",
    ),
    _feature(
        "pos_left_to_term_latest",
        quotient(
            Aggregate("sum", pl.col("CNT_INSTALMENT_FUTURE"), _LATEST_OF_LOAN),
            Aggregate("sum", pl.col("CNT_INSTALMENT"), _LATEST_OF_LOAN),
        ),
        unit="share",
    ).worded(
        "Share of the instalments of all loans left to pay", "Part des échéances de tous les prêts restant à payer"
    ),
    _feature("pos_active_loans_latest", Aggregate("sum", _LAST_MONTH & (_STATUS == "Active"))).worded(
        "Loans active in the latest month", "Prêts actifs au dernier mois"
    ),
    _feature("pos_completed_share", Aggregate("mean", _ENDED), unit="share").worded(
        "Share of months with a loan repaid", "Part des mois avec prêt soldé"
    ),
    _feature(
        "pos_early_end_share",
        ratio(
            pl.when(_EARLY).then("SK_ID_PREV").drop_nulls().n_unique(),
            pl.when(_ENDED).then("SK_ID_PREV").drop_nulls().n_unique(),
        ),
        unit="share",
        risk=-1,
    ).worded("Share of repaid loans that ended early", "Part des prêts soldés avant terme"),
    _feature(
        "pos_demand_months",
        Aggregate("sum", _STATUS.is_in(["Demand", "Amortized debt"])),
        unit="months",
        risk=1,
        monotone=True,
    ).worded("Months in which the whole debt was called in", "Mois de mise en demeure ou de dette amortie"),
    _feature("pos_returned_loans", Aggregate("sum", _STATUS == "Returned to the store")).worded(
        "Goods returned to the store", "Biens rendus au magasin"
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
    "recency": ("MONTHS_BALANCE",),
    "is_latest_of_loan": ("MONTHS_BALANCE",),
    "longest_term": ("CNT_INSTALMENT",),
}
"""The declared columns behind each derived column of `pos_cash_rows`."""
KEYS = ("SK_ID_PREV", "MONTHS_BALANCE")


def pos_cash_rows(tables: Mapping[str, pl.DataFrame], needed: AbstractSet[str]) -> pl.DataFrame:
    """Return the monthly states of earlier loans, with the derived columns that are needed."""
    loan = ("SK_ID_CURR", "SK_ID_PREV")
    derived = {
        "recency": recency("MONTHS_BALANCE", tables["application"]["SK_ID_CURR"]),
        "is_latest_of_loan": _MONTH == _MONTH.max().over(loan),
        "longest_term": pl.col("CNT_INSTALMENT").max().over(loan),
    }
    return with_derived(tables["POS_CASH_balance"], derived, needed)
