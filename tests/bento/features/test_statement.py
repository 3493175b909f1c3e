"""The features are those that docs/features.md states: an independent statement of each agrees on every credit file."""

import json
from collections.abc import Mapping

import polars as pl
import pytest

from bento.data.cleaning import clean
from bento.data.credit_file import CreditFile, frames
from bento.features.build import build_features
from bento.features.catalogue import CATALOGUE, share_counts_of
from tests.bento.features import statement
from tests.bento.features.comparison import TOLERANCE, differing
from tests.bento.features.odd_clients import odd_clients
from tests.bento.features.small_files import SMALL_FILES, credit_file, small_tables
from tests.support.sampling import examples

NAMES = [*CATALOGUE, *share_counts_of(CATALOGUE)]
ODD_CLIENTS, ALONE = 300, 120
"""Odd clients, and those of them whose features are also built alone."""
SEEDS = (1, 2)

Tables = Mapping[str, pl.DataFrame]


@pytest.fixture(scope="module")
def stated_small_files() -> pl.DataFrame:
    return statement.state(small_tables())


@pytest.fixture(scope="module", params=SEEDS)
def odd(request: pytest.FixtureRequest) -> tuple[Tables, pl.DataFrame]:
    tables = odd_clients(ODD_CLIENTS, request.param)
    return tables, statement.state(tables)


def test_every_feature_and_share_count_is_stated():
    assert set(NAMES) - set(statement.NAMES) == set()


def test_nothing_is_stated_that_is_not_in_the_catalogue():
    assert set(statement.NAMES) - set(NAMES) == set()


def test_categories_are_stated_as_such():
    assert {name for name, feature in CATALOGUE.items() if feature.is_category} == statement.CATEGORIES


@pytest.mark.parametrize("name", SMALL_FILES)
def test_the_statement_gives_the_values_worked_out_by_hand(name: str, stated_small_files: pl.DataFrame):
    row = stated_small_files.row(list(SMALL_FILES).index(name), named=True)

    expected = SMALL_FILES[name].expected

    assert {feature: row[feature] for feature in expected} == {
        feature: pytest.approx(value, rel=TOLERANCE, abs=TOLERANCE) if isinstance(value, float) else value
        for feature, value in expected.items()
    }


@pytest.mark.parametrize("name", SMALL_FILES)
def test_a_small_credit_file_gets_the_stated_features(name: str, stated_small_files: pl.DataFrame):
    client = list(SMALL_FILES).index(name) + 1
    request = CreditFile.model_validate_json(json.dumps(credit_file(name, client)))

    built = build_features(clean(frames([request])), NAMES)

    assert differing(built, stated_small_files.filter(pl.col("SK_ID_CURR") == client)) == {}


def test_small_credit_files_together_get_the_stated_features(stated_small_files: pl.DataFrame):
    assert differing(build_features(clean(small_tables()), NAMES), stated_small_files) == {}


def test_odd_clients_get_the_stated_features(odd: tuple[Tables, pl.DataFrame]):
    tables, stated = odd

    assert differing(build_features(clean(tables), NAMES), stated) == {}


def test_an_odd_client_alone_gets_the_stated_features(odd: tuple[Tables, pl.DataFrame]):
    tables, stated = odd
    cleaned = clean(tables)
    for application in cleaned["application"].head(examples(ALONE)).iter_slices(1):
        is_client = pl.col("SK_ID_CURR") == application["SK_ID_CURR"][0]

        # The histories of the other clients stay: their rows have no effect.
        built = build_features({**cleaned, "application": application}, NAMES)

        assert differing(built, stated.filter(is_client)) == {}


def test_the_order_of_the_rows_has_no_effect(odd: tuple[Tables, pl.DataFrame]):
    tables, stated = odd
    shuffled = {name: frame.sample(fraction=1, shuffle=True, seed=5) for name, frame in tables.items()}
    shuffled["application"] = tables["application"]

    assert differing(build_features(clean(shuffled), NAMES), stated) == {}


def test_every_feature_varies_among_odd_clients(odd: tuple[Tables, pl.DataFrame]):
    _, stated = odd

    assert [name for name in NAMES if stated[name].drop_nulls().n_unique() < 2] == []
