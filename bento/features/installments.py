"""Features of how the instalments of earlier loans were paid."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import partial

import polars as pl

from bento.data.tables import Unit
from bento.features.definitions import Aggregate, Feature, Group, Measure, Window, adverse_share, summarise
from bento.features.formulas import (
    for_each_client,
    latest,
    quotient,
    ratio,
    ratio_of_sums,
    slope,
    with_derived,
    with_recency,
)

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

_TRENDS: tuple[tuple[str, str, str, Unit], ...] = (
    ("days_late", "days late", "jours de retard", "days"),
    ("underpaid", "the amount left unpaid", "montant resté impayé", "currency"),
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
            slope(pl.col(name), pl.col("due_day"), 0.01, _last_days(days)),
            unit=unit,
            risk=1,
        ).worded(f"Trend of {en}, last {days} days", f"Tendance : {fr}, {days} derniers jours")
        for name, en, fr, unit in _TRENDS
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
    "due_day": ("DAYS_INSTALMENT",),
    "due": _PLAN,
    "version": ("NUM_INSTALMENT_VERSION",),
    **dict.fromkeys(("paid", "paid_day", "payments", "days_early"), _PAYMENT),
    **dict.fromkeys(("underpaid", "late_until", "days_late", "share_late"), (*_PAYMENT, *_PLAN)),
}
"""The declared columns behind each derived column of `installments_rows`."""
KEYS = ("SK_ID_PREV", "NUM_INSTALMENT_NUMBER", "DAYS_INSTALMENT")
MIN_SHORTFALL = 0.0025
"""Half of the smallest step of the data's amounts: a smaller difference of two sums of amounts is rounding."""


def installments_rows(tables: Mapping[str, pl.DataFrame], needed: AbstractSet[str]) -> pl.DataFrame:
    """Return one row for each instalment, with the derived columns that are needed.

    An instalment has several rows where it was paid in parts, and where its plan was changed: each version of the plan
    then has a row with its share of the amount due, and each of these rows repeats the same payments.
    """
    parts, clients = tables["installments_payments"], tables["application"]["SK_ID_CURR"]
    rows = _instalments(parts)
    paid_day, due_day, due, paid = (pl.col(name) for name in ("paid_day", "due_day", "due", "paid"))
    never_paid = (pl.col("payments") == 0) & (due != 0).fill_null(True)
    # An instalment that was never paid is late until today, with all of its amount.
    late_until = pl.when(never_paid).then(0).otherwise(paid_day)
    short = due - paid
    last = due_day == for_each_client(due_day.max(), clients)
    derived = {
        "late_until": late_until,
        "days_late": (late_until - due_day).clip(lower_bound=0),
        "share_late": pl.when(never_paid).then(1.0).otherwise(ratio(paid, due)),
        "days_early": (due_day - paid_day).clip(lower_bound=0),
        "underpaid": pl.when(short >= MIN_SHORTFALL).then(short).when(short.is_not_null()).then(0.0),
        "is_latest_loan": pl.col("SK_ID_PREV") == for_each_client(pl.when(last).then("SK_ID_PREV").max(), clients),
    }
    rows = with_derived(rows, derived, needed)
    if "recency" in needed:
        rows = with_recency(rows, ("due_day", "SK_ID_PREV", "NUM_INSTALMENT_NUMBER"), clients)
    return rows


def _instalments(parts: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each instalment with what can be computed from the columns of its rows."""
    keys = ("SK_ID_CURR", "SK_ID_PREV", "NUM_INSTALMENT_NUMBER")
    instalment = (*keys, "DAYS_INSTALMENT")
    columns: dict[str, pl.Expr] = {}
    sums: dict[str, pl.Expr] = {}
    if set(_PLAN) <= set(parts.columns):
        # The first row of each version holds the largest amount of that version.
        parts = parts.sort("AMT_INSTALMENT", descending=True, nulls_last=True, maintain_order=True)
        columns["of_version"] = pl.struct(*instalment, "NUM_INSTALMENT_VERSION").is_first_distinct()
        amount = pl.when("of_version").then("AMT_INSTALMENT")
        sums["due"] = pl.when(amount.count() > 0).then(amount.sum())
    if set(_PAYMENT) <= set(parts.columns):
        day, amount = pl.col("DAYS_ENTRY_PAYMENT"), pl.col("AMT_PAYMENT")
        columns["of_payment"] = pl.struct(*instalment, *_PAYMENT).is_first_distinct() & (
            day.is_not_null() | amount.is_not_null()
        )
        all_known = (day.is_null() | amount.is_not_null()).all()
        sums["paid"] = pl.when(all_known).then(pl.when("of_payment").then(amount).sum())
        sums["payments"] = pl.col("of_payment").sum()
        sums["paid_day"] = day.max()
    if "NUM_INSTALMENT_VERSION" in parts.columns:
        sums["version"] = pl.col("NUM_INSTALMENT_VERSION").max()
    grouped = parts.with_columns(**columns).group_by(*keys, due_day="DAYS_INSTALMENT", maintain_order=True)
    return grouped.agg(**sums)
