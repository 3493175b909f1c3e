import json

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.ui.stand_in import REVIEW, RULE_TEXT, RULED, Service, problem
from ui import messages

EFFECT = messages.MESSAGES["column_contribution"]["fr"]


def press(page: AppTest, key: str, language: str = "fr") -> AppTest:
    label = messages.say(language, key)
    return next(button for button in page.button if button.label == label).click().run()


def field(page: AppTest, name: str, language: str = "fr"):
    label = messages.say(language, name)
    return next(entry for entry in (*page.number_input, *page.selectbox) if entry.label == label)


def texts(page: AppTest) -> str:
    """All that the page says, in one text, with plain spaces."""
    assert not page.exception
    elements = (*page.title, *page.subheader, *page.markdown, *page.caption, *notices(page))
    return plain("\n".join(element.value for element in elements))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def idempotency_keys(service: Service) -> list[str]:
    return [request.headers["Idempotency-Key"] for request in service.received if request.path.startswith("/predict")]


def notices(page: AppTest):
    return (*page.success, *page.error, *page.warning, *page.info)


@pytest.mark.parametrize(
    ("decision", "sign", "french", "english"),
    [
        ({"decision": "granted"}, "✔", "Crédit accordé", "Credit granted"),
        ({"decision": "refused"}, "✖", "Crédit refusé", "Credit refused"),
        (REVIEW, "◐", "À examiner par une personne", "To be reviewed by a person"),
    ],
)
def test_each_decision_has_its_words_colour_and_sign(page, service, prediction, decision, sign, french, english):
    service.answers["/predict"] = (200, prediction | {"warnings": []} | decision)

    opened = press(page(), "score")
    (box,) = {"✔": opened.success, "✖": opened.error, "◐": opened.warning}[sign]
    assert f"## {sign} {french}\n" in box.value
    assert [plain(metric.value) for metric in opened.metric] == ["18,2 %", "9,1 %", "530"]

    opened.radio(key="language").set_value("en").run()
    assert f"## {sign} {english}\n" in texts(opened)
    assert [metric.value for metric in opened.metric] == ["18.2%", "9.1%", "530"]


def test_missing_fields_are_listed_apart_from_what_was_not_understood(page, service, prediction):
    missing = [
        {"kind": "missing_field", "field": f"application.{name}", "message": {"en": "not given", "fr": "non fourni"}}
        for name in ("DAYS_ID_PUBLISH", "CNT_FAM_MEMBERS")
    ]
    service.answers["/predict"] = (200, prediction | {"warnings": [*prediction["warnings"], *missing]})

    opened = press(page(), "score")

    (reservations,) = [box.value for box in opened.warning if "Astronaut" in box.value]
    assert "non fourni" not in reservations
    (folded,) = [box for box in opened.expander if plain(box.label).endswith(": 2")]
    assert not folded.proto.expanded
    (listed,) = [text.value for text in folded.markdown]
    assert listed.count("non fourni") == 2
    assert "DAYS_ID_PUBLISH" in listed
    opened.radio(key="language").set_value("en").run()
    assert [box.label for box in opened.expander if "nearly all others hold: 2" in box.label]


@pytest.mark.parametrize(
    ("decision", "probability", "rule"),
    [
        ("granted", 0.05, "Le risque estimé, 5,0 %, est sous la zone à examiner, qui commence à 7,0 %."),
        ("review", 0.0701, "Le risque estimé, 7,01 %, est trop proche du seuil : de 7,00 % à 20,00 %, une personne"),
        ("refused", 0.25, "Le risque estimé, 25,0 %, n'est plus dans la zone à examiner, qui finit à 20,0 %."),
    ],
)
def test_beside_a_band_of_reviews_the_rule_names_its_limits(page, service, prediction, decision, probability, rule):
    service.answers["/predict"] = (
        200,
        prediction | REVIEW | {"decision": decision, "probability_of_default": probability},
    )

    assert rule in texts(press(page(), "score"))


def test_example_is_sent_unchanged_for_decision_and_explanation(page, service, credit_file):
    press(page(), "score")

    assert [request.path for request in service.received] == ["/predict?purpose=decision", "/explain"]
    assert [request.body for request in service.received] == [credit_file, credit_file]


def test_repeated_request_in_a_session_has_the_same_idempotency_key(page, service, credit_file):
    opened = press(press(page(), "score"), "score")
    press(page(), "score")
    other = json.dumps(credit_file | {"bureau": []}).encode()
    press(upload(opened, other), "score")

    first, again, elsewhere, another = idempotency_keys(service)
    assert first == again
    assert len({first, elsewhere, another}) == 3


def test_the_access_key_goes_with_every_request(page, service, monkeypatch):
    monkeypatch.setenv("SCORING_API_KEY", "k3y\n")

    press(page(), "score")

    assert {request.headers.get("Authorization") for request in service.asked + service.received} == {"Bearer k3y"}


def test_the_reasons_come_first_after_the_decision(page):
    opened = press(page(), "score")

    order = [element.value for element in opened.subheader]
    assert order[1:] == [
        "Ce que vous pouvez dire au client",
        "Ce qui changerait la décision",
        "De quoi se compose le risque",
    ]
    (reasons,) = (element.value for element in opened.markdown if element.value.startswith("1. "))
    assert plain(reasons).splitlines() == [
        r"1. :orange[▲] Vos scores externes augmentent votre risque d'impayé estimé. Moyenne \: 0,31. `R01`",
        r"1. :blue[▼] Votre emploi réduit votre risque d'impayé estimé. Ancienneté \: 3 ans. `R04`",
    ]


def test_all_that_the_answers_hold_is_on_the_page(page):
    opened = press(page(), "score")

    shown = texts(opened)
    assert "Client 100123" in shown
    assert "2 crédits ailleurs" in shown
    assert (
        "Décision enregistrée le 25/11/2026 à 09:41 (UTC) sous le numéro `0198f2c1-7a4e-7b30-9d53-0f6a2f3c1b77`"
        in shown
    )
    assert "Source de revenu (`application.NAME_INCOME_TYPE`) : catégorie inconnue 'Astronaut'" in shown
    assert "Avec un crédit de 380 000 au lieu de 450 000, il serait accordé." in shown
    assert "Clients semblables : clients ayant la même source de revenus (4 210 clients)." in shown
    assert r"Modèle credit\_scoring, version 3." in shown
    assert [tab.label for tab in opened.tabs] == ["Par thème", "Par donnée", "En tableau"]
    themes, items = (table.value for table in opened.table)
    assert list(themes.columns) == ["Thème", "Effet", EFFECT]
    assert themes["Thème"].tolist() == ["Scores externes", "Emploi"]
    assert themes[EFFECT].tolist() == ["▲\xa0\u00d7\xa03,49", "▼\xa0\u00d7\xa00,78"]
    assert themes["Effet"].tolist() == ["augmente le risque", "réduit le risque"]
    assert list(items.columns) == ["Donnée", "Ce client", "Clients semblables", "Effet", EFFECT]
    assert items.iloc[0].tolist() == [
        "Moyenne des scores externes",
        "0,31",
        "0,52",
        "augmente le risque",
        "▲\xa0\u00d7\xa03,49",
    ]
    assert items["Clients semblables"].tolist()[-2:] == ["2,5 ans", ""]
    assert len(items) == 11
    assert [button.label for button in opened.get("download_button")] == ["Télécharger la réponse (JSON)"]


def test_the_charts_have_an_alternative_in_words(page):
    opened = press(page("en"), "score", "en")

    scale, themes, items = (chart.proto.alt for chart in opened.get("plotly_chart"))
    assert scale == "Risk scale: the client stands at 18.2% and the refusal threshold at 9.1%."
    assert "External scores ▲\xa0\u00d7\xa03.49" in themes
    assert "Mean of the external scores: 0.31 ▲\xa0\u00d7\xa03.49" in items


@pytest.mark.parametrize(
    ("decision", "language", "because"),
    [
        ("review", "fr", "Une règle demande qu'une personne décide ; le risque estimé est de 5,0 %."),
        ("review", "en", "A rule requires that a person decides; the estimated risk is 5.0%."),
        ("refused", "fr", "Une règle impose le refus ; le risque estimé est de 5,0 %."),
        ("refused", "en", "A rule requires a refusal; the estimated risk is 5.0%."),
    ],
)
def test_a_decision_by_rule_says_so_and_lists_the_rules(page, service, prediction, decision, language, because):
    service.answers["/predict"] = (200, prediction | RULED | {"decision": decision})

    shown = texts(press(page(language), "score", language)).replace("\u202f", " ").replace("\u00a0", " ")

    assert because in shown
    assert messages.say(language, "rules") in shown
    assert messages.plain(RULED["rules"][0]["text"][language]) in shown
    assert "`affordability`" in shown


def test_a_refusal_of_the_model_beside_a_rule_is_the_models(page, service, prediction):
    service.answers["/predict"] = (200, prediction | {"rules": RULED["rules"]})

    shown = texts(press(page(), "score"))

    assert "dépasse le seuil" in shown
    assert "`affordability`" in shown


def test_a_risk_at_the_threshold_is_said_to_be_at_it(page, service, prediction):
    service.answers["/predict"] = (200, prediction | {"probability_of_default": 0.0909})

    assert "Le risque estimé atteint exactement le seuil de 9,090 %." in texts(press(page(), "score"))


def test_a_field_refused_by_a_rule_is_named_in_the_language_of_the_page(page, service):
    fault = {"loc": ["application", "DAYS_BIRTH"], "type": "rule_age", "msg": "An adult.", "text": RULE_TEXT}
    service.answers["/predict"] = (422, problem(422) | {"errors": [fault]})

    assert RULE_TEXT["fr"] in texts(press(page(), "score"))


def test_an_explanation_by_another_version_is_marked(page, service, explanation):
    service.answers["/explain"] = (200, explanation | {"model": {"name": "credit_scoring", "version": "4"}})

    shown = texts(press(page(), "score"))

    assert "La décision vient du modèle version 3, cette explication de la version 4" in shown


def test_decision_is_shown_without_its_explanation(page, service):
    service.answers["/explain"] = (503, problem(503))

    opened = press(page(), "score")

    shown = texts(opened)
    assert "## ✖ Crédit refusé" in shown
    assert "La réponse ci-dessus est valable ; seule l'explication détaillée manque." in shown
    assert "Rien n'a été décidé" not in shown
    assert not opened.tabs


def test_limits_and_categories_come_from_the_service(page):
    opened = page()

    assert (field(opened, "CNT_CHILDREN").min, field(opened, "CNT_CHILDREN").max) == (0, 50)
    assert (field(opened, "DAYS_BIRTH").value, field(opened, "DAYS_BIRTH").max) == (40, 136)
    assert field(opened, "NAME_INCOME_TYPE").options == ["non renseigné", "Retraité", "Fonctionnaire", "Salarié"]
    assert field(opened, "EXT_SOURCE_1").value is None
    assert not any(entry.label == "Logement" for entry in opened.selectbox)  # this service knows no such field


def test_changes_are_a_simulation_until_reset(page, service, credit_file):
    opened = press(page(), "score")

    field(opened, "DAYS_BIRTH").set_value(50).run()
    shown = texts(opened)
    assert "**Simulation.**" in shown
    assert "Âge (années) : 40 → 50" in shown
    assert "la réponse précédente ne vaut plus" in shown
    assert not opened.metric

    press(opened, "simulate")
    *_, simulated, explained = service.received
    assert simulated.path == "/predict?purpose=simulation"
    assert "Idempotency-Key" not in simulated.headers
    assert simulated.body["application"] == credit_file["application"] | {"DAYS_BIRTH": -18_263}
    assert explained.body == simulated.body
    shown = texts(opened)
    assert "Simulation : crédit refusé" in shown
    assert "rien n'est enregistré" in shown
    assert "sous le numéro" not in shown
    assert "Dossier du client sans modification : probabilité de défaut 18,2 %, crédit refusé." in shown

    press(opened, "reset")
    assert field(opened, "DAYS_BIRTH").value == 40
    assert "Simulation" not in texts(opened)


def test_another_language_keeps_changes_and_answer(page, service):
    opened = page()
    field(opened, "AMT_CREDIT").set_value(300_000.0).run()
    press(opened, "simulate")

    opened.radio(key="language").set_value("en").run()

    assert field(opened, "AMT_CREDIT", "en").value == 300_000.0
    shown = texts(opened)
    assert "Loan amount: 450,000 → 300,000" in shown
    assert "Simulation: credit refused" in shown
    assert len(service.received) == 2
    assert "crédit" not in shown


NOTHING, PERHAPS = "Nothing was decided.", "If a decision was recorded all the same, scoring again returns that one."


@pytest.mark.parametrize(
    ("status", "french", "english", "decided"),
    [
        (401, "vérifier la variable `SCORING_API_KEY`", "check the variable `SCORING_API_KEY`", NOTHING),
        (403, "vérifier la variable `SCORING_API_KEY`", "check the variable `SCORING_API_KEY`", NOTHING),
        (404, "n'est pas le service de notation attendu", "is not the expected scoring service", PERHAPS),
        (409, "sous le même numéro de demande", "under the same request number", NOTHING),
        (413, "trop volumineux", "too large", NOTHING),
        (422, "sans nommer de champ", "without naming a field", NOTHING),
        (429, "trop de demandes. Réessayez dans 7 s", "too many requests. Try again in 7 s", NOTHING),
        (500, "erreur interne (500)", "internal error (500)", PERHAPS),
        (503, "ne peut pas enregistrer de décision. Réessayez dans 7 s", "cannot record a decision", NOTHING),
        (504, "pas répondu à temps", "not answer in time", PERHAPS),
    ],
)
def test_every_fault_of_the_service_is_one_message_in_both_languages(page, service, status, french, english, decided):
    service.answers["/predict"] = (status, problem(status))
    service.headers = {"Retry-After": "7"}

    opened = press(page(), "score")
    assert french in texts(opened)
    opened.radio(key="language").set_value("en").run()

    shown = texts(opened)
    assert english in shown
    assert decided in shown
    assert len(notices(opened)) == 1
    assert [request.path for request in service.received] == ["/predict?purpose=decision"]


def test_a_page_that_is_no_answer_is_no_decision(page, service):
    service.answers["/predict"] = (200, "<html>")

    assert "n'est pas le service de notation attendu" in texts(press(page(), "score"))


def test_a_simulation_that_fails_speaks_of_no_decision(page, service):
    service.answers["/predict"] = (503, problem(503))
    opened = page()
    field(opened, "DAYS_BIRTH").set_value(50).run()

    shown = texts(press(opened, "simulate"))

    assert "Réessayez dans un instant" in shown
    assert "décidé" not in shown


def test_a_rejection_shows_the_path_of_each_field(page, service):
    errors = [
        {"loc": ["application", "AMT_CREDIT"], "msg": "Input should be >= 0", "type": "greater_than_equal"},
        {"loc": ["bureau", 3, "DAYS_CREDIT"], "msg": "Surprise", "type": "of_a_new_kind"},
    ]
    service.answers["/predict"] = (422, problem(422, "2 fields are wrong", *errors))

    shown = texts(press(page(), "score"))

    assert "erreur 422" in shown
    assert r"- Montant du crédit (`application.AMT_CREDIT`) : valeur trop petite (Input should be \>= 0)" in shown
    assert "- `bureau.3.DAYS_CREDIT` : Surprise" in shown
    assert "2 fields are wrong" not in shown


def test_rejection_of_the_whole_file_shows_the_services_message(page, service):
    service.answers["/predict"] = (422, problem(422, "The file is *odd*."))

    shown = texts(press(page(), "score"))

    assert "sans nommer de champ" in shown
    assert r"- The file is \*odd\*." in shown


def test_service_that_does_not_answer_times_out(page, service, monkeypatch):
    monkeypatch.setenv("API_TIMEOUT", "1")
    service.seconds = 3.0

    assert "pas répondu à temps" in texts(press(page(), "score"))


@pytest.mark.parametrize(("language", "expected"), [("fr", "ne répond pas à l'adresse"), ("en", "does not answer at")])
def test_without_a_service_the_page_says_how_to_start_it(page, monkeypatch, language, expected):
    monkeypatch.setenv("API_URL", "http://127.0.0.1:9")

    shown = texts(page(language))

    assert f"{expected} `http://127.0.0.1:9`" in shown
    assert "`make serve`" in shown


def test_the_address_of_the_service_is_shown_without_its_secret(page, monkeypatch):
    monkeypatch.setenv("API_URL", "http://me:hidden-word@127.0.0.1:9")

    shown = texts(page())

    assert "`http://127.0.0.1:9`" in shown
    assert "hidden-word" not in shown


def test_a_service_that_becomes_ready_is_found_again(page, service):
    service.answers["/readyz"] = (503, "")
    opened = page()
    assert "il démarre, n'a pas de modèle" in texts(opened)

    service.answers["/readyz"] = (200, "")
    press(opened, "retry")

    assert "Client 100123" in texts(opened)


def test_entered_values_stay_while_the_service_is_down(page, service):
    opened = page()
    field(opened, "AMT_CREDIT").set_value(300_000.0).run()
    service.answers["/readyz"] = (503, "")
    st.cache_data.clear()
    assert "il démarre, n'a pas de modèle" in texts(opened.run())

    service.answers["/readyz"] = (200, "")
    press(opened, "retry")

    assert field(opened, "AMT_CREDIT").value == 300_000.0
    assert "Montant du crédit : 450 000 → 300 000" in texts(opened)


def upload(opened: AppTest, content: bytes) -> AppTest:
    opened.radio(key="source/fr").set_value("source_file").run()
    return opened.file_uploader(key="upload").set_value(("file.json", content, "application/json")).run()


@pytest.mark.parametrize(
    ("content", "french", "english"),
    [
        (b"not json", "n'est pas du JSON valide", "is not valid JSON"),
        (b"[1]", "un seul objet JSON", "a single JSON object"),
        (b'{"application": {"AMT_CREDIT": 1, "AMT_CREDIT": 2}}', "clé répétée", "repeated key"),
        (b"{}", "ne contient pas de demande de crédit", "holds no loan application"),
        (b" " * (2 * 2**20 + 1), "dépasse 2 Mo", "over 2 MB"),
    ],
)
def test_every_fault_of_an_upload_is_one_message_in_both_languages(page, content, french, english):
    opened = upload(page(), content)
    assert french in texts(opened)
    opened.radio(key="language").set_value("en").run()

    assert english in texts(opened)
    assert len(notices(opened)) == 1


def test_an_upload_is_sent_as_it_stands_however_odd(page, service):
    odd = {
        "application": {
            "SK_ID_CURR": "x",
            "AMT_CREDIT": -1,
            "AMT_ANNUITY": "much",
            "AMT_INCOME_TOTAL": 10**30,
            "DAYS_BIRTH": 12,
            "CNT_CHILDREN": 99,
            "NAME_INCOME_TYPE": "![x](http://e.org)",
            "EXT_SOURCE_1": [],
        },
        "bureau": "none",
        "unknown": 1,
    }

    opened = press(upload(page(), json.dumps(odd).encode()), "score")

    assert [request.body for request in service.received] == [odd, odd]
    assert "Client sans numéro" in texts(opened)


def test_without_examples_the_page_asks_for_a_file(page, monkeypatch, tmp_path):
    monkeypatch.setenv("UI_EXAMPLES", str(tmp_path / "nowhere"))

    opened = page()

    assert "Déposez un dossier de crédit" in texts(opened)
    assert opened.radio(key="source/fr").options == ["Mon fichier"]
