"""What may be quoted to a client: for each thing its words, its features, and the direction that makes sense."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from bento.i18n import Formatter, TextPair

Higher = Literal["raises", "lowers", "either"]
"""What a higher value does to the risk in the eyes of a client; `either`: it depends on the others, so tell both."""


@dataclass(frozen=True)
class Quotable:
    """How a feature, or the measure that several features aggregate, is quoted.

    Attributes:
        name: of the feature, or of the measure that several aggregate; a feature goes before its measure.
        higher: the direction that makes sense; a fact is not quoted in the other one.
        en, fr: the words before the value.
        thing: what it is a figure of; one figure of a thing is quoted. By default the name.
        aggregates: of a measure, those that are quoted, separated by blanks.
        labels: by aggregate, words that differ from `en` and `fr`.
        formatter: of the value; by default that of the unit.
        usual_formatter: of what is usual among similar clients; by default `formatter`.
        beyond: value that must be passed for the fact to raise the risk, however usual it is.
        best: the best value there is: it lowers the risk even where it is as usual.
        raising, lowering: categories that may be quoted to raise, or to lower; where both are empty, all of both.
    """

    name: str
    higher: Higher
    en: str
    fr: str
    _: KW_ONLY
    thing: str = ""
    aggregates: str = ""
    labels: dict[str, TextPair] = field(default_factory=dict)
    formatter: Formatter | None = None
    usual_formatter: Formatter | None = None
    beyond: float | None = None
    best: float | None = None
    raising: frozenset[str] = frozenset()
    lowering: frozenset[str] = frozenset()

    @property
    def declared(self) -> frozenset[str]:
        """The categories that are declared for a direction; none where all may be quoted in both."""
        return self.raising | self.lowering

    def has_words(self, category: str) -> bool:
        """Whether a category may be named."""
        return category in self.declared or not self.declared


def adverse(name: str, en: str, fr: str, *, thing: str = "", aggregates: str = "") -> Quotable:
    """Declare something bad, of which there should be none: it raises from above 0, and none of it lowers."""
    return Quotable(name, "raises", en, fr, thing=thing, aggregates=aggregates, beyond=0.0, best=0.0)
