import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bento.features.catalogue import CATALOGUE, share_counts_of
from bento.features.definitions import Value
from bento.i18n import NARROW_SPACE, Wording
from bento.scoring import labels
from bento.scoring.fact_text import base_measure, describe_fact, model_value
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
    "hour": 14.0,
    "": 33.0,
}
"""A value of each unit."""
GENDER = re.compile(
    r"\b(gender|sex|male|female|man|men|woman|women|mother|father|maternity|he|she|his|her|mr|mrs|"
    r"sexe|genre|masculin|f[ée]minin|homme|hommes|femme|femmes|maternité|monsieur|madame)\b"
)


def _values(name: str, value: Value, count: float | None = None, of: float | None = None) -> dict[str, Value]:
    return {name: value} if count is None else {name: value, f"{name}_count": count, f"{name}_of": of}


def _ordinary(name: str) -> list[dict[str, Value]]:
    """What a client may have of a feature: something, or nothing that is known; each category, where it is one."""
    feature = CATALOGUE[name]
    known_values: list[Value] = [*feature.categories] or [ORDINARY[feature.unit]]
    if share_counts_of([name]):
        return [_values(name, 0.25, 3, 12), _values(name, None, 0, 0)]
    return [_values(name, value) for value in (*known_values, None)]


def _assert_readable(text: Wording, name: str) -> None:
    for language in (text.en, text.fr):
        assert language[0].isupper() or language[0].isdigit(), (name, language)
        assert language == " ".join(language.split(" ")).strip(), (name, language)
        assert not re.search(r"\b(nan|inf|None)\b|\de[+-]?\d|(?<!\d)-0(?![\d.,])|[{}]", language), (name, language)
    label, value = text.en.split(": ", 1)
    assert label
    assert value
    assert text.fr.count(f"{NARROW_SPACE}: ") == 1, (name, text.fr)
    ours = re.sub("«.*»", "", text.fr)  # the data's own words stand as they are
    assert not re.search(r"[ \w)][;:!?%]|\d \d|\d\.\d|(négatif|moyenne|maximum)[,)]", ours), (name, ours)


def test_every_feature_is_described_in_both_languages():
    for name in CATALOGUE:
        for values in _ordinary(name):
            _assert_readable(describe_fact(name, values), name)


@settings(max_examples=examples(30))
@given(st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1.0, 1e-300, -1e308, 1e308]))
def test_every_feature_is_described_at_any_value(value: float):
    for name in sampled(CATALOGUE):
        if not CATALOGUE[name].is_category:
            text = describe_fact(name, {name: value})
            _assert_readable(text, name)
            assert len(text.fr) < 250, text.fr


def test_a_missing_value_is_described_as_unknown():
    for name in CATALOGUE:
        text = describe_fact(name, {name: None})
        ends = ("not known", "none known", "no end date known (a card has none)")
        assert text.en.split(": ", 1)[1] in ends, text.en
        ends = ("donnée inconnue", "aucune connue", "aucune date de fin connue (une carte n'en a pas)")
        assert text.fr.split(f"{NARROW_SPACE}: ", 1)[1] in ends, text.fr


def test_features_of_different_measures_have_different_texts():
    read: dict[str, set[str]] = {}
    for name in CATALOGUE:
        texts = read.setdefault(describe_fact(name, _ordinary(name)[0]).en, set())
        texts.add(base_measure(name))
    assert {text: names for text, names in read.items() if len(names) > 1} == {}


@pytest.mark.parametrize(
    ("values", "en", "fr"),
    [
        (
            {
                "installments_late_over_15d_share_365d": 0.25,
                "installments_late_over_15d_share_365d_count": 3.0,
                "installments_late_over_15d_share_365d_of": 12.0,
            },
            "Instalments over 15 days late, last 365 days: 3 of 12",
            "Échéances avec plus de 15 jours de retard, 365 derniers jours_: 3 sur 12",
        ),
        (
            {"installments_late_share": 0.256},
            "Instalments paid late or never: 26%",
            "Échéances payées en retard ou jamais_: 26_%",
        ),
        (
            {"bureau_active_share": 0.5, "bureau_active_share_count": 1.0, "bureau_active_share_of": 2.0},
            "Credits elsewhere still open: 1 of 2",
            "Crédits ailleurs encore en cours_: 1 sur 2",
        ),
        ({"application_credit": 1234567.8}, "Amount of the loan: 1,234,568", "Montant du prêt_: 1_234_568"),
        (
            {"application_credit_to_income": 3.456},
            "Loan compared with income: 3.5 times",
            "Prêt rapporté aux revenus_: 3,5_fois",
        ),
        (
            {"application_annuity_to_income": 0.0126},
            "Instalment compared with income: 1.3%",
            "Mensualité rapportée aux revenus_: 1,3_%",
        ),
        (
            {"application_goods_less_credit": -112149.0},
            "Amount of the loan against the price of the goods: 112,149 more",
            "Montant du prêt par rapport au prix du bien_: 112_149 de plus",
        ),
        ({"application_age_years": 34.98}, "Age: 34 years", "Âge_: 34 ans"),
        (
            {"application_employed_years": 0.5},
            "Time in the present employment: 6 months",
            "Ancienneté dans l'emploi actuel_: 6 mois",
        ),
        (
            {"application_phone_change_years": 1 / 365.25},
            "Time since the phone changed: 1 day",
            "Temps depuis le changement de téléphone_: 1 jour",
        ),
        (
            {"installments_days_late_mean_365d": 1.5},
            "Late payment of instalments, last 365 days: 1.5 days on average",
            "Retard de paiement des échéances, 365 derniers jours_: 1,5 jour en moyenne",
        ),
        (
            {"installments_days_late_std": 0.0},
            "Late payment of instalments: no variation",
            "Retard de paiement des échéances_: aucune variation",
        ),
        (
            {"bureau_credit_days_max": -400.0},
            "Dates of your credits at other lenders: the last 400 days ago",
            "Dates de vos crédits auprès d'autres prêteurs_: la dernière il y a 400 jours",
        ),
        (
            {"bureau_end_days_min_active": 1000.0},
            "Planned end dates of your credits at other lenders, open credits: the first in 2.7 years",
            "Dates de fin prévue de vos crédits auprès d'autres prêteurs, crédits en cours_: la première dans 2,7 ans",
        ),
        (
            {"bureau_credit_sum_max_latest_1": 45000.0},
            "Amount of your credits at other lenders, latest credit: 45,000",
            "Montant de vos crédits auprès d'autres prêteurs, dernier crédit_: 45_000",
        ),
        ({"card_balance_slope": -3.0}, "Trend of the balance: falling", "Tendance du solde_: en baisse"),
        ({"application_email": 0.0}, "Gave an email address: no", "Adresse électronique fournie_: non"),
        ({"application_owns_car": "Y"}, "Owns a car: yes", "Possède une voiture_: oui"),
        ({"application_income_type": "Working"}, "Source of income: “Working”", "Source de revenus_: «_Working_»"),
        ({"application_organization": "XNA"}, "Kind of employer: not stated", "Type d'employeur_: non précisé"),
        ({"application_hour": 9.0}, "Hour of the application: 9:00", "Heure de la demande_: 9_h"),
    ],
)
def test_facts_read_as_a_client_expects(values: dict[str, Value], en: str, fr: str):
    text = describe_fact(next(iter(values)), values)
    assert (text.en, text.fr) == (en, fr.replace("_", NARROW_SPACE))


def test_a_share_of_no_rows_is_shown_as_zero_of_zero():
    text = describe_fact("previous_approved_share", _values("previous_approved_share", None, 0, 0))
    assert text.en == "Applications approved: 0 of 0"


def test_an_unknown_category_is_not_repeated():
    values: dict[str, Value] = {"application_income_type": "<script>"}
    assert model_value("application_income_type", values) is None
    assert describe_fact("application_income_type", values).en == "Source of income: not known"


def test_no_text_names_gender():
    for name, feature in CATALOGUE.items():
        texts = [text for values in _ordinary(name) for text in describe_fact(name, values).model_dump().values()]
        for text in (*texts, feature.en, feature.fr):
            assert not GENDER.search(text.lower()), text


def test_age_is_named_where_it_is_used():
    with_age = [name for name, feature in CATALOGUE.items() if feature.uses_age]
    assert len(with_age) > 8
    for name in with_age:
        text = describe_fact(name, _ordinary(name)[0])
        assert re.search(r"\bage\b", text.en.lower()), text.en
        assert re.search(r"\bâge\b", text.fr.lower()), text.fr


def test_all_labels_are_of_features_or_measures():
    there = {*CATALOGUE, *map(base_measure, CATALOGUE)}
    assert set(labels.LABELS) | set(labels.FORMATTERS) <= there


def test_an_unknown_feature_is_an_error():
    with pytest.raises(KeyError, match="shoe_size"):
        describe_fact("shoe_size", {"shoe_size": 42})
