"""Features of how the instalments of earlier loans were paid."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import partial

import polars as pl

from bento.data.tables import Unit
from bento.features.definitions import Aggregate, Feature, Group, Measure, Window, adverse_share, summarise
from bento.features.formulas import (
    latest,
    quotient,
    ratio,
    ratio_of_sums,
    slope,
)
from bento.features.repayments import instalments
from bento.features.rows import Rows

_GROUP: Group = "instalment_discipline"
_feature = partial(Feature, group=_GROUP)
_summarise = partial(summarise, "installments", _GROUP)


def _last_days(days: int) -> Window:
    return Window(f"{days}d", pl.col("due_day") >= -days, f"last {days} days", f"{days} derniers jours")


_YEAR = _last_days(365)
_WINDOWS = (None, _last_days(90), _last_days(180), _YEAR, _last_days(720), _last_days(1500))
_LATEST_LOAN = Window("latest_loan", pl.col("is_latest_loan"), "latest loan", "dernier prêt")
_LATEST_FIVE, _LATEST_TEN = (
    latest(count, f"latest {count} instalments", f"{count} dernières échéances") for count in (5, 10)
)
_FIRST_THREE = Window(
    "first_3_of_loans", pl.col("NUM_INSTALMENT_NUMBER") <= 3, "first 3 instalments of loans", "3 premières échéances"
)

_LATEST_AND_FIRST = (_LATEST_LOAN, _LATEST_FIVE, _LATEST_TEN, _FIRST_THREE)

_LATE = pl.col("days_late")
_SHORT = pl.col("underpaid")

_DAYS_LATE = Measure("days_late", _LATE, unit="days", risk=1, monotone=("mean", "max")).worded(
    "Days late", "Jours de retard"
)
_LATE_SHARE = adverse_share("late", _LATE > 0, "Instalments paid late or never", "Échéances payées en retard ou jamais")
_LATE_7, _LATE_15 = (
    adverse_share(
        f"late_over_{days}d",
        _LATE > days,
        f"Instalments over {days} days late",
        f"Échéances à plus de {days} jours de retard",
    )
    for days in (7, 15)
)
_UNDERPAID = Measure("underpaid", _SHORT, unit="currency", risk=1).worded("Amount left unpaid", "Montant resté impayé")
_UNDERPAID_SHARE = adverse_share(
    "short", _SHORT > 0, "Instalments not paid in full", "Échéances non payées en totalité"
)
_PAID_RATIO = Measure("paid_ratio", ratio("paid", "due"), unit="share", risk=-1).worded(
    "Amount paid over amount due", "Montant payé rapporté au dû"
)
_DAYS_EARLY = Measure("days_early", pl.col("days_early"), unit="days").worded("Days early", "Jours d'avance")
_PAID = Measure("paid", pl.col("paid"), unit="currency").worded("Amount paid", "Montant payé")
_DUE = Measure("due", pl.col("due"), unit="currency").worded("Instalment due", "Échéance due")

_TRENDS: tuple[tuple[str, int, str, str, Unit], ...] = (
    ("days_late", 1, "days late", "jours de retard", "days"),
    ("underpaid", 1000, "the amount left unpaid", "montant resté impayé", "currency"),
)

FEATURES: tuple[Feature, ...] = (
    _feature("installments_count", Aggregate("len", pl.col("due_day"))).worded(
        "Instalments on record", "Échéances connues"
    ),
    _feature("installments_loans", Aggregate("n_unique", pl.col("SK_ID_PREV"))).worded(
        "Loans with instalments on record", "Prêts dont les échéances sont connues"
    ),
    *_summarise(_DAYS_LATE, ("mean", "max", "std"), _WINDOWS),
    *_summarise(_DAYS_LATE, ("mean", "max"), _LATEST_AND_FIRST),
    *_summarise(_DAYS_LATE, ("sum",)),
    *_summarise(_LATE_SHARE, ("share",), (*_WINDOWS, *_LATEST_AND_FIRST)),
    *_summarise(_LATE_7, ("share",), (None, _YEAR)),
    *_summarise(_LATE_15, ("share",), (None, _YEAR)),
    *_summarise(_UNDERPAID, ("mean", "max", "sum"), (None, _YEAR, _LATEST_LOAN)),
    *_summarise(_UNDERPAID_SHARE, ("share",), (*_WINDOWS, _LATEST_LOAN)),
    *_summarise(_PAID_RATIO, ("mean", "min"), (None, _YEAR, _LATEST_LOAN)),
    *_summarise(_DAYS_EARLY, ("mean", "max", "std"), (None, _YEAR, _LATEST_LOAN)),
    *_summarise(_PAID, ("mean", "max", "sum"), (None, _YEAR)),
    *_summarise(_DUE, ("mean", "max", "min"), (None, _YEAR)),
    _feature(
        "installments_paid_to_due",
        ratio_of_sums(pl.col("paid"), pl.col("due")),
        unit="share",
        risk=-1,
    ).worded("Amount paid over amount due, all instalments", "Montant payé rapporté au montant dû, toutes échéances"),
    _feature(
        "installments_paid_to_due_365d",
        ratio_of_sums(pl.col("paid"), pl.col("due"), _YEAR),
        unit="share",
        risk=-1,
    ).worded("Amount paid over amount due, last year", "Montant payé rapporté au montant dû, dernière année"),
    _feature(
        "installments_weighted_delay",
        Aggregate("mean", _LATE * pl.col("share_late") * (1 + 0.0003 * pl.col("late_until")).clip(lower_bound=0)),
        unit="days",
        risk=1,
    ).worded("Days late weighted by amount and recency", "Retard pondéré par le montant et la récence"),
    *(
        _feature(
            f"installments_{name}_slope_{days}d",
            slope(pl.col(name), pl.col("due_day"), steps, _last_days(days)),
            unit=unit,
            risk=1,
        ).worded(f"Trend of {en}, last {days} days", f"Tendance : {fr}, {days} derniers jours")
        for name, steps, en, fr, unit in _TRENDS
        for days in (365, 1500)
    ),
    *(
        _feature(
            f"installments_days_late_ratio_{short}d_{long}d",
            quotient(Aggregate("mean", _LATE, _last_days(short)), Aggregate("mean", _LATE, _last_days(long))),
            unit="share",
            risk=1,
        ).worded(
            f"Days late, last {short} days over last {long} days",
            f"Jours de retard, {short} derniers jours rapportés aux {long} derniers",
        )
        for short, long in ((90, 365), (180, 720), (365, 1500))
    ),
    _feature("installments_latest_payment_days", Aggregate("max", pl.col("paid_day")), unit="days").worded(
        "Days from the latest payment (negative)", "Jours depuis le dernier paiement (négatif)"
    ),
    _feature("installments_first_due_days", Aggregate("min", pl.col("due_day")), unit="days").worded(
        "Days from the first instalment (negative)", "Jours depuis la première échéance (négatif)"
    ),
    _feature("installments_split_share", Aggregate("mean", pl.col("payments") > 1), unit="share").worded(
        "Share of instalments paid in several parts", "Part des échéances payées en plusieurs fois"
    ),
    _feature("installments_card_share", Aggregate("mean", pl.col("version") == 0), unit="share").worded(
        "Share of instalments that are of a credit card", "Part des échéances de carte de crédit"
    ),
    _feature("installments_versions", Aggregate("n_unique", pl.col("version"))).worded(
        "Different version numbers of the repayment plans", "Numéros de version différents des plans de remboursement"
    ),
)


_PAYMENT, _PLAN = ("DAYS_ENTRY_PAYMENT", "AMT_PAYMENT"), ("AMT_INSTALMENT", "NUM_INSTALMENT_VERSION")
DERIVED = {
    **dict.fromkeys(("due_day", "recency", "is_latest_loan"), ("DAYS_INSTALMENT",)),
    "due": _PLAN,
    "version": ("NUM_INSTALMENT_VERSION",),
    **dict.fromkeys(("paid", "paid_day", "payments", "days_early"), _PAYMENT),
    **dict.fromkeys(("underpaid", "late_until", "days_late", "share_late"), (*_PAYMENT, *_PLAN)),
}
"""The declared columns behind each derived column of `installments_rows`."""
KEYS = ("SK_ID_PREV", "NUM_INSTALMENT_NUMBER", "DAYS_INSTALMENT")


def installments_rows(tables: Mapping[str, Rows], needed: AbstractSet[str]) -> Rows:
    """Return one row for each instalment, with the derived columns that are needed."""
    return instalments(tables["installments_payments"], needed)
