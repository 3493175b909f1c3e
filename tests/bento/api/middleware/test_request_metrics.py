"""What is counted of requests: by address, however many paths there are."""

import asyncio
import uuid
from typing import Any

import pytest

from bento.api.middleware.request_metrics import ADDRESSES, ELSEWHERE, RouteMetricsMiddleware, route_template


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("/predict", "/predict"),
        ("/predict/", "/predict"),
        ("/decisions/4f1d7f2e", "/decisions/{decision_id}"),
        ("/decisions/4f1d7f2e/review", "/decisions/{decision_id}/review"),
        ("/", ELSEWHERE),
        ("/predicts", ELSEWHERE),
        ("/decisions//", ELSEWHERE),
        ("/decisions/1/review/2", ELSEWHERE),
        ("/predict\n", ELSEWHERE),
        ("/static_content/swagger-ui.css", ELSEWHERE),
    ],
)
def test_a_path_belongs_to_one_address_or_to_none(path: str, address: str):
    assert route_template(path) == address


def test_every_address_of_the_service_is_counted_by_itself():
    from bento.api.decisions import app
    from bento.service import CreditScoring

    built = CreditScoring.to_asgi()
    assert built.user_middleware[0].cls is RouteMetricsMiddleware
    served = {route.path for route in (*built.routes, *app.routes)}
    assert served - {"", "/", "/schema.json", "/static_content"} == {address for _, address in ADDRESSES}


def test_however_many_paths_are_asked_for_the_addresses_stay_few(monkeypatch: pytest.MonkeyPatch):
    paths = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        paths.append(scope["path"])
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(counted: RouteMetricsMiddleware, asked: list[str]) -> None:
        async def send(_: object) -> None:
            pass

        for path in asked:
            await counted({"type": "http", "path": path}, None, send)  # type: ignore[arg-type]

    counted = RouteMetricsMiddleware(app, namespace="tests")
    asked = [f"/{folder}/{uuid.uuid4()}" for _ in range(50) for folder in ("decisions", "made-up")]
    asyncio.run(ask(counted, asked))
    assert paths == asked
    labels = [
        sample.labels["endpoint"]
        for metric in counted.metrics_request_total.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["http_response_code"] == "404"
    ]
    assert sorted(labels) == ["/decisions/{decision_id}", ELSEWHERE]
