import math

import polars as pl
import pytest

from bento.data.tables import APPLICATION
from drift.compare import Comparison, application_fields, comparable, compare, comparisons_in, measure_of
from tests.drift.population import applications

ROWS = 2000


def judge(reference: pl.DataFrame, current: pl.DataFrame, *names: str) -> dict[str, Comparison]:
    results = compare(comparable(reference), comparable(current), application_fields(names))
    return {result.field.name: result for result in results}


def only(reference: pl.DataFrame, current: pl.DataFrame, name: str) -> Comparison:
    return judge(reference, current, name)[name]


def test_a_shifted_column_drifts_and_no_other():
    reference, same = applications(ROWS, 3), applications(ROWS, 4)
    shifted = same.with_columns(pl.col("AMT_CREDIT") + 0.3 * reference["AMT_CREDIT"].std())

    results = judge(reference, shifted, "AMT_CREDIT", "NAME_CONTRACT_TYPE", "EXT_SOURCE_1")

    total = comparisons_in(list(results.values()))
    assert {name for name, result in results.items() if result.drifted(total)} == {"AMT_CREDIT"}


def test_categories_that_are_new_and_gone_are_named():
    renamed = pl.col("NAME_CONTRACT_TYPE").replace("Revolving loans", "Revolving")

    result = only(applications(ROWS, 1), applications(ROWS, 2, NAME_CONTRACT_TYPE=renamed), "NAME_CONTRACT_TYPE")

    assert (result.new, result.gone) == (("Revolving",), ("Revolving loans",))
    assert result.drifted(1)


def test_codes_for_unknown_count_as_missing():
    coded = applications(ROWS, 2, CODE_GENDER=pl.lit("XNA"))

    result = only(applications(ROWS, 1), coded, "CODE_GENDER")

    assert (result.missing_current, result.note) == (1, "no value in current")
    assert result.drifted(1)


@pytest.mark.parametrize(
    ("before", "after", "note", "drifted"),
    [
        (pl.lit(None), pl.col("EXT_SOURCE_1"), "no value in reference", True),
        (pl.col("EXT_SOURCE_1"), pl.lit(None), "no value in current", True),
        (pl.col("EXT_SOURCE_1"), pl.lit(math.inf), "no value in current", True),
        (pl.lit(None), pl.lit(None), "no value on either side", False),
        (pl.lit(0.5), pl.lit(0.5), "", False),
    ],
)
def test_columns_without_values_or_of_one_value(before, after, note, drifted):
    reference, current = applications(ROWS, 1, EXT_SOURCE_1=before), applications(ROWS, 2, EXT_SOURCE_1=after)

    result = only(reference, current, "EXT_SOURCE_1")

    assert (result.note, result.drifted(1)) == (note, drifted)


def test_an_absent_column_counts_as_missing_values():
    result = only(applications(ROWS, 1), applications(ROWS, 2).drop("AMT_CREDIT"), "AMT_CREDIT")

    assert result.note == "no value in current"
    assert result.drifted(1)


def test_values_in_thousands_are_recognised():
    thousands = applications(ROWS, 2, AMT_CREDIT=pl.col("AMT_CREDIT") * 1000)

    assert only(applications(ROWS, 1), thousands, "AMT_CREDIT").factor == 1000


def test_flags_and_ranks_are_categories():
    names = ("CODE_GENDER", "FLAG_EMAIL", "REGION_RATING_CLIENT", "CNT_CHILDREN", "AMT_CREDIT")

    assert [measure_of(APPLICATION[name]) for name in names] == ["category"] * 3 + ["number"] * 2


def test_no_identifier_is_compared():
    assert "SK_ID_CURR" not in [field.name for field in application_fields()]
