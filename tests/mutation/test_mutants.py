"""Mutants hold one fault each, and the published share of those detected is what the tier demands."""

import json

import pytest

from research.reporting.publish import PUBLISHED
from tests.mutation.equivalent import EQUIVALENT, Change, is_of
from tests.mutation.judge import Outcome
from tests.mutation.mutants import Mutant, modules, mutants, mutants_of
from tests.mutation.report import MIN_SHARE, RESULT, summary

FEATURE = """
_DAY = pl.col("DAYS_CREDIT")
FEATURE = Feature(
    "bureau_credits_12m",
    Aggregate("sum", _DAY >= -360, _ACTIVE),
    "Credits of the last 12 months",
    risk=1,
).worded("a" + "b", "c" + "d")
DERIVED = {"recency": ("DAYS_CREDIT", "SK_ID_BUREAU")}
"""


@pytest.fixture(scope="module")
def every() -> list[Mutant]:
    return [mutant for module in modules() for mutant in mutants(module)]


def test_a_declaration_gets_the_faults_that_a_hand_could_make():
    changes = {(mutant.before, mutant.after) for mutant in mutants_of("example", FEATURE)}

    assert changes == {
        ("'DAYS_CREDIT'", "'CREDIT_DAY_OVERDUE'"),
        ("Aggregate('sum', _DAY >= -360, _ACTIVE)", "Aggregate('mean', _DAY >= -360, _ACTIVE)"),
        ("Aggregate('sum', _DAY >= -360, _ACTIVE)", "Aggregate('sum', _DAY >= -360)"),
        ("_DAY >= -360", "_DAY > -360"),
        ("_DAY >= -360", "_DAY <= -360"),
        ("-360", "360"),
        ("360", "361"),
        ("360", "359"),
    }


def test_a_mutant_is_the_source_but_for_its_change():
    mutant = next(mutant for mutant in mutants_of("example", FEATURE) if mutant.after == "361")

    assert mutant.source == FEATURE.replace("360", "(361)")
    assert mutant.name == "bento/features/example.py:5: 360 -> 361"
    assert mutant.text == 'Aggregate("sum", _DAY >= -@360, _ACTIVE),'


def test_every_mutant_compiles_and_differs_from_its_module(every: list[Mutant]):
    assert len(every) > 1000
    for mutant in every:
        compile(mutant.source, mutant.module, "exec")
        assert mutant.before != mutant.after


@pytest.mark.parametrize("change", [change for changes in EQUIVALENT.values() for change in changes])
def test_a_change_listed_as_equivalent_is_that_of_a_mutant(change: Change, every: list[Mutant]):
    assert any(is_of(change, mutant) for mutant in every)


def test_mutants_that_raise_an_error_do_not_count(every: list[Mutant]):
    outcomes = [Outcome(every[0], verdict, "", 1.0) for verdict in ("differs", "timeout", "survived", "error")]

    assert summary(outcomes) == {"mutants": 3, "killed": 2, "share_killed": 0.6667, "raised": 1}


def test_the_published_share_is_what_the_tier_demands():
    published = json.loads((PUBLISHED / RESULT).read_text())

    assert published["share_killed"] >= MIN_SHARE
    assert set(published["modules"]) == set(modules())
    assert sum(module["killed"] for module in published["modules"].values()) == published["killed"]
    assert len(published["survivors"]) == published["mutants"] - published["killed"]
