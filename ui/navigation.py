"""The pages of the application, in the order of the menu."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from ui import messages, session

VIEWS = Path(__file__).parent / "views"
"""Not named `pages`: Streamlit would run each file of such a folder by itself, without `ui/app.py`."""


@dataclass(frozen=True)
class Entry:
    """One page: `ui/views/{name}.py`, its address `/{name}`, or `/` of the first, and its title, `page_{name}`.

    The first has no other address in Streamlit: `/{name}` leads to it.
    """

    name: str
    icon: str
    """An icon of the font that Streamlit serves itself."""


ENTRIES = (
    Entry("decide", ":material/fact_check:"),
    Entry("review", ":material/rate_review:"),
    Entry("decisions", ":material/manage_search:"),
    Entry("portfolio", ":material/pie_chart:"),
    Entry("model", ":material/model_training:"),
    Entry("drift", ":material/trending_up:"),
    Entry("accessibility", ":material/accessibility_new:"),
)
"""The first is the page that opens."""


def pages(language: str) -> list[StreamlitPage]:
    """Return the pages with their titles in a language, and the hidden one that leads to the first."""
    first = ENTRIES[0]
    title = messages.say(language, f"page_{first.name}")
    return [
        st.Page(
            VIEWS / f"{entry.name}.py",
            title=messages.say(language, f"page_{entry.name}"),
            icon=entry.icon,
            url_path="" if entry is first else entry.name,
            default=entry is first,
        )
        for entry in ENTRIES
    ] + [st.Page(_open_first, title=title, url_path=first.name, visibility="hidden")]


def _open_first() -> None:
    """Switch to the first page, with what the address holds."""
    st.switch_page(VIEWS / f"{ENTRIES[0].name}.py", query_params=st.query_params.to_dict())


def open_decision(chosen: StreamlitPage) -> None:
    """Switch to the page of decisions where the address names one but no page, now or before the sign-in."""
    if chosen.url_path:
        return
    number = st.query_params.get(session.DECISION) or session.kept(session.DECISION)
    if number:
        session.keep(session.DECISION, None)
        st.switch_page(VIEWS / "decisions.py", query_params={**st.query_params.to_dict(), session.DECISION: number})
