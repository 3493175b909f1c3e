"""The risk of default: real default rates by bin, an exact oracle, and segments that the histories show."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from research.synthetic import liability_fit
from research.synthetic.calibration_statistics import statistics
from research.synthetic.default_rates import default_rates, with_ratios
from research.synthetic.fidelity_rates import expected_rates
from research.synthetic.liability import SEGMENTS, Liability, liability
from research.synthetic.liability_fit import as_text, draw_population, expected_risk, solve

CLIENTS = 6000


@pytest.fixture(scope="module")
def population() -> pl.DataFrame:
    return draw_population(CLIENTS, seed=5)


@pytest.fixture(scope="module")
def solved(population: pl.DataFrame) -> Liability:
    return solve(population)


def rates_of(made: Liability, population: pl.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    column = default_rates().columns[name]
    risk = expected_risk(made.log_odds(population), made.segment_log_odds)
    return expected_rates(column.numbers(with_ratios(population)[name]), risk, len(column.n))


def test_the_mean_risk_is_the_published_rate(population, solved):
    risk = expected_risk(solved.log_odds(population), solved.segment_log_odds)

    assert risk.mean() == pytest.approx(statistics()["published"]["default_rate"], abs=2e-4)


@pytest.mark.parametrize("name", ["EXT_MEAN", "EXT_SOURCE_3", "DAYS_BIRTH", "AMT_GOODS_PRICE", "CREDIT/ANNUITY"])
def test_default_rates_by_bin_are_the_real_ones(population, solved, name):
    column = default_rates().columns[name]

    clients, rate = rates_of(solved, population, name)

    distance = np.abs(rate - column.rate)[clients > 0]
    assert np.average(distance, weights=clients[clients > 0]) < 0.013
    assert np.corrcoef(rate[clients > 0], column.rate[clients > 0])[0, 1] > 0.8


def test_other_real_rates_make_another_risk(population, monkeypatch):
    rates = default_rates()
    column = rates.columns["CODE_GENDER"]
    turned = replace(column, rate=column.rate[::-1])
    monkeypatch.setattr(
        liability_fit, "default_rates", lambda: replace(rates, columns=rates.columns | {"CODE_GENDER": turned})
    )

    made = solve(population)

    assert made.columns["CODE_GENDER"][0] > made.columns["CODE_GENDER"][1]
    assert liability().columns["CODE_GENDER"][0] < liability().columns["CODE_GENDER"][1]


def test_the_file_is_what_the_command_would_make_of_this_code(population, solved):
    assert as_text(solved) == as_text(solve(population))
    made = liability()
    assert made.columns.keys() == solved.columns.keys()
    assert [len(effects) for effects in made.pairs] == [len(effects) for effects in solved.pairs]
    assert np.corrcoef(made.log_odds(population), solved.log_odds(population))[0, 1] > 0.97
    assert made.hidden == solved.hidden


def test_segments_have_their_shares_and_their_risk(population):
    risk = liability().draw(population, np.random.default_rng(1))

    shares = np.bincount(risk.segment, minlength=len(SEGMENTS)) / CLIENTS
    assert shares == pytest.approx([segment.share for segment in SEGMENTS], abs=0.02)
    mean = [risk.probability[risk.segment == number].mean() for number in range(len(SEGMENTS))]
    order = np.argsort([segment.log_odds for segment in SEGMENTS])
    assert (np.diff(np.array(mean)[order]) > 0).all()


def test_the_visible_risk_is_standard_normal(population):
    visible = liability().draw(population, np.random.default_rng(1)).visible

    assert visible.mean() == pytest.approx(0, abs=0.05)
    assert visible.std() == pytest.approx(1, abs=0.05)


def test_shares_of_segments_sum_to_one():
    assert sum(segment.share for segment in SEGMENTS) == pytest.approx(1)


def test_building_measures_that_agree_count_once():
    names = liability().columns

    assert "APARTMENTS_AVG" in names
    assert "APARTMENTS_MODE" not in names
