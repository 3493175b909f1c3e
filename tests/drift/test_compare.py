import math

import polars as pl
import pytest

from bento.data.tables import APPLICATION
from drift.compare import METHODS, ColumnDrift, Comparison, compare, measure_of
from tests.drift.population import applications

ROWS = 2000


def judge(reference: pl.DataFrame, current: pl.DataFrame, *names: str, method: str = "wasserstein") -> Comparison:
    return compare(reference, current, [APPLICATION[name] for name in names], METHODS[method], share_limit=0.03)


def only(comparison: Comparison) -> ColumnDrift:
    (result,) = comparison.columns
    return result


@pytest.mark.parametrize("method", METHODS)
def test_every_method_detects_a_shift_of_0_3_deviations_and_no_other(method):
    reference, same = applications(ROWS, 1), applications(ROWS, 2)
    shifted = same.with_columns(pl.col("AMT_CREDIT") + 0.3 * reference["AMT_CREDIT"].std())

    moved = judge(reference, shifted, "AMT_CREDIT", "NAME_CONTRACT_TYPE", method=method)
    kept = judge(reference, same, "AMT_CREDIT", "NAME_CONTRACT_TYPE", method=method)

    assert [(result.column.name, result.drifted) for result in moved.columns] == [
        ("AMT_CREDIT", True),
        ("NAME_CONTRACT_TYPE", False),
    ]
    assert moved.share == 0.5
    assert moved.is_drift
    assert kept.drifted == 0
    assert not kept.is_drift


def test_a_category_that_vanishes_drifts():
    current = applications(ROWS, 2, NAME_CONTRACT_TYPE=pl.lit("Cash loans"))

    result = only(judge(applications(ROWS, 1), current, "NAME_CONTRACT_TYPE"))

    assert result.values_drifted
    assert (result.measure, result.statistic.name) == ("category", "jensenshannon")


def test_change_in_the_share_of_missing_values_is_drift():
    emptied = pl.when(pl.int_range(pl.len()) % 5 > 0).then(pl.col("EXT_SOURCE_1"))

    result = only(judge(applications(ROWS, 1), applications(ROWS, 2, EXT_SOURCE_1=emptied), "EXT_SOURCE_1"))

    assert (result.values_drifted, result.missing_drifted, result.drifted) == (False, True, True)
    assert (result.missing_reference, result.missing_current) == (0, 0.2)


@pytest.mark.parametrize(
    ("before", "after", "note", "drifted"),
    [
        (pl.lit(None), pl.col("EXT_SOURCE_1"), "no value in reference", True),
        (pl.col("EXT_SOURCE_1"), pl.lit(None), "no value in current", True),
        (pl.col("EXT_SOURCE_1"), pl.lit(math.inf), "no value in current", True),
        (pl.lit(None), pl.lit(None), "no value on either side", False),
        (pl.lit(0.5), pl.lit(0.5), "the same single value on both sides", False),
        (
            pl.when(pl.int_range(pl.len()) < 30).then(pl.col("EXT_SOURCE_1")),
            pl.when(pl.int_range(pl.len()) < 60).then(pl.col("EXT_SOURCE_1")),
            "too few values in reference: 30",
            False,
        ),
    ],
)
def test_column_that_cannot_be_compared_is_reported_with_its_reason(before, after, note, drifted):
    reference, current = applications(ROWS, 1, EXT_SOURCE_1=before), applications(ROWS, 2, EXT_SOURCE_1=after)

    comparison = judge(reference, current, "EXT_SOURCE_1", "EXT_SOURCE_2")

    results = {result.column.name: result for result in comparison.columns}
    assert (results["EXT_SOURCE_1"].note, results["EXT_SOURCE_1"].score) == (note, None)
    assert results["EXT_SOURCE_1"].drifted is drifted
    assert results["EXT_SOURCE_2"].score is not None
    assert comparison.evaluated == (1 if note == "no value on either side" else 2)


def test_absent_column_counts_as_missing_values():
    result = only(judge(applications(ROWS, 1), applications(ROWS, 2).drop("AMT_CREDIT"), "AMT_CREDIT"))

    assert result.note == "no value in current"
    assert result.drifted


def test_single_new_value_of_a_constant_number_is_no_drift():
    reference = applications(ROWS, 1, AMT_REQ_CREDIT_BUREAU_HOUR=pl.lit(0))
    current = applications(ROWS, 2, AMT_REQ_CREDIT_BUREAU_HOUR=(pl.int_range(pl.len()) == 0).cast(pl.Int64))

    result = only(judge(reference, current, "AMT_REQ_CREDIT_BUREAU_HOUR"))

    assert 0 < result.score < result.statistic.threshold
    assert not result.drifted


def test_evidently_does_not_run_without_comparable_columns():
    reference, current = (applications(ROWS, seed, EXT_SOURCE_1=pl.lit(None)) for seed in (1, 2))

    comparison = judge(reference, current, "EXT_SOURCE_1")

    assert comparison.run is None
    assert (comparison.evaluated, comparison.share, comparison.is_drift) == (0, 0, False)


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="current: 999 rows"):
        judge(applications(ROWS, 1), applications(999, 2), "AMT_CREDIT")


def test_flags_and_ranks_are_categories():
    names = ("CODE_GENDER", "FLAG_EMAIL", "REGION_RATING_CLIENT", "CNT_CHILDREN", "AMT_CREDIT")

    assert [measure_of(APPLICATION[name]) for name in names] == ["category"] * 3 + ["number"] * 2
