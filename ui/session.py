"""What all pages share: settings, language, the officer, and the connection to the service."""

from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import streamlit as st
from streamlit.auth_util import get_secrets_auth_section, is_authlib_installed

from ui import client, desk, messages
from ui.settings import Settings

DECISION = "decision"
"""The parameter of an address that names a decision."""
SERVICE_STATE_TTL = "5s"
"""Time for which the menu shows the same state of the service."""


@st.cache_resource
def connection(settings: Settings) -> httpx.Client:
    """Open one connection to the service for all sessions."""
    return client.connect(settings.api_url, settings.api_timeout, settings.scoring_api_key)


def service() -> httpx.Client:
    """Return the connection to the service.

    Raises NoAnswerError where the address or the access key is invalid.
    """
    return connection(Settings())


@st.cache_data(ttl="10m", show_spinner=False)
def declared_tables(settings: Settings) -> client.Tables:
    """Request the columns of the tables; cached, because they hold no personal data."""
    return client.declared_tables(connection(settings))


def kept(key: str, default: Any = None) -> Any:
    """Return a value that the browser's desk keeps over reloads."""
    return _desk().get(key, default)


def keep(key: str, value: Any) -> None:
    """Keep a value over reloads, as JSON; other tabs of the browser keep theirs."""
    content = _desk()
    if key in content and content[key] == value:
        return
    content[key] = value
    desks, token = desk.Desks(Settings().ui_drafts), st.session_state["desk_token"]
    desks.save(token, desks.load(token) | {key: value})


def _desk() -> dict[str, Any]:
    if "desk" not in st.session_state:
        desks = desk.Desks(Settings().ui_drafts)
        desks.delete_old()
        if "desk_token" not in st.session_state:
            cookie = st.context.cookies.get(desk.COOKIE)
            st.session_state["desk_token"] = cookie if cookie and desk.is_token(cookie) else desk.new_token()
        st.session_state["desk"] = desks.load(st.session_state["desk_token"])
    content: dict[str, Any] = st.session_state["desk"]
    return content


def cookie_script() -> str:
    """Return the script that has the browser keep the token of its desk."""
    _desk()
    return (
        f"document.cookie = '{desk.COOKIE}={st.session_state['desk_token']}; path=/; max-age={desk.MAX_AGE_S:.0f}; "
        "samesite=strict' + (location.protocol === 'https:' ? '; secure' : '');"
    )


@st.cache_data(ttl=SERVICE_STATE_TTL, show_spinner=False)
def service_fault(settings: Settings) -> client.FaultKind | None:
    """Return why the service cannot answer at present; None where it can."""
    try:
        client.check_ready(connection(settings))
    except client.NoAnswerError as error:
        return error.kind
    return None


def language() -> str:
    """Return the language of the page: chosen, or that of the address, or that of the browser."""
    if "language" not in st.session_state:
        asked, browser = st.query_params.get("lang"), st.context.locale or "fr"
        st.session_state["language"] = asked if asked in messages.LANGUAGES else "fr" if browser[:2] == "fr" else "en"
    chosen: str = st.session_state["language"]
    return chosen


def time_zone() -> tzinfo:
    """Return the time zone of the browser; UTC where it is not known."""
    try:
        return ZoneInfo(st.context.timezone or "")
    except (ValueError, TypeError, ZoneInfoNotFoundError):
        return UTC


def moment(language: str, when: datetime) -> str:
    """Format a time in the time zone of the browser."""
    return messages.moment(language, when, time_zone())


def choose_language() -> None:
    """Show the choice of the language, which the session and the address keep."""
    chosen = language()
    if st.query_params.get("lang") != chosen:
        st.query_params["lang"] = chosen
    st.radio(
        messages.say(chosen, "language"),
        list(messages.LANGUAGES),
        list(messages.LANGUAGES).index(chosen),
        format_func=messages.LANGUAGES.get,
        key="language",
        horizontal=True,
    )


def signs_in() -> bool:
    """Return whether an identity provider is set up, in the section `auth` of Streamlit's secrets."""
    return bool(get_secrets_auth_section()) and is_authlib_installed()


def officer() -> str:
    """Return the name of the officer, who decides and reviews; empty while it is not given."""
    if signs_in():
        return str(st.user.get("name") or st.user.get("email") or "") if st.user.is_logged_in else ""
    return str(st.session_state.get("officer", "")).strip()


def require_sign_in() -> None:
    """Stop the page until the officer signs in, where an identity provider is set up; where one must be, say so."""
    say = partial(messages.say, language())
    if not signs_in():
        if Settings().ui_sign_in == "required":
            st.error(say("sign_in_not_set_up"))
            st.stop()
        return
    if st.user.is_logged_in:
        return
    if st.query_params.get(DECISION) != kept(DECISION):  # the provider leads back to the address without it
        keep(DECISION, st.query_params.get(DECISION))
    st.title(say("page_title"), anchor=False)
    st.markdown(say("sign_in_first"))
    st.button(say("sign_in"), type="primary", on_click=st.login)
    st.stop()


def identify() -> None:
    """Show who works on the page, or ask."""
    say = partial(messages.say, language())
    if signs_in():
        st.text(say("signed_in", name=officer()))
        st.button(say("sign_out"), on_click=st.logout)
        return
    st.session_state.setdefault("officer", kept("officer", ""))
    st.text_input(
        say("officer"),
        st.session_state["officer"],
        key="officer",
        max_chars=100,
        help=say("officer_help"),
        autocomplete="name",
        live=True,
    )
    keep("officer", officer())
    if officer():
        st.text(say("officer_taken", name=officer()))


def show_service_state() -> None:
    """Show whether the service can answer."""
    is_ready = service_fault(Settings()) is None
    st.caption(messages.say(language(), "service_ready" if is_ready else "service_down"))
