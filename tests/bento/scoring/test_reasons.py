import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.data.credit_file import CreditFile
from bento.features.catalogue import CATALOGUE, share_counts_of
from bento.features.definitions import GROUP_LABELS, Value
from bento.i18n import NARROW_SPACE
from bento.model.scoring_model import ScoringModel, probability
from bento.policy import Decision, decide
from bento.scoring.fact_text import model_value
from bento.scoring.reasons import CODES, MAX_FACTS, SENTENCES, Reason, main_reasons
from tests.bento.scoring.test_fact_text import GENDER
from tests.support.clients import make_credit_files

FEATURES = [name for name in CATALOGUE if not CATALOGUE[name].is_category]
ONE_EACH = {CATALOGUE[name].group: name for name in FEATURES}
"""A feature of each concept."""
WEIGHTS = st.floats(-3, 3).map(lambda weight: round(weight, 3))


def _reasons(weights: dict[str, float], decision: Decision = Decision.REFUSED, count: int = 4, **values: Value):
    given_values: dict[str, Value] = {name: float(number) for number, name in enumerate(weights, start=1)}
    return main_reasons(list(weights), given_values | values, list(weights.values()), decision, count)


def _in_order(reasons: list[Reason]) -> list[tuple[str, float]]:
    return [(reason.group, reason.contribution) for reason in reasons]


def test_the_codes_never_change():
    assert CODES == {
        "external_scores": "R01",
        "credit_terms": "R02",
        "income_burden": "R03",
        "employment": "R04",
        "identity_contact": "R05",
        "housing": "R06",
        "documents": "R07",
        "bureau_debt": "R08",
        "bureau_history": "R09",
        "past_applications": "R10",
        "instalment_discipline": "R11",
        "card_use": "R12",
    }


def test_every_concept_has_a_code_and_a_sentence_for_either_direction():
    assert set(CODES) == set(GROUP_LABELS)
    assert set(SENTENCES) == {(group, direction) for group in GROUP_LABELS for direction in ("raises", "lowers")}


@pytest.mark.parametrize("decision", [Decision.REFUSED, Decision.REVIEW])
def test_what_raises_the_risk_comes_first_unless_granted(decision: Decision):
    weights = {
        ONE_EACH["credit_terms"]: 0.2,
        ONE_EACH["employment"]: -0.9,
        ONE_EACH["card_use"]: 0.5,
        ONE_EACH["housing"]: -0.1,
        ONE_EACH["documents"]: -0.3,
    }
    assert _in_order(_reasons(weights, decision)) == [
        ("card_use", 0.5),
        ("credit_terms", 0.2),
        ("employment", -0.9),
        ("documents", -0.3),
    ]
    assert _in_order(_reasons(weights, Decision.GRANTED)) == [
        ("employment", -0.9),
        ("documents", -0.3),
        ("housing", -0.1),
        ("card_use", 0.5),
    ]


def test_a_concept_without_weight_is_no_reason():
    weights = {
        ONE_EACH["credit_terms"]: 0.0,
        "bureau_debt_mean": 0.25,
        "bureau_debt_sum": -0.25,
        ONE_EACH["housing"]: 0.1,
    }
    assert _in_order(_reasons(weights)) == [("housing", 0.1)]


@given(st.dictionaries(st.sampled_from(FEATURES), WEIGHTS, min_size=1, max_size=60), st.sampled_from(Decision))
def test_reasons_add_up_and_have_the_right_direction(weights: dict[str, float], decision: Decision):
    reasons = _reasons(weights, decision, count=len(CODES))
    assert sum(reason.contribution for reason in reasons) == pytest.approx(sum(weights.values()), abs=1e-9)
    for_it = "lowers" if decision is Decision.GRANTED else "raises"
    ranks = [(reason.direction != for_it, -abs(reason.contribution)) for reason in reasons]
    assert ranks == sorted(ranks)
    for reason in reasons:
        sign = 1 if reason.direction == "raises" else -1
        assert sign * reason.contribution > 0
        assert reason.code == CODES[reason.group]
        named = [sign * weights[fact.feature] for fact in reason.facts]
        assert named == sorted(named, reverse=True)
        assert 1 <= len(named) <= MAX_FACTS
        assert min(named) > 0
        assert {CATALOGUE[fact.feature].group for fact in reason.facts} == {reason.group}


@pytest.mark.parametrize(("weight", "english", "french"), [(0.4, "raise", "augment"), (-0.4, "lower", "rédui")])
def test_the_text_states_the_direction_and_every_fact(weight: float, english: str, french: str):
    for group in GROUP_LABELS:
        of_group = [name for name in FEATURES if CATALOGUE[name].group == group][:5]
        (reason,) = _reasons(dict.fromkeys(of_group, weight))
        assert f" {english}" in reason.text.en
        assert f" {french}" in reason.text.fr
        for fact in reason.facts:
            assert fact.text.en[1:] in reason.text.en
            assert fact.text.fr[1:] in reason.text.fr
        assert reason.text.en.endswith(".")
        assert reason.text.fr.count(f"{NARROW_SPACE}; ") == len(reason.facts) - 1


def test_the_text_of_a_reason():
    share = "installments_late_over_15d_share_365d"
    weights = {"installments_days_late_mean": 0.2, share: 0.6, "installments_days_early_mean": -0.1}
    facts = {"installments_days_late_mean": 6.25, share: 0.25, f"{share}_count": 3.0, f"{share}_of": 12.0}
    (reason,) = _reasons(weights, **facts)
    assert reason.code == "R11"
    assert reason.text.en == (
        "The way you have paid your instalments, as far as we know it, raises your estimated risk of default. "
        "Instalments over 15 days late, last 365 days: 3 of 12; late payment of instalments: 6.2 days on average."
    )
    assert reason.text.fr == (
        "La façon dont vous avez payé vos échéances, d'après ce que nous savons, augmente votre risque d'impayé "
        f"estimé. Échéances avec plus de 15 jours de retard, 365 derniers jours{NARROW_SPACE}: 3 sur 12"
        f"{NARROW_SPACE}; retard de paiement des échéances{NARROW_SPACE}: 6,2 jours en moyenne."
    )
    assert [(fact.feature, fact.value, fact.unit) for fact in reason.facts] == [
        (share, 0.25, "share"),
        ("installments_days_late_mean", 6.25, "days"),
    ]


def test_a_measure_is_named_once_by_its_heaviest_feature():
    weights = {"bureau_debt_mean": 0.3, "bureau_debt_max_active": 0.4, "bureau_overdue_sum": 0.2}
    (reason,) = _reasons(weights)
    assert [fact.feature for fact in reason.facts] == ["bureau_debt_max_active", "bureau_overdue_sum"]


def test_a_last_bit_does_not_change_a_reason():
    # 0.1 + 0.2 is no 0.3: what is added up in another order differs so, and must read the same.
    mean, largest = "application_ext_source_mean", "application_ext_source_max"
    exact, added = (
        _reasons({mean: 0.5, largest: 0.4}, **{mean: 0.3, largest: value})[0].model_dump() for value in (0.3, 0.1 + 0.2)
    )
    assert exact == added
    assert [fact["value"] for fact in exact["facts"]] == [0.3]


def test_an_equal_fraction_is_named_once_an_equal_count_twice():
    scores = {"application_ext_source_max": 0.4, "application_ext_source_3": 0.3, "application_ext_source_min": 0.2}
    (reason,) = _reasons(
        scores, application_ext_source_max=0.71, application_ext_source_3=0.71, application_ext_source_min=0.12
    )
    assert [fact.value for fact in reason.facts] == [0.71, 0.12]
    (reason,) = _reasons(
        {"application_children": 0.4, "application_family_members": 0.3},
        application_children=2.0,
        application_family_members=2.0,
    )
    assert [fact.value for fact in reason.facts] == [2.0, 2.0]


def test_a_light_fact_is_not_named():
    (reason,) = _reasons({"bureau_debt_mean": 1.0, "bureau_overdue_sum": 0.05})
    assert [fact.feature for fact in reason.facts] == ["bureau_debt_mean"]


def test_an_unknown_category_is_shown_as_unknown():
    (reason,) = _reasons({"application_occupation": 0.3}, application_occupation="Astronaut")
    assert reason.facts[0].value is None
    assert reason.facts[0].text.en == "Occupation: not known"


def test_no_sentence_names_gender():
    for english, french in SENTENCES.values():
        assert not GENDER.search(english.lower())
        assert not GENDER.search(french.lower())


def test_age_is_named_where_it_weighed():
    (reason,) = _reasons({"application_age_years": 0.3}, application_age_years=23.4)
    assert "Age: 23 years" in reason.text.en
    assert f"Âge{NARROW_SPACE}: 23 ans" in reason.text.fr


def test_names_and_contributions_must_match():
    with pytest.raises(ValueError, match="zip"):
        main_reasons(["application_credit"], {"application_credit": 1.0}, [], Decision.REFUSED)


def test_real_clients_get_the_reasons_of_their_decision(model_folder: Path):
    model = ScoringModel(model_folder)
    files = [CreditFile.model_validate_json(json.dumps(content)) for content in make_credit_files(6)]
    features = model.features(files, share_counts=True)
    contributions, base = model.contributions(features)
    assert features.columns[1:] != model.features(files).columns[1:] or not share_counts_of(model.feature_names)
    for values, weights, log_odds in zip(
        features.iter_rows(named=True), contributions.tolist(), model.log_odds(features).tolist(), strict=True
    ):
        decision = decide(probability(log_odds), model.threshold)
        every = main_reasons(model.feature_names, values, weights, decision, count=len(CODES))
        assert base + sum(reason.contribution for reason in every) == pytest.approx(log_odds, abs=1e-9)
        reasons = main_reasons(model.feature_names, values, weights, decision)
        assert reasons == every[:4]
        assert all(fact.value == model_value(fact.feature, values) for reason in reasons for fact in reason.facts)
        strongest = "lowers" if decision is Decision.GRANTED else "raises"
        assert reasons[0].direction == strongest
