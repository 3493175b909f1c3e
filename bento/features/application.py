"""Features of the loan application: terms, income, employment, identity, housing, external scores."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import polars as pl

from bento.data.tables import APPLICATION
from bento.features.definitions import Feature, Group, over
from bento.i18n import DAYS_PER_YEAR

EXT = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")
_WEIGHTS = {"EXT_SOURCE_1": 2.0, "EXT_SOURCE_2": 1.0, "EXT_SOURCE_3": 3.0}
MATERNITY = "Maternity leave"


def _years_before(column: str) -> pl.Expr:
    return -pl.col(column) / DAYS_PER_YEAR


def _category(column: str, name: str, group: Group, en: str, fr: str, *, without: str = "") -> Feature:
    """Make a feature of a category; the value `without` must not weigh on a decision and becomes unknown."""
    value = pl.col(column)
    if without:
        value = pl.when(value != without).then(value)
    categories = tuple(category for category in APPLICATION[column].categories if category != without)
    return Feature(f"application_{name}", value, en, fr, group=group, unit="", categories=categories)


FEATURES: tuple[Feature, ...] = (
    *(
        Feature(
            f"application_ext_source_{number}",
            pl.col(f"EXT_SOURCE_{number}"),
            f"External score {number}",
            f"Score externe {number}",
            group="external_scores",
            unit="score",
            risk=-1,
            monotone=True,
        )
        for number in (1, 2, 3)
    ),
    *(
        Feature(
            f"application_ext_source_{name}",
            value,
            en,
            fr,
            group="external_scores",
            unit="score",
            risk=-1,
            monotone=True,
        )
        for name, value, en, fr in (
            ("mean", pl.mean_horizontal(EXT), "Mean of the external scores", "Moyenne des scores externes"),
            ("min", pl.min_horizontal(EXT), "Lowest external score", "Score externe le plus bas"),
            ("max", pl.max_horizontal(EXT), "Highest external score", "Score externe le plus haut"),
        )
    ),
    Feature(
        "application_ext_source_range",
        pl.max_horizontal(EXT) - pl.min_horizontal(EXT),
        "Gap between the highest and the lowest external score",
        "Écart entre le plus haut et le plus bas score externe",
        group="external_scores",
        unit="score",
    ),
    Feature(
        "application_ext_source_weighted",
        over(
            pl.sum_horizontal(weight * pl.col(name) for name, weight in _WEIGHTS.items()),
            pl.sum_horizontal(weight * pl.col(name).is_not_null() for name, weight in _WEIGHTS.items()),
        ),
        "Weighted mean of the external scores",
        "Moyenne pondérée des scores externes",
        group="external_scores",
        unit="score",
        risk=-1,
        monotone=True,
    ),
    Feature(
        "application_ext_source_product",
        pl.col("EXT_SOURCE_1") * pl.col("EXT_SOURCE_2") * pl.col("EXT_SOURCE_3"),
        "Product of the external scores",
        "Produit des scores externes",
        group="external_scores",
        unit="score",
        risk=-1,
        monotone=True,
    ),
    *(
        Feature(
            f"application_ext_source_{one}_less_{other}",
            pl.col(f"EXT_SOURCE_{one}") - pl.col(f"EXT_SOURCE_{other}"),
            f"External score {one} less score {other}",
            f"Score externe {one} moins score {other}",
            group="external_scores",
            unit="score",
        )
        for one, other in ((1, 2), (2, 3), (1, 3))
    ),
    *(
        Feature(
            f"application_{name}_to_ext_source_3",
            over(column, "EXT_SOURCE_3"),
            f"{en} over external score 3",
            f"{fr} rapporté au score externe 3",
            group="external_scores",
            unit="currency",
            risk=1,
        )
        for name, column, en, fr in (
            ("credit", "AMT_CREDIT", "Loan", "Prêt"),
            ("annuity", "AMT_ANNUITY", "Instalment", "Mensualité"),
        )
    ),
    Feature(
        "application_ext_source_missing",
        pl.sum_horizontal(pl.col(name).is_null() for name in EXT),
        "External scores that are missing",
        "Scores externes manquants",
        group="external_scores",
    ),
    Feature(
        "application_credit",
        pl.col("AMT_CREDIT"),
        "Amount of the loan",
        "Montant du prêt",
        group="credit_terms",
        unit="currency",
    ),
    Feature(
        "application_annuity", pl.col("AMT_ANNUITY"), "Instalment", "Mensualité", group="credit_terms", unit="currency"
    ),
    Feature(
        "application_goods_price",
        pl.col("AMT_GOODS_PRICE"),
        "Price of the goods",
        "Prix du bien financé",
        group="credit_terms",
        unit="currency",
    ),
    Feature(
        "application_credit_to_annuity",
        over("AMT_CREDIT", "AMT_ANNUITY"),
        "Loan over instalment (how long it takes to repay)",
        "Prêt rapporté à la mensualité (durée de remboursement)",
        group="credit_terms",
        unit="months",
    ),
    Feature(
        "application_credit_to_goods_price",
        over("AMT_CREDIT", "AMT_GOODS_PRICE"),
        "Loan over price of the goods",
        "Prêt rapporté au prix du bien",
        group="credit_terms",
        unit="share",
        risk=1,
    ),
    Feature(
        "application_goods_less_credit",
        pl.col("AMT_GOODS_PRICE") - pl.col("AMT_CREDIT"),
        "Price of the goods less the loan",
        "Prix du bien moins le prêt",
        group="credit_terms",
        unit="currency",
        risk=-1,
    ),
    _category("NAME_CONTRACT_TYPE", "contract_type", "credit_terms", "Kind of loan", "Type de prêt"),
    Feature(
        "application_income", pl.col("AMT_INCOME_TOTAL"), "Income", "Revenus", group="income_burden", unit="currency"
    ),
    Feature(
        "application_annuity_to_income",
        over("AMT_ANNUITY", "AMT_INCOME_TOTAL"),
        "Instalment over income",
        "Mensualité rapportée aux revenus",
        group="income_burden",
        unit="share",
        risk=1,
    ),
    Feature(
        "application_credit_to_income",
        over("AMT_CREDIT", "AMT_INCOME_TOTAL"),
        "Loan over income",
        "Prêt rapporté aux revenus",
        group="income_burden",
        unit="share",
    ),
    Feature(
        "application_income_per_family_member",
        over("AMT_INCOME_TOTAL", "CNT_FAM_MEMBERS"),
        "Income for each family member",
        "Revenus par membre du foyer",
        group="income_burden",
        unit="currency",
    ),
    Feature(
        "application_income_per_child",
        over("AMT_INCOME_TOTAL", 1 + pl.col("CNT_CHILDREN")),
        "Income over one more than the children",
        "Revenus rapportés au nombre d'enfants plus un",
        group="income_burden",
        unit="currency",
    ),
    Feature(
        "application_family_members",
        pl.col("CNT_FAM_MEMBERS"),
        "Family members",
        "Membres du foyer",
        group="income_burden",
    ),
    Feature("application_children", pl.col("CNT_CHILDREN"), "Children", "Enfants", group="income_burden"),
    _category(
        "NAME_INCOME_TYPE", "income_type", "employment", "Source of income", "Source de revenus", without=MATERNITY
    ),
    _category("OCCUPATION_TYPE", "occupation", "employment", "Occupation", "Profession"),
    _category("ORGANIZATION_TYPE", "organization", "employment", "Kind of employer", "Type d'employeur"),
    _category("NAME_EDUCATION_TYPE", "education", "employment", "Education", "Niveau d'études"),
    Feature(
        "application_employed_years",
        _years_before("DAYS_EMPLOYED"),
        "Time in the present employment",
        "Ancienneté dans l'emploi actuel",
        group="employment",
        unit="years",
        risk=-1,
    ),
    Feature(
        "application_employed_to_age",
        over("DAYS_EMPLOYED", "DAYS_BIRTH"),
        "Time in the present employment over age",
        "Ancienneté dans l'emploi rapportée à l'âge",
        group="employment",
        unit="share",
        risk=-1,
        uses_age=True,
    ),
    Feature(
        "application_hired_at_years",
        (pl.col("DAYS_EMPLOYED") - pl.col("DAYS_BIRTH")) / DAYS_PER_YEAR,
        "Age at hiring",
        "Âge à l'embauche",
        group="employment",
        unit="years",
        uses_age=True,
    ),
    Feature(
        "application_age_years",
        _years_before("DAYS_BIRTH"),
        "Age",
        "Âge",
        group="identity_contact",
        unit="years",
        risk=-1,
        uses_age=True,
    ),
    Feature(
        "application_id_changed_at_years",
        (pl.col("DAYS_ID_PUBLISH") - pl.col("DAYS_BIRTH")) / DAYS_PER_YEAR,
        "Age at the change of the identity document",
        "Âge au changement de pièce d'identité",
        group="identity_contact",
        unit="years",
        uses_age=True,
    ),
    *(
        Feature(
            f"application_{name}_to_age",
            over(column, "DAYS_BIRTH"),
            f"{en}, over age",
            f"{fr}, rapporté à l'âge",
            group="identity_contact",
            unit="share",
            uses_age=True,
        )
        for name, column, en, fr in (
            (
                "phone_change",
                "DAYS_LAST_PHONE_CHANGE",
                "Time since the phone changed",
                "Temps depuis le changement de téléphone",
            ),
            (
                "registration",
                "DAYS_REGISTRATION",
                "Time since the registration changed",
                "Temps depuis l'enregistrement",
            ),
        )
    ),
    Feature(
        "application_age_at_payoff_years",
        -pl.col("DAYS_BIRTH") / DAYS_PER_YEAR + over("AMT_CREDIT", "AMT_ANNUITY") / 12,
        "Age at the end of the loan",
        "Âge à la fin du prêt",
        group="credit_terms",
        unit="years",
        uses_age=True,
    ),
    Feature(
        "application_car_age_to_age",
        over(-pl.col("OWN_CAR_AGE") * DAYS_PER_YEAR, "DAYS_BIRTH"),
        "Age of the car over age",
        "Âge de la voiture rapporté à l'âge",
        group="housing",
        unit="share",
        uses_age=True,
    ),
    Feature(
        "application_id_change_years",
        _years_before("DAYS_ID_PUBLISH"),
        "Time since the identity document changed",
        "Temps depuis le changement de pièce d'identité",
        group="identity_contact",
        unit="years",
    ),
    Feature(
        "application_registration_years",
        _years_before("DAYS_REGISTRATION"),
        "Time since the registration changed",
        "Temps depuis le changement d'enregistrement",
        group="identity_contact",
        unit="years",
    ),
    Feature(
        "application_phone_change_years",
        _years_before("DAYS_LAST_PHONE_CHANGE"),
        "Time since the phone changed",
        "Temps depuis le changement de téléphone",
        group="identity_contact",
        unit="years",
    ),
    *(
        Feature(f"application_{name}", pl.col(column), en, fr, group="identity_contact", unit="flag", risk=risk)
        for name, column, en, fr, risk in (
            ("employer_phone", "FLAG_EMP_PHONE", "Gave a work phone", "Téléphone professionnel fourni", 0),
            ("home_phone", "FLAG_WORK_PHONE", "Gave a home phone", "Téléphone du domicile fourni", 0),
            ("other_phone", "FLAG_PHONE", "Gave another phone", "Autre téléphone fourni", 0),
            ("email", "FLAG_EMAIL", "Gave an email address", "Adresse électronique fournie", 0),
            (
                "live_region_differs",
                "REG_REGION_NOT_LIVE_REGION",
                "Lives in another region",
                "Vit dans une autre région",
                1,
            ),
            (
                "work_region_differs",
                "REG_REGION_NOT_WORK_REGION",
                "Works in another region",
                "Travaille dans une autre région",
                1,
            ),
            ("live_city_differs", "REG_CITY_NOT_LIVE_CITY", "Lives in another city", "Vit dans une autre ville", 1),
            (
                "work_city_differs",
                "REG_CITY_NOT_WORK_CITY",
                "Works in another city",
                "Travaille dans une autre ville",
                1,
            ),
        )
    ),
    *(
        Feature(
            f"application_acquaintances_{name}_{days}d",
            pl.col(f"{column}_{days}_CNT_SOCIAL_CIRCLE"),
            f"Acquaintances {en}, {days} days past due",
            f"Proches {fr}, {days} jours de retard",
            group="identity_contact",
            risk=risk,
        )
        for name, column, en, fr, risk in (
            ("default", "DEF", "in default", "en défaut", 1),
            ("observed", "OBS", "observed", "observés", 0),
        )
        for days in (30, 60)
    ),
    Feature(
        "application_hour",
        pl.col("HOUR_APPR_PROCESS_START"),
        "Hour of the application",
        "Heure de la demande",
        group="identity_contact",
        unit="hour",
    ),
    _category("NAME_FAMILY_STATUS", "family_status", "identity_contact", "Family status", "Situation familiale"),
    _category("NAME_HOUSING_TYPE", "housing", "housing", "Housing", "Logement"),
    _category("FLAG_OWN_CAR", "owns_car", "housing", "Owns a car", "Possède une voiture"),
    _category("FLAG_OWN_REALTY", "owns_realty", "housing", "Owns a house or flat", "Propriétaire de son logement"),
    Feature(
        "application_car_age",
        pl.col("OWN_CAR_AGE"),
        "Age of the car",
        "Âge de la voiture",
        group="housing",
        unit="years",
    ),
    Feature(
        "application_region_rating",
        pl.col("REGION_RATING_CLIENT_W_CITY"),
        "Rating of region and city (3 is riskiest)",
        "Note de la région et de la ville (3 : la plus risquée)",
        group="housing",
        unit="rank",
        risk=1,
    ),
    Feature(
        "application_region_population",
        pl.col("REGION_POPULATION_RELATIVE"),
        "Population of the region, scaled",
        "Population de la région, normalisée",
        group="housing",
        unit="share",
    ),
    *(
        Feature(
            f"application_building_{name}",
            pl.col(column),
            f"Building: {en}, scaled",
            f"Immeuble : {fr}, normalisé",
            group="housing",
            unit="share",
        )
        for name, column, en, fr in (
            ("apartments", "APARTMENTS_AVG", "apartments", "appartements"),
            ("basement_area", "BASEMENTAREA_AVG", "basement area", "surface du sous-sol"),
            ("years_in_use", "YEARS_BEGINEXPLUATATION_AVG", "years in use", "années d'usage"),
            ("year_built", "YEARS_BUILD_AVG", "year built", "année de construction"),
            ("common_area", "COMMONAREA_AVG", "common area", "parties communes"),
            ("lifts", "ELEVATORS_AVG", "lifts", "ascenseurs"),
            ("entrances", "ENTRANCES_AVG", "entrances", "entrées"),
            ("floors_max", "FLOORSMAX_AVG", "highest floor", "étage le plus haut"),
            ("floors_min", "FLOORSMIN_AVG", "lowest floor", "étage le plus bas"),
            ("land_area", "LANDAREA_AVG", "land area", "surface du terrain"),
            ("living_apartments", "LIVINGAPARTMENTS_AVG", "living apartments", "appartements habités"),
            ("living_area", "LIVINGAREA_AVG", "living area", "surface habitable"),
            ("other_apartments", "NONLIVINGAPARTMENTS_AVG", "other apartments", "autres appartements"),
            ("other_area", "NONLIVINGAREA_AVG", "other area", "autre surface"),
            ("total_area", "TOTALAREA_MODE", "total area", "surface totale"),
        )
    ),
    _category("FONDKAPREMONT_MODE", "building_fund", "housing", "Repair fund of the building", "Fonds de travaux"),
    _category("HOUSETYPE_MODE", "building_kind", "housing", "Kind of building", "Type d'immeuble"),
    _category("WALLSMATERIAL_MODE", "building_walls", "housing", "Walls of the building", "Murs de l'immeuble"),
    _category("EMERGENCYSTATE_MODE", "building_unsafe", "housing", "Unsafe building", "Immeuble en état d'urgence"),
    Feature(
        "application_documents",
        pl.sum_horizontal(f"FLAG_DOCUMENT_{number}" for number in range(2, 22)),
        "Documents given",
        "Documents fournis",
        group="documents",
    ),
    *(
        Feature(
            f"application_document_{number}",
            pl.col(f"FLAG_DOCUMENT_{number}"),
            f"Gave document {number}",
            f"Document {number} fourni",
            group="documents",
            unit="flag",
        )
        for number in (3, 5, 6, 8, 9, 11, 13, 14, 16, 18)  # each of the others is given by fewer than 1 in 500
    ),
    Feature(
        "application_fields_missing",
        pl.col("fields_missing"),
        "Fields of the application left empty",
        "Champs de la demande laissés vides",
        group="documents",
    ),
    *(
        Feature(
            f"application_enquiries_{name}",
            pl.col(f"AMT_REQ_CREDIT_BUREAU_{column}"),
            f"Enquiries to the credit bureau in the {name}",
            f"Interrogations du fichier de crédit : {fr}",
            group="bureau_history",
            risk=1,
        )
        for name, column, fr in (
            ("week", "WEEK", "semaine"),
            ("month", "MON", "mois"),
            ("quarter", "QRT", "trimestre"),
            ("year", "YEAR", "année"),
        )
    ),
    Feature(
        "application_enquiries",
        pl.sum_horizontal(
            f"AMT_REQ_CREDIT_BUREAU_{window}" for window in ("HOUR", "DAY", "WEEK", "MON", "QRT", "YEAR")
        ),
        "Enquiries to the credit bureau in all",
        "Interrogations du fichier de crédit au total",
        group="bureau_history",
        risk=1,
    ),
)


DERIVED = {"fields_missing": tuple(column.name for column in APPLICATION if not (column.required or column.audit_only))}
"""The declared columns behind the derived column of `application_rows`."""


def application_rows(tables: Mapping[str, pl.DataFrame], needed: AbstractSet[str]) -> pl.DataFrame:
    """Return the applications, with the derived column if it is needed."""
    rows = tables["application"]
    if "fields_missing" not in needed:
        return rows
    fields = DERIVED["fields_missing"]
    if len(rows) == 1:  # columns keep count of their nulls: much faster than an expression over a hundred of them
        missing = rows.null_count().row(0, named=True)
        return rows.hstack([pl.Series("fields_missing", [sum(missing[name] for name in fields)])])
    return rows.with_columns(fields_missing=pl.sum_horizontal(pl.col(name).is_null() for name in fields))
