"""The description of the service that its documentation page shows, and that clients can be made from."""

import copy
import inspect
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bento.answers import (
    BatchPrediction,
    BatchRequest,
    Explanation,
    Prediction,
    Problem,
)
from bento.credit_file import CreditFile
from bento.doors import LARGEST_BODY, MIB
from bento.problems import DETAILS, MEDIA_TYPE

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

_POSTS: dict[str, tuple[str, Any, Any, list[dict[str, Any]], tuple[int, ...]]] = {
    "/predict": ("Decide on one application", CreditFile, Prediction, [PURPOSE, IDEMPOTENCY_KEY], (409, 413)),
    "/predict_batch": (
        "Decide on up to 100 applications",
        BatchRequest,
        BatchPrediction,
        [PURPOSE, REASONS, IDEMPOTENCY_KEY],
        (413,),
    ),
    "/explain": ("Explain what the model makes of an application", CreditFile, Explanation, [], (413,)),
}
_EXAMPLES = {CreditFile: EXAMPLE, BatchRequest: {"credit_files": [EXAMPLE]}}
_REF = "#/components/schemas/{model}"


def document(service: Any, app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1 of the whole service: what BentoML serves and what FastAPI serves, with one shape of errors."""
    description = get_openapi(
        title="Credit scoring",
        version=service.bento.tag.version if service.bento else "unbuilt",
        openapi_version="3.1.0",
        description=inspect.getdoc(service.inner),
        routes=app.routes,
    )
    models: list[type[BaseModel]] = [CreditFile, BatchRequest, Prediction, BatchPrediction, Explanation, Problem]
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    components = description.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas["$defs"])
    components["schemas"]["BatchRequest"]["properties"]["credit_files"]["items"] = {
        "$ref": _REF.format(model="CreditFile")
    }
    components["schemas"].pop("HTTPValidationError", None)
    components["schemas"].pop("ValidationError", None)
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "an API key"}}
    description["security"] = [{"key": []}]
    paths = {path: {"post": _post(service, path, *what)} for path, what in _POSTS.items()}
    for path, found in description["paths"].items():
        paths[path] = {method: _with_problems(operation) for method, operation in found.items()}
    description["paths"] = paths | {path: {"get": _infrastructure(words)} for path, words in _INFRASTRUCTURE.items()}
    return description


_INFRASTRUCTURE = {
    "/livez": "Whether the process is alive",
    "/readyz": "Whether a verified model is loaded and the journal answers",
    "/metrics": "Counters and histograms for Prometheus",
}


def _infrastructure(words: str) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": {"description": "yes", "content": {"text/plain": {"schema": {"type": "string"}}}}}
    if words.startswith("Whether a verified"):
        answers["503"] = _problem(503)
    return {"summary": words, "tags": ["operation"], "security": [], "responses": answers}


def _post(
    service: Any, path: str, summary: str, request: Any, answer: Any, parameters: list[Any], errors: tuple[int, ...]
) -> dict[str, Any]:
    content = {"schema": {"$ref": _REF.format(model=request.__name__)}, "example": _EXAMPLES[request]}
    limit = f" The body may have {LARGEST_BODY[path] // MIB} MB."
    return _with_problems(
        {
            "summary": summary,
            "description": service.apis[path[1:]].doc + limit,
            "operationId": path[1:],
            "tags": ["scoring"],
            "parameters": copy.deepcopy(parameters),
            "requestBody": {"required": True, "content": {"application/json": content}},
            "responses": {
                "200": {
                    "description": "answered",
                    "content": {"application/json": {"schema": {"$ref": _REF.format(model=answer.__name__)}}},
                }
            },
        },
        errors,
    )


def _with_problems(operation: dict[str, Any], more: tuple[int, ...] = ()) -> dict[str, Any]:
    statuses = {401, 403, 429, 500, 503, 504, *more, *(int(code) for code in operation["responses"] if code >= "400")}
    if "requestBody" in operation:
        statuses |= {400, 408, 413, 415, 422}
    answers = {code: answer for code, answer in operation["responses"].items() if code < "400"}
    operation["responses"] = answers | {str(status): _problem(status) for status in sorted(statuses)}
    return operation


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": DETAILS[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
    }


# No word of script in it, so that none but the service's own files may run.
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
"""The documentation page: BentoML's own calls home and needs scripts of others."""
