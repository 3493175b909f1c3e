"""A local HTTP server in the place of the scoring service, and the page that talks to it."""

import contextlib
import copy
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

APP = Path(__file__).parents[2] / "ui" / "app.py"

Page = Callable[..., AppTest]


def nullable(**schema: Any) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


# The document as BentoML writes it: a reference for each table, an alternative of null for what may be missing.
DOCUMENT: dict[str, Any] = {
    "paths": {
        "/explain": {
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {"properties": {"application": {"$ref": "#/components/schemas/application_row"}}}
                        }
                    }
                }
            }
        }
    },
    "components": {
        "schemas": {
            "application_row": {
                "required": ["SK_ID_CURR", "AMT_CREDIT", "AMT_ANNUITY", "AMT_INCOME_TOTAL", "DAYS_BIRTH"],
                "properties": {
                    "SK_ID_CURR": {"type": "integer", "minimum": 1.0},
                    "AMT_CREDIT": {"type": "number", "minimum": 0.0},
                    "AMT_ANNUITY": {"type": "number", "minimum": 0.0},
                    "AMT_INCOME_TOTAL": {"type": "number", "minimum": 0.0},
                    "DAYS_BIRTH": {"type": "integer", "minimum": -50000.0, "maximum": -1.0},
                    "DAYS_EMPLOYED": nullable(type="integer", minimum=-50000.0, maximum=365243.0),
                    "CNT_CHILDREN": nullable(type="integer", minimum=0.0, maximum=50.0),
                    "NAME_INCOME_TYPE": nullable(type="string", examples=["Pensioner", "State servant", "Working"]),
                    "EXT_SOURCE_1": nullable(type="number", minimum=0.0, maximum=1.0),
                },
            }
        }
    },
}

CREDIT_FILE: dict[str, Any] = {
    "application": {
        "SK_ID_CURR": 100123,
        "AMT_CREDIT": 450000.0,
        "AMT_ANNUITY": 24750.5,
        "AMT_INCOME_TOTAL": 135000.0,
        "DAYS_BIRTH": -14643,
        "DAYS_EMPLOYED": -1100,
        "CNT_CHILDREN": 1,
        "NAME_INCOME_TYPE": "Working",
        "EXT_SOURCE_1": None,
        "FLAG_MOBIL": 1,
    },
    "bureau": [{"SK_ID_BUREAU": 7, "DAYS_CREDIT": -500}, {"SK_ID_BUREAU": 8, "DAYS_CREDIT": -90}],
}

ANSWER: dict[str, Any] = {
    "SK_ID_CURR": 100123,
    "probability_of_default": 0.1824255238063563,
    "decision": "refused",
    "threshold": 0.0909,
    "model": {"name": "credit_scoring", "version": "3"},
    "warnings": [
        {
            "field": "application.NAME_INCOME_TYPE",
            "message": {"en": "unknown category 'Astronaut'", "fr": "catégorie inconnue 'Astronaut'"},
        }
    ],
    "log_odds": -1.5,
    "base_value": -2.5,
    "groups": [
        {"group": "external_scores", "label": {"en": "External scores", "fr": "Scores externes"}, "contribution": 1.25},
        {"group": "employment", "label": {"en": "Employment", "fr": "Emploi"}, "contribution": -0.25},
    ],
    "contributions": [
        {
            "feature": "application_ext_source_mean",
            "group": "external_scores",
            "meaning": {"en": "Mean of the external scores", "fr": "Moyenne des scores externes"},
            "unit": "score",
            "value": 0.31,
            "contribution": 1.25,
        },
        *(
            {
                "feature": f"application_employment_{number}",
                "group": "employment",
                "meaning": {"en": f"Employment item {number}", "fr": f"Donnée d'emploi {number}"},
                "unit": "days",
                "value": None,
                "contribution": -0.25 / 16,
            }
            for number in range(16)
        ),
    ],
}


@pytest.fixture
def credit_file() -> dict[str, Any]:
    return copy.deepcopy(CREDIT_FILE)


@pytest.fixture
def answer() -> dict[str, Any]:
    """An explanation as the service sends it."""
    return copy.deepcopy(ANSWER)


class Service(ThreadingHTTPServer):
    """Answers each path with a fixed status and body, after a fixed time, and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, tuple[int, Any]] = {
            "/readyz": (200, ""),
            "/docs.json": (200, DOCUMENT),
            "/explain": (200, ANSWER),
        }
        self.seconds = 0.0
        self.received: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        status, body = self.server.answers.get(self.path, (404, {"error": "not found"}))
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        time.sleep(self.server.seconds)
        with contextlib.suppress(BrokenPipeError):  # who asked no longer waits
            self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


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
    """Opens the page in a language, with one example client, before the local service."""
    (tmp_path / "client_100123.json").write_text(json.dumps(CREDIT_FILE), encoding="utf-8")
    monkeypatch.setenv("API_URL", service.url)
    monkeypatch.setenv("API_TIMEOUT", "5")
    monkeypatch.setenv("UI_EXAMPLES", str(tmp_path))
    st.cache_data.clear()
    st.cache_resource.clear()

    def open_page(language: str = "fr") -> AppTest:
        app = AppTest.from_file(APP, default_timeout=20)
        app.session_state["language"] = language
        return app.run()

    return open_page
