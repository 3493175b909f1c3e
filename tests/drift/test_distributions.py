import numpy as np
import polars as pl
import pytest

from drift.distributions import (
    category_counts,
    category_distance,
    distance,
    missing_distance,
    number_distance,
    unit_factor,
)

COLUMNS = 120


def normal(rows: int, seed: int, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, rows)


@pytest.mark.parametrize("rows", [500, 5000])
def test_chance_alone_rarely_makes_any_of_120_columns_drift(rows):
    random = np.random.default_rng(3)
    tables = 0
    for _ in range(50):
        drifted = [
            number_distance(random.lognormal(0, 1, rows), random.lognormal(0, 1, rows)).drifted(COLUMNS)
            for _ in range(COLUMNS // 2)
        ]
        shares = 1 / np.arange(1, 30) ** 1.5
        shares /= shares.sum()
        drifted += [
            distance(*random.multinomial(rows, shares, 2).astype(float)).drifted(COLUMNS) for _ in range(COLUMNS // 2)
        ]
        tables += any(drifted)

    assert tables <= 3


@pytest.mark.parametrize(("shift", "rows"), [(0.1, 20_000), (0.2, 4000), (0.5, 700)])
def test_a_shift_of_the_mean_is_found_from_some_size_on(shift, rows):
    detected = [
        number_distance(normal(rows, seed), normal(rows, seed + 100, shift)).drifted(COLUMNS) for seed in range(20)
    ]

    assert sum(detected) >= 19


def test_the_limit_falls_with_the_sample_size_down_to_a_small_change():
    limits = [number_distance(normal(rows, 1), normal(rows, 2)).limit(COLUMNS) for rows in (500, 5000, 200_000)]

    assert limits[0] > 5 * limits[1]
    assert limits[2] == pytest.approx(0.005, abs=2e-4)


def test_one_outlier_in_the_reference_does_not_hide_a_shift():
    reference, current = normal(5000, 1), normal(5000, 2, 0.5)
    without = number_distance(reference, current)

    with_outlier = number_distance(np.append(reference, 4.9e7), current)

    assert with_outlier.psi == pytest.approx(without.psi, rel=0.02)
    assert with_outlier.drifted(COLUMNS)


@pytest.mark.parametrize("other", [-1.0, 1.0])
def test_another_value_of_a_constant_column_is_found_on_either_side(other):
    reference, current = np.zeros(1000), np.where(np.arange(1000) < 100, other, 0.0)

    assert number_distance(reference, current).drifted(COLUMNS)


def test_a_frequent_value_has_a_separate_bin():
    reference = np.where(np.arange(4000) % 2 == 0, 0.0, normal(4000, 1))
    current = np.where(np.arange(4000) % 2 == 0, 0.01, normal(4000, 2))

    assert number_distance(reference, current).psi > 1


@pytest.mark.parametrize(
    ("reference", "current", "drifted"),
    [
        ({"a": 950, "b": 50}, {"a": 900, "b": 100}, True),
        ({"a": 950, "b": 50}, {"a": 1000}, True),
        ({"a": 950, "b": 50}, {"a": 950, "c": 50}, True),
        ({"a": 950, "b": 50}, {"a": 951, "b": 49}, False),
        ({"a": 995, "b": 5}, {"a": 1000}, False),
        ({"a": 10}, {"b": 10}, True),
        ({"a": 10}, {"a": 10}, False),
        ({}, {"a": 10}, False),
    ],
)
def test_categories_that_grow_vanish_or_are_renamed_drift(reference, current, drifted):
    assert category_distance(reference, current).drifted(COLUMNS) is drifted


def test_missing_values_are_compared_as_shares():
    assert missing_distance((100, 1000), (200, 1000)).drifted(COLUMNS)
    assert not missing_distance((100, 1000), (110, 1000)).drifted(COLUMNS)


def test_nulls_are_no_category():
    assert category_counts(pl.Series("x", ["a", None, "a"])) == {"a": 2}


@pytest.mark.parametrize(
    ("factor", "detected"), [(1000, 1000), (1 / 365.25, 1 / 365.25), (-1 / 365.25, 1 / 365.25), (1.5, None), (1, None)]
)
def test_a_change_of_unit_is_recognised_by_its_factor(factor, detected):
    values = np.random.default_rng(1).lognormal(12, 0.5, 2000)

    assert unit_factor(values, factor * values) == (None if detected is None else pytest.approx(detected))
