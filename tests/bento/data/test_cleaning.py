import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bento.data.cleaning import IS_OPEN, MAX_ROWS_INSPECTED, clean
from bento.data.tables import APPLICATION, BUREAU, PREVIOUS_APPLICATION, TABLES, Table


def _row(table: Table, **values: object) -> dict[str, pl.DataFrame]:
    return {table.name: pl.DataFrame([{**dict.fromkeys(table.schema), **values}], schema=table.schema)}


def test_missing_codes_become_null():
    row = _row(APPLICATION, DAYS_EMPLOYED=365243, ORGANIZATION_TYPE="XNA", CODE_GENDER="XNA", DAYS_LAST_PHONE_CHANGE=0)
    cleaned = clean(row)["application"]
    for column in ("DAYS_EMPLOYED", "ORGANIZATION_TYPE", "CODE_GENDER", "DAYS_LAST_PHONE_CHANGE"):
        assert cleaned[column][0] is None, column


def test_implausible_values_become_null_and_plausible_ones_stay():
    cleaned = clean(_row(APPLICATION, AMT_INCOME_TOTAL=117_000_000.0, OBS_30_CNT_SOCIAL_CIRCLE=30))["application"]
    assert cleaned["AMT_INCOME_TOTAL"][0] is None
    assert cleaned["OBS_30_CNT_SOCIAL_CIRCLE"][0] == 30
    bureau = clean(_row(BUREAU, DAYS_ENDDATE_FACT=-42_023, AMT_CREDIT_SUM_DEBT=-1.0, DAYS_CREDIT=-2_922))["bureau"]
    assert bureau["DAYS_ENDDATE_FACT"][0] is None
    assert bureau["AMT_CREDIT_SUM_DEBT"][0] is None
    assert bureau["DAYS_CREDIT"][0] == -2_922


def test_an_open_loan_is_marked_before_its_date_becomes_null():
    still_open = clean(_row(PREVIOUS_APPLICATION, DAYS_LAST_DUE=365243))["previous_application"]
    assert still_open["DAYS_LAST_DUE"][0] is None
    assert still_open[IS_OPEN][0] is True
    assert clean(_row(PREVIOUS_APPLICATION, DAYS_LAST_DUE=-10))["previous_application"][IS_OPEN][0] is False
    assert clean(_row(PREVIOUS_APPLICATION, DAYS_LAST_DUE=40))["previous_application"][IS_OPEN][0] is True
    assert clean(_row(PREVIOUS_APPLICATION))["previous_application"][IS_OPEN][0] is None


@pytest.mark.parametrize("name", TABLES)
def test_a_few_rows_are_cleaned_like_many(name: str):
    rows = [dict.fromkeys(TABLES[name].schema)]
    for column in TABLES[name]:
        low, high = column.plausible_minimum, column.plausible_maximum
        around = [value for bound in (low, high) if bound is not None for value in (bound - 1, bound, bound + 1)]
        values = [*column.missing_codes, *around, *column.categories[:1]]
        values += [] if column.categories else [0, -1]
        values += [float("nan"), float("inf")] if column.kind == "number" else []
        rows += [{column.name: value} for value in values]
    frame = pl.DataFrame(rows, schema=TABLES[name].schema, strict=False)
    many = pl.concat([frame] * (MAX_ROWS_INSPECTED // len(frame) + 2))
    one_by_one = pl.concat(clean({name: frame[number]})[name] for number in range(len(frame)))
    assert_frame_equal(one_by_one, clean({name: many})[name].head(len(frame)))
