"""Requests whose end is ambiguous."""

from starlette.types import ASGIApp, Receive, Scope, Send

from bento.api.problems import problem, response

LENGTHS = {b"content-length", b"transfer-encoding"}
CLOSE = {"Connection": "close"}
"""Sent where the rest of a request is not read."""


class FramingMiddleware:
    """ASGI middleware: refuses a request with both Content-Length and Transfer-Encoding, and closes its connection.

    A proxy that goes by the length takes what follows for another request than uvicorn, which goes by the chunks: one
    client could put a request into the connection of another (RFC 9112, section 6.1).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on whose length is clear."""
        if scope["type"] == "http" and {name for name, _ in scope["headers"]} >= LENGTHS:
            detail = "Content-Length and Transfer-Encoding exclude each other; send one of them"
            await response(problem(400, detail), CLOSE)(scope, receive, send)
            return
        await self.app(scope, receive, send)
