"""Features of the loan application: terms, income, employment, identity, housing, external scores."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import partial

import numpy as np
import polars as pl

from bento.data.tables import APPLICATION
from bento.features.arrays import is_null
from bento.features.definitions import Feature, Group
from bento.features.formulas import over, total_known
from bento.features.rows import ClientRows, Rows
from bento.i18n import DAYS_PER_YEAR

EXT = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")
_WEIGHTS = {"EXT_SOURCE_1": 2.0, "EXT_SOURCE_2": 1.0, "EXT_SOURCE_3": 3.0}
MATERNITY = "Maternity leave"
BUILDING = tuple(
    column
    for column in APPLICATION
    if column.name.endswith(("_AVG", "_MODE", "_MEDI"))  # 47 columns, each empty for half of the clients or more
)
_DOCUMENTS = tuple(f"FLAG_DOCUMENT_{number}" for number in range(2, 22))
_ENQUIRIES = tuple(f"AMT_REQ_CREDIT_BUREAU_{window}" for window in ("HOUR", "DAY", "WEEK", "MON", "QRT", "YEAR"))

_score = partial(Feature, group="external_scores")
_terms = partial(Feature, group="credit_terms")
_income = partial(Feature, group="income_burden")
_employment = partial(Feature, group="employment")
_identity = partial(Feature, group="identity_contact")
_housing = partial(Feature, group="housing")
_documents = partial(Feature, group="documents")
_bureau = partial(Feature, group="bureau_history")


def _years_before(column: str) -> pl.Expr:
    return -pl.col(column) / DAYS_PER_YEAR


def _age_at(column: str) -> pl.Expr:
    return (pl.col(column) - pl.col("DAYS_BIRTH")) / DAYS_PER_YEAR


def _category(column: str, name: str, group: Group, en: str, fr: str, *, without: str = "") -> Feature:
    """Make a feature of a category; the value `without` must not weigh on a decision and becomes unknown."""
    value = pl.col(column)
    if without:
        value = pl.when(value != without).then(value)
    categories = tuple(category for category in APPLICATION[column].categories if category != without)
    return Feature(f"application_{name}", value, group=group, unit="", categories=categories).worded(en, fr)


FEATURES: tuple[Feature, ...] = (
    *(
        _score(
            f"application_ext_source_{number}", pl.col(f"EXT_SOURCE_{number}"), unit="score", risk=-1, monotone=True
        ).worded(f"External score {number}", f"Score externe {number}")
        for number in (1, 2, 3)
    ),
    *(
        _score(f"application_ext_source_{name}", value, unit="score", risk=-1, monotone=True).worded(en, fr)
        for name, value, en, fr in (
            ("mean", pl.mean_horizontal(EXT), "Mean of the external scores", "Moyenne des scores externes"),
            ("min", pl.min_horizontal(EXT), "Lowest external score", "Score externe le plus bas"),
            ("max", pl.max_horizontal(EXT), "Highest external score", "Score externe le plus haut"),
        )
    ),
    _score("application_ext_source_range", pl.max_horizontal(EXT) - pl.min_horizontal(EXT), unit="score").worded(
        "Gap between the highest and the lowest external score", "Écart entre le plus haut et le plus bas score externe"
    ),
    _score(
        "application_ext_source_weighted",
        over(
            pl.sum_horizontal(weight * pl.col(name) for name, weight in _WEIGHTS.items()),
            pl.sum_horizontal(weight * pl.col(name).is_not_null() for name, weight in _WEIGHTS.items()),
        ),
        unit="score",
        risk=-1,
        monotone=True,
        text="(2 * EXT_SOURCE_1 + 1 * EXT_SOURCE_2 + 3 * EXT_SOURCE_3) / (2 + 1 + 3), both sums over the known scores",
    ).worded("Weighted mean of the external scores", "Moyenne pondérée des scores externes"),
    _score(
        "application_ext_source_product",
        pl.col("EXT_SOURCE_1") * pl.col("EXT_SOURCE_2") * pl.col("EXT_SOURCE_3"),
        unit="score",
        risk=-1,
        monotone=True,
    ).worded("Product of the external scores", "Produit des scores externes"),
    *(
        _score(
            f"application_ext_source_{one}_less_{other}",
            pl.col(f"EXT_SOURCE_{one}") - pl.col(f"EXT_SOURCE_{other}"),
            unit="score",
        ).worded(f"External score {one} less score {other}", f"Score externe {one} moins score {other}")
        for one, other in ((1, 2), (2, 3), (1, 3))
    ),
    *(
        _score(f"application_{name}_to_ext_source_3", over(column, "EXT_SOURCE_3"), unit="currency", risk=1).worded(
            f"{en} over external score 3", f"{fr} au score externe 3"
        )
        for name, column, en, fr in (
            ("credit", "AMT_CREDIT", "Loan", "Prêt rapporté"),
            ("annuity", "AMT_ANNUITY", "Instalment", "Mensualité rapportée"),
        )
    ),
    _score(
        "application_ext_source_missing",
        pl.sum_horizontal(pl.col(name).is_null() for name in EXT),
        text="number of null columns among EXT_SOURCE_1, EXT_SOURCE_2 and EXT_SOURCE_3",
    ).worded("External scores that are missing", "Scores externes manquants"),
    _terms("application_credit", pl.col("AMT_CREDIT"), unit="currency").worded("Amount of the loan", "Montant du prêt"),
    _terms("application_annuity", pl.col("AMT_ANNUITY"), unit="currency").worded("Instalment", "Mensualité"),
    _terms("application_goods_price", pl.col("AMT_GOODS_PRICE"), unit="currency").worded(
        "Price of the goods", "Prix du bien financé"
    ),
    _terms("application_credit_to_annuity", over("AMT_CREDIT", "AMT_ANNUITY"), unit="months").worded(
        "Loan over instalment (how long it takes to repay)", "Prêt rapporté à la mensualité (durée de remboursement)"
    ),
    _terms("application_credit_to_goods_price", over("AMT_CREDIT", "AMT_GOODS_PRICE"), unit="share", risk=1).worded(
        "Loan over price of the goods", "Prêt rapporté au prix du bien"
    ),
    _terms(
        "application_goods_less_credit", pl.col("AMT_GOODS_PRICE") - pl.col("AMT_CREDIT"), unit="currency", risk=-1
    ).worded("Price of the goods less the loan", "Prix du bien moins le prêt"),
    _category("NAME_CONTRACT_TYPE", "contract_type", "credit_terms", "Kind of loan", "Type de prêt"),
    _income("application_income", pl.col("AMT_INCOME_TOTAL"), unit="currency").worded("Income", "Revenus"),
    _income("application_annuity_to_income", over("AMT_ANNUITY", "AMT_INCOME_TOTAL"), unit="share", risk=1).worded(
        "Instalment over income", "Mensualité rapportée aux revenus"
    ),
    _income("application_credit_to_income", over("AMT_CREDIT", "AMT_INCOME_TOTAL"), unit="share").worded(
        "Loan over income", "Prêt rapporté aux revenus"
    ),
    _income(
        "application_income_per_family_member", over("AMT_INCOME_TOTAL", "CNT_FAM_MEMBERS"), unit="currency"
    ).worded("Income for each family member", "Revenus par membre du foyer"),
    _income(
        "application_income_per_child", over("AMT_INCOME_TOTAL", 1 + pl.col("CNT_CHILDREN")), unit="currency"
    ).worded("Income over one more than the children", "Revenus rapportés au nombre d'enfants plus un"),
    _income("application_family_members", pl.col("CNT_FAM_MEMBERS")).worded("Family members", "Membres du foyer"),
    _income("application_children", pl.col("CNT_CHILDREN")).worded("Children", "Enfants"),
    _category(
        "NAME_INCOME_TYPE", "income_type", "employment", "Source of income", "Source de revenus", without=MATERNITY
    ),
    _category("OCCUPATION_TYPE", "occupation", "employment", "Occupation", "Profession"),
    _category("ORGANIZATION_TYPE", "organization", "employment", "Kind of employer", "Type d'employeur"),
    _category("NAME_EDUCATION_TYPE", "education", "employment", "Education", "Niveau d'études"),
    _employment("application_employed_years", _years_before("DAYS_EMPLOYED"), unit="years", risk=-1).worded(
        "Time in the present employment", "Ancienneté dans l'emploi actuel"
    ),
    _employment("application_employed_to_age", over("DAYS_EMPLOYED", "DAYS_BIRTH"), unit="share", risk=-1).worded(
        "Time in the present employment over age", "Ancienneté dans l'emploi rapportée à l'âge"
    ),
    _employment("application_hired_at_years", _age_at("DAYS_EMPLOYED"), unit="years").worded(
        "Age at hiring", "Âge à l'embauche"
    ),
    _identity("application_age_years", _years_before("DAYS_BIRTH"), unit="years", risk=-1).worded("Age", "Âge"),
    _identity("application_id_changed_at_years", _age_at("DAYS_ID_PUBLISH"), unit="years").worded(
        "Age at the change of the identity document", "Âge au changement de pièce d'identité"
    ),
    _identity("application_phone_change_to_age", over("DAYS_LAST_PHONE_CHANGE", "DAYS_BIRTH"), unit="share").worded(
        "Time since the phone changed, over age", "Temps depuis le changement de téléphone, rapporté à l'âge"
    ),
    _identity("application_registration_to_age", over("DAYS_REGISTRATION", "DAYS_BIRTH"), unit="share").worded(
        "Time since the registration changed, over age", "Temps depuis l'enregistrement, rapporté à l'âge"
    ),
    _terms(
        "application_age_at_payoff_years",
        -pl.col("DAYS_BIRTH") / DAYS_PER_YEAR + over("AMT_CREDIT", "AMT_ANNUITY") / 12,
        unit="years",
    ).worded("Age at the end of the loan", "Âge à la fin du prêt"),
    _housing(
        "application_car_age_to_age", over(-pl.col("OWN_CAR_AGE") * DAYS_PER_YEAR, "DAYS_BIRTH"), unit="share"
    ).worded("Age of the car over age", "Âge de la voiture rapporté à l'âge"),
    _identity("application_id_change_years", _years_before("DAYS_ID_PUBLISH"), unit="years").worded(
        "Time since the identity document changed", "Temps depuis le changement de pièce d'identité"
    ),
    _identity("application_registration_years", _years_before("DAYS_REGISTRATION"), unit="years").worded(
        "Time since the registration changed", "Temps depuis le changement d'enregistrement"
    ),
    _identity("application_phone_change_years", _years_before("DAYS_LAST_PHONE_CHANGE"), unit="years").worded(
        "Time since the phone changed", "Temps depuis le changement de téléphone"
    ),
    *(
        _identity(f"application_{name}", pl.col(column), unit="flag").worded(en, fr)
        for name, column, en, fr in (
            ("employer_phone", "FLAG_EMP_PHONE", "Gave a work phone", "Téléphone professionnel fourni"),
            ("home_phone", "FLAG_WORK_PHONE", "Gave a home phone", "Téléphone du domicile fourni"),
            ("other_phone", "FLAG_PHONE", "Gave another phone", "Autre téléphone fourni"),
            ("email", "FLAG_EMAIL", "Gave an email address", "Adresse électronique fournie"),
        )
    ),
    *(
        _identity(f"application_{name}_differs", pl.col(column), unit="flag", risk=1).worded(en, fr)
        for name, column, en, fr in (
            ("live_region", "REG_REGION_NOT_LIVE_REGION", "Lives in another region", "Vit dans une autre région"),
            ("work_region", "REG_REGION_NOT_WORK_REGION", "Works in another region", "Travaille dans une autre région"),
            ("live_city", "REG_CITY_NOT_LIVE_CITY", "Lives in another city", "Vit dans une autre ville"),
            ("work_city", "REG_CITY_NOT_WORK_CITY", "Works in another city", "Travaille dans une autre ville"),
        )
    ),
    *(
        _identity(
            f"application_acquaintances_{name}_{days}d", pl.col(f"{column}_{days}_CNT_SOCIAL_CIRCLE"), risk=risk
        ).worded(f"Acquaintances {en}, {days} days past due", f"Proches {fr}, {days} jours de retard")
        for name, column, en, fr, risk in (
            ("default", "DEF", "in default", "en défaut", 1),
            ("observed", "OBS", "observed", "observés", 0),
        )
        for days in (30, 60)
    ),
    _identity("application_hour", pl.col("HOUR_APPR_PROCESS_START"), unit="hour").worded(
        "Hour of the application", "Heure de la demande"
    ),
    _category("NAME_FAMILY_STATUS", "family_status", "identity_contact", "Family status", "Situation familiale"),
    _category("NAME_HOUSING_TYPE", "housing", "housing", "Housing", "Logement"),
    _category("FLAG_OWN_CAR", "owns_car", "housing", "Owns a car", "Possède une voiture"),
    _category("FLAG_OWN_REALTY", "owns_realty", "housing", "Owns a house or flat", "Propriétaire de son logement"),
    _housing("application_car_age", pl.col("OWN_CAR_AGE"), unit="years").worded("Age of the car", "Âge de la voiture"),
    _housing("application_region_rating", pl.col("REGION_RATING_CLIENT_W_CITY"), unit="rank", risk=1).worded(
        "Rating of region and city (3 is riskiest)", "Note de la région et de la ville (3 : la plus risquée)"
    ),
    _housing("application_region_population", pl.col("REGION_POPULATION_RELATIVE"), unit="share").worded(
        "Population of the region, scaled", "Population de la région, normalisée"
    ),
    *(
        _housing(f"application_building_{name}", pl.col(column), unit="share").worded(
            f"Building: {en}, scaled", f"Immeuble : {fr}, normalisé"
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
    _documents(
        "application_documents",
        total_known(_DOCUMENTS),
        text="sum of the known of FLAG_DOCUMENT_2 … FLAG_DOCUMENT_21; null where none is known",
    ).worded("Documents given", "Documents fournis"),
    *(
        _documents(f"application_document_{number}", pl.col(f"FLAG_DOCUMENT_{number}"), unit="flag").worded(
            f"Gave document {number}", f"Document {number} fourni"
        )
        for number in (3, 5, 6, 8, 9, 11, 13, 14, 16, 18)  # each of the others is given by fewer than 1 in 500
    ),
    _housing(
        "application_building_fields_missing",
        pl.col("building_fields_missing"),
        text="number of null columns among the 47 whose names end in _AVG, _MODE or _MEDI",
    ).worded("Fields on the building left empty", "Champs sur l'immeuble laissés vides"),
    *(
        _bureau(f"application_enquiries_{name}", pl.col(f"AMT_REQ_CREDIT_BUREAU_{column}"), risk=1).worded(
            f"Enquiries to the credit bureau in the {name}", f"Interrogations du fichier de crédit : {fr}"
        )
        for name, column, fr in (
            ("week", "WEEK", "semaine"),
            ("month", "MON", "mois"),
            ("quarter", "QRT", "trimestre"),
            ("year", "YEAR", "année"),
        )
    ),
    _bureau(
        "application_enquiries",
        total_known(_ENQUIRIES),
        risk=1,
        text="sum of the known of AMT_REQ_CREDIT_BUREAU_HOUR, _DAY, _WEEK, _MON, _QRT, _YEAR; null where none is known",
    ).worded("Enquiries to the credit bureau in all", "Interrogations du fichier de crédit au total"),
)


DERIVED = {"building_fields_missing": tuple(column.name for column in BUILDING)}
"""The declared columns behind the derived column of `application_rows`."""


def application_rows(tables: Mapping[str, Rows], needed: AbstractSet[str]) -> Rows:
    """Return the applications, with the derived column if it is needed."""
    rows = tables["application"]
    if "building_fields_missing" not in needed:
        return rows
    names = DERIVED["building_fields_missing"]
    if isinstance(rows, ClientRows):
        missing = sum(1.0 for name in names if is_null(rows.array(name)).item())
        return rows.with_arrays({"building_fields_missing": np.array([missing])})
    return rows.with_columns(building_fields_missing=pl.sum_horizontal(pl.col(name).is_null() for name in names))
