"""Facts in words: the value of a feature as a client reads it, in English and French."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial

from bento.features.catalogue import CATALOGUE, share_counts_of
from bento.features.definitions import AGGREGATES, Aggregate, Feature, Window, suffixes
from bento.features.share_counts import count_name, of_name
from bento.i18n import (
    NARROW,
    NO,
    YES,
    Formatter,
    Wording,
    Words,
    age,
    amount,
    count,
    days,
    days_away,
    flag,
    hour,
    months,
    of,
    plain,
    share,
    trend,
    variation,
    years,
)
from bento.scoring.labels import FORMATTERS, LABELS, WINDOW_LABELS

Value = float | str | None

UNKNOWN: Words = ("not known", "donnée inconnue")
NO_DATE: Words = ("none known", "aucune connue")
NOT_STATED: Words = ("not stated", "non précisé")
_OF_CATEGORIES = {"Y": YES, "Yes": YES, "N": NO, "No": NO, "XNA": NOT_STATED, "Unknown": UNKNOWN}
"""Categories that are no words for a client; all others are quoted as the data has them."""


def category(value: str) -> Words:
    """A category in the data's own word."""
    return _OF_CATEGORIES.get(value) or (f"“{value}”", f"«{NARROW}{value}{NARROW}»")


_FORMATTERS_BY_UNIT: dict[str, Formatter] = {
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


_ONE_ROW = "latest_1"
"""A window of a single row, of which no mean, highest or total need be spoken."""


@dataclass(frozen=True)
class _Phrase:
    """How one feature is worded, settled once: the sentence around its value, and what makes words of the value."""

    around: Words
    worder: Formatter
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
        values: of the client; where they hold the counts behind a share (`share_counts_of`), the share is shown as
            "3 of 12", else in percent.

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


def _worder(feature: Feature, stem: str) -> Formatter:
    if stem in FORMATTERS:
        return FORMATTERS[stem]
    if "_slope" in feature.name:
        return trend
    if "scaled" in feature.en:
        return plain
    if feature.uses_age and feature.unit == "years":
        return age
    return _FORMATTERS_BY_UNIT[feature.unit]


def _label(feature: Feature, stem: str, aggregate: str | None, window: Window | None) -> Words:
    """What the value is of: the feature's meaning without its aggregate, which goes with the value, and the window."""
    en, fr = feature.en, feature.fr
    if aggregate is not None:
        ends = suffixes(aggregate, window)
        en, fr = en.removesuffix(ends[0]), fr.removesuffix(ends[1])
    en, fr = LABELS.get(stem, (en, fr))
    if share_counts_of([feature.name]):
        en, fr = en.removeprefix("Share of "), fr.removeprefix("Part des ")
    elif feature.unit == "share":
        en = en.replace(" over ", " compared with ")
    en, fr = (
        en.replace(", scaled", ", on a scale from 0 to 1"),
        re.sub(", normalisée?", ", sur une échelle de 0 à 1", fr),
    )
    if window is not None:
        of_window = WINDOW_LABELS.get(window.en, (window.en, window.fr))
        en, fr = f"{en}, {of_window[0]}", f"{fr}, {of_window[1]}"
    # One colon only: that before the value.
    en, fr = en.replace(":", ","), fr.replace(" :", ",")
    return en[0].upper() + en[1:], fr[0].upper() + fr[1:]
