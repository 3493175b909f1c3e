"""Features of the client's earlier applications to this lender."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial

import polars as pl

from bento.data.cleaning import IS_OPEN, IS_OPEN_FROM
from bento.data.tables import Unit
from bento.features.debts import CARD, with_debts, with_interest
from bento.features.definitions import Aggregate, Feature, Group, Measure, Window, adverse_share, summarise
from bento.features.formulas import latest, one_of, ratio, ratio_of_sums
from bento.features.ordering import with_recency
from bento.features.rows import Derived, Rows

_GROUP: Group = "past_applications"
_feature = partial(Feature, group=_GROUP)
_DAY = pl.col("DAYS_DECISION")
_STATUS = pl.col("NAME_CONTRACT_STATUS")
_ASKED, _GRANTED, _ANNUITY = pl.col("AMT_APPLICATION"), pl.col("AMT_CREDIT"), pl.col("AMT_ANNUITY")
_TERM = pl.col("CNT_PAYMENT")

_APPROVED = Window("approved", _STATUS == "Approved", "approved", "acceptées")
_REFUSED = Window("refused", _STATUS == "Refused", "refused", "refusées")
_KIND = pl.col("NAME_CONTRACT_TYPE")
_OPEN = Window("open", pl.col("is_open"), "still open", "encore en cours")
_OPEN_LOANS = Window("open_loans", _OPEN.test & (_KIND != CARD), "loans still open", "prêts encore en cours")
_OPEN_CARDS = Window("open_cards", _OPEN.test & (_KIND == CARD), "cards still open", "cartes encore en cours")
_LAST_ONE, _LAST_THREE, _LAST_FIVE = (
    latest(count, f"latest {count}", f"{count} dernière{'s' if count > 1 else ''}") for count in (1, 3, 5)
)
_LAST_YEAR = Window("365d", _DAY >= -365, "last year", "dernière année")
_RECENT = (_LAST_ONE, _LAST_THREE, _LAST_FIVE)
_KINDS = {
    "cash": ("Cash loans", "cash loans", "prêts personnels"),
    "consumer": ("Consumer loans", "consumer loans", "crédits à la consommation"),
    "revolving": (CARD, "revolving credits", "crédits renouvelables"),
}
_REASONS = {
    "hc": ("HC", "internal rules (HC)", "règles internes (HC)"),
    "sco": ("SCO", "score (SCO)", "score (SCO)"),
    "limit": ("LIMIT", "limit (LIMIT)", "plafond (LIMIT)"),
    "scofr": ("SCOFR", "score, fraud (SCOFR)", "score, fraude (SCOFR)"),
}

_REQUESTS = Measure("asked", _ASKED, unit="currency").worded("Amount asked for", "Montant demandé")
_CREDITS = Measure("credit", _GRANTED, unit="currency").worded("Amount granted", "Montant accordé")
_ANNUITIES = Measure("annuity", _ANNUITY, unit="currency").worded("Instalment", "Mensualité")
_ASKED_TO_GRANTED = Measure("asked_to_granted", ratio(_ASKED, _GRANTED), unit="share").worded(
    "Amount asked for over granted", "Montant demandé rapporté à l'accordé"
)
_TERMS = Measure("term", _TERM, unit="months").worded("Term", "Durée")
_DECISIONS = Measure("decision_days", _DAY, unit="days").worded(
    "Day of the decision, negative", "Jour de la décision, négatif"
)
_SIMPLE = Measure("simple_interest", ratio(pl.col("interest"), _TERM), unit="share", risk=1).worded(
    "Simple interest a month", "Intérêt simple mensuel"
)
_RATES = Measure("true_rate", pl.col("true_rate"), unit="share", risk=1).worded(
    "True monthly rate", "Taux mensuel réel"
)
_DOWN = Measure("down_payment_rate", pl.col("RATE_DOWN_PAYMENT"), unit="share", risk=-1).worded(
    "Down payment, scaled", "Apport, normalisé"
)
_DOWN_AMOUNT = Measure("down_payment", pl.col("AMT_DOWN_PAYMENT"), unit="currency", risk=-1).worded(
    "Down payment", "Apport"
)
_SHIFT = Measure("due_shift_days", pl.col("DAYS_LAST_DUE_1ST_VERSION") - pl.col("DAYS_LAST_DUE"), unit="days").worded(
    "Days by which the last due date moved forward", "Jours d'avance de la dernière échéance sur le plan"
)
_REFUSALS = adverse_share("refused", _REFUSED.test, "Refused", "Refusées")
_HIGH = Measure("high_yield", pl.col("NAME_YIELD_GROUP") == "high", unit="share", risk=1).worded(
    "At a high rate", "À taux élevé"
)
_LOW = Measure(
    "low_yield", one_of(pl.col("NAME_YIELD_GROUP"), ("low_action", "low_normal")), unit="share", risk=-1
).worded("At a low rate", "À bas taux")


def _summarise(
    measure: Measure, aggregates: Sequence[str], windows: Sequence[Window | None] = (None,)
) -> list[Feature]:
    """Summarise a measure, with "earlier applications" in the meaning of each feature."""
    return [
        replace(
            feature,
            en=f"Earlier applications: {feature.en[0].lower()}{feature.en[1:]}",
            fr=f"Demandes antérieures : {feature.fr[0].lower()}{feature.fr[1:]}",
        )
        for feature in summarise("previous", _GROUP, measure, aggregates, windows)
    ]


_SELLING_AREA = pl.when(pl.col("SELLERPLACE_AREA") >= 0).then("SELLERPLACE_AREA")
_WEIGHT = 1 + _DAY.clip(lower_bound=-1500) / 2000


def _time_weighted(name: str, value: pl.Expr, *, unit: Unit, risk: int = 0) -> Feature:
    return _feature(
        f"previous_{name}_weighted",
        ratio_of_sums(value * _WEIGHT, _WEIGHT),
        unit=unit,
        risk=risk,
    )


FEATURES: tuple[Feature, ...] = (
    _feature("previous_applications", Aggregate("len", _DAY)).worded("Earlier applications", "Demandes antérieures"),
    _feature("previous_applications_365d", Aggregate("sum", _LAST_YEAR.test)).worded(
        "Applications of the last year", "Demandes de la dernière année"
    ),
    _feature("previous_approved", Aggregate("sum", _APPROVED.test)).worded(
        "Applications approved", "Demandes acceptées"
    ),
    _feature("previous_refused", Aggregate("sum", _REFUSED.test), risk=1, monotone=True).worded(
        "Applications refused", "Demandes refusées"
    ),
    _feature("previous_refused_365d", Aggregate("sum", _REFUSED.test & _LAST_YEAR.test), risk=1, monotone=True).worded(
        "Applications refused in the last year", "Demandes refusées la dernière année"
    ),
    _feature("previous_approved_share", Aggregate("mean", _APPROVED.test), unit="share", risk=-1).worded(
        "Share of applications approved", "Part des demandes acceptées"
    ),
    _feature("previous_canceled_share", Aggregate("mean", _STATUS == "Canceled"), unit="share").worded(
        "Share of applications cancelled", "Part des demandes annulées"
    ),
    *_summarise(_REFUSALS, ("share",), (None, *_RECENT, _LAST_YEAR)),
    *(
        _feature(
            f"previous_reject_{name}_share",
            Aggregate("mean", pl.col("CODE_REJECT_REASON") == code),
            unit="share",
            risk=1,
        ).worded(f"Share of applications refused for {en}", f"Part des demandes refusées : {fr}")
        for name, (code, en, fr) in _REASONS.items()
    ),
    *(
        _feature(
            f"previous_{name}_share", Aggregate("mean", pl.col("NAME_CONTRACT_TYPE") == code), unit="share"
        ).worded(f"Share of {en} among earlier applications", f"Part des {fr} parmi les demandes antérieures")
        for name, (code, en, fr) in _KINDS.items()
    ),
    _feature("previous_new_client_share", Aggregate("mean", pl.col("NAME_CLIENT_TYPE") == "New"), unit="share").worded(
        "Share of applications as a new client", "Part des demandes en tant que nouveau client"
    ),
    _feature(
        "previous_cross_sell_share", Aggregate("mean", pl.col("NAME_PRODUCT_TYPE") == "x-sell"), unit="share"
    ).worded("Share of applications from cross-selling", "Part des demandes issues de ventes croisées"),
    _feature(
        "previous_walk_in_share", Aggregate("mean", pl.col("NAME_PRODUCT_TYPE") == "walk-in"), unit="share", risk=1
    ).worded("Share of applications of walk-in clients", "Part des demandes spontanées"),
    _feature("previous_insured_share", Aggregate("mean", pl.col("NFLAG_INSURED_ON_APPROVAL")), unit="share").worded(
        "Share of earlier applications with insurance", "Part des demandes antérieures avec assurance"
    ),
    _feature("previous_seller_area_max", Aggregate("max", _SELLING_AREA), unit="").worded(
        "Largest selling area of the shops", "Plus grande surface de vente des magasins"
    ),
    *_summarise(_HIGH, ("share",), (None, _LAST_THREE)),
    *_summarise(_LOW, ("share",), (None, _LAST_THREE)),
    *_summarise(_DECISIONS, ("max", "min", "mean"), (None, _APPROVED, _REFUSED)),
    *_summarise(_REQUESTS, ("mean", "max"), (None, _REFUSED, _LAST_THREE)),
    *_summarise(_CREDITS, ("mean", "max", "sum"), (None, _APPROVED)),
    *_summarise(_ANNUITIES, ("mean", "max", "sum"), (None, _APPROVED)),
    *_summarise(_ASKED_TO_GRANTED, ("mean", "min", "std"), (None, _LAST_THREE, _LAST_FIVE)),
    *_summarise(_ASKED_TO_GRANTED, ("mean", "min"), (_LAST_ONE,)),
    *_summarise(_TERMS, ("mean", "max", "min"), (None, _APPROVED, *_RECENT)),
    *_summarise(_SIMPLE, ("mean", "max", "min"), (None, _APPROVED, *_RECENT)),
    *_summarise(_RATES, ("mean", "max", "min"), (None, _APPROVED, *_RECENT)),
    *_summarise(_DOWN, ("mean", "max")),
    *_summarise(_DOWN_AMOUNT, ("mean", "max")),
    *_summarise(_SHIFT, ("mean", "max", "min")),
    _time_weighted("refused", _REFUSED.test.cast(pl.Float64), unit="share", risk=1).worded(
        "Share of applications refused, recent ones weigh more", "Part des demandes refusées, les récentes pèsent plus"
    ),
    _time_weighted("annuity", _ANNUITY, unit="currency").worded(
        "Instalment of earlier applications, recent ones weigh more",
        "Mensualité des demandes antérieures, les récentes pèsent plus",
    ),
    _time_weighted("true_rate", pl.col("true_rate"), unit="share", risk=1).worded(
        "True monthly rate, recent ones weigh more", "Taux mensuel réel, les récentes pèsent plus"
    ),
    _feature("previous_open_loans", Aggregate("sum", _OPEN_LOANS.test)).worded(
        "Loans still open", "Prêts encore en cours"
    ),
    _feature("previous_open_cards", Aggregate("sum", _OPEN_CARDS.test)).worded(
        "Cards still open", "Cartes encore en cours"
    ),
    _feature("previous_open_credit_sum", Aggregate("sum", _GRANTED, _OPEN_LOANS), unit="currency").worded(
        "Amount of loans still open", "Montant des prêts en cours"
    ),
    _feature("previous_open_limit_sum", Aggregate("sum", _GRANTED, _OPEN_CARDS), unit="currency").worded(
        "Limits of cards still open", "Plafonds des cartes en cours"
    ),
    _feature("previous_open_annuity_sum", Aggregate("sum", _ANNUITY, _OPEN_LOANS), unit="currency").worded(
        "Instalments of loans still open", "Mensualités des prêts en cours"
    ),
    _feature("previous_open_debt", Aggregate("sum", pl.col("owed"), _OPEN), unit="currency", risk=1).worded(
        "Debt of loans and cards still open", "Dette des prêts et cartes en cours"
    ),
    _feature(
        "previous_open_repaid_ratio",
        ratio_of_sums(_GRANTED - pl.col("owed"), _GRANTED, _OPEN_LOANS),
        unit="share",
        risk=-1,
    ).worded("Share of the amount of loans still open that is repaid", "Part remboursée du montant des prêts en cours"),
    *(
        _feature(
            f"previous_due_in_{months}m",
            Aggregate("sum", _ANNUITY * pl.col("instalments_left").clip(upper_bound=months), _OPEN_LOANS),
            unit="currency",
        ).worded(
            f"Instalments of open loans due in the next {months} months",
            f"Échéances des prêts en cours dues dans les {months} mois",
        )
        for months in (1, 6, 12, 19)
    ),
)


_PLAN = ("AMT_ANNUITY", "AMT_CREDIT", "CNT_PAYMENT")
_STATE = ("SK_ID_PREV", "DAYS_FIRST_DUE", "DAYS_DECISION", "CNT_PAYMENT")
DERIVED = {
    "recency": ("DAYS_DECISION", "HOUR_APPR_PROCESS_START", "SK_ID_PREV"),
    "interest": _PLAN,
    "true_rate": _PLAN,
    "instalments_left": _STATE,
    "owed": (*_STATE, *_PLAN, "NAME_CONTRACT_TYPE"),
    "is_open": ("NAME_CONTRACT_STATUS", "DAYS_TERMINATION", IS_OPEN_FROM),
}
"""The declared columns behind each derived column of `previous_application_rows`."""
OTHER_TABLES = {
    "instalments_left": {"POS_CASH_balance": ("SK_ID_PREV", "MONTHS_BALANCE", "CNT_INSTALMENT_FUTURE")},
    "owed": {
        "POS_CASH_balance": ("SK_ID_PREV", "MONTHS_BALANCE", "CNT_INSTALMENT_FUTURE"),
        "credit_card_balance": ("SK_ID_PREV", "MONTHS_BALANCE", "AMT_BALANCE"),
    },
}
"""The declared columns of other tables behind the derived columns."""
# A card that was never used has no last due date even when it is terminated.
_IS_OPEN = Derived("is_open", _APPROVED.test & pl.col(IS_OPEN) & ~(pl.col("DAYS_TERMINATION") <= 0).fill_null(False))


def previous_application_rows(tables: Mapping[str, Rows], needed: AbstractSet[str]) -> Rows:
    """Return the earlier applications, with the derived columns that are needed."""
    rows = tables["previous_application"]
    with_owed = "owed" in needed
    if with_owed or not needed.isdisjoint(("interest", "true_rate")):
        rows = with_interest(rows)
    if "is_open" in needed:
        rows = _IS_OPEN.add_to(rows)
    if not needed.isdisjoint(OTHER_TABLES):
        rows = with_debts(rows, tables, with_owed=with_owed)
    if "recency" in needed:
        rows = with_recency(rows, ("DAYS_DECISION", "HOUR_APPR_PROCESS_START", "SK_ID_PREV"))
    return rows
