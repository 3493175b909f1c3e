"""Features of the credits at other lenders and of their monthly states."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import polars as pl

from bento.features.definitions import (
    Aggregate,
    Composite,
    Feature,
    Group,
    Measure,
    Window,
    adverse_share,
    last_months,
    latest,
    quotient,
    ratio,
    recency,
    slope,
    summarise,
)

_DEBTS: Group = "bureau_debt"
_HISTORY: Group = "bureau_history"
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

_DAYS = Measure("credit_days", _DAY, "Day of the credit, negative", "Jour du crédit, négatif", unit="days", risk=1)
_LOANS = Measure("credit_sum", _LENT, "Amount lent", "Montant prêté", unit="currency")
_OWED = Measure("debt", _DEBT, "Debt", "Dette", unit="currency")
_DEBT_RATIO = Measure(
    "debt_ratio",
    ratio(_DEBT, _LENT),
    "Debt over amount lent",
    "Dette rapportée au montant prêté",
    unit="share",
    risk=1,
    monotone=("mean", "max"),
)
_UNUSED = Measure(
    "repaid", _LENT - _DEBT, "Amount lent less debt", "Montant prêté moins dette", unit="currency", risk=-1
)
_MAX_OVERDUE = Measure(
    "max_overdue",
    _WORST,
    "Largest amount ever overdue",
    "Plus gros retard de paiement",
    unit="currency",
    risk=1,
    monotone=("max", "mean"),
)
_OVERDUE_NOW = Measure(
    "overdue", _OVERDUE, "Amount overdue now", "Montant en retard", unit="currency", risk=1, monotone=("max", "sum")
)
_DAYS_OVERDUE = Measure(
    "days_overdue",
    pl.col("CREDIT_DAY_OVERDUE"),
    "Days overdue now",
    "Jours de retard",
    unit="days",
    risk=1,
    monotone=("max", "mean"),
)
_END_DAYS = Measure("end_days", _END, "Days to the planned end", "Jours jusqu'à la fin prévue", unit="days")
_EARLY = Measure(
    "closed_early_days", _END - _ENDED, "Days closed early", "Jours de clôture anticipée", unit="days", risk=-1
)
_DURATION = Measure("duration", _END - _DAY, "Planned duration", "Durée prévue", unit="days")
_UPDATE = Measure(
    "update_days",
    pl.col("DAYS_CREDIT_UPDATE"),
    "Day of the latest news",
    "Jour de la dernière mise à jour",
    unit="days",
)
_ANNUITY = Measure("annuity", pl.col("AMT_ANNUITY"), "Instalment", "Mensualité", unit="currency")
_CARD_LIMIT = Measure(
    "limit", pl.col("AMT_CREDIT_SUM_LIMIT"), "Card limit", "Plafond de carte", unit="currency", risk=-1
)


def _debt_to_lent(window: Window | None) -> Feature:
    lent_of_debts = pl.when(_DEBT.is_not_null()).then(_LENT)
    return Feature(
        "_".join(filter(None, ["bureau_debt_to_credit", window.name if window else None])),
        quotient(Aggregate("sum", _DEBT, window), Aggregate("sum", lent_of_debts, window)),
        f"Debt over amount lent at other lenders ({window.en if window else 'all credits'})",
        f"Dette rapportée au montant prêté ailleurs ({window.fr if window else 'tous crédits'})",
        group=_DEBTS,
        unit="share",
        risk=1,
        monotone=True,
    )


FEATURES: tuple[Feature, ...] = (
    Feature(
        "bureau_credits",
        Aggregate("len", _DAY),
        "Credits at other lenders",
        "Crédits auprès d'autres prêteurs",
        group=_HISTORY,
    ),
    Feature(
        "bureau_active_credits",
        Aggregate("sum", _ACTIVE.test),
        "Open credits elsewhere",
        "Crédits en cours ailleurs",
        group=_DEBTS,
    ),
    Feature(
        "bureau_closed_credits",
        Aggregate("sum", _CLOSED.test),
        "Closed credits elsewhere",
        "Crédits soldés ailleurs",
        group=_HISTORY,
    ),
    Feature(
        "bureau_bad_credits",
        Aggregate("sum", _STATE.is_in(["Bad debt", "Sold"])),
        "Credits sold or written off elsewhere",
        "Crédits cédés ou passés en perte ailleurs",
        group=_HISTORY,
        risk=1,
        monotone=True,
    ),
    Feature(
        "bureau_active_share",
        Aggregate("mean", _ACTIVE.test),
        "Share of credits elsewhere still open",
        "Part des crédits ailleurs encore en cours",
        group=_DEBTS,
        unit="share",
        risk=1,
    ),
    Feature(
        "bureau_types",
        Aggregate("n_unique", pl.col("CREDIT_TYPE")),
        "Kinds of credit elsewhere",
        "Types de crédit ailleurs",
        group=_HISTORY,
    ),
    *(
        Feature(
            f"bureau_{name}_share",
            Aggregate("mean", pl.col("CREDIT_TYPE") == value),
            f"Share of {en} among credits elsewhere",
            f"Part des {fr} parmi les crédits ailleurs",
            group=_HISTORY,
            unit="share",
            risk=1 if name in ("card", "microloan") else 0,
        )
        for name, (value, en, fr) in _TYPES.items()
    ),
    *(
        Feature(
            f"bureau_{name}_active_credits",
            Aggregate("sum", _ACTIVE.test & (pl.col("CREDIT_TYPE") == value)),
            f"Open {en} elsewhere",
            f"En cours ailleurs : {fr}",
            group=_DEBTS,
        )
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
        Feature(
            f"bureau_credits_{window.name}",
            Aggregate("sum", window.test),
            f"Number of {window.en} elsewhere",
            f"Nombre : {window.fr}, ailleurs",
            group=_HISTORY,
            risk=1,
        )
        for window in _LAST
    ),
    Feature(
        "bureau_gap_days_mean",
        Composite(
            lambda last, first, count: (last - first) / (count - 1.0),
            (Aggregate("max", _DAY), Aggregate("min", _DAY), Aggregate("len", _DAY)),
        ),
        "Mean days between credits elsewhere",
        "Jours moyens entre crédits ailleurs",
        group=_HISTORY,
        unit="days",
        risk=-1,
    ),
    Feature(
        "bureau_prolongations",
        Aggregate("sum", pl.col("CNT_CREDIT_PROLONG")),
        "Prolongations of credits elsewhere",
        "Prolongations de crédits ailleurs",
        group=_HISTORY,
    ),
    Feature(
        "bureau_foreign_currency_share",
        Aggregate("mean", pl.col("CREDIT_CURRENCY") != "currency 1"),
        "Share of credits elsewhere in another currency",
        "Part des crédits ailleurs en autre devise",
        group=_HISTORY,
        unit="share",
    ),
)

_MONTH, _STATUS = pl.col("MONTHS_BALANCE"), pl.col("STATUS")
_LEVEL = pl.col("level")
_ON_RECORD = _LEVEL.is_not_null()


_BALANCE_WINDOWS = (None, last_months(12), last_months(24))
_LATE_MONTHS = adverse_share("late", _LEVEL > 0, "Months late elsewhere", "Mois en retard ailleurs")
_LEVELS = Measure(
    "level",
    _LEVEL,
    "Level of lateness elsewhere, 0 to 5",
    "Niveau de retard ailleurs, 0 à 5",
    unit="rank",
    risk=1,
    monotone=("max", "mean"),
)
_WEIGHT = 1 / (1 - _MONTH)

BALANCE_FEATURES: tuple[Feature, ...] = (
    Feature(
        "bureau_balance_months",
        Aggregate("len", _MONTH),
        "Months on record elsewhere",
        "Mois d'historique ailleurs",
        group=_HISTORY,
        unit="months",
    ),
    Feature(
        "bureau_balance_credits",
        Aggregate("n_unique", pl.col("SK_ID_BUREAU")),
        "Credits elsewhere with monthly states",
        "Crédits ailleurs suivis par mois",
        group=_HISTORY,
    ),
    *summarise("bureau_balance", _HISTORY, _LATE_MONTHS, ("share",), _BALANCE_WINDOWS),
    *summarise("bureau_balance", _HISTORY, _LEVELS, ("max", "mean"), _BALANCE_WINDOWS),
    Feature(
        "bureau_balance_level_decayed",
        quotient(Aggregate("sum", _LEVEL * _WEIGHT), Aggregate("sum", _WEIGHT * _ON_RECORD)),
        "Level of lateness elsewhere, recent months weigh more",
        "Niveau de retard ailleurs, les mois récents pèsent plus",
        group=_HISTORY,
        unit="rank",
        risk=1,
        monotone=True,
    ),
    Feature(
        "bureau_balance_closed_share",
        Aggregate("mean", _STATUS == "C"),
        "Share of months elsewhere after closing",
        "Part des mois ailleurs après clôture",
        group=_HISTORY,
        unit="share",
        risk=-1,
    ),
    Feature(
        "bureau_balance_unknown_share",
        Aggregate("mean", _STATUS == "X"),
        "Share of months elsewhere of unknown state",
        "Part des mois ailleurs d'état inconnu",
        group=_HISTORY,
        unit="share",
    ),
    Feature(
        "bureau_balance_latest_late_month",
        Aggregate("max", _MONTH, Window("late", _LEVEL > 0, "late", "en retard")),
        "Latest month late elsewhere (negative)",
        "Dernier mois en retard ailleurs (négatif)",
        group=_HISTORY,
        unit="months",
        risk=1,
    ),
    Feature(
        "bureau_balance_first_month",
        Aggregate("min", _MONTH),
        "First month on record elsewhere (negative)",
        "Premier mois connu ailleurs (négatif)",
        group=_HISTORY,
        unit="months",
    ),
    Feature(
        "bureau_balance_level_slope",
        slope(_LEVEL, _MONTH, 1),
        "Trend of the level of lateness elsewhere",
        "Tendance du niveau de retard ailleurs",
        group=_HISTORY,
        unit="rank",
        risk=1,
    ),
)


DERIVED = {"recency": ("DAYS_CREDIT",)}
BALANCE_DERIVED = {"level": ("STATUS",)}
"""The declared columns behind each derived column."""


def bureau_rows(tables: Mapping[str, pl.DataFrame], needed: AbstractSet[str]) -> pl.DataFrame:
    """Return the credits at other lenders, with the derived columns that are needed."""
    rows = tables["bureau"]
    if "recency" in needed:
        rows = rows.with_columns(recency=recency("DAYS_CREDIT", tables["application"]["SK_ID_CURR"]))
    return rows


def bureau_balance_rows(tables: Mapping[str, pl.DataFrame], needed: AbstractSet[str]) -> pl.DataFrame:
    """Return the monthly states of known credits, with their client and the derived columns that are needed."""
    owners = tables["bureau"].select("SK_ID_BUREAU", "SK_ID_CURR")
    rows = tables["bureau_balance"].join(owners, on="SK_ID_BUREAU")
    if "level" in needed:
        rows = rows.with_columns(level=_STATUS.cast(pl.Float64, strict=False))
    return rows
