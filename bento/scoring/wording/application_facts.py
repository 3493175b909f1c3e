"""Facts of the loan application that may be quoted to a client."""

from bento import i18n
from bento.features.application import FEATURES
from bento.scoring.wording.formats import format_bare_score, format_score, format_years_ago
from bento.scoring.wording.quotable import Quotable, adverse

_ORGANIZATIONS_WITHOUT_WORDS = ("Business Entity", "Industry:", "Trade:", "Transport:", "Other")
_ORGANIZATIONS = frozenset(
    category
    for feature in FEATURES
    if feature.name == "application_organization"
    for category in feature.categories
    if category != "XNA" and not category.startswith(_ORGANIZATIONS_WITHOUT_WORDS)
)
_YES, _NO = frozenset({"Y", "Yes"}), frozenset({"N", "No"})

QUOTABLES: tuple[Quotable, ...] = (
    *(
        Quotable(
            f"application_ext_source_{number}",
            "lowers",
            f"External score {number}",
            f"Score externe {number}",
            formatter=format_score,
            usual_formatter=format_bare_score,
            beyond=0.5,
        )
        for number in (1, 2, 3)
    ),
    # Terms of the loan
    Quotable("application_credit", "either", "Amount of the loan", "Montant du prêt"),
    Quotable("application_annuity", "either", "Monthly instalment", "Mensualité"),
    Quotable("application_goods_price", "either", "Price of the goods", "Prix du bien financé"),
    Quotable(
        "application_credit_to_annuity",
        "either",
        "Repayment period, not counting interest",
        "Durée de remboursement, hors intérêts",
    ),
    Quotable(
        "application_credit_to_goods_price",
        "raises",
        "Loan compared with the price of the goods",
        "Prêt rapporté au prix du bien financé",
        beyond=1.0,
    ),
    Quotable("application_contract_type", "either", "Kind of loan", "Type de prêt"),
    Quotable(
        "application_age_at_payoff_years",
        "either",
        "Your age at the end of the loan",
        "Votre âge à la fin du prêt",
        formatter=i18n.format_age,
    ),
    # Income and burden
    Quotable("application_income", "lowers", "Income", "Revenus"),
    Quotable(
        "application_annuity_to_income",
        "raises",
        "Monthly instalment compared with income",
        "Mensualité rapportée aux revenus",
    ),
    Quotable("application_credit_to_income", "raises", "Loan compared with income", "Prêt rapporté aux revenus"),
    Quotable(
        "application_income_per_family_member",
        "lowers",
        "Income per member of the household",
        "Revenus par membre du foyer",
        thing="application_income",
    ),
    Quotable("application_family_members", "raises", "Members of the household", "Membres du foyer", thing="household"),
    Quotable("application_children", "raises", "Children", "Enfants", thing="household"),
    # Employment and education
    Quotable(
        "application_income_type",
        "either",
        "Source of income",
        "Source de revenus",
        raising=frozenset({"Unemployed", "Student"}),
        lowering=frozenset({"Pensioner", "State servant", "Working", "Businessman", "Commercial associate"}),
    ),
    Quotable("application_occupation", "either", "Occupation", "Profession"),
    Quotable(
        "application_organization",
        "either",
        "Line of business of your employer",
        "Secteur d'activité de votre employeur",
        raising=_ORGANIZATIONS,
        lowering=_ORGANIZATIONS,
    ),
    Quotable(
        "application_education",
        "either",
        "Education",
        "Niveau d'études",
        raising=frozenset({"Lower secondary", "Secondary / secondary special", "Incomplete higher"}),
        lowering=frozenset({"Higher education", "Academic degree", "Incomplete higher"}),
    ),
    Quotable(
        "application_employed_years", "lowers", "Time in your present employment", "Ancienneté dans votre emploi actuel"
    ),
    # Identity and contact
    Quotable("application_age_years", "lowers", "Your age", "Votre âge", formatter=i18n.format_age),
    Quotable(
        "application_id_change_years",
        "lowers",
        "Last change of your identity document",
        "Dernier changement de votre pièce d'identité",
        formatter=format_years_ago,
    ),
    Quotable(
        "application_registration_years",
        "lowers",
        "Last change of your registration",
        "Dernière modification de votre inscription administrative",
        formatter=format_years_ago,
    ),
    Quotable(
        "application_phone_change_years",
        "lowers",
        "Last change of your phone",
        "Dernier changement de votre téléphone",
        formatter=format_years_ago,
    ),
    *(
        Quotable(
            f"application_{name}_differs",
            "raises",
            f"{en} other than that of your permanent address",
            f"{fr} que celle de votre adresse permanente",
            beyond=0.0,
        )
        for name, en, fr in (
            ("live_region", "Home in a region", "Domicile dans une région autre"),
            ("work_region", "Workplace in a region", "Lieu de travail dans une région autre"),
            ("live_city", "Home in a town", "Domicile dans une ville autre"),
            ("work_city", "Workplace in a town", "Lieu de travail dans une ville autre"),
        )
    ),
    Quotable(
        "application_family_status",
        "either",
        "Family status",
        "Situation familiale",
        raising=frozenset({"Single / not married", "Separated", "Civil marriage"}),
        lowering=frozenset({"Married", "Widow"}),
    ),
    # Housing and region
    Quotable(
        "application_housing",
        "either",
        "Housing",
        "Logement",
        raising=frozenset({"With parents", "Rented apartment", "Municipal apartment"}),
        lowering=frozenset({"House / apartment", "Office apartment", "Co-op apartment"}),
    ),
    Quotable(
        "application_owns_car", "either", "Owner of a car", "Propriétaire d'une voiture", raising=_NO, lowering=_YES
    ),
    Quotable(
        "application_owns_realty",
        "either",
        "Owner of a house or flat",
        "Propriétaire d'un logement",
        raising=_NO,
        lowering=_YES,
    ),
    Quotable("application_car_age", "raises", "Age of your car", "Âge de votre voiture"),
    Quotable(
        "application_region_rating",
        "raises",
        "Rating of your region and town (1 is the safest, 3 the riskiest)",
        "Note de votre région et de votre ville (1 est la plus sûre, 3 la plus risquée)",
        beyond=1.0,
        best=1.0,
    ),
    Quotable(
        "application_building_unsafe",
        "either",
        "Building declared unsafe",
        "Immeuble déclaré dangereux",
        raising=_YES,
        lowering=frozenset({"-"}),
    ),
    # Enquiries: each window of the data leaves out the shorter one.
    *(
        adverse(
            f"application_enquiries_{name}",
            f"Enquiries about you to the credit bureau, {en}",
            f"Consultations de votre dossier au fichier des crédits, {fr}",
            thing="enquiries",
        )
        for name, en, fr in (
            ("week", "last week, excluding its last day", "dernière semaine, hors dernier jour"),
            ("month", "last month, excluding its last week", "dernier mois, hors dernière semaine"),
            (
                "quarter",
                "last quarter, excluding its last month",
                "dernier trimestre, hors dernier mois",
            ),
            ("year", "last year, excluding its last quarter", "dernière année, hors dernier trimestre"),
        )
    ),
    adverse(
        "application_enquiries",
        "Enquiries about you to the credit bureau, in all",
        "Consultations de votre dossier au fichier des crédits, au total",
        thing="enquiries",
    ),
)
QUOTED_AS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            *(f"application_ext_source_{name}" for name in ("mean", "min", "max", "range", "weighted", "product")),
            *(f"application_ext_source_{pair}" for pair in ("1_less_2", "2_less_3", "1_less_3")),
        ),
        tuple(f"application_ext_source_{number}" for number in (1, 2, 3)),
    ),
    "application_credit_to_ext_source_3": ("application_ext_source_3",),
    "application_annuity_to_ext_source_3": ("application_ext_source_3",),
    "application_goods_less_credit": ("application_credit_to_goods_price",),
    "application_income_per_child": ("application_income",),
    "application_employed_to_age": ("application_employed_years",),
    "application_hired_at_years": ("application_employed_years",),
    "application_id_changed_at_years": ("application_id_change_years",),
    "application_phone_change_to_age": ("application_phone_change_years",),
    "application_registration_to_age": ("application_registration_years",),
    "application_car_age_to_age": ("application_car_age",),
}
"""Features computed from several fields, and those of which their weight is quoted: the first that makes sense."""
NOT_QUOTED: dict[str, str] = {
    "application_ext_source_missing": "what is unknown is quoted as such",
    "application_(employer|home|other)_phone|application_email": "no client is judged by the phones given",
    "application_acquaintances_.*": "data about other people",
    "application_hour": "says nothing about the client",
    "application_region_population": "a scale without meaning to a client",
    "application_building_(?!unsafe).*": "scales from 0 to 1, codes and empty fields",
    "application_due_in_previous_term_to_credit": "a supposed term",
    "application_documents|application_document_.*": "no client is judged by having given a document",
}
"""Patterns of features that are not quoted, and why."""
