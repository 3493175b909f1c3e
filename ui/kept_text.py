"""A text area whose text outlasts the page: another decision, another language, a reload, a restart."""

import streamlit as st

from ui import session


def text_area(label: str, name: str, *, max_chars: int) -> str:
    """Show a text area, and return its text, which is kept under a name until it is forgotten.

    `ui/page.js` has the browser send it while it is typed; Streamlit alone would send it when the field is left.
    """
    if name not in st.session_state:
        st.session_state[name] = session.kept(name) or ""
    return (
        st.text_area(label, st.session_state[name], key=name, max_chars=max_chars, on_change=_keep, args=(name,)) or ""
    )


def forget(name: str) -> None:
    """Forget what was entered under a name; the text area is empty when it is shown next."""
    st.session_state.pop(name, None)
    session.keep(name, None)


def _keep(name: str) -> None:
    """Keep a text; before the page is drawn, as its text area may not be on the page that was asked for with it."""
    session.keep(name, st.session_state[name])
