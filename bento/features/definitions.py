"""What a feature is: one formula, and what people need to know about it."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import polars as pl

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
"""What makes one value of many: the name that Polars has for it, for expressions and for series alike."""


@dataclass(frozen=True)
class Window:
    """Some of a client's rows: the test that picks them, and how their features are named and worded."""

    name: str
    test: pl.Expr
    en: str
    fr: str

    def of(self, value: pl.Expr) -> pl.Expr:
        """The value in these rows, null in the others: much faster than a filter where clients are grouped."""
        return pl.when(self.test).then(value)


@dataclass(frozen=True)
class Aggregate:
    """The simplest formula of a history: a function of one value of a client's rows, of all or of those in a window."""

    function: Function
    value: pl.Expr
    window: Window | None = None

    @property
    def expression(self) -> pl.Expr:
        """The same as an expression over the rows of one client."""
        value = self.value if self.window is None else self.window.of(self.value)
        aggregated: pl.Expr = getattr(value, self.function)()
        return aggregated


@dataclass(frozen=True)
class Composite:
    """A formula of several aggregates: `finish` makes of their expressions, in this order, that of the result."""

    finish: Callable[..., pl.Expr]
    aggregates: tuple[Aggregate, ...]

    @property
    def expression(self) -> pl.Expr:
        """The same as an expression over the rows of one client; each aggregate is in it once."""
        names = [str(number) for number, _ in enumerate(self.aggregates)]
        once = pl.struct(
            aggregate.expression.alias(name) for name, aggregate in zip(names, self.aggregates, strict=True)
        )
        return once.struct.with_fields(self.finish(*map(pl.field, names)).alias("result")).struct.field("result")


def quotient(numerator: Aggregate, denominator: Aggregate) -> Composite:
    """One aggregate over another (see `over`)."""
    return Composite(over, (numerator, denominator))


@dataclass(frozen=True, eq=False)
class Feature:
    """One feature of a client.

    Attributes:
        name: `table_measure_aggregate_window`, unique in the catalogue.
        formula: over the rows of one client; for a history it aggregates them to one value.
        group: the concept under which reasons add it up.
        en, fr: what it measures, in the two languages of the product.
        unit: as `bento.data.tables.Unit`, "" for a category.
        risk: the direction the business expects: +1 where a higher value means more risk, -1 less, 0 unknown.
        monotone: the direction is beyond doubt, so that a model may be held to it.
        uses_age: computed from the date of birth, so that one switch can leave age out.
        categories: the known values of a category; empty for a number.
    """

    name: str
    formula: pl.Expr | Aggregate | Composite
    group: Group
    en: str
    fr: str
    unit: str = "count"
    risk: int = 0
    monotone: bool = False
    uses_age: bool = False
    categories: tuple[str, ...] = ()

    @property
    def is_category(self) -> bool:
        """Whether the value is a word, not a number."""
        return bool(self.categories)

    @cached_property
    def expression(self) -> pl.Expr:
        """The formula as an expression."""
        return self.formula if isinstance(self.formula, pl.Expr) else self.formula.expression

    @cached_property
    def roots(self) -> frozenset[str]:
        """The columns that the expression reads."""
        return frozenset(self.expression.meta.root_names())

    @cached_property
    def column(self) -> pl.Expr:
        """The expression under the feature's name: a Float64, or a String for a category."""
        return (self.expression if self.is_category else self.expression.cast(pl.Float64)).alias(self.name)


def ratio(numerator: pl.Expr | str, denominator: pl.Expr | str) -> pl.Expr:
    """Numerator over denominator; null where the denominator is 0 or either is null."""
    bottom = _expression(denominator)
    return pl.when(bottom != 0).then(over(numerator, bottom))


def over(numerator: pl.Expr | str, denominator: pl.Expr | str) -> pl.Expr:
    """Numerator over denominator, not finite over 0: enough where nothing but the formula's result depends on it.

    `build_features` makes null of every result that is not finite, and this is the cheaper by far.
    """
    return _expression(numerator) / _expression(denominator)


def _expression(column: pl.Expr | str) -> pl.Expr:
    return pl.col(column) if isinstance(column, str) else column


def slope(value: pl.Expr, time: pl.Expr, step: float, window: Window | None = None) -> Composite:
    """Ordinary least-squares slope of the value over time, among the rows that know both; null below three rows.

    The value is rounded to `step` and time is whole, so that all sums are exact and the order of rows cannot matter.
    """
    both = value.is_not_null() & time.is_not_null()
    known = Window("known", both if window is None else window.test & both, "", "")
    x, y = time.cast(pl.Float64), (value / step).round()
    sums = (pl.lit(1.0), x, y, x * y, x * x)

    def finish(n: pl.Expr, sx: pl.Expr, sy: pl.Expr, sxy: pl.Expr, sxx: pl.Expr) -> pl.Expr:
        return pl.when(n >= 3).then(over((n * sxy - sx * sy) * step, n * sxx - sx * sx))

    return Composite(finish, tuple(Aggregate("sum", value, known) for value in sums))


def last_months(months: int) -> Window:
    """The monthly states of the last months before the application."""
    test = pl.col("MONTHS_BALANCE") >= -months
    return Window(f"{months}m", test, f"last {months} months", f"{months} derniers mois")


def latest(count: int, en: str, fr: str) -> Window:
    """The latest rows of a client by the column `recency` (see `recency`); ties at the end are all in."""
    return Window(f"latest_{count}", pl.col("recency") <= count, en, fr)


def with_derived(
    rows: pl.DataFrame, derived: Mapping[str, pl.Expr | pl.Series], needed: AbstractSet[str]
) -> pl.DataFrame:
    """Add those derived columns that are needed."""
    added = {name: column for name, column in derived.items() if name in needed}
    return rows.with_columns(**added) if added else rows


def recency(time: str, clients: pl.Series) -> pl.Expr:
    """The rank of each row of a client: 1 for the greatest time, the same for equal ones."""
    return for_each_client(pl.col(time).rank("min", descending=True), clients)


def for_each_client(expression: pl.Expr, clients: pl.Series) -> pl.Expr:
    """The expression over the rows of each client; with a single client, whose rows are all there are, as it is."""
    return expression if len(clients) == 1 else expression.over("SK_ID_CURR")


@dataclass(frozen=True)
class Measure:
    """A value of a row, from which several features are made; see `Feature` for its attributes."""

    name: str
    value: pl.Expr
    en: str
    fr: str
    unit: str
    risk: int = 0
    monotone: tuple[str, ...] = ()
    """The aggregates of it whose direction is beyond doubt."""


AGGREGATES: dict[str, tuple[Function, str, str]] = {
    "mean": ("mean", "mean", "moyenne"),
    "max": ("max", "highest", "maximum"),
    "min": ("min", "lowest", "minimum"),
    "sum": ("sum", "total", "total"),
    "std": ("std", "spread", "dispersion"),
    "share": ("mean", "share", "part"),
}
"""How values are summarised: by the name that stands in a feature's, the function and the words for it."""


def suffixes(aggregate: str, window: Window | None) -> tuple[str, str]:
    """What `summarise` adds to the English and to the French words of a measure."""
    _, en, fr = AGGREGATES[aggregate]
    return (f" ({en}, {window.en})", f" ({fr}, {window.fr})") if window else (f" ({en})", f" ({fr})")


def summarise(
    prefix: str, group: Group, measure: Measure, aggregates: Sequence[str], windows: Sequence[Window | None] = (None,)
) -> list[Feature]:
    """Features of one measure: each aggregate over each window; the window None stands for all rows."""
    features = []
    for window in windows:
        for name in aggregates:
            en, fr = suffixes(name, window)
            features.append(
                Feature(
                    "_".join(filter(None, [prefix, measure.name, name, window.name if window else None])),
                    Aggregate(AGGREGATES[name][0], measure.value, window),
                    group,
                    measure.en + en,
                    measure.fr + fr,
                    "share" if name == "share" else measure.unit,
                    0 if name == "std" else measure.risk,
                    name in measure.monotone,
                )
            )
    return features
