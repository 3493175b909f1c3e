"""The pages that review decisions and retrieve them, with the service stubbed at HTTP."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from tests.ui.records import CONTEST, ID, PURGED, RECORD, REVIEW, SUMMARY, serve
from tests.ui.stand_in import Service, problem
from tests.ui.steps import notices, opened_by, plain, press, speak, texts
from ui import messages

REASON = "two payslips were seen"


@pytest.fixture
def review_page(page, service: Service):
    """Opens the page of reviews."""

    def open_page(**options: Any) -> AppTest:
        return page(**options).switch_page("views/review.py").run()

    serve(service)
    return open_page


@pytest.fixture
def decisions_page(page, service: Service):
    """Opens the page that retrieves decisions, at a decision where one is given."""

    def open_page(decision: str | None = None, **options: Any) -> AppTest:
        app = page(**options).switch_page("views/decisions.py")
        if decision is not None:
            app.query_params["decision"] = decision
        return app.run()

    serve(service)
    return open_page


def decide(page: AppTest, outcome: str | None, reason: str, language: str = "fr") -> AppTest:
    if outcome is not None:
        page.radio(key=f"outcome_{ID}").set_value(outcome)
    page.text_area(key=f"reason_{ID}").set_value(reason)
    return press(page, "review_save", language)


def posted(service: Service) -> list[tuple[str, Any]]:
    return [(request.path, request.body) for request in service.received if "/decisions/" in request.path]


def asked(service: Service) -> list[dict[str, list[str]]]:
    """The criteria of the lists that were asked for."""
    return [
        parse_qs(urlsplit(request.path).query) for request in service.asked if request.path.startswith("/decisions?")
    ]


def test_a_waiting_decision_is_shown_with_data_reasons_and_history(review_page):
    opened = review_page()

    (label,) = opened.radio(key="review_waiting_chosen").options
    assert plain(label) == (
        "Client 100123 · 25/11/2026 à 09:41 (UTC) · risque 8,9 % · à examiner · en attente d'une personne"
    )
    shown = texts(opened)
    assert "## ◐ Client 100123 : À examiner par une personne" in shown
    assert "Risque estimé : 8,9 % ; seuil : 9,1 % ; modèle 3." in shown
    assert "décision automatique demandée par Zoé Martin, crédit à examiner." in shown
    assert "Vos scores externes augmentent votre risque" in shown
    data = opened.table[0].value
    assert "Montant du crédit" in data.to_string()
    assert "salarié" in data.to_string().lower()


def test_a_person_decides_with_a_reason_and_a_name(review_page, service: Service):
    opened = decide(review_page(), "granted", REASON)

    assert posted(service) == [
        (
            f"/decisions/{ID}/review",
            {"verdict": "overturned", "outcome": "granted", "reason": REASON, "reviewer": "Zoé Martin", "contests": 0},
        )
    ]
    assert "Votre décision est enregistrée : crédit accordé." in texts(opened)


@pytest.mark.parametrize(("outcome", "verdict"), [("refused", "confirmed"), ("granted", "overturned")])
def test_to_keep_the_outcome_confirms_and_to_change_it_overturns(review_page, service: Service, outcome, verdict):
    serve(service, RECORD | {"decision": "refused", "outcome": "refused", "state": "contested", "contests": [CONTEST]})

    opened = review_page()
    assert opened.radio(key=f"outcome_{ID}").options == [
        "Décider autrement : accorder le crédit".replace(" :", "\u00a0:"),
        "Confirmer : crédit refusé".replace(" :", "\u00a0:"),
    ]
    decide(opened, outcome, REASON)

    ((_, body),) = posted(service)
    assert (body["verdict"], body["outcome"], body["contests"]) == (verdict, outcome, 1)


@pytest.mark.parametrize(
    ("outcome", "reason", "officer", "warning"),
    [
        (None, REASON, "Zoé Martin", "need_outcome"),
        ("granted", " too short", "Zoé Martin", "need_reason"),
        ("granted", REASON, "", "need_officer"),
    ],
)
def test_without_outcome_reason_or_name_nothing_is_sent(review_page, service, outcome, reason, officer, warning):
    opened = decide(review_page(officer=officer), outcome, reason)

    assert posted(service) == []
    assert messages.say("fr", warning) in [box.value for box in opened.warning]
    assert opened.text_area(key=f"reason_{ID}").value == reason


@pytest.mark.parametrize(
    ("status", "detail", "words"),
    [
        (503, "busy", "ne peut pas répondre pour le moment"),
        (403, "the API key belongs to another person; leave the reviewer out", "au nom d'une autre personne"),
        (403, "the API key lacks the scope review", "n'a pas le droit"),
    ],
)
def test_a_review_that_is_not_recorded_says_why_and_keeps_the_text(review_page, service, status, detail, words):
    service.answers[f"/decisions/{ID}/review"] = (status, problem(status, detail))

    opened = decide(review_page(), "granted", REASON)

    assert words in texts(opened)
    assert opened.text_area(key=f"reason_{ID}").value == REASON
    assert str(status) not in "".join(box.value for box in notices(opened))


def test_what_was_chosen_stays_while_the_service_is_down(review_page, service: Service):
    other = SUMMARY | {"decision_id": "another", "SK_ID_CURR": 100_124}
    service.answers["/decisions"] = (200, {"decisions": [other, SUMMARY], "next": None})
    service.answers["/decisions/another"] = (200, RECORD | {"decision_id": "another"})
    opened = review_page()
    opened.radio(key="review_waiting_chosen").set_value(ID).run()
    opened.radio(key=f"outcome_{ID}").set_value("granted").run()
    listing = service.answers["/decisions"]
    service.answers["/decisions"] = (503, problem(503))
    opened.text_area(key=f"reason_{ID}").set_value(REASON)
    press(opened, "review_save")
    assert "ne peut pas répondre pour le moment" in texts(opened)

    service.answers["/decisions"] = listing
    press(opened, "retry")

    assert opened.radio(key="review_waiting_chosen").value == ID
    assert opened.radio(key=f"outcome_{ID}").value == "granted"
    assert opened.text_area(key=f"reason_{ID}").value == REASON
    assert posted(service) == []
    press(opened, "review_save")
    assert len(posted(service)) == 1
    assert opened.radio(key=f"outcome_{ID}").value is None


def test_a_decision_that_changed_meanwhile_is_shown_anew(review_page, service: Service):
    opened = review_page()
    service.answers[f"/decisions/{ID}/review"] = (409, problem(409))
    serve_again = RECORD | {"state": "contested", "contests": [CONTEST]}
    service.answers[f"/decisions/{ID}"] = (200, serve_again)

    opened = decide(opened, "granted", REASON)

    shown = texts(opened)
    assert "Cette décision a changé depuis que vous l'avez ouverte" in shown
    assert "le client conteste" in shown
    assert opened.text_area(key=f"reason_{ID}").value == REASON


def test_what_came_since_the_page_was_shown_does_not_count_as_read(review_page, service: Service):
    opened = review_page()
    service.answers[f"/decisions/{ID}"] = (200, RECORD | {"state": "contested", "contests": [CONTEST]})

    opened = decide(opened, "granted", REASON)

    assert posted(service) == []
    assert "Cette décision a changé depuis que vous l'avez ouverte" in texts(opened)
    opened = press(opened, "review_save")
    ((_, body),) = posted(service)
    assert body["contests"] == 1
    assert "a changé" not in texts(opened)


def test_the_statement_of_the_client_is_recorded(review_page, service: Service):
    opened = review_page()
    opened.text_area(key=f"statement_{ID}").set_value("I earn more now")
    opened = press(opened, "contest_save")

    assert posted(service) == [(f"/decisions/{ID}/contest", {"statement": "I earn more now", "recorder": "Zoé Martin"})]
    assert "La déclaration est enregistrée" in texts(opened)


def test_an_empty_statement_is_not_sent(review_page, service: Service):
    opened = press(review_page(), "contest_save")
    assert posted(service) == []
    assert "Écrivez ce que dit le client." in texts(opened)


def test_texts_of_persons_never_become_markup(review_page, service: Service):
    serve(service, RECORD | {"contests": [CONTEST], "reviews": [REVIEW], "correction": "# [x](http://evil.example)"})
    shown = texts(review_page())
    assert "[see](http" not in shown
    assert "[x](http" not in shown
    assert "www.evil" not in shown
    assert "\\*three\\*" in shown


def test_reviews_and_contests_are_in_the_order_of_time(review_page, service: Service):
    serve(service, RECORD | {"contests": [CONTEST], "reviews": [REVIEW], "outcome": "granted", "state": "reviewed"})
    shown = texts(review_page())
    places = [shown.index(words) for words in ("décision automatique", "le client conteste", "décidée autrement par")]
    assert places == sorted(places)


def test_the_queue_of_contested_decisions_is_another_list(review_page, service: Service):
    opened = review_page()
    opened.radio(key="review_queue").set_value("contested").run()
    assert [query["state"] for query in asked(service)][-1] == ["contested"]


def test_an_empty_queue_and_a_service_that_is_down_are_told(review_page, service: Service):
    service.answers["/decisions"] = (200, {"decisions": [], "next": None})
    assert "Aucun dossier dans cette file" in texts(review_page())
    service.answers["/decisions"] = (503, problem(503))
    assert "ne peut pas répondre pour le moment" in texts(review_page())


def test_an_unreadable_entry_is_listed_as_such(review_page, service: Service):
    unreadable = dict.fromkeys(SUMMARY) | {"decision_id": ID, "decided_at": SUMMARY["decided_at"]}
    serve(service, **unreadable)
    (label,) = review_page().radio(key="review_waiting_chosen").options
    assert "entrée illisible" in label


def test_older_decisions_are_on_the_next_page(review_page, service: Service):
    service.answers["/decisions"] = (200, {"decisions": [SUMMARY], "next": "1.0a1b"})
    opened = press(review_page(), "next_page")
    assert asked(service)[-1]["after"] == ["1.0a1b"]
    press(opened, "first_page")
    assert "after" not in asked(service)[-1]


# The page that retrieves decisions


def test_criteria_select_the_list(decisions_page, service: Service):
    opened = decisions_page()
    opened.text_input(key="filter_client").set_value("100 123")
    opened.text_input(key="filter_since").set_value("1/11/2026")
    opened.text_input(key="filter_until").set_value("2026-11-30")
    opened.selectbox(key="filter_state").set_value("reviewed")
    opened.selectbox(key="filter_outcome").set_value("refused")
    press(opened, "filter_search")

    assert asked(service)[-1] == {
        "state": ["reviewed"],
        "outcome": ["refused"],
        "client": ["100123"],
        "since": ["2026-11-01T00:00:00+00:00"],
        "until": ["2026-12-01T00:00:00+00:00"],
        "limit": ["20"],
    }


def test_times_and_days_are_those_of_the_browser(review_page, decisions_page, service: Service, monkeypatch):
    monkeypatch.setattr(ContextProxy, "timezone", property(lambda _: "Europe/Paris"))

    (label,) = review_page().radio(key="review_waiting_chosen").options
    assert "25/11/2026 à 10:41 ·" in plain(label)
    opened = decisions_page()
    opened.text_input(key="filter_since").set_value("25/11/2026")
    press(opened, "filter_search")

    assert asked(service)[-1]["since"] == ["2026-11-25T00:00:00+01:00"]


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("filter_client", "12a", "un nombre entier"),
        ("filter_since", "31/02/2026", "n'est pas une date"),
        ("filter_until", "hier", "n'est pas une date"),
    ],
)
def test_a_criterion_that_is_wrong_is_told_and_nothing_is_asked(decisions_page, service: Service, key, text, words):
    opened = decisions_page()
    before = len(asked(service))
    opened.text_input(key=key).set_value(text)
    opened = press(opened, "filter_search")
    assert words in texts(opened)
    assert len(asked(service)) == before


def test_an_address_with_a_decision_opens_it(decisions_page):
    opened = decisions_page(decision=ID)
    assert "## ◐ Client 100123" in texts(opened)
    opened = press(opened, "decisions_back")
    assert "decision" not in opened.query_params
    assert opened.radio(key="decisions_chosen").options


def test_the_number_of_a_decision_opens_it(decisions_page):
    opened = decisions_page()
    opened.text_input(key="filter_id").set_value(f" {ID} ")
    opened = press(opened, "filter_search")
    assert opened.query_params["decision"] in (ID, [ID])
    assert "## ◐ Client 100123" in texts(opened)


@pytest.mark.usefixtures("page")
def test_an_address_without_a_page_opens_the_decision_it_names(service: Service, monkeypatch):
    serve(service)
    opened = opened_by(monkeypatch, "en-GB", decision=ID)

    assert [title.value for title in opened.title] == [messages.say("en", "decisions_title")]
    assert "Client 100123:" in texts(opened)
    assert opened.query_params["decision"] in (ID, [ID])


def test_an_unknown_decision_is_told(decisions_page):
    assert "aucune décision de ce numéro" in texts(decisions_page(decision="../model"))


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("same", "donne la même décision"),
        ("different", "donne un autre résultat"),
        ("other code", "Le programme a changé"),
        ("other model", "Le modèle a changé"),
        ("purged", "ont été effacées"),
    ],
)
def test_the_result_of_deciding_again_is_told(decisions_page, service: Service, verdict, words):
    answer = {"decision_id": ID, "verdict": verdict, "differences": []}
    service.answers[f"/decisions/{ID}/replay"] = (200, answer)
    opened = decisions_page(decision=ID)
    opened.button(key="replay").click().run()
    assert words in texts(opened)


def test_a_purged_decision_shows_what_stays(decisions_page, service: Service):
    serve(service, PURGED)
    opened = decisions_page(decision=ID)
    shown = texts(opened)
    assert "Client effacé" in shown
    assert "Motif : effacé" in shown
    assert not opened.text_area


def test_both_pages_speak_english(review_page, decisions_page, service: Service):
    serve(service, RECORD | {"contests": [CONTEST], "reviews": [REVIEW]})
    for opened in (speak(review_page(), "en"), speak(decisions_page(decision=ID), "en")):
        shown = texts(opened)
        assert "Client 100123: To be reviewed by a person" in shown
        assert "History of the decision" in shown
        assert "Historique" not in shown
