from typing import Any

import polars as pl
import pytest

from bento.data.anomalies import anomalies
from bento.data.cleaning import clean
from bento.data.tables import TABLES, Column


def _kinds(table: str, *rows: dict[str, Any]) -> list[tuple[str, str]]:
    return [(kind, column) for kind, column, _, _ in anomalies(table, rows)]


def _values(column: Column) -> list[Any]:
    """Return values of a column at all of its limits, its codes, and one of its categories."""
    low, high = column.plausible_minimum, column.plausible_maximum
    limits = [limit for limit in (low, high, column.minimum, column.maximum) if limit is not None]
    around = [limit + step for limit in limits for step in (-1, 0, 1)]
    within = [value for value in around if column.minimum <= value <= column.maximum]
    return [*within, *column.missing_codes, *column.categories]


@pytest.mark.parametrize("name", TABLES)
def test_what_is_described_is_what_cleaning_takes_as_missing(name: str):
    for column in TABLES[name]:
        for value in _values(column):
            row = {**dict.fromkeys(TABLES[name].schema), column.name: value}
            cleaned = clean({name: pl.DataFrame([row], TABLES[name].schema, strict=False)})[name]
            is_emptied = cleaned[column.name][0] is None
            is_ordinary = column.codes_mean_none and value in column.missing_codes
            assert bool(_kinds(name, row)) == (is_emptied and not is_ordinary), (column.name, value)


@pytest.mark.parametrize("income_type", ["Pensioner", "Unemployed", None, "Astronaut"])
def test_the_codes_of_no_job_are_ordinary_without_one(income_type: str | None):
    row = {"NAME_INCOME_TYPE": income_type, "DAYS_EMPLOYED": 365243, "ORGANIZATION_TYPE": "XNA"}
    assert _kinds("application", row) == []


def test_the_codes_of_no_job_contradict_work():
    row = {"NAME_INCOME_TYPE": "Working", "DAYS_EMPLOYED": 365243.0, "ORGANIZATION_TYPE": "XNA"}
    assert list(anomalies("application", [row])) == [
        (
            "taken_as_missing",
            "DAYS_EMPLOYED",
            "365243 stands for no job, which NAME_INCOME_TYPE contradicts, taken as missing",
            "365243 signifie «\u202fsans emploi\u202f», ce que NAME_INCOME_TYPE contredit, traité comme manquant",
        ),
        (
            "taken_as_missing",
            "ORGANIZATION_TYPE",
            "XNA stands for no job, which NAME_INCOME_TYPE contradicts, taken as missing",
            "XNA signifie «\u202fsans emploi\u202f», ce que NAME_INCOME_TYPE contredit, traité comme manquant",
        ),
    ]


def test_an_open_loan_and_a_cancelled_request_are_ordinary():
    ends = dict.fromkeys(("DAYS_FIRST_DRAWING", "DAYS_LAST_DUE", "DAYS_TERMINATION"), 365243)
    assert _kinds("previous_application", ends | {"AMT_CREDIT": 0, "AMT_APPLICATION": 0, "CNT_PAYMENT": 0}) == []


def test_a_code_for_unknown_is_described_in_both_languages():
    row = {"DAYS_LAST_PHONE_CHANGE": 0, "NAME_FAMILY_STATUS": "Unknown"}
    assert {column: (en, fr) for _, column, en, fr in anomalies("application", [row])} == {
        "DAYS_LAST_PHONE_CHANGE": (
            "0 stands for unknown, taken as missing",
            "0 signifie «\u202finconnu\u202f», traité comme manquant",
        ),
        "NAME_FAMILY_STATUS": (
            "Unknown stands for unknown, taken as missing",
            "Unknown signifie «\u202finconnu\u202f», traité comme manquant",
        ),
    }


def test_an_implausible_value_is_described_by_its_limit_not_by_itself():
    described = [*anomalies("application", [{"AMT_INCOME_TOTAL": 987_654_321.0}])]
    described += anomalies("bureau", [{"AMT_CREDIT_SUM_DEBT": 5.0}, {}, {"AMT_CREDIT_SUM_DEBT": -987_654_321}])
    assert described == [
        (
            "implausible_value",
            "AMT_INCOME_TOTAL",
            "above a plausible 50,000,000, taken as missing",
            "supérieur à 50\u202f000\u202f000, invraisemblable, traité comme manquant",
        ),
        (
            "implausible_value",
            "AMT_CREDIT_SUM_DEBT",
            "below a plausible 0, taken as missing",
            "inférieur à 0, invraisemblable, traité comme manquant",
        ),
    ]


def test_a_column_is_described_once_for_many_rows():
    assert _kinds("bureau", *[{"AMT_CREDIT_SUM_DEBT": -1}] * 3) == [("implausible_value", "AMT_CREDIT_SUM_DEBT")]


def test_no_rows_give_nothing():
    assert [_kinds(name) for name in TABLES] == [[]] * len(TABLES)
