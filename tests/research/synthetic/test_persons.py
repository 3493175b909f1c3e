"""People with several identifiers: found by their days, with a repeated outcome and an exact oracle."""

import numpy as np
import polars as pl
import pytest

from research.data.splits import persons
from research.synthetic.calibration_statistics import statistics
from research.synthetic.persons import draw_persons, draw_targets


@pytest.fixture(scope="module")
def pairs(synthetic_tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Applications of people with two, the earlier one first in each pair."""
    both = pl.concat([synthetic_tables["application_train"], synthetic_tables["application_test"]], how="diagonal")
    both = both.with_columns(person=persons(both)).join(synthetic_tables["oracle"], on="SK_ID_CURR")
    pairs = both.filter(pl.len().over("person") == 2).sort("person", "DAYS_BIRTH", descending=[False, True])
    return pairs.group_by("person", maintain_order=True).agg(pl.all())


def test_a_share_of_the_clients_are_later_applications_of_others():
    person = draw_persons(50_000, np.random.default_rng(1))
    later = person != np.arange(50_000)

    assert later.mean() == pytest.approx(statistics()["patterns"]["applications_of_persons"]["share"] / 2, rel=0.1)
    assert (person[person] == person).all()


@pytest.mark.parametrize("clients", [1, 2, 3])
def test_few_clients_have_persons(clients):
    for seed in range(100):
        person = draw_persons(clients, np.random.default_rng(seed))
        assert ((person >= 0) & (person < clients)).all()


def test_applications_of_a_person_are_found(pairs):
    assert len(pairs) == pytest.approx(8000 * 0.0491 / 2, rel=0.25)


def test_what_belongs_to_the_person_is_repeated(pairs):
    kept = ("CODE_GENDER", "NAME_EDUCATION_TYPE", "REGION_POPULATION_RELATIVE", "ORGANIZATION_TYPE", "AMT_INCOME_TOTAL")
    for name in kept:
        assert (pairs[name].list.n_unique() == 1).mean() > 0.97, name
    assert (pairs["AMT_CREDIT"].list.n_unique() == 2).mean() > 0.8
    between = pairs["DAYS_BIRTH"].list.get(0) - pairs["DAYS_BIRTH"].list.get(1)
    assert between.is_between(0, 720).mean() > 0.95  # a few are strangers with the same ages
    assert (pairs["DAYS_ID_PUBLISH"].list.get(0) - pairs["DAYS_ID_PUBLISH"].list.get(1)).equals(
        between, check_names=False
    )


def test_applications_of_a_person_have_one_probability(pairs):
    assert (pairs["PROBABILITY"].list.n_unique() == 1).mean() > 0.97


def test_outcomes_of_a_person_repeat_and_the_oracle_stays_exact():
    rng = np.random.default_rng(3)
    clients = 200_000
    person = np.arange(clients)
    person[1::2] = person[::2]
    probability = rng.uniform(0.01, 0.4, clients)[person]

    target = draw_targets(probability, person, rng)

    first, later, chance = target[::2], target[1::2], probability[1::2]
    assert later[first == 1].mean() == pytest.approx(0.9, abs=0.01)
    for low, high in ((0.0, 0.1), (0.1, 0.25), (0.25, 0.4)):
        rows = (chance > low) & (chance <= high)
        for outcome in (first, later):
            assert outcome[rows].mean() == pytest.approx(chance[rows].mean(), abs=0.006)
