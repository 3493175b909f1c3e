"""The page that decides: answers, entries, decisions and what is kept of them."""

import json

import pytest
import streamlit as st

from tests.ui.stand_in import REVIEW, RULE_TEXT, RULED, Service, problem
from tests.ui.steps import enter, field, notices, plain, press, speak, texts, unfold
from ui import client, messages, results
from ui.desk import new_token

EFFECT = messages.MESSAGES["column_contribution"]["fr"]
REASON = "L'âge était faux sur le dossier."


def decisions(service: Service) -> list:
    return [request for request in service.received if request.path == "/predict?purpose=decision"]


def simulations(service: Service) -> list:
    return [request for request in service.received if request.path == "/predict?purpose=simulation"]


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

    opened = press(page(), "decide")
    (box,) = {"✔": opened.success, "✖": opened.error, "◐": opened.warning}[sign]
    assert f"## {sign} {french}\n" in box.value
    assert "- Probabilité de défaut : **18,2 %**\n- Seuil de refus : **9,1 %**\n- Score : **530**" in texts(opened)

    speak(opened, "en")
    assert f"## {sign} {english}\n" in texts(opened)
    assert "- Probability of default: **18.2%**" in texts(opened)


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (
            0.1824,
            "environ 18 ne remboursent pas ; le refus commence à 9. Le risque est 2,0 fois le seuil : il en est loin.",
        ),
        (0.11, "Le risque est 1,2 fois le seuil : un peu au-dessus."),
        (0.092, "C'est tout près du seuil : peu de chose changerait la réponse."),
        (0.07, "Le seuil est 1,3 fois plus haut : le risque est un peu en dessous."),
        (0.004, "environ 0,4 ne remboursent pas ; le refus commence à 9. Le seuil est 22,7 fois plus haut"),
        (0.0, "Sur 100 clients comme celui-ci, environ 0,0 ne remboursent pas"),
    ],
)
def test_the_distance_to_the_threshold_is_in_plain_words(page, service, prediction, probability, words):
    decision = "refused" if probability >= 0.0909 else "granted"
    service.answers["/predict"] = (200, prediction | {"probability_of_default": probability, "decision": decision})

    assert words in texts(page())


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

    assert rule in texts(page())


def test_an_opened_file_is_simulated_and_nothing_is_recorded(page, service, credit_file):
    shown = texts(page())

    assert [request.path for request in service.received] == ["/predict?purpose=simulation", "/explain"]
    assert [request.body for request in service.received] == [credit_file, credit_file]
    assert "Simulation : crédit refusé" in shown
    assert "rien n'est enregistré" in shown
    assert "sous le numéro" not in shown
    assert "Lettre au client" not in shown


def test_the_button_takes_the_decision_with_the_name_of_the_officer(page, service, credit_file):
    opened = press(page(), "decide")

    (request,) = decisions(service)
    assert request.body == credit_file
    assert request.headers["Officer"] == "Zo%C3%A9%20Martin"
    assert "Correction" not in request.headers
    shown = texts(opened)
    assert "## ✖ Crédit refusé" in shown
    assert (
        "Décision enregistrée le 25/11/2026 à 09:41 (UTC) sous le numéro `0198f2c1-7a4e-7b30-9d53-0f6a2f3c1b77`"
        in shown
    )


def test_without_a_name_nothing_is_decided(page, service):
    opened = press(page(officer=""), "decide")

    assert not decisions(service)
    assert "donnez d'abord votre nom" in texts(opened)


def test_the_same_file_has_one_key_by_officer_in_every_session(page, service, credit_file):
    press(press(page(), "decide"), "decide")
    press(page(), "decide")
    press(page(officer="Paul Petit"), "decide")
    (service_file,) = {json.dumps(request.body) for request in decisions(service)}

    first, again, elsewhere, other = [request.headers["Idempotency-Key"] for request in decisions(service)]
    assert first == again == elsewhere
    assert other != first
    assert json.loads(service_file) == credit_file


def test_a_decision_recorded_before_is_shown_as_such(page, service):
    opened = page()
    service.headers = {"Idempotent-Replayed": "true"}

    assert "Cette décision avait déjà été enregistrée, le 25/11/2026 à 09:41 (UTC)" in texts(press(opened, "decide"))


def test_a_decision_and_entries_survive_a_reload(page, service):
    browser = new_token()
    opened = press(page(browser=browser), "decide")
    enter(opened, "AMT_CREDIT", "300 000")

    reloaded = page(browser=browser)
    assert field(reloaded, "AMT_CREDIT").value == "300\u202f000"
    assert "Montant du crédit : 450 000 → 300 000" in texts(reloaded)
    press(reloaded, "reset")

    assert "Décision enregistrée le" in texts(reloaded)
    assert len(decisions(service)) == 1
    assert "300 000" not in texts(page(browser=new_token()))


def test_every_field_has_its_content_as_default(page):
    """A browser that is sent the page anew before it has drawn it shows the default, and answers with that."""
    opened = page(browser="b" * 43)
    enter(opened, "Montant du crédit", "450 001")
    again = unfold(unfold(page(browser="b" * 43), "section_client"), "section_contact")

    filled = [box for box in again.selectbox if box.value is not None]
    assert len(filled) > 1
    for choice in (*filled, *again.radio):
        assert choice.proto.default == choice.index, choice.label
    assert field(again, "Montant du crédit").value == "450\u202f001"
    for text in (*again.text_input, *again.text_area):
        assert text.proto.default == text.value, text.label


def test_the_access_key_goes_with_every_request(page, service, monkeypatch):
    monkeypatch.setenv("SCORING_API_KEY", "k3y\n")

    press(page(), "decide")

    assert {request.headers.get("Authorization") for request in service.asked + service.received} == {"Bearer k3y"}


def test_the_reasons_come_first_after_the_decision(page):
    opened = press(page(), "decide")

    assert [element.value for element in opened.subheader] == [
        "Ce que vous pouvez dire au client",
        "Ce qui changerait la décision",
        "De quoi se compose le risque",
        "Ce client parmi les autres",
        "Lettre au client",
    ]
    (reasons,) = (element.value for element in opened.markdown if element.value.startswith("1. "))
    assert plain(reasons).splitlines() == [
        r"1. :orange[▲] Vos scores externes augmentent votre risque d'impayé estimé. Moyenne \: 0,31. `R01`",
        r"1. :blue[▼] Votre emploi réduit votre risque d'impayé estimé. Ancienneté \: 3 ans. `R04`",
    ]


def test_all_that_the_answers_hold_is_on_the_page(page):
    opened = page()

    shown = texts(opened)
    assert "Client 100123" in shown
    assert "2 crédits ailleurs" in shown
    assert "Source de revenu : catégorie inconnue 'Astronaut'" in shown
    assert "Avec un crédit de 380 000 au lieu de 450 000, il serait accordé." in shown
    assert "Clients semblables : clients ayant la même source de revenus (4 210 clients)." in shown
    assert r"Modèle credit\_scoring, version 3." in shown
    themes, items, places = (table.value for table in opened.table)
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
    assert places.iloc[0].tolist() == [
        "Moyenne des scores externes",
        "0,31",
        "plus haut que 10 % des clients environ\xa0; pour la plupart, de 0,3 à 0,7 (médiane 0,5)".replace(
            "10 %", "10 %"
        ),
        "parmi les 10 % les plus bas\xa0; pour la plupart, de 0,35 à 0,7 (médiane 0,5)",
    ]
    assert [button.label for button in opened.get("download_button")] == ["Télécharger la réponse (JSON)"]


def test_a_theme_opens_to_its_data(page):
    opened = page()
    opened.selectbox(key="theme/fr").set_value("external_scores").run()

    themes = opened.table[0].value
    assert themes["Thème"].tolist() == ["Moyenne des scores externes\xa0\\: 0,31", "Emploi"]


def test_the_charts_have_an_alternative_in_words(page):
    scale, themes, places = (chart.proto.alt for chart in page("en").get("plotly_chart"))

    assert scale == "Risk scale: the client stands at 18.2% and the refusal threshold at 9.1%."
    assert "External scores ▲\xa0\u00d7\xa03.49" in themes
    assert "in the table that follows" in places


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

    shown = texts(page(language))

    assert because in shown
    assert messages.say(language, "rules") in shown
    assert messages.plain(RULED["rules"][0]["text"][language]) in shown
    assert "affordability" not in shown
    assert "100 clients" not in shown


def test_a_refusal_of_the_model_beside_a_rule_is_the_models(page, service, prediction):
    service.answers["/predict"] = (200, prediction | {"rules": RULED["rules"]})

    shown = texts(page())

    assert "dépasse le seuil" in shown
    assert "affordability" not in shown


def test_a_risk_at_the_threshold_is_said_to_be_at_it(page, service, prediction):
    service.answers["/predict"] = (200, prediction | {"probability_of_default": 0.0909})

    assert "Le risque estimé atteint exactement le seuil de 9,090 %." in texts(page())


def test_missing_fields_are_listed_apart_from_what_was_not_understood(page, service, prediction):
    missing = [
        {"kind": "missing_field", "field": f"application.{name}", "message": {"en": "not given", "fr": "non fourni"}}
        for name in ("DAYS_ID_PUBLISH", "CNT_FAM_MEMBERS")
    ]
    service.answers["/predict"] = (200, prediction | {"warnings": [*prediction["warnings"], *missing]})

    opened = page()

    (reservations,) = [box.value for box in opened.warning if "Astronaut" in box.value]
    assert "non fourni" not in reservations
    (folded,) = [box for box in opened.expander if plain(box.label).endswith(": 2") and "absents" in box.label]
    assert not folded.proto.expanded
    (listed,) = [text.value for text in folded.markdown]
    assert listed.count("non fourni") == 2
    assert "Personnes dans le foyer" in listed


def test_an_explanation_by_another_version_is_marked(page, service, explanation):
    service.answers["/explain"] = (200, explanation | {"model": {"name": "credit_scoring", "version": "4"}})

    assert "La décision vient du modèle version 3, cette explication de la version 4" in texts(page())


def test_an_answer_is_shown_without_its_explanation(page, service):
    service.answers["/explain"] = (503, problem(503))

    opened = press(page(), "decide")

    shown = texts(opened)
    assert "## ✖ Crédit refusé" in shown
    assert "La réponse ci-dessus est valable ; seule l'explication détaillée manque." in shown
    assert "Rien n'a été décidé" not in shown
    assert not opened.get("plotly_chart")[1:]


def test_the_decision_is_shown_before_its_explanation_is_asked(page, service, monkeypatch):
    order: list[str] = []
    for module, name in ((results, "show_decision"), (client, "explain")):
        call = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, name=name, call=call: order.append(name) or call(*given))

    opened = page()
    enter(opened, "AMT_CREDIT", "90 000")

    assert order == ["show_decision", "explain", "show_decision", "explain"]


def test_foreign_text_in_an_answer_becomes_no_link(page, service, prediction):
    text = "catégorie inconnue 'http://evil.example www.evil.example'"
    warning = {"kind": "unknown_category", "field": "application.CODE", "message": {"fr": text, "en": text}}
    service.answers["/predict"] = (200, prediction | {"warnings": [warning]})

    (box,) = [box.value for box in page().warning]

    assert "www." not in box
    assert "http:" not in box.replace("\\", "")


# The form


def test_limits_and_categories_come_from_the_service(page):
    opened = unfold(unfold(unfold(page(), "section_client"), "section_employment"), "section_contact")

    assert field(opened, "DAYS_BIRTH").value == "40"
    assert field(opened, "CNT_CHILDREN").help == "De 0 à 50."
    assert field(opened, "NAME_INCOME_TYPE").options == ["non renseigné", "Retraité", "Fonctionnaire", "Salarié"]
    assert field(opened, "FLAG_MOBIL").options == ["non renseigné", "Oui", "Non"]
    assert not any(entry.label in ("Logement", "Sexe") for entry in opened.selectbox)


def test_a_change_is_simulated_at_once_with_the_original_beside_it(page, service, credit_file):
    opened = unfold(page(), "section_client")

    enter(opened, "DAYS_BIRTH", "50")

    original, changed = simulations(service)
    assert original.body == credit_file
    assert changed.body["application"] == credit_file["application"] | {"DAYS_BIRTH": -18_263}
    assert "Idempotency-Key" not in changed.headers
    shown = texts(opened)
    assert "Âge (années) : 40 → 50" in shown
    assert "Simulation : crédit refusé" in shown
    assert "Dossier du client sans changement : probabilité de défaut 18,2 %, crédit refusé." in shown

    press(opened, "reset")
    assert field(opened, "DAYS_BIRTH").value == "40"
    assert "40 → 50" not in texts(opened)
    assert len(simulations(service)) == 2


def test_a_simulation_is_never_recorded_as_a_decision(page, service):
    opened = unfold(page(), "section_client")
    field(opened, "DAYS_BIRTH").set_value("50")  # typed, and the button pressed in the same moment

    press(opened, "decide")

    assert not decisions(service)
    assert "ces valeurs ne sont pas celles du dossier" in texts(opened)
    assert "40 → 50" in texts(opened)


def test_a_correction_is_decided_with_its_reason(page, service):
    opened = enter(unfold(page(), "section_client"), "DAYS_BIRTH", "50")
    (intention,) = [radio for radio in opened.radio if radio.label == "Que sont ces changements ?"]
    intention.set_value("correction").run()

    press(opened, "decide")
    assert not decisions(service)
    assert "donnez le motif" in texts(opened)
    opened.text_area[0].set_value(REASON).run()
    press(opened, "decide")

    (request,) = decisions(service)
    assert request.body["application"]["DAYS_BIRTH"] == -18_263
    assert request.headers["Correction"].startswith("L%27%C3%A2ge")
    assert "Décision enregistrée" in texts(opened)


@pytest.mark.parametrize("typed", ["-900000", "beaucoup", "450.000"])
def test_a_wrong_amount_is_marked_and_nothing_is_decided_on_it(page, service, typed):
    opened = page()
    before = len(service.received)
    field(opened, "AMT_CREDIT").set_value(typed)

    press(opened, "decide")

    assert len(service.received) == before
    shown = texts(opened)
    assert "Corrigez ces champs pour obtenir une réponse :\n\n- Montant du crédit :" in shown
    assert "Rien n'est enregistré : corrigez d'abord les champs signalés." in shown
    assert field(opened, "AMT_CREDIT").value == typed


@pytest.mark.parametrize("typed", ["300 000,50", "300\u00a0000,50", "300000.5"])
def test_a_pasted_amount_is_that_amount(page, service, typed):
    enter(page(), "AMT_CREDIT", typed)

    assert simulations(service)[-1].body["application"]["AMT_CREDIT"] == 300_000.5


def test_another_language_keeps_changes_and_answer(page, service):
    opened = enter(page(), "AMT_CREDIT", "300 000,50")
    asked = len(service.received)

    speak(opened, "en")

    assert field(opened, "AMT_CREDIT", "en").value == "300,000.50"
    shown = texts(opened)
    assert "Loan amount: 450,000 → 300,000.50" in shown
    assert "Simulation: credit refused" in shown
    assert len(service.received) == asked
    assert "crédit" not in shown


def test_a_new_application_is_entered_and_decided(page, service):
    opened = page()
    opened.radio(key="source/fr").set_value("source_new").run()
    shown = texts(opened)
    assert "Il manque, pour obtenir une réponse :\n\n- Numéro de client\n- Montant du crédit\n- Revenu total" in shown
    asked = len(service.received)

    for name, value in {"SK_ID_CURR": "700001", "AMT_CREDIT": "200 000", "AMT_INCOME_TOTAL": "60 000"}.items():
        enter(opened, name, value)
    press(opened, "decide")
    assert "Rien n'est enregistré : il manque des champs obligatoires." in texts(opened)
    assert len(service.received) == asked
    enter(opened, "DAYS_BIRTH", "35")
    press(opened, "decide")

    (request,) = decisions(service)
    assert request.body == {
        "application": {
            "SK_ID_CURR": 700_001,
            "AMT_CREDIT": 200_000.0,
            "AMT_INCOME_TOTAL": 60_000.0,
            "DAYS_BIRTH": -12_784,
        }
    }
    assert "Correction" not in request.headers


def test_a_field_that_the_file_lacks_can_be_filled_in_and_decided(page, service, credit_file):
    incomplete = {"application": {key: credit_file["application"][key] for key in ("SK_ID_CURR", "AMT_CREDIT")}}
    opened = upload(page(), json.dumps(incomplete).encode())
    assert "Il manque" in texts(opened)

    unfold(opened, "section_client")
    enter(opened, "AMT_INCOME_TOTAL", "135 000")
    enter(opened, "DAYS_BIRTH", "40")
    next(radio for radio in opened.radio if radio.label == "Que sont ces changements ?").set_value("correction").run()
    opened.text_area[0].set_value("Le dossier était incomplet.").run()
    press(opened, "decide")

    (request,) = decisions(service)
    assert request.body["application"]["AMT_INCOME_TOTAL"] == 135_000


def test_a_history_opens_as_a_table(page):
    opened = page()
    opened.session_state["box/bureau"] = True
    opened.run()

    (table,) = opened.dataframe
    assert table.value["SK_ID_BUREAU"].tolist() == ["7", "8"]
    assert table.value["DAYS_CREDIT"].tolist() == ["\u2212500", "\u221290"]
    assert "40" not in texts(opened).partition("Ces valeurs diffèrent")[2]


# Faults

NOTHING = "Nothing was decided."
PERHAPS = "The decision may have been recorded. Record it again: it will count only once."


@pytest.mark.parametrize(
    ("status", "french", "english", "decided"),
    [
        (401, "n'a pas le droit d'interroger", "is not allowed to use", NOTHING),
        (403, "n'a pas le droit d'interroger", "is not allowed to use", NOTHING),
        (404, "n'est pas celle du service de notation attendu", "is not that of the expected", PERHAPS),
        (409, "sous le même numéro de demande", "under the same request number", NOTHING),
        (413, "trop volumineux", "too large", NOTHING),
        (422, "sans nommer de champ", "without naming a field", NOTHING),
        (429, "trop de demandes. Réessayez dans 7 s", "too many requests. Try again in 7 s", NOTHING),
        (500, "erreur interne", "internal error", PERHAPS),
        (503, "ne peut pas enregistrer de décision. Réessayez dans 7 s", "cannot record a decision", NOTHING),
        (504, "pas répondu à temps", "not answer in time", PERHAPS),
    ],
)
def test_every_fault_of_the_service_is_one_message_in_both_languages(page, service, status, french, english, decided):
    opened, in_english = page(), page("en")
    service.answers["/predict"] = (status, problem(status))
    service.headers = {"Retry-After": "7"}

    shown = plain("\n".join(box.value for box in notices(press(opened, "decide"))))
    assert french in shown
    assert not any(word in shown for word in ("make ", "API_URL", "SCORING_API_KEY", "http", str(status)))

    shown = plain("\n".join(box.value for box in notices(press(in_english, "decide", "en"))))
    assert english in shown
    assert decided in shown
    assert f"Answer {status} of" in texts(in_english)


def test_a_page_that_is_no_answer_is_no_decision(page, service):
    service.answers["/predict"] = (200, "<html>")

    assert "n'est pas celle du service de notation attendu" in texts(page())


def test_a_simulation_that_fails_speaks_of_no_decision(page, service):
    service.answers["/predict"] = (503, problem(503))

    shown = texts(page())

    assert "Réessayez dans un instant" in shown
    assert "décidé" not in shown


def test_a_rejection_names_each_field_in_words(page, service):
    errors = [
        {"loc": ["application", "AMT_CREDIT"], "msg": "Input should be >= 0", "type": "greater_than_equal"},
        {"loc": ["bureau", 3, "DAYS_CREDIT"], "msg": "Surprise", "type": "of_a_new_kind"},
    ]
    service.answers["/predict"] = (422, problem(422, "2 fields are wrong", *errors))

    opened = page()

    (box,) = [plain(error.value) for error in opened.error]
    assert "- Montant du crédit : valeur trop petite\n" in box
    assert "- Crédits ailleurs, ligne 4, Demandé (jours) : valeur refusée" in box
    assert "Input should be" not in box
    assert r"`application.AMT_CREDIT` Input should be \>= 0" in texts(opened)


def test_a_field_refused_by_a_rule_is_named_in_the_language_of_the_page(page, service):
    fault = {"loc": ["application", "DAYS_BIRTH"], "type": "rule_age", "msg": "An adult.", "text": RULE_TEXT}
    service.answers["/predict"] = (422, problem(422) | {"errors": [fault]})

    assert RULE_TEXT["fr"] in texts(page())


def test_service_that_does_not_answer_times_out(page, service, monkeypatch):
    monkeypatch.setenv("API_TIMEOUT", "1")
    service.seconds = 3.0

    assert "pas répondu à temps" in texts(page())


@pytest.mark.parametrize(
    ("language", "expected"), [("fr", "est arrêté ou injoignable"), ("en", "is stopped or cannot")]
)
def test_without_a_service_the_page_says_how_to_start_it(page, monkeypatch, language, expected):
    monkeypatch.setenv("API_URL", "http://127.0.0.1:9")

    opened = page(language)

    assert expected in plain(opened.error[0].value)
    (technical,) = [box for box in opened.expander if box.label == messages.say(language, "technical")]
    assert not technical.proto.expanded
    assert "`make serve`" in technical.markdown[0].value
    assert "`http://127.0.0.1:9`" in technical.markdown[0].value


def test_the_address_of_the_service_is_shown_without_its_secret(page, monkeypatch):
    monkeypatch.setenv("API_URL", "http://me:hidden-word@127.0.0.1:9")

    shown = texts(page())

    assert "`http://127.0.0.1:9`" in shown
    assert "hidden-word" not in shown


def test_a_service_that_becomes_ready_is_found_again(page, service):
    service.answers["/readyz"] = (503, "")
    opened = page()
    assert "il démarre, n'a pas de modèle" in texts(opened)
    assert "✖ Le service de notation ne répond pas." in texts(opened)

    service.answers["/readyz"] = (200, "")
    press(opened, "retry")

    assert "Client 100123" in texts(opened)
    assert "✔ Le service de notation répond." in texts(opened)


def test_entered_values_stay_while_the_service_is_down(page, service):
    opened = enter(page(), "AMT_CREDIT", "300 000")
    service.answers["/readyz"] = (503, "")
    st.cache_data.clear()
    assert "il démarre, n'a pas de modèle" in texts(opened.run())

    service.answers["/readyz"] = (200, "")
    press(opened, "retry")

    assert field(opened, "AMT_CREDIT").value == "300\u202f000"
    assert "Montant du crédit : 450 000 → 300 000" in texts(opened)


def test_a_failed_answer_is_asked_again_on_request(page, service, prediction):
    service.answers["/predict"] = (500, problem(500))
    opened = page()
    service.answers["/predict"] = (200, prediction)

    press(opened, "retry")

    assert "Simulation : crédit refusé" in texts(opened)


# Files


def upload(opened, *contents: bytes, name: str = "file.json"):
    opened.radio(key="source/fr").set_value("source_file").run()
    files = [(name, content, "application/octet-stream") for content in contents]
    return opened.file_uploader(key="upload").set_value(files).run()


@pytest.mark.parametrize(
    ("content", "french", "english"),
    [
        (b"not json", "n'est pas du JSON valide", "is not valid JSON"),
        (b"[1]", "un seul objet JSON", "a single JSON object"),
        (b'{"application": {"AMT_CREDIT": 1, "AMT_CREDIT": 2}}', "clé répétée", "repeated key"),
        (b"{}", "ne contient pas de demande de crédit", "holds no loan application"),
    ],
)
def test_every_fault_of_an_upload_is_one_message_in_both_languages(page, content, french, english):
    opened = upload(page(), content)
    assert french in texts(opened)
    speak(opened, "en")

    assert english in texts(opened)
    assert len(notices(opened)) == 1


def test_an_odd_upload_is_shown_with_what_is_wrong(page, service):
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
    asked = len(service.received)

    opened = upload(page(), json.dumps(odd).encode())

    shown = texts(opened)
    assert "Client sans numéro" in shown
    assert "Corrigez ces champs" in shown
    assert "- Mensualité :" in shown
    assert "- Revenu total :" in shown
    assert [request.body for request in service.received[asked:]] != [odd, odd]


def test_an_upload_survives_a_reload(page, credit_file):
    browser = new_token()
    other = credit_file | {"application": credit_file["application"] | {"SK_ID_CURR": 700_002}}
    upload(page(browser=browser), json.dumps(other).encode())

    reloaded = page(browser=browser)
    assert "Client 700002" in texts(reloaded)
    press(reloaded, "forget_upload")

    assert "Déposez un dossier de crédit" in texts(reloaded)


def test_without_examples_the_page_offers_the_other_ways(page, monkeypatch, tmp_path):
    monkeypatch.setenv("UI_EXAMPLES", str(tmp_path / "nowhere"))

    assert "Choisissez un client, ou saisissez une nouvelle demande." in texts(page())
