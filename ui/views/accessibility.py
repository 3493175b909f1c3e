"""The statement of accessibility: checks, limits, and how to report a problem."""

from pathlib import Path

import streamlit as st

from ui import messages, session
from ui.settings import Settings

STATEMENT = Path(__file__).parents[1] / "statement"
"""Folder of the statement, one Markdown file a language; docs/accessibility.md holds the same texts."""


def show() -> None:
    """Show the statement in the language of the page."""
    language = session.language()
    st.title(messages.say(language, "accessibility_title"), anchor=False)
    text = (STATEMENT / f"accessibility.{language}.md").read_text(encoding="utf-8")
    contact = Settings().accessibility_contact or messages.say(language, "accessibility_contact")
    st.markdown(text.replace("{contact}", messages.plain(contact)))


show()
