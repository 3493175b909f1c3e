"""The OpenAPI document of the service, and the page that shows it."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bento.api import endpoints
from bento.api.endpoints import Endpoint, formatted_size
from bento.api.listing import CURSOR, DEFAULT_SIZE, MAX_CLIENT, STATES
from bento.api.problems import DETAILS, MEDIA_TYPE, Problem
from bento.api.schemas import (
    BatchPrediction,
    BatchRequest,
    Contest,
    ContestOut,
    DecisionOut,
    DecisionPage,
    ModelCard,
    Prediction,
    ReplayOut,
    Review,
    ReviewOut,
)
from bento.data.credit_file import CreditFile
from bento.policy import Decision
from bento.scoring.explanation import Explanation
from bento.settings import LIMITS

ABOUT = """Decides on loan applications, explains the decisions, and keeps account of them.

Give your key as `Authorization: Bearer KEY`. Every error has the same shape (RFC 9457)."""
EXAMPLE: dict[str, Any] = {
    "application": {
        "SK_ID_CURR": 100001,
        "NAME_CONTRACT_TYPE": "Cash loans",
        "AMT_CREDIT": 450000,
        "AMT_ANNUITY": 22500,
        "AMT_GOODS_PRICE": 405000,
        "AMT_INCOME_TOTAL": 180000,
        "DAYS_BIRTH": -14600,
        "DAYS_EMPLOYED": -1460,
        "NAME_INCOME_TYPE": "Working",
        "EXT_SOURCE_2": 0.55,
    },
    "bureau": [{"SK_ID_BUREAU": 5000001, "CREDIT_ACTIVE": "Active", "DAYS_CREDIT": -400, "AMT_CREDIT_SUM": 90000}],
}
"""A credit file that works as it stands."""

PURPOSE = {
    "name": "purpose",
    "in": "query",
    "description": "decision: journalled, and binding; simulation: what if, and no trace is left",
    "schema": {"type": "string", "enum": ["decision", "simulation"], "default": "decision"},
}
REASONS = {
    "name": "reasons",
    "in": "query",
    "description": "also say what weighed most; takes several times as long",
    "schema": {"type": "boolean", "default": False},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "any text of the caller's: the same key with the same body gets the same decision again, with "
    "another body 409",
    "schema": {"type": "string", "maxLength": 200, "pattern": "^[!-~]+$"},
}
OFFICER = {
    "name": "Officer",
    "in": "header",
    "description": "the person who asks for the decision, as percent-encoded UTF-8; journalled with it",
    "schema": {"type": "string", "minLength": 1, "maxLength": 900, "pattern": "^[!-~]+$"},
}
CORRECTION = {
    "name": "Correction",
    "in": "header",
    "description": "why this person corrected the client's file, as percent-encoded UTF-8; journalled with it",
    "schema": {"type": "string", "minLength": 10, "maxLength": 9000, "pattern": "^[!-~]+$"},
}

DECISION_ID = {
    "name": "decision_id",
    "in": "path",
    "required": True,
    "description": "as `predict` gave it",
    "schema": {"type": "string"},
}
REVIEW: dict[str, Any] = {
    "verdict": "confirmed",
    "outcome": "granted",
    "reason": "income was seen on paper",
    "reviewer": "A. Officer",
}
CONTEST: dict[str, Any] = {"statement": "My income has risen since: see the payslip of May", "recorder": "A. Officer"}


def _filter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


_MOMENT = {"type": "string", "format": "date-time"}
FILTERS = (
    _filter(
        "state",
        "waiting: for a person; contested: by the client, and no review has come after; reviewed: by a person",
        {"type": "string", "enum": list(STATES), "default": "all"},
    ),
    _filter("outcome", "what holds now, reviews included", {"type": "string", "enum": list(Decision)}),
    _filter("client", "SK_ID_CURR", {"type": "integer", "minimum": 1, "maximum": MAX_CLIENT}),
    _filter("since", "decided at this moment or later", _MOMENT),
    _filter("until", "decided before this moment", _MOMENT),
    _filter("after", "`next` of the page before", {"type": "string", "pattern": f"^{CURSOR.pattern}$"}),
    _filter(
        "limit",
        "decisions of the page, at most",
        {"type": "integer", "minimum": 1, "maximum": LIMITS.max_listed_decisions, "default": DEFAULT_SIZE},
    ),
)
_REF = "#/components/schemas/{model}"


@dataclass(frozen=True)
class _Operation:
    """The description of one endpoint."""

    endpoint: Endpoint
    summary: str
    description: str
    answer: type[BaseModel]
    request: type[BaseModel] | None = None
    example: Any = None
    parameters: tuple[dict[str, Any], ...] = ()
    errors: tuple[int, ...] = ()
    status: int = 200
    operation_id: str | None = None
    """By default made of the path."""

    def described(self) -> dict[str, Any]:
        statuses = {401, 403, 429, 500, 503, 504, *self.errors}
        if self.request is not None:
            statuses |= {400, 408, 413, 415, 422}
        answers = {str(self.status): _content("answered", "application/json", self.answer)}
        described = {
            "summary": self.summary,
            "description": self.description,
            "operationId": self.operation_id
            or self.endpoint.path.strip("/").replace("/{decision_id}", "").replace("/", "_"),
            "tags": [self.endpoint.tag],
            "parameters": list(self.parameters),
            "responses": answers | {str(status): _problem(status) for status in sorted(statuses)},
        }
        if self.request is not None:
            content = {"schema": _reference(self.request), "example": self.example}
            described["requestBody"] = {"required": True, "content": {"application/json": content}}
        return described


_OPERATIONS = (
    _Operation(
        endpoints.PREDICT,
        "Decide on one application",
        "Probability of default, decision, expected cost and reasons; journalled before it is answered, unless it is a "
        f"simulation. The body may have {formatted_size(endpoints.PREDICT.max_body_bytes)}.",
        Prediction,
        CreditFile,
        EXAMPLE,
        (PURPOSE, IDEMPOTENCY_KEY, OFFICER, CORRECTION),
        (409,),
    ),
    _Operation(
        endpoints.PREDICT_BATCH,
        "Decide on up to 100 applications",
        "Each is answered or refused by itself, in their order. "
        f"The body may have {formatted_size(endpoints.PREDICT_BATCH.max_body_bytes)}.",
        BatchPrediction,
        BatchRequest,
        {"credit_files": [EXAMPLE]},
        (PURPOSE, REASONS, IDEMPOTENCY_KEY, OFFICER),
    ),
    _Operation(
        endpoints.EXPLAIN,
        "Explain what the model makes of an application",
        "Contributions, similar clients, and what would have to change; nothing is decided, and nothing is kept. "
        f"The body may have {formatted_size(endpoints.EXPLAIN.max_body_bytes)}.",
        Explanation,
        CreditFile,
        EXAMPLE,
    ),
    _Operation(
        endpoints.DECISIONS,
        "List decisions",
        "Newest first, a summary of each, in pages that hold although others decide meanwhile.",
        DecisionPage,
        parameters=FILTERS,
        errors=(422,),
        operation_id="list_decisions",
    ),
    _Operation(
        endpoints.DECISION,
        "Read a decision again",
        "What was decided, on what data, by which model, and why; and what became of it in review.",
        DecisionOut,
        parameters=(DECISION_ID,),
        errors=(404,),
    ),
    _Operation(
        endpoints.REVIEW,
        "Confirm or overturn a decision",
        "A person does, with a written reason; earlier reviews stay as they are.",
        ReviewOut,
        Review,
        REVIEW,
        (DECISION_ID,),
        (404, 409),
        201,
    ),
    _Operation(
        endpoints.CONTEST,
        "Take down what the client says against a decision",
        "In the client's own words. The decision is then listed as contested until a person reviews it; the same words "
        "are taken down once until then.",
        ContestOut,
        Contest,
        CONTEST,
        (DECISION_ID,),
        (404, 409),
        201,
    ),
    _Operation(
        endpoints.REPLAY,
        "Decide again, and compare",
        "The credit file of a decision once more, with the rules then in force: whether the result is the same. Only "
        "decisions of the model and the code in service are compared; `journal replay` compares others.",
        ReplayOut,
        parameters=(DECISION_ID,),
        errors=(404,),
    ),
    _Operation(
        endpoints.MODEL,
        "Look at the model",
        "The facts of the model card, the threshold, and every feature that the model uses.",
        ModelCard,
    ),
)


def document(version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the service; `version` is that of the Bento."""
    models = {operation.answer for operation in _OPERATIONS} | {Problem}
    models |= {operation.request for operation in _OPERATIONS if operation.request is not None}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema([(model, "validation") for model in ordered], ref_template=_REF)
    schemas = definitions["$defs"]
    schemas["BatchRequest"]["properties"]["credit_files"]["items"] = _reference(CreditFile)
    paths: dict[str, Any] = {
        operation.endpoint.path: {operation.endpoint.method.lower(): operation.described()} for operation in _OPERATIONS
    }
    paths |= {endpoint.path: {"get": _infrastructure(endpoint, text)} for endpoint, text in _INFRASTRUCTURE.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Credit scoring", "description": ABOUT, "version": version},
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "an API key"}},
        },
    }


_INFRASTRUCTURE = {
    endpoints.LIVEZ: "Whether the process is alive",
    endpoints.READYZ: "Whether a verified model is loaded and the journal can be written",
    endpoints.METRICS: "Counters and histograms for Prometheus",
}


def _infrastructure(endpoint: Endpoint, summary: str) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": {"description": "yes", "content": {"text/plain": {"schema": {"type": "string"}}}}}
    if endpoint is endpoints.READYZ:
        answers["503"] = _problem(503)
    return {"summary": summary, "tags": [endpoint.tag], "security": [], "responses": answers}


def _problem(status: int) -> dict[str, Any]:
    return _content(DETAILS[status], MEDIA_TYPE, Problem)


def _content(description: str, media_type: str, model: type[BaseModel]) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": _reference(model)}}}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


# Without inline scripts: the content security policy lets the service's own files run, and no others.
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Credit scoring</title>
<link rel="stylesheet" href="static_content/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="static_content/swagger-ui-bundle.js"></script>
<script src="static_content/swagger-ui-standalone-preset.js"></script>
<script src="static_content/swagger-initializer.js"></script>
</body>
</html>
"""
"""The documentation page; the one of BentoML loads scripts from other hosts."""
