"""Features of how the client uses credit cards of this lender."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import partial

import polars as pl

from bento.features.definitions import Aggregate, Feature, Group, Measure, adverse_share, summarise
from bento.features.formulas import last_months, ratio, ratio_of_sums, slope
from bento.features.rows import Rows

_GROUP: Group = "card_use"
_feature = partial(Feature, group=_GROUP)
_summarise = partial(summarise, "card", _GROUP)
_MONTH = pl.col("MONTHS_BALANCE")
_ATM, _DRAWN = pl.col("AMT_DRAWINGS_ATM_CURRENT"), pl.col("AMT_DRAWINGS_CURRENT")
_PAID, _MINIMUM = pl.col("AMT_PAYMENT_CURRENT"), pl.col("AMT_INST_MIN_REGULARITY")
_BALANCE, _LIMIT = pl.col("AMT_BALANCE"), pl.col("AMT_CREDIT_LIMIT_ACTUAL")


_QUARTER, _YEAR = last_months(3), last_months(12)
_WINDOWS = (None, _QUARTER, _YEAR)
_USE = Measure("utilisation", ratio(_BALANCE, _LIMIT), unit="share", risk=1, monotone=("mean", "max")).worded(
    "Balance over limit", "Solde rapporté au plafond"
)
_BALANCES = Measure("balance", _BALANCE, unit="currency", risk=1).worded("Balance", "Solde")
_LIMITS = Measure("limit", _LIMIT, unit="currency", risk=-1).worded("Limit", "Plafond")
_CASH = Measure("cash", _ATM, unit="currency", risk=1).worded("Cash drawn", "Retraits d'espèces")
_CASH_COUNT = Measure("cash_drawings", pl.col("CNT_DRAWINGS_ATM_CURRENT"), unit="count", risk=1).worded(
    "Cash drawings", "Nombre de retraits d'espèces"
)
_DRAWINGS = Measure("drawn", _DRAWN, unit="currency", risk=1).worded("Amount drawn", "Montant tiré")
_DRAWINGS_COUNT = Measure("drawings", pl.col("CNT_DRAWINGS_CURRENT"), unit="count", risk=1).worded(
    "Drawings", "Nombre de tirages"
)
_PAYMENT_RATIO = Measure("paid_to_minimum", ratio(_PAID, _MINIMUM), unit="share", risk=-1).worded(
    "Paid over least payment due", "Payé rapporté au minimum dû"
)
_LATE = adverse_share("late", pl.col("SK_DPD") > 0, "Months overdue", "Mois en retard")
_DAYS = Measure("days_past_due", pl.col("SK_DPD"), unit="days", risk=1, monotone=("mean", "max")).worded(
    "Days past due", "Jours de retard"
)
_DAYS_DEF = Measure("days_past_due_def", pl.col("SK_DPD_DEF"), unit="days", risk=1, monotone=("mean", "max")).worded(
    "Days past due, trifles forgiven", "Jours de retard, montants négligeables ignorés"
)

FEATURES: tuple[Feature, ...] = (
    _feature("card_months", Aggregate("len", _MONTH), unit="months").worded(
        "Months on record of credit cards", "Mois d'historique des cartes"
    ),
    _feature("card_count", Aggregate("n_unique", pl.col("SK_ID_PREV"))).worded(
        "Credit cards on record", "Cartes de crédit connues"
    ),
    *_summarise(_USE, ("mean", "max"), (*_WINDOWS,)),
    *_summarise(_BALANCES, ("mean", "max"), _WINDOWS),
    *_summarise(_LIMITS, ("mean", "max"), (None, _QUARTER)),
    *_summarise(_CASH, ("mean", "sum", "max"), (None, _YEAR)),
    *_summarise(_CASH_COUNT, ("mean", "max"), (None, _YEAR)),
    *_summarise(_DRAWINGS, ("mean", "max"), (None, _YEAR)),
    *_summarise(_DRAWINGS_COUNT, ("mean", "max"), (None, _YEAR)),
    *_summarise(_PAYMENT_RATIO, ("mean", "min"), (None, _YEAR)),
    *_summarise(_LATE, ("share",), (None, _YEAR)),
    *_summarise(_DAYS, ("mean", "max", "sum"), (None, _YEAR)),
    *_summarise(_DAYS_DEF, ("mean", "max"), (None, _YEAR)),
    *(
        _feature(
            f"card_cash_share{suffix}",
            ratio_of_sums(_ATM, _DRAWN, window),
            unit="share",
            risk=1,
        ).worded(f"Share of card drawings taken in cash{en}", f"Part des tirages en espèces{fr}")
        for suffix, window, en, fr in (("", None, "", ""), ("_12m", _YEAR, ", last 12 months", ", 12 derniers mois"))
    ),
    _feature("card_paid_to_drawn", ratio_of_sums(_PAID, _DRAWN), unit="share", risk=-1).worded(
        "Amount paid over amount drawn", "Montant payé rapporté au montant tiré"
    ),
    _feature("card_balance_slope", slope(_BALANCE, _MONTH, 1000), unit="currency", risk=1).worded(
        "Trend of the balance", "Tendance du solde"
    ),
    _feature("card_utilisation_slope", slope(ratio(_BALANCE, _LIMIT), _MONTH, 10_000), unit="share", risk=1).worded(
        "Trend of balance over limit", "Tendance du taux d'utilisation"
    ),
    _feature("card_no_limit_months", Aggregate("sum", _LIMIT == 0), unit="months").worded(
        "Months without a limit", "Mois sans plafond"
    ),
    _feature("card_idle_share", Aggregate("mean", _BALANCE == 0), unit="share", risk=-1).worded(
        "Share of months without balance", "Part des mois sans solde"
    ),
    _feature("card_over_limit_share", Aggregate("mean", _BALANCE > _LIMIT), unit="share", risk=1, monotone=True).worded(
        "Share of months over the limit", "Part des mois au-delà du plafond"
    ),
    _feature("card_instalments_paid_max", Aggregate("max", pl.col("CNT_INSTALMENT_MATURE_CUM"))).worded(
        "Card instalments paid so far", "Échéances de carte payées"
    ),
)


def credit_card_rows(tables: Mapping[str, Rows], needed: AbstractSet[str]) -> Rows:
    """Return the monthly card states; no column is derived."""
    return tables["credit_card_balance"]
