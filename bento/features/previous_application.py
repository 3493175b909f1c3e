"""Features of the client's earlier applications to this lender."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from bento.data.cleaning import IS_OPEN, IS_OPEN_FROM
from bento.data.tables import Unit
from bento.features.definitions import Aggregate, Feature, Group, Measure, Window, adverse_share, summarise
from bento.features.formulas import latest, one_of, ratio, ratio_of_sums, with_derived, with_recency
from bento.i18n import DAYS_PER_YEAR

_GROUP: Group = "past_applications"
_feature = partial(Feature, group=_GROUP)
_DAYS_PER_MONTH = DAYS_PER_YEAR / 12
_DAY = pl.col("DAYS_DECISION")
_STATUS = pl.col("NAME_CONTRACT_STATUS")
_ASKED, _GRANTED, _ANNUITY = pl.col("AMT_APPLICATION"), pl.col("AMT_CREDIT"), pl.col("AMT_ANNUITY")
_TERM = pl.col("CNT_PAYMENT")

_APPROVED = Window("approved", _STATUS == "Approved", "approved", "acceptées")
_REFUSED = Window("refused", _STATUS == "Refused", "refused", "refusées")
_KIND = pl.col("NAME_CONTRACT_TYPE")
_CARD = "Revolving loans"
_OPEN = Window("open", pl.col("is_open"), "still open", "encore en cours")
_OPEN_LOANS = Window("open_loans", _OPEN.test & (_KIND != _CARD), "loans still open", "prêts encore en cours")
_OPEN_CARDS = Window("open_cards", _OPEN.test & (_KIND == _CARD), "cards still open", "cartes encore en cours")
_LAST_ONE, _LAST_THREE, _LAST_FIVE = (
    latest(count, f"latest {count}", f"{count} dernière{'s' if count > 1 else ''}") for count in (1, 3, 5)
)
_LAST_YEAR = Window("365d", _DAY >= -365, "last year", "dernière année")
_RECENT = (_LAST_ONE, _LAST_THREE, _LAST_FIVE)
_KINDS = {
    "cash": ("Cash loans", "cash loans", "prêts personnels"),
    "consumer": ("Consumer loans", "consumer loans", "crédits à la consommation"),
    "revolving": (_CARD, "revolving credits", "crédits renouvelables"),
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
_RATE = Measure("true_rate", pl.col("true_rate"), unit="share", risk=1).worded("True monthly rate", "Taux mensuel réel")
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
    *_summarise(_ASKED_TO_GRANTED, ("mean", "min", "std"), (None, *_RECENT)),
    *_summarise(_TERMS, ("mean", "max", "min"), (None, _APPROVED, *_RECENT)),
    *_summarise(_SIMPLE, ("mean", "max", "min"), (None, _APPROVED, *_RECENT)),
    *_summarise(_RATE, ("mean", "max", "min"), (None, _APPROVED, *_RECENT)),
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


_RATE = ("AMT_ANNUITY", "AMT_CREDIT", "CNT_PAYMENT")
_CREDIT = ("SK_ID_CURR", "SK_ID_PREV")
_LEFT = ("SK_ID_PREV", "DAYS_FIRST_DUE", "DAYS_DECISION", "CNT_PAYMENT")
DERIVED = {
    "recency": ("DAYS_DECISION", "HOUR_APPR_PROCESS_START", "SK_ID_PREV"),
    "interest": _RATE,
    "true_rate": _RATE,
    "instalments_left": _LEFT,
    "owed": (*_LEFT, *_RATE, "NAME_CONTRACT_TYPE"),
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
MIN_TOTAL_DUE = 0.999
"""The least sum of the instalments over the credit: below it, the three amounts are not those of one plan."""
_NEWTON_STEPS = 4
"""Enough for 12 digits of rates from 0.0001 to 1 a month and terms from 1 to 1,000 months."""
MAX_RATE = 1.0
"""Largest monthly rate of interest: above it, the three amounts are not those of one plan."""
DAYS_TO_FIRST_DUE = 30
"""Days from the decision to the first instalment of nearly all loans, for those whose first due date is not set yet."""


def previous_application_rows(tables: Mapping[str, pl.DataFrame], needed: AbstractSet[str]) -> pl.DataFrame:
    """Return the earlier applications, with the derived columns that are needed."""
    rows = tables["previous_application"]
    total_due = ratio(_ANNUITY * _TERM, _GRANTED)
    is_plan = total_due >= MIN_TOTAL_DUE
    derived: dict[str, pl.Expr | pl.Series] = {
        "interest": pl.when(is_plan).then((total_due - 1).clip(lower_bound=0)),
        # A card that was never used has no last due date even when it is terminated.
        "is_open": _APPROVED.test & pl.col(IS_OPEN) & ~(pl.col("DAYS_TERMINATION") <= 0).fill_null(False),
    }
    with_owed = "owed" in needed
    if with_owed or "true_rate" in needed:
        derived["true_rate"] = _true_rate(rows)
    rows = with_derived(rows, derived, {*needed, "true_rate"} if with_owed else needed)
    if not needed.isdisjoint(OTHER_TABLES):
        rows = _with_debts(rows, tables, with_owed=with_owed)
    if "recency" in needed:
        order = ("DAYS_DECISION", "HOUR_APPR_PROCESS_START", "SK_ID_PREV")
        rows = with_recency(rows, order, tables["application"]["SK_ID_CURR"])
    return rows


def _with_debts(rows: pl.DataFrame, tables: Mapping[str, pl.DataFrame], *, with_owed: bool) -> pl.DataFrame:
    """Add the instalments left of each open loan, and with `with_owed` what is owed of each open loan and card."""
    no_value = pl.lit(None, pl.Float64)
    open_credits = rows.filter(_OPEN.test).select(_CREDIT)
    if open_credits.is_empty():
        return rows.with_columns(instalments_left=no_value, owed=no_value)
    month, future = pl.col("MONTHS_BALANCE"), pl.col("CNT_INSTALMENT_FUTURE")
    # One instalment has been paid in each month since that state; the latest state in the data is of month -1.
    left_by_now = (future - (-1 - month).clip(lower_bound=0)).clip(lower_bound=0)
    states = _latest(tables["POS_CASH_balance"], open_credits, left_by_now)
    rows = rows.join(states.rename({"latest": "left_by_state"}), on=_CREDIT, how="left", maintain_order="left")
    first_due = pl.coalesce("DAYS_FIRST_DUE", _DAY + DAYS_TO_FIRST_DUE)
    passed = ((-first_due / _DAYS_PER_MONTH).floor() + 1).clip(lower_bound=0)
    rows = rows.with_columns(
        instalments_left=pl.coalesce("left_by_state", (_TERM - passed).clip(lower_bound=0)).cast(pl.Float64)
    )
    if not with_owed:
        return rows
    balances = _latest(tables["credit_card_balance"], open_credits, pl.col("AMT_BALANCE").clip(lower_bound=0))
    balances = balances.rename({"latest": "balance"}).with_columns(is_drawn=pl.lit(True))
    rows = rows.join(balances, on=_CREDIT, how="left", maintain_order="left")
    rate, left = pl.col("true_rate"), pl.col("instalments_left")
    # Present value of an annuity, https://en.wikipedia.org/wiki/Annuity#Proof_of_annuity-immediate_formula
    present_value = _ANNUITY * pl.when(rate == 0).then(left).otherwise((1 - (1 + rate) ** -left) / rate)
    of_card = pl.when("is_drawn").then("balance").otherwise(0.0)
    of_loan = present_value.clip(upper_bound=_GRANTED)
    return rows.with_columns(owed=pl.when(_KIND == _CARD).then(of_card).when(_KIND != _CARD).then(of_loan))


def _latest(months: pl.DataFrame, credits: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    """Return the latest known value of each of some credits that have monthly states; the largest of one month."""
    states = months.join(credits, on=_CREDIT, how="semi").with_columns(latest=value)
    latest_value = pl.col("latest").sort_by("MONTHS_BALANCE", "latest").drop_nulls().last()
    return states.group_by(_CREDIT).agg(latest_value)


def _true_rate(rows: pl.DataFrame) -> pl.Series:
    """Solve for the monthly rate at which the instalments repay the credit in its term, by Newton's method.

    The rate r solves n r / (1 - (1 + r)^-n) = instalment n / credit, whose left side rises with r from 1 at r = 0 and
    is convex, so that Newton's method from r = 0 meets no other root; its first step is the start here.
    """
    annuity, granted, term = (
        rows.get_column(name).cast(pl.Float64).to_numpy() for name in ("AMT_ANNUITY", "AMT_CREDIT", "CNT_PAYMENT")
    )
    with np.errstate(all="ignore"):
        total_due = annuity * term / granted
        rate = 2 * (total_due - 1) / (term + 1)
        for _ in range(_NEWTON_STEPS):
            repaid = -np.expm1(-term * np.log1p(rate))
            gradient = (repaid - term * rate * (1 - repaid) / (1 + rate)) / repaid
            rate = rate - (rate - total_due * repaid / term) / gradient
        rate = np.where(total_due > 1, rate, np.where(total_due >= MIN_TOTAL_DUE, 0.0, np.nan))
        rate = np.where(np.isfinite(total_due) & (rate <= MAX_RATE), rate, np.nan)
    return pl.Series(rate, nan_to_null=True)
