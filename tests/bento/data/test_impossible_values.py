"""What no credit file and no training data may hold: impossible values of one field, refused by the declaration."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bento.data.credit_file import CreditFile
from bento.data.readers import read_application
from bento.data.tables import OPEN_ENDED, TABLES, TARGET
from bento.data.validation import check_folder
from tests.support.clients import write_clients

REQUIRED = {
    "SK_ID_CURR": 700_003,
    "AMT_CREDIT": 250_000.0,
    "AMT_ANNUITY": 15_000.0,
    "AMT_INCOME_TOTAL": 120_000.0,
    "DAYS_BIRTH": -12_000,
}
WITH_CODES = [
    (table, column.name, column.maximum_beside_codes)
    for table in TABLES
    for column in TABLES[table]
    if column.maximum_beside_codes is not None
]


def _faults(application: dict[str, Any] | None = None, **tables: Any) -> list[tuple[int | str, ...]]:
    try:
        CreditFile.model_validate_json(json.dumps({"application": REQUIRED | (application or {}), **tables}))
    except ValidationError as error:
        return [fault["loc"] for fault in error.errors()]
    return []


def _row(table: str, **columns: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The application's columns and the histories that hold these values."""
    return (columns, {}) if table == "application" else ({}, {table: [columns]})


def _path(table: str, column: str) -> tuple[int | str, ...]:
    return (table, column) if table == "application" else (table, 0, column)


@pytest.mark.parametrize(
    ("table", "column", "impossible", "possible"),
    [
        ("application", "AMT_CREDIT", 0, 1),
        ("application", "AMT_ANNUITY", 0, 1),
        ("application", "AMT_INCOME_TOTAL", 0, 1),
        ("application", "AMT_GOODS_PRICE", 0, 1),
        ("application", "DAYS_BIRTH", -40_500, -40_000),
        ("application", "DAYS_BIRTH", 0, -1),
        ("application", "DAYS_EMPLOYED", 100, 0),
        ("application", "DAYS_EMPLOYED", -36_500, -25_000),
        ("application", "DAYS_REGISTRATION", 1, 0),
        ("application", "DAYS_ID_PUBLISH", 1, 0),
        ("bureau", "DAYS_CREDIT", -50_000, -2_922),
        ("bureau", "DAYS_CREDIT", 1, 0),
        ("bureau", "AMT_CREDIT_SUM_DEBT", -1e12, -4_705_600.3),
        ("bureau", "AMT_CREDIT_SUM_LIMIT", -1e12, -586_406.1),
        ("bureau", "DAYS_CREDIT_ENDDATE", -50_001, -42_060),
        ("previous_application", "DAYS_DECISION", -50_000, -2_922),
        ("previous_application", "DAYS_LAST_DUE", 100_000, 900),
        ("installments_payments", "DAYS_ENTRY_PAYMENT", -50_000, -4_921),
        ("credit_card_balance", "AMT_BALANCE", -1e12, -420_250.2),
    ],
)
def test_an_impossible_value_is_refused_with_its_path(table: str, column: str, impossible: float, possible: float):
    application, histories = _row(table, **{column: impossible})
    assert _faults(application, **histories) == [_path(table, column)]
    application, histories = _row(table, **{column: possible})
    assert _faults(application, **histories) == []


@pytest.mark.parametrize(("table", "column", "latest"), WITH_CODES)
@given(data=st.data())
def test_between_the_latest_date_and_the_code_for_none_is_no_date(
    table: str, column: str, latest: float, data: st.DataObject
):
    days = data.draw(st.integers(int(latest) + 1, OPEN_ENDED - 1))
    application, histories = _row(table, **{column: days})
    assert _faults(application, **histories) == [_path(table, column)]
    for allowed in (int(latest), OPEN_ENDED, float(OPEN_ENDED)):
        application, histories = _row(table, **{column: allowed})
        assert _faults(application, **histories) == []


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_the_schema_tells_which_dates_are_impossible(mode: Any):
    schema = CreditFile.model_json_schema(mode=mode)["$defs"]["application_row"]["properties"]["DAYS_EMPLOYED"]
    (number,) = (part for part in schema["anyOf"] if part["type"] == "integer")
    assert number["not"] == {"exclusiveMinimum": 0, "exclusiveMaximum": OPEN_ENDED}


def test_data_with_a_job_that_begins_in_the_future_is_faulty(tmp_path: Path):
    folder = write_clients(tmp_path / "data", count=60)
    applications = read_application(folder, "application_train", [TARGET])
    assert not check_folder(folder, ["application_train"]).faults
    later = pl.when(pl.col("DAYS_EMPLOYED").is_first_distinct()).then(100).otherwise("DAYS_EMPLOYED")
    applications.with_columns(DAYS_EMPLOYED=later).write_parquet(folder / "application_train.parquet")
    (fault, *_) = check_folder(folder, ["application_train"]).faults
    assert "column DAYS_EMPLOYED" in fault
    assert "are above 0 and no code for unknown, such as 100 in row 1: correct or empty them" in fault
