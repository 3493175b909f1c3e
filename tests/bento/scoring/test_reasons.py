import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.data.credit_file import CreditFile
from bento.features.catalogue import CATALOGUE
from bento.features.definitions import GROUP_LABELS, Value
from bento.i18n import NARROW_SPACE
from bento.model.scoring_model import ScoringModel
from bento.policy import Decision
from bento.rules.check import Rules
from bento.scoring.reasons import (
    MAX_FACTS,
    MIN_REASON_SHARE,
    Client,
    Reason,
    features_to_quote,
    is_without_fact,
    main_reasons,
)
from bento.scoring.score import score
from bento.scoring.wording.concepts import CODES, SENTENCES, SENTENCES_WITHOUT_FACT
from bento.scoring.wording.facts import is_sensible, model_value, quoted_as
from bento.scoring.wording.unknowns import UNKNOWNS
from tests.bento.scoring.wording.test_facts import GENDER
from tests.support.clients import make_credit_files

FEATURES = [name for name in CATALOGUE if not CATALOGUE[name].is_category and not name.endswith("_missing")]
ONE_EACH = {CATALOGUE[name].group: name for name in FEATURES}
"""A feature of each concept."""
WEIGHTS = st.floats(-3, 3).map(lambda weight: round(weight, 3))


def _reasons(
    weights: dict[str, float],
    decision: Decision = Decision.REFUSED,
    count: int = 4,
    *,
    usual: dict[str, Value] | None = None,
    application: dict[str, object] | None = None,
    typical: tuple[str, ...] = (),
    **values: Value,
) -> list[Reason]:
    numbered: dict[str, Value] = {name: float(number) for number, name in enumerate(weights, start=1)}
    client = Client(numbered | values, application or {}, usual or {})
    return main_reasons(list(weights), client, list(weights.values()), decision, count, typical)


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
    assert {unknown.code: unknown.missing[0].rstrip(".") for unknown in UNKNOWNS} == {
        "U01": "We do not know: {}",
        "U02": "Missing from your application: {}",
        "U03": "Missing from your application: {}",
        "U04": "Missing from your application: {}",
        "U05": "Missing from your application: {}",
        "U06": "Missing from your application: {}",
        "U07": "Missing from your application: {}",
        "U08": "We do not know your credit accounts with other lenders",
        "U09": "We do not know: {}",
        "U10": "We know of no earlier application of yours with us",
        "U11": "We do not know how you paid the instalments of loans with us",
        "U12": "We know of no card of yours with us",
        "U13": "We do not know the monthly history of your credit accounts with other lenders",
        "U14": "We do not know the monthly history of your earlier loans with us",
    }


def test_every_concept_has_a_code_and_sentences_for_either_direction():
    assert set(CODES) == set(GROUP_LABELS)
    both = {(group, direction) for group in GROUP_LABELS for direction in ("raises", "lowers")}
    assert set(SENTENCES) == both
    assert set(SENTENCES_WITHOUT_FACT) == both


@pytest.mark.parametrize("decision", [Decision.REFUSED, Decision.REVIEW])
def test_what_raises_the_risk_comes_first_unless_granted(decision: Decision):
    weights = {
        ONE_EACH["credit_terms"]: 0.2,
        ONE_EACH["employment"]: -0.9,
        ONE_EACH["card_use"]: 0.5,
        ONE_EACH["housing"]: -0.12,
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
        ("housing", -0.12),
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
def test_reasons_weigh_enough_and_have_the_right_direction(weights: dict[str, float], decision: Decision):
    reasons = _reasons(weights, decision, count=len(CODES))
    for_it = "lowers" if decision is Decision.GRANTED else "raises"
    ranks = [(reason.direction != for_it, -abs(reason.contribution)) for reason in reasons]
    assert ranks == sorted(ranks)
    totals: dict[str, float] = {}
    for name, weight in weights.items():
        totals[CATALOGUE[name].group] = totals.get(CATALOGUE[name].group, 0.0) + weight
    least = MIN_REASON_SHARE * sum(map(abs, totals.values()))
    for reason in reasons[1:]:
        assert abs(reason.contribution) >= least - 1e-9
    assert len({reason.code for reason in reasons}) == len(reasons)
    for reason in reasons:
        assert (1 if reason.direction == "raises" else -1) * reason.contribution > 0
        assert reason.code == CODES[reason.group]
        assert len(reason.facts) <= MAX_FACTS
        assert {CATALOGUE[fact.feature].group for fact in reason.facts} <= {reason.group}


@given(st.dictionaries(st.sampled_from(FEATURES), WEIGHTS, min_size=1, max_size=60))
def test_a_refusal_has_a_reason_that_raises_where_anything_does(weights: dict[str, float]):
    reasons = _reasons(weights, Decision.REFUSED)
    assert any(reason.direction == "raises" for reason in reasons) == any(weight > 0 for weight in weights.values())
    assert not reasons or reasons[0].direction == "raises" or all(weight <= 0 for weight in weights.values())


def test_a_light_reason_is_left_out_unless_it_is_the_only_ground():
    weights = {"application_credit": -2.0, "bureau_debt_sum": 0.05, "application_income": -0.02}
    assert _in_order(_reasons(weights, Decision.GRANTED)) == [("credit_terms", -2.0)]
    assert _in_order(_reasons(weights, Decision.REFUSED)) == [("bureau_debt", 0.05), ("credit_terms", -2.0)]
    names, client = list(weights), Client(dict.fromkeys(weights, 1.0))
    by_rule = main_reasons(names, client, list(weights.values()), Decision.REVIEW, with_ground=False)
    assert _in_order(by_rule) == [("credit_terms", -2.0)]


def test_a_ground_is_found_within_a_concept_that_lowers():
    weights = {"application_credit": 0.3, "application_goods_price": -0.9}
    (ground,) = _reasons(weights, Decision.REFUSED)
    assert (ground.code, ground.direction, ground.contribution) == ("R02", "raises", 0.3)
    assert _in_order(_reasons(weights, Decision.GRANTED)) == [("credit_terms", pytest.approx(-0.6))]


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
        assert reason.text.fr.count(f"{NARROW_SPACE}; ") == max(len(reason.facts) - 1, 0)
        assert reason.text.en.startswith("Compared with other applicants, ") is not bool(reason.facts)


def test_the_text_of_a_reason():
    share = "installments_late_over_15d_share_365d"
    weights = {"installments_days_late_mean": 0.2, share: 0.6, "installments_days_early_mean": -0.1}
    facts = {"installments_days_late_mean": 6.25, share: 0.25, f"{share}_count": 3.0, f"{share}_of": 12.0}
    usual: dict[str, Value] = {"installments_days_late_mean": 1.0, share: 0.0}
    (reason,) = _reasons(weights, usual=usual, **facts)
    assert reason.code == "R11"
    assert reason.text.en == (
        "The way you have repaid your loans with us raises your estimated risk of default. "
        "Instalments over 15 days late, over the last 365 days: 3 of 12 (similar clients: 0%); "
        "late payment of instalments: 6.2 days on average (similar clients: 1 day)."
    )
    assert reason.text.fr == (
        "La façon dont vous avez remboursé vos prêts chez nous augmente votre risque d'impayé estimé. "
        "Mensualités avec plus de 15 jours de retard, sur les 365 derniers jours_: 3 sur 12 "
        "(clients similaires_: 0_%)_; retard de paiement de vos mensualités_: 6,2 jours en moyenne "
        "(clients similaires_: 1 jour)."
    ).replace("_", NARROW_SPACE)
    assert [(fact.feature, fact.value, fact.usual, fact.unit) for fact in reason.facts] == [
        (share, 0.25, 0.0, "share"),
        ("installments_days_late_mean", 6.25, 1.0, "days"),
    ]


def test_one_figure_of_a_thing_is_quoted():
    weights = {"bureau_debt_mean": 0.3, "bureau_debt_max_active": 0.4, "bureau_overdue_sum": 0.2}
    (reason,) = _reasons(weights, usual=dict.fromkeys(weights, 0.5))
    assert [fact.feature for fact in reason.facts] == ["bureau_debt_max_active", "bureau_overdue_sum"]


def test_what_a_thing_weighs_together_decides_whether_it_is_quoted():
    weights = {"bureau_debt_mean": 0.3, "bureau_debt_max": -0.5, "bureau_overdue_sum": 0.4}
    (reason,) = _reasons(weights, usual=dict.fromkeys(weights, 0.5))
    assert [fact.feature for fact in reason.facts] == ["bureau_overdue_sum"]


def test_scores_are_quoted_once_each_whatever_is_computed_from_them():
    scores: dict[str, Value] = {"application_ext_source_1": 0.4, "application_ext_source_2": 0.14}
    weights = {
        "application_ext_source_mean": 0.5,
        "application_ext_source_product": 0.4,
        "application_ext_source_1": 0.1,
        "application_ext_source_2": 0.3,
        "application_ext_source_1_less_2": 0.2,
    }
    usual: dict[str, Value] = {"application_ext_source_1": 0.5, "application_ext_source_2": 0.6}
    (reason,) = _reasons(weights, usual=usual, **scores)
    assert [(fact.feature, fact.value) for fact in reason.facts] == [("application_ext_source_2", 0.14)]


def test_a_last_bit_does_not_change_a_reason():
    # 0.1 + 0.2 is no 0.3: what is added up in another order differs so, and must read the same.
    exact, added = (
        _reasons({"application_ext_source_1": 0.5}, application_ext_source_1=value)[0].model_dump()
        for value in (0.3, 0.1 + 0.2)
    )
    assert exact == added
    assert [fact["value"] for fact in exact["facts"]] == [0.3]


def test_a_light_fact_is_not_named():
    (reason,) = _reasons({"bureau_debt_mean": 1.0, "bureau_overdue_sum": 0.05}, usual={"bureau_debt_mean": 0.5})
    assert [fact.feature for fact in reason.facts] == ["bureau_debt_mean"]


@pytest.mark.parametrize(
    ("name", "value", "usual"),
    [
        ("installments_days_early_mean", 8.0, 5.0),
        ("application_income_type", "Working", "Pensioner"),
        ("application_document_3", 1.0, 1.0),
        ("application_building_apartments", 0.0096, 0.1),
        ("previous_approved_share", 0.6, 0.8),
        ("application_organization", "Transport: type 4", "School"),
        ("installments_days_late_std", 243.0, 3.0),
    ],
)
def test_what_no_client_would_accept_is_quoted_by_its_concept(name: str, value: Value, usual: Value):
    (reason,) = _reasons({name: 0.5}, usual={name: usual}, **{name: value})
    assert reason.facts == []
    assert reason.text.en.startswith("Compared with other applicants, ")
    assert reason.text.fr.startswith("Par rapport aux autres demandeurs, ")


def test_only_a_concept_of_which_nothing_is_quoted_is_without_fact():
    quoted = _reasons({"application_credit": 0.5, "application_hour": 0.2}, usual={"application_credit": 7.0})
    unquoted = _reasons({"application_hour": 0.5, "application_credit": 0.2})
    unknown = _reasons({"bureau_debt_sum": 0.5}, bureau_credits=0.0)
    assert [is_without_fact(reasons[0]) for reasons in (quoted, unquoted, unknown)] == [False, True, False]


def test_an_unknown_field_is_a_separate_reason():
    weights = {"application_occupation": 0.3, "application_employed_years": 0.2}
    usual: dict[str, Value] = {"application_employed_years": 5.0}
    application = {"NAME_INCOME_TYPE": "Working", "DAYS_EMPLOYED": -700}
    unknown, occupied = _reasons(weights, usual=usual, application=application, application_occupation=None)
    assert (unknown.code, unknown.direction, unknown.contribution, unknown.facts) == ("U04", "raises", 0.3, [])
    assert unknown.text.en == (
        "Missing from your application: occupation. This raises your estimated risk of default. "
        "Bring a certificate of employment, or of studies, and your latest payslip."
    )
    assert unknown.text.fr == (
        f"Il manque dans votre demande{NARROW_SPACE}: profession. Cela augmente votre risque d'impayé estimé. "
        "Apportez une attestation d'emploi ou de formation et votre dernier bulletin de salaire."
    )
    assert (occupied.code, occupied.contribution) == ("R04", 0.2)


def test_what_is_not_known_is_quoted_only_where_it_raises_the_risk():
    (reason,) = _reasons(
        {"application_occupation": -0.3, "application_employed_years": 0.2}, application_occupation=None
    )
    assert reason.code == "R04"


def test_a_value_read_as_typical_is_no_reason():
    weights = {"application_id_change_years": 0.3, "application_phone_change_years": 0.2}
    unknown: dict[str, Value] = {"application_id_change_years": None}
    usual: dict[str, Value] = {"application_phone_change_years": 3.0}
    assert [reason.code for reason in _reasons(weights, usual=usual, **unknown)] == ["U05", "R05"]
    (reason,) = _reasons(weights, usual=usual, typical=("application_id_change_years",), **unknown)
    assert (reason.code, reason.contribution) == ("R05", 0.2)
    (reason,) = _reasons(weights, typical=tuple(weights))  # known values are read themselves
    assert reason.contribution == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("feature", "counts", "code"),
    [
        ("bureau_debt_sum", {"bureau_credits": 0.0}, "U08"),
        ("bureau_debt_to_income", {"bureau_credits": 0.0}, "U08"),
        ("bureau_balance_late_share", {"bureau_credits": 0.0, "bureau_balance_months": 0.0}, "U08"),
        ("bureau_balance_late_share", {"bureau_credits": 3.0, "bureau_balance_months": 0.0}, "U13"),
        ("previous_refused", {"previous_applications": 0.0}, "U10"),
        ("installments_late_share", {"previous_applications": 0.0, "installments_count": 0.0}, "U10"),
        ("installments_late_share", {"previous_applications": 2.0, "installments_count": 0.0}, "U11"),
        ("pos_late_share", {"previous_applications": 2.0, "pos_months": 0.0, "installments_count": 0.0}, "U11"),
        ("pos_late_share", {"previous_applications": 2.0, "pos_months": 0.0, "installments_count": 9.0}, "U14"),
        ("card_balance_mean", {"previous_applications": 2.0, "card_months": 0.0}, "U12"),
    ],
)
@pytest.mark.parametrize("value", [0.0, None])
def test_a_history_without_rows_is_unknown_whatever_it_adds_up_to(
    feature: str, counts: dict[str, Value], code: str, value: Value
):
    (reason,) = _reasons({feature: 0.4}, **{**counts, feature: value})
    assert (reason.code, reason.direction, reason.facts) == (code, "raises", [])
    assert _reasons({feature: -0.4}, **{**counts, feature: value}) == []


def test_a_null_of_a_history_with_rows_is_not_called_unknown():
    (reason,) = _reasons(
        {"previous_decision_days_max_refused": 0.4},
        previous_applications=3.0,
        previous_decision_days_max_refused=None,
    )
    assert (reason.code, reason.facts) == ("R10", [])


def test_the_employment_of_a_pensioner_is_not_missing():
    weights = {"application_employed_years": -0.4, "application_organization": -0.2}
    unknown: dict[str, Value] = dict.fromkeys(weights)
    retired = {"NAME_INCOME_TYPE": "Pensioner", "DAYS_EMPLOYED": 365243, "ORGANIZATION_TYPE": "XNA"}
    (reason,) = _reasons(weights, Decision.GRANTED, application=retired, **unknown)
    assert reason.code == "R04"
    assert [fact.text.en for fact in reason.facts] == ["Present employment: not applicable (retired)"]
    assert [fact.text.fr for fact in reason.facts] == [f"Emploi actuel{NARROW_SPACE}: sans objet (retraite)"]
    (reason,) = _reasons(dict.fromkeys(weights, 0.3), application=retired, **unknown)
    assert (reason.code, reason.facts) == ("R04", [])
    (reason,) = _reasons(dict.fromkeys(weights, 0.3), **unknown)
    assert reason.code == "U04"


def test_the_age_of_no_car_is_not_missing():
    unknown: dict[str, Value] = {"application_car_age": None}
    weights = {"application_car_age": 0.3}
    (reason,) = _reasons(weights, application={"FLAG_OWN_CAR": "N"}, **unknown)
    assert reason.code == "R06"
    assert [fact.text.en for fact in reason.facts] == ["Age of your car: not applicable (no car)"]
    (reason,) = _reasons(weights, application={"FLAG_OWN_CAR": "Y"}, **unknown)
    assert (reason.code, "age of your car" in reason.text.en) == ("U06", True)


def test_a_category_unknown_to_the_model_is_not_missing():
    (reason,) = _reasons(
        {"application_organization": 0.3},
        application={"ORGANIZATION_TYPE": "Religion", "NAME_INCOME_TYPE": "Working"},
        application_organization=None,
    )
    assert (reason.code, reason.facts) == ("R04", [])


def test_counts_of_empty_fields_are_unknown_fields():
    weights = {"application_ext_source_3": 0.2, "application_ext_source_missing": 0.3}
    (reason,) = _reasons(weights, application={"EXT_SOURCE_2": 0.5}, application_ext_source_3=None)
    assert (reason.code, reason.contribution) == ("U01", 0.5)
    assert reason.text.en.startswith("We do not know: external score 1, external score 3.")
    (reason,) = _reasons({"application_building_fields_missing": 0.3}, application={})
    assert reason.code == "U06"


def test_no_sentence_names_gender():
    sentences = [*SENTENCES.values(), *SENTENCES_WITHOUT_FACT.values()]
    sentences += [pair for unknown in UNKNOWNS for pair in (unknown.missing, unknown.bring)]
    for english, french in sentences:
        assert not GENDER.search(english.lower())
        assert not GENDER.search(french.lower())


def test_names_and_contributions_must_match():
    with pytest.raises(ValueError, match="zip"):
        main_reasons(["application_credit"], Client({"application_credit": 1.0}), [], Decision.REFUSED)


def test_what_the_words_need_is_computed_beside_the_features():
    needed = features_to_quote(
        ["application_ext_source_mean", "installments_weighted_delay", "previous_refused_weighted"]
    )
    assert {"application_ext_source_1", "installments_days_late_mean", "previous_refused_share"} <= set(needed)
    assert {"previous_refused_share_count", "previous_refused_share_of", "bureau_credits"} <= set(needed)
    assert "application_ext_source_mean" not in needed


def test_clients_get_the_same_reasons_alone_and_together(model_folder: Path):
    model = ScoringModel(model_folder)
    files = [CreditFile.model_validate_json(json.dumps(content)) for content in make_credit_files(12)]
    together = score(model, files, rules=Rules.none(), reasons=True)
    for credit_file, scored in zip(files, together, strict=True):
        (alone,) = score(model, [credit_file], rules=Rules.none(), reasons=True)
        assert alone.reasons == scored.reasons
        reasons = scored.reasons or []
        assert 1 <= len(reasons) <= 4
        assert len({reason.code for reason in reasons}) == len(reasons)
        usual = model.reference.peer_group(credit_file.application).medians
        names = [*model.feature_names, *features_to_quote(model.feature_names)]
        values = model.features([credit_file], share_counts=True, others=tuple(names)).row(0, named=True)
        for reason in reasons:
            for fact in reason.facts:
                assert fact.value is None or fact.value == pytest.approx(model_value(fact.feature, values))
                assert fact.usual == usual.get(fact.feature)
                assert fact.value is None or is_sensible(fact.feature, values, fact.usual, reason.direction)
                assert fact.feature in quoted_as(fact.feature)
        if scored.decision is not Decision.GRANTED:  # there is no rule
            assert reasons[0].direction == "raises"
