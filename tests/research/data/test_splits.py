import numpy as np
import polars as pl
import pytest

from bento.data.readers import read_application
from research.data.dataset import Data
from research.data.splits import PERSON_FROM, SHARES, persons, split_of


def applications(clients: int = 30_000, **changed: pl.Expr) -> pl.DataFrame:
    """Invent applications of as many people as clients."""
    random = np.random.default_rng(1)
    born = -random.integers(7_500, 25_000, clients)
    return pl.DataFrame(
        {
            "SK_ID_CURR": np.arange(100_002, 100_002 + clients),
            "DAYS_BIRTH": born,
            "DAYS_REGISTRATION": -random.integers(0, -born),
            "DAYS_ID_PUBLISH": -random.integers(0, 6_000, clients),
            "CODE_GENDER": random.choice(["F", "M"], clients),
        }
    ).with_columns(**changed)


@pytest.mark.parametrize("unknown", [[], ["DAYS_REGISTRATION"], list(PERSON_FROM)])
def test_shares_are_as_declared(unknown: list[str]):
    rows = applications(**{name: pl.lit(None, pl.String if "CODE" in name else pl.Int64) for name in unknown})

    split = split_of(rows)

    for name, share in SHARES.items():
        assert (split == name).mean() == pytest.approx(share, abs=0.01)


def test_split_of_a_client_does_not_depend_on_other_clients():
    rows = applications(1_000)

    split = split_of(rows)

    assert split_of(rows.reverse()).reverse().to_list() == split.to_list()
    assert split_of(rows[5:6]).to_list() == split[5:6].to_list()


def test_all_applications_of_a_person_are_in_one_split():
    first = applications(2_000)
    days = [pl.col(name) - 90 for name in PERSON_FROM if name.startswith("DAYS")]
    later = first.with_columns(*days, SK_ID_CURR=pl.col("SK_ID_CURR") + 200_000)

    assert split_of(later).to_list() == split_of(first).to_list()
    assert (persons(pl.concat([first, later]))[:2_000] == persons(pl.concat([first, later]))[2_000:]).all()


def test_the_split_is_the_same_for_whole_numbers_read_as_floats():
    rows = applications(500)

    as_floats = rows.with_columns(pl.col("DAYS_REGISTRATION", "DAYS_ID_PUBLISH").cast(pl.Float64))

    assert split_of(as_floats).to_list() == split_of(rows).to_list()


def test_no_person_of_the_data_is_in_two_splits(data: Data):
    split_by_person = data.audit().select("person", split=data.splits).unique()

    assert split_by_person["person"].is_unique().all()


def test_features_and_splits_have_the_order_of_the_file(data: Data):
    file = read_application(data.folder, "application_train", names=["SK_ID_CURR", *PERSON_FROM])

    assert data.features()["SK_ID_CURR"].to_list() == file["SK_ID_CURR"].to_list()
    assert data.splits.to_list() == split_of(file).to_list()


def test_the_rows_of_the_splits_are_all_clients_once(data: Data):
    rows = [data.rows("development"), data.rows("gate"), data.test_rows()]

    clients = pl.concat([part.features["SK_ID_CURR"] for part in rows])
    assert sorted(clients) == sorted(data.features()["SK_ID_CURR"])
    assert data.test_features().equals(rows[2].features)
    assert "TARGET" not in data.test_features().columns


def test_clients_of_whom_no_age_of_a_change_is_known_are_different_persons():
    complete = {"DAYS_BIRTH": -12000, "DAYS_REGISTRATION": -4000, "DAYS_ID_PUBLISH": -900, "CODE_GENDER": "F"}
    without_both = complete | {"DAYS_REGISTRATION": None, "DAYS_ID_PUBLISH": None}
    without_one = complete | {"DAYS_REGISTRATION": None}

    numbers = persons(
        pl.DataFrame([complete, complete, without_both, without_both, without_one, without_one])
    ).to_list()

    assert numbers[0] == numbers[1]
    assert len(set(numbers)) == 5
