"""Where sign-in is required, nothing of the page is shown to those who have not signed in."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.deadlines import timeout_s
from ui import sign_in

AUTH = {
    "redirect_uri": "http://localhost/oauth2callback",
    "cookie_secret": "invented",
    "client_id": "page",
    "client_secret": "invented",
    "server_metadata_url": "http://127.0.0.1:9/.well-known/openid-configuration",
}


def _page() -> None:
    import streamlit as st

    from ui import sign_in
    from ui.settings import Settings

    sign_in.require("en", Settings())
    st.write("a client's data")


def _opened(auth: dict[str, Any] | None = None) -> AppTest:
    app = AppTest.from_function(_page, default_timeout=timeout_s(20))
    if auth is not None:
        app.secrets["auth"] = auth
    return app.run()


def _shown(app: AppTest) -> list[str]:
    assert not app.exception
    return [element.value for kind in (app.markdown, app.info, app.error) for element in kind]


def test_without_the_setting_nobody_has_to_sign_in():
    assert _shown(_opened()) == ["a client's data"]


def test_who_has_not_signed_in_sees_nothing_but_how_to(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("UI_SIGN_IN", "required")

    app = _opened(AUTH)

    assert _shown(app) == ["Sign in to score files."]
    assert [button.label for button in app.button] == ["Sign in"]


def test_where_sign_in_is_required_but_not_set_up_the_page_stays_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("UI_SIGN_IN", "required")

    (shown,) = _shown(_opened())

    assert "not set up" in shown


def test_who_has_signed_in_sees_the_page(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("UI_SIGN_IN", "required")
    monkeypatch.setattr(sign_in, "_is_signed_in", lambda: True)

    assert _shown(_opened(AUTH)) == ["a client's data"]


def test_every_text_exists_in_both_languages():
    assert all(text.keys() == {"fr", "en"} and all(text.values()) for text in sign_in.TEXTS.values())
