"""What Streamlit cannot set: the language of the page and of its words, contrast, print, the cookie."""

import json
from functools import cache
from pathlib import Path

from ui import session
from ui.texts import streamlit_words

FOLDER = Path(__file__).parent


@cache
def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def page_settings(language: str) -> str:
    """Return the HTML with script and style that each page begins with."""
    words, patterns = streamlit_words.WORDS, list(streamlit_words.PATTERNS.items())
    if language != "fr":
        # Unique, so that each French word leads back to one English word.
        words, patterns = {french: english for english, french in reversed(words.items())}, []
    settings = json.dumps({"words": words, "patterns": patterns}).replace("<", "\\u003c")
    script = _file("page.js").replace("SETTINGS", settings, 1)
    return (
        f"<script>document.documentElement.lang = '{language}'; {session.cookie_script()}\n{script}</script>"
        f"<style>{_file('page.css')}</style>"
    )
