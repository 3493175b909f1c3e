"""Features of the loan application: terms, income, employment, identity, housing, external scores."""

from collections.abc import Mapping

import polars as pl

from bento.features.feature import Feature, ratio
from bento.tables import APPLICATION

EXT = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")
YEAR = 365.25
MATERNITY = "Maternity leave"


def _years_before(column: str) -> pl.Expr:
    return -pl.col(column) / YEAR


def _category(column: str, name: str, group: str, en: str, fr: str, without: str = "") -> Feature:
    """A column taken as it is; `without` is a value that must not weigh on a decision, taken as unknown."""
    value = pl.col(column)
    if without:
        value = pl.when(value != without).then(value)
    categories = tuple(known for known in APPLICATION[column].categories if known != without)
    return Feature(f"application_{name}", value, group, en, fr, "", categories=categories)  # type: ignore[arg-type]


_N = "application_"
FEATURES: tuple[Feature, ...] = (
    *(
        Feature(
            f"{_N}ext_source_{number}",
            pl.col(f"EXT_SOURCE_{number}"),
            "external_scores",
            f"External score {number}",
            f"Score externe {number}",
            "score",
            -1,
        )
        for number in (1, 2, 3)
    ),
    Feature(
        f"{_N}ext_source_mean",
        pl.mean_horizontal(EXT),
        "external_scores",
        "Mean of the external scores",
        "Moyenne des scores externes",
        "score",
        -1,
    ),
    Feature(
        f"{_N}ext_source_min",
        pl.min_horizontal(EXT),
        "external_scores",
        "Lowest external score",
        "Score externe le plus bas",
        "score",
        -1,
    ),
    Feature(
        f"{_N}ext_source_max",
        pl.max_horizontal(EXT),
        "external_scores",
        "Highest external score",
        "Score externe le plus haut",
        "score",
        -1,
    ),
    Feature(
        f"{_N}ext_source_range",
        pl.max_horizontal(EXT) - pl.min_horizontal(EXT),
        "external_scores",
        "Gap between the highest and the lowest external score",
        "Écart entre le plus haut et le plus bas score externe",
        "score",
    ),
    Feature(
        f"{_N}ext_source_missing",
        pl.sum_horizontal(pl.col(name).is_null() for name in EXT),
        "external_scores",
        "External scores that are missing",
        "Scores externes manquants",
    ),
    Feature(f"{_N}credit", pl.col("AMT_CREDIT"), "credit_terms", "Amount of the loan", "Montant du prêt", "currency"),
    Feature(f"{_N}annuity", pl.col("AMT_ANNUITY"), "credit_terms", "Instalment", "Mensualité", "currency"),
    Feature(
        f"{_N}goods_price",
        pl.col("AMT_GOODS_PRICE"),
        "credit_terms",
        "Price of the goods",
        "Prix du bien financé",
        "currency",
    ),
    Feature(
        f"{_N}credit_to_annuity",
        ratio("AMT_CREDIT", "AMT_ANNUITY"),
        "credit_terms",
        "Loan over instalment (how long it takes to repay)",
        "Prêt rapporté à la mensualité (durée de remboursement)",
        "months",
    ),
    Feature(
        f"{_N}credit_to_goods_price",
        ratio("AMT_CREDIT", "AMT_GOODS_PRICE"),
        "credit_terms",
        "Loan over price of the goods",
        "Prêt rapporté au prix du bien",
        "share",
        1,
    ),
    _category("NAME_CONTRACT_TYPE", "contract_type", "credit_terms", "Kind of loan", "Type de prêt"),
    Feature(f"{_N}income", pl.col("AMT_INCOME_TOTAL"), "income_burden", "Income", "Revenus", "currency"),
    Feature(
        f"{_N}annuity_to_income",
        ratio("AMT_ANNUITY", "AMT_INCOME_TOTAL"),
        "income_burden",
        "Instalment over income",
        "Mensualité rapportée aux revenus",
        "share",
        1,
    ),
    Feature(
        f"{_N}credit_to_income",
        ratio("AMT_CREDIT", "AMT_INCOME_TOTAL"),
        "income_burden",
        "Loan over income",
        "Prêt rapporté aux revenus",
        "share",
    ),
    Feature(
        f"{_N}income_per_family_member",
        ratio("AMT_INCOME_TOTAL", "CNT_FAM_MEMBERS"),
        "income_burden",
        "Income for each family member",
        "Revenus par membre du foyer",
        "currency",
    ),
    Feature(f"{_N}children", pl.col("CNT_CHILDREN"), "income_burden", "Children", "Enfants"),
    _category(
        "NAME_INCOME_TYPE", "income_type", "employment", "Source of income", "Source de revenus", without=MATERNITY
    ),
    _category("OCCUPATION_TYPE", "occupation", "employment", "Occupation", "Profession"),
    _category("ORGANIZATION_TYPE", "organization", "employment", "Kind of employer", "Type d'employeur"),
    _category("NAME_EDUCATION_TYPE", "education", "employment", "Education", "Niveau d'études"),
    Feature(
        f"{_N}employed_years",
        _years_before("DAYS_EMPLOYED"),
        "employment",
        "Time in the present employment",
        "Ancienneté dans l'emploi actuel",
        "years",
        -1,
    ),
    Feature(
        f"{_N}employed_to_age",
        ratio("DAYS_EMPLOYED", "DAYS_BIRTH"),
        "employment",
        "Time in the present employment over age",
        "Ancienneté dans l'emploi rapportée à l'âge",
        "share",
        -1,
    ),
    Feature(f"{_N}age_years", _years_before("DAYS_BIRTH"), "identity_contact", "Age", "Âge", "years", -1),
    Feature(
        f"{_N}id_change_years",
        _years_before("DAYS_ID_PUBLISH"),
        "identity_contact",
        "Time since the identity document changed",
        "Temps depuis le changement de pièce d'identité",
        "years",
    ),
    Feature(
        f"{_N}registration_years",
        _years_before("DAYS_REGISTRATION"),
        "identity_contact",
        "Time since the registration changed",
        "Temps depuis le changement d'enregistrement",
        "years",
    ),
    Feature(
        f"{_N}phone_change_years",
        _years_before("DAYS_LAST_PHONE_CHANGE"),
        "identity_contact",
        "Time since the phone changed",
        "Temps depuis le changement de téléphone",
        "years",
    ),
    Feature(
        f"{_N}work_phone",
        pl.col("FLAG_WORK_PHONE"),
        "identity_contact",
        "Gave a home phone",
        "Téléphone du domicile fourni",
        "flag",
    ),
    Feature(
        f"{_N}work_city_differs",
        pl.col("REG_CITY_NOT_WORK_CITY"),
        "identity_contact",
        "Works in another city than registered",
        "Travaille dans une autre ville que celle d'enregistrement",
        "flag",
        1,
    ),
    Feature(
        f"{_N}acquaintances_default_30",
        pl.col("DEF_30_CNT_SOCIAL_CIRCLE"),
        "identity_contact",
        "Acquaintances in default (30 days)",
        "Proches en défaut (30 jours)",
    ),
    Feature(
        f"{_N}acquaintances_observed_30",
        pl.col("OBS_30_CNT_SOCIAL_CIRCLE"),
        "identity_contact",
        "Acquaintances observed (30 days)",
        "Proches observés (30 jours)",
    ),
    _category("NAME_FAMILY_STATUS", "family_status", "identity_contact", "Family status", "Situation familiale"),
    _category("NAME_HOUSING_TYPE", "housing", "housing", "Housing", "Logement"),
    _category("FLAG_OWN_CAR", "owns_car", "housing", "Owns a car", "Possède une voiture"),
    _category("FLAG_OWN_REALTY", "owns_realty", "housing", "Owns a house or flat", "Propriétaire de son logement"),
    Feature(f"{_N}car_age", pl.col("OWN_CAR_AGE"), "housing", "Age of the car", "Âge de la voiture", "years"),
    Feature(
        f"{_N}region_rating",
        pl.col("REGION_RATING_CLIENT_W_CITY"),
        "housing",
        "Rating of region and city (3 is riskiest)",
        "Note de la région et de la ville (3 : la plus risquée)",
        "rank",
        1,
    ),
    Feature(
        f"{_N}region_population",
        pl.col("REGION_POPULATION_RELATIVE"),
        "housing",
        "Population of the region, scaled",
        "Population de la région, normalisée",
        "share",
    ),
    Feature(
        f"{_N}building_total_area",
        pl.col("TOTALAREA_MODE"),
        "housing",
        "Total area of the building, scaled",
        "Surface totale de l'immeuble, normalisée",
        "share",
    ),
    Feature(
        f"{_N}building_floors_max",
        pl.col("FLOORSMAX_AVG"),
        "housing",
        "Highest floor of the building, scaled",
        "Étage le plus haut de l'immeuble, normalisé",
        "share",
    ),
    Feature(
        f"{_N}documents",
        pl.sum_horizontal(f"FLAG_DOCUMENT_{number}" for number in range(2, 22)),
        "documents",
        "Documents given",
        "Documents fournis",
    ),
    Feature(f"{_N}document_3", pl.col("FLAG_DOCUMENT_3"), "documents", "Gave document 3", "Document 3 fourni", "flag"),
    Feature(
        f"{_N}fields_missing",
        pl.sum_horizontal(
            pl.col(column.name).is_null() for column in APPLICATION if not (column.required or column.audit_only)
        ),
        "documents",
        "Fields of the application left empty",
        "Champs de la demande laissés vides",
    ),
    Feature(
        f"{_N}enquiries_year",
        pl.col("AMT_REQ_CREDIT_BUREAU_YEAR"),
        "bureau_history",
        "Enquiries to the credit bureau in the year",
        "Interrogations du fichier de crédit sur un an",
        risk=1,
    ),
    Feature(
        f"{_N}enquiries_quarter",
        pl.col("AMT_REQ_CREDIT_BUREAU_QRT"),
        "bureau_history",
        "Enquiries to the credit bureau in the quarter",
        "Interrogations du fichier de crédit sur un trimestre",
    ),
)


def application_features(tables: Mapping[str, pl.DataFrame], features: tuple[Feature, ...]) -> pl.DataFrame:
    """One row for each application: SK_ID_CURR and the named features."""
    return tables["application"].select("SK_ID_CURR", *(feature.column for feature in features))
