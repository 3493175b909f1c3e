"""One optional field after the other is left out: unknown is read as unknown, the same way from every kind of file.

The expected score is worked out here from the model folder's text files: features that became unknown get the typical
value that `scoring.json` declares, and LightGBM, or the terms of the linear model, score the row.
"""

import json
import math
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import polars as pl
import pytest

from bento.data.cleaning import clean
from bento.data.credit_file import CreditFile, frames
from bento.data.readers import read_application, read_history
from bento.data.tables import APPLICATION, HISTORIES, TABLES
from bento.features.build import build_features
from bento.features.definitions import Value
from bento.model.manifest import SCORING_FILE
from bento.model.scoring_model import ScoringModel
from bento.rules.check import Rules
from bento.scoring.missing_fields import file_warnings
from bento.scoring.score import score
from tests.support.clients import credit_file, make_clients
from tests.support.sampling import sampled
from tests.support.small_model import write_small_model

Json = dict[str, Any]
CLIENTS = 600
FILES = 6
OFTEN_UNKNOWN = ("EXT_SOURCE_1", "OCCUPATION_TYPE", "OWN_CAR_AGE")
"""Optional columns of the application that some clients lack; all have the others."""
NAMES = (
    "application_ext_source_1",
    "application_ext_source_2",
    "application_ext_source_mean",
    "application_goods_price",
    "application_credit_to_annuity",
    "application_credit_to_goods_price",
    "application_income_per_family_member",
    "application_education",
    "application_occupation",
    "application_id_change_years",
    "application_document_3",
    "bureau_credits",
    "bureau_debt_to_loan",
    "bureau_overdue_sum",
    "previous_refused_share",
    "installments_days_late_mean",
    "installments_late_share",
)
FIELDS = [
    (table.name, column.name)
    for table in TABLES.values()
    for column in table
    if not column.required and column.kind != "id"
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write clients of whom all but a few columns of the application are always known."""
    tables = make_clients(CLIENTS, seed=5)
    filled = pl.all().exclude(OFTEN_UNKNOWN).fill_null(strategy="forward").fill_null(strategy="backward")
    tables["application_train"] = tables["application_train"].with_columns(filled)
    folder = tmp_path_factory.mktemp("data") / "clients"
    folder.mkdir()
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module", params=["lightgbm", "linear"])
def model(request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory) -> ScoringModel:
    return write_small_model(tmp_path_factory.mktemp(request.param) / "model", data, NAMES, request.param)


@pytest.fixture(scope="module")
def files(data: Path) -> list[Json]:
    """Return credit files of some of the clients, with every table."""
    applications = read_application(data, "application_train")
    histories = {name: read_history(data, name) for name in HISTORIES}
    contents = (_of_client(application, histories) for application in applications.iter_slices(1))
    return list(islice((content for content in contents if len(content) == len(TABLES)), FILES))


def _of_client(application: pl.DataFrame, histories: dict[str, pl.DataFrame]) -> Json:
    is_client = pl.col("SK_ID_CURR") == application["SK_ID_CURR"][0]
    rows = {name: histories[name].filter(is_client) for name in HISTORIES if name != "bureau_balance"}
    rows["bureau_balance"] = histories["bureau_balance"].join(rows["bureau"], on="SK_ID_BUREAU", how="semi")
    return credit_file({"application": application, **rows})


def _without(file: Json, table: str, column: str) -> Json:
    """Return the credit file without a field: of the application, or of all rows of a history."""
    if table == APPLICATION.name:
        return file | {table: {name: value for name, value in file[table].items() if name != column}}
    return file | {table: [{name: row[name] for name in row if name != column} for row in file[table]]}


def _scores(model: ScoringModel, files: list[Json]) -> list[float]:
    return [
        scored.log_odds for scored in score(model, [_parsed(file) for file in files], rules=Rules.none(), reasons=False)
    ]


def _parsed(file: Json) -> CreditFile:
    return CreditFile.model_validate_json(json.dumps(file))


def _expected(model: ScoringModel, features: pl.DataFrame, replacement: Callable[[Json], Value]) -> np.ndarray:
    """Score features whose unknown values are replaced, by the text files of the model folder alone."""
    manifest = json.loads((model.folder / SCORING_FILE).read_text())
    rows = []
    for row in features.iter_rows(named=True):
        numbers = []
        for column in manifest["features"]:
            value = row[column["name"]]
            value = replacement(column) if value is None else value
            number = column["categories"].index(value) if isinstance(value, str) else value
            numbers.append(math.nan if number is None else float(number))
        rows.append(numbers)
    raw = _raw_log_odds(model.folder, np.array(rows))
    return manifest["calibration"]["slope"] * raw + manifest["calibration"]["intercept"]


def _raw_log_odds(folder: Path, rows: np.ndarray) -> np.ndarray:
    if (folder / "model.txt").is_file():
        return np.asarray(lightgbm.Booster(model_file=folder / "model.txt").predict(rows, raw_score=True))
    content = json.loads((folder / "linear.json").read_text())
    total = np.full(len(rows), content["intercept"])
    for values, term in zip(rows.T, content["terms"], strict=True):
        for position, value in enumerate(values):
            if math.isnan(value):
                total[position] += term["missing"]
            elif term["knots"]:
                total[position] += np.interp(value, term["knots"], term["effects"])
            else:
                total[position] += term["effects"][int(value)]
    return total


def _typical(column: Json) -> Value:
    value: Value = column["typical"]
    return value


def _zero(column: Json) -> Value:
    """Return what LightGBM reads for NaN in a column that had none in training."""
    return None if column["typical"] is None else column["categories"][0] if column["categories"] else 0.0


def test_the_model_has_features_of_either_kind(model: ScoringModel):
    assert {"application_id_change_years", "application_document_3", "application_education"} <= model.typical_features
    assert not {"application_ext_source_1", "application_occupation"} & model.typical_features


@pytest.mark.parametrize(("table", "column"), sampled(FIELDS))
def test_a_field_left_out_is_read_as_the_model_declares(
    model: ScoringModel, files: list[Json], table: str, column: str
):
    changed = [_without(file, table, column) for file in files]
    features = model.features([_parsed(file) for file in changed])
    np.testing.assert_allclose(_scores(model, changed), _expected(model, features, _typical), rtol=0, atol=1e-9)


def test_a_field_left_out_is_not_read_as_zero(model: ScoringModel, files: list[Json]):
    for column in ("DAYS_ID_PUBLISH", "CNT_FAM_MEMBERS", "AMT_GOODS_PRICE"):
        changed = [_without(file, APPLICATION.name, column) for file in files]
        features = model.features([_parsed(file) for file in changed])
        assert np.abs(np.array(_scores(model, changed)) - _expected(model, features, _zero)).max() > 1e-3, column


def test_five_fields_give_no_reason_of_unknown_facts(model: ScoringModel):
    amounts = {"AMT_CREDIT": 300_000.0, "AMT_ANNUITY": 18_000.0, "AMT_INCOME_TOTAL": 150_000.0}
    credit_file = _parsed({"application": {"SK_ID_CURR": 900_001, "DAYS_BIRTH": -14_000, **amounts}})

    (scored,) = score(model, [credit_file], rules=Rules.none(), reasons=True)

    assert scored.reasons
    for reason in scored.reasons:
        assert reason.code in ("R02", "R03") or reason.code.startswith("U")  # the file states a loan and an income
        assert bool(reason.facts) is reason.code.startswith("R")
        assert all(fact.value is not None for fact in reason.facts)
    lacking = {warning.field for warning in file_warnings(model, credit_file)}
    assert {"application.DAYS_ID_PUBLISH", "application.FLAG_DOCUMENT_3", "application.EXT_SOURCE_2"} <= lacking
    assert not lacking & {f"application.{column}" for column in OFTEN_UNKNOWN}


@pytest.mark.parametrize(("table", "column"), sampled(FIELDS))
def test_a_field_left_out_scores_alike_from_json_csv_and_parquet(
    model: ScoringModel, files: list[Json], tmp_path: Path, table: str, column: str
):
    changed = [_without(file, table, column) for file in files]
    as_null = [_with_null(file, table, column) for file in files]
    log_odds = _scores(model, changed)

    assert _scores(model, as_null) == log_odds
    for suffix in ("csv", "parquet"):
        features = _features_of_files(model, tmp_path / suffix, suffix, changed)
        np.testing.assert_allclose(model.log_odds(features), log_odds, rtol=0, atol=1e-9)


def _with_null(file: Json, table: str, column: str) -> Json:
    if table == APPLICATION.name:
        return file | {table: file[table] | {column: None}}
    return file | {table: [row | {column: None} for row in file[table]]}


def _features_of_files(model: ScoringModel, folder: Path, suffix: str, files: list[Json]) -> pl.DataFrame:
    """Write the credit files as tables, in which a column left out is empty, and compute features as training does."""
    folder.mkdir()
    for name, table in frames([_parsed(file) for file in files]).items():
        path = folder / f"{'application_train' if name == APPLICATION.name else name}.{suffix}"
        if suffix == "csv":
            table.write_csv(path)
        else:
            table.write_parquet(path)
    histories = {name: read_history(folder, name) for name in HISTORIES}
    application = read_application(folder, "application_train")
    return build_features(clean({APPLICATION.name: application, **histories}), model.feature_names)
