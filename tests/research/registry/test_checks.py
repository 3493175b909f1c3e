"""The checks of the gate: what passes, and with how many clients."""

import numpy as np
import pytest
from scipy.special import expit

from bento.policy import DEFAULT_COSTS, CostAssumptions
from research.registry import checks
from research.registry.checks import Answers, approvals, calibration, cost_against, enough_defaults, level_of_attempt

SLOPE, RATIO = "calibration slope", "predicted over observed defaults"
CLIENTS = 5000


def clients(count: int = CLIENTS, seed: int = 1):
    random = np.random.default_rng(seed)
    truth = random.normal(-2.8, 1.1, count)
    return (random.random(count) < expit(truth)).astype(np.int64), truth, random


def answers(log_odds: np.ndarray) -> Answers:
    return Answers(np.asarray(expit(log_odds)), DEFAULT_COSTS.theoretical_threshold)


def against(challenger: Answers, champion: Answers, target: np.ndarray, **options: float):
    return cost_against(target, challenger, champion, DEFAULT_COSTS, name="the champion", **options)


@pytest.mark.parametrize(("slope", "intercept", "failed"), [(1, 0, set()), (2, 4, {SLOPE, RATIO}), (1, 1, {RATIO})])
def test_badly_calibrated_probabilities_are_refused(slope: float, intercept: float, failed: set[str]):
    target, truth, _ = clients()

    results = calibration(target, expit(slope * truth + intercept), resamples=500)

    assert {check.name for check in results if not check.passed} == failed


def test_the_interval_of_the_slope_is_that_of_resampled_clients():
    target, truth, random = clients(2000)
    estimate = checks._slope(target, truth, resamples=400)
    rows = (random.integers(0, len(target), len(target)) for _ in range(400))

    drawn = [checks.calibration_line(target[row], truth[row])[0] for row in rows]

    assert estimate.value == pytest.approx(checks.calibration_line(target, truth)[0])
    assert estimate.high - estimate.low == pytest.approx(np.ptp(np.quantile(drawn, [0.005, 0.995])), rel=0.25)


@pytest.mark.parametrize(("defaults", "passed"), [(4, False), (99, False), (100, True)])
def test_few_defaults_do_not_replace_a_champion_that_can_serve(defaults: int, passed: bool):
    target = np.repeat([1, 0], [defaults, 1000])

    check = enough_defaults(target)

    assert check.passed is passed
    assert check.found.startswith(f"{defaults} of the rarer outcome")


def test_the_levels_of_all_attempts_sum_to_less_than_alpha():
    spent = sum((1 - level_of_attempt(attempt)) / 2 for attempt in range(1, 1000))

    assert 0.99 * checks.ALPHA < spent < checks.ALPHA


def test_a_challenger_as_good_passes_and_a_dearer_one_does_not():
    target, truth, random = clients(40_000)
    champion = answers(truth + random.normal(0, 0.2, len(truth)))

    assert against(champion, champion, target).passed
    assert against(answers(truth), champion, target).passed
    assert not against(answers(truth + random.normal(0, 0.9, len(truth))), champion, target).passed


def test_a_margin_of_the_size_of_chance_does_not_pass_what_is_found_dearer():
    """A fixed margin of 0.02 would pass it: the upper end is below."""
    target = np.zeros(40_000, np.int64)
    champion = Answers(np.zeros(len(target)), 0.5)
    refused = np.zeros(len(target))
    refused[:400] = 1.0  # 10 more of 1,000 good clients are refused

    check = against(Answers(refused, 0.5), champion, target)

    assert check.found.startswith("difference 0.010 (0.009 to 0.011)")
    assert not check.passed


def test_later_attempts_are_judged_more_strictly():
    target, truth, random = clients(40_000)
    champion = answers(truth + random.normal(0, 0.3, len(truth)))
    challengers = [answers(truth + random.normal(0, 0.3, len(truth))) for _ in range(12)]

    first, tenth = (
        [against(one, champion, target, attempt=attempt).passed for one in challengers] for attempt in (1, 10)
    )

    assert sum(tenth) < sum(first)
    assert all(early for early, late in zip(first, tenth, strict=True) if late)


def test_both_are_judged_at_the_costs_given():
    target, truth, _ = clients()
    costs = CostAssumptions(false_negative=5.0)
    cautious, bold = Answers(expit(truth), 1 / 11), Answers(expit(truth), 1 / 6)

    assert cost_against(target, bold, cautious, costs, name="the champion").passed
    assert not cost_against(target, cautious, bold, costs, name="the champion").passed


GROUPS = ["under 30"] * 1000 + ["30-39"] * 1000


def refusing(young: float, others: float) -> Answers:
    """Return answers that refuse these shares of the two groups."""
    probability = np.zeros(2000)
    probability[: int(1000 * young)] = probability[1000 : 1000 + int(1000 * others)] = 1.0
    return Answers(probability, 0.5)


@pytest.mark.parametrize(
    ("challenger", "champion", "passed"),
    [
        (refusing(0.3, 0.2), None, True),
        (refusing(0.6, 0.2), None, True),  # half as often approved: stated, for people to judge
        (refusing(0.6, 0.2), refusing(0.6, 0.2), True),  # as before
        (refusing(0.6, 0.2), refusing(0.62, 0.2), True),  # better than before
        (refusing(0.35, 0.2), refusing(0.2, 0.2), False),  # much worse than before
        (refusing(0.21, 0.2), refusing(0.2, 0.2), True),
    ],
)
def test_a_group_may_not_be_approved_less_often_than_before(
    challenger: Answers, champion: Answers | None, passed: bool
):
    check = approvals(GROUPS, challenger, champion)

    assert check.passed is passed
    assert "under 30" in check.found


def test_each_model_is_compared_with_the_group_that_it_approves_most():
    assert approvals(GROUPS, refusing(0.0, 0.0), refusing(0.2, 0.5)).passed  # all groups alike now
    assert approvals(GROUPS, refusing(0.3, 0.2), refusing(0.2, 0.3)).found.startswith("under 30 0.875")


def test_small_and_unknown_groups_are_not_judged():
    challenger = refusing(1.0, 0.0)
    groups = ["unknown"] * 960 + ["under 30"] * 40 + ["30-39"] * 1000

    assert approvals(groups, challenger, None).passed


def test_the_interval_of_the_approval_ratio_holds_the_ratio():
    check = approvals(GROUPS, refusing(0.3, 0.2), None)

    # (0.7 / 0.8) with the standard error of the log ratio, sqrt(0.3 / 700 + 0.2 / 800)
    assert check.found == "lowest under 30, 0.875 (0.831 to 0.921) of 30-39"
