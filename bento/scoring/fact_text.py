"""Facts in words: the value of a feature as a client reads it, in English and French."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial

from bento import i18n
from bento.features.catalogue import CATALOGUE, count_name, share_counts_of, total_name
from bento.features.definitions import AGGREGATES, Aggregate, Feature, Value, Window, suffixes
from bento.i18n import NARROW_SPACE, NO, YES, Formatter, TextPair, Wording
from bento.scoring.labels import FORMATTERS, LABELS, WINDOW_LABELS

UNKNOWN: TextPair = ("not known", "donnée inconnue")
NO_DATE: TextPair = ("none known", "aucune connue")
NO_END: TextPair = ("no end date known (a card has none)", "aucune date de fin connue (une carte n'en a pas)")
NOT_STATED: TextPair = ("not stated", "non précisé")


def describe_fact(name: str, values: Mapping[str, Value]) -> Wording:
    """Describe a feature and the client's value of it in words.

    Where `values` hold the counts behind a share (`share_counts_of`), it is shown as "3 of 12", otherwise in percent.

    Raises:
        KeyError: the name is not in the catalogue or not among the values.

    >>> describe_fact("application_credit", {"application_credit": 1234567.8}).en
    'Amount of the loan: 1,234,568'
    """
    template, value = _template(name), model_value(name, values)
    if (total := values.get(total_name(name))) is not None:
        text = i18n.format_x_of_y(float(values[count_name(name)] or 0), float(total))
    elif value is None:
        return template.missing
    elif isinstance(value, str):
        text = _format_category(value)
    else:
        text = template.formatter(value)
    return Wording(en=template.sentence[0].format(text[0]), fr=template.sentence[1].format(text[1]))


def model_value(name: str, values: Mapping[str, Value]) -> Value:
    """Return the client's value of a feature as the model takes it: a category outside the catalogue is unknown.

    Numbers are rounded to 12 digits: their last bits depend on how many clients were computed together.
    """
    value = values[name]
    if isinstance(value, float):
        return float(f"{value:.12g}")
    return None if isinstance(value, str) and value not in _template(name).categories else value


@cache
def base_measure(name: str) -> str:
    """Return the measure that a feature aggregates, the same for all its aggregates; else the feature's own name.

    >>> base_measure("installments_late_share_365d"), base_measure("application_credit")
    ('installments_late', 'application_credit')
    """
    return _origin(CATALOGUE[name])[0]


@dataclass(frozen=True, kw_only=True)
class _Template:
    """The text of one feature without the value; made once for each feature."""

    sentence: TextPair
    """With `{}` where the value stands."""
    formatter: Formatter
    missing: Wording
    categories: frozenset[str]


@cache
def _template(name: str) -> _Template:
    feature = CATALOGUE[name]
    measure, aggregate, window = _origin(feature)
    formatter, (label_en, label_fr) = _formatter(feature, measure), _label(feature, measure, aggregate, window)
    is_date = formatter is i18n.format_relative_day
    frame: TextPair = ("{}", "{}")
    if aggregate is not None and (window is None or window.name != _ONE_ROW or aggregate == "std"):
        frame = (_FRAMES_OF_DATES if is_date else _FRAMES)[aggregate]
    missing = NO_DATE if is_date and aggregate not in (None, "std") else UNKNOWN
    if measure in _OF_PLANNED_ENDS:
        missing = NO_END
    if aggregate == "std":
        formatter = partial(i18n.format_variation, formatter=i18n.format_days if is_date else formatter)
    label_en, label_fr = f"{label_en}: ", f"{label_fr}{NARROW_SPACE}: "
    return _Template(
        sentence=(label_en + frame[0], label_fr + frame[1]),
        formatter=formatter,
        missing=Wording(en=label_en + missing[0], fr=label_fr + missing[1]),
        categories=frozenset(feature.categories),
    )


def _origin(feature: Feature) -> tuple[str, str | None, Window | None]:
    """Return the measure, aggregate and window that `summarise` made a feature of; for others the name alone."""
    formula = feature.formula
    if isinstance(formula, Aggregate):
        name = feature.name if formula.window is None else feature.name.removesuffix(f"_{formula.window.name}")
        measure, _, aggregate = name.rpartition("_")
        if aggregate in AGGREGATES and feature.en.endswith(suffixes(aggregate, formula.window)[0]):
            return measure, aggregate, formula.window
    return feature.name, None, None


def _formatter(feature: Feature, measure: str) -> Formatter:
    if measure in FORMATTERS:
        return FORMATTERS[measure]
    if "_slope" in feature.name:
        return i18n.format_trend
    if "scaled" in feature.en:
        return i18n.format_plain_number
    if feature.uses_age and feature.unit == "years":
        return i18n.format_age
    return _FORMATTERS_BY_UNIT[feature.unit]


def _label(feature: Feature, measure: str, aggregate: str | None, window: Window | None) -> TextPair:
    """Return the feature's meaning and window, without its aggregate, which is shown with the value."""
    en, fr = feature.en, feature.fr
    if aggregate is not None:
        suffix_en, suffix_fr = suffixes(aggregate, window)
        en, fr = en.removesuffix(suffix_en), fr.removesuffix(suffix_fr)
    en, fr = LABELS.get(measure, (en, fr))
    if share_counts_of([feature.name]):
        en, fr = en.removeprefix("Share of "), fr.removeprefix("Part des ")
    elif feature.unit == "share":
        en = en.replace(" over ", " compared with ")
    en = en.replace(", scaled", ", on a scale from 0 to 1")
    fr = re.sub(", normalisée?", ", sur une échelle de 0 à 1", fr)
    if window is not None:
        window_en, window_fr = WINDOW_LABELS.get(window.en, (window.en, window.fr))
        en, fr = f"{en}, {window_en}", f"{fr}, {window_fr}"
    # One colon only: that before the value.
    en, fr = en.replace(":", ","), fr.replace(" :", ",")
    return en[0].upper() + en[1:], fr[0].upper() + fr[1:]


def _format_category(value: str) -> TextPair:
    """Quote a category as the data has it, or translate one of `_TEXTS_OF_CATEGORIES`."""
    return _TEXTS_OF_CATEGORIES.get(value) or (f"“{value}”", f"«{NARROW_SPACE}{value}{NARROW_SPACE}»")


_TEXTS_OF_CATEGORIES = {"Y": YES, "Yes": YES, "N": NO, "No": NO, "XNA": NOT_STATED, "Unknown": UNKNOWN}
"""Codes of the data that a client would not understand."""
_FORMATTERS_BY_UNIT: dict[str, Formatter] = {
    "currency": i18n.format_amount,
    "share": i18n.format_share,
    "days": i18n.format_days,
    "months": i18n.format_months,
    "years": i18n.format_years,
    "count": i18n.format_count,
    "flag": i18n.format_yes_no,
    "hour": i18n.format_hour,
    "score": i18n.format_plain_number,
    "rank": i18n.format_plain_number,
    "": i18n.format_plain_number,
}
"""By unit of the catalogue."""
_OF_PLANNED_ENDS = ("bureau_end_days", "bureau_duration", "bureau_age_at_end_years")
"""Measures of the planned ends of credits at other lenders."""
_ONE_ROW = "latest_1"
"""A window of a single row, whose mean, maximum and total are the value itself."""
_FRAMES: dict[str, TextPair] = {
    "mean": ("{} on average", "{} en moyenne"),
    "max": ("{} at most", "{} au plus"),
    "min": ("{} at least", "{} au moins"),
    "sum": ("{} in total", "{} au total"),
    "std": ("{}", "{}"),
    "share": ("{}", "{}"),
}
"""By aggregate: the words around an aggregated value."""
_FRAMES_OF_DATES: dict[str, TextPair] = _FRAMES | {
    "max": ("the last {}", "la dernière {}"),
    "min": ("the first {}", "la première {}"),
}
