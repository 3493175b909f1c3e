"""Typical values and the fields that files hold, counted again by hand; what each family reads for unknown."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from bento.data.readers import read_application, read_history
from bento.data.tables import TABLES
from bento.model.given_fields import RARE_SHARE
from bento.model.scoring_model import encode
from research.data.dataset import Data
from research.training import boosting
from research.training.cross_fitting import catalogue_names, training_matrix
from research.training.linear import fit_linear
from research.training.unknown_values import MIN_UNKNOWN_ROWS, described, given_fields, optional_columns, typical_value
from research.types import TrainingMatrix

CITIES = ("Paris", "Lyon", "Lille", "Nantes")


@pytest.mark.parametrize(
    ("rows", "unknown", "is_learnt"),
    [
        (1000, MIN_UNKNOWN_ROWS, True),
        (1000, MIN_UNKNOWN_ROWS - 1, False),
        (100_000, round(RARE_SHARE * 100_000), True),
        (100_000, round(RARE_SHARE * 100_000) - 1, False),
        (50, 50, False),
    ],
)
def test_unknown_is_learnt_from_enough_rows_of_enough_share(rows: int, unknown: int, is_learnt: bool):
    values = pl.Series([None] * unknown + [3.0] * (rows - unknown), dtype=pl.Float64)

    column = described("amount", (), values)

    assert column.null_share == pytest.approx(unknown / rows)
    assert column.typical == (None if is_learnt or unknown == rows else 3.0)


def test_the_typical_value_is_one_that_occurs():
    assert typical_value(pl.Series([1.0, 0.0])) == 0.0
    assert typical_value(pl.Series([5.0, 1.0, 2.0])) == 2.0
    assert typical_value(pl.Series(["b", "a", "b", "a", "c"])) == "a"
    assert typical_value(pl.Series([], dtype=pl.Float64)) is None


def test_categories_that_no_row_holds_are_unknown():
    values = pl.Series(["Lille", "Paris", "Lille", "Atlantis", None])

    column = described("city", CITIES, values)

    assert column.categories == ["Paris", "Lille"]
    assert column.null_share == pytest.approx(2 / 5)
    assert column.typical == "Lille"
    rows = pl.DataFrame({"city": ["Nantes", "Atlantis", None, "Lille"]})
    assert len(set(encode(rows, [column])[:, 0])) == 1


def test_categories_of_which_none_occurs_stay_a_category():
    column = described("city", CITIES, pl.Series([None, None], dtype=pl.String))
    assert (column.categories, column.typical, column.null_share) == (list(CITIES), None, 1)


@pytest.fixture(scope="module")
def matrix(data: Data) -> TrainingMatrix:
    return training_matrix(data.rows("development"), catalogue_names(with_age=True))


def test_the_training_matrix_holds_typical_values_where_few_are_unknown(data: Data, matrix: TrainingMatrix):
    features = data.rows("development").features
    kinds = set()
    for position, column in enumerate(matrix.columns):
        values = features[column.name].to_list()
        unknown = np.array([value is None or value not in (column.categories or [value]) for value in values])
        missing = np.isnan(matrix.matrix[:, position])
        assert column.null_share == pytest.approx(unknown.mean())
        if column.typical is None:
            np.testing.assert_array_equal(missing, unknown)
        else:
            assert unknown.sum() < MIN_UNKNOWN_ROWS
            assert not missing.any()
            assert set(matrix.matrix[unknown, position]) <= {column.encoded_typical}
        kinds.add((bool(column.categories), column.typical is None, bool(unknown.any())))
    assert {(False, True, True), (False, False, False), (False, False, True), (True, False, False)} <= kinds


def _fit_boosters(data: TrainingMatrix) -> np.ndarray:
    return boosting.fit(data, 2, 1).out_of_fold.log_odds


def _fit_line(data: TrainingMatrix) -> np.ndarray:
    return fit_linear(data, 2, 1).out_of_fold.log_odds


@pytest.mark.parametrize("fit", [_fit_boosters, _fit_line])
def test_folds_score_an_unknown_value_as_the_typical_one(data: Data, fit: Callable[[TrainingMatrix], np.ndarray]):
    names = ["application_ext_source_3", "application_credit_to_annuity", "application_id_change_years"]
    rows = data.rows("development")
    random = np.random.default_rng(1).random(len(rows.target)) < 0.03
    hidden = rows.features.with_columns(
        pl.when(pl.Series(random)).then(None).otherwise(pl.col(name)).alias(name) for name in names[1:]
    )
    columns = training_matrix(type(rows)(hidden, rows.target, rows.audit), names).columns
    filled = hidden.with_columns(pl.col(column.name).fill_null(column.typical) for column in columns[1:])

    def scores(features: pl.DataFrame) -> np.ndarray:
        return fit(training_matrix(type(rows)(features, rows.target, rows.audit), names))

    np.testing.assert_array_equal(scores(hidden), scores(filled))


def test_the_fields_of_files_are_those_counted_by_client(data: Data):
    fields = given_fields(data, "development")

    applications = read_application(data.folder, "application_train")
    clients = set(data.rows("development").features["SK_ID_CURR"])
    owner = dict(read_history(data.folder, "bureau").select("SK_ID_BUREAU", "SK_ID_CURR").iter_rows())
    assert set(fields) == set(TABLES)
    for name, table in TABLES.items():
        rows = applications if name == "application" else read_history(data.folder, name)
        holders: dict[str, set[int]] = {column: set() for column in optional_columns(table)}
        with_rows = set()
        for row in rows.iter_rows(named=True):
            client = owner.get(row["SK_ID_BUREAU"]) if name == "bureau_balance" else row["SK_ID_CURR"]
            if client in clients:
                with_rows.add(client)
                for column, of_column in holders.items():
                    if row[column] is not None:
                        of_column.add(client)
        assert fields[name].clients == len(with_rows)
        assert fields[name].unknown == pytest.approx(
            {column: 1 - len(of_column) / len(with_rows) for column, of_column in holders.items()}
        )


def test_a_code_for_unknown_has_been_given(data: Data):
    share = given_fields(data, "development")["application"].unknown
    days = read_application(data.folder, "application_train")["DAYS_EMPLOYED"]
    assert (days == 365243).any()
    assert share["DAYS_EMPLOYED"] == 0
    assert share["EXT_SOURCE_1"] > 0.3
