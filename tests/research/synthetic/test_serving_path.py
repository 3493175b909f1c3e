"""The synthetic data on the path of every decision: it has no faults, and every feature is of use on it."""

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bento.data.cleaning import clean
from bento.data.credit_file import CreditFile, frames
from bento.data.readers import read_application, read_client, read_history
from bento.data.tables import HISTORIES
from bento.data.validation import check_folder
from bento.features.build import build_features
from bento.features.catalogue import CATALOGUE
from research.data.example_credit_files import credit_file

ONLINE = 5
"""Clients that are scored one by one."""


@pytest.fixture(scope="module")
def features(synthetic_folder: Path) -> pl.DataFrame:
    applications = read_application(synthetic_folder, "application_train")
    return build_features(
        clean({"application": applications, **{name: read_history(synthetic_folder, name) for name in HISTORIES}})
    )


def test_the_synthetic_data_has_no_faults(synthetic_folder: Path):
    assert check_folder(synthetic_folder).faults == []


def test_every_feature_differs_between_synthetic_clients(features: pl.DataFrame):
    assert [name for name in CATALOGUE if features[name].n_unique() == 1] == []


def test_numbers_are_finite_or_null(features: pl.DataFrame):
    for name in (name for name, feature in CATALOGUE.items() if not feature.is_category):
        assert features[name].drop_nulls().is_finite().all(), name


def test_one_synthetic_client_gets_the_same_features_as_all(synthetic_folder: Path, features: pl.DataFrame):
    for client in features["SK_ID_CURR"].head(ONLINE).to_list():
        body = json.dumps(credit_file(read_client(synthetic_folder, "application_train", client)))
        alone = build_features(clean(frames([CreditFile.model_validate_json(body)])))
        assert_frame_equal(alone, features.filter(pl.col("SK_ID_CURR") == client), rel_tol=1e-9, abs_tol=1e-12)
