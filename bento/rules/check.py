"""Apply rules to applications: what they say of each one, and the decision that they leave."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, Field

from bento.i18n import NARROW_SPACE, TextPair, Wording, format_count, format_x_of_y
from bento.model.peer_groups import Range
from bento.policy import Decision
from bento.rules.fields import FIELDS
from bento.rules.measures import MEASURES, Booleans, Inputs
from bento.rules.rulebook import Rule, Rulebook, RuleOutcome

STRICTNESS = (Decision.GRANTED, Decision.REVIEW, Decision.REFUSED)
"""Decisions, the strictest last."""
_UNKNOWN: TextPair = ("not known", "donnée inconnue")
_NO_LIMIT = (-np.inf, np.inf)


class RuleFact(BaseModel):
    """One figure that a rule applies to."""

    measure: str = Field(description="its name among the measures of the rules; `fields` for a number of known fields")
    value: float | None = Field(description="of the application; null where it is not known")
    unit: str
    text: Wording = Field(description="the figure and its limit in words")


class RuleHit(BaseModel):
    """A rule that applies to an application, in words for the client."""

    code: str = Field(description="stable code of the rule", examples=["affordability"])
    outcome: Literal["review", "refused"] = Field(description="what the rule makes of the decision, at least")
    text: Wording
    facts: list[RuleFact]


@dataclass(frozen=True)
class RuleFault:
    """A rule by which an application is impossible: the field to look at, and the words."""

    code: str
    field: str
    text: Wording


class Rules:
    """A rulebook with the usual ranges of one model's training clients."""

    def __init__(self, rulebook: Rulebook, usual: Mapping[str, Range]) -> None:
        self.rulebook = rulebook
        self._usual = usual
        limits = {rule.code: [self.limits(rule, name) for name in rule.measures] for rule in rulebook.rules}
        self._limits = {code: np.array(pairs).reshape(-1, 2).T[..., np.newaxis] for code, pairs in limits.items()}

    @classmethod
    def none(cls) -> Self:
        """Return rules that never apply: those of decisions made before there were rules."""
        return cls(Rulebook.none(), {})

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The features of the histories that the rules read."""
        read = frozenset[str]().union(*(rule.features for rule in self.rulebook.active("review", "refused")))
        return tuple(sorted(read))

    def faults(self, application: Mapping[str, Any]) -> list[RuleFault]:
        """Return the rules by which one application, in raw columns, is impossible; histories do not matter."""
        inputs = Inputs.of_rows([application])
        return [
            RuleFault(rule.code, MEASURES[name].fields[0], self._text(rule, inputs, 0, [name]))
            for rule in self.rulebook.active("impossible")
            for name in self._measures_that_apply(rule, inputs, 0)
        ]

    def hits(self, inputs: Inputs) -> list[list[RuleHit]]:
        """Return for each application the rules that apply to it, in the order of the rulebook."""
        hits: list[list[RuleHit]] = [[] for _ in range(inputs.clients)]
        for rule in self.rulebook.active("review", "refused"):
            for position in np.flatnonzero(self.applies(rule, inputs)):
                hits[position].append(self._hit(rule, inputs, int(position)))
        return hits

    def applies(self, rule: Rule, inputs: Inputs) -> Booleans:
        """Whether a rule applies to each application."""
        if rule.fields:
            counts = np.sum([inputs.is_known(field) for field in rule.fields], axis=0)
            return np.asarray(counts < (rule.minimum or 0))
        return np.asarray(self._outside(rule, inputs).any(axis=0))

    def decisions(self, inputs: Inputs, decisions: Sequence[Decision]) -> list[Decision]:
        """Return for each application the decision that the rules leave of the model's."""
        ranks = np.array([STRICTNESS.index(decision) for decision in decisions])
        for rule in self.rulebook.active("review", "refused"):
            least = STRICTNESS.index(Decision(rule.outcome))
            ranks = np.where(self.applies(rule, inputs), np.maximum(ranks, least), ranks)
        return [STRICTNESS[rank] for rank in ranks]

    def inputs(self, applications: Sequence[Mapping[str, Any]], features: Any) -> Inputs:
        """Return what the rules read of applications in raw columns and of `features` of the same clients."""
        return Inputs.of_rows(applications, features, self.rulebook.income_months)

    def limits(self, rule: Rule, measure: str) -> tuple[float, float]:
        """Return the smallest and the largest value at which a rule does not apply; infinite for no limit."""
        if not rule.usual:
            return (
                -np.inf if rule.minimum is None else rule.minimum,
                np.inf if rule.maximum is None else rule.maximum,
            )
        if measure not in self._usual:
            return _NO_LIMIT
        usual, factor = self._usual[measure], 1 + self.rulebook.usual_margin
        low = usual.low / factor if usual.low > 0 else usual.low * factor
        return low, usual.high * factor if usual.high > 0 else usual.high / factor

    def _outside(self, rule: Rule, inputs: Inputs) -> Booleans:
        """Whether each measure (measures x applications) breaks its limits, or is unknown where that counts."""
        values = np.array([inputs.value(name) for name in rule.measures])
        low, high = self._limits[rule.code]
        outside = (values < low) | (values > high)
        return np.asarray(outside | np.isnan(values) if rule.unknown else outside)

    def _measures_that_apply(self, rule: Rule, inputs: Inputs, position: int) -> list[str]:
        outside = self._outside(rule, inputs)[:, position].tolist()
        return [name for name, applies in zip(rule.measures, outside, strict=True) if applies]

    def _hit(self, rule: Rule, inputs: Inputs, position: int) -> RuleHit:
        if rule.fields:
            missing = [field for field in rule.fields if not inputs.is_known(field)[position]]
            facts = [_fact_of_fields(rule, missing)]
        else:
            names = self._measures_that_apply(rule, inputs, position)
            facts = list(self._facts(rule, inputs, position, names))
        return RuleHit(code=rule.code, outcome=rule.outcome, text=_sentence(rule, facts), facts=facts)  # type: ignore[arg-type]

    def _text(self, rule: Rule, inputs: Inputs, position: int, names: Sequence[str]) -> Wording:
        return _sentence(rule, list(self._facts(rule, inputs, position, names)))

    def _facts(self, rule: Rule, inputs: Inputs, position: int, names: Sequence[str]) -> Iterator[RuleFact]:
        for name in names:
            limits = self.limits(rule, name)
            yield _fact(name, inputs, position, _limit_text(rule, name, limits), limits)
            for part in MEASURES[name].parts:
                yield _fact(part, inputs, position)


def strictest(decision: Decision, *outcomes: RuleOutcome) -> Decision:
    """Return the strictest of a decision and the outcomes of rules.

    >>> strictest(Decision.GRANTED, "review").value, strictest(Decision.REFUSED, "review").value
    ('review', 'refused')
    """
    return max(decision, *map(Decision, outcomes), key=STRICTNESS.index) if outcomes else decision


def _sentence(rule: Rule, facts: Sequence[RuleFact]) -> Wording:
    en, fr = ([getattr(fact.text, language) for fact in facts] for language in ("en", "fr"))
    return Wording(
        en=f"{rule.text.en} {'; '.join(en)}.",
        fr=f"{rule.text.fr} {f'{NARROW_SPACE}; '.join(fr)}.",
    )


def _fact(
    name: str, inputs: Inputs, position: int, limit: TextPair = ("", ""), limits: tuple[float, float] = _NO_LIMIT
) -> RuleFact:
    measure, value = MEASURES[name], float(inputs.value(name)[position])
    written = _UNKNOWN if np.isnan(value) else _beside_limits(measure.formatter, value, limits)
    return RuleFact(
        measure=name,
        value=None if np.isnan(value) else value,
        unit=measure.unit,
        text=Wording(
            en=f"{measure.en}: {written[0]}{limit[0]}", fr=f"{measure.fr}{NARROW_SPACE}: {written[1]}{limit[1]}"
        ),
    )


def _beside_limits(formatter: Callable[[float], TextPair], value: float, limits: tuple[float, float]) -> TextPair:
    """Write a value; where rounding makes it the limit that it breaks, say on which side of it the value is."""
    written, (low, high) = formatter(value), limits
    if value > high and written == formatter(high):
        return f"just over {written[0]}", f"un peu plus de {written[1]}"
    if value < low and written == formatter(low):
        return f"just under {written[0]}", f"un peu moins de {written[1]}"
    return written


def _fact_of_fields(rule: Rule, missing: Sequence[str]) -> RuleFact:
    count, needed = len(rule.fields) - len(missing), format_count(rule.minimum or 0)
    of_all = format_x_of_y(count, len(rule.fields))
    names = [", ".join(FIELDS[field][language] for field in missing) for language in (0, 1)]
    return RuleFact(
        measure="fields",
        value=count,
        unit="count",
        text=Wording(
            en=f"Known: {of_all[0]} (at least {needed[0]}); not given: {names[0]}",
            fr=f"Connus{NARROW_SPACE}: {of_all[1]} (au moins {needed[1]}){NARROW_SPACE}; manquent{NARROW_SPACE}: "
            f"{names[1]}",
        ),
    )


def _limit_text(rule: Rule, name: str, limits: tuple[float, float]) -> TextPair:
    (low, high), formatter = limits, MEASURES[name].formatter
    if rule.usual:
        (low_en, low_fr), (high_en, high_fr) = formatter(low), formatter(high)
        return f" (usual: {low_en} to {high_en})", f" (habituellement de {low_fr} à {high_fr})"
    if np.isfinite(low) and np.isfinite(high):
        (low_en, low_fr), (high_en, high_fr) = formatter(low), formatter(high)
        return f" (from {low_en} to {high_en})", f" (de {low_fr} à {high_fr})"
    if np.isfinite(low):
        return f" (at least {formatter(low)[0]})", f" (au moins {formatter(low)[1]})"
    return (f" (at most {formatter(high)[0]})", f" (au plus {formatter(high)[1]})") if np.isfinite(high) else ("", "")
