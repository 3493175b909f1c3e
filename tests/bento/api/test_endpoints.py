from pathlib import Path

import pytest

from bento.api.endpoints import ENDPOINTS, UNLISTED, endpoint_of, route_template
from bento.api.openapi import document

OPERATE = Path(__file__).parents[3] / "docs" / "operate.md"


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/predict", "/predict"),
        ("/predict/", "/predict"),
        ("/decisions/4f1d7f2e", "/decisions/{decision_id}"),
        ("/decisions/4f1d7f2e/review", "/decisions/{decision_id}/review"),
        ("/livez/", "/livez"),
        ("/", UNLISTED),
        ("/predicts", UNLISTED),
        ("/decisions", "/decisions"),
        ("/decisions/", "/decisions"),
        ("/decisions/4f1d7f2e/contest", "/decisions/{decision_id}/contest"),
        ("/decisions/4f1d7f2e/replay", "/decisions/{decision_id}/replay"),
        ("/decisions//", UNLISTED),
        ("/decisions/1/review/2", UNLISTED),
        ("/predict\n", UNLISTED),
        ("/static_content/swagger-ui.css", UNLISTED),
    ],
)
def test_a_path_is_labelled_by_its_template(path: str, template: str):
    assert route_template(path) == template


@pytest.mark.parametrize(
    ("path", "access"),
    [
        ("/predict/", "score"),
        ("/decisions", "review"),
        ("/decisions/", "review"),
        ("/decisions//", "read"),
        ("/decisions/review", "read"),
        ("/decisions//review", "review"),
        ("/decisions//contest", "review"),
        ("/decisions//replay", "review"),
        ("/decisions/1/review/", "review"),
        ("/model/", "any key"),
        ("/static_content/", "open"),
        ("/static_content/a/b.js", "open"),
    ],
)
def test_a_path_is_guarded_by_its_endpoint(path: str, access: str):
    endpoint = endpoint_of(path)
    assert endpoint is not None
    assert endpoint.access == access


@pytest.mark.parametrize("path", ["", "//", "/livez/", "/docs.json/", "/docsXjson", "/static_content", "/decision"])
def test_other_spellings_belong_to_no_endpoint(path: str):
    assert endpoint_of(path) is None


def test_every_route_of_the_service_is_listed_with_its_method():
    from bento.api.decisions import app
    from bento.service import CreditScoring

    routes = [route for route in (*CreditScoring.to_asgi().routes, *app.routes) if getattr(route, "methods", None)]
    served = {(route.path, method) for route in routes for method in route.methods if method != "HEAD"}
    listed = {(endpoint.path, endpoint.method) for endpoint in ENDPOINTS if "{file:path}" not in endpoint.path}
    assert served == listed


def test_every_tagged_endpoint_is_in_the_openapi_document():
    paths = document("version")["paths"]
    documented = {(path, method, *operation["tags"]) for path in paths for method, operation in paths[path].items()}
    assert documented == {
        (endpoint.path, endpoint.method.lower(), endpoint.tag) for endpoint in ENDPOINTS if endpoint.tag
    }


def test_the_operators_page_names_every_tagged_endpoint_and_its_scope():
    page = OPERATE.read_text()
    for endpoint in ENDPOINTS:
        path = endpoint.path.replace("{decision_id}", "{id}")
        if endpoint.access in ("score", "read", "review"):
            assert f"| `{endpoint.method} {path}` | `{endpoint.access}` |" in page
        elif endpoint.tag:
            assert path in page


def test_only_an_endpoint_for_posts_takes_a_body():
    assert {endpoint.method for endpoint in ENDPOINTS if endpoint.max_body_bytes} == {"POST"}
