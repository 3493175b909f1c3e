"""Features of the credits at other lenders and of their monthly states."""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from math import nan

import numpy as np
import polars as pl

from bento.data.tables import CURRENCY
from bento.features.definitions import Aggregate, Composite, Feature, Group, Measure, Window, adverse_share, summarise
from bento.features.formulas import last_months, latest, one_of, ratio, ratio_of_sums, slope
from bento.features.ordering import with_recency
from bento.features.rows import ClientRows, Derived, Rows, equals, numbers

_DEBTS: Group = "bureau_debt"
_HISTORY: Group = "bureau_history"
_debt = partial(Feature, group=_DEBTS)
_history = partial(Feature, group=_HISTORY)
_DAY = pl.col("DAYS_CREDIT")
_STATE = pl.col("CREDIT_ACTIVE")
_LENT, _DEBT = pl.col("AMT_CREDIT_SUM"), pl.col("AMT_CREDIT_SUM_DEBT")
_WORST, _OVERDUE = pl.col("AMT_CREDIT_MAX_OVERDUE"), pl.col("AMT_CREDIT_SUM_OVERDUE")
_END, _ENDED = pl.col("DAYS_CREDIT_ENDDATE"), pl.col("DAYS_ENDDATE_FACT")

_ACTIVE = Window("active", _STATE == "Active", "open credits", "crédits en cours")
_CLOSED = Window("closed", _STATE == "Closed", "closed credits", "crédits soldés")
_BY_STATE = (None, _ACTIVE, _CLOSED)
_LAST = tuple(
    Window(
        f"{months}m",
        _DAY >= -30 * months,
        f"credits of the last {months} months",
        f"crédits des {months} derniers mois",
    )
    for months in (6, 12, 24, 36)
)
_LATEST = latest(1, "latest credit", "dernier crédit")
_TYPES = {
    "consumer": ("Consumer credit", "consumer credits", "crédits à la consommation"),
    "card": ("Credit card", "credit cards", "cartes de crédit"),
    "car": ("Car loan", "car loans", "crédits auto"),
    "mortgage": ("Mortgage", "mortgages", "crédits immobiliers"),
    "microloan": ("Microloan", "microloans", "microcrédits"),
}

_DAYS = Measure("credit_days", _DAY, unit="days", risk=1).worded(
    "Day of the credit, negative", "Jour du crédit, négatif"
)
_LOANS = Measure("credit_sum", _LENT, unit="currency").worded("Amount lent", "Montant prêté")
_OWED = Measure("debt", _DEBT, unit="currency").worded("Debt", "Dette")
_DEBT_RATIO = Measure("debt_ratio", ratio(_DEBT, _LENT), unit="share", risk=1, monotone=("mean", "max")).worded(
    "Debt over amount lent", "Dette rapportée au montant prêté"
)
_UNUSED = Measure("repaid", _LENT - _DEBT, unit="currency", risk=-1).worded(
    "Amount lent less debt", "Montant prêté moins dette"
)
_MAX_OVERDUE = Measure("max_overdue", _WORST, unit="currency", risk=1, monotone=("max", "mean")).worded(
    "Largest amount ever overdue", "Plus gros retard de paiement"
)
_OVERDUE_NOW = Measure("overdue", _OVERDUE, unit="currency", risk=1, monotone=("max", "sum")).worded(
    "Amount overdue now", "Montant en retard"
)
_DAYS_OVERDUE = Measure(
    "days_overdue", pl.col("CREDIT_DAY_OVERDUE"), unit="days", risk=1, monotone=("max", "mean")
).worded("Days overdue now", "Jours de retard")
_END_DAYS = Measure("end_days", _END, unit="days").worded("Days to the planned end", "Jours jusqu'à la fin prévue")
_EARLY = Measure("closed_early_days", _END - _ENDED, unit="days", risk=-1).worded(
    "Days closed early", "Jours de clôture anticipée"
)
_DURATION = Measure("duration", _END - _DAY, unit="days").worded("Planned duration", "Durée prévue")
_UPDATE = Measure("update_days", pl.col("DAYS_CREDIT_UPDATE"), unit="days").worded(
    "Day of the latest news", "Jour de la dernière mise à jour"
)
_ANNUITY = Measure("annuity", pl.col("AMT_ANNUITY"), unit="currency").worded("Instalment", "Mensualité")
_CARD_LIMIT = Measure("limit", pl.col("AMT_CREDIT_SUM_LIMIT"), unit="currency", risk=-1).worded(
    "Card limit", "Plafond de carte"
)


def _debt_to_lent(window: Window | None) -> Feature:
    return _debt(
        "_".join(filter(None, ["bureau_debt_to_credit", window.name if window else None])),
        ratio_of_sums(_DEBT, _LENT, window),
        unit="share",
        risk=1,
        monotone=True,
    ).worded(
        f"Debt over amount lent at other lenders ({window.en if window else 'all credits'})",
        f"Dette rapportée au montant prêté ailleurs ({window.fr if window else 'tous crédits'})",
    )


FEATURES: tuple[Feature, ...] = (
    _history("bureau_credits", Aggregate("len", _DAY)).worded(
        "Credits at other lenders", "Crédits auprès d'autres prêteurs"
    ),
    _debt("bureau_active_credits", Aggregate("sum", _ACTIVE.test)).worded(
        "Open credits elsewhere", "Crédits en cours ailleurs"
    ),
    _history("bureau_closed_credits", Aggregate("sum", _CLOSED.test)).worded(
        "Closed credits elsewhere", "Crédits soldés ailleurs"
    ),
    _history(
        "bureau_bad_credits", Aggregate("sum", one_of(_STATE, ("Bad debt", "Sold"))), risk=1, monotone=True
    ).worded("Credits sold or written off elsewhere", "Crédits cédés ou passés en perte ailleurs"),
    _debt("bureau_active_share", Aggregate("mean", _ACTIVE.test), unit="share", risk=1).worded(
        "Share of credits elsewhere still open", "Part des crédits ailleurs encore en cours"
    ),
    _history("bureau_types", Aggregate("n_unique", pl.col("CREDIT_TYPE"))).worded(
        "Kinds of credit elsewhere", "Types de crédit ailleurs"
    ),
    *(
        _history(
            f"bureau_{name}_share",
            Aggregate("mean", pl.col("CREDIT_TYPE") == value),
            unit="share",
            risk=1 if name in ("card", "microloan") else 0,
        ).worded(f"Share of {en} among credits elsewhere", f"Part des {fr} parmi les crédits ailleurs")
        for name, (value, en, fr) in _TYPES.items()
    ),
    *(
        _debt(
            f"bureau_{name}_active_credits", Aggregate("sum", _ACTIVE.test & (pl.col("CREDIT_TYPE") == value))
        ).worded(f"Open {en} elsewhere", f"En cours ailleurs : {fr}")
        for name, (value, en, fr) in _TYPES.items()
    ),
    *(_debt_to_lent(window) for window in (None, _ACTIVE, *_LAST)),
    *summarise("bureau", _DEBTS, _OWED, ("sum", "mean", "max"), (None, _ACTIVE)),
    *summarise("bureau", _DEBTS, _DEBT_RATIO, ("mean", "max"), (None, _ACTIVE)),
    *summarise("bureau", _DEBTS, _UNUSED, ("mean", "max"), (_ACTIVE,)),
    *summarise("bureau", _DEBTS, _OVERDUE_NOW, ("sum", "max"), (None, _ACTIVE)),
    *summarise("bureau", _DEBTS, _DAYS_OVERDUE, ("max", "mean")),
    *summarise("bureau", _DEBTS, _CARD_LIMIT, ("sum", "max"), (None, _ACTIVE)),
    *summarise("bureau", _DEBTS, _ANNUITY, ("sum", "mean"), (None, _ACTIVE)),
    *summarise("bureau", _DEBTS, _END_DAYS, ("min", "max", "mean"), (None, _ACTIVE)),
    *summarise("bureau", _HISTORY, _DAYS, ("max", "min", "mean", "std"), _BY_STATE),
    *summarise("bureau", _HISTORY, _LOANS, ("sum", "mean", "max"), (*_BY_STATE, _LATEST)),
    *summarise("bureau", _HISTORY, _MAX_OVERDUE, ("max", "mean"), (None, _ACTIVE, *_LAST, _LATEST)),
    *summarise("bureau", _HISTORY, _EARLY, ("mean", "max"), (_CLOSED, *_LAST[2:])),
    *summarise("bureau", _HISTORY, _DURATION, ("mean", "max"), _BY_STATE),
    *summarise("bureau", _HISTORY, _UPDATE, ("max", "mean"), _BY_STATE),
    *(
        _history(f"bureau_credits_{window.name}", Aggregate("sum", window.test), risk=1).worded(
            f"Number of {window.en} elsewhere", f"Nombre : {window.fr}, ailleurs"
        )
        for window in _LAST
    ),
    _history(
        "bureau_gap_days_mean",
        Composite(
            lambda last, first, count: (last - first) / (count - 1.0),
            (Aggregate("max", _DAY), Aggregate("min", _DAY), Aggregate("count", _DAY)),
        ),
        unit="days",
        risk=-1,
    ).worded("Mean days between credits elsewhere", "Jours moyens entre crédits ailleurs"),
    _history("bureau_prolongations", Aggregate("sum", pl.col("CNT_CREDIT_PROLONG"))).worded(
        "Prolongations of credits elsewhere", "Prolongations de crédits ailleurs"
    ),
    _history(
        "bureau_foreign_currency_share", Aggregate("mean", pl.col("CREDIT_CURRENCY") != CURRENCY), unit="share"
    ).worded("Share of credits elsewhere in another currency", "Part des crédits ailleurs en autre devise"),
)

_MONTH, _STATUS = pl.col("MONTHS_BALANCE"), pl.col("STATUS")
_LEVEL = pl.col("level")
_BALANCE_WINDOWS = (None, last_months(12, newest=0), last_months(24, newest=0))
_LATE_MONTHS = adverse_share(
    "late", _LEVEL > 0, "Months late elsewhere, each credit counted", "Mois en retard ailleurs, crédit par crédit"
)
_LEVELS = Measure("level", _LEVEL, unit="rank", risk=1, monotone=("max", "mean")).worded(
    "Level of lateness elsewhere, 0 to 5", "Niveau de retard ailleurs, 0 à 5"
)
_WEIGHT = 1 / (1 - _MONTH)

BALANCE_FEATURES: tuple[Feature, ...] = (
    _history("bureau_balance_months", Aggregate("len", _MONTH), unit="months").worded(
        "Months on record elsewhere", "Mois d'historique ailleurs"
    ),
    _history("bureau_balance_credits", Aggregate("n_unique", pl.col("SK_ID_BUREAU"))).worded(
        "Credits elsewhere with monthly states", "Crédits ailleurs suivis par mois"
    ),
    *summarise("bureau_balance", _HISTORY, _LATE_MONTHS, ("share",), _BALANCE_WINDOWS),
    *summarise("bureau_balance", _HISTORY, _LEVELS, ("max", "mean"), _BALANCE_WINDOWS),
    _history(
        "bureau_balance_level_decayed",
        ratio_of_sums(_LEVEL * _WEIGHT, _WEIGHT),
        unit="rank",
        risk=1,
        monotone=True,
    ).worded(
        "Level of lateness elsewhere, recent months weigh more",
        "Niveau de retard ailleurs, les mois récents pèsent plus",
    ),
    _history("bureau_balance_closed_share", Aggregate("mean", _STATUS == "C"), unit="share", risk=-1).worded(
        "Share of months elsewhere after closing", "Part des mois ailleurs après clôture"
    ),
    _history("bureau_balance_unknown_share", Aggregate("mean", _STATUS == "X"), unit="share").worded(
        "Share of months elsewhere of unknown state", "Part des mois ailleurs d'état inconnu"
    ),
    _history(
        "bureau_balance_latest_late_month",
        Aggregate("max", _MONTH, Window("late", _LEVEL > 0, "late", "en retard")),
        unit="months",
        risk=1,
    ).worded("Latest month late elsewhere (negative)", "Dernier mois en retard ailleurs (négatif)"),
    _history("bureau_balance_first_month", Aggregate("min", _MONTH), unit="months").worded(
        "First month on record elsewhere (negative)", "Premier mois connu ailleurs (négatif)"
    ),
    _history("bureau_balance_level_slope", slope(_LEVEL, _MONTH, 1), unit="rank", risk=1).worded(
        "Trend of the level of lateness elsewhere", "Tendance du niveau de retard ailleurs"
    ),
)


AMOUNTS = (
    "AMT_CREDIT_SUM",
    "AMT_CREDIT_SUM_DEBT",
    "AMT_CREDIT_SUM_LIMIT",
    "AMT_CREDIT_SUM_OVERDUE",
    "AMT_CREDIT_MAX_OVERDUE",
    "AMT_ANNUITY",
)
"""The amounts of a credit, in its currency."""
MAX_CARD_END_DAYS, MAX_END_DAYS = 3650, 14_610
"""Days to the planned end of a card, and of any credit (40 years): later ends stand for "no end date".

Cards in the data end within 13 years or, most of them, after 24 to 85 years; mortgages after up to 29.4 years.
"""
DERIVED = {
    "recency": ("DAYS_CREDIT", "SK_ID_BUREAU"),
    **dict.fromkeys(AMOUNTS, ("CREDIT_CURRENCY",)),
    "DAYS_CREDIT_ENDDATE": ("DAYS_CREDIT", "CREDIT_TYPE"),
    "DAYS_ENDDATE_FACT": ("DAYS_CREDIT",),
}
BALANCE_DERIVED = {"level": ("STATUS",)}
"""The declared columns behind each derived column."""


_LEVEL_OF_STATUS = {str(level): float(level) for level in range(6)}
"""The level of lateness by STATUS; the other states have none."""
_IS_CARD = (pl.col("CREDIT_TYPE") == "Credit card").fill_null(False)
_IS_NO_END = (_END < _DAY).fill_null(False) | (_END > MAX_END_DAYS) | (_IS_CARD & (_END > MAX_CARD_END_DAYS))
_IS_FOREIGN = (pl.col("CREDIT_CURRENCY") != CURRENCY).fill_null(False)
_KNOWN_END = Derived("DAYS_CREDIT_ENDDATE", pl.when(~_IS_NO_END).then(_END))
_KNOWN_ACTUAL_END = Derived("DAYS_ENDDATE_FACT", pl.when((_ENDED < _DAY).fill_null(False).not_()).then(_ENDED))
_KNOWN_UPDATE = Derived("DAYS_CREDIT_UPDATE", pl.when(pl.col("DAYS_CREDIT_UPDATE") <= 0).then("DAYS_CREDIT_UPDATE"))
_KNOWN_AMOUNTS = [Derived(name, pl.when(~_IS_FOREIGN).then(name)) for name in AMOUNTS]


def bureau_rows(tables: Mapping[str, Rows], needed: AbstractSet[str]) -> Rows:
    """Return the credits at other lenders, with the derived columns that are needed.

    What a credit's other columns rule out becomes null: amounts in another currency, ends before the start or too far
    ahead, news after the application. Most files have none of them: a look at the columns is much faster than to
    replace nothing.
    """
    rows = tables["bureau"]
    replaced: list[Derived] = []
    if "DAYS_CREDIT_ENDDATE" in needed:
        end = numbers(rows, "DAYS_CREDIT_ENDDATE")
        if (end > MAX_CARD_END_DAYS).any() or (end < numbers(rows, "DAYS_CREDIT")).any():
            replaced.append(_KNOWN_END)
    if "DAYS_ENDDATE_FACT" in needed and (numbers(rows, "DAYS_ENDDATE_FACT") < numbers(rows, "DAYS_CREDIT")).any():
        replaced.append(_KNOWN_ACTUAL_END)
    if "DAYS_CREDIT_UPDATE" in needed and (numbers(rows, "DAYS_CREDIT_UPDATE") > 0).any():
        replaced.append(_KNOWN_UPDATE)
    if not needed.isdisjoint(AMOUNTS) and (equals(rows, "CREDIT_CURRENCY", CURRENCY) == 0).any():
        replaced += [column for column in _KNOWN_AMOUNTS if column.name in needed]
    for column in replaced:
        rows = column.add_to(rows)
    if "recency" in needed:
        rows = with_recency(rows, ("DAYS_CREDIT", "SK_ID_BUREAU"))
    return rows


def bureau_balance_rows(tables: Mapping[str, Rows], needed: AbstractSet[str]) -> Rows:
    """Return the monthly states of known credits, with their client and the derived columns that are needed."""
    months, credits = tables["bureau_balance"], tables["bureau"]
    if isinstance(months, ClientRows):
        rows = _of_credits(months, credits)
        levels = [_LEVEL_OF_STATUS.get(status, nan) for status in rows.array("STATUS")] if "level" in needed else None
        return rows if levels is None else rows.with_arrays({"level": np.array(levels, np.float64)})
    assert isinstance(credits, pl.DataFrame)  # noqa: S101 - the tables are all of many clients, or all of one
    joined = months.join(credits.select("SK_ID_BUREAU", "SK_ID_CURR"), on="SK_ID_BUREAU")
    return joined.with_columns(level=_STATUS.cast(pl.Float64, strict=False)) if "level" in needed else joined


def _of_credits(months: ClientRows, credits: Rows) -> ClientRows:
    """Return the months of one client's credits; those of a credit that is there twice, as in a join, twice."""
    rows_of = Counter(numbers(credits, "SK_ID_BUREAU").tolist())
    repeats = [rows_of[credit] for credit in numbers(months, "SK_ID_BUREAU").tolist()]
    if all(count == 1 for count in repeats):
        return months
    return months.take(np.repeat(np.arange(len(months)), repeats), months.columns)
