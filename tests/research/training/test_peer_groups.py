from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
import pytest

from bento.data.tables import TABLES
from bento.features.catalogue import CATALOGUE
from bento.model.peer_groups import MIN_GROUP_SIZE, Reference
from bento.rules.measures import APPLICATION_COLUMNS, MEASURES, Inputs
from bento.rules.rulebook import Rulebook
from research.cli import CommandError
from research.data.dataset import Data
from research.evaluation.rule_prices import rule_inputs
from research.training.peer_groups import COLUMNS, USUAL_TAIL, peer_group_statistics, usual_ranges
from research.training.products import EARLIER_COLUMNS
from research.training.ranges import MIN_BEYOND, TAIL
from research.training.unknown_values import given_fields

NUMBER, SPARSE, WORD = "application_ext_source_2", "bureau_credit_days_mean", "application_occupation"
NAMES = [NUMBER, SPARSE, WORD]
NOTHING: dict[str, Any] = {"fields": {}, "usual": {}}
CLIENTS = 4000
NO_EARLIER = TABLES["previous_application"].empty()


@pytest.fixture(scope="module")
def applications() -> pl.DataFrame:
    """Credits of 1 to 4,000, half of workers, a few students; every tenth price of goods is unknown."""
    number = np.arange(1, CLIENTS + 1)
    credit = np.random.default_rng(1).permutation(number).astype(float)
    income_type = np.where(number <= 120, "Student", np.where(number % 2, "Working", "Pensioner"))
    goods = pl.Series(credit * 0.9).scatter(np.flatnonzero(number % 10 == 0), None)
    return pl.DataFrame(
        {
            "NAME_INCOME_TYPE": income_type,
            "NAME_CONTRACT_TYPE": "Cash loans",
            "AMT_CREDIT": credit,
            "AMT_GOODS_PRICE": goods,
            "AMT_ANNUITY": credit / 20,
        }
    )


@pytest.fixture(scope="module")
def features() -> pl.DataFrame:
    random = np.random.default_rng(2)
    words = np.array([*CATALOGUE[WORD].categories[:4], "Astronaut"])
    return pl.DataFrame(
        {
            NUMBER: random.random(CLIENTS),
            SPARSE: pl.Series(random.random(CLIENTS)).scatter(np.flatnonzero(random.random(CLIENTS) < 0.6), None),
            WORD: words[np.minimum(random.geometric(0.4, CLIENTS) - 1, 4)],
        }
    )


def test_quantiles_are_those_counted_by_hand(features: pl.DataFrame, applications: pl.DataFrame):
    reference = peer_group_statistics(features, applications, NO_EARLIER, NAMES, **NOTHING)

    everybody = reference.groups[-1]
    ordered = sorted(features[NUMBER].to_list())
    assert everybody.quantiles.keys() == {NUMBER, SPARSE}
    for share, value in zip((0.1, 0.25, 0.5, 0.75, 0.9), everybody.quantiles[NUMBER], strict=True):
        assert ordered[int(share * (CLIENTS - 1))] <= value <= ordered[int(share * (CLIENTS - 1)) + 1]


def test_too_few_values_have_no_quantiles(features: pl.DataFrame, applications: pl.DataFrame):
    few = features.with_columns(pl.when(pl.int_range(pl.len()) < MIN_GROUP_SIZE - 1).then(NUMBER).alias(NUMBER))

    reference = peer_group_statistics(few, applications, NO_EARLIER, NAMES, **NOTHING)

    assert all(NUMBER not in group.quantiles for group in reference.groups)


def test_medians_are_those_counted_by_hand(features: pl.DataFrame, applications: pl.DataFrame):
    statistics = peer_group_statistics(features, applications, NO_EARLIER, NAMES, **NOTHING)
    rows = [
        feature | application
        for feature, application in zip(features.to_dicts(), applications.to_dicts(), strict=True)
        if application["NAME_INCOME_TYPE"] == "Working" and 1000 <= application["AMT_CREDIT"] < 2000
    ]
    peer_group = statistics.peer_group({"NAME_INCOME_TYPE": "Working", "AMT_CREDIT": 1500.0})
    assert (peer_group.low, peer_group.high, peer_group.clients) == (1000, 2000, len(rows))
    assert peer_group.medians[NUMBER] == pytest.approx(median(row[NUMBER] for row in rows), abs=1e-15)
    words = [row[WORD] for row in rows if row[WORD] != "Astronaut"]
    assert peer_group.medians[WORD] == max(set(words), key=words.count)
    assert peer_group.medians[SPARSE] is None


def test_a_median_needs_half_of_the_values(applications: pl.DataFrame):
    half = pl.DataFrame({SPARSE: [1.0, None] * (CLIENTS // 2)})
    assert peer_group_statistics(half, applications, NO_EARLIER, [SPARSE], **NOTHING).groups[-1].medians == {
        SPARSE: 1.0
    }


def test_segments_are_narrow_ones_first_and_none_is_small(features: pl.DataFrame, applications: pl.DataFrame):
    groups = peer_group_statistics(features, applications, NO_EARLIER, NAMES, **NOTHING).groups
    types = [segment.income_type for segment in groups]
    assert types == ["Pensioner"] * 4 + ["Working"] * 4 + [None] * 5  # 120 students are 30 a quarter
    assert all(segment.clients >= MIN_GROUP_SIZE for segment in groups)
    assert sum(segment.clients for segment in groups[8:12]) == groups[12].clients == CLIENTS


def test_ranges_are_quantiles_and_no_extremes(features: pl.DataFrame, applications: pl.DataFrame):
    ranges = peer_group_statistics(features, applications, NO_EARLIER, NAMES, **NOTHING).ranges
    beyond = MIN_BEYOND / CLIENTS
    assert beyond > TAIL
    low, high = np.quantile(np.arange(1.0, CLIENTS + 1), [beyond, 1 - beyond])
    assert (ranges["AMT_CREDIT"].low, ranges["AMT_CREDIT"].high) == pytest.approx((low, high))
    assert ranges["AMT_CREDIT"].low > MIN_BEYOND
    assert (ranges["term"].low, ranges["term"].high) == pytest.approx((20, 20))
    assert (ranges["goods_cover"].low, ranges["goods_cover"].high) == pytest.approx((1 / 0.9, 1 / 0.9))


def test_in_large_data_a_thousandth_lies_outside_either_end(features: pl.DataFrame, applications: pl.DataFrame):
    many = pl.concat([applications] * 5)
    limits = peer_group_statistics(pl.concat([features] * 5), many, NO_EARLIER, NAMES, **NOTHING).ranges["AMT_ANNUITY"]
    low, high = many["AMT_ANNUITY"].quantile(TAIL, "linear"), many["AMT_ANNUITY"].quantile(1 - TAIL, "linear")
    assert (limits.low, limits.high) == pytest.approx((low, high))


def test_loans_of_one_size_make_one_segment(features: pl.DataFrame, applications: pl.DataFrame):
    same = applications.with_columns(AMT_CREDIT=pl.lit(450_000.0), AMT_ANNUITY=pl.lit(0.0))
    with pytest.raises(CommandError, match="term has no value for any client"):
        peer_group_statistics(features, same, NO_EARLIER, NAMES, **NOTHING)
    same = same.with_columns(AMT_ANNUITY=pl.lit(25_000.0))
    statistics = peer_group_statistics(features, same, NO_EARLIER, NAMES, **NOTHING)
    assert statistics.peer_group({"AMT_CREDIT": 450_000}).clients == CLIENTS
    assert statistics.peer_group({"AMT_CREDIT": 1}).income_type is None


def test_too_few_clients_are_not_described(features: pl.DataFrame, applications: pl.DataFrame):
    few = MIN_GROUP_SIZE - 1
    with pytest.raises(CommandError, match="49 clients are too few to describe without exposing one"):
        peer_group_statistics(features.head(few), applications.head(few), NO_EARLIER, NAMES, **NOTHING)


def test_the_applications_of_a_split_are_row_by_row_its_clients(data: Data):
    rows, applications = data.rows("development"), data.applications("development", COLUMNS)
    assert applications["SK_ID_CURR"].to_list() == rows.features["SK_ID_CURR"].to_list()
    assert applications["AMT_ANNUITY"].to_list() == rows.features["application_annuity"].to_list()


def test_a_model_folder_holds_the_statistics_of_its_training_clients(model_folder: Path, data: Data):
    stored = Reference.load(model_folder)
    features = data.rows("development").features
    names = list(stored.groups[0].medians)
    applications, fields = data.applications("development", COLUMNS), given_fields(data, "development")
    earlier = data.earlier_applications("development", EARLIER_COLUMNS)
    usual = usual_ranges(rule_inputs(data, "development", features, Rulebook.read()))
    assert stored == peer_group_statistics(features, applications, earlier, names, fields=fields, usual=usual)


def _inputs(credits: np.ndarray) -> Inputs:
    clients = {name: [None] * len(credits) for name in APPLICATION_COLUMNS} | {"AMT_CREDIT": credits.tolist()}
    return Inputs(clients.__getitem__, len(credits))


def test_usual_ranges_leave_out_a_twentieth_of_a_percent_at_either_end():
    credits = np.arange(1.0, 100_001.0)
    usual = usual_ranges(_inputs(credits))
    assert usual.keys() == {"AMT_CREDIT"}  # nothing else is known
    assert (usual["AMT_CREDIT"].low, usual["AMT_CREDIT"].high) == pytest.approx(
        tuple(np.quantile(credits, [USUAL_TAIL, 1 - USUAL_TAIL]))
    )


def test_usual_ranges_of_few_clients_show_no_extreme_value():
    usual = usual_ranges(_inputs(np.array([1.0, 2.0, *[100.0] * 50, 1e6])))["AMT_CREDIT"]
    assert (usual.low, usual.high) == (100, 100)


def test_every_measure_of_the_application_has_a_usual_range(model_folder: Path):
    ranged = {name for name, measure in MEASURES.items() if measure.has_usual_range}
    assert Reference.load(model_folder).usual.keys() == ranged
