import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bento.data.category_labels import CATEGORY_LABELS
from bento.data.tables import APPLICATION
from bento.features.catalogue import CATALOGUE, share_counts_of
from bento.features.definitions import Value
from bento.i18n import NARROW_SPACE, Wording
from bento.scoring.wording import facts
from bento.scoring.wording.facts import NOT_QUOTED, describe_fact, features_of, is_sensible, quoted_as, quoted_features
from tests.support.sampling import examples, sampled

ORDINARY = {
    "share": 0.256,
    "currency": 45123.4,
    "days": 12.3,
    "count": 3.0,
    "months": 14.0,
    "flag": 1.0,
    "score": 0.512,
    "years": 34.7,
    "rank": 2.0,
    "": 33.0,
}
"""A value of each unit."""
GENDER = re.compile(
    r"\b(gender|sex|male|female|man|men|woman|women|mother|father|maternity|he|she|his|her|mr|mrs|"
    r"sexe|genre|masculin|f[ée]minin|homme|hommes|femme|femmes|maternité|monsieur|madame)\b"
)
QUOTED = list(quoted_features())


def ordinary(name: str) -> list[dict[str, Value]]:
    """Return values that a client may have of a quoted feature, with its share counts."""
    feature = CATALOGUE[name]
    if share_counts_of([name]):
        return [{name: 0.25, f"{name}_count": 3.0, f"{name}_of": 12.0}]
    return [{name: value} for value in ([*feature.categories] or [ORDINARY[feature.unit]])]


def assert_readable(text: Wording, name: str) -> None:
    for language in (text.en, text.fr):
        assert language[0].isupper(), (name, language)
        assert language == " ".join(language.split(" ")).strip(), (name, language)
        assert not re.search(r"\b(nan|inf|None|not known)\b|\de[+-]?\d|(?<!\d)-0(?![\d.,])|[{}“«]", language), language
    assert text.fr.count(f"{NARROW_SPACE}: ") in (1, 2), (name, text.fr)
    assert not re.search(r"[ \w)][;:!?%]|\d \d|\d\.\d|négatif|inconnu", text.fr.replace("type 3", "")), (name, text.fr)


def test_every_feature_is_quoted_told_as_another_or_declared_untold():
    for name in CATALOGUE:
        ways = [
            name in QUOTED,
            name not in QUOTED and bool(quoted_as(name)),
            any(re.fullmatch(p, name) for p in NOT_QUOTED),
        ]
        assert ways.count(True) == 1, (name, ways)


def test_what_stands_for_a_feature_is_quoted_and_of_the_same_concept():
    for name in CATALOGUE:
        for quoted in quoted_as(name):
            assert quoted in QUOTED
            assert CATALOGUE[quoted].group == CATALOGUE[name].group, (name, quoted)


def test_every_declaration_is_of_a_feature_or_measure():
    declared = [quotable for module in facts.DECLARATIONS for quotable in module.QUOTABLES]
    assert len({quotable.name for quotable in declared}) == len(declared)
    assert {quotable.name for quotable in declared} == {quoted.quotable.name for quoted in quoted_features().values()}


def test_pattern_of_unquoted_features_matches_one():
    for pattern in NOT_QUOTED:
        assert any(re.fullmatch(pattern, name) for name in CATALOGUE), pattern


def test_declared_directions_agree_with_the_catalogue():
    signs = {"raises": 1, "lowers": -1, "either": 0}
    for name, quoted in quoted_features().items():
        assert CATALOGUE[name].risk * signs[quoted.quotable.higher] >= 0, name
        assert CATALOGUE[name].risk == 0 or quoted.quotable.higher != "either", name


@pytest.mark.parametrize(
    "name",
    [
        "application_building_apartments",
        "application_document_3",
        "application_documents",
        "application_hour",
        "application_building_fields_missing",
        "application_home_phone",
        "application_region_population",
        "application_acquaintances_default_30d",
        "installments_days_late_std",
        "card_balance_slope",
        "installments_days_late_ratio_90d_365d",
        "previous_seller_area_max",
    ],
)
def test_what_nobody_understands_or_is_judged_by_is_not_quoted(name: str):
    assert quoted_as(name) == ()


def test_arithmetic_of_scores_is_quoted_as_the_scores():
    for name in ("product", "mean", "min", "max", "weighted", "range", "1_less_2"):
        assert quoted_as(f"application_ext_source_{name}") == tuple(f"application_ext_source_{n}" for n in (1, 2, 3))
    assert quoted_as("application_annuity_to_ext_source_3") == ("application_ext_source_3",)


def test_every_quoted_feature_is_described_in_both_languages():
    for name in QUOTED:
        for values in ordinary(name):
            if isinstance(values[name], str) and not quoted_features()[name].quotable.has_words(str(values[name])):
                continue
            assert_readable(describe_fact(name, values), name)
            assert_readable(describe_fact(name, values, values[name]), name)


@settings(max_examples=examples(30))
@given(st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1.0, 1e-300, -1e308, 1e308]))
def test_every_quoted_feature_is_described_at_any_value(value: float):
    for name in sampled(QUOTED):
        if not CATALOGUE[name].is_category:
            text = describe_fact(name, {name: value}, value)
            assert_readable(text, name)
            assert len(text.fr) < 300, text.fr


def test_features_of_one_text_are_of_one_thing():
    things: dict[str, set[str]] = {}
    for name in QUOTED:
        things.setdefault(describe_fact(name, ordinary(name)[0]).en, set()).add(quoted_features()[name].thing)
    assert {text: of for text, of in things.items() if len(of) > 1} == {}


@pytest.mark.parametrize(
    ("values", "usual", "en", "fr"),
    [
        (
            {"installments_days_late_mean": 8.0},
            1.0,
            "Late payment of instalments: 8 days on average (similar clients: 1 day)",
            "Retard de paiement de vos mensualités_: 8 jours en moyenne (clients similaires_: 1 jour)",
        ),
        (
            {
                "installments_late_over_15d_share_365d": 0.25,
                "installments_late_over_15d_share_365d_count": 3.0,
                "installments_late_over_15d_share_365d_of": 12.0,
            },
            0.02,
            "Instalments over 15 days late, over the last 365 days: 3 of 12 (similar clients: 2%)",
            "Mensualités avec plus de 15 jours de retard, sur les 365 derniers jours_: 3 sur 12 "
            "(clients similaires_: 2_%)",
        ),
        (
            {"application_ext_source_2": 0.142},
            0.561,
            "External score 2: 0.14 on a scale from 0 to 1 (similar clients: 0.56)",
            "Score externe 2_: 0,14 sur une échelle de 0 à 1 (clients similaires_: 0,56)",
        ),
        (
            {"application_credit": 1234567.8},
            None,
            "Amount of the loan: 1,234,568",
            "Montant du prêt_: 1_234_568",
        ),
        (
            {"bureau_debt_to_credit_active": 54.5},
            0.3,
            "Debt compared with the amount lent by other lenders, open accounts: more than twice "
            "(similar clients: 30%)",
            "Dette rapportée au montant prêté par d'autres prêteurs, crédits en cours_: plus du double "
            "(clients similaires_: 30_%)",
        ),
        (
            {"application_income_type": "State servant"},
            "Working",
            "Source of income: civil servant (similar clients: employee)",
            "Source de revenus_: fonctionnaire (clients similaires_: salarié)",
        ),
        (
            {"application_organization": "Police"},
            "Business Entity Type 3",
            "Line of business of your employer: police",
            "Secteur d'activité de votre employeur_: police",
        ),
        (
            {"application_family_status": "Civil marriage"},
            "Married",
            "Family status: cohabiting (similar clients: married)",
            "Situation familiale_: concubinage (clients similaires_: marié(e))",
        ),
        (
            {"previous_decision_days_max_refused": -2009.0},
            None,
            "Your latest application that we refused: 5.5 years ago",
            "Votre dernière demande refusée_: il y a 5,5 ans",
        ),
        (
            {"previous_term_min_latest_3": 6.0},
            12.0,
            "Term of the loan in earlier applications, latest 3: lowest 6 months (similar clients: 12 months)",
            "Durée du prêt lors de vos demandes antérieures, les 3 dernières_: 6 mois au minimum "
            "(clients similaires_: 12 mois)",
        ),
        (
            {"bureau_closed_early_days_mean_closed": -110.0},
            0.0,
            "Repayment of accounts with other lenders compared with the plan, closed accounts: 110 days late "
            "on average (similar clients: on time)",
            "Remboursement de vos crédits auprès d'autres prêteurs par rapport au plan, crédits soldés_: 110 jours de "
            "retard en moyenne (clients similaires_: à la date prévue)",
        ),
        (
            {"application_phone_change_years": 1 / 365.25},
            2.5,
            "Last change of your phone: 1 day ago (similar clients: 2.5 years ago)",
            "Dernier changement de votre téléphone_: il y a 1 jour (clients similaires_: il y a 2,5 ans)",
        ),
    ],
)
def test_facts_read_as_a_client_expects(values: dict[str, Value], usual: Value, en: str, fr: str):
    text = describe_fact(next(iter(values)), values, usual)
    assert (text.en, text.fr) == (en, fr.replace("_", NARROW_SPACE))


@pytest.mark.parametrize(
    ("name", "value", "usual", "raises", "lowers"),
    [
        ("installments_days_late_mean", 8.0, 1.0, True, False),
        ("installments_days_late_mean", 0.5, 1.0, False, True),
        ("installments_days_late_mean", 0.0, 0.0, False, True),
        ("installments_days_late_mean", 0.5, None, True, False),
        ("card_utilisation_mean", 0.0, -0.1, False, False),  # others have paid more than they owe
        ("previous_approved_share", 1.0, 1.0, False, True),
        ("installments_days_early_mean", 9.0, 5.0, False, True),
        ("installments_days_early_mean", 9.0, 12.0, False, False),  # early, though less than others
        ("application_ext_source_2", 0.52, 0.6, False, False),  # a score above the middle is no ground of a refusal
        ("application_ext_source_2", 0.2, 0.6, True, False),
        ("application_ext_source_1", 0.2, None, True, False),
        ("application_credit", 300_000.0, 500_000.0, True, True),
        ("application_credit", 500_000.2, 500_000.0, False, False),  # reads the same
        ("application_income_type", "Working", "State servant", False, True),
        ("application_income_type", "Unemployed", "Working", True, False),
        ("application_income_type", "Working", "Working", False, False),
        ("application_organization", "Transport: type 4", "School", False, False),
        ("application_owns_car", "Y", "N", False, True),
        ("previous_approved_share", 0.6, 0.9, False, False),
        ("previous_approved_share", 0.2, 0.9, True, False),
        ("previous_due_shift_days_mean", 30.0, 60.0, False, False),
        ("application_live_city_differs", 1.0, 0.0, True, False),
        ("application_live_city_differs", 0.0, 0.0, False, False),
        ("card_limit_max", 0.0, None, False, False),
        ("application_credit", None, 500_000.0, False, False),
    ],
)
def test_a_fact_is_quoted_only_in_a_direction_that_makes_sense(
    name: str, value: Value, usual: Value, raises: bool, lowers: bool
):
    values = {name: value}
    assert is_sensible(name, values, usual, "raises") is raises
    assert is_sensible(name, values, usual, "lowers") is lowers


@settings(max_examples=examples(30))
@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_no_number_raises_and_lowers_unless_declared(value: float, usual: float):
    for name in sampled(QUOTED):
        if not CATALOGUE[name].is_category and quoted_features()[name].quotable.higher != "either":
            both = [is_sensible(name, {name: value}, usual, way) for way in ("raises", "lowers")]  # type: ignore[arg-type]
            assert both != [True, True], name


def test_a_share_of_no_row_is_no_fact():
    values: dict[str, Value] = {
        "previous_approved_share": 1.0,
        "previous_approved_share_count": 0.0,
        "previous_approved_share_of": 0.0,
    }
    assert not is_sensible("previous_approved_share", values, 0.5, "lowers")


def test_an_unknown_value_is_no_fact():
    with pytest.raises(ValueError, match="application_credit"):
        describe_fact("application_credit", {"application_credit": None})


def test_no_text_names_gender():
    for name in QUOTED:
        for values in ordinary(name):
            for text in describe_fact(name, values).model_dump().values():
                assert not GENDER.search(text.lower()), text


def test_age_is_named_where_it_is_quoted():
    for name in ("application_age_years", "application_age_at_payoff_years"):
        text = describe_fact(name, {name: 44.7})
        assert "Your age" in text.en
        assert "44 ans" in text.fr


def test_every_category_of_the_application_has_words_in_both_languages():
    for column in APPLICATION:
        assert set(column.categories) <= set(CATEGORY_LABELS.get(column.name, ())), column.name
    for labels in CATEGORY_LABELS.values():
        assert all(en and fr for en, fr in labels.values())


def test_a_thing_names_its_features():
    assert features_of("enquiries") == [name for name in CATALOGUE if name.startswith("application_enquiries")]
    assert "installments_weighted_delay" in features_of("installments_days_late")


def test_a_feature_that_is_not_quoted_has_no_description():
    with pytest.raises(KeyError, match="shoe_size"):
        describe_fact("shoe_size", {"shoe_size": 42})
