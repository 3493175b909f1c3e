"""Which applications the rules stop, with what words, and that they only make decisions stricter."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.data.credit_file import CreditFile
from bento.data.tables import APPLICATION
from bento.policy import Decision
from bento.rules.check import STRICTNESS, RuleHit, Rules, strictest
from bento.rules.measures import APPLICATION_COLUMNS, HISTORY_FEATURES, MAX_TERM_MONTHS, MEASURES, Inputs
from bento.rules.rulebook import Rule, Rulebook, RuleText
from tests.support.rules import RULES, USUAL

CLIENT: dict[str, Any] = {
    "SK_ID_CURR": 700_001,
    "NAME_CONTRACT_TYPE": "Cash loans",
    "CNT_CHILDREN": 1,
    "AMT_INCOME_TOTAL": 160_000,
    "AMT_CREDIT": 320_000,
    "AMT_ANNUITY": 19_000,
    "AMT_GOODS_PRICE": 290_000,
    "NAME_INCOME_TYPE": "Working",
    "NAME_EDUCATION_TYPE": "Higher education",
    "NAME_FAMILY_STATUS": "Married",
    "DAYS_BIRTH": -14_200,
    "DAYS_EMPLOYED": -1_900,
    "DAYS_REGISTRATION": -4_100,
    "DAYS_ID_PUBLISH": -2_400,
    "CNT_FAM_MEMBERS": 3,
    "EXT_SOURCE_2": 0.5,
    "EXT_SOURCE_3": 0.6,
}
"""An invented application on which no rule has a say."""
NO_HISTORY = dict.fromkeys(HISTORY_FEATURES, 0.0) | {"previous_applications": 1.0}


def _inputs(*applications: Mapping[str, Any], **features: float | None) -> Inputs:
    rows = [NO_HISTORY | features] * len(applications)
    schema = dict.fromkeys(HISTORY_FEATURES, pl.Float64)
    return RULES.inputs(applications, pl.DataFrame(rows, schema=schema))


def _hits(application: Mapping[str, Any], rules: Rules = RULES, **features: float | None) -> list[RuleHit]:
    (hits,) = rules.hits(_inputs(application, **features))
    return hits


def _codes(application: Mapping[str, Any], **features: float | None) -> list[str]:
    return [hit.code for hit in _hits(application, **features)]


def _refused_unread(application: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rules by which an application is impossible, and the field of each."""
    return [(fault.code, fault.field) for fault in RULES.faults(application)]


def test_no_rule_applies_to_a_plausible_application():
    CreditFile.model_validate({"application": CLIENT})
    assert _refused_unread(CLIENT) == []
    assert _codes(CLIENT) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"DAYS_BIRTH": -1}, ("age", "DAYS_BIRTH")),
        ({"DAYS_BIRTH": -3_650}, ("age", "DAYS_BIRTH")),
        ({"DAYS_BIRTH": -6_570}, ("age", "DAYS_BIRTH")),
        ({"DAYS_BIRTH": -36_900}, ("age", "DAYS_BIRTH")),
        ({"DAYS_EMPLOYED": -14_500}, ("before_birth", "DAYS_EMPLOYED")),
        ({"DAYS_ID_PUBLISH": -14_500}, ("before_birth", "DAYS_ID_PUBLISH")),
        ({"DAYS_REGISTRATION": -20_000}, ("before_birth", "DAYS_REGISTRATION")),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(changes: dict[str, int], fault: tuple[str, str]):
    assert fault in _refused_unread(CLIENT | changes)


@pytest.mark.parametrize("days", [-6_575, -36_525])
def test_an_adult_of_any_age_is_possible(days: int):
    recent = dict.fromkeys(("DAYS_EMPLOYED", "DAYS_REGISTRATION", "DAYS_ID_PUBLISH"), -100)
    assert _refused_unread(CLIENT | {"DAYS_BIRTH": days} | recent) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"DAYS_BIRTH": -9_000, "DAYS_EMPLOYED": -8_000}, "hired_as_a_child"),
        ({"NAME_INCOME_TYPE": "Pensioner", "DAYS_EMPLOYED": 365_243, "DAYS_BIRTH": -7_400}, "young_pensioner"),
        ({"CNT_CHILDREN": 5, "CNT_FAM_MEMBERS": 1}, "family_without_adult"),
        ({"CNT_CHILDREN": 2, "CNT_FAM_MEMBERS": 2}, "family_without_adult"),
        ({"CNT_CHILDREN": 50, "CNT_FAM_MEMBERS": 30}, "family_without_adult"),
        ({"CNT_CHILDREN": 5, "CNT_FAM_MEMBERS": 7}, "unusual"),
        ({"AMT_CREDIT": 600_000}, "loan_above_price"),
        ({"AMT_INCOME_TOTAL": 1}, "affordability"),
        ({"AMT_ANNUITY": 170_000}, "affordability"),
        ({"AMT_CREDIT": 20_000_000}, "unusual"),
        ({"AMT_CREDIT": 4_000_000, "AMT_GOODS_PRICE": 4_000_000}, "unusual"),
        ({"AMT_ANNUITY": 5_000}, "unusual"),  # never repaid in five years
        ({"DAYS_BIRTH": -28_000}, "unusual"),
    ],
)
def test_what_is_hardly_true_goes_to_a_person(changes: dict[str, Any], rule: str):
    application = CLIENT | changes
    CreditFile.model_validate({"application": application})
    assert _refused_unread(application) == []
    assert rule in _codes(application)
    assert all(hit.outcome == "review" for hit in _hits(application))


def test_five_fields_are_too_little_to_decide_on():
    names = ("SK_ID_CURR", "AMT_CREDIT", "AMT_ANNUITY", "AMT_INCOME_TOTAL", "DAYS_BIRTH")
    application = {name: CLIENT[name] for name in names}
    assert _codes(application, previous_applications=0) == ["no_history", "little_known"]
    (fact,) = _hits(application)[0].facts
    assert fact.value == 1  # of the thirteen, an earlier application is known
    assert "Known: 1 of 13 (at least 5); not given: external score 1, external score 2" in fact.text.en
    assert "Connus\u202f: 1 sur 13 (au moins 5)\u202f; manquent\u202f: score externe 1" in fact.text.fr


def test_a_category_that_is_not_understood_is_not_known():
    unknown = {"NAME_INCOME_TYPE": "Astronaut", "NAME_FAMILY_STATUS": "Unknown", "NAME_EDUCATION_TYPE": None}
    inputs = _inputs(CLIENT | unknown)
    assert not any(inputs.is_known(name)[0] for name in unknown)
    assert inputs.is_known("CNT_CHILDREN")[0]


# Affordability


@pytest.mark.parametrize(
    ("annuity", "elsewhere", "here", "stopped"),
    [
        (56_000, 0, 0, False),
        (56_001, 0, 0, True),
        (20_000, 18_000, 18_000, False),
        (20_000, 18_000, 18_001, True),
        (56_000, None, None, False),
    ],
)
def test_all_known_instalments_together_may_take_35_percent(
    annuity: float, elsewhere: float | None, here: float | None, stopped: bool
):
    history = {"bureau_annuity_sum_active": elsewhere, "previous_open_annuity_sum": here}
    application = CLIENT | {"AMT_ANNUITY": annuity, "AMT_CREDIT": 14 * annuity, "AMT_GOODS_PRICE": 14 * annuity}
    assert ("affordability" in _codes(application, **history)) is stopped


def test_a_yearly_income_counts_by_the_month():
    yearly = Rules(RULES.rulebook.model_copy(update={"income_months": 12}), USUAL)
    inputs = yearly.inputs([CLIENT], pl.DataFrame([NO_HISTORY], schema=dict.fromkeys(HISTORY_FEATURES, pl.Float64)))
    assert inputs.value("instalments_to_income")[0] == pytest.approx(12 * 19_000 / 160_000)
    assert [hit.code for hit in yearly.hits(inputs)[0]] == ["affordability"]


def test_an_unknown_instalment_cannot_be_called_affordable():
    (hit,) = _hits(CLIENT | {"AMT_ANNUITY": None})
    assert hit.code == "budget_unknown"
    assert hit.facts[0].value is None
    assert "All known monthly instalments compared with income: not known" in hit.text.en
    assert "donnée inconnue" in hit.text.fr


def test_the_facts_name_every_instalment_and_the_limit():
    history = {"bureau_annuity_sum_active": 30_000.0, "previous_open_annuity_sum": 15_000.0}
    (hit,) = _hits(CLIENT, **history)
    assert [(fact.measure, fact.value) for fact in hit.facts] == [
        ("instalments_to_income", pytest.approx(0.4)),
        ("AMT_ANNUITY", 19_000),
        ("instalments_elsewhere", 30_000),
        ("instalments_here", 15_000),
        ("AMT_INCOME_TOTAL", 160_000),
    ]
    assert (
        "All known monthly instalments compared with income: 40% (at most 35%); Monthly instalment: 19,000"
        in hit.text.en
    )
    assert (
        "Ensemble des mensualités connues rapporté aux revenus\u202f: 40\u202f% (au plus 35\u202f%)\u202f; "
        "Mensualité\u202f: 19\u202f000" in hit.text.fr
    )


def test_a_value_that_is_rounded_to_its_limit_is_said_to_be_beside_it():
    (over,) = _hits(CLIENT | {"AMT_INCOME_TOTAL": 53_800})
    assert "compared with income: just over 35% (at most 35%);" in over.text.en
    assert "aux revenus\u202f: un peu plus de 35\u202f% (au plus 35\u202f%)\u202f;" in over.text.fr
    assert _hits(CLIENT | {"AMT_INCOME_TOTAL": 19_000 / 0.35}) == []
    (under,) = _hits(CLIENT | {"DAYS_EMPLOYED": -8_360})
    assert "Age at hiring: just under 16 years (at least 16 years)" in under.text.en
    assert "un peu moins de 16 ans (au moins 16 ans)" in under.text.fr


# Limits


def test_usual_ranges_are_widened_by_the_margin():
    rule = next(rule for rule in RULES.rulebook.rules if rule.code == "unusual")
    assert RULES.limits(rule, "AMT_CREDIT") == pytest.approx((45_000 / 1.1, 2_750_000))
    assert RULES.limits(rule, "CNT_CHILDREN") == pytest.approx((0, 4.4))
    assert RULES.limits(rule, "OWN_CAR_AGE") == (-np.inf, np.inf)  # unknown of these training clients


def test_only_what_is_unusual_is_a_fact():
    (hit,) = _hits(CLIENT | {"AMT_CREDIT": 3_000_000, "AMT_GOODS_PRICE": 2_400_000, "AMT_ANNUITY": 50_000})
    assert [fact.measure for fact in hit.facts] == ["AMT_CREDIT", "credit_to_annuity", "monthly_rate"]
    assert "Amount of the loan: 3,000,000 (usual: 40,909 to 2,750,000)" in hit.text.en
    assert "3\u202f000\u202f000 (habituellement de 40\u202f909 à 2\u202f750\u202f000)" in hit.text.fr


@given(st.floats(0.0005, 0.5), st.floats(1_000, 1e7))
def test_the_monthly_rate_repays_the_loan_in_the_longest_term(rate: float, credit: float):
    annuity = credit * rate / (1 - (1 + rate) ** -MAX_TERM_MONTHS)
    inputs = _inputs(CLIENT | {"AMT_CREDIT": credit, "AMT_ANNUITY": annuity})
    assert inputs.value("monthly_rate")[0] == pytest.approx(rate, abs=1e-6)


def test_a_loan_that_its_instalments_do_not_repay_has_no_rate():
    application = CLIENT | {"AMT_CREDIT": 300_000, "AMT_ANNUITY": 4_000}
    assert _inputs(application).value("monthly_rate")[0] < 0
    (hit,) = _hits(application)
    assert "if the loan were repaid in 60 months: none, as it would not be repaid (usual: 1.3% to 13%)" in hit.text.en
    assert "remboursé en 60 mois\u202f: aucun, car il ne serait pas remboursé" in hit.text.fr


def test_pensioners_have_no_employment_that_could_be_too_long():
    inputs = _inputs(CLIENT | {"DAYS_EMPLOYED": 365_243})
    assert np.isnan(inputs.value("employed_years")[0])
    assert np.isnan(inputs.value("hired_at_years")[0])


# Decisions


def _one_rule(outcome: str, **limits: float) -> Rules:
    text = RuleText(en="No.", fr="Non.")
    rule = Rule(code="rule", outcome=outcome, measures=("AMT_CREDIT",), text=text, **limits)  # type: ignore[arg-type]
    return Rules(Rulebook(income_months=1, usual_margin=0, rules=(rule,)), {})


@given(st.sampled_from(Decision), st.lists(st.sampled_from(["review", "refused"]), max_size=3))
def test_rules_make_a_decision_stricter_and_never_milder(decision: Decision, outcomes: list[Any]):
    final = strictest(decision, *outcomes)
    assert STRICTNESS.index(final) >= STRICTNESS.index(decision)
    assert final == decision or final in outcomes
    assert all(STRICTNESS.index(final) >= STRICTNESS.index(Decision(outcome)) for outcome in outcomes)


@pytest.mark.parametrize("outcome", ["review", "refused"])
def test_a_refusal_of_the_model_stays_a_refusal(outcome: str):
    rules, inputs = _one_rule(outcome, maximum=1), _inputs(CLIENT, CLIENT, CLIENT)
    assert rules.decisions(inputs, list(Decision)) == [
        strictest(decision, outcome)  # type: ignore[arg-type]
        for decision in Decision
    ]
    assert rules.decisions(inputs, list(Decision))[-1] is Decision.REFUSED


_NUMBERS = {
    column.name: st.none() | st.integers(int(column.minimum or 0), int(min(column.maximum or 0, 10**7)))
    for column in APPLICATION
    if column.name in APPLICATION_COLUMNS and column.kind == "integer" and column.name != "DAYS_EMPLOYED"
}
_AMOUNTS = {column.name: st.floats(1, 1e7) for column in APPLICATION if column.unit == "currency"}
_OTHERS = {
    "DAYS_EMPLOYED": st.none() | st.just(365_243) | st.integers(-30_000, 0),
    "NAME_INCOME_TYPE": st.sampled_from([None, "Pensioner", "Working", "Astronaut"]),
    "EXT_SOURCE_1": st.none() | st.floats(0, 1),
}
_APPLICATIONS = st.fixed_dictionaries(_NUMBERS | _AMOUNTS | _OTHERS)


@given(st.lists(_APPLICATIONS, min_size=1, max_size=5), st.data())
def test_many_applications_are_checked_as_one_by_one(applications: list[dict[str, Any]], data: st.DataObject):
    together, inputs = RULES.hits(_inputs(*applications)), _inputs(*applications)
    decisions = data.draw(st.lists(st.sampled_from(Decision), min_size=len(applications), max_size=len(applications)))
    assert together == [_hits(application) for application in applications]
    assert RULES.decisions(inputs, decisions) == [
        strictest(decision, *(hit.outcome for hit in hits)) for decision, hits in zip(decisions, together, strict=True)
    ]


@given(_APPLICATIONS)
def test_a_frame_is_checked_as_the_rows_of_credit_files(application: dict[str, Any]):
    schema = {name: APPLICATION.schema[name] for name in APPLICATION_COLUMNS}
    columns = {name: [application.get(name)] for name in APPLICATION_COLUMNS}
    features = pl.DataFrame([NO_HISTORY], schema=dict.fromkeys(HISTORY_FEATURES, pl.Float64))
    frame = pl.DataFrame(columns, schema=schema, strict=False)
    assert RULES.hits(Inputs.of_frame(frame, features)) == [_hits(application)]


@given(_APPLICATIONS)
def test_every_fact_is_the_measure_and_breaks_its_limit(application: dict[str, Any]):
    inputs = _inputs(application)
    rules = {rule.code: rule for rule in RULES.rulebook.rules}
    for hit in RULES.hits(inputs)[0]:
        assert all(fact.text.en in hit.text.en and fact.text.fr in hit.text.fr for fact in hit.facts)
        for fact in hit.facts:
            rule = rules[hit.code]
            if fact.measure in rule.measures and fact.value is not None:
                low, high = RULES.limits(rule, fact.measure)
                assert fact.value == inputs.value(fact.measure)[0]
                assert not low <= fact.value <= high
            elif fact.measure in MEASURES:
                assert fact.measure in {part for name in rule.measures for part in MEASURES[name].parts} or rule.unknown


@given(_APPLICATIONS)
def test_faults_do_not_depend_on_histories(application: dict[str, Any]):
    assert all(fault.field in APPLICATION.schema for fault in RULES.faults(application))
