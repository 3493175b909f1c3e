"""A local HTTP server instead of the scoring service, which answers as its contract says."""

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def nullable(**schema: Any) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


# The document as the service writes it: a reference for each table, an alternative of null for what may be missing.
DOCUMENT: dict[str, Any] = {
    "paths": {
        "/explain": {
            "post": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CreditFile"}}}
                }
            }
        }
    },
    "components": {
        "schemas": {
            "CreditFile": {
                "properties": {
                    "application": {"$ref": "#/components/schemas/application_row"},
                    "bureau": {"type": "array", "items": {"$ref": "#/components/schemas/bureau_row"}},
                }
            },
            "bureau_row": {
                "properties": {
                    "SK_ID_CURR": nullable(type="integer", minimum=1.0),
                    "SK_ID_BUREAU": nullable(type="integer", minimum=1.0),
                    "CREDIT_ACTIVE": nullable(type="string", examples=["Active", "Closed"]),
                    "DAYS_CREDIT": nullable(type="integer", minimum=-30000.0, maximum=0.0),
                    "AMT_CREDIT_SUM": nullable(type="number", minimum=0.0),
                },
            },
            "application_row": {
                "required": ["SK_ID_CURR", "AMT_CREDIT", "AMT_INCOME_TOTAL", "DAYS_BIRTH"],
                "properties": {
                    "SK_ID_CURR": {"type": "integer", "minimum": 1.0},
                    "AMT_CREDIT": {"type": "number", "minimum": 0.0},
                    "AMT_ANNUITY": {"type": "number", "minimum": 0.0},
                    "AMT_INCOME_TOTAL": {"type": "number", "minimum": 0.0},
                    "DAYS_BIRTH": {"type": "integer", "minimum": -50000.0, "maximum": -1.0},
                    "DAYS_EMPLOYED": nullable(type="integer", minimum=-50000.0, maximum=365243.0),
                    "CNT_CHILDREN": nullable(type="integer", minimum=0.0, maximum=50.0),
                    "NAME_INCOME_TYPE": nullable(
                        type="string",
                        examples=["Pensioner", "State servant", "Working"],
                        labels={
                            "Pensioner": {"en": "pensioner", "fr": "retraité"},
                            "State servant": {"en": "civil servant", "fr": "fonctionnaire"},
                            "Working": {"en": "employee", "fr": "salarié"},
                        },
                    ),
                    "EXT_SOURCE_1": nullable(type="number", minimum=0.0, maximum=1.0),
                    "FLAG_MOBIL": nullable(type="integer", minimum=0.0, maximum=1.0, unit="flag"),
                    "CODE_GENDER": nullable(type="string", examples=["F", "M"]),
                },
            },
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

WARNINGS = [
    {
        "kind": "unknown_category",
        "field": "application.NAME_INCOME_TYPE",
        "message": {"en": "unknown category 'Astronaut'", "fr": "catégorie inconnue 'Astronaut'"},
    }
]

PREDICTION: dict[str, Any] = {
    "decision_id": "0198f2c1-7a4e-7b30-9d53-0f6a2f3c1b77",
    "purpose": "decision",
    "decided_at": "2026-11-25T09:41:07.123456Z",
    "SK_ID_CURR": 100123,
    "probability_of_default": 0.1824255238063563,
    "score_points": 530.4,
    "decision": "refused",
    "threshold": 0.0909,
    "review_band": None,
    "expected_cost": {"if_granted": 1.824255238063563, "if_refused": 0.8175744761936437},
    "reasons": [
        {
            "code": "R01",
            "group": "external_scores",
            "direction": "raises",
            "contribution": 1.25,
            "text": {
                "en": "Your external scores raise your estimated risk of default. Mean: 0.31.",
                "fr": "Vos scores externes augmentent votre risque d'impayé estimé. Moyenne : 0,31.",
            },
            "facts": [],
        },
        {
            "code": "R04",
            "group": "employment",
            "direction": "lowers",
            "contribution": -0.25,
            "text": {
                "en": "Your employment lowers your estimated risk of default. Time in present job: 3 years.",
                "fr": "Votre emploi réduit votre risque d'impayé estimé. Ancienneté : 3 ans.",
            },
            "facts": [],
        },
    ],
    "model": {"name": "credit_scoring", "version": "3"},
    "warnings": WARNINGS,
}
SIMULATED: dict[str, Any] = {"decision_id": None, "purpose": "simulation"}
RULE_TEXT = {
    "en": "Your instalments would take 40% of your income.",
    "fr": "Vos mensualités prendraient 40 % du revenu.",
}
RULED: dict[str, Any] = {
    "probability_of_default": 0.05,
    "rules": [{"code": "affordability", "outcome": "review", "text": RULE_TEXT, "facts": []}],
}
"""What differs where a rule makes the decision stricter than the model's."""
REVIEW: dict[str, Any] = {"decision": "review", "review_band": {"low": 0.07, "high": 0.2, "capacity": 0.1}}

COUNTERFACTUAL_TEXT = {
    "en": "With a loan of 380,000 instead of 450,000, the credit would be granted.",
    "fr": "Avec un crédit de 380 000 au lieu de 450 000, il serait accordé.",
}
EXPLANATION: dict[str, Any] = {
    "SK_ID_CURR": 100123,
    "probability_of_default": 0.1824255238063563,
    "threshold": 0.0909,
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
            "similar": 0.52,
            "value_text": {"en": "0.31", "fr": "0,31"},
            "similar_text": {"en": "0.52", "fr": "0,52"},
            "among_all": {
                "values": [0.3, 0.4, 0.5, 0.6, 0.7],
                "texts": [{"en": f"0.{n}", "fr": f"0,{n}"} for n in range(3, 8)],
            },
            "among_similar": {
                "values": [0.35, 0.4, 0.5, 0.6, 0.7],
                "texts": [{"en": text, "fr": text.replace(".", ",")} for text in ("0.35", "0.4", "0.5", "0.6", "0.7")],
            },
            "contribution": 1.25,
        },
        *(
            {
                "feature": f"application_employment_{number}",
                "group": "employment",
                "meaning": {"en": f"Employment item {number}", "fr": f"Donnée d'emploi {number}"},
                "unit": "days",
                "value": None,
                "similar": 900.0,
                "value_text": None,
                "similar_text": {"en": "2.5 years", "fr": "2,5 ans"},
                "contribution": -0.25 / 16,
            }
            for number in range(16)
        ),
    ],
    "similar_clients": {
        "description": {
            "en": "clients with the same source of income",
            "fr": "clients ayant la même source de revenus",
        },
        "clients": 4210,
    },
    "counterfactual": {
        "decision": "refused",
        "proposals": [
            {
                "kind": "smaller_loan",
                "changes": [
                    {"column": "AMT_CREDIT", "value": 450000.0, "needed": 380000.0},
                    {"column": "AMT_ANNUITY", "value": 22500.0, "needed": 19000.0},
                ],
                "months": None,
                "months_asked": None,
                "down_payment": None,
                "cost": 0.156,
                "probability_of_default": 0.089,
                "text": COUNTERFACTUAL_TEXT,
            }
        ],
        "text": COUNTERFACTUAL_TEXT,
    },
    "model": {"name": "credit_scoring", "version": "3"},
    "warnings": WARNINGS,
}


def problem(status: int, detail: str = "The request cannot be answered.", *errors: dict[str, Any]) -> dict[str, Any]:
    """The body of an error (RFC 9457)."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "status": status, "title": title, "detail": detail, "errors": list(errors)}


@dataclass(frozen=True)
class Received:
    """One request as the service got it."""

    path: str
    headers: Mapping[str, str]
    body: Any


class Service(ThreadingHTTPServer):
    """Answers each path with a fixed status and body, after a fixed time, and keeps what it was asked and sent.

    A simulation is answered as the decision is, without its number.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, tuple[int, Any]] = {
            "/readyz": (200, ""),
            "/docs.json": (200, DOCUMENT),
            "/predict": (200, PREDICTION),
            "/explain": (200, EXPLANATION),
        }
        self.headers: dict[str, str] = {}
        self.seconds = 0.0
        self.asked: list[Received] = []
        self.received: list[Received] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path: str) -> tuple[int, Any]:
        path, _, query = path.partition("?")
        status, body = self.answers.get(path, (404, problem(404)))
        if path == "/predict" and query == "purpose=simulation" and isinstance(body, dict) and status == 200:
            body = body | SIMULATED
        return status, body


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.server.asked.append(Received(self.path, dict(self.headers), None))
        self._reply()

    def _reply(self) -> None:
        status, body = self.server.answer(self.path)
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append(Received(self.path, dict(self.headers), body))
        time.sleep(self.server.seconds)
        with contextlib.suppress(BrokenPipeError):  # who asked no longer waits
            self._reply()

    def log_message(self, *_: object) -> None:
        pass
