"""The page, and the local server it talks to."""

import copy
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from tests.support.deadlines import timeout_s
from tests.ui.stand_in import CREDIT_FILE, EXPLANATION, PREDICTION, Service
from ui.desk import new_token

APP = Path(__file__).parents[2] / "ui" / "app.py"

Page = Callable[..., AppTest]


@pytest.fixture
def credit_file() -> dict[str, Any]:
    return copy.deepcopy(CREDIT_FILE)


@pytest.fixture
def prediction() -> dict[str, Any]:
    """A decision as the service sends it."""
    return copy.deepcopy(PREDICTION)


@pytest.fixture
def explanation() -> dict[str, Any]:
    """An explanation as the service sends it."""
    return copy.deepcopy(EXPLANATION)


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session", autouse=True)
def _quick_pages() -> Iterator[None]:
    """Streamlit looks through all installed packages for components whenever a page opens: none is what it finds."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(manifest_scanner, "scan_component_manifests", list)
        yield


@pytest.fixture
def page(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """Opens the page in a language and a browser, with one example client, before the local service."""
    (tmp_path / "client_100123.json").write_text(json.dumps(CREDIT_FILE), encoding="utf-8")
    monkeypatch.setenv("API_URL", service.url)
    monkeypatch.delenv("SCORING_API_KEY", raising=False)
    monkeypatch.setenv("API_TIMEOUT", "5")
    monkeypatch.setenv("UI_EXAMPLES", str(tmp_path))
    monkeypatch.setenv("UI_DRAFTS", str(tmp_path / "drafts"))
    st.cache_data.clear()
    st.cache_resource.clear()

    def open_page(language: str = "fr", browser: str = "", officer: str = "Zoé Martin") -> AppTest:
        app = AppTest.from_file(APP, default_timeout=timeout_s(20))
        app.session_state["language"] = language
        app.session_state["desk_token"] = browser or new_token()
        if officer:
            app.session_state["officer"] = officer
        return app.run()

    return open_page
