"""Reasons of a decision: the concepts that weighed most, with code, direction and facts, in words for the client."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Literal

from pydantic import BaseModel, Field

from bento.features.catalogue import CATALOGUE, total_name
from bento.features.definitions import Group, Value
from bento.i18n import NARROW_SPACE, TextPair, Wording
from bento.policy import Decision
from bento.scoring.fact_text import base_measure, describe_fact, model_value

Direction = Literal["raises", "lowers"]
"""Whether a concept raises or lowers the risk of default."""


class Fact(BaseModel):
    """One item of the client's data that weighed."""

    feature: str = Field(description="its name in the feature catalogue")
    value: float | str | None = Field(description="the client's value; null where nothing is known")
    unit: str
    text: Wording = Field(description="the fact in words, such as: instalments over 15 days late: 3 of 12")


class Reason(BaseModel):
    """A concept that weighed on the decision, in words for the client."""

    code: str = Field(description="stable code of the concept", examples=["R11"])
    group: Group
    direction: Direction = Field(description="whether it raises or lowers the risk of default")
    contribution: float = Field(description="what it adds to the log-odds of default")
    text: Wording
    facts: list[Fact]


MAX_FACTS = 3
"""Facts in one reason."""
MIN_WEIGHT_SHARE = 0.1
"""Least weight of a fact, as a share of that of the heaviest fact of the reason."""

CODES: dict[Group, str] = {
    "external_scores": "R01",
    "credit_terms": "R02",
    "income_burden": "R03",
    "employment": "R04",
    "identity_contact": "R05",
    "housing": "R06",
    "documents": "R07",
    "bureau_debt": "R08",
    "bureau_history": "R09",
    "past_applications": "R10",
    "instalment_discipline": "R11",
    "card_use": "R12",
}
"""Reason codes. They never change, as letters and journals hold them; a new concept gets a new code."""


def main_reasons(
    names: Sequence[str],
    values: Mapping[str, Value],
    contributions: Sequence[float],
    decision: Decision,
    count: int = 4,
    typical: Collection[str] = (),
) -> list[Reason]:
    """Return the concepts that weighed most: first those in favour of the decision, then the others, largest first.

    What raises the risk is in favour of a refusal or a review, what lowers it in favour of a loan. Each reason states
    its direction, so that one of the others is not mistaken for a ground of the decision.

    `contributions`, to the log-odds of default, are in the order of `names`, the model's features. A concept that adds
    nothing is no reason. Where `values` hold those of `share_counts_of(names)`, shares are shown as counts.

    An unknown value is no ground: a concept without a known fact of some weight is no reason. It is shown only beside a
    known one, where it raises the risk and the model has learnt so: not where it was read as the typical value
    (`typical` names these features). The contribution of a concept includes those of all its features.
    """
    by_group: dict[Group, list[tuple[float, str]]] = {}
    for name, contribution in zip(names, contributions, strict=True):
        by_group.setdefault(CATALOGUE[name].group, []).append((contribution, name))
    totals = {group: sum(weight for weight, _ in by_group[group]) for group in CODES if group in by_group}
    raises_first = decision is not Decision.GRANTED
    ranked = sorted(
        (group for group, total in totals.items() if total),
        key=lambda group: ((totals[group] > 0) is not raises_first, -abs(totals[group])),
    )
    reasons = (_reason(group, totals[group], by_group[group], values, typical) for group in ranked)
    return list(islice((reason for reason in reasons if reason is not None), count))


def _reason(
    group: Group,
    total: float,
    weights: Iterable[tuple[float, str]],
    values: Mapping[str, Value],
    typical: Collection[str],
) -> Reason | None:
    """Return the reason that a concept is, or None where no known fact of it weighed."""
    sign = 1 if total > 0 else -1
    direction: Direction = "raises" if total > 0 else "lowers"
    same_direction = sorted(((sign * weight, name) for weight, name in weights if sign * weight > 0), reverse=True)
    facts = _facts(same_direction, values, typical if direction == "raises" else None)
    if all(fact.value is None for fact in facts):
        return None
    sentence = SENTENCES[group, direction]
    return Reason(
        code=CODES[group],
        group=group,
        direction=direction,
        contribution=total,
        text=Wording(
            en=f"{sentence[0]} {_join([fact.text.en for fact in facts], '; ')}.",
            fr=f"{sentence[1]} {_join([fact.text.fr for fact in facts], f'{NARROW_SPACE}; ')}.",
        ),
        facts=facts,
    )


def _facts(
    weights: Sequence[tuple[float, str]], values: Mapping[str, Value], typical: Collection[str] | None
) -> list[Fact]:
    """Return the facts that weighed most, largest first, each only once.

    Unknown values are left out: shares of no row, those of the features in `typical`, or all of them where it is None.
    Others leave room for a known one.

    Two features state the same fact if they are aggregates of one measure, or if they have the same value and it is
    no whole number: the highest of the scores is one of the scores. Weights are in the reason's direction.
    """
    facts: list[Fact] = []
    covered: set[Value] = set()
    for weight, name in weights:
        if len(facts) == MAX_FACTS or weight < MIN_WEIGHT_SHARE * weights[0][0]:
            break
        value, measure = model_value(name, values), base_measure(name)
        keys: set[Value] = {measure}
        if value is None:
            if typical is None or name in typical or values.get(total_name(name)) == 0:
                continue
            if [fact.value for fact in facts] == [None] * (MAX_FACTS - 1):
                continue
            keys.add(f"unknown {measure}")
        elif isinstance(value, float) and not value.is_integer():
            keys.add(value)
        if covered.isdisjoint(keys):
            facts.append(Fact(feature=name, value=value, unit=CATALOGUE[name].unit, text=describe_fact(name, values)))
            covered |= keys if value is not None else keys - {measure}
    return facts


def _join(texts: Sequence[str], separator: str) -> str:
    first, *others = texts
    return separator.join([first, *(text[0].lower() + text[1:] for text in others)])


_SUBJECTS: dict[Group, TextPair] = {
    "external_scores": (
        "Your scores with outside agencies, as far as we know them,",
        "Vos scores auprès d'organismes externes, tels que nous les connaissons,",
    ),
    "credit_terms": ("The terms of the loan that you ask for", "Les conditions du prêt que vous demandez"),
    "income_burden": ("Your income and your commitments", "Vos revenus et vos charges"),
    "employment": ("Your employment and your education", "Votre emploi et votre formation"),
    "identity_contact": ("Your personal and contact details", "Vos informations personnelles et vos coordonnées"),
    "housing": ("Your housing and the region where you live", "Votre logement et la région où vous vivez"),
    "documents": (
        "The documents and details of your application",
        "Les documents et les renseignements de votre demande",
    ),
    "bureau_debt": ("What you owe other lenders", "Ce que vous devez à d'autres prêteurs"),
    "bureau_history": ("Your credit history at other lenders", "Votre historique de crédit auprès d'autres prêteurs"),
    "past_applications": (
        "Your earlier applications and loans with us",
        "Vos demandes et vos prêts antérieurs chez nous",
    ),
    "instalment_discipline": (
        "The way you have paid your instalments, as far as we know it,",
        "La façon dont vous avez payé vos échéances, d'après ce que nous savons,",
    ),
    "card_use": (
        "The way you use credit cards, as far as we know it,",
        "Votre usage des cartes de crédit, d'après ce que nous savons,",
    ),
}
"""The subject of each sentence in both languages."""
_SINGULAR = {"bureau_debt", "bureau_history", "instalment_discipline", "card_use"}
_VERBS: dict[tuple[Direction, bool], TextPair] = {
    ("raises", False): ("raises", "augmente"),
    ("raises", True): ("raise", "augmentent"),
    ("lowers", False): ("lowers", "réduit"),
    ("lowers", True): ("lower", "réduisent"),
}
SENTENCES: dict[tuple[Group, Direction], TextPair] = {
    (group, direction): (
        f"{subject[0]} {verb[0]} your estimated risk of default.",
        f"{subject[1]} {verb[1]} votre risque d'impayé estimé.",
    )
    for group, subject in _SUBJECTS.items()
    for (direction, is_plural), verb in _VERBS.items()
    if is_plural is (group not in _SINGULAR)
}
"""The first sentence of a reason; its facts follow."""
