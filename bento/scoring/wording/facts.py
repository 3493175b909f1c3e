"""Facts in words: the client's value of a feature and what is usual among similar clients, in English and French."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bento import i18n
from bento.data.category_labels import CATEGORY_LABELS, category_wording
from bento.features.catalogue import CATALOGUE, count_name, total_name
from bento.features.definitions import AGGREGATES, Aggregate, Feature, Value, Window, suffixes
from bento.i18n import NARROW_SPACE, Formatter, TextPair, Wording
from bento.scoring.wording import application_facts, bureau_facts, card_facts, previous_facts, repayment_facts
from bento.scoring.wording.quotable import Quotable

Direction = Literal["raises", "lowers"]
"""Whether something raises or lowers the risk of default."""


@dataclass(frozen=True, kw_only=True)
class QuotedFeature:
    """A feature that may be quoted: its words, and the declaration behind it."""

    name: str
    label: TextPair
    frame: TextPair
    """With `{}` where the value stands."""
    quotable: Quotable
    formatter: Formatter
    column: str | None
    """The column of the application that a category comes from."""

    @property
    def thing(self) -> str:
        """What it is a figure of."""
        return self.quotable.thing or self.quotable.name


def quoted_features() -> Mapping[str, QuotedFeature]:
    """Return the features that may be quoted, by name."""
    return _QUOTED


def quoted_as(name: str) -> tuple[str, ...]:
    """Return the quoted features that may stand for a feature's weight: itself where it is quoted, none where unquoted.

    >>> quoted_as("application_credit"), quoted_as("application_hour")
    (('application_credit',), ())
    """
    return (name,) if name in _QUOTED else _QUOTED_AS.get(name, ())


def features_of(thing: str, names: Mapping[str, object] | None = None) -> list[str]:
    """Return the features, by default all of the catalogue, whose weight may be quoted under a thing.

    >>> features_of("household")
    ['application_family_members', 'application_children']
    """
    return [
        name
        for name in (CATALOGUE if names is None else names)
        if any(_QUOTED[quoted].thing == thing for quoted in quoted_as(name))
    ]


def describe_fact(name: str, values: Mapping[str, Value], usual: Value = None) -> Wording:
    """Describe a quoted feature: the client's value of it and, where given, what is usual among similar clients.

    Where `values` hold the counts behind a share (`share_counts_of`), it is shown as "3 of 12", otherwise in percent.

    Raises:
        KeyError: the feature is not quoted, its value is not among `values`, or is no category of it.
        ValueError: the value is not known.

    >>> describe_fact("application_credit", {"application_credit": 1234567.8}, 900000.0).en
    'Amount of the loan: 1,234,568 (similar clients: 900,000)'
    """
    quoted, value = _QUOTED[name], model_value(name, values)
    if value is None:
        raise ValueError(f"{name} is not known: it is no fact")
    (en, fr), compared = _written(quoted, values), ("", "")
    if usual is not None and (not isinstance(usual, str) or quoted.quotable.has_words(usual)):
        usual_en, usual_fr = _usual(quoted, usual)
        compared = (f" (similar clients: {usual_en})", f" (clients similaires{NARROW_SPACE}: {usual_fr})")
    return Wording(
        en=f"{quoted.label[0]}: {quoted.frame[0].format(en)}{compared[0]}",
        fr=f"{quoted.label[1]}{NARROW_SPACE}: {quoted.frame[1].format(fr)}{compared[1]}",
    )


def value_in_words(name: str, value: Value) -> Wording | None:
    """Describe a value of any feature with its unit, as facts are written; None where it is not known.

    >>> value_in_words("application_employed_years", 2.549).en
    '2.5 years'
    """
    feature = CATALOGUE[name]
    if value is None:
        return None
    if isinstance(value, str):
        return category_wording(next(iter(feature.roots)), value)
    formatter = _QUOTED[name].formatter if name in _QUOTED else _FORMATTERS_BY_UNIT[feature.unit]
    en, fr = formatter(float(f"{value:.12g}"))
    return Wording(en=en, fr=fr)


def is_sensible(name: str, values: Mapping[str, Value], usual: Value, direction: Direction) -> bool:
    """Tell whether a client would accept a fact as raising, or lowering, the risk.

    A number must lie on that side of what is usual among similar clients; without a usual one, of the declared limit.
    A category must be declared for the direction, and unlike that of most similar clients. Nothing unknown is a fact.
    """
    quoted, value = _QUOTED[name], model_value(name, values)
    if value is None or values.get(total_name(name)) == 0:
        return False
    quotable = quoted.quotable
    if isinstance(value, str):
        allowed = quotable.raising if direction == "raises" else quotable.lowering
        return value != usual and (value in allowed or not quotable.declared)
    return _is_sensible_number(quoted, value, usual if isinstance(usual, float | int) else None, values, direction)


def _is_sensible_number(
    quoted: QuotedFeature, value: float, usual: float | None, values: Mapping[str, Value], direction: Direction
) -> bool:
    quotable = quoted.quotable
    if value == quotable.best:
        is_worse_than_usual = usual is not None and (usual < value) is (quotable.higher == "raises") and usual != value
        return direction == "lowers" and not is_worse_than_usual
    if usual is not None and _written(quoted, values) == _usual(quoted, usual, like_value=True):
        return False
    if quotable.higher == "either":
        return True
    sign = 1 if (quotable.higher == "raises") is (direction == "raises") else -1
    if direction == "raises" and quotable.beyond is not None and sign * (value - quotable.beyond) <= 0:
        return False
    limit = quotable.beyond if usual is None else usual
    return limit is not None and sign * (value - limit) > 0


def deviation(name: str, values: Mapping[str, Value], usual: Value) -> float:
    """Return how far a known number lies from what is usual, or from its declared limit; 0 for a category."""
    value, limit = model_value(name, values), usual if isinstance(usual, float | int) else _QUOTED[name].quotable.beyond
    return abs(value - limit) if isinstance(value, float | int) and limit is not None else 0.0


def model_value(name: str, values: Mapping[str, Value]) -> Value:
    """Return the client's value of a feature as the model takes it: a category outside the catalogue is unknown.

    Numbers are rounded to 12 digits: their last bits depend on how many clients were computed together.
    """
    value = values[name]
    if isinstance(value, float):
        return float(f"{value:.12g}")
    return None if isinstance(value, str) and value not in CATALOGUE[name].categories else value


def format_category(column: str, category: str) -> TextPair:
    """Return a declared category of the application in words."""
    return CATEGORY_LABELS[column][category]


def _written(quoted: QuotedFeature, values: Mapping[str, Value]) -> TextPair:
    value = model_value(quoted.name, values)
    if (total := values.get(total_name(quoted.name))) is not None:
        return i18n.format_x_of_y(float(values[count_name(quoted.name)] or 0), float(total))
    if isinstance(value, str):
        assert quoted.column is not None  # noqa: S101 - only a category is a text
        return format_category(quoted.column, value)
    return quoted.formatter(value or 0.0)


def _usual(quoted: QuotedFeature, usual: float | str, *, like_value: bool = False) -> TextPair:
    if isinstance(usual, str):
        assert quoted.column is not None  # noqa: S101 - only a category is a text
        return format_category(quoted.column, usual)
    return ((not like_value and quoted.quotable.usual_formatter) or quoted.formatter)(usual)


def _quoted(feature: Feature, quotables: Mapping[str, Quotable]) -> QuotedFeature | None:
    """Return how a feature is quoted; None where neither it nor its measure is declared, or not with its aggregate."""
    measure, aggregate, window = origin(feature)
    is_own = feature.name in quotables
    quotable = quotables.get(feature.name) or quotables.get(measure)
    if quotable is None or (not is_own and aggregate is not None and aggregate not in quotable.aggregates.split()):
        return None
    en, fr = quotable.labels.get(aggregate or "", (quotable.en, quotable.fr))
    if window is not None and not is_own:
        window_en, window_fr = _WINDOWS.get((measure.partition("_")[0], window.name), (window.en, window.fr))
        if window_en.startswith("last "):
            window_en, window_fr = f"over the {window_en}", f"sur les {window_fr}"
        en, fr = f"{en}, {window_en}", f"{fr}, {window_fr}"
    formatter = quotable.formatter or _FORMATTERS_BY_UNIT[feature.unit]
    is_one_row = window is not None and window.name == _ONE_ROW
    is_end_of_dates = formatter is i18n.format_relative_day and aggregate in ("min", "max")
    frame = _FRAMES[aggregate or ""] if not (is_one_row or is_end_of_dates) else _FRAMES[""]
    return QuotedFeature(
        name=feature.name,
        label=(en, fr),
        frame=frame,
        quotable=quotable,
        formatter=formatter,
        column=next(iter(feature.roots)) if feature.is_category else None,
    )


def origin(feature: Feature) -> tuple[str, str | None, Window | None]:
    """Return the measure, aggregate and window that `summarise` made a feature of; for others the name alone."""
    formula = feature.formula
    if isinstance(formula, Aggregate):
        name = feature.name if formula.window is None else feature.name.removesuffix(f"_{formula.window.name}")
        measure, _, aggregate = name.rpartition("_")
        if aggregate in AGGREGATES and feature.en.endswith(suffixes(aggregate, formula.window)[0]):
            return measure, aggregate, formula.window
    return feature.name, None, None


_FORMATTERS_BY_UNIT: dict[str, Formatter] = {
    "currency": i18n.format_amount,
    "share": i18n.format_share,
    "days": i18n.format_days,
    "months": i18n.format_months,
    "years": i18n.format_years,
    "count": i18n.format_count,
    "flag": i18n.format_yes_no,
    "rank": i18n.format_plain_number,
    "score": i18n.format_plain_number,
    "hour": i18n.format_hour,
    "": i18n.format_plain_number,
}
"""By unit of the catalogue."""
_ONE_ROW = "latest_1"
"""A window of a single row, whose mean, maximum and total are the value itself."""
_FRAMES: dict[str, TextPair] = {
    "": ("{}", "{}"),
    "mean": ("{} on average", "{} en moyenne"),
    "max": ("highest {}", "{} au maximum"),
    "min": ("lowest {}", "{} au minimum"),
    "sum": ("{} in total", "{} au total"),
    "share": ("{}", "{}"),
}
"""By aggregate: the words around an aggregated value."""
_WINDOWS: dict[tuple[str, str], TextPair] = {
    ("bureau", "active"): ("open accounts", "crédits en cours"),
    ("bureau", "closed"): ("closed accounts", "crédits soldés"),
    ("bureau", "latest_1"): ("latest account", "dernier crédit"),
    **{
        ("bureau", f"{months}m"): (
            f"accounts opened in the last {months} months",
            f"crédits des {months} derniers mois",
        )
        for months in (6, 12, 24, 36)
    },
    ("previous", "approved"): ("accepted ones", "celles acceptées"),
    ("previous", "refused"): ("refused ones", "celles refusées"),
    ("previous", "365d"): ("over the last year", "sur la dernière année"),
    ("previous", "latest_1"): ("latest one", "la dernière"),
    ("previous", "latest_3"): ("latest 3", "les 3 dernières"),
    ("previous", "latest_5"): ("latest 5", "les 5 dernières"),
}
"""By prefix and name of a window: its words, where they differ from those of the catalogue."""
DECLARATIONS = (application_facts, bureau_facts, previous_facts, repayment_facts, card_facts)
"""The modules that declare what is quoted, by table."""
_QUOTABLES = {quotable.name: quotable for module in DECLARATIONS for quotable in module.QUOTABLES}
_QUOTED: dict[str, QuotedFeature] = {
    quoted.name: quoted for feature in CATALOGUE.values() if (quoted := _quoted(feature, _QUOTABLES)) is not None
}


def _other_aggregates() -> dict[str, tuple[str, ...]]:
    """Return for aggregates that are not quoted those of the same measure and window that are."""
    others = {}
    for feature in CATALOGUE.values():
        measure, aggregate, window = origin(feature)
        if feature.name not in _QUOTED and aggregate not in (None, "std") and measure in _QUOTABLES:
            end = f"_{window.name}" if window else ""
            names = (f"{measure}_{other}{end}" for other in _QUOTABLES[measure].aggregates.split())
            others[feature.name] = tuple(name for name in names if name in _QUOTED)
    return others


_QUOTED_AS = {
    **_other_aggregates(),
    **application_facts.QUOTED_AS,
    **bureau_facts.QUOTED_AS,
    **previous_facts.QUOTED_AS,
    **repayment_facts.QUOTED_AS,
}
NOT_QUOTED: dict[str, str] = {
    ".*_std(_.*)?|.*_slope(_.*)?|.*_ratio_[0-9]+d_[0-9]+d": "spreads, trends and ratios of means",
    **{pattern: why for module in DECLARATIONS for pattern, why in module.NOT_QUOTED.items()},
}
"""Patterns of features that are not quoted, and why."""
