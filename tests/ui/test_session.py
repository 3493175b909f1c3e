"""Language, sign-in and menu, which all pages share."""

import pytest
from streamlit.runtime.context import ContextProxy

from tests.ui.steps import notices, opened_by, press, speak, texts
from ui import page as page_html
from ui.texts import streamlit_words


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(
    ("locale", "language"),
    [("fr-FR", "fr"), ("fr", "fr"), ("en-GB", "en"), ("de-DE", "en"), (None, "fr")],
)
def test_the_language_follows_the_browser(monkeypatch, locale, language):
    opened = opened_by(monkeypatch, locale)

    assert opened.session_state["language"] == language
    assert opened.query_params["lang"] == language


@pytest.mark.usefixtures("page")
def test_the_language_of_the_address_counts_more(monkeypatch):
    assert opened_by(monkeypatch, "fr-FR", lang="en").session_state["language"] == "en"
    assert opened_by(monkeypatch, "fr-FR", lang="xx").session_state["language"] == "fr"


@pytest.mark.usefixtures("page")
def test_a_chosen_language_stands_in_the_address(monkeypatch):
    opened = opened_by(monkeypatch, "fr-FR")

    speak(opened, "en")

    assert opened.query_params["lang"] == "en"


@pytest.mark.usefixtures("page", "service")
def test_with_an_identity_provider_nothing_is_shown_before_the_sign_in(monkeypatch, service):
    monkeypatch.setattr("ui.session.get_secrets_auth_section", lambda: {"client_id": "x"})
    monkeypatch.setattr("streamlit.user_info.get_secrets_auth_section", lambda: {"client_id": "x"})

    opened = opened_by(monkeypatch, "fr-FR")

    assert [button.label for button in opened.button] == ["Se connecter"]
    assert not opened.sidebar.button  # a phone opens with its menu closed
    assert "Connectez-vous pour travailler" in texts(opened)
    assert not service.received


@pytest.mark.usefixtures("page")
def test_where_sign_in_is_required_but_not_set_up_the_page_stays_closed(monkeypatch, service):
    monkeypatch.setenv("UI_SIGN_IN", "required")

    opened = opened_by(monkeypatch, "en-GB")

    assert [notice.value for notice in opened.error] == [
        "Sign-in is required, but is not set up: tell the administrator of this page."
    ]
    assert not service.received
    assert not opened.title


def test_a_decision_is_dated_in_the_time_of_the_browser(page, monkeypatch):
    monkeypatch.setattr(ContextProxy, "timezone", property(lambda _: "Europe/Paris"))
    assert "Décision enregistrée le 25/11/2026 à 10:41 sous" in texts(press(page(), "decide"))

    monkeypatch.setattr(ContextProxy, "timezone", property(lambda _: "Nowhere/At all"))
    assert "Décision enregistrée le 25/11/2026 à 09:41 (UTC) sous" in texts(press(page(), "decide"))


def test_a_name_is_kept_for_the_browser(page):
    opened = page(browser="a" * 43, officer="Zoé Martin")

    again = page(browser="a" * 43, officer="")

    assert not opened.exception
    assert again.text_input(key="officer").value == "Zoé Martin"
    press(again, "decide")
    assert not any("donnez d'abord votre nom" in notice.value for notice in notices(again))
    assert page(browser="b" * 43, officer="").text_input(key="officer").value == ""


def test_the_script_of_the_page_translates_both_ways(page, monkeypatch):
    page()
    monkeypatch.setattr("ui.session.cookie_script", lambda: "")

    assert '"Upload": "D\\u00e9poser"' in page_html.page_settings("fr")
    assert '"D\\u00e9poser": "Upload"' in page_html.page_settings("en")
    assert "lang = 'en'" in page_html.page_settings("en")
    assert not set(streamlit_words.WORDS) & set(streamlit_words.WORDS.values())


def test_the_state_of_the_service_is_shown(page):
    assert "✔ Le service de notation répond." in texts(page())
