"""The fields of the application: what a form shows of a raw value, and the raw value of what was entered."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ui import messages
from ui.client import Column, CreditFile
from ui.numbers import NumberError, NumberFault, read_number

MAIN_SECTIONS: dict[str, tuple[str, ...]] = {
    "section_loan": ("SK_ID_CURR", "NAME_CONTRACT_TYPE", "AMT_CREDIT", "AMT_ANNUITY", "AMT_GOODS_PRICE"),
    "section_client": (
        "AMT_INCOME_TOTAL",
        "DAYS_BIRTH",
        "NAME_FAMILY_STATUS",
        "CNT_CHILDREN",
        "NAME_EDUCATION_TYPE",
        "NAME_HOUSING_TYPE",
    ),
    "section_employment": ("NAME_INCOME_TYPE", "OCCUPATION_TYPE", "DAYS_EMPLOYED", "ORGANIZATION_TYPE"),
    "section_scores": ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3"),
}
"""Fields that most decisions depend on."""

CONCEPTS: dict[str, tuple[str, ...]] = {
    "section_household": ("FLAG_OWN_CAR", "OWN_CAR_AGE", "FLAG_OWN_REALTY", "CNT_FAM_MEMBERS"),
    "section_region": ("REGION_", "REG_", "LIVE_", "DAYS_REGISTRATION"),
    "section_contact": (
        "FLAG_MOBIL",
        "FLAG_EMP_PHONE",
        "FLAG_WORK_PHONE",
        "FLAG_CONT_MOBILE",
        "FLAG_PHONE",
        "FLAG_EMAIL",
        "DAYS_LAST_PHONE_CHANGE",
        "DAYS_ID_PUBLISH",
    ),
    "section_enquiries": ("AMT_REQ_CREDIT_BUREAU_",),
    "section_circle": ("OBS_", "DEF_"),
    "section_documents": ("FLAG_DOCUMENT_",),
    "section_request": ("WEEKDAY_APPR_PROCESS_START", "HOUR_APPR_PROCESS_START", "NAME_TYPE_SUITE"),
    "section_building": ("",),
}
"""How the names of the other fields begin, by section; a field belongs to the first that fits."""

LEFT_OUT = ("CODE_GENDER",)
"""Fields that the form does not ask for: they never weigh in a decision."""

DAYS_IN_A_YEAR = 365.25
DIGITS_OF_YEARS = {
    "DAYS_BIRTH": 0,
    "DAYS_EMPLOYED": 1,
    "DAYS_REGISTRATION": 1,
    "DAYS_ID_PUBLISH": 1,
    "DAYS_LAST_PHONE_CHANGE": 1,
}
"""Digits after the point of fields that the data counts in days and the form shows in years."""

OPEN_ENDED = 365243
"""The data's code for "not employed" in DAYS_EMPLOYED: shown as an empty field."""

MAX_NUMBER = 2**53 - 1
"""Largest whole number that JavaScript's numbers represent exactly."""


@dataclass(frozen=True)
class Wrong:
    """A text that is no value of its field; `limit`, as the form shows numbers, where it is too small or too great."""

    text: str
    fault: NumberFault
    limit: float | None = None


Shown = float | str | Wrong | None
"""Content of a field of the form; None where it is empty."""


def fields(columns: Mapping[str, Column]) -> dict[str, list[str]]:
    """Return the fields of each section of the form that the service declares: first the main sections."""
    sections = {section: [name for name in names if name in columns] for section, names in MAIN_SECTIONS.items()}
    placed = {name for names in sections.values() for name in names} | set(LEFT_OUT)
    sections |= {section: [] for section in CONCEPTS}
    for name in columns:
        if name not in placed:
            section = next(section for section, starts in CONCEPTS.items() if name.startswith(starts))
            sections[section].append(name)
    return {section: names for section, names in sections.items() if names}


def shown(name: str, raw: Any, column: Column) -> Shown:
    """Return a raw value as the form shows it; None for a missing value."""
    if raw is None:
        return None
    if column.kind == "category":
        return raw if isinstance(raw, str) else Wrong(json.dumps(raw), "not_a_number")
    if isinstance(raw, bool) or not isinstance(raw, int | float) or abs(raw) > MAX_NUMBER:
        return Wrong(json.dumps(raw), "not_a_number")
    if name in DIGITS_OF_YEARS:
        return None if raw == OPEN_ENDED else _years(name, 0 if raw == 0 else -raw / DAYS_IN_A_YEAR)
    if column.kind != "number":
        return int(raw) if float(raw).is_integer() else float(raw)
    return float(raw)


def sent(name: str, value: float | str | None, column: Column) -> float | str | None:
    """Return the raw value of a field from its value in the form."""
    if value is None or isinstance(value, str) or name not in DIGITS_OF_YEARS:
        return value
    days = -math.ceil(value * DAYS_IN_A_YEAR)  # rounded down, 50 years would show as 49
    if column.maximum is not None:
        days = min(days, int(column.maximum))
    return days if column.minimum is None else max(days, int(column.minimum))


def written(language: str, name: str, value: Shown) -> str:
    """Return the text of a number's field: every digit of it, as the language writes numbers; a client's as it is."""
    if value is None:
        return ""
    if isinstance(value, Wrong):
        return value.text
    if isinstance(value, str):
        return value
    if name.startswith("SK_ID_"):
        return f"{value:.0f}"
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return messages.number(language, value, 2 if digits == 1 and abs(value) >= 1000 else digits)


def entered(language: str, name: str, text: str, column: Column) -> float | Wrong | None:
    """Return the number of a text in a field, or what is wrong with it; None for an empty text."""
    try:
        number = read_number(language, text)
    except NumberError as error:
        return Wrong(text, error.kind)
    if number is None:
        return None
    if column.kind != "number" and DIGITS_OF_YEARS.get(name, 0) == 0:
        if not number.is_integer():
            return Wrong(text, "not_whole")
        number = int(number)
    minimum, maximum = limits(name, column)
    if minimum is not None and number < minimum:
        return Wrong(text, "too_small", minimum)
    if maximum is not None and number > maximum:
        return Wrong(text, "too_great", maximum)
    return number


def limits(name: str, column: Column) -> tuple[float | None, float | None]:
    """Return the least and the greatest number that the service accepts, as the form shows it."""
    if name in DIGITS_OF_YEARS:
        return 0, None if column.minimum is None else _years(name, -column.minimum / DAYS_IN_A_YEAR)
    return column.minimum, column.maximum


def changed(
    credit_file: CreditFile, values: Mapping[str, float | str | None], columns: Mapping[str, Column]
) -> dict[str, float | str | None]:
    """Return the raw values that differ from those of the credit file."""
    application = credit_file["application"]
    return {
        name: sent(name, value, columns[name])
        for name, value in values.items()
        if value != shown(name, application.get(name), columns[name])
    }


def with_changes(
    credit_file: CreditFile, changes: Mapping[str, float | str | None], tables: Mapping[str, list[dict[str, Any]]]
) -> CreditFile:
    """Return the credit file with these values in its application and these histories; the rest stays as received."""
    return {**credit_file, "application": {**credit_file["application"], **changes}, **tables}


def missing(credit_file: CreditFile, columns: Mapping[str, Column]) -> list[str]:
    """Return the required fields of the application that are empty."""
    application = credit_file["application"]
    return [name for name, column in columns.items() if column.required and application.get(name) is None]


def choices(column: Column, value: Shown) -> list[float | str | None]:
    """Return the options of a field: the declared categories, the client's value where it is not one, and empty."""
    options: tuple[float | str, ...] = (1, 0) if column.kind == "flag" else column.categories
    undeclared = [] if value is None or value in options or isinstance(value, Wrong) else [value]
    empty: list[float | str | None] = [None] if value is None or not column.required else []
    return [*empty, *undeclared, *options]


def _years(name: str, years: float) -> float:
    digits = DIGITS_OF_YEARS[name]
    return math.floor(years) if digits == 0 else round(years, digits)
