"""Features by what a client may be shown of them: families that may be left out, and the direction of each feature."""

import re
from collections.abc import Collection
from typing import Literal, get_args

from bento.features.catalogue import CATALOGUE
from bento.scoring.wording import facts

Directions = Literal["certain", "declared", "quoted"]
"""Which features are held monotone, each set within the next: those whose direction is certain (`Feature.monotone`),
those with a declared direction (`Feature.risk`) that may be quoted, and all that are quoted in one direction only."""
DIRECTION_SETS: tuple[Directions, ...] = get_args(Directions)

_PATTERNS = {
    "documents": r"application_documents|application_document_\d+",
    "hour and contact flags": r"application_hour|application_(employer|home|other)_phone|application_email",
    "organisation": "application_organization",
    "building": "application_building_(?!unsafe).*",
    "acquaintances": "application_acquaintances_.*",
    "spreads and trends": r".*_std(_.*)?|.*_slope(_.*)?|.*_ratio_[0-9]+d_[0-9]+d",
}
OTHER = "other figures without words"
"""The family of the features that cannot be quoted and are in no other family."""

# Decided by research/results/quotable.json; measure again with: python -m research quotable
DIRECTIONS: Directions = "quoted"
LEFT_OUT = (
    "documents",
    "hour and contact flags",
    "organisation",
    "building",
    "acquaintances",
    "spreads and trends",
    OTHER,
)
"""Families whose features no model is given."""


def families() -> dict[str, frozenset[str]]:
    """Return the features of each family: together all that cannot be quoted, and the organisation.

    The organisation can be quoted for some employers only: the others are codes.

    >>> sorted(families()["hour and contact flags"])[:2]
    ['application_email', 'application_employer_phone']
    """
    named = {
        family: frozenset(name for name in CATALOGUE if re.fullmatch(pattern, name))
        for family, pattern in _PATTERNS.items()
    }
    unquoted = {name for name in CATALOGUE if not facts.quoted_as(name)}
    return named | {OTHER: frozenset(unquoted.difference(*named.values()))}


def features_of_families(names: Collection[str]) -> frozenset[str]:
    """Return the features of some families.

    Raises:
        KeyError: there is no family of a name.
    """
    by_family = families()
    return frozenset[str]().union(*(by_family[name] for name in names))


def direction(name: str, directions: Directions) -> int:
    """Return the direction in which the risk is held monotone in a feature: 1 up, -1 down, 0 free.

    >>> [direction("installments_days_early_mean", chosen) for chosen in ("certain", "declared", "quoted")]
    [0, 0, -1]
    >>> direction("application_employed_years", "declared"), direction("application_hour", "quoted")
    (-1, 0)
    """
    feature = CATALOGUE.get(name)
    if feature is None:
        return 0
    if feature.monotone:
        return feature.risk
    if directions == "certain" or not facts.quoted_as(name):
        return 0
    if feature.risk or directions == "declared":
        return feature.risk
    quoted = facts.quoted_features().get(name)
    return {"raises": 1, "lowers": -1}.get(quoted.quotable.higher, 0) if quoted else 0
