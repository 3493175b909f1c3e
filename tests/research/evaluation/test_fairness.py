import json

import numpy as np
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame, false_negative_rate, false_positive_rate, selection_rate
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from research.evaluation import fairness
from research.evaluation.fairness_figures import plot_groups
from tests.research.made_up import CLIENTS, SOURCE, MadeUp, is_drawn, made_up_clients


@pytest.fixture(scope="module")
def clients() -> MadeUp:
    return made_up_clients()


@pytest.fixture(scope="module")
def report(clients) -> dict:
    return fairness.fairness(clients.target, clients.probability, clients.probability > 0.08, clients.audit, seed=1)


def group_rows(report: dict, dimension: str) -> dict:
    return {row["group"]: row for row in report[dimension]["groups"]}


def test_the_figures_by_hand(monkeypatch):
    monkeypatch.setattr(fairness, "MIN_GROUP_CLIENTS", 1)
    monkeypatch.setattr(fairness, "MIN_GROUP_OUTCOMES", 1)
    target = np.array([0, 0, 0, 0, 1, 0, 0, 1, 1, 0])
    refused = np.array([1, 0, 0, 0, 1, 1, 1, 0, 1, 0]) == 1
    probability = np.where(refused, 0.6, 0.2)
    audit = pl.DataFrame({"gender": ["F"] * 5 + ["M"] * 5, "age_years": [25.0, 35.0] * 5})
    report = fairness.fairness(target, probability, refused, audit, seed=1)
    women, men = group_rows(report, "gender").values()
    assert (women["group"], women["clients"], women["defaults"]) == ("F", 5, 1)
    assert (men["group"], men["clients"], men["defaults"]) == ("M", 5, 2)
    assert women["approval_rate"]["value"] == pytest.approx(3 / 5)
    assert men["approval_rate"]["value"] == pytest.approx(2 / 5)
    assert report["gender"]["most_approved"] == "F"
    assert (women["approval_ratio"]["value"], women["below_rule"]) == (1.0, False)
    assert (men["approval_ratio"]["value"], men["below_rule"]) == (pytest.approx(2 / 3), True)
    assert women["good_clients_refused"]["value"] == pytest.approx(1 / 4)
    assert men["good_clients_refused"]["value"] == pytest.approx(2 / 3)
    assert women["defaults_granted"]["value"] == 0
    assert men["defaults_granted"]["value"] == pytest.approx(1 / 2)
    assert men["auc"]["value"] == pytest.approx((0.5 + 0.5 + 0 + 0 + 1 + 0.5) / 6)
    assert men["predicted_over_observed"]["value"] == pytest.approx((3 * 0.6 + 2 * 0.2) / 2)
    assert men["brier"]["value"] == pytest.approx((0.36 + 0.36 + 0.64 + 0.16 + 0.04) / 5)
    assert men["calibration_slope"] is None
    assert report["gender"]["differences"]["approval_rate"] == pytest.approx(1 / 5)
    assert report["gender"]["differences"]["good_clients_refused"] == pytest.approx(2 / 3 - 1 / 4)


def test_the_figures_are_those_of_fairlearn_and_scikit_learn(clients, report):
    refused = clients.probability > 0.08
    for dimension, group in fairness.groups_of(clients.audit).items():
        frame = MetricFrame(
            metrics={
                "refusals": selection_rate,
                "good_clients_refused": false_positive_rate,
                "defaults_granted": false_negative_rate,
            },
            y_true=clients.target,
            y_pred=refused,
            sensitive_features=group.to_numpy(),
        ).by_group
        evaluated = {name: row for name, row in group_rows(report, dimension).items() if row["auc"] is not None}
        assert len(evaluated) > 1
        for name, row in evaluated.items():
            of = group.to_numpy() == name
            assert row["approval_rate"]["value"] == pytest.approx(1 - frame.loc[name, "refusals"])
            for error in ("good_clients_refused", "defaults_granted"):
                assert row[error]["value"] == pytest.approx(frame.loc[name, error])
            assert row["auc"]["value"] == pytest.approx(roc_auc_score(clients.target[of], clients.probability[of]))
            assert row["brier"]["value"] == pytest.approx(brier_score_loss(clients.target[of], clients.probability[of]))


def _slope(target, probability) -> float:
    return fairness.METRICS["calibration_slope"](target, target == 1, probability)


def test_the_slope_is_that_of_a_logistic_regression(clients):
    log_odds = logit(clients.probability)[:, None]
    expected = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds, clients.target).coef_[0, 0]
    assert _slope(clients.target, clients.probability) == pytest.approx(expected, rel=1e-4)
    extreme = expit(2 * log_odds[:, 0])
    assert _slope(clients.target, extreme) == pytest.approx(expected / 2, rel=1e-4)


def test_outcomes_that_a_score_separates_have_no_slope():
    score = np.linspace(0.01, 0.99, 60)
    assert np.isnan(_slope((score > 0.5).astype(np.int64), score))


def test_intervals_hold_the_value_and_are_as_wide_as_chance(report):
    for row in [report["all"], *(row for name in ("gender", "age", "gender_age") for row in report[name]["groups"])]:
        for name in (*fairness.METRICS, "approval_ratio"):
            if row.get(name) is not None:
                assert row[name]["low"] <= row[name]["value"] <= row[name]["high"], (row["group"], name)
    rate, clients = report["all"]["approval_rate"], report["all"]["clients"]
    expected = 2 * 1.96 * np.sqrt(rate["value"] * (1 - rate["value"]) / clients)
    assert rate["high"] - rate["low"] == pytest.approx(expected, rel=0.25)


def test_groups_that_are_too_small_are_counted_only(clients, report):
    unknown = group_rows(report, "gender")["unknown"]
    assert unknown["clients"] == 30
    assert unknown["defaults"] == clients.target[:30].sum()
    assert all(unknown[name] is None for name in (*fairness.METRICS, "approval_ratio", "below_rule"))
    assert list(group_rows(report, "gender")) == ["F", "M", "unknown"]
    assert list(group_rows(report, "age")) == fairness.BANDS
    assert sum(row["clients"] for row in report["gender_age"]["groups"]) == CLIENTS


def test_approvals_are_reported_where_outcomes_are_too_few():
    audit = pl.DataFrame({"gender": ["F", "M"] * 60, "age_years": [65.0] * 120})
    report = fairness.fairness(
        np.zeros(120, np.int64), np.full(120, 0.1), np.tile([False, False, False, True], 30), audit, seed=1
    )
    rows = group_rows(report, "gender")
    assert (rows["F"]["approval_rate"]["value"], rows["M"]["approval_rate"]["value"]) == (1, 0.5)
    assert report["gender"]["most_approved"] == "F"
    assert rows["M"]["approval_ratio"]["value"] == 0.5
    assert rows["M"]["below_rule"]
    assert rows["M"]["auc"] is None


def test_without_any_large_group_nothing_is_compared():
    audit = pl.DataFrame({"gender": ["F", "M"] * 4, "age_years": [30.0] * 8})
    report = fairness.fairness(np.zeros(8, np.int64), np.full(8, 0.1), np.zeros(8, bool), audit, seed=1)
    assert report["all"]["auc"] is None
    assert report["gender"]["most_approved"] is None
    assert report["gender"]["differences"] == dict.fromkeys(fairness.COMPARED)


def test_without_any_approval_there_is_no_ratio(clients):
    some = slice(600)
    report = fairness.fairness(
        clients.target[some], clients.probability[some], np.ones(600, bool), clients.audit[some], seed=1
    )
    best = report["age"]["most_approved"]
    others = [row for row in report["age"]["groups"] if row["auc"] is not None and row["group"] != best]
    assert others
    assert all(row["approval_ratio"] == {"value": None, "low": None, "high": None} for row in others)
    assert not any(row["below_rule"] for row in others)
    assert json.dumps(report, allow_nan=False)


def test_it_is_the_same_by_seed_and_can_be_written(clients, report, tmp_path):
    refused = clients.probability > 0.08
    assert fairness.fairness(clients.target, clients.probability, refused, clients.audit, seed=1) == report
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    plot_groups(report, tmp_path / "fairness.png", SOURCE)
    assert is_drawn(tmp_path / "fairness.png")


def alike(clients: int, groups: list[str], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw outcomes, probabilities and ages of groups that differ by chance alone."""
    random = np.random.default_rng(seed)
    probability = random.beta(1, 6, clients)
    target = (random.random(clients) < probability).astype(np.int64)
    return target, probability, random.choice(groups, clients)


def test_differences_have_a_sign_and_are_those_of_named_groups(clients, report):
    women, men = (group_rows(report, "gender")[name] for name in "FM")
    assert report["gender"]["reference"] == "F"  # most clients
    assert women["difference"] is None
    for name in fairness.COMPARED:
        signed = men["difference"][name]
        assert signed["value"] == pytest.approx(men[name]["value"] - women[name]["value"])
        assert signed["low"] < signed["value"] < signed["high"]
    reversed_audit = clients.audit.with_columns(gender=pl.col("gender").replace({"F": "M", "M": "F"}))
    swapped = fairness.fairness(clients.target, clients.probability, clients.probability > 0.08, reversed_audit, seed=1)
    assert swapped["gender"]["reference"] == "M"


def test_the_interval_of_a_difference_holds_the_chance_of_both_groups(report):
    women, men = (group_rows(report, "gender")[name] for name in "FM")

    def variance(row: dict) -> float:
        rate = row["approval_rate"]["value"]
        return rate * (1 - rate) / row["clients"]

    signed = men["difference"]["approval_rate"]
    expected = 2 * 1.96 * np.sqrt(variance(men) + variance(women))
    assert signed["high"] - signed["low"] == pytest.approx(expected, rel=0.2)


def test_intervals_of_groups_that_are_alike_mostly_hold_zero():
    containing_zero = 0
    for seed in range(30):
        target, probability, group = alike(600, ["F", "M"], seed)
        audit = pl.DataFrame({"gender": group, "age_years": np.full(600, 35.0)})
        rows = fairness._dimension((target, probability > 0.15, probability), audit["gender"].to_numpy(), seed)
        signed = next(row["difference"] for row in rows["groups"] if row["difference"])["approval_rate"]
        containing_zero += signed["low"] <= 0 <= signed["high"]
    assert containing_zero >= 25


def test_the_gap_of_groups_that_are_alike_is_one_that_chance_gives():
    p_values = []
    for seed in range(30):
        target, probability, group = alike(1_000, list("abcdefgh"), seed)
        members = [group == name for name in "abcdefgh"]
        gaps = fairness.gaps_by_chance((target, probability > 0.15, probability), members, seed)
        p_values.append([gaps[name]["p_value"] for name in fairness.COMPARED])
        assert all(gaps[name]["gap"] > 0 for name in fairness.COMPARED)  # never 0, though there is nothing to find
    assert np.mean(p_values, axis=0) == pytest.approx([0.5] * 4, abs=0.17)
    assert np.mean(np.array(p_values) < 0.05) < 0.13


def test_a_gap_beyond_chance_is_found_and_more_groups_have_larger_ones():
    target, probability, group = alike(2_000, list("abcdefgh"), 1)
    refused = probability > np.where(group == "a", 0.05, 0.15)

    eight = fairness.gaps_by_chance((target, refused, probability), [group == name for name in "abcdefgh"], 1)
    two = fairness.gaps_by_chance((target, refused, probability), [group < "e", group >= "e"], 1)

    assert eight["approval_rate"]["p_value"] == pytest.approx(1 / (1 + fairness.PERMUTATIONS))
    assert eight["approval_rate"]["gap"] > eight["approval_rate"]["up_to"] > eight["approval_rate"]["usual"]
    for name in fairness.COMPARED:
        assert eight[name]["usual"] > 2 * two[name]["usual"]


def test_permuted_aucs_are_those_of_scikit_learn(monkeypatch):
    monkeypatch.setattr(fairness, "PERMUTATIONS", 3)
    target, probability, _ = alike(300, ["a"], 1)
    probability = probability.round(1)  # ties
    by_outcome = [probability[target == outcome] for outcome in (0, 1)]

    drawn = fairness._permuted_aucs(np.random.default_rng(1), by_outcome, [len(by_outcome[0])], [len(by_outcome[1])])

    assert drawn.ravel() == pytest.approx([roc_auc_score(target, probability)] * 3)


def test_a_single_group_has_no_gap():
    target, probability, group = alike(300, ["a"], 1)

    gaps = fairness.gaps_by_chance((target, probability > 0.1, probability), [group == "a"], 1)

    assert gaps == dict.fromkeys(fairness.COMPARED)
