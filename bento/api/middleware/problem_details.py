"""Security headers on every response, the shape of RFC 9457 for every error, and redirects without a host."""

import logging
from urllib.parse import urlsplit, urlunsplit

from h11 import LocalProtocolError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bento.api.problems import MEDIA_TYPE, reshaped, response

log = logging.getLogger("bentoml.credit_scoring")

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


class ProblemDetailsMiddleware:
    """ASGI middleware: security headers, a problem instead of any other body of an error, redirects by path.

    Starlette redirects to the host and scheme of the request, which the caller chose, and a proxy has changed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with a `send` that completes the response."""
        if scope["type"] == "http":
            send = _Responder(send).send
        await self.app(scope, receive, send)


class _Responder:
    """The response to one request; the body of an error is held back until it is complete."""

    def __init__(self, send: Send) -> None:
        self._connection = send
        self._start: Message | None = None
        self._body_parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Send a message, or hold it back until the whole error is there."""
        if message["type"] == "http.response.start":
            headers = [
                (name, _path_only(value) if name.lower() == b"location" else value)
                for name, value in message["headers"]
                if name.decode().title() not in SECURITY_HEADERS
            ]
            headers += [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
            message = {**message, "headers": headers}
            if message["status"] >= 400 and not _is_problem(headers):
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body_parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._send_problem(self._start)
            return
        await self._send(message)

    async def _send(self, message: Message) -> None:
        """Send, unless uvicorn has answered already: it does where the data after a request's head is no HTTP."""
        try:
            await self._connection(message)
        except LocalProtocolError as error:
            log.info("not answered: %s", error)

    async def _send_problem(self, start: Message) -> None:
        problem = response(reshaped(start["status"], b"".join(self._body_parts)))
        replaced = {name for name, _ in problem.raw_headers}
        headers = [(name, value) for name, value in start["headers"] if name.lower() not in replaced]
        await self._send({**start, "status": problem.status_code, "headers": [*headers, *problem.raw_headers]})
        await self._send({"type": "http.response.body", "body": problem.body})


def _path_only(location: bytes) -> bytes:
    """Return a redirect's target on this service: a path that begins with two slashes would name a host.

    >>> _path_only(b"http://elsewhere.example/predict?a=1"), _path_only(b"http://host//elsewhere.example/")
    (b'/predict?a=1', b'/elsewhere.example/')
    """
    target = urlsplit(location)
    return urlunsplit((b"", b"", b"/" + target.path.lstrip(b"/"), target.query, b""))


def _is_problem(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(MEDIA_TYPE.encode()) for name, value in headers)
