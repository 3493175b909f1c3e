"""Features of the application, each from its columns."""

SCORES = "[EXT_SOURCE_1, EXT_SOURCE_2, EXT_SOURCE_3]"
BUILDING = {
    "apartments": "APARTMENTS",
    "basement_area": "BASEMENTAREA",
    "years_in_use": "YEARS_BEGINEXPLUATATION",
    "year_built": "YEARS_BUILD",
    "common_area": "COMMONAREA",
    "lifts": "ELEVATORS",
    "entrances": "ENTRANCES",
    "floors_max": "FLOORSMAX",
    "floors_min": "FLOORSMIN",
    "land_area": "LANDAREA",
    "living_apartments": "LIVINGAPARTMENTS",
    "living_area": "LIVINGAREA",
    "other_apartments": "NONLIVINGAPARTMENTS",
    "other_area": "NONLIVINGAREA",
}
BUILDING_COLUMNS = [
    *(f"{part}_{statistic}" for part in BUILDING.values() for statistic in ("AVG", "MODE", "MEDI")),
    *("FONDKAPREMONT_MODE", "HOUSETYPE_MODE", "TOTALAREA_MODE", "WALLSMATERIAL_MODE", "EMERGENCYSTATE_MODE"),
]


def _weight_if_known(column: str, weight: int = 1) -> str:
    return f"CASE WHEN {column} IS NULL THEN 0 ELSE {weight} END"


def _missing(columns: list[str]) -> str:
    return f"{len(columns)} - ({' + '.join(map(_weight_if_known, columns))})"


def _total_of_weight_if_known(columns: list[str]) -> str:
    return f"list_sum([{', '.join(columns)}])"


FEATURES = {
    "ext_source_1": "EXT_SOURCE_1",
    "ext_source_2": "EXT_SOURCE_2",
    "ext_source_3": "EXT_SOURCE_3",
    "ext_source_mean": f"list_avg({SCORES})",
    "ext_source_min": f"list_min({SCORES})",
    "ext_source_max": f"list_max({SCORES})",
    "ext_source_range": f"list_max({SCORES}) - list_min({SCORES})",
    "ext_source_weighted": f"""ratio(
        coalesce(2 * EXT_SOURCE_1, 0) + coalesce(EXT_SOURCE_2, 0) + coalesce(3 * EXT_SOURCE_3, 0),
        {_weight_if_known("EXT_SOURCE_1", 2)} + {_weight_if_known("EXT_SOURCE_2")}
            + {_weight_if_known("EXT_SOURCE_3", 3)}
    )""",
    "ext_source_product": "EXT_SOURCE_1 * EXT_SOURCE_2 * EXT_SOURCE_3",
    "ext_source_1_less_2": "EXT_SOURCE_1 - EXT_SOURCE_2",
    "ext_source_2_less_3": "EXT_SOURCE_2 - EXT_SOURCE_3",
    "ext_source_1_less_3": "EXT_SOURCE_1 - EXT_SOURCE_3",
    "ext_source_missing": _missing(["EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3"]),
    "credit_to_ext_source_3": "ratio(AMT_CREDIT, EXT_SOURCE_3)",
    "annuity_to_ext_source_3": "ratio(AMT_ANNUITY, EXT_SOURCE_3)",
    "credit": "AMT_CREDIT",
    "annuity": "AMT_ANNUITY",
    "goods_price": "AMT_GOODS_PRICE",
    "credit_to_annuity": "ratio(AMT_CREDIT, AMT_ANNUITY)",
    "credit_to_goods_price": "ratio(AMT_CREDIT, AMT_GOODS_PRICE)",
    "goods_less_credit": "AMT_GOODS_PRICE - AMT_CREDIT",
    "contract_type": "NAME_CONTRACT_TYPE",
    "income": "AMT_INCOME_TOTAL",
    "annuity_to_income": "ratio(AMT_ANNUITY, AMT_INCOME_TOTAL)",
    "credit_to_income": "ratio(AMT_CREDIT, AMT_INCOME_TOTAL)",
    "income_per_family_member": "ratio(AMT_INCOME_TOTAL, CNT_FAM_MEMBERS)",
    "income_per_child": "AMT_INCOME_TOTAL / (CNT_CHILDREN + 1)",
    "family_members": "CNT_FAM_MEMBERS",
    "children": "CNT_CHILDREN",
    "income_type": "CASE WHEN NAME_INCOME_TYPE <> 'Maternity leave' THEN NAME_INCOME_TYPE END",
    "occupation": "OCCUPATION_TYPE",
    "organization": "ORGANIZATION_TYPE",
    "education": "NAME_EDUCATION_TYPE",
    "family_status": "NAME_FAMILY_STATUS",
    "housing": "NAME_HOUSING_TYPE",
    "owns_car": "FLAG_OWN_CAR",
    "owns_realty": "FLAG_OWN_REALTY",
    # Days are negative: years since the event change the sign, ages divide days by days.
    "age_years": "DAYS_BIRTH / -365.25",
    "employed_years": "DAYS_EMPLOYED / -365.25",
    "id_change_years": "DAYS_ID_PUBLISH / -365.25",
    "registration_years": "DAYS_REGISTRATION / -365.25",
    "phone_change_years": "DAYS_LAST_PHONE_CHANGE / -365.25",
    "employed_to_age": "ratio(DAYS_EMPLOYED, DAYS_BIRTH)",
    "phone_change_to_age": "ratio(DAYS_LAST_PHONE_CHANGE, DAYS_BIRTH)",
    "registration_to_age": "ratio(DAYS_REGISTRATION, DAYS_BIRTH)",
    "car_age_to_age": "ratio(OWN_CAR_AGE * 365.25, -DAYS_BIRTH)",
    "hired_at_years": "(DAYS_EMPLOYED - DAYS_BIRTH) / 365.25",
    "id_changed_at_years": "(DAYS_ID_PUBLISH - DAYS_BIRTH) / 365.25",
    "age_at_payoff_years": "DAYS_BIRTH / -365.25 + ratio(AMT_CREDIT, AMT_ANNUITY) / 12",
    "car_age": "OWN_CAR_AGE",
    "employer_phone": "FLAG_EMP_PHONE",
    "home_phone": "FLAG_WORK_PHONE",
    "other_phone": "FLAG_PHONE",
    "email": "FLAG_EMAIL",
    "live_region_differs": "REG_REGION_NOT_LIVE_REGION",
    "work_region_differs": "REG_REGION_NOT_WORK_REGION",
    "live_city_differs": "REG_CITY_NOT_LIVE_CITY",
    "work_city_differs": "REG_CITY_NOT_WORK_CITY",
    "acquaintances_default_30d": "DEF_30_CNT_SOCIAL_CIRCLE",
    "acquaintances_default_60d": "DEF_60_CNT_SOCIAL_CIRCLE",
    "acquaintances_observed_30d": "OBS_30_CNT_SOCIAL_CIRCLE",
    "acquaintances_observed_60d": "OBS_60_CNT_SOCIAL_CIRCLE",
    "hour": "HOUR_APPR_PROCESS_START",
    "region_rating": "REGION_RATING_CLIENT_W_CITY",
    "region_population": "REGION_POPULATION_RELATIVE",
    **{f"building_{feature}": f"{part}_AVG" for feature, part in BUILDING.items()},
    "building_total_area": "TOTALAREA_MODE",
    "building_fund": "FONDKAPREMONT_MODE",
    "building_kind": "HOUSETYPE_MODE",
    "building_walls": "WALLSMATERIAL_MODE",
    "building_unsafe": "EMERGENCYSTATE_MODE",
    "building_fields_missing": _missing(BUILDING_COLUMNS),
    "documents": _total_of_weight_if_known([f"FLAG_DOCUMENT_{number}" for number in range(2, 22)]),
    **{f"document_{number}": f"FLAG_DOCUMENT_{number}" for number in (3, 5, 6, 8, 9, 11, 13, 14, 16, 18)},
    "enquiries_week": "AMT_REQ_CREDIT_BUREAU_WEEK",
    "enquiries_month": "AMT_REQ_CREDIT_BUREAU_MON",
    "enquiries_quarter": "AMT_REQ_CREDIT_BUREAU_QRT",
    "enquiries_year": "AMT_REQ_CREDIT_BUREAU_YEAR",
    "enquiries": _total_of_weight_if_known(
        [f"AMT_REQ_CREDIT_BUREAU_{window}" for window in ("HOUR", "DAY", "WEEK", "MON", "QRT", "YEAR")]
    ),
}
