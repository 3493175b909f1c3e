"""The features of one client under other applications are those of each application alone."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from bento.data.cleaning import clean
from bento.data.readers import read_application, read_client
from bento.features.build import Variants, build_features
from bento.features.catalogue import CATALOGUE, computed_from
from bento.model.peer_groups import AMOUNTS
from tests.support.sampling import examples

Tables = dict[str, pl.DataFrame]
CLIENTS = 12


@pytest.fixture(scope="module")
def clients(synthetic_folder: Path) -> list[Tables]:
    """The cleaned tables of some clients, one of them without any history."""
    ids = read_application(synthetic_folder, "application_train")["SK_ID_CURR"].head(CLIENTS)
    tables = [clean(read_client(synthetic_folder, "application_train", client)) for client in ids.to_list()]
    return [*tables, {name: table if name == "application" else table.clear() for name, table in tables[0].items()}]


def _variants(tables: Tables, amounts: dict[str, list[float | None]]) -> pl.DataFrame:
    """The client's application with other amounts, as many rows as there are of each."""
    rows = len(next(iter(amounts.values())))
    changed = [pl.Series(name, values, pl.Float64) for name, values in amounts.items()]
    return tables["application"][[0] * rows].with_columns(changed)


def _assert_as_alone(tables: Tables, applications: pl.DataFrame, names: list[str] | None = None) -> None:
    variants = Variants(tables, names)
    together = variants.features(applications)
    for number in range(len(applications)):
        one = applications[[number]]
        alone = build_features({**tables, "application": one}, names)
        assert_frame_equal(variants.features(one), alone, check_exact=True)
        assert_frame_equal(together[[number]], alone, rel_tol=1e-9, abs_tol=1e-12)


def test_variants_have_the_features_of_build_features(clients: list[Tables]):
    random = np.random.default_rng(1)
    for tables in clients:
        amounts = {name: np.exp(random.uniform(8, 15, 6)).tolist() for name in AMOUNTS}
        _assert_as_alone(tables, _variants(tables, amounts))


amount = st.none() | st.floats(0, 1e12) | st.sampled_from([0.0, 1.0, 450_000.0, 1e300])


@settings(max_examples=examples(40))
@given(client=st.integers(0, CLIENTS), amounts=st.lists(st.tuples(amount, amount, amount), min_size=1, max_size=4))
def test_any_amounts_give_the_same_alone_and_together(client: int, amounts: list[tuple[float | None, ...]], clients):
    columns = dict(zip(AMOUNTS, map(list, zip(*amounts, strict=True)), strict=True))
    _assert_as_alone(clients[client], _variants(clients[client], columns))


@pytest.mark.parametrize("names", [["previous_credit_max_to_loan"], ["application_housing", "card_cash_share"], []])
def test_only_the_named_features_are_built(clients: list[Tables], names: list[str]):
    tables = clients[1]
    applications = _variants(tables, {"AMT_CREDIT": [1e5, 2e5, 3e5]})
    _assert_as_alone(tables, applications, names)
    some = Variants(tables).features(applications, names)
    assert_frame_equal(some, Variants(tables, names).features(applications), check_exact=True)


def test_amounts_change_only_features_computed_from_them(clients: list[Tables]):
    varying = computed_from(AMOUNTS, CATALOGUE)
    assert {"application_credit", "application_credit_to_annuity", "bureau_debt_to_loan"} <= set(varying)
    fixed = [name for name in CATALOGUE if name not in varying]
    assert fixed
    for tables in clients:
        features = Variants(tables).features(_variants(tables, {name: [1e4, 2e5, 3e6] for name in AMOUNTS}))
        assert features.select(fixed).n_unique() == 1
        assert features.select(varying).n_unique() == 3
