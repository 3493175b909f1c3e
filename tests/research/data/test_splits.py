import polars as pl
import pytest

from research.data.splits import SHARES, split_of

CLIENTS = pl.Series(range(100_002, 130_002))


def test_shares_are_as_declared():
    split = split_of(CLIENTS)
    for name, share in SHARES.items():
        assert (split == name).mean() == pytest.approx(share, abs=0.01)


def test_split_of_a_client_does_not_depend_on_other_clients():
    split = split_of(CLIENTS)
    assert split_of(CLIENTS.reverse()).reverse().to_list() == split.to_list()
    assert split_of(CLIENTS[5:6]).to_list() == split[5:6].to_list()
