"""Request metrics labelled by route template, not by raw path: raw paths grow without bound.

Each decision has a separate path, and any client can invent paths. BentoML 1.4 labels by raw path: it keeps 6 kB for
each of them as long as the process lives, and `/metrics`, which asks for no key, would show the ids of decisions.
"""

from typing import Any

from bentoml._internal.server.http import instruments
from starlette.types import ASGIApp, Receive, Scope, Send

from bento.api.endpoints import route_template


class RouteMetricsMiddleware(instruments.RunnerTrafficMetricsMiddleware):
    """ASGI middleware: BentoML's metrics see the route template as the path, and the application the raw path."""

    def __init__(self, app: ASGIApp, **options: Any) -> None:
        async def with_raw_path(scope: Scope, receive: Receive, send: Send) -> None:
            await app(
                {**scope, "path": scope["unlabelled_path"]} if "unlabelled_path" in scope else scope, receive, send
            )

        super().__init__(with_raw_path, **options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request, and pass it on."""
        if scope["type"] == "http":
            scope = {**scope, "unlabelled_path": scope["path"], "path": route_template(scope["path"])}
        await super().__call__(scope, receive, send)


def install() -> None:
    """Replace BentoML's class, before the service makes its app; BentoML's version is pinned, and a test watches."""
    instruments.RunnerTrafficMetricsMiddleware = RouteMetricsMiddleware  # type: ignore[assignment, misc]
