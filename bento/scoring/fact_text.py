"""Facts in words: the value of a feature as a client reads it, in English and French."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

from bento.data.credit_file import Wording
from bento.features import CATALOGUE, Feature, facts_of
from bento.features.definitions import AGGREGATES, Aggregate, Window, suffixes
from bento.features.share_counts import count_name, of_name

MINUS = "\N{MINUS SIGN}"
NARROW = "\u202f"
"""The narrow no-break space of French typography: before ; : ! ? %, within numbers and quotation marks."""
LARGEST = 1e12
"""Numbers beyond are told as "more than" this one."""
LONG_DAYS = 730
"""Days from which a time is told in years."""

Words = tuple[str, str]
"""The same in English and in French."""
Value = float | str | None
_Worder = Callable[[float], Words]

UNKNOWN: Words = ("not known", "donnée inconnue")
NO_DATE: Words = ("none known", "aucune connue")
NO_VARIATION: Words = ("no variation", "aucune variation")
NOT_STATED: Words = ("not stated", "non précisé")
YES: Words = ("yes", "oui")
NO: Words = ("no", "non")
_OF_CATEGORIES = {"Y": YES, "Yes": YES, "N": NO, "No": NO, "XNA": NOT_STATED, "Unknown": UNKNOWN}
"""Categories that are no words for a client; all others are quoted as the data has them."""


def number(value: float, decimals: int) -> Words:
    r"""A number with separators of thousands, no trailing zeros, and a bound in place of what nobody can read.

    >>> number(1234.5, 2)
    ('1,234.5', '1\u202f234,5')
    """
    if abs(value) > LARGEST:
        more = (f"more than {LARGEST:,.0f}", f"plus de {LARGEST:,.0f}")
        less = (f"less than {MINUS}{LARGEST:,.0f}", f"moins de {MINUS}{LARGEST:,.0f}")
        english, french = more if value > 0 else less
        return english, french.replace(",", NARROW)
    text = f"{value:,.{decimals}f}"
    if decimals:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text == "-0" else text.replace("-", MINUS)
    return text, text.replace(",", NARROW).replace(".", ",")


def amount(value: float) -> Words:
    """An amount of money, in whole units from 100 up: the credit file names no currency.

    >>> amount(45000.4)[0], amount(0.256)[1]
    ('45,000', '0,26')
    """
    return number(value, 0 if abs(value) >= 100 else 2)


def share(value: float) -> Words:
    r"""A proportion in percent; from twice up, how many times.

    >>> share(0.256), share(3.5)
    (('26%', '26\u202f%'), ('3.5 times', '3,5\u202ffois'))
    """
    if abs(value) >= 2:
        return _with(number(value, 1 if abs(value) < 100 else 0), (" times", f"{NARROW}fois"))
    percent = 100 * value
    return _with(number(percent, 0 if abs(percent) >= 10 else 1 if abs(percent) >= 1 else 2), ("%", f"{NARROW}%"))


def days(value: float) -> Words:
    """A time in days, in years where it is long.

    >>> days(1), days(800)[0]
    (('1 day', '1 jour'), '2.2 years')
    """
    if abs(value) >= LONG_DAYS:
        return _counted(value / 365.25, 1, ("year", "years"), ("an", "ans"))
    return _counted(value, 0 if abs(value) >= 30 else 1, ("day", "days"), ("jour", "jours"))


def months(value: float) -> Words:
    """A time in months."""
    return _counted(value, 1, ("month", "months"), ("mois", "mois"))


def years(value: float) -> Words:
    """A time in years, in months or days where it is short.

    >>> years(5.04)[0], years(0.5)[0], years(0.1)[0]
    ('5 years', '6 months', '37 days')
    """
    if abs(value) >= 2:
        return _counted(value, 1, ("year", "years"), ("an", "ans"))
    return months(round(12 * value)) if abs(value) >= 1 / 6 else days(round(365.25 * value))


def age(value: float) -> Words:
    """An age in full years."""
    return _counted(math.floor(value), 0, ("year", "years"), ("an", "ans"))


def days_away(value: float) -> Words:
    """A day as seen from the application: negative before it."""
    return _away(value, days)


def months_away(value: float) -> Words:
    """A month as seen from the application: negative before it."""
    return _away(value, lambda ago: years(ago / 12) if ago >= 24 else months(ago))


def count(value: float) -> Words:
    """A number of things; a mean of such numbers may have a decimal."""
    return number(value, 1)


def plain(value: float) -> Words:
    """A number without unit, to two significant digits or more."""
    size = abs(value)
    return number(value, 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3 if size >= 0.01 else 4)


def flag(value: float) -> Words:
    """Yes or no."""
    return YES if value else NO


def hour(value: float) -> Words:
    """An hour of the day."""
    return _with(number(value, 0), (":00", f"{NARROW}h"))


def trend(value: float) -> Words:
    """Where a slope points."""
    return ("rising", "en hausse") if value > 0 else ("falling", "en baisse") if value < 0 else ("steady", "stable")


def variation(value: float, worder: _Worder) -> Words:
    """A standard deviation, in what the values are told in."""
    english, french = worder(value)
    return (f"typical variation of {english}", f"variation habituelle de {french}") if value else NO_VARIATION


def beyond(value: float) -> Words:
    """By how much a price exceeds a loan, as seen from the loan."""
    english, french = amount(abs(value))
    if value == 0:
        return "the same", "identique"
    return (f"{english} less", f"{french} de moins") if value > 0 else (f"{english} more", f"{french} de plus")


def of(part: float, whole: float) -> Words:
    """So many of so many.

    >>> of(3, 12)
    ('3 of 12', '3 sur 12')
    """
    (part_en, part_fr), (whole_en, whole_fr) = number(part, 0), number(whole, 0)
    return f"{part_en} of {whole_en}", f"{part_fr} sur {whole_fr}"


def category(value: str) -> Words:
    """A category in the data's own word."""
    return _OF_CATEGORIES.get(value) or (f"“{value}”", f"«{NARROW}{value}{NARROW}»")


def _with(words: Words, after: Words) -> Words:
    return words[0] + after[0], words[1] + after[1]


def _counted(value: float, decimals: int, english: tuple[str, str], french: tuple[str, str]) -> Words:
    """A number and its noun: plural in English but for 1, in French from 2 up."""
    shown, affixed = abs(round(value, decimals)), number(value, decimals)
    return f"{affixed[0]} {english[shown != 1]}", f"{affixed[1]} {french[shown >= 2]}"


def _away(value: float, worder: _Worder) -> Words:
    if round(value, 1) == 0:
        return "at the time of this application", "au moment de cette demande"
    english, french = worder(abs(value))
    return (f"{english} ago", f"il y a {french}") if value < 0 else (f"in {english}", f"dans {french}")


_WORDERS: dict[str, _Worder] = {
    "currency": amount,
    "share": share,
    "days": days,
    "months": months,
    "years": years,
    "count": count,
    "flag": flag,
    "hour": hour,
    "score": plain,
    "rank": plain,
    "": plain,
}
"""By unit of the catalogue."""

_AROUND: dict[str, Words] = {
    "mean": ("{} on average", "{} en moyenne"),
    "max": ("{} at most", "{} au plus"),
    "min": ("{} at least", "{} au moins"),
    "sum": ("{} in total", "{} au total"),
    "std": ("{}", "{}"),
    "share": ("{}", "{}"),
}
"""By aggregate: what a value of many rows is called."""
_AROUND_DATES: dict[str, Words] = _AROUND | {
    "max": ("the last {}", "la dernière {}"),
    "min": ("the first {}", "la première {}"),
}

_OTHER_WORDERS: dict[str, _Worder] = {
    "bureau_credit_days": days_away,
    "bureau_update_days": days_away,
    "bureau_end_days": days_away,
    "previous_decision_days": days_away,
    "installments_latest_payment_days": days_away,
    "installments_first_due_days": days_away,
    "pos_latest_month": months_away,
    "pos_first_month": months_away,
    "bureau_balance_latest_late_month": months_away,
    "bureau_balance_first_month": months_away,
    "application_goods_less_credit": beyond,
}
"""Where the unit does not say enough; by the names of `_LABELS`."""

_LABELS: dict[str, Words] = {
    "application_annuity": ("Instalment of this loan", "Mensualité de ce prêt"),
    "application_goods_less_credit": (
        "Amount of the loan against the price of the goods",
        "Montant du prêt par rapport au prix du bien",
    ),
    "application_credit_to_annuity": (
        "Length of repayment (loan divided by instalment)",
        "Durée de remboursement (prêt divisé par la mensualité)",
    ),
    "application_credit_to_ext_source_3": (
        "Amount of the loan set against external score 3",
        "Montant du prêt rapporté au score externe 3",
    ),
    "application_annuity_to_ext_source_3": (
        "Instalment set against external score 3",
        "Mensualité rapportée au score externe 3",
    ),
    "application_income_per_child": (
        "Income divided by the number of children plus one",
        "Revenus rapportés au nombre d'enfants plus un",
    ),
    "application_simple_interest_at_previous_term": (
        "Monthly interest of this loan, were it as long as your earlier ones",
        "Intérêt mensuel de ce prêt, s'il durait autant que vos précédents",
    ),
    **{
        f"application_enquiries_{name}": (
            f"Enquiries to the credit bureau in the {name}",
            f"Interrogations du fichier de crédit {french}",
        )
        for name, french in (
            ("week", "dans la semaine"),
            ("month", "dans le mois"),
            ("quarter", "dans le trimestre"),
            ("year", "dans l'année"),
        )
    },
    **{
        f"bureau_{name}_active_credits": (f"Open {english} elsewhere", f"{french} en cours ailleurs")
        for name, english, french in (
            ("consumer", "consumer credits", "Crédits à la consommation"),
            ("card", "credit cards", "Cartes de crédit"),
            ("car", "car loans", "Crédits auto"),
            ("mortgage", "mortgages", "Crédits immobiliers"),
            ("microloan", "microloans", "Microcrédits"),
        )
    },
    "bureau_credit_days": ("Dates of your credits at other lenders", "Dates de vos crédits auprès d'autres prêteurs"),
    "bureau_update_days": (
        "Dates of the latest news of your credits at other lenders",
        "Dates des dernières nouvelles de vos crédits auprès d'autres prêteurs",
    ),
    "bureau_end_days": (
        "Planned end dates of your credits at other lenders",
        "Dates de fin prévue de vos crédits auprès d'autres prêteurs",
    ),
    "bureau_credit_sum": (
        "Amount of your credits at other lenders",
        "Montant de vos crédits auprès d'autres prêteurs",
    ),
    "bureau_debt": ("Debt at other lenders", "Dette auprès d'autres prêteurs"),
    "bureau_debt_ratio": (
        "Debt over amount lent, each credit at other lenders",
        "Dette rapportée au montant prêté, par crédit auprès d'autres prêteurs",
    ),
    "bureau_repaid": (
        "Amount already repaid to other lenders",
        "Montant déjà remboursé à d'autres prêteurs",
    ),
    "bureau_max_overdue": (
        "Worst overdue amount of each credit at other lenders",
        "Plus gros impayé de chaque crédit auprès d'autres prêteurs",
    ),
    "bureau_overdue": (
        "Amount now overdue at other lenders",
        "Montant actuellement en retard auprès d'autres prêteurs",
    ),
    "bureau_days_overdue": ("Delay now at other lenders", "Retard actuel auprès d'autres prêteurs"),
    "bureau_closed_early_days": (
        "Early closing of credits at other lenders",
        "Avance à la clôture de vos crédits auprès d'autres prêteurs",
    ),
    "bureau_duration": (
        "Planned duration of your credits at other lenders",
        "Durée prévue de vos crédits auprès d'autres prêteurs",
    ),
    "bureau_annuity": (
        "Instalments of your credits at other lenders",
        "Mensualités de vos crédits auprès d'autres prêteurs",
    ),
    "bureau_limit": ("Card limit at other lenders", "Plafond de carte auprès d'autres prêteurs"),
    "bureau_gap_days_mean": (
        "Mean time between credits at other lenders",
        "Temps moyen entre crédits auprès d'autres prêteurs",
    ),
    **{
        f"bureau_credits_{length}m": (
            f"Credits of the last {length} months at other lenders",
            f"Crédits des {length} derniers mois auprès d'autres prêteurs",
        )
        for length in (6, 12, 24, 36)
    },
    "bureau_balance_latest_late_month": (
        "Latest month late at other lenders",
        "Dernier mois en retard auprès d'autres prêteurs",
    ),
    "bureau_balance_first_month": (
        "First month on record at other lenders",
        "Premier mois connu auprès d'autres prêteurs",
    ),
    "pos_late": ("Months overdue on earlier loans", "Mois en retard sur vos prêts antérieurs"),
    "pos_late_def": (
        "Months overdue on earlier loans, trifles aside",
        "Mois en retard sur vos prêts antérieurs, hors montants négligeables",
    ),
    "pos_days_past_due": ("Late payment of earlier loans", "Retard de paiement de vos prêts antérieurs"),
    "pos_days_past_due_def": (
        "Late payment of earlier loans, trifles aside",
        "Retard de paiement de vos prêts antérieurs, hors montants négligeables",
    ),
    "pos_left": ("Instalments left on earlier loans", "Échéances restantes de vos prêts antérieurs"),
    "pos_term": ("Term of earlier loans", "Durée de vos prêts antérieurs"),
    "pos_latest_month": ("Latest month on record of earlier loans", "Dernier mois connu de vos prêts antérieurs"),
    "pos_first_month": ("First month on record of earlier loans", "Premier mois connu de vos prêts antérieurs"),
    "previous_refused": ("Earlier applications refused", "Demandes antérieures refusées"),
    "previous_high_yield": ("Earlier applications at a high rate", "Demandes antérieures à taux élevé"),
    "previous_low_yield": ("Earlier applications at a low rate", "Demandes antérieures à bas taux"),
    "previous_decision_days": ("Dates of your earlier applications", "Dates de vos demandes antérieures"),
    "previous_asked": ("Amount asked for in earlier applications", "Montant demandé lors des demandes antérieures"),
    "previous_credit": ("Amount of the loan in earlier applications", "Montant du prêt lors des demandes antérieures"),
    "previous_annuity": ("Instalment in earlier applications", "Mensualité lors des demandes antérieures"),
    "previous_asked_to_granted": (
        "Amount requested over amount granted in earlier applications",
        "Montant demandé rapporté au montant accordé lors des demandes antérieures",
    ),
    "previous_term": ("Term of the loan in earlier applications", "Durée du prêt lors des demandes antérieures"),
    "previous_simple_interest": (
        "Simple monthly interest in earlier applications",
        "Intérêt mensuel simple lors des demandes antérieures",
    ),
    "previous_true_rate": ("Monthly rate in earlier applications", "Taux mensuel lors des demandes antérieures"),
    "previous_down_payment_rate": (
        "Down payment in earlier applications, scaled",
        "Apport lors des demandes antérieures, normalisé",
    ),
    "previous_down_payment": ("Down payment in earlier applications", "Apport lors des demandes antérieures"),
    "previous_due_shift_days": (
        "Time by which the last due date of earlier loans moved forward",
        "Avance de la dernière échéance des prêts antérieurs sur le plan",
    ),
    "previous_true_rate_weighted": (
        "Monthly rate in earlier applications, recent ones weigh more",
        "Taux mensuel lors des demandes antérieures, les récentes pèsent plus",
    ),
    "previous_due_in_1m": (
        "Instalments of earlier loans due in the next month",
        "Échéances des prêts antérieurs dues dans le mois",
    ),
    "installments_days_late": ("Late payment of instalments", "Retard de paiement des échéances"),
    "installments_days_early": ("Early payment of instalments", "Avance de paiement des échéances"),
    **{
        f"installments_late_over_{length}d": (
            f"Instalments paid over {length} days late",
            f"Échéances payées avec plus de {length} jours de retard",
        )
        for length in (7, 15)
    },
    **{
        f"installments_{name}_slope_{length}d": (
            f"{english}, trend of the last {length} days",
            f"{french}, tendance des {length} derniers jours",
        )
        for name, english, french in (
            ("days_late", "Late payment of instalments", "Retard de paiement des échéances"),
            ("underpaid", "Amount left unpaid on instalments", "Montant resté impayé sur les échéances"),
        )
        for length in (365, 1500)
    },
    "installments_underpaid": ("Amount left unpaid on instalments", "Montant resté impayé sur les échéances"),
    "installments_paid_ratio": (
        "Amount paid over amount due, each instalment",
        "Montant payé rapporté au montant dû, par échéance",
    ),
    "installments_paid": ("Amount paid on instalments", "Montant payé sur les échéances"),
    "installments_due": ("Amount of instalments due", "Montant des échéances dues"),
    "installments_latest_payment_days": ("Latest payment of an instalment", "Dernier paiement d'une échéance"),
    "installments_first_due_days": ("First instalment on record", "Première échéance connue"),
    "card_utilisation": ("Card balance over limit", "Solde de carte rapporté au plafond"),
    "card_balance": ("Card balance", "Solde de carte"),
    "card_limit": ("Card limit", "Plafond de carte"),
    "card_cash": ("Cash drawn by card", "Espèces retirées par carte"),
    "card_cash_drawings": ("Number of cash drawings by card", "Nombre de retraits d'espèces par carte"),
    "card_drawn": ("Amount drawn by card", "Montant utilisé par carte"),
    "card_drawings": ("Number of drawings by card", "Nombre d'opérations par carte"),
    "card_paid_to_minimum": (
        "Card payment over least payment due",
        "Paiement de carte rapporté au minimum dû",
    ),
    "card_late": ("Months overdue on cards", "Mois en retard sur vos cartes"),
    "card_days_past_due": ("Late payment on cards", "Retard de paiement sur vos cartes"),
    "card_days_past_due_def": (
        "Late payment on cards, trifles aside",
        "Retard de paiement sur vos cartes, hors montants négligeables",
    ),
}
"""Better words than those of the catalogue: by name of a feature, or by what several features aggregate."""

_WINDOWS: dict[str, Words] = {"latest 1": ("latest one", "la dernière")}
"""Better words than those of a window, by its English ones."""

_ONE_ROW = "latest_1"
"""A window of a single row, of which no mean, highest or total need be spoken."""


@dataclass(frozen=True)
class _Phrase:
    """How one feature is worded, settled once: the sentence around its value, and what makes words of the value."""

    around: Words
    worder: _Worder
    missing: Wording
    categories: frozenset[str]
    count: str
    of: str


def known(name: str, values: Mapping[str, Value]) -> Value:
    """The client's value of a feature as the model took it: a category that the catalogue does not know is unknown.

    Numbers have 12 digits: in the last bits they depend on how many clients were computed together.
    """
    value = values[name]
    if isinstance(value, float):
        return float(f"{value:.12g}")
    return None if isinstance(value, str) and value not in _phrase(name).categories else value


def worded(name: str, values: Mapping[str, Value]) -> Wording:
    """A feature and the client's value of it, in words.

    Args:
        name: of the catalogue.
        values: of the client; where the facts of a share are among them (`bento.features.facts_of`), it is told as
            so many of so many, else in percent.

    Raises:
        KeyError: the name is not in the catalogue or not among the values.
    """
    phrase, value = _phrase(name), known(name, values)
    if (whole := values.get(phrase.of)) is not None:
        words = of(float(values[phrase.count] or 0), float(whole))
    elif value is None:
        return phrase.missing
    elif isinstance(value, str):
        words = category(value)
    else:
        words = phrase.worder(value)
    return Wording(en=phrase.around[0].format(words[0]), fr=phrase.around[1].format(words[1]))


@cache
def measure(name: str) -> str:
    """What a feature is an aggregate of, the same for all aggregates of it; its own name if it is none.

    >>> measure("installments_late_share_365d")
    'installments_late'
    """
    return _origin(CATALOGUE[name])[0]


@cache
def _phrase(name: str) -> _Phrase:
    feature = CATALOGUE[name]
    stem, aggregate, window = _origin(feature)
    label, around, worder = _label(feature, stem, aggregate, window), ("{}", "{}"), _worder(feature, stem)
    if aggregate is not None and (window is None or window.name != _ONE_ROW or aggregate == "std"):
        around = (_AROUND_DATES if worder is days_away else _AROUND)[aggregate]
    missing = NO_DATE if worder is days_away and aggregate not in (None, "std") else UNKNOWN
    if aggregate == "std":
        worder = partial(variation, worder=days if worder is days_away else worder)
    before = f"{label[0]}: ", f"{label[1]}{NARROW}: "
    return _Phrase(
        around=(before[0] + around[0], before[1] + around[1]),
        worder=worder,
        missing=Wording(en=before[0] + missing[0], fr=before[1] + missing[1]),
        categories=frozenset(feature.categories),
        count=count_name(name),
        of=of_name(name),
    )


def _origin(feature: Feature) -> tuple[str, str | None, Window | None]:
    """What `summarise` made a feature of: the stem of its name, aggregate and window; or its whole name."""
    formula = feature.formula
    if isinstance(formula, Aggregate):
        name = feature.name if formula.window is None else feature.name.removesuffix(f"_{formula.window.name}")
        stem, _, aggregate = name.rpartition("_")
        if aggregate in AGGREGATES and feature.en.endswith(suffixes(aggregate, formula.window)[0]):
            return stem, aggregate, formula.window
    return feature.name, None, None


def _worder(feature: Feature, stem: str) -> _Worder:
    if stem in _OTHER_WORDERS:
        return _OTHER_WORDERS[stem]
    if "_slope" in feature.name:
        return trend
    if "scaled" in feature.en:
        return plain
    if feature.uses_age and feature.unit == "years":
        return age
    return _WORDERS[feature.unit]


def _label(feature: Feature, stem: str, aggregate: str | None, window: Window | None) -> Words:
    """What the value is of: the feature's meaning without its aggregate, which goes with the value, and the window."""
    en, fr = feature.en, feature.fr
    if aggregate is not None:
        ends = suffixes(aggregate, window)
        en, fr = en.removesuffix(ends[0]), fr.removesuffix(ends[1])
    en, fr = _LABELS.get(stem, (en, fr))
    if facts_of([feature.name]):
        en, fr = en.removeprefix("Share of "), fr.removeprefix("Part des ")
    elif feature.unit == "share":
        en = en.replace(" over ", " compared with ")
    en, fr = (
        en.replace(", scaled", ", on a scale from 0 to 1"),
        re.sub(", normalisée?", ", sur une échelle de 0 à 1", fr),
    )
    if window is not None:
        of_window = _WINDOWS.get(window.en, (window.en, window.fr))
        en, fr = f"{en}, {of_window[0]}", f"{fr}, {of_window[1]}"
    # One colon only: that before the value.
    en, fr = en.replace(":", ","), fr.replace(" :", ",")
    return en[0].upper() + en[1:], fr[0].upper() + fr[1:]
