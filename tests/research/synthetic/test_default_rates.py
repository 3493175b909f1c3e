"""The real default rates by bin: which value is in which bin, and how far a population is from them."""

import numpy as np
import polars as pl
import pytest

from bento.data.tables import OPEN_ENDED
from research.synthetic.default_rates import RATES_FILE, Rates, default_rates, information_value, with_ratios
from research.synthetic.fidelity_rates import deviance_beyond_additive, expected_rates, rate_findings


def rates(*bins: str | float | list[float]) -> Rates:
    return Rates("x", bins, np.ones(len(bins)), np.ones(len(bins)))


def test_an_interval_holds_its_upper_end():
    column = rates("missing", [0.0, 1.0], [1.0, 2.0])

    assert column.numbers(pl.Series([0.0, 1.0, 1.1, 2.0, None])).tolist() == [1, 1, 2, 2, 0]


def test_values_beyond_the_ends_are_in_the_end_bins():
    assert rates([0.0, 1.0], [1.0, 2.0]).numbers(pl.Series([-5.0, 9.0])).tolist() == [0, 1]


def test_a_value_at_a_rounded_end_stays_in_its_bin():
    assert rates([1.0, 1.079], [1.079, 1.2]).numbers(pl.Series([1.0792, 1.0798])).tolist() == [0, 1]


def test_bins_out_of_order_are_found():
    assert rates(2.0, 0.0, 1.0).numbers(pl.Series([0.0, 1.0, 2.0, 3.0])).tolist() == [1, 2, 0, 0]


def test_a_category_without_a_bin_is_rare_or_in_none():
    values = pl.Series(["a", "z", None])

    assert rates("missing", "a", "(rare)").numbers(values).tolist() == [1, 2, 0]
    assert rates("a", "b").numbers(values).tolist() == [0, -1, -1]


def test_a_cell_that_is_too_small_is_in_no_bin():
    pair = next(pair for pair in default_rates().pairs if pair.names == ("EXT_MEAN", "EXT_KNOWN"))

    cells = pair.numbers(pl.Series([0.1, 0.1, None]), pl.Series([1.0, 3.0, 0.0]))

    assert cells.tolist() == [0, 2, -1]


def test_ratios_know_who_is_not_employed():
    application = pl.DataFrame(
        {
            "DAYS_EMPLOYED": [-1000, OPEN_ENDED],
            "DAYS_BIRTH": [-10_000, -20_000],
            "AMT_CREDIT": [200_000.0, 100_000.0],
            "AMT_ANNUITY": [10_000.0, None],
            "AMT_GOODS_PRICE": [180_000.0, 100_000.0],
            "AMT_INCOME_TOTAL": [100_000.0, 50_000.0],
            "EXT_SOURCE_1": [None, 0.2],
            "EXT_SOURCE_2": [0.5, 0.4],
            "EXT_SOURCE_3": [0.7, None],
        }
    )

    ratios = with_ratios(application)

    assert ratios["EMPLOYED/BIRTH"].to_list() == [0.1, None]
    assert ratios["CREDIT/ANNUITY"].to_list() == [20.0, None]
    assert ratios["EXT_MEAN"].to_list() == pytest.approx([0.6, 0.3])
    assert ratios["EXT_MIN"].to_list() == [0.5, 0.2]
    assert ratios["EXT_KNOWN"].to_list() == [2.0, 2.0]


def test_information_value_of_two_bins():
    bad, good = np.array([30, 10]) / 40, np.array([70, 90]) / 160

    value = information_value(np.array([100.0, 100.0]), np.array([0.3, 0.1]))

    assert value == pytest.approx(((bad - good) * np.log(bad / good)).sum())


def test_the_deviance_of_a_real_pair_is_the_published_one():
    for pair in default_rates().pairs[:4]:
        assert deviance_beyond_additive(pair, pair.n, pair.rate) == pytest.approx(pair.deviance, rel=0.03)


def test_expected_rates_leave_out_clients_without_a_bin():
    clients, rate = expected_rates(np.array([0, 0, 1, -1]), np.array([0.1, 0.3, 0.5, 0.9]), 3)

    assert clients.tolist() == [2, 1, 0]
    assert rate.tolist() == pytest.approx([0.2, 0.5, 0.0])


def test_a_column_without_its_relation_to_the_risk_is_found(synthetic_tables):
    train, oracle = synthetic_tables["application_train"], synthetic_tables["oracle"]

    shuffled = train.with_columns(pl.col("EXT_SOURCE_3").shuffle(seed=1))

    assert {item.column for item in rate_findings(train, oracle) if not item.passed} <= {"(pairs)"}
    assert "EXT_SOURCE_3" in {item.column for item in rate_findings(shuffled, oracle) if not item.passed}


def test_the_file_of_default_rates_holds_no_rows():
    assert RATES_FILE.stat().st_size < 150_000
    columns = default_rates().columns.values()
    assert min(float(column.n.min()) for column in columns) >= 50
    assert min(float(pair.n.min()) for pair in default_rates().pairs) >= 50
