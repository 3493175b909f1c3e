"""The traits of clients: standard normal over all, and apart between segments."""

from dataclasses import fields

import numpy as np
import polars as pl
import pytest
from scipy.stats import kstest

from research.synthetic.application import Clients
from research.synthetic.liability import SEGMENTS, Risk
from research.synthetic.risk_traits import Traits, draw_traits

CLIENTS = 20_000


@pytest.fixture(scope="module")
def risk() -> Risk:
    rng = np.random.default_rng(1)
    segment = rng.choice(len(SEGMENTS), CLIENTS, p=[item.share for item in SEGMENTS])
    return Risk(rng.standard_normal(CLIENTS), segment, np.full(CLIENTS, 0.08))


@pytest.fixture(scope="module")
def traits(risk: Risk) -> Traits:
    ids = np.arange(CLIENTS)
    clients = Clients(pl.DataFrame(), ids, np.ones(CLIENTS, dtype=bool), np.zeros(CLIENTS, dtype=np.int64), risk)
    return draw_traits(clients, np.random.default_rng(2))


@pytest.mark.parametrize("name", [field.name for field in fields(Traits)])
def test_traits_are_standard_normal_over_all_clients(traits, name):
    assert kstest(getattr(traits, name), "norm").statistic < 0.015


@pytest.mark.parametrize("name", [field.name for field in fields(Traits)])
def test_segments_differ_in_their_traits_as_declared(traits, risk, name):
    values = getattr(traits, name)

    means = [values[risk.segment == number].mean() for number in range(len(SEGMENTS))]

    declared = [segment.traits[name] for segment in SEGMENTS]
    assert np.corrcoef(means, declared)[0, 1] > 0.95


def test_the_visible_risk_shows_in_the_traits(traits, risk):
    assert np.corrcoef(traits.late, risk.visible)[0, 1] > 0.05
