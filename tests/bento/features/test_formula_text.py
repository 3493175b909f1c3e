"""`docs/features.md` says of every feature how it is computed, in names that it defines."""

import re

import polars as pl
import pytest

from bento.data.tables import TABLES
from bento.features.catalogue import CATALOGUE, TABLE_FEATURES
from bento.features.formula_text import feature_formula, formula_text
from bento.features.reading import reading

COLUMNS = {column.name for table in TABLES.values() for column in table}
DERIVED = {name for table in TABLE_FEATURES for name in table.derived} - COLUMNS
TEXT = re.compile(r"'[^']*'")
NAME = re.compile(r"[A-Z][A-Z0-9_]{3,}|[a-z0-9]+(?:_[a-z0-9]+)+")


def test_formulas_name_columns_and_what_the_document_defines():
    for feature in (feature for feature in CATALOGUE.values() if not feature.text):
        names = set(NAME.findall(TEXT.sub("", feature_formula(feature))))
        assert names <= {*COLUMNS, *DERIVED, *CATALOGUE}, feature.name


def test_a_formula_names_every_column_that_the_feature_reads():
    for feature in CATALOGUE.values():
        if not feature.text and feature_formula(feature) != "number of rows":
            assert feature.roots <= set(re.findall(r"\w+", feature_formula(feature))), feature.name


def test_every_derived_column_is_defined():
    written_out = {"building_fields_missing"}
    assert [name for name in DERIVED - written_out if f"`{name}`" not in reading()] == []


def test_cleaning_of_every_column_is_stated():
    cleaning = reading().split("### Aggregates")[0]
    for table in TABLES.values():
        for column in table:
            row = f"| {table.name} | {column.name} | "
            is_cleaned = column.missing_codes or (column.plausible_minimum, column.plausible_maximum) != (None, None)
            assert (row in cleaning) == bool(is_cleaned), column.name
    assert "| bureau | DAYS_CREDIT_ENDDATE | below -40,000 |" in cleaning


A, B = pl.col("A"), pl.col("B")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (A - (B - 1), "A - (B - 1)"),
        (A / (B * 2), "A / (B * 2)"),
        (A * B / 2, "A * B / 2"),
        ((A > 3) & (B.is_null() | (A == "x")), "A > 3 and (B is null or A = 'x')"),
        (~(A <= 0), "not (A ≤ 0)"),
        (pl.when(A >= 0).then(A + 1), "A + 1 if A ≥ 0"),
        (pl.when(A != 0).then(B / A), "B / A"),
        (pl.when(B != 0).then(B / A), "B / A if B ≠ 0"),
        (pl.when(A != 0).then(B).otherwise(1.5), "B if A ≠ 0 else 1.5"),
        (A.clip(lower_bound=-1500), "max(A, -1500)"),
        (A.clip(upper_bound=6) * B, "min(A, 6) * B"),
        (-A / 365.25, "(-A) / 365.25"),
        (A.cast(pl.Float64), "A"),
        (pl.sum_horizontal("A", "B"), "sum(A, B)"),
        (pl.coalesce("A", "B"), "first known(A, B)"),
    ],
)
def test_an_expression_is_written_as_it_is_computed(expression: pl.Expr, text: str):
    assert formula_text(expression) == text


def test_an_expression_without_words_is_an_error():
    with pytest.raises(NotImplementedError, match="no words for the function"):
        formula_text(A.sqrt())
