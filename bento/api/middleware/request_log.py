"""One log line a request, its id, and its span: they replace BentoML's access log, which shows raw paths and no ids.

A path is shown as its route template: the line holds no text of the sender but the request id, of plain characters.
"""

import logging
import re
import time
import uuid
from collections.abc import Sequence
from typing import Any

from bentoml._internal.server.http import access
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bento.api import tracing
from bento.api.endpoints import route_template
from bento.api.log_lines import REQUEST_ID

log = logging.getLogger("bentoml.access")

HEADER = "X-Request-ID"
CLOSED_BY_CLIENT = 499
"""Status in the log where no answer was sent, because the client went away; as nginx logs it."""
_PLAIN_ID = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


def note(scope: Scope, **fields: str | int | list[str]) -> None:
    """Add fields to the log line of a request; none of them may concern a person."""
    scope.setdefault("log_fields", {}).update(fields)


class RequestLogMiddleware:
    """ASGI middleware: gives a request an id, answers with it, and logs the request once it is answered.

    The id is the header X-Request-ID, or the trace id of `traceparent`, or a new one. `skip_paths` are not logged.
    """

    def __init__(self, app: ASGIApp, skip_paths: Sequence[str] = (), **_: Any) -> None:
        self.app, self.skip_paths = app, frozenset(skip_paths)
        self._is_traced = tracing.is_on()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), CLOSED_BY_CLIENT
        headers, method, route = Headers(scope=scope), scope["method"], route_template(scope["path"])
        is_shown = scope["path"] not in self.skip_paths
        span = tracing.start(f"{method} {route}", headers.get("traceparent")) if self._is_traced and is_shown else None
        trace_id = None if span is None else f"{span.get_span_context().trace_id:032x}"
        request_id = _request_id(headers, trace_id)
        token = REQUEST_ID.set(request_id)
        fields = scope.setdefault("log_fields", {})

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            status = 500  # what Starlette answers, outside of this middleware
            raise
        finally:
            REQUEST_ID.reset(token)
            if is_shown:
                if (key := scope.get("api_key")) is not None:
                    fields.setdefault("key_id", key.id)
                duration = round(1000 * (time.perf_counter() - start), 1)
                _log(request_id, method, route, status, duration, fields)
            if span is not None:
                attributes = {"http.request.method": method, "http.route": route, "request_id": request_id, **fields}
                tracing.end(span, attributes, status)


def _request_id(headers: Headers, trace_id: str | None) -> str:
    if _PLAIN_ID.fullmatch(presented := headers.get(HEADER, "")):
        return presented
    if trace_id is None and (match := _TRACEPARENT.fullmatch(headers.get("traceparent", ""))):
        trace_id = match[1]
    return trace_id or uuid.uuid4().hex


def _log(request_id: str, method: str, route: str, status: int, duration: float, fields: dict[str, Any]) -> None:
    line = {"method": method, "route": route, "status": status, "ms": duration, **fields}
    extra = {"request_id": request_id, **line}
    log.info("%s", " ".join(f"{name}={_text(value)}" for name, value in line.items()), extra=extra)


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def install() -> None:
    """Replace BentoML's class, before the service makes its app; BentoML's version is pinned, and a test watches."""
    access.AccessLogMiddleware = RequestLogMiddleware  # type: ignore[assignment, misc]
