"""Reasons of a decision: what weighed most, with code, direction and facts that may be quoted, in words."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import BaseModel, Field

from bento.features.catalogue import CATALOGUE, share_counts_of
from bento.features.definitions import Group, Value
from bento.i18n import NARROW_SPACE, TextPair, Wording
from bento.policy import Decision
from bento.scoring.wording import facts
from bento.scoring.wording.concepts import CODES, SENTENCES, SENTENCES_WITHOUT_FACT
from bento.scoring.wording.facts import Direction
from bento.scoring.wording.unknowns import COUNTS_OF_ROWS, Unknown, not_applicable, unknown_of


class Fact(BaseModel):
    """One item of the client's data that weighed."""

    feature: str = Field(description="its name in the feature catalogue")
    value: float | str | None = Field(description="the client's value; null where there can be none")
    usual: float | str | None = Field(
        default=None, description="median among similar clients, the most frequent for a category; null where unknown"
    )
    unit: str
    text: Wording = Field(description="the fact in words, such as: instalments over 15 days late: 3 of 12")


class Reason(BaseModel):
    """A concept that weighed on the decision, or something unknown that did, in words for the client."""

    code: str = Field(description="stable code: R of a concept, U of something unknown", examples=["R11", "U01"])
    group: Group
    direction: Direction = Field(description="whether it raises or lowers the risk of default")
    contribution: float = Field(description="what it adds to the log-odds of default")
    text: Wording
    facts: list[Fact] = Field(description="empty where nothing that weighed can be quoted, and for something unknown")


MAX_FACTS = 3
"""Facts in one reason."""
MIN_FACT_SHARE = 0.1
"""Least weight of a fact, as a share of that of the heaviest thing of the reason."""
MIN_REASON_SHARE = 0.05
"""Least weight of a reason, as a share of the weights of all that could be one: lighter ones explain nothing."""


@dataclass
class _Weights:
    """What the features of a concept, or those of something unknown, add to the log-odds; not in words yet."""

    of: Group | Unknown
    total: float = 0.0
    features: dict[str, float] = field(default_factory=dict)
    items: dict[TextPair, None] = field(default_factory=dict)

    @property
    def direction(self) -> Direction:
        return "raises" if self.total > 0 else "lowers"

    def in_words(self, client: "Client") -> Reason:
        return _unknown(self.of, self) if isinstance(self.of, Unknown) else _concept(self.of, self, client)

    def add(self, name: str, weight: float, items: Iterable[TextPair] = ()) -> None:
        self.total += weight
        self.features[name] = weight
        self.items |= dict.fromkeys(items)


@dataclass(frozen=True)
class Client:
    """What reasons read of a client.

    Attributes:
        values: of the model's features as it reads them (null where it does not know a category), of their
            `share_counts_of`, and of `features_to_quote`.
        application: in raw columns, cleaned or not.
        usual: by feature, the median among similar clients.
    """

    values: Mapping[str, Value]
    application: Mapping[str, Any] = field(default_factory=dict)
    usual: Mapping[str, Value] = field(default_factory=dict)


def features_to_quote(names: Iterable[str]) -> tuple[str, ...]:
    """Return the features beyond a model's own, and their share counts, that the words of its reasons need.

    These are the counts of rows of the histories, and the features that are quoted instead of arithmetic.
    """
    return _features_to_quote(tuple(names))


@cache
def _features_to_quote(names: tuple[str, ...]) -> tuple[str, ...]:
    own = set(names)
    quoted = {other for name in own for other in facts.quoted_as(name)} - own
    needed = {*COUNTS_OF_ROWS.values(), *quoted} - own
    return tuple(name for name in CATALOGUE if name in needed) + tuple(share_counts_of(sorted(quoted)))


def main_reasons(
    names: Sequence[str],
    client: Client,
    contributions: Sequence[float],
    decision: Decision,
    count: int = 4,
    typical: Collection[str] = (),
    *,
    with_ground: bool = True,
) -> list[Reason]:
    """Return what weighed most: first what is in favour of the decision, then the others, largest first.

    What raises the risk is in favour of a refusal or a review, what lowers it in favour of a loan. Each reason states
    its direction, so that one of the others is not mistaken for a ground of the decision.

    `contributions`, to the log-odds of default, are in the order of `names`, the model's features. They add up by
    concept, but for those of unknown values: where the model has learnt what unknown means and it raises the risk, that
    is a separate reason, which names what is missing; an unknown value that was read as the typical one (`typical`
    names these features) is no reason at all.

    A reason weighs at least `MIN_REASON_SHARE` of all; a refusal or a review by the model keeps one that raises,
    however light; one by a rule alone has its ground in the rule (`with_ground` is false). A concept of which nothing
    can be quoted is named without a fact.
    """
    concepts, unknowns = _weights(zip(names, contributions, strict=True), client, typical)
    weights = [weights for weights in concepts.values() if weights.total]
    weights += [weights for weights in unknowns.values() if weights.total > 0]
    least = MIN_REASON_SHARE * sum(abs(item.total) for item in weights)
    raises_first = decision is not Decision.GRANTED
    weights.sort(key=lambda item: ((item.direction == "raises") is not raises_first, -abs(item.total)))
    heavy = [item for item in weights if abs(item.total) >= least]
    if with_ground and raises_first and all(item.direction == "lowers" for item in heavy):
        grounds = _light_ground(weights, concepts.values())
        heavy = grounds + [item for item in heavy if item.of not in {ground.of for ground in grounds}]
    return [item.in_words(client) for item in heavy[:count]]


def is_without_fact(reason: Reason) -> bool:
    """Return whether a reason names a concept of which nothing can be quoted."""
    return reason.code in CODES.values() and not reason.facts


def _weights(
    contributions: Iterable[tuple[str, float]], client: Client, typical: Collection[str]
) -> tuple[dict[Group, _Weights], dict[Unknown, _Weights]]:
    """Add up contributions by concept, and those of unknown values by the data that is unknown."""
    concepts: dict[Group, _Weights] = {}
    unknowns: dict[Unknown, _Weights] = {}
    for name, weight in contributions:
        if client.values[name] is None and name in typical:
            continue
        if (unknown_data := unknown_of(name, client.values, client.application)) is not None:
            unknown, items = unknown_data
            unknowns.setdefault(unknown, _Weights(unknown)).add(name, weight, items)
        else:
            group = CATALOGUE[name].group
            concepts.setdefault(group, _Weights(group)).add(name, weight)
    return {group: concepts[group] for group in CODES if group in concepts}, unknowns


def _light_ground(weights: Iterable[_Weights], concepts: Iterable[_Weights]) -> list[_Weights]:
    """Return the heaviest weights that raise the risk, or else what raises it within a concept, if anything does."""
    if raising := [item for item in weights if item.direction == "raises"]:
        return raising[:1]
    parts: list[_Weights] = []
    for concept in concepts:
        part = {name: weight for name, weight in concept.features.items() if weight > 0}
        if part:
            parts.append(_Weights(concept.of, sum(part.values()), part))
    return sorted(parts, key=lambda part: -part.total)[:1]


def _unknown(unknown: Unknown, weights: _Weights) -> Reason:
    return Reason(
        code=unknown.code,
        group=unknown.group,
        direction="raises",
        contribution=weights.total,
        text=unknown.text(list(weights.items)),
        facts=[],
    )


def _concept(group: Group, weights: _Weights, client: Client) -> Reason:
    direction = weights.direction
    quoted = _facts(weights.features, direction, client)
    en, fr = (SENTENCES if quoted else SENTENCES_WITHOUT_FACT)[group, direction]
    if quoted:
        en += f" {_join([fact.text.en for fact in quoted], '; ')}."
        fr += f" {_join([fact.text.fr for fact in quoted], f'{NARROW_SPACE}; ')}."
    return Reason(
        code=CODES[group],
        group=group,
        direction=direction,
        contribution=weights.total,
        text=Wording(en=en, fr=fr),
        facts=quoted,
    )


def _join(texts: Sequence[str], separator: str) -> str:
    first, *others = texts
    return separator.join([first, *(text[0].lower() + text[1:] for text in others)])


def _facts(weights: Mapping[str, float], direction: Direction, client: Client) -> list[Fact]:
    """Return the facts of the things that weighed most, largest first, one of each thing.

    A thing weighs what all its features add together; of those that make sense in this direction, its fact is the one
    that weighs most itself. A thing that has none is left out.
    """
    sign = 1 if direction == "raises" else -1
    things: dict[str, dict[str, float]] = {}
    totals: dict[str, float] = {}
    carriers: dict[tuple[str, ...], str | None] = {}
    for name, weight in weights.items():
        if (quoted_as := facts.quoted_as(name)) not in carriers:
            carriers[quoted_as] = _carrier(quoted_as, direction, client)
        if (quoted := carriers[quoted_as]) is None:
            continue
        thing = facts.quoted_features()[quoted].thing
        totals[thing] = totals.get(thing, 0.0) + sign * weight
        figures = things.setdefault(thing, {})
        figures[quoted] = figures.get(quoted, 0.0) + sign * weight
    heaviest = max(totals.values(), default=0.0)
    quoted_facts: list[Fact] = []
    for thing in sorted(totals, key=lambda thing: -totals[thing]):
        if len(quoted_facts) == MAX_FACTS or totals[thing] <= 0 or totals[thing] < MIN_FACT_SHARE * heaviest:
            break
        for name in sorted(things[thing], key=lambda name: -things[thing][name]):
            if things[thing][name] > 0 and (fact := _fact(name, direction, client)) is not None:
                if fact.value is not None or all(other.value is not None for other in quoted_facts):
                    quoted_facts.append(fact)
                break
    return quoted_facts


def _carrier(quoted_as: Sequence[str], direction: Direction, client: Client) -> str | None:
    """Return the quoted feature that stands for the weight of a feature; None where only its concept is named."""
    candidates = [quoted for quoted in quoted_as if quoted in client.values]
    if len(candidates) < 2:
        return candidates[0] if candidates else None

    def rank(quoted: str) -> tuple[bool, bool, float]:
        usual = client.usual.get(quoted)
        is_sensible = facts.is_sensible(quoted, client.values, usual, direction)
        return is_sensible, client.values[quoted] is not None, facts.deviation(quoted, client.values, usual)

    return max(candidates, key=rank)


def _fact(name: str, direction: Direction, client: Client) -> Fact | None:
    """Return a fact, or None where it makes no sense in this direction."""
    usual, unit = client.usual.get(name), CATALOGUE[name].unit
    if facts.is_sensible(name, client.values, usual, direction):
        text = facts.describe_fact(name, client.values, usual)
        return Fact(feature=name, value=facts.model_value(name, client.values), usual=usual, unit=unit, text=text)
    if client.values[name] is None:
        for column in sorted(CATALOGUE[name].roots):
            if (words := not_applicable(column, client.application, direction)) is not None:
                return Fact(feature=name, value=None, unit=unit, text=Wording(en=words[0], fr=words[1]))
    return None
