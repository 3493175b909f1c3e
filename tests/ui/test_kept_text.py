"""Texts that officers type outlast another decision, another client, a reload and a language."""

import copy
import json

import pytest

from tests.ui.records import ID, RECORD, SUMMARY, serve
from tests.ui.stand_in import CREDIT_FILE
from tests.ui.steps import enter, field, press, speak
from ui import messages

BROWSER = "a" * 43
OTHER = "0b5b0a0e-0000-4000-8000-000000000002"
REASON = "two payslips were seen"


@pytest.fixture
def review_page(page, service):
    """Opens the page of reviews with two decisions, in one browser."""
    serve(service)
    second = copy.deepcopy(SUMMARY) | {"decision_id": OTHER, "SK_ID_CURR": 100456}
    service.answers["/decisions"] = (200, {"decisions": [SUMMARY, second], "next": None})
    service.answers[f"/decisions/{OTHER}"] = (200, copy.deepcopy(RECORD) | {"decision_id": OTHER})
    return lambda **options: page(browser=BROWSER, **options).switch_page("views/review.py").run()


def choose(page, decision):
    return page.radio(key="review_waiting_chosen").set_value(decision).run()


def test_a_reason_is_kept_with_its_decision(review_page):
    opened = review_page()
    opened.text_area(key=f"reason_{ID}").set_value(REASON).run()

    opened = choose(opened, OTHER)
    assert opened.text_area(key=f"reason_{OTHER}").value == ""

    opened = choose(speak(opened, "en"), ID)
    assert opened.text_area(key=f"reason_{ID}").value == REASON


def test_a_text_typed_while_another_decision_comes_is_kept(review_page):
    opened = review_page()
    opened.text_area(key=f"statement_{ID}").set_value("I earn more now")

    opened = choose(opened, OTHER)  # text and choice come in one

    assert choose(opened, ID).text_area(key=f"statement_{ID}").value == "I earn more now"


def test_a_text_is_there_after_a_reload_and_gone_once_it_is_recorded(review_page):
    review_page().text_area(key=f"statement_{ID}").set_value("I earn more now").run()

    opened = review_page()
    assert opened.text_area(key=f"statement_{ID}").value == "I earn more now"
    opened = press(opened, "contest_save")

    assert opened.text_area(key=f"statement_{ID}").value == ""
    assert review_page().text_area(key=f"statement_{ID}").value == ""


@pytest.fixture
def two_clients(page, tmp_path):
    """Opens the page that decides with two example clients."""
    second = copy.deepcopy(CREDIT_FILE)
    second["application"]["SK_ID_CURR"] = 100456
    (tmp_path / "client_100456.json").write_text(json.dumps(second), encoding="utf-8")
    return page(browser=BROWSER)


def test_an_amount_typed_while_another_client_comes_is_kept(two_clients):
    field(two_clients, "AMT_CREDIT").set_value("12x")

    opened = two_clients.selectbox(key="example/fr").set_value("client_100456.json").run()
    assert field(opened, "AMT_CREDIT").value == messages.number("fr", CREDIT_FILE["application"]["AMT_CREDIT"])

    opened = opened.selectbox(key="example/fr").set_value("client_100123.json").run()
    assert field(opened, "AMT_CREDIT").value == "12x"


def test_the_reason_of_a_correction_is_kept_and_goes_with_the_changes(two_clients):
    opened = enter(two_clients, "AMT_CREDIT", "90 000")
    opened = next(one for one in opened.radio if "correction" in one.options[1]).set_value("correction").run()
    opened.text_area[0].set_value(REASON).run()

    opened = opened.selectbox(key="example/fr").set_value("client_100456.json").run()
    assert not opened.text_area
    opened = opened.selectbox(key="example/fr").set_value("client_100123.json").run()
    assert opened.text_area[0].value == REASON

    opened = enter(press(opened, "reset"), "AMT_CREDIT", "90 000")
    opened = next(one for one in opened.radio if "correction" in one.options[1]).set_value("correction").run()
    assert opened.text_area[0].value == ""
