"""What a feature is: one Polars expression, and what people need to know about it."""

from collections.abc import Sequence
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


@dataclass(frozen=True)
class Feature:
    """One feature of a client.

    Attributes:
        name: `table_measure_aggregate_window`, unique in the catalogue.
        expression: over the rows of one client; for a history it aggregates them to one value.
        group: the concept under which reasons add it up.
        en, fr: what it measures, in the two languages of the product.
        unit: as `bento.tables.Unit`, "" for a category.
        risk: the direction the business expects: +1 where a higher value means more risk, -1 less, 0 unknown.
        monotone: the direction is beyond doubt, so that a model may be held to it.
        uses_age: computed from the date of birth, so that one switch can leave age out.
        categories: the known values of a category; empty for a number.
    """

    name: str
    expression: pl.Expr
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
    def roots(self) -> frozenset[str]:
        """The columns that the expression reads."""
        return frozenset(self.expression.meta.root_names())

    @cached_property
    def column(self) -> pl.Expr:
        """The expression under the feature's name: a Float64, or a String for a category."""
        return (self.expression if self.is_category else self.expression.cast(pl.Float64)).alias(self.name)


def ratio(numerator: pl.Expr | str, denominator: pl.Expr | str) -> pl.Expr:
    """Numerator over denominator; null where the denominator is 0 or either is null."""
    top = pl.col(numerator) if isinstance(numerator, str) else numerator
    bottom = pl.col(denominator) if isinstance(denominator, str) else denominator
    return pl.when(bottom != 0).then(top / bottom)


def slope(value: pl.Expr, time: pl.Expr, step: float) -> pl.Expr:
    """Ordinary least-squares slope of the value over time, among the rows that know both; null below three rows.

    The value is rounded to `step` and time is whole, so that all sums are exact and the order of rows cannot matter.
    """
    both = value.is_not_null() & time.is_not_null()
    x = pl.when(both).then(time.cast(pl.Float64))
    y = pl.when(both).then((value / step).round())
    sums = pl.struct(n=both.sum().cast(pl.Float64), x=x.sum(), y=y.sum(), xy=(x * y).sum(), xx=(x * x).sum())
    n, sx, sy, sxy, sxx = (pl.field(name) for name in ("n", "x", "y", "xy", "xx"))
    run = n * sxx - sx * sx
    found = pl.when((n >= 3) & (run != 0)).then((n * sxy - sx * sy) * step / run)
    return sums.struct.with_fields(slope=found).struct.field("slope")


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


def last_months(months: int) -> Window:
    """The monthly states of the last months before the application."""
    test = pl.col("MONTHS_BALANCE") >= -months
    return Window(f"{months}m", test, f"last {months} months", f"{months} derniers mois")


def latest(count: int, en: str, fr: str) -> Window:
    """The latest rows of a client by the column `recency` (see `with_recency`); ties at the end are all in."""
    return Window(f"latest_{count}", pl.col("recency") <= count, en, fr)


def with_recency(rows: pl.DataFrame, time: str, clients: pl.Series) -> pl.DataFrame:
    """Add `recency`, the rank of each row of a client: 1 for the greatest time, the same for equal ones."""
    return rows.with_columns(recency=for_each_client(pl.col(time).rank("min", descending=True), clients))


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


_AGGREGATES = {
    "mean": (pl.Expr.mean, "mean", "moyenne"),
    "max": (pl.Expr.max, "highest", "maximum"),
    "min": (pl.Expr.min, "lowest", "minimum"),
    "sum": (pl.Expr.sum, "total", "total"),
    "std": (pl.Expr.std, "spread", "dispersion"),
    "share": (pl.Expr.mean, "share", "part"),
}


def summarise(
    prefix: str, group: Group, measure: Measure, aggregates: Sequence[str], windows: Sequence[Window | None] = (None,)
) -> list[Feature]:
    """Features of one measure: each aggregate over each window; the window None stands for all rows."""
    features = []
    for window in windows:
        value = measure.value if window is None else window.of(measure.value)
        for name in aggregates:
            function, en, fr = _AGGREGATES[name]
            features.append(
                Feature(
                    "_".join(filter(None, [prefix, measure.name, name, window.name if window else None])),
                    function(value),
                    group,
                    f"{measure.en} ({', '.join(filter(None, [en, window.en if window else None]))})",
                    f"{measure.fr} ({', '.join(filter(None, [fr, window.fr if window else None]))})",
                    "share" if name == "share" else measure.unit,
                    0 if name == "std" else measure.risk,
                    name in measure.monotone,
                )
            )
    return features


def needs(column: str, features: Sequence[Feature]) -> bool:
    """Whether a feature is computed from this column."""
    return any(column in feature.roots for feature in features)


def aggregate(rows: pl.DataFrame, features: Sequence[Feature], clients: pl.Series) -> pl.DataFrame:
    """One row of features for each client, in the order of `clients` (unique SK_ID_CURR).

    A client without rows gets what the expressions make of no row: 0 for a count or a sum, null for a mean. With a
    single client the rows are not grouped at all, which answers four times faster.
    """
    columns = [feature.column for feature in features]
    if len(clients) == 1:
        return rows.select(columns)
    names = [feature.name for feature in features]
    of_none = rows.clear().select(columns).row(0, named=True)
    filled = [pl.col(name).fill_null(value) for name, value in of_none.items() if value is not None]
    return (
        clients.to_frame("SK_ID_CURR")
        .join(rows.group_by("SK_ID_CURR").agg(columns), on="SK_ID_CURR", how="left", maintain_order="left")
        .with_columns(filled)
        .select(names)
    )
