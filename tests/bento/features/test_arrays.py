"""Expressions over arrays have the values of the same expressions in Polars."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bento.features.arrays import Program
from bento.features.definitions import Aggregate, Feature, Window
from bento.features.engine import Evaluator
from bento.features.formulas import one_of, ratio, total_known
from bento.features.rows import ClientRows
from tests.support.sampling import examples

A, B, TEXT = pl.col("a"), pl.col("b"), pl.col("text")
EXPRESSIONS = {
    "arithmetic": -A + B * 2 - A / 4,
    "division by zero as the last step": A / B,
    "guarded division": ratio(A, B) + 1,
    "comparisons of numbers": (A == B) | (A != 2) & ~((A < B) | (A <= 1) | (A > 3) | (A >= B)),
    "comparisons of texts": (TEXT == "x") | (TEXT != "y"),
    "one of several texts": one_of(TEXT, ("x", "y")),
    "conditional without another value": pl.when((A > B) & (TEXT == "x")).then(A),
    "conditional with another value": pl.when(A > 1).then(A).otherwise(B),
    "conditional of texts": pl.when(TEXT != "x").then(TEXT),
    "nulls": A.is_null() | B.is_not_null() & TEXT.is_null(),
    "filled nulls": (A > B).fill_null(False),
    "bounds": A.clip(lower_bound=1) + B.clip(upper_bound=2) + A.clip(0, 1),
    "rounding": (A * 0.5).round(),
    "sum of columns": pl.sum_horizontal("a", "b"),
    "mean of columns": pl.mean_horizontal("a", "b"),
    "least and largest of columns": pl.min_horizontal("a", "b") - pl.max_horizontal("a", "b"),
    "total of the known": total_known(("a", "b")),
    "cast": (A > B).cast(pl.Float64) * 2,
}
numbers = st.none() | st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, 3.0])
rows = st.lists(st.tuples(numbers, numbers, st.sampled_from([None, "x", "y", "z"])), min_size=1, max_size=6)


def _frame(content: list[tuple[float | None, float | None, str | None]]) -> pl.DataFrame:
    schema = {"a": pl.Float64, "b": pl.Float64, "text": pl.String}
    return pl.DataFrame(content, schema=schema, orient="row")


def _nulls(values: object) -> list[object]:
    """Return values with None in place of what is no finite number."""
    content = values.tolist() if isinstance(values, np.ndarray) else list(values)  # type: ignore[call-overload]
    return [None if isinstance(value, float) and not np.isfinite(value) else value for value in content]


@pytest.mark.parametrize("name", EXPRESSIONS)
@settings(max_examples=examples(90))
@given(content=rows)
def test_arrays_give_the_values_of_polars(name: str, content: list[tuple[float | None, float | None, str | None]]):
    frame = _frame(content)

    (values,) = Program([EXPRESSIONS[name]]).run(ClientRows.of_frame(frame))

    expected = frame.select(EXPRESSIONS[name].alias("value"))["value"]
    assert _nulls(values) == _nulls(expected if expected.dtype == pl.String else expected.cast(pl.Float64))


def test_equal_parts_of_expressions_are_evaluated_once():
    reads: list[str] = []

    def read(name: str) -> np.ndarray:
        reads.append(name)
        return np.array([1.0, 2.0])

    one, two = Program([A + B, (A + B) * A]).run(ClientRows(2, ["a", "b"], read))

    assert (one.tolist(), two.tolist(), sorted(reads)) == ([2.0, 4.0], [2.0, 8.0], ["a", "b"])


@pytest.mark.parametrize("expression", [A / B + 1, A * (1 / B)], ids=["0 / 0", "0 * infinity"])
def test_a_result_that_is_no_number_is_not_taken_for_null(expression: pl.Expr):
    with pytest.raises(FloatingPointError):
        Program([expression]).run(ClientRows.of_frame(_frame([(0.0, 0.0, None)])))


@pytest.mark.parametrize(
    "expression",
    [A.abs(), A % 2, TEXT < "x", A.round(1), A.cast(pl.Int64), TEXT.is_in(["x"]), A.sum(), A < pl.lit(float("inf"))],
    ids=["abs", "modulo", "order of texts", "decimals", "integers", "list", "aggregate", "infinity"],
)
def test_an_operation_that_is_not_translated_is_named(expression: pl.Expr):
    with pytest.raises(NotImplementedError, match="arrays have no"):
        Program([expression])


FUNCTIONS = ("len", "count", "mean", "max", "min", "sum", "std", "n_unique")


@settings(max_examples=examples(200))
@given(content=rows)
def test_aggregates_of_arrays_are_those_of_frames(content: list[tuple[float | None, float | None, str | None]]):
    windows = (None, Window("high", A > B, "", ""), Window("x", TEXT == "x", "", ""))
    features = [
        Feature(f"{function}_{number}_{value.meta.output_name()}", Aggregate(function, value, window), group="card_use")
        for function in FUNCTIONS
        for number, window in enumerate(windows)
        for value in ((A, B, A > 1) if function != "n_unique" else (A, TEXT))
        if function != "len" or window is None
    ]
    unique = list({feature.name: feature for feature in features}.values())
    frame = _frame(content).with_columns(SK_ID_CURR=pl.lit(1))

    alone = Evaluator(unique).of_one_client(ClientRows.of_frame(frame))

    together = Evaluator(unique).of_clients(frame, pl.Series([1])).row(0, named=True)
    assert alone.keys() == together.keys()
    for name, value in together.items():
        expected = np.nan if value is None else value
        assert alone[name] == pytest.approx(expected, rel=1e-12, abs=1e-15, nan_ok=True), name


@pytest.mark.parametrize("value", [0.1, 0.7, 1 / 3, 123456.789])
@pytest.mark.parametrize("count", [2, 3, 7, 11])
def test_equal_values_have_a_deviation_of_exactly_zero(value: float, count: int):
    feature = Feature("spread", Aggregate("std", A), group="card_use")

    alone = Evaluator([feature]).of_one_client(ClientRows.of_frame(_frame([(value, None, None)] * count)))

    assert alone == {"spread": 0.0}
