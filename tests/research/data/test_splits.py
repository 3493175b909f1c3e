import polars as pl
import pytest

from research.data.splits import SHARES, persons, split_of

CLIENTS = pl.Series(range(100_002, 130_002))


def test_shares_are_as_declared():
    split = split_of(CLIENTS)
    for name, share in SHARES.items():
        assert (split == name).mean() == pytest.approx(share, abs=0.01)


def test_split_of_a_client_does_not_depend_on_other_clients():
    split = split_of(CLIENTS)
    assert split_of(CLIENTS.reverse()).reverse().to_list() == split.to_list()
    assert split_of(CLIENTS[5:6]).to_list() == split[5:6].to_list()


def test_clients_of_whom_no_age_of_a_change_is_known_are_different_persons():
    complete = {"DAYS_BIRTH": -12000, "DAYS_REGISTRATION": -4000, "DAYS_ID_PUBLISH": -900, "CODE_GENDER": "F"}
    without_both = complete | {"DAYS_REGISTRATION": None, "DAYS_ID_PUBLISH": None}
    without_one = complete | {"DAYS_REGISTRATION": None}

    numbers = persons(
        pl.DataFrame([complete, complete, without_both, without_both, without_one, without_one])
    ).to_list()

    assert numbers[0] == numbers[1]
    assert len(set(numbers)) == 5
