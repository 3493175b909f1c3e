"""Which circumstance of the client each feature tells, and which features a strict reading of the law leaves out."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from bento.features.catalogue import CATALOGUE
from bento.features.definitions import Feature, Group

Reading = Literal["usual", "strict"]
"""How the law is read: `strict` leaves out every feature whose relevance, necessity or proportion may be doubted, but
the scores of outside agencies, without which there is no model: their suppliers owe the proof."""
READINGS: tuple[Reading, ...] = get_args(Reading)


@dataclass(frozen=True)
class Circumstance:
    """What a feature tells of the client, and why its relevance, necessity or proportion may be doubted."""

    name: str
    doubt: str = ""


OUTSIDE_SCORES = "scores of outside agencies"
HISTORY = Circumstance("credit history and commitments")
GROUPS: dict[Group, Circumstance] = {
    "bureau_debt": Circumstance("expenses: commitments at other lenders"),
    "bureau_history": HISTORY,
    "past_applications": HISTORY,
    "instalment_discipline": HISTORY,
    "card_use": HISTORY,
}
"""Features that are computed from histories: credits, applications, instalments, cards."""
_RULES: tuple[tuple[str, Circumstance], ...] = (
    (
        r"ext_source.*|(credit|annuity)_to_ext_source_3",
        Circumstance(OUTSIDE_SCORES, "their content is unknown: only a score from lawful sources may be used"),
    ),
    (r"phone_change_.*", Circumstance("identity and contact", "a change of telephone is no economic circumstance")),
    (
        r"(id_change|registration)_.*|id_changed_at_.*",
        Circumstance("identity and contact", "a renewed document or registration is no economic circumstance"),
    ),
    (
        r"(employer|home|other)_phone|email",
        Circumstance("identity and contact", "a number or address that was given is no economic circumstance"),
    ),
    (r"acquaintances_.*", Circumstance("social circle", "the debts of others; social networks are no lawful source")),
    (r"hour", Circumstance("conduct while applying", "the hour of the application is no economic circumstance")),
    (
        r"documents?(_.*)?",
        Circumstance("documents given", "which papers were given describes the process, not the client"),
    ),
    (
        r"organization",
        Circumstance("employment", "the kind of employer stands for persons, and may stand for origin or sex"),
    ),
    (r"education", Circumstance("education", "no financial circumstance, though income follows it")),
    (r"family_status", Circumstance("family", "a protected status in several member states")),
    (r"(live|work)_.*|region_.*", Circumstance("place of living", "a place may stand for origin")),
    (r"age_.*|.*_to_age|hired_at_years", Circumstance("age", "a protected attribute; left out by default")),
    (
        r"building_.*",
        Circumstance("housing", "averages of the building, not of the client; necessity is open"),
    ),
    (r"(annuity_to|credit_to)?_?income.*", Circumstance("income")),
    (r"family_members|children", Circumstance("expenses: dependants")),
    (r"occupation|employed_.*", Circumstance("economic circumstances: employment")),
    (r"housing|owns_.*|car_age", Circumstance("economic circumstances: housing and property")),
    (r"enquiries.*", HISTORY),
    (r"credit.*|annuity.*|goods_.*|contract_type|due_in_.*", Circumstance("the loan that is asked for")),
)
"""Patterns of the features of the application, the first that fits counts."""


def circumstance(feature: Feature) -> Circumstance:
    """Return what a feature tells of the client.

    Raises:
        KeyError: a feature of the application that no pattern names.
    """
    name = feature.name.removeprefix("application_")
    if name != feature.name:
        for pattern, result in _RULES:
            if re.fullmatch(pattern, name):
                return result
        raise KeyError(f"{feature.name}: state in research/training/lawful.py which circumstance it tells")
    if feature.group in GROUPS:
        return GROUPS[feature.group]
    return HISTORY if feature.group == "documents" else Circumstance("the loan that is asked for, beside earlier ones")


def doubtful_by_circumstance() -> dict[str, frozenset[str]]:
    """Return the features that a strict reading leaves out, by the circumstance that they tell.

    >>> sorted(doubtful_by_circumstance()["conduct while applying"])
    ['application_hour']
    """
    by_name: dict[str, set[str]] = {}
    for name, feature in CATALOGUE.items():
        result = circumstance(feature)
        if result.doubt and result.name != OUTSIDE_SCORES:
            by_name.setdefault(result.name, set()).add(name)
    return {name: frozenset(features) for name, features in by_name.items()}


def doubtful_features() -> frozenset[str]:
    """Return the features that a strict reading leaves out.

    >>> sorted(name for name in doubtful_features() if "phone" in name)[-1]
    'application_phone_change_years'
    """
    return frozenset[str]().union(*doubtful_by_circumstance().values())
