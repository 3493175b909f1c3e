"""The fields that a loan officer may change: the value shown, and the value sent after a change."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ui.client import Column, CreditFile

SECTIONS: dict[str, tuple[str, ...]] = {
    "section_loan": ("NAME_CONTRACT_TYPE", "AMT_CREDIT", "AMT_ANNUITY", "AMT_GOODS_PRICE"),
    "section_client": (
        "AMT_INCOME_TOTAL",
        "DAYS_BIRTH",
        "NAME_FAMILY_STATUS",
        "CNT_CHILDREN",
        "NAME_EDUCATION_TYPE",
        "NAME_HOUSING_TYPE",
    ),
    "section_employment": ("NAME_INCOME_TYPE", "OCCUPATION_TYPE", "DAYS_EMPLOYED"),
    "section_scores": ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3"),
}

DAYS_IN_A_YEAR = 365.25
DIGITS_OF_YEARS = {"DAYS_BIRTH": 0, "DAYS_EMPLOYED": 1}
"""Digits after the point of fields that the data counts in days and the form shows in years."""

OPEN_ENDED = 365243
"""The data's code for "not employed" in DAYS_EMPLOYED: shown as an empty field."""

MAX_NUMBER = 2**53 - 1
"""Largest whole number that JavaScript's numbers represent exactly."""

Shown = float | str | None
"""Value of a field of the form; None where it is empty."""


@dataclass(frozen=True)
class NumberInput:
    """Limits, step and format of a number in the form; Streamlit requires all of them int, or all float."""

    minimum: float | None
    maximum: float | None
    step: float
    pattern: str


def fields(columns: Mapping[str, Column]) -> dict[str, list[str]]:
    """Return the fields of each section of the form that the service declares."""
    return {section: [name for name in names if name in columns] for section, names in SECTIONS.items()}


def shown(name: str, raw: Any, column: Column) -> Shown:
    """Return a raw value as the form shows it; None for a missing value and for a value of another type."""
    if column.kind == "category":
        return raw if isinstance(raw, str) else None
    if isinstance(raw, bool) or not isinstance(raw, int | float) or abs(raw) > MAX_NUMBER:
        return None
    if name in DIGITS_OF_YEARS:
        return None if raw == OPEN_ENDED else _years(name, -raw / DAYS_IN_A_YEAR)
    if column.kind == "integer":
        return int(raw) if float(raw).is_integer() else None
    return float(raw)


def sent(name: str, value: Shown, column: Column) -> Shown:
    """Return the raw value of a field from its value in the form."""
    if value is None or isinstance(value, str) or name not in DIGITS_OF_YEARS:
        return value
    days = -math.ceil(value * DAYS_IN_A_YEAR)  # rounded down, 50 years would show as 49
    if column.maximum is not None:
        days = min(days, int(column.maximum))
    return days if column.minimum is None else max(days, int(column.minimum))


def changed(credit_file: CreditFile, values: Mapping[str, Shown], columns: Mapping[str, Column]) -> dict[str, Shown]:
    """Return the raw values that differ from those of the credit file."""
    application = credit_file["application"]
    return {
        name: sent(name, value, columns[name])
        for name, value in values.items()
        if value != shown(name, application.get(name), columns[name])
    }


def with_changes(credit_file: CreditFile, changes: Mapping[str, Shown]) -> CreditFile:
    """Return the credit file with these values in its application; the rest stays as received."""
    return {**credit_file, "application": {**credit_file["application"], **changes}}


def number_input(name: str, column: Column, value: Shown) -> NumberInput:
    """Return the input of a number; its limits are the service's, widened to a value outside them."""
    minimum, maximum = column.minimum, column.maximum
    if name in DIGITS_OF_YEARS:
        minimum, maximum = 0, None if column.minimum is None else _years(name, -column.minimum / DAYS_IN_A_YEAR)
    if value is not None and not isinstance(value, str):
        minimum = None if minimum is None else min(minimum, value)
        maximum = None if maximum is None else max(maximum, value)
    if column.kind == "integer" and DIGITS_OF_YEARS.get(name, 0) == 0:
        return NumberInput(_whole(minimum), _whole(maximum), 1, "%d")
    step, pattern = (0.5, "%.1f") if name in DIGITS_OF_YEARS else (0.01, "%.3f") if maximum == 1 else (1000.0, "%.2f")
    return NumberInput(_real(minimum), _real(maximum), step, pattern)


def choices(column: Column, value: Shown) -> list[Shown]:
    """Return the options of a field: the declared categories, the client's value where it is not one, and empty."""
    undeclared: list[Shown] = [] if value is None or value in column.categories else [value]
    empty: list[Shown] = [None] if value is None or not column.required else []
    return [*empty, *undeclared, *column.categories]


def _years(name: str, years: float) -> float:
    digits = DIGITS_OF_YEARS[name]
    return math.floor(years) if digits == 0 else round(years, digits)


def _whole(limit: float | None) -> int | None:
    return None if limit is None or abs(limit) > MAX_NUMBER else int(limit)


def _real(limit: float | None) -> float | None:
    return None if limit is None else float(limit)
