"""What a feature is: a formula over a client's rows, and what people need to know about it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
import polars as pl

from bento.data.tables import Unit

Value = float | str | None
"""The value of a feature: a number, a category, or unknown."""
Group = Literal[
    "external_scores",
    "credit_terms",
    "income_burden",
    "employment",
    "identity_contact",
    "housing",
    "documents",
    "bureau_debt",
    "bureau_history",
    "past_applications",
    "instalment_discipline",
    "card_use",
]

GROUP_LABELS: dict[Group, dict[str, str]] = {
    "external_scores": {"en": "External scores", "fr": "Scores externes"},
    "credit_terms": {"en": "Terms of the loan", "fr": "Conditions du prêt"},
    "income_burden": {"en": "Income and burden", "fr": "Revenus et charges"},
    "employment": {"en": "Employment", "fr": "Emploi"},
    "identity_contact": {"en": "Identity and contact", "fr": "Identité et contact"},
    "housing": {"en": "Housing and region", "fr": "Logement et région"},
    "documents": {"en": "Documents", "fr": "Documents fournis"},
    "bureau_debt": {"en": "Debt at other lenders", "fr": "Dettes auprès d'autres prêteurs"},
    "bureau_history": {"en": "Credit history at other lenders", "fr": "Historique auprès d'autres prêteurs"},
    "past_applications": {"en": "Past applications", "fr": "Demandes antérieures"},
    "instalment_discipline": {"en": "Payment of instalments", "fr": "Paiement des échéances"},
    "card_use": {"en": "Use of credit cards", "fr": "Usage des cartes de crédit"},
}
Function = Literal["len", "count", "mean", "max", "min", "sum", "std", "n_unique"]
"""An aggregate function, by its name in Polars, which is the same for expressions and for series."""
ZERO_WITHOUT_ROWS: frozenset[Function] = frozenset({"sum", "n_unique"})
"""Functions that are 0 over no row; over rows without a known value they are unknown."""


@dataclass(frozen=True, eq=False)
class Feature:
    """One feature of a client.

    Attributes:
        name: `table_measure_aggregate_window`, unique in the catalogue.
        formula: over the rows of one client; for a history it aggregates them to one value.
        en, fr: its meaning in the two languages of the product.
        group: the concept under which reasons add it up.
        unit: "" for a category.
        risk: the direction the business expects: +1 where a higher value means more risk, -1 less, 0 unknown.
        monotone: whether a model may be constrained to that direction.
        categories: the known values of a category; empty for a number.
        text: the formula in words, where the one derived from `formula` (`formula_text`) would be hard to read.
    """

    name: str
    formula: "pl.Expr | Aggregate | Composite"
    en: str = ""
    fr: str = ""
    _: KW_ONLY
    group: Group
    unit: Unit = "count"
    risk: int = 0
    monotone: bool = False
    categories: tuple[str, ...] = ()
    text: str = ""

    def worded(self, en: str, fr: str) -> Self:
        """Return the feature with its meaning in the two languages."""
        return replace(self, en=en, fr=fr)

    @property
    def is_category(self) -> bool:
        """Whether the value is a category, not a number."""
        return bool(self.categories)

    @cached_property
    def expression(self) -> pl.Expr:
        """The formula as an expression."""
        return self.formula if isinstance(self.formula, pl.Expr) else self.formula.expression

    @cached_property
    def roots(self) -> frozenset[str]:
        """The columns that the expression reads."""
        return frozenset(self.expression.meta.root_names())

    @property
    def uses_age(self) -> bool:
        """Whether it is computed from the date of birth, so that one switch can leave age out."""
        return "DAYS_BIRTH" in self.roots

    @cached_property
    def column(self) -> pl.Expr:
        """The expression under the feature's name: a Float64, or a String for a category."""
        return (self.expression if self.is_category else self.expression.cast(pl.Float64)).alias(self.name)


@dataclass(frozen=True)
class Window:
    """Some of a client's rows: the condition that selects them, and the names of the window."""

    name: str
    test: pl.Expr
    en: str
    fr: str

    def of(self, value: pl.Expr) -> pl.Expr:
        """Return the value in the window's rows and null in the others: much faster than a filter in a group-by."""
        return pl.when(self.test).then(value)


@dataclass(frozen=True)
class Aggregate:
    """The simplest formula over a history: a function of one value of the client's rows, all or those of a window.

    Only known values count. Where there is no known value to aggregate, a sum or a number of different values is 0 if
    there is no row to know it of, and unknown otherwise (see `expression`).
    """

    function: Function
    value: pl.Expr
    window: Window | None = None

    @property
    def expression(self) -> pl.Expr:
        """The formula as an expression over the rows of one client."""
        value = self.value if self.window is None else self.window.of(self.value)
        if self.function not in ZERO_WITHOUT_ROWS:
            aggregated: pl.Expr = getattr(value, self.function)()
            return aggregated
        known_values, rows = value.count(), value.len()
        if self.window is None:
            unknown = (known_values == 0) & (rows > 0)
        else:
            selected, tested = self.window.test.sum(), self.window.test.count()
            unknown = (known_values == 0) & ((selected > 0) | ((tested == 0) & (rows > 0)))
        return pl.when(~unknown).then(value.sum() if self.function == "sum" else value.drop_nulls().n_unique())


@dataclass(frozen=True)
class Composite:
    """A formula of several aggregates: `finish` takes their expressions, in this order, and returns the result's.

    It also takes numbers and returns a number, so it may only calculate and compare.
    """

    finish: Callable[..., Any]
    aggregates: tuple[Aggregate, ...]
    text: Callable[[Callable[[pl.Expr], str]], str] | None = None
    """Returns the formula in words, given the words of an expression, where those of `finish` would be hard to read."""

    @property
    def expression(self) -> pl.Expr:
        """The formula as an expression over the rows of one client; each aggregate is in it once."""
        names = [str(number) for number, _ in enumerate(self.aggregates)]
        once = pl.struct(
            aggregate.expression.alias(name) for name, aggregate in zip(names, self.aggregates, strict=True)
        )
        return once.struct.with_fields(self.finish(*map(pl.field, names)).alias("result")).struct.field("result")

    def of_values(self, values: Iterable[Value]) -> float:
        """Return the formula's value from those of its aggregates; not finite where it is unknown."""
        numbers = (np.float64(np.nan if value is None else value) for value in values)
        return float(self.finish(*numbers))


@dataclass(frozen=True)
class Measure:
    """A value of a row, from which `summarise` makes several features; attributes as in `Feature`."""

    name: str
    value: pl.Expr
    en: str = ""
    fr: str = ""
    _: KW_ONLY
    unit: Unit
    risk: int = 0
    monotone: tuple[str, ...] = ()
    """The aggregates to whose direction a model may be constrained."""

    def worded(self, en: str, fr: str) -> Self:
        """Return the measure with its meaning in the two languages."""
        return replace(self, en=en, fr=fr)


def adverse_share(name: str, test: pl.Expr, en: str, fr: str) -> Measure:
    """Make the measure of a condition: the larger its share of the rows, the higher the risk, for every model."""
    return Measure(name, test, en, fr, unit="share", risk=1, monotone=("share",))


AGGREGATES: dict[str, tuple[Function, str, str]] = {
    "mean": ("mean", "mean", "moyenne"),
    "max": ("max", "highest", "maximum"),
    "min": ("min", "lowest", "minimum"),
    "sum": ("sum", "total", "total"),
    "std": ("std", "spread", "dispersion"),
    "share": ("mean", "share", "part"),
}
"""Aggregates by their name in that of a feature: the function, and the label in English and in French."""


def summarise(
    prefix: str, group: Group, measure: Measure, aggregates: Sequence[str], windows: Sequence[Window | None] = (None,)
) -> list[Feature]:
    """Make a feature of each aggregate of a measure over each window; None stands for all rows."""
    return [
        Feature(
            "_".join(filter(None, [prefix, measure.name, name, window.name if window else None])),
            Aggregate(AGGREGATES[name][0], measure.value, window),
            measure.en + suffixes(name, window)[0],
            measure.fr + suffixes(name, window)[1],
            group=group,
            unit="share" if name == "share" else measure.unit,
            risk=0 if name == "std" else measure.risk,
            monotone=name in measure.monotone,
        )
        for window in windows
        for name in aggregates
    ]


def suffixes(aggregate: str, window: Window | None) -> tuple[str, str]:
    """Return what `summarise` adds to the English and to the French meaning of a measure."""
    _, en, fr = AGGREGATES[aggregate]
    return (f" ({en}, {window.en})", f" ({fr}, {window.fr})") if window else (f" ({en})", f" ({fr})")
