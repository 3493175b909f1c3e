"""Show the letter to a client, with its download as PDF."""

from functools import partial

import streamlit as st

from ui import client, letter, messages
from ui.answers import Explanation, Prediction
from ui.settings import Settings


def show_letter(
    language: str, prediction: Prediction, explanation: Explanation | None, credit_file: client.CreditFile
) -> None:
    """Show the letter on a recorded decision, in the client's language; a simulation has none."""
    if prediction.simulated:
        return
    say = partial(messages.say, language)
    st.subheader(say("letter"), anchor=False)
    key = f"letter_language/{language}"
    languages = [language, *(other for other in messages.LANGUAGES if other != language)]
    chosen = st.radio(say("letter_language"), languages, format_func=messages.LANGUAGES.get, key=key, horizontal=True)
    written = letter.written_letter(chosen, prediction, explanation, credit_file, Settings())
    st.download_button(
        say("letter_pdf"),
        partial(letter.pdf, written),
        file_name=f"{prediction.client}_{prediction.decided_at:%Y-%m-%d}.pdf",
        mime="application/pdf",
        icon=":material/picture_as_pdf:",
        on_click="ignore",
        key="letter_pdf",
    )
    with st.container(border=True, key="letter"):
        st.html(letter.markup(written))
