"""Counts requests by the addresses that there are, in the place of BentoML's counter, which takes every path for one.

Each decision has a path of its own, and anybody can make paths up: BentoML 1.4 keeps 6 kB in memory for each of them
for good, and shows it, with the decision's id, to whoever reads `/metrics`.
"""

import re
from collections.abc import MutableMapping
from typing import Any

from bentoml._internal.server.http import instruments

from bento.api.middleware.gateway import App, Receive, Send

ADDRESSES = tuple(
    (re.compile(re.sub(r"\{\w+\}", "[^/]+", address) + "/?"), address)
    for address in (
        "/predict",
        "/predict_batch",
        "/explain",
        "/decisions/{decision_id}",
        "/decisions/{decision_id}/review",
        "/model",
        "/docs.json",
        "/livez",
        "/readyz",
        "/healthz",
        "/metrics",
    )
)
ELSEWHERE = "elsewhere"


def route_template(path: str) -> str:
    """The address that a path belongs to.

    >>> route_template("/decisions/0a1b/review"), route_template("/wp-login.php")
    ('/decisions/{decision_id}/review', 'elsewhere')
    """
    return next((address for pattern, address in ADDRESSES if pattern.fullmatch(path)), ELSEWHERE)


class RouteMetricsMiddleware(instruments.RunnerTrafficMetricsMiddleware):
    """ASGI middleware: what it counts is told the address, what comes after it the path."""

    def __init__(self, app: App, **options: Any) -> None:
        async def with_its_path(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
            await app({**scope, "path": scope["asked_path"]} if "asked_path" in scope else scope, receive, send)

        super().__init__(with_its_path, **options)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Count a request, and pass it on."""
        if scope["type"] == "http":
            scope = {**scope, "asked_path": scope["path"], "path": route_template(scope["path"])}
        await super().__call__(scope, receive, send)


def install() -> None:
    """Have BentoML use it: before the service makes its app. The version of BentoML is pinned, and a test watches."""
    instruments.RunnerTrafficMetricsMiddleware = RouteMetricsMiddleware  # type: ignore[assignment, misc]
