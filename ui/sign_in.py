"""Let only those use the page who have signed in, where its environment asks for that."""

import streamlit as st
from streamlit.errors import StreamlitAuthError

from ui.settings import Settings

TEXTS = {
    "sign_in_first": {
        "fr": "Connectez-vous pour évaluer des dossiers.",
        "en": "Sign in to score files.",
    },
    "sign_in": {"fr": "Se connecter", "en": "Sign in"},
    "not_set_up": {
        "fr": "La connexion est exigée, mais n'est pas configurée : prévenez l'administrateur de cette page.",
        "en": "Sign-in is required, but is not set up: tell the administrator of this page.",
    },
}


def require(language: str, settings: Settings) -> None:
    """Show how to sign in, and nothing else of the page, to those who have not.

    Who may sign in is decided by the provider that the `[auth]` section of Streamlit's secrets names.
    """
    if settings.ui_sign_in == "off" or _is_signed_in():
        return
    try:
        is_set_up = "auth" in st.secrets
    except FileNotFoundError:
        is_set_up = False
    if not is_set_up:
        st.error(TEXTS["not_set_up"][language], icon=":material/lock:")
        st.stop()
    st.info(TEXTS["sign_in_first"][language], icon=":material/lock:")
    if st.button(TEXTS["sign_in"][language], type="primary"):
        try:
            st.login()
        except StreamlitAuthError:
            st.error(TEXTS["not_set_up"][language], icon=":material/lock:")
    st.stop()


def _is_signed_in() -> bool:
    return bool(st.user.get("is_logged_in", False))
