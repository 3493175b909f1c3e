"""An application behind the middlewares, and requests to it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpx
from starlette.types import ASGIApp

from bento.api.keys import KeyRing
from bento.api.middleware.gateway import gateway
from bento.api.middleware.problem_details import SECURITY_HEADERS
from bento.api.problems import MEDIA_TYPE, Problem
from bento.settings import LIMITS, Limits

JSON = {"Content-Type": "application/json"}
POSTS = ("/predict", "/predict_batch", "/explain")

Message = dict[str, Any]


class Recorder:
    """An application that reads the whole body, remembers the request, and gives a fixed answer."""

    def __init__(self, status: int = 200, content_type: str = "application/json", parts: Iterable[bytes] = (b"{}",)):
        self.status, self.content_type, self.parts = status, content_type, list(parts)
        self.scopes: list[Message] = []
        self.bodies: list[bytes] = []
        self.wait: Callable[[], Awaitable[object]] | None = None

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        self.bodies.append(body)
        if self.wait is not None:
            await self.wait()
        headers = [(b"content-type", self.content_type.encode()), (b"x-frame-options", b"ALLOWALL")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for part in self.parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def behind_gateway(
    app: Any,
    load_keys: Callable[[], KeyRing | None] = lambda: None,
    limits: Limits = LIMITS,
    *,
    metrics_guarded: bool = False,
) -> ASGIApp:
    """An application behind all middlewares; without keys, for loopback."""
    for middleware in reversed(gateway(load_keys, lambda: limits, lambda: metrics_guarded)):
        app = middleware.cls(app, **middleware.kwargs)
    return app


def ask(app: Any, method: str, path: str, base: str = "http://127.0.0.1:3000", **request: Any) -> httpx.Response:
    return ask_all(app, [(method, path, request)], base)[0]


def ask_all(
    app: Any, requests: list[tuple[str, str, dict[str, Any]]], base: str = "http://127.0.0.1:3000"
) -> list[httpx.Response]:
    """The answers to requests that are made at once."""

    async def answers() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport) as client:
            asked = (client.request(method, base + path, **more) for method, path, more in requests)
            return await asyncio.gather(*asked)

    return asyncio.run(answers())


def send_raw(
    app: Any, receive: Callable[[], Awaitable[Message]], headers: list[tuple[bytes, bytes]] | None = None
) -> list[Message]:
    """The messages that answer a POST to /predict whose body comes from `receive`."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "headers": [(b"content-type", b"application/json")] if headers is None else headers,
        "server": ("127.0.0.1", 3000),
    }
    asyncio.run(app(scope, receive, send))
    return sent


def problem_of(answer: httpx.Response, status: int) -> Problem:
    """The problem in an answer; all of them have one shape and the security headers."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    problem = Problem.model_validate_json(answer.content, strict=True)
    assert problem.status == status
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    return problem


def bearer(key: str) -> dict[str, str]:
    return {**JSON, "Authorization": f"Bearer {key}"}
