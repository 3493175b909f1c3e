"""The verdict: it follows what changes do to the model's decisions, not the number of columns."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bento.model.scoring_model import ScoringModel
from drift.champion import scores
from drift.judge import Weighed, judge
from drift.populations import Population, of_file
from drift.summary import DriftReport

BUILDING = ("_AVG", "_MODE", "_MEDI")
SCORES = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ScoringModel:
    return ScoringModel(model_folder)


@pytest.fixture(scope="module")
def halves(clients: Path) -> tuple[Population, Population]:
    whole = of_file(clients / "application_train.parquet")
    order = np.random.default_rng(4).permutation(whole.rows)
    return part(whole, order[: whole.rows // 2]), part(whole, order[whole.rows // 2 :])


def part(whole: Population, rows: np.ndarray) -> Population:
    return replace(whole, applications=whole.applications[np.sort(rows)])


def report(model: ScoringModel | None, reference: Population, current: Population, **changes: pl.Expr) -> DriftReport:
    current = replace(current, applications=current.applications.with_columns(**changes))
    weighed = None
    if model is not None:
        before, now = (scores(model, side, 10_000, seed=1) for side in (reference, current))
        weighed = Weighed(tag="test", model=model, reference=before, current=now)
    return judge(reference, current, weighed).report


def test_two_halves_of_one_population_have_no_drift(model, halves):
    result = report(model, *halves)

    assert (result.verdict, result.grounds) == ("no drift", [])
    assert result.drifted_columns == []
    assert result.drifted_features == []


def test_external_scores_that_vanish_are_drift_though_three_columns_of_120(model, halves):
    result = report(model, *halves, **{name: pl.lit(None, dtype=pl.Float64) for name in SCORES})

    assert result.verdict == "drift"
    assert {column.column for column in result.drifted_columns} == set(SCORES)
    assert result.columns[0].column in SCORES
    assert result.effect.pd_change > 0.2
    assert result.effect.rank_correlation < 0.8
    assert result.probability.drifted


def test_building_columns_that_the_model_ignores_are_no_drift(model, halves):
    building = [name for name in halves[0].applications.columns if name.endswith(BUILDING)]
    numbers = [name for name in building if halves[0].applications[name].dtype == pl.Float64]

    result = report(model, *halves, **{name: pl.col(name) * 0.5 for name in numbers})

    assert len(result.drifted_columns) > 30
    assert result.verdict == "no drift"
    assert result.columns_separation.auc > 0.6


def test_a_broken_correlation_with_kept_margins_is_drift(model, halves):
    shuffled = halves[1].applications["AMT_ANNUITY"].shuffle(seed=1)

    result = report(model, *halves, AMT_ANNUITY=shuffled)

    assert result.drifted_columns == []
    assert result.verdict == "drift"
    assert result.features_separation.auc > 0.7


def test_a_unit_error_is_drift_and_named(model, halves):
    result = report(model, *halves, AMT_CREDIT=pl.col("AMT_CREDIT") * 1000)

    assert result.verdict == "drift"
    assert "AMT_CREDIT: all values are 1000 times those of the reference; another unit?" in result.notes


def test_without_a_model_changed_columns_cannot_be_weighed(halves):
    assert report(None, *halves).verdict == "no drift"

    result = report(None, *halves, AMT_CREDIT=pl.col("AMT_CREDIT") * 2)

    assert result.verdict == "could not tell"
    assert "no model to weigh them by" in result.sentence
    assert [column.column for column in result.drifted_columns] == ["AMT_CREDIT"]


def test_the_shift_from_train_to_test_is_found(model, clients):
    result = report(
        model, of_file(clients / "application_train.parquet"), of_file(clients / "application_test.parquet")
    )

    published = {
        "NAME_CONTRACT_TYPE",
        "AMT_REQ_CREDIT_BUREAU_MON",
        "AMT_REQ_CREDIT_BUREAU_QRT",
        "FLAG_EMAIL",
        "EXT_SOURCE_1",
    }
    assert published | {"AMT_CREDIT", "AMT_GOODS_PRICE"} <= {column.column for column in result.drifted_columns}
    assert result.verdict == "drift"
