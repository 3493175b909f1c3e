import json

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ui import messages

SCORE = {language: messages.say(language, "score") for language in messages.LANGUAGES}


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
    return "\n".join(element.value for element in elements).replace("\u00a0", " ").replace("\u202f", " ")


def notices(page: AppTest):
    return (*page.success, *page.error, *page.warning, *page.info)


@pytest.mark.parametrize(
    ("language", "decision", "expected"),
    [
        ("fr", "refused", "Crédit refusé"),
        ("fr", "granted", "Crédit accordé"),
        ("en", "refused", "Credit refused"),
        ("en", "granted", "Credit granted"),
    ],
)
def test_the_decision_is_shown(page, service, answer, language, decision, expected):
    service.answers["/explain"] = (200, answer | {"decision": decision})

    opened = press(page(language), "score", language)

    (box,) = opened.success if decision == "granted" else opened.error
    assert f"## {'✔' if decision == 'granted' else '✖'} {expected}\n" in box.value
    assert [metric.value.replace("\u202f", " ") for metric in opened.metric] == (
        ["18,2 %", "9,1 %"] if language == "fr" else ["18.2%", "9.1%"]
    )


def test_an_example_is_sent_as_it_stands(page, service, credit_file):
    press(page(), "score")

    assert service.received == [credit_file]


def test_all_that_the_answer_holds_is_on_the_page(page):
    opened = press(page(), "score")

    said = texts(opened)
    assert "Client 100123" in said
    assert "crédits ailleurs 2" in said
    assert "Source de revenu (`application.NAME_INCOME_TYPE`) : catégorie inconnue 'Astronaut'" in said
    assert r"Modèle credit\_scoring, version 3." in said
    assert [tab.label for tab in opened.tabs] == ["Par thème", "Par donnée", "En tableau"]
    themes, items = (table.value for table in opened.table)
    assert list(themes.columns) == ["Thème", "Contribution", "Effet"]
    assert themes["Thème"].tolist() == ["Scores externes", "Emploi"]
    assert themes["Contribution"].tolist() == ["+1,25", "\u22120,25"]
    assert themes["Effet"].tolist() == ["augmente le risque", "réduit le risque"]
    assert len(items) == 11
    assert [button.label for button in opened.get("download_button")] == ["Télécharger la réponse (JSON)"]


def test_the_charts_have_an_alternative_in_words(page):
    opened = press(page("en"), "score", "en")

    scale, themes, items = (chart.proto.alt for chart in opened.get("plotly_chart"))
    assert scale == "Risk scale: the client stands at 18.2% and the refusal threshold at 9.1%."
    assert "External scores +1.25" in themes
    assert "Mean of the external scores: 0.31 +1.25" in items


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
    said = texts(opened)
    assert "**Simulation.**" in said
    assert "Âge (années) : 40 → 50" in said
    assert "évaluez à nouveau" in said
    assert not opened.metric

    press(opened, "score")
    assert service.received[-1]["application"] == credit_file["application"] | {"DAYS_BIRTH": -18_263}
    said = texts(opened)
    assert "Simulation : crédit refusé" in said
    assert "Dossier du client sans modification : probabilité de défaut 18,2 %, crédit refusé." in said

    press(opened, "reset")
    assert field(opened, "DAYS_BIRTH").value == 40
    assert "Simulation" not in texts(opened)


def test_another_language_keeps_changes_and_answer(page, service):
    opened = page()
    field(opened, "AMT_CREDIT").set_value(300_000.0).run()
    press(opened, "score")

    opened.radio(key="language").set_value("en").run()

    assert field(opened, "AMT_CREDIT", "en").value == 300_000.0
    said = texts(opened)
    assert "Loan amount: 450,000 → 300,000" in said
    assert "Simulation: credit refused" in said
    assert len(service.received) == 1
    assert "crédit" not in said


@pytest.mark.parametrize(
    ("status", "body", "french", "english"),
    [
        (401, {}, "refuse l'accès (erreur 401)", "denies access (error 401)"),
        (404, {}, "n'est pas le service de notation attendu", "is not the expected scoring service"),
        (413, {}, "trop volumineux", "too large"),
        (422, {}, "sans nommer de champ", "without naming a field"),
        (429, {}, "trop de demandes", "too many requests"),
        (500, {}, "erreur interne (500)", "internal error (500)"),
        (503, {}, "démarre ou n'a pas de modèle", "starting or has no model"),
        (504, {}, "pas répondu à temps", "not answer in time"),
        (200, "<html>", "n'est pas le service de notation attendu", "is not the expected scoring service"),
    ],
)
def test_every_fault_of_the_service_is_one_message_in_both_languages(page, service, status, body, french, english):
    service.answers["/explain"] = (status, body)

    opened = press(page(), "score")
    assert french in texts(opened)
    opened.radio(key="language").set_value("en").run()

    assert english in texts(opened)
    assert len(notices(opened)) == 1


def test_a_rejection_shows_the_path_of_each_field(page, service):
    detail = [
        {"loc": ["application", "AMT_CREDIT"], "msg": "Input should be >= 0", "type": "greater_than_equal"},
        {"loc": ["bureau", 3, "DAYS_CREDIT"], "msg": "Surprise", "type": "of_a_new_kind"},
    ]
    service.answers["/explain"] = (400, {"error": "2 validation errors", "detail": detail})

    said = texts(press(page(), "score"))

    assert "erreur 400" in said
    assert r"- Montant du crédit (`application.AMT_CREDIT`) : valeur trop petite (Input should be \>= 0)" in said
    assert "- `bureau.3.DAYS_CREDIT` : Surprise" in said


def test_a_silent_service_is_not_waited_for(page, service, monkeypatch):
    monkeypatch.setenv("API_TIMEOUT", "1")
    service.seconds = 3.0

    assert "pas répondu à temps" in texts(press(page(), "score"))


@pytest.mark.parametrize(("language", "expected"), [("fr", "ne répond pas à l'adresse"), ("en", "does not answer at")])
def test_without_a_service_the_page_says_how_to_start_it(page, monkeypatch, language, expected):
    monkeypatch.setenv("API_URL", "http://127.0.0.1:9")

    said = texts(page(language))

    assert f"{expected} `http://127.0.0.1:9`" in said
    assert "`make serve`" in said


def test_a_service_that_becomes_ready_is_found_again(page, service):
    service.answers["/readyz"] = (503, "")
    opened = page()
    assert "démarre ou n'a pas de modèle" in texts(opened)

    service.answers["/readyz"] = (200, "")
    press(opened, "retry")

    assert "Client 100123" in texts(opened)


def test_what_was_entered_outlives_an_absence_of_the_service(page, service):
    opened = page()
    field(opened, "AMT_CREDIT").set_value(300_000.0).run()
    service.answers["/readyz"] = (503, "")
    st.cache_data.clear()
    assert "démarre ou n'a pas de modèle" in texts(opened.run())

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

    assert service.received == [odd]
    assert "Client sans numéro" in texts(opened)


def test_without_examples_the_page_asks_for_a_file(page, monkeypatch, tmp_path):
    monkeypatch.setenv("UI_EXAMPLES", str(tmp_path / "nowhere"))

    opened = page()

    assert "Déposez un dossier de crédit" in texts(opened)
    assert opened.radio(key="source/fr").options == ["Mon fichier"]
