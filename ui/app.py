"""The application of the loan officers: language, sign-in, menu, and the page that was chosen.

    streamlit run ui/app.py

`ui/settings.py` lists what the environment may set.
"""

import sys
from pathlib import Path

import streamlit as st

ROOT = str(Path(__file__).parents[1])
if ROOT not in sys.path:  # `streamlit run` adds the folder of the script, not the root of the project
    sys.path.append(ROOT)

from ui import messages, navigation, page, session  # noqa: E402

# Served by Streamlit; an icon by its name would be fetched from another host.
ICON = Path(__file__).parent / "icon.svg"


def main() -> None:
    """Show what all pages share, then the page."""
    language = session.language()
    st.set_page_config(page_icon=ICON, layout="wide")  # first: the browser would fetch the menu's icon as the page's
    chosen = st.navigation(navigation.pages(language))
    st.set_page_config(page_title=messages.say(language, "document_title", page=chosen.title))
    st.html(page.page_settings(language), unsafe_allow_javascript=True)
    with st.sidebar:
        session.choose_language()
    session.require_sign_in()
    with st.sidebar:
        session.identify()
        session.show_service_state()
    navigation.open_decision(chosen)
    chosen.run()


main()
