import asyncio
import uuid
from typing import Any

from bento.api.endpoints import UNLISTED
from bento.api.middleware.request_metrics import RouteMetricsMiddleware


def test_bentoml_builds_the_service_with_it_as_the_outermost():
    from bento.service import CreditScoring

    assert CreditScoring.to_asgi().user_middleware[0].cls is RouteMetricsMiddleware


def test_a_hundred_paths_get_two_labels_and_reach_the_application():
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
    assert sorted(labels) == ["/decisions/{decision_id}", UNLISTED]
