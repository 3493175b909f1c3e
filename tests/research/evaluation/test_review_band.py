"""The review band: chosen by capacity, evaluated by bands of the other folds, written by training, used to decide."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.entities import RunData
from mlflow.entities.model_registry import ModelVersion
from pydantic import ValidationError

from bento.model.manifest import SCORING_FILE, ModelManifest
from bento.model.scoring_model import ScoringModel
from bento.policy import DEFAULT_COSTS, CostAssumptions, Decision, ReviewBand, decide
from research import tracking
from research.cli import FAULT, CommandError
from research.data.dataset import DATA, Data
from research.deployment import demo, pipeline
from research.evaluation.business_score import best_threshold, cost_per_client, costs_of, cross_fitted_decisions
from research.evaluation.review_band import (
    CAPACITIES,
    REVIEWER_ERRORS,
    break_even,
    cost_by_capacity,
    costs_with_review,
    cross_fitted_review,
    evaluate_review,
    review_band,
    review_metrics,
    review_report,
    reviewed,
)
from research.registry import promote
from research.registry.checks import cost_against
from research.reporting.model_card import model_card
from research.reporting.publish import publish
from research.results import RESULTS_FILE
from research.training import train
from research.training.train import Settings
from research.types import OutOfFold
from tests.research.commands import run_command

TARGET = np.array([0, 0, 1, 0, 1, 0])
PROBABILITY = np.array([0.02, 0.05, 0.07, 0.12, 0.60, 0.95])
"""On average their decisions at theory's threshold, 1 / 11, cost 0.2, 0.5, 0.7, 0.88, 0.4 and 0.05."""


def _calibrated(rows: int) -> OutOfFold:
    random = np.random.default_rng(1)
    probability = random.beta(0.7, 8, rows)
    target = (random.random(rows) < probability).astype(np.int64)
    return OutOfFold.from_probability(target, probability, np.arange(rows) % 5)


def _report(scores: OutOfFold, threshold: float, capacity: float = 0.0) -> dict[str, Any]:
    return review_report(scores, scores, threshold, capacity=capacity)


def test_the_band_by_hand():
    threshold = DEFAULT_COSTS.theoretical_threshold
    # Two of six: 0.12 and 0.07. The level lies between 0.7 and 0.5, so at 0.6: from 0.6 / 10 up to 1 - 0.6.
    two = review_band(PROBABILITY, threshold, capacity=2 / 6)
    assert (two.low, two.high, two.capacity) == pytest.approx((0.06, 0.4, 2 / 6))
    # One of six: 0.12 alone; level (0.88 + 0.7) / 2.
    one = review_band(PROBABILITY, threshold, capacity=1 / 6)
    assert (one.low, one.high, one.capacity) == pytest.approx((0.079, 0.21, 1 / 6))


def test_costs_by_hand():
    # Granted: 0.02, 0.05, 0.07 (a default: 10); refused: 0.12 (a good client: 1), 0.60, 0.95 (a good client: 1).
    refused = PROBABILITY >= 0.09
    assert cost_per_client(TARGET, refused) == pytest.approx(12 / 6)
    in_band = reviewed(PROBABILITY, ReviewBand(low=0.06, high=0.4, capacity=2 / 6))
    assert costs_with_review(TARGET, refused, in_band, error=0).tolist() == [0, 0, 0, 0, 0, 1]
    np.testing.assert_allclose(costs_with_review(TARGET, refused, in_band, error=0.2), [0, 0, 2, 0.2, 0, 1])


def test_other_costs_move_the_band_by_hand():
    # With both errors at 1 the decision costs 0.4 at 0.60 and 0.12 at 0.12: the level between them is 0.26.
    alike = CostAssumptions(false_negative=1, false_positive=1)
    band = review_band(PROBABILITY, 0.5, alike, capacity=1 / 6)
    assert (band.low, band.high) == pytest.approx((0.26, 0.74))


@pytest.mark.parametrize("capacity", [0.01, 0.05, 0.1, 0.2, 0.5, 0.99])
def test_the_band_holds_the_capacity_and_contains_the_threshold(capacity: float):
    scores = _calibrated(20_000)
    threshold = best_threshold(scores.target, scores.probability)
    band = review_band(scores.probability, threshold, capacity=capacity)
    assert band.low <= threshold <= band.high
    assert band.capacity == pytest.approx(capacity, abs=1 / 20_000)
    assert reviewed(scores.probability, band).mean() == band.capacity


@given(
    st.lists(st.integers(1, 39), min_size=1, max_size=40),
    st.integers(0, 40),
    st.floats(0.001, 0.999),
)
def test_no_other_cases_cost_more_at_any_threshold_and_with_ties(scores: list[int], at: int, capacity: float):
    probability, threshold = np.array(scores) / 40, at / 40
    band = review_band(probability, threshold, capacity=capacity)
    assert band.low <= threshold <= band.high
    in_band = reviewed(probability, band)
    assert band.capacity == in_band.mean() > 0
    expected = np.where(probability >= threshold, 1 - probability, 10 * probability).round(9)
    if not in_band.all():
        assert expected[in_band].min() > expected[~in_band].max()
    # As near to the capacity as ties allow: neither the next case nor leaving the last one would be nearer.
    levels = np.unique(expected)[::-1]
    possible = [np.mean(expected >= level) for level in levels]
    assert abs(band.capacity - capacity) == pytest.approx(np.abs(np.array(possible) - capacity).min())


def test_the_service_reviews_the_clients_that_the_figures_count():
    probability = _calibrated(2_000).probability
    band = review_band(probability, 0.09, capacity=0.1)
    probability = np.array([*probability, band.low, band.high])
    decisions = np.array([decide(value, 0.09, band) for value in probability])
    np.testing.assert_array_equal(decisions == Decision.REVIEW, reviewed(probability, band))


@pytest.mark.parametrize("capacity", [0.0, 1.0, -0.1, float("nan")])
def test_a_band_of_no_or_of_every_application_is_refused(capacity: float):
    with pytest.raises(ValueError, match="between 0 and 1"):
        review_band(PROBABILITY, 0.09, capacity=capacity)


def test_each_fold_is_reviewed_by_a_band_of_the_others():
    scores = _calibrated(3_000)
    _, thresholds = cross_fitted_decisions(scores)
    in_band = cross_fitted_review(scores, thresholds, DEFAULT_COSTS, 0.1)
    for number, validation in scores.by_fold():
        band = review_band(scores.probability[~validation], thresholds[number], capacity=0.1)
        np.testing.assert_array_equal(in_band[validation], reviewed(scores.probability[validation], band))


def test_a_perfect_reviewer_never_costs_more_than_none_and_errors_cost():
    scores = _calibrated(20_000)
    report = _report(scores, best_threshold(scores.target, scores.probability))
    assert [row["capacity"] for row in report["table"]] == list(CAPACITIES)
    for row in report["table"]:
        split = row["out_of_fold"]
        without = split["cost_per_client"]["value"]
        costs = [reviewer["cost_per_client"]["value"] for reviewer in split["reviewers"]]
        assert split["reviewed_share"] == pytest.approx(row["capacity"], abs=0.01)
        assert costs[0] <= without
        assert costs == sorted(costs)
        for reviewer, cost in zip(split["reviewers"], costs, strict=True):
            assert reviewer["saved"]["value"] == pytest.approx(without - cost)
            assert reviewer["saved_per_review"] * split["reviewed_share"] == pytest.approx(without - cost)


def test_at_the_break_even_a_review_saves_nothing():
    scores = _calibrated(20_000)
    refused = scores.probability >= DEFAULT_COSTS.theoretical_threshold
    in_band = reviewed(scores.probability, review_band(scores.probability, 1 / 11, capacity=0.1))

    even = break_even(scores.target, refused, in_band, DEFAULT_COSTS)

    without = costs_of(scores.target, refused).mean()
    cost = {error: costs_with_review(scores.target, refused, in_band, error).mean() for error in (0.3, even.value, 0.6)}
    assert cost[even.value] == pytest.approx(without)
    assert cost[0.3] < without < cost[0.6]
    assert even.low < even.value < even.high


def test_the_review_table_reaches_reviewers_as_bad_as_the_break_even():
    table = _report(_calibrated(20_000), DEFAULT_COSTS.theoretical_threshold)["table"]

    for row in table:
        reviewers, even = row["out_of_fold"]["reviewers"], row["out_of_fold"]["break_even"]["value"]
        assert [reviewer["error"] for reviewer in reviewers] == [0, 0.1, 0.2, 0.3, 0.45]
        assert 0.3 < even < 0.55
        assert all((reviewer["saved"]["value"] > 0) == (reviewer["error"] < even) for reviewer in reviewers)


def test_the_bands_that_are_served_are_those_of_the_scores_as_served():
    scores = _calibrated(5_000)
    served = scores.calibrated(1.2, 0.1)

    table = review_report(scores, served, 1 / 11)["table"]

    for row in table:
        band = review_band(served.probability, 1 / 11, capacity=row["capacity"])
        assert row["band"] == band.model_dump()


def test_a_review_saves_the_expected_cost_of_the_band():
    # Calibrated scores: a perfect reviewer saves 1 - p above the threshold and 10 p below it, on average.
    scores = _calibrated(200_000)
    row = _report(scores, DEFAULT_COSTS.theoretical_threshold)["table"][1]
    in_band = reviewed(scores.probability, ReviewBand(**row["band"]))
    refused = scores.probability >= DEFAULT_COSTS.theoretical_threshold
    reviewers = evaluate_review(scores.target, refused, in_band, DEFAULT_COSTS)["reviewers"]
    probability = scores.probability[in_band]
    expected = np.minimum(10 * probability, 1 - probability).mean()
    assert reviewers[0]["saved_per_review"] == pytest.approx(expected, rel=0.05)
    # A reviewer who errs in 20 % of cases adds 0.2 * (10 p + 1 - p).
    added = 0.2 * (10 * probability + 1 - probability).mean()
    assert reviewers[2]["saved_per_review"] == pytest.approx(expected - added, rel=0.05)


def test_out_of_fold_costs_are_those_of_other_folds_bands():
    scores = _calibrated(5_000)
    report = _report(scores, 0.09, capacity=0.15)
    refused, thresholds = cross_fitted_decisions(scores)
    in_band = cross_fitted_review(scores, thresholds, DEFAULT_COSTS, 0.15)
    cost = costs_of(scores.target, refused & ~in_band) * ~in_band
    served = next(row for row in report["table"] if row["capacity"] == 0.15)
    assert served["out_of_fold"]["reviewers"][0]["cost_per_client"]["value"] == pytest.approx(cost.mean())
    assert review_metrics(report)["out_of_fold_cost_per_client_with_review"] == pytest.approx(cost.mean())
    drawn = cost_by_capacity(scores, [0, 0.15])
    assert drawn.shape == (2, len(REVIEWER_ERRORS))
    np.testing.assert_allclose(drawn[:, 0], [cost_per_client(scores.target, refused), cost.mean()])
    assert len(set(drawn[0])) == 1


def test_without_a_capacity_nothing_is_served_but_all_is_reported():
    report = _report(_calibrated(3_000), 0.09)
    assert report["served"] is None
    assert review_metrics(report) == {}
    assert len(report["table"]) == len(CAPACITIES)


@dataclass(frozen=True)
class Trained:
    registered: ModelVersion
    logged: RunData
    results: Path
    published: Path

    @property
    def model(self) -> ScoringModel:
        return ScoringModel(self.results / "model")


@pytest.fixture(scope="module")
def trained(data: Data, empty_registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A linear model with a capacity of 15 %, in a separate registry."""
    registry = shutil.copy(empty_registry, tmp_path_factory.mktemp("review") / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{registry}")
        registered = train.train(data, Settings(family="linear", folds=2, capacity=0.15, lime_samples=300))
        client = tracking.connect()
        registered = client.get_model_version(registered.name, registered.version)
        logged = client.get_run(registered.run_id).data
        published = publish(registered.run_id, tmp_path_factory.mktemp("published"), data.folder)
    tracking.connect()
    return Trained(registered, logged, DATA / "results" / registered.run_id, published)


@pytest.mark.end_to_end
def test_training_with_a_capacity_writes_a_review_band(trained: Trained, data: Data):
    model, band = trained.model, trained.model.review_band
    assert band is not None
    assert band.capacity == pytest.approx(0.15, abs=0.01)
    between = (band.low + band.high) / 2
    decisions = [decide(value, model.threshold, band) for value in (band.low / 2, between, (1 + band.high) / 2)]
    assert decisions == [Decision.GRANTED, Decision.REVIEW, Decision.REFUSED]
    probability = model.probability(data.test_features())
    assert 0.05 < reviewed(probability, band).mean() < 0.3
    model.verify()


@pytest.mark.end_to_end
def test_training_reports_the_band_it_serves_among_the_others(trained: Trained):
    report = json.loads((trained.results / RESULTS_FILE).read_text())
    band = trained.model.review_band
    assert report["review"]["served"] == band.model_dump()
    assert [row["capacity"] for row in report["review"]["table"]] == [0.05, 0.1, 0.15, 0.2]
    assert (trained.results / "review.png").is_file()
    assert f"from a probability of **{band.low:.4f}** up to **{band.high:.4f}**" in model_card(trained.published)


@pytest.mark.end_to_end
def test_training_logs_capacity_and_costs_with_review(trained: Trained):
    assert trained.logged.params["capacity"] == "0.15"
    metrics = trained.logged.metrics
    perfect, erring = (metrics[f"out_of_fold_cost_per_client_with_review{name}"] for name in ("", "_10_percent_wrong"))
    assert perfect < erring < metrics["out_of_fold_cost_per_client"]
    assert trained.model.manifest.metrics.items() <= metrics.items()


@pytest.mark.end_to_end
def test_a_band_without_the_threshold_is_refused(trained: Trained):
    scoring = json.loads((trained.results / "model" / SCORING_FILE).read_text())
    beside = (1 + scoring["review_band"]["high"]) / 2
    with pytest.raises(ValidationError, match="the review band must contain the threshold"):
        ModelManifest.model_validate(scoring | {"threshold": beside})


@pytest.mark.end_to_end
def test_a_band_passes_the_gate_without_changing_the_costs(trained: Trained, data: Data, tmp_path: Path):
    folder = Path(shutil.copytree(trained.results / "model", tmp_path / "model"))
    scoring = json.loads((folder / SCORING_FILE).read_text())
    (folder / SCORING_FILE).write_text(json.dumps(scoring | {"review_band": None}))
    without, gate = ScoringModel(folder), data.rows("gate")
    assert without.review_band is None

    banded, plain = (promote._answers(model, gate, model.manifest.costs) for model in (trained.model, without))
    check = cost_against(gate.target, banded, plain, without.manifest.costs, name="the champion", margin=0)
    assert (check.passed, check.found.split(" per ")[0]) == (True, "difference 0.000 (0.000 to 0.000)")
    assert promote.contract(trained.model.folder).passed


@pytest.mark.end_to_end
def test_a_champion_is_not_used_again_for_another_capacity(trained: Trained):
    assert pipeline._reviews(trained.registered, Settings(capacity=0.15))
    assert pipeline._reviews(trained.registered, Settings())
    assert not pipeline._reviews(trained.registered, Settings(capacity=0.1))


@pytest.mark.parametrize("capacity", [-0.1, 1.0, float("nan")])
def test_settings_refuse_a_capacity_out_of_bounds(capacity: float):
    with pytest.raises(CommandError, match="--capacity must be at least 0 and below 1"):
        Settings(capacity=capacity)


@pytest.mark.parametrize("command", [train, pipeline, demo])
@pytest.mark.parametrize("capacity", ["1", "-0.1", "nan"])
def test_commands_refuse_a_capacity_before_they_read_data(command, capacity: str, capsys):
    assert run_command(command, "--data", "/nowhere", f"--capacity={capacity}") == FAULT
    assert "error: --capacity must be at least 0 and below 1" in capsys.readouterr().err
