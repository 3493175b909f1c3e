"""What the trained model makes of fields that are missing: no extreme value, no reason, and a warning."""

import numpy as np
import polars as pl
import pytest

from bento.data.credit_file import CreditFile
from bento.model.scoring_model import ScoringModel
from bento.scoring.missing_fields import file_warnings
from tests.model_behaviour.conftest import Json, Score

FIVE_FIELDS = {
    "SK_ID_CURR": 900001,
    "AMT_CREDIT": 300000.0,
    "AMT_ANNUITY": 18000.0,
    "AMT_INCOME_TOTAL": 150000.0,
    "DAYS_BIRTH": -14000,
}


@pytest.fixture(scope="module")
def features(model: ScoringModel, files: list[Json]) -> pl.DataFrame:
    return model.features([CreditFile.model_validate(file) for file in files])


def test_an_unknown_value_that_training_hardly_saw_scores_between_others(model: ScoringModel, features: pl.DataFrame):
    assert model.typical_features
    for column in model.manifest.features:
        if column.typical is None:
            continue
        values = column.categories or np.unique(features[column.name].drop_nulls().to_numpy()).tolist()
        by_value = [model.log_odds(features.with_columns(pl.lit(value).alias(column.name))) for value in values]
        dtype = pl.String if column.categories else pl.Float64
        unknown = model.log_odds(features.with_columns(pl.lit(None, dtype=dtype).alias(column.name)))
        typical = model.log_odds(features.with_columns(pl.lit(column.typical, dtype=dtype).alias(column.name)))
        np.testing.assert_array_equal(unknown, typical)
        if column.typical in values:
            assert (unknown >= np.min(by_value, axis=0)).all(), column.name
            assert (unknown <= np.max(by_value, axis=0)).all(), column.name


def test_no_reason_of_five_fields_is_made_of_what_is_not_known(scored: Score):
    (application,) = scored([{"application": FIVE_FIELDS}])
    assert application.reasons
    for reason in application.reasons:
        assert reason.code in ("R02", "R03") or reason.code.startswith("U")  # the file states a loan and an income
        assert all(fact.value is not None for fact in reason.facts)


def test_five_fields_are_scored_with_a_warning_for_each_other_that_clients_have(model: ScoringModel):
    credit_file = CreditFile.model_validate({"application": FIVE_FIELDS})
    lacking = {warning.field for warning in file_warnings(model, credit_file)}
    expected = set(model.reference.fields["application"].expected()) - FIVE_FIELDS.keys()
    assert lacking == {f"application.{column}" for column in expected}
    assert {"application.DAYS_ID_PUBLISH", "application.NAME_EDUCATION_TYPE"} <= lacking


def test_no_field_that_is_given_is_named_as_missing(model: ScoringModel, files: list[Json]):
    for file in files:
        credit_file = CreditFile.model_validate(file)
        missing = [warning for warning in file_warnings(model, credit_file) if warning.kind == "missing_field"]
        absent = {warning.field.partition(".")[2] for warning in missing}
        assert not absent & {column for column, value in credit_file.application.items() if value is not None}
