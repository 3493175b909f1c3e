"""The features of synthetic clients are those that docs/features.md states."""

import polars as pl
import pytest

from bento.data.cleaning import clean
from bento.features.build import build_features
from bento.features.catalogue import CATALOGUE, share_counts_of
from tests.bento.features.comparison import differing
from tests.bento.features.statement import state
from tests.support.sampling import examples
from tests.support.synthetic_clients import synthetic_clients

CLIENTS, ALONE, SEED = 2000, 100, 3
NAMES = [*CATALOGUE, *share_counts_of(CATALOGUE)]

Tables = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def raw() -> Tables:
    return synthetic_clients(CLIENTS, SEED)


@pytest.fixture(scope="module")
def stated(raw: Tables) -> pl.DataFrame:
    return state(raw)


def test_synthetic_clients_together_get_the_stated_features(raw: Tables, stated: pl.DataFrame):
    assert differing(build_features(clean(raw), NAMES), stated) == {}


def test_a_synthetic_client_alone_gets_the_stated_features(raw: Tables, stated: pl.DataFrame):
    tables = clean(raw)
    for application in tables["application"].head(examples(ALONE)).iter_slices(1):
        is_client = pl.col("SK_ID_CURR") == application["SK_ID_CURR"][0]

        built = build_features({**tables, "application": application}, NAMES)

        assert differing(built, stated.filter(is_client)) == {}
