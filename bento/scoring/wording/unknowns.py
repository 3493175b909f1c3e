"""Unknown data of a client: the reasons that name it, what is missing and what to bring, in both languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from bento.data.tables import APPLICATION, OPEN_ENDED, WITHOUT_JOB, Column
from bento.features.catalogue import CATALOGUE, table_of
from bento.features.definitions import Group, Value
from bento.i18n import NARROW_SPACE, TextPair, Wording
from bento.rules.fields import FIELDS
from bento.scoring.wording.facts import Direction

COUNTS_OF_ROWS = {
    "bureau_balance_": "bureau_balance_months",
    "bureau_": "bureau_credits",
    "previous_": "previous_applications",
    "pos_": "pos_months",
    "installments_": "installments_count",
    "card_": "card_months",
}
"""By prefix of its features, the feature that counts the rows of a history; a longer prefix comes first."""


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """Something that is not known: its code, and the sentences; `{}` stands for the missing items."""

    code: str
    group: Group
    """The concept that it is shown beside."""
    missing: TextPair
    bring: TextPair

    def text(self, items: Sequence[TextPair] = ()) -> Wording:
        """Return what is missing, in the order of `ITEMS`, what follows from it, and what to bring."""
        ordered = [words for words in dict.fromkeys(ITEMS.values()) if words in items]
        en, fr = (", ".join(words[language] for words in ordered) for language in (0, 1))
        return Wording(
            en=f"{self.missing[0].format(en)} This raises your estimated risk of default. {self.bring[0]}",
            fr=f"{self.missing[1].format(fr)} Cela augmente votre risque d'impayé estimé. {self.bring[1]}",
        )


def _application(code: str, group: Group, bring: TextPair) -> Unknown:
    missing = ("Missing from your application: {}.", f"Il manque dans votre demande{NARROW_SPACE}: {{}}.")
    return Unknown(code=code, group=group, missing=missing, bring=bring)


_BY_GROUP: dict[Group, Unknown] = {
    "external_scores": Unknown(
        code="U01",
        group="external_scores",
        missing=("We do not know: {}.", f"Il nous manque{NARROW_SPACE}: {{}}."),
        bring=(
            "Ask us which agencies these are, and have them correct or complete what they hold about you.",
            "Demandez-nous de quels organismes il s'agit et faites-leur corriger ou compléter vos données.",
        ),
    ),
    "credit_terms": _application(
        "U02", "credit_terms", ("Bring the quote or the invoice.", "Apportez le devis ou la facture.")
    ),
    "income_burden": _application(
        "U03",
        "income_burden",
        ("Bring your latest tax notice.", "Apportez votre dernier avis d'imposition."),
    ),
    "employment": _application(
        "U04",
        "employment",
        (
            "Bring a certificate of employment, or of studies, and your latest payslip.",
            "Apportez une attestation d'emploi ou de formation et votre dernier bulletin de salaire.",
        ),
    ),
    "identity_contact": _application(
        "U05",
        "identity_contact",
        (
            "Give us these details, with your identity document and a recent proof of address.",
            "Communiquez-nous ces informations, avec votre pièce d'identité et un justificatif de domicile récent.",
        ),
    ),
    "housing": _application(
        "U06",
        "housing",
        (
            "Bring your tenancy agreement or title deed and, for a car, its registration document.",
            "Apportez votre bail ou votre titre de propriété et, pour une voiture, sa carte grise.",
        ),
    ),
    "documents": _application(
        "U07",
        "documents",
        (
            "Bring the supporting documents that we asked for.",
            "Apportez les pièces justificatives que nous vous avons demandées.",
        ),
    ),
    "bureau_history": Unknown(
        code="U09",
        group="bureau_history",
        missing=("We do not know: {}.", f"Il nous manque{NARROW_SPACE}: {{}}."),
        bring=(
            "Bring the report that the credit bureau holds about you.",
            "Apportez le relevé que le fichier des crédits tient à votre sujet.",
        ),
    ),
}
"""Fields of the application that are not given, by the concept of the features that read them."""
_STATEMENTS: TextPair = (
    "Bring the statements of your current and closed credit accounts.",
    "Apportez les relevés de vos crédits en cours et soldés.",
)
_BY_HISTORY: dict[str, Unknown] = {
    "bureau_": Unknown(
        code="U08",
        group="bureau_debt",
        missing=(
            "We do not know your credit accounts with other lenders.",
            "Nous ne connaissons pas vos crédits auprès d'autres prêteurs.",
        ),
        bring=_STATEMENTS,
    ),
    "bureau_balance_": Unknown(
        code="U13",
        group="bureau_history",
        missing=(
            "We do not know the monthly history of your credit accounts with other lenders.",
            "Nous ne connaissons pas l'historique mensuel de vos crédits auprès d'autres prêteurs.",
        ),
        bring=_STATEMENTS,
    ),
    "previous_": Unknown(
        code="U10",
        group="past_applications",
        missing=(
            "We know of no earlier application of yours with us.",
            "Nous ne connaissons aucune demande antérieure de votre part chez nous.",
        ),
        bring=_STATEMENTS,
    ),
    "pos_": Unknown(
        code="U14",
        group="instalment_discipline",
        missing=(
            "We do not know the monthly history of your earlier loans with us.",
            "Nous ne connaissons pas l'historique mensuel de vos prêts antérieurs chez nous.",
        ),
        bring=_STATEMENTS,
    ),
    "installments_": Unknown(
        code="U11",
        group="instalment_discipline",
        missing=(
            "We do not know how you paid the instalments of loans with us.",
            "Nous ne savons pas comment vous avez payé les mensualités de prêts chez nous.",
        ),
        bring=_STATEMENTS,
    ),
    "card_": Unknown(
        code="U12",
        group="card_use",
        missing=("We know of no card of yours with us.", "Nous ne connaissons aucune carte de votre part chez nous."),
        bring=(
            "Bring the statements of the cards that you use elsewhere.",
            "Apportez les relevés des cartes que vous utilisez ailleurs.",
        ),
    ),
}
UNKNOWNS: tuple[Unknown, ...] = tuple(
    {unknown.code: unknown for unknown in (*_BY_GROUP.values(), *_BY_HISTORY.values())}.values()
)
"""Everything that a reason may say is not known. The codes never change, like those of the concepts."""
_WIDER = {
    "bureau_balance_": ("bureau_",),
    "pos_": ("previous_", "installments_"),
    "installments_": ("previous_",),
    "card_": ("previous_",),
}
"""By history those that say more, the widest first: where such a one has no rows either, it alone is named."""
_LOAN_COLUMNS = {"AMT_ANNUITY", "AMT_GOODS_PRICE", "NAME_CONTRACT_TYPE"}

ITEMS: dict[str, TextPair] = {
    **{name: words for name, words in FIELDS.items() if name in APPLICATION.schema},
    "AMT_ANNUITY": ("monthly instalment", "mensualité"),
    "OWN_CAR_AGE": ("age of your car", "âge de votre voiture"),
    "FLAG_OWN_CAR": ("whether you own a car", "possession d'une voiture"),
    "FLAG_OWN_REALTY": ("whether you own your home", "propriété de votre logement"),
    "REGION_POPULATION_RELATIVE": ("your region", "votre région"),
    **dict.fromkeys(
        [column.name for column in APPLICATION if column.name.startswith("REG_")],
        ("towns where you live and work", "villes où vous vivez et travaillez"),
    ),
    **dict.fromkeys(
        [column.name for column in APPLICATION if column.name.startswith("AMT_REQ_CREDIT_BUREAU")],
        ("enquiries about you to the credit bureau", "consultations de votre dossier au fichier des crédits"),
    ),
    **dict.fromkeys(
        [column.name for column in APPLICATION if column.name.endswith(("_AVG", "_MODE", "_MEDI"))]
        + ["building_fields_missing"],
        ("description of your building", "description de votre immeuble"),
    ),
    **dict.fromkeys(
        [column.name for column in APPLICATION if column.name.startswith("FLAG_") and column.unit == "flag"],
        ("contact details and documents", "coordonnées et pièces justificatives"),
    ),
}
"""Columns of the application that may be missing, in words that follow a colon."""
JOB_COLUMNS = ("DAYS_EMPLOYED", "ORGANIZATION_TYPE", "OCCUPATION_TYPE")
WITHOUT_CAR: TextPair = (
    "Age of your car: not applicable (no car)",
    f"Âge de votre voiture{NARROW_SPACE}: sans objet (pas de voiture)",
)
WITHOUT_JOB_TEXTS: dict[tuple[str, Direction], TextPair] = {
    ("Pensioner", "lowers"): (
        "Present employment: not applicable (retired)",
        f"Emploi actuel{NARROW_SPACE}: sans objet (retraite)",
    ),
    ("Unemployed", "raises"): (
        "Present employment: not applicable (no employment)",
        f"Emploi actuel{NARROW_SPACE}: sans objet (sans emploi)",
    ),
}
"""By NAME_INCOME_TYPE, and the direction in which it makes sense, why the columns of a job are empty."""


def unknown_of(
    feature: str, values: Mapping[str, Value], application: Mapping[str, Any]
) -> tuple[Unknown, list[TextPair]] | None:
    """Return the unknown data behind a feature, with the missing items; None where there is none.

    A history without rows is not known, and so is what it counts or adds up to 0. A null of a history with rows is no
    missing item: there is nothing of that kind in it. Nor is a field of the application that cannot be given: the
    employment of a pensioner, the age of a car of someone without one.
    """
    if (history := empty_history(feature, values)) is not None:
        return _BY_HISTORY[history], []
    if values[feature] is not None and not feature.endswith("_missing"):
        return None
    columns = {column for column in _columns(feature) if is_missing(column, application)}
    unknown = _BY_GROUP.get("credit_terms" if columns & _LOAN_COLUMNS else CATALOGUE[feature].group)
    items = list(dict.fromkeys(ITEMS[column] for column in sorted(columns)))
    return (unknown, items) if items and unknown is not None else None


@cache
def _columns(feature: str) -> frozenset[str]:
    """Return the columns of the application that a feature is computed from and that have words."""
    return CATALOGUE[feature].roots & ITEMS.keys() if table_of(feature) in ("application", "combined") else frozenset()


@cache
def _prefix(feature: str) -> str | None:
    """Return the prefix of the history that a feature is of."""
    return next((prefix for prefix in COUNTS_OF_ROWS if feature.startswith(prefix)), None)


def empty_history(feature: str, values: Mapping[str, Value]) -> str | None:
    """Return the prefix of the history without rows that a feature is of, the widest one; None where it has rows."""
    prefix = _prefix(feature)
    if prefix is None or values.get(COUNTS_OF_ROWS[prefix]) != 0:
        return None
    wider = (other for other in _WIDER.get(prefix, ()) if values.get(COUNTS_OF_ROWS[other]) == 0)
    return next(wider, prefix)


def is_missing(column: str, application: Mapping[str, Any]) -> bool:
    """Whether an application lacks a column that it could hold."""
    if column == "building_fields_missing":
        return any(_is_unknown(field, application) for field in APPLICATION if field.name.endswith("_AVG"))
    if not _is_unknown(APPLICATION[column], application):
        return False
    if column in JOB_COLUMNS and application.get("NAME_INCOME_TYPE") in WITHOUT_JOB:
        return False
    return not (column == "OWN_CAR_AGE" and application.get("FLAG_OWN_CAR") == "N")


def not_applicable(column: str, application: Mapping[str, Any], direction: Direction) -> TextPair | None:
    """Return why a field cannot be given, where that makes sense in a direction; None where it can be, or is given."""
    if column not in (*JOB_COLUMNS, "OWN_CAR_AGE") or not _is_unknown(APPLICATION[column], application):
        return None
    if column in JOB_COLUMNS:
        return WITHOUT_JOB_TEXTS.get((str(application.get("NAME_INCOME_TYPE")), direction))
    return WITHOUT_CAR if application.get("FLAG_OWN_CAR") == "N" and direction == "raises" else None


def _is_unknown(column: Column, application: Mapping[str, Any]) -> bool:
    value = application.get(column.name)
    if value is None or value in column.missing_codes or value == OPEN_ENDED:
        return True
    if column.kind == "category":
        return value not in column.known_categories
    low, high = column.plausible_range
    return not low <= value <= high
