"""Measures of an application that rules compare with limits: a field of it, or several fields together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bento import i18n
from bento.data.tables import APPLICATION, OPEN_ENDED, Unit
from bento.i18n import DAYS_PER_YEAR, Formatter, TextPair
from bento.rules.fields import COUNTS_OF_ROWS, FIELDS

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

MAX_TERM_MONTHS = 60
"""Longest term at which the monthly rate of a loan is computed: the application has none, and no longer one is sold."""
_RATES = np.linspace(-0.1, 1, 22_000)  # none of them is 0, where the formula of the instalment has a gap
_PAYMENT_SHARES = _RATES / (1 - (1 + _RATES) ** -float(MAX_TERM_MONTHS))
"""Instalment over loan at each of `_RATES`, where equal instalments repay the loan in `MAX_TERM_MONTHS`."""


Features = pl.DataFrame | Sequence[Mapping[str, Any]]
"""Features of clients: a frame with a row for each, or the values of each by name."""


class Inputs:
    """Applications in raw columns, one or many, and the features of their histories; an unknown number is NaN."""

    def __init__(
        self,
        column: Callable[[str], Sequence[Any]],
        clients: int,
        features: Features | None = None,
        income_months: float = 1,
    ) -> None:
        self._column, self._features = column, features
        self.clients = clients
        self.income_months = income_months
        """Months that AMT_INCOME_TOTAL covers."""
        self._values: dict[str, Floats] = {}
        self._numbers: dict[str, Floats] = {}

    @classmethod
    def of_rows(
        cls,
        applications: Sequence[Mapping[str, Any]],
        features: Features | None = None,
        income_months: float = 1,
    ) -> Self:
        """Read applications as credit files hold them; without features no measure of a history can be computed."""
        return cls(
            lambda name: [application.get(name) for application in applications],
            len(applications),
            features,
            income_months,
        )

    @classmethod
    def of_frame(cls, applications: pl.DataFrame, features: pl.DataFrame, income_months: float = 1) -> Self:
        """Read a frame of raw applications, not cleaned, and the features of the same clients in the same order."""
        return cls(lambda name: applications[name].to_list(), len(applications), features, income_months)

    def number(self, name: str) -> Floats:
        """Return a numeric column; the code for "no such date" is unknown, too."""
        if name not in self._numbers:
            values = np.array(self._column(name), dtype=np.float64)
            self._numbers[name] = np.where(values == OPEN_ENDED, np.nan, values) if name == "DAYS_EMPLOYED" else values
        return self._numbers[name]

    def has(self, name: str, category: str) -> Booleans:
        """Whether a column holds a category."""
        return np.array([value == category for value in self._column(name)])

    def feature(self, name: str) -> Floats:
        """Return a feature of the histories."""
        assert self._features is not None  # noqa: S101 - rules on the application alone read no feature
        if isinstance(self._features, pl.DataFrame):
            return self._features.get_column(name).to_numpy()
        return np.array([values[name] for values in self._features], np.float64)

    def value(self, measure: str) -> Floats:
        """Return a measure of each application; NaN where it is unknown or not finite."""
        if measure not in self._values:
            self._values[measure] = MEASURES[measure].compute(self)
        return self._values[measure]

    def is_known(self, field: str) -> Booleans:
        """Whether a field of `FIELDS` is known: given and understood; for a history, whether it has a row."""
        if field in COUNTS_OF_ROWS:
            return self.feature(COUNTS_OF_ROWS[field]) > 0
        values = self._column(field)
        if APPLICATION[field].kind == "category":
            return np.array([value in APPLICATION[field].known_categories for value in values])
        return np.array([value is not None for value in values])


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number that is computed from an application, and its words; `parts` are measures shown beside it as facts."""

    en: str
    fr: str
    unit: Unit
    fields: tuple[str, ...]
    """Columns of the application that it is computed from; the first is the one to look at where it is impossible."""
    features: tuple[str, ...] = ()
    """Features of the histories that it is computed from."""
    parts: tuple[str, ...] = ()
    formatter: Formatter
    compute: Callable[[Inputs], Floats]

    @property
    def has_usual_range(self) -> bool:
        """Whether training stores the range of its values in the model folder."""
        return not self.features


_FORMATTERS: dict[Unit, Formatter] = {
    "currency": i18n.format_amount,
    "share": i18n.format_share,
    "years": i18n.format_years,
    "months": i18n.format_months,
    "count": i18n.format_count,
}


def _measure(
    words: TextPair,
    unit: Unit,
    fields: str,
    compute: Callable[[Inputs], Floats],
    *,
    formatter: Formatter | None = None,
    **others: tuple[str, ...],
) -> Measure:
    """Make a measure; its fields are separated by blanks."""
    return Measure(
        en=words[0],
        fr=words[1],
        unit=unit,
        fields=tuple(fields.split()),
        formatter=formatter or _FORMATTERS[unit],
        compute=compute,
        **others,
    )


def _column(column: str, words: TextPair, unit: Unit = "count") -> dict[str, Measure]:
    return {column: _measure(words, unit, column, lambda inputs: inputs.number(column))}


def _years_since(column: str, inputs: Inputs) -> Floats:
    return -inputs.number(column) / DAYS_PER_YEAR


def _age_at(column: str, inputs: Inputs) -> Floats:
    return (inputs.number(column) - inputs.number("DAYS_BIRTH")) / DAYS_PER_YEAR


def _since(column: str, words: TextPair) -> Measure:
    return _measure(words, "years", column, partial(_years_since, column))


def _at_age(column: str, words: TextPair) -> Measure:
    return _measure(words, "years", f"{column} DAYS_BIRTH", partial(_age_at, column))


def _over(top: str, bottom: str, words: TextPair, unit: Unit = "share") -> Measure:
    return _measure(words, unit, f"{top} {bottom}", lambda inputs: _ratio(inputs.number(top), inputs.number(bottom)))


def _ratio(top: Floats, bottom: Floats) -> Floats:
    """Divide; NaN where the result is not finite."""
    with np.errstate(all="ignore"):
        ratio = top / bottom
    return np.where(np.isfinite(ratio), ratio, np.nan)


def _instalments_to_income(inputs: Inputs) -> Floats:
    elsewhere, here = (np.nan_to_num(inputs.value(name)) for name in ("instalments_elsewhere", "instalments_here"))
    monthly_income = inputs.number("AMT_INCOME_TOTAL") / inputs.income_months
    return _ratio(inputs.number("AMT_ANNUITY") + elsewhere + here, monthly_income)


def _monthly_rate(inputs: Inputs) -> Floats:
    """Return the rate at which equal instalments repay the loan in `MAX_TERM_MONTHS`; below 0 they repay less."""
    return np.interp(_ratio(inputs.number("AMT_ANNUITY"), inputs.number("AMT_CREDIT")), _PAYMENT_SHARES, _RATES)


def _format_rate(rate: float) -> TextPair:
    return (
        ("none, as it would not be repaid", "aucun, car il ne serait pas remboursé")
        if rate < 0
        else i18n.format_share(rate)
    )


MEASURES: dict[str, Measure] = {
    **_column("AMT_INCOME_TOTAL", ("Income", "Revenus"), "currency"),
    **_column("AMT_CREDIT", ("Amount of the loan", "Montant du prêt"), "currency"),
    **_column("AMT_ANNUITY", ("Monthly instalment", "Mensualité"), "currency"),
    **_column("AMT_GOODS_PRICE", ("Price of the goods", "Prix du bien financé"), "currency"),
    **_column("CNT_CHILDREN", ("Children", "Enfants")),
    **_column("CNT_FAM_MEMBERS", ("Members of the household", "Membres du foyer")),
    **_column("OWN_CAR_AGE", ("Age of the car", "Âge de la voiture"), "years"),
    **{
        name: measure
        for days in (30, 60)
        for part, en, fr in (("OBS", "observed", "observés"), ("DEF", "in default", "en défaut"))
        for name, measure in _column(
            f"{part}_{days}_CNT_SOCIAL_CIRCLE",
            (f"Acquaintances {en}, {days} days past due", f"Proches {fr}, {days} jours de retard"),
        ).items()
    },
    **{
        name: measure
        for window, en, fr in (
            ("HOUR", "last hour", "dernière heure"),
            ("DAY", "last day", "dernier jour"),
            ("WEEK", "last week", "dernière semaine"),
            ("MON", "last month", "dernier mois"),
            ("QRT", "last quarter", "dernier trimestre"),
            ("YEAR", "last year", "dernière année"),
        )
        for name, measure in _column(
            f"AMT_REQ_CREDIT_BUREAU_{window}",
            (
                f"Enquiries about you to the credit bureau, {en}",
                f"Consultations de votre dossier au fichier des crédits, {fr}",
            ),
        ).items()
    },
    "age_years": _measure(
        ("Age", "Âge"), "years", "DAYS_BIRTH", partial(_years_since, "DAYS_BIRTH"), formatter=i18n.format_age
    ),
    "pensioner_age_years": _measure(
        ("Age of a pensioner", "Âge, pour un retraité"),
        "years",
        "DAYS_BIRTH NAME_INCOME_TYPE",
        lambda inputs: np.where(
            inputs.has("NAME_INCOME_TYPE", "Pensioner"), _years_since("DAYS_BIRTH", inputs), np.nan
        ),
        formatter=i18n.format_age,
    ),
    "employed_years": _since("DAYS_EMPLOYED", ("Time in the present employment", "Ancienneté dans l'emploi actuel")),
    "registered_years": _since(
        "DAYS_REGISTRATION",
        ("Time since the registration changed", "Temps depuis la modification de l'inscription administrative"),
    ),
    "id_changed_years": _since(
        "DAYS_ID_PUBLISH",
        ("Time since the identity document changed", "Temps depuis le changement de pièce d'identité"),
    ),
    "phone_changed_years": _since(
        "DAYS_LAST_PHONE_CHANGE", ("Time since the phone changed", "Temps depuis le changement de téléphone")
    ),
    "hired_at_years": _at_age("DAYS_EMPLOYED", ("Age at hiring", "Âge à l'embauche")),
    "registered_at_years": _at_age(
        "DAYS_REGISTRATION", ("Age at the registration", "Âge à l'inscription administrative")
    ),
    "id_changed_at_years": _at_age(
        "DAYS_ID_PUBLISH", ("Age at the change of the identity document", "Âge au changement de pièce d'identité")
    ),
    "phone_changed_at_years": _at_age(
        "DAYS_LAST_PHONE_CHANGE", ("Age at the change of the phone", "Âge au changement de téléphone")
    ),
    "members_beside_children": _measure(
        ("Members of the household beside the children", "Membres du foyer hors enfants"),
        "count",
        "CNT_FAM_MEMBERS CNT_CHILDREN",
        lambda inputs: inputs.number("CNT_FAM_MEMBERS") - inputs.number("CNT_CHILDREN"),
    ),
    "credit_to_income": _over(
        "AMT_CREDIT", "AMT_INCOME_TOTAL", ("Loan compared with income", "Prêt rapporté aux revenus")
    ),
    "annuity_to_income": _over(
        "AMT_ANNUITY",
        "AMT_INCOME_TOTAL",
        ("Monthly instalment compared with income", "Mensualité rapportée aux revenus"),
    ),
    "credit_to_goods_price": _over(
        "AMT_CREDIT",
        "AMT_GOODS_PRICE",
        ("Loan compared with the price of the goods", "Prêt rapporté au prix du bien financé"),
    ),
    "credit_to_annuity": _over(
        "AMT_CREDIT",
        "AMT_ANNUITY",
        ("Repayment period, not counting interest", "Durée de remboursement, hors intérêts"),
        "months",
    ),
    "monthly_rate": _measure(
        (
            f"Monthly rate if the loan were repaid in {MAX_TERM_MONTHS} months",
            f"Taux mensuel si le prêt était remboursé en {MAX_TERM_MONTHS} mois",
        ),
        "share",
        "AMT_ANNUITY AMT_CREDIT",
        _monthly_rate,
        formatter=_format_rate,
    ),
    "age_at_payoff_years": _measure(
        ("Age at the end of the loan", "Âge à la fin du prêt"),
        "years",
        "DAYS_BIRTH AMT_CREDIT AMT_ANNUITY",
        lambda inputs: _years_since("DAYS_BIRTH", inputs) + inputs.value("credit_to_annuity") / 12,
        formatter=i18n.format_age,
    ),
    "instalments_elsewhere": _measure(
        ("Known monthly instalments with other lenders", "Mensualités connues auprès d'autres prêteurs"),
        "currency",
        "",
        lambda inputs: inputs.feature("bureau_annuity_sum_active"),
        features=("bureau_annuity_sum_active",),
    ),
    "instalments_here": _measure(
        ("Monthly instalments of the loans open with us", "Mensualités des prêts en cours chez nous"),
        "currency",
        "",
        lambda inputs: inputs.feature("previous_open_annuity_sum"),
        features=("previous_open_annuity_sum",),
    ),
    "instalments_to_income": _measure(
        ("All known monthly instalments compared with income", "Ensemble des mensualités connues rapporté aux revenus"),
        "share",
        "AMT_ANNUITY AMT_INCOME_TOTAL",
        _instalments_to_income,
        features=("bureau_annuity_sum_active", "previous_open_annuity_sum"),
        parts=("AMT_ANNUITY", "instalments_elsewhere", "instalments_here", "AMT_INCOME_TOTAL"),
    ),
}
"""By name, which is that of the column where it is one; a model folder has the usual ranges (`has_usual_range`)."""

APPLICATION_COLUMNS = tuple(
    column.name
    for column in APPLICATION
    if column.name in FIELDS or any(column.name in measure.fields for measure in MEASURES.values())
)
"""Columns of the application that measures and known fields are computed from."""
HISTORY_FEATURES = tuple(
    sorted(frozenset(COUNTS_OF_ROWS.values()).union(*(measure.features for measure in MEASURES.values())))
)
"""Features of the histories that they are computed from."""
