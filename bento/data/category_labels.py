"""Categories of the application in words, in both languages: the page and the reasons show the same."""

from bento.i18n import NO, YES, TextPair, Wording

_FLAGS: dict[str, TextPair] = {"N": NO, "Y": YES, "No": NO, "Yes": YES}
_NOT_STATED: TextPair = ("not stated", "non précisé")
_COMPANY: dict[str, TextPair] = {
    "Unaccompanied": ("unaccompanied", "sans accompagnant"),
    "Family": ("family", "famille"),
    "Spouse, partner": ("spouse or partner", "conjoint ou partenaire"),
    "Children": ("children", "enfants"),
    "Other_A": ("other (A)", "autre (A)"),
    "Other_B": ("other (B)", "autre (B)"),
    "Group of people": ("group of people", "groupe de personnes"),
}
_ORGANIZATIONS: dict[str, TextPair] = {
    "Advertising": ("advertising", "publicité"),
    "Agriculture": ("agriculture", "agriculture"),
    "Bank": ("bank", "banque"),
    "Cleaning": ("cleaning", "nettoyage"),
    "Construction": ("construction", "bâtiment et travaux publics"),
    "Culture": ("culture", "culture"),
    "Electricity": ("electricity", "électricité"),
    "Emergency": ("emergency services", "services de secours"),
    "Government": ("government", "administration publique"),
    "Hotel": ("hotels", "hôtellerie"),
    "Housing": ("housing", "logement"),
    "Insurance": ("insurance", "assurance"),
    "Kindergarten": ("nursery school", "école maternelle"),
    "Legal Services": ("legal services", "services juridiques"),
    "Medicine": ("health care", "santé"),
    "Military": ("armed forces", "armée"),
    "Mobile": ("mobile telephony", "téléphonie mobile"),
    "Other": ("other", "autre"),
    "Police": ("police", "police"),
    "Postal": ("postal services", "services postaux"),
    "Realtor": ("estate agency", "agence immobilière"),
    "Religion": ("religious organisation", "organisation religieuse"),
    "Restaurant": ("restaurants", "restauration"),
    "School": ("school", "établissement scolaire"),
    "Security": ("security", "sécurité privée"),
    "Security Ministries": ("ministry of security", "ministère de la sécurité"),
    "Self-employed": ("self-employed", "travail indépendant"),
    "Services": ("services", "services"),
    "Telecom": ("telecommunications", "télécommunications"),
    "University": ("university", "université"),
    "XNA": _NOT_STATED,
    **{f"Business Entity Type {n}": (f"company (type {n})", f"entreprise (type {n})") for n in (1, 2, 3)},
    **{f"Industry: type {n}": (f"industry (type {n})", f"industrie (type {n})") for n in range(1, 14)},
    **{f"Trade: type {n}": (f"trade (type {n})", f"commerce (type {n})") for n in range(1, 8)},
    **{f"Transport: type {n}": (f"transport (type {n})", f"transports (type {n})") for n in range(1, 5)},
}

CATEGORY_LABELS: dict[str, dict[str, TextPair]] = {
    "NAME_CONTRACT_TYPE": {
        "Cash loans": ("cash loan", "prêt personnel"),
        "Revolving loans": ("revolving credit", "crédit renouvelable"),
    },
    "CODE_GENDER": {"F": ("F", "F"), "M": ("M", "M"), "XNA": _NOT_STATED},
    "FLAG_OWN_CAR": _FLAGS,
    "FLAG_OWN_REALTY": _FLAGS,
    "NAME_TYPE_SUITE": _COMPANY,
    "NAME_INCOME_TYPE": {
        "Businessman": ("business owner", "chef d'entreprise"),
        "Commercial associate": ("employee of a commercial company", "salarié d'une entreprise commerciale"),
        "Maternity leave": ("maternity leave", "congé de maternité"),
        "Pensioner": ("pensioner", "retraité"),
        "State servant": ("civil servant", "fonctionnaire"),
        "Student": ("student", "étudiant"),
        "Unemployed": ("unemployed", "sans emploi"),
        "Working": ("employee", "salarié"),
    },
    "NAME_EDUCATION_TYPE": {
        "Lower secondary": ("lower secondary school", "collège"),
        "Secondary / secondary special": ("secondary or vocational school", "lycée ou lycée professionnel"),
        "Incomplete higher": ("unfinished higher education", "études supérieures inachevées"),
        "Higher education": ("higher education", "études supérieures"),
        "Academic degree": ("postgraduate degree", "doctorat"),
    },
    "NAME_FAMILY_STATUS": {
        "Civil marriage": ("cohabiting", "concubinage"),
        "Married": ("married", "marié(e)"),
        "Separated": ("separated", "séparé(e)"),
        "Single / not married": ("single", "célibataire"),
        "Unknown": ("not stated", "non précisée"),
        "Widow": ("widowed", "veuf ou veuve"),
    },
    "NAME_HOUSING_TYPE": {
        "Co-op apartment": ("flat in a housing cooperative", "appartement en coopérative"),
        "House / apartment": ("house or flat", "maison ou appartement"),
        "Municipal apartment": ("council flat", "logement municipal"),
        "Office apartment": ("flat provided by the employer", "logement de fonction"),
        "Rented apartment": ("rented flat", "appartement loué"),
        "With parents": ("with parents", "chez les parents"),
    },
    "OCCUPATION_TYPE": {
        "Accountants": ("accounting", "comptabilité"),
        "Cleaning staff": ("cleaning", "nettoyage"),
        "Cooking staff": ("cooking", "cuisine"),
        "Core staff": ("operational staff", "personnel opérationnel"),
        "Drivers": ("driving", "conduite de véhicules"),
        "HR staff": ("human resources", "ressources humaines"),
        "High skill tech staff": ("highly skilled technical work", "technique, très qualifié"),
        "IT staff": ("information technology", "informatique"),
        "Laborers": ("manual work", "travail manuel"),
        "Low-skill Laborers": ("low-skilled manual work", "travail manuel peu qualifié"),
        "Managers": ("management", "encadrement"),
        "Medicine staff": ("health care", "santé"),
        "Private service staff": ("services to private persons", "services aux particuliers"),
        "Realty agents": ("estate agency", "immobilier"),
        "Sales staff": ("sales", "vente"),
        "Secretaries": ("secretarial work", "secrétariat"),
        "Security staff": ("security", "sécurité"),
        "Waiters/barmen staff": ("waiting and bar work", "service en salle ou au bar"),
    },
    "WEEKDAY_APPR_PROCESS_START": {
        "MONDAY": ("Monday", "lundi"),
        "TUESDAY": ("Tuesday", "mardi"),
        "WEDNESDAY": ("Wednesday", "mercredi"),
        "THURSDAY": ("Thursday", "jeudi"),
        "FRIDAY": ("Friday", "vendredi"),
        "SATURDAY": ("Saturday", "samedi"),
        "SUNDAY": ("Sunday", "dimanche"),
    },
    "ORGANIZATION_TYPE": _ORGANIZATIONS,
    "FONDKAPREMONT_MODE": {
        "not specified": _NOT_STATED,
        "org spec account": ("special account of the organisation", "compte spécial de l'organisme"),
        "reg oper account": ("account of the regional operator", "compte de l'opérateur régional"),
        "reg oper spec account": ("special account of the regional operator", "compte spécial de l'opérateur régional"),
    },
    "HOUSETYPE_MODE": {
        "block of flats": ("block of flats", "immeuble collectif"),
        "specific housing": ("special housing", "logement particulier"),
        "terraced house": ("terraced house", "maison mitoyenne"),
    },
    "WALLSMATERIAL_MODE": {
        "Block": ("blocks", "blocs"),
        "Mixed": ("mixed", "mixtes"),
        "Monolithic": ("cast concrete", "béton coulé"),
        "Others": ("other", "autres"),
        "Panel": ("panels", "panneaux"),
        "Stone, brick": ("stone or brick", "pierre ou brique"),
        "Wooden": ("wood", "bois"),
    },
    "EMERGENCYSTATE_MODE": _FLAGS,
}
"""By column of the application and its declared category, in English and French; lower case, to stand in a sentence."""


def category_wording(column: str, category: object) -> Wording | None:
    """Return a category of a column of the application in words; None for what is no declared one.

    >>> category_wording("NAME_INCOME_TYPE", "Working").fr
    'salarié'
    """
    words = CATEGORY_LABELS[column].get(category) if isinstance(category, str) else None
    return None if words is None else Wording(en=words[0], fr=words[1])
