"""What every request passes before anything of it is believed, and every answer on its way out."""

import asyncio
import contextlib
import ctypes
import gc
import ipaddress
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import numpy as np
from h11 import LocalProtocolError
from starlette.responses import Response

from bento.api.keys import LOCAL, ApiKey, KeyRing, KeysError, Scope
from bento.api.problems import MEDIA_TYPE, problem, reshaped, response

log = logging.getLogger("bentoml.credit_scoring")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

MIB = 2**20
MAX_BODY_BYTES = {"/predict": 2 * MIB, "/explain": 2 * MIB, "/predict_batch": 8 * MIB}
"""Bytes of a request; whatever is not named takes `MAX_OTHER_BODY_BYTES`."""
MAX_OTHER_BODY_BYTES = 64 * 2**10
BYTES_PER_MARK = {b",:[": 8, b"{": 48}
"""How many marks of JSON's a body may hold: one for so many bytes of its limit, as the densest of histories does.

Millions of empty objects would else fit into a batch, and each takes hundreds of bytes of memory once it is read.
"""
LARGE_BODY = MIB
"""Bytes from which requests are worked on one after the other, as each takes a hundred megabytes once it is read.

So much of them is free memory in the end that the allocator is told to give it back.
"""
BODY_TIMEOUT_S = 8.0
"""Seconds for a body to arrive: whoever sends more slowly must not hold a place among those in work."""
MAX_CONCURRENT_REQUESTS, MAX_CONCURRENT_BYTES = 64, 32 * MIB
"""Requests in work in one process, and bytes of their bodies; what comes on top is told to come again."""
REQUESTS_PER_SECOND, BURST = 300.0, 600.0
"""Of one key in one process, on average and at once."""

SCOPES: tuple[tuple[re.Pattern[str], Scope], ...] = (
    (re.compile(r"/(predict|predict_batch|explain)/?"), "score"),
    (re.compile(r"/decisions/[^/]*/?"), "read"),
    (re.compile(r"/decisions/[^/]*/review/?"), "review"),
)
"""What an address asks of a key; any key will do for what is neither here nor open."""
TAKES_A_BODY = re.compile(r"/(predict|predict_batch|explain|decisions/[^/]*/review)/?")
"""To a POST; nothing else that is sent is ever read."""
OPEN = re.compile(r"/(livez|readyz|healthz|metrics|docs\.json|schema\.json|static_content/.*)?")
"""Health, metrics and documentation: nothing there concerns a person."""
NOT_COUNTED = re.compile(r"/(livez|readyz|healthz|metrics)")

_C = ctypes.CDLL(None)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


class RateLimit:
    """A bucket of tokens for each key: it fills steadily, and each request takes one.

    It runs on the monotonic clock, so that nobody is shut out, or let in, because the clock was set.
    """

    def __init__(self, per_second: float = REQUESTS_PER_SECOND, burst: float = BURST) -> None:
        self.per_second, self.burst = per_second, burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def allows(self, key: str, now: float) -> bool:
        """Whether a request of this key may pass now (`time.monotonic`)."""
        tokens, since = self._buckets.get(key, (self.burst, now))
        tokens = min(self.burst, tokens + (now - since) * self.per_second)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now)
        return allowed


class _RefusedError(Exception):
    """The request goes no further; holds the answer."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer


class _GoneError(Exception):
    """Who asked has hung up: nobody is there to be answered."""


class Doors:
    """ASGI middleware: keys, limits, JSON only, one shape of errors, security headers.

    The endpoints find the key that asks in `scope["api_key"]`, and the body as it was sent in `scope["body"]`.
    """

    def __init__(self, app: App, keys: Callable[[], KeyRing | None], limit: RateLimit | None = None) -> None:
        """`keys` is called at the first request; None switches keys off, for callers on this machine alone."""
        self.app, self._load_keys = app, keys
        self.limit = limit or RateLimit()
        self._keys: KeyRing | None = None
        self._loaded = False
        self._at_once = self._bytes_at_once = 0
        self._large = asyncio.Lock()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        send = _Outgoing(send).send
        counted = NOT_COUNTED.fullmatch(scope["path"]) is None
        if counted and self._at_once >= MAX_CONCURRENT_REQUESTS:
            await _busy()(scope, receive, send)
            return
        self._at_once += counted
        scope["body_size"] = 0
        try:
            scope["api_key"] = self._admit(scope)
            receive = await self._body(scope, receive)
        except _RefusedError as refused:
            await refused.answer(scope, receive, send)
        except _GoneError:
            return
        else:
            async with self._large if scope["body_size"] > LARGE_BODY else contextlib.nullcontext():
                await self.app(scope, receive, send)
        finally:
            self._at_once -= counted
            self._bytes_at_once -= scope["body_size"]
            if scope["body_size"] > LARGE_BODY:
                _give_back_memory()

    def _admit(self, scope: MutableMapping[str, Any]) -> ApiKey | None:
        """Who asks; None where nobody needs to be known."""
        path = scope["path"]
        if not path.isprintable():  # behind the door, "/predict" with a line break at its end is still "/predict"
            raise _RefusedError(response(problem(404)))
        if OPEN.fullmatch(path):
            return None
        key = self._key(scope)
        wanted = next((name for pattern, name in SCOPES if pattern.fullmatch(path)), None)
        if wanted is not None and wanted not in key.scopes:
            raise _RefusedError(response(problem(403, f"the API key lacks the scope {wanted}")))
        if not self.limit.allows(key.id, time.monotonic()):
            raise _RefusedError(response(problem(429, "too many requests of this API key; wait, then try again")))
        return key

    def _key(self, scope: MutableMapping[str, Any]) -> ApiKey:
        if not self._loaded:
            try:
                self._keys, self._loaded = self._load_keys(), True
            except KeysError as error:
                log.error("%s", error)
                raise _RefusedError(response(problem(503))) from error
        if self._keys is None:
            if _is_loopback(scope.get("server")):
                return LOCAL
            raise _RefusedError(response(problem(403, "without API keys the service answers on loopback alone")))
        scheme, _, presented = _header(scope, b"authorization").partition(" ")
        key = self._keys.find(presented.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise _RefusedError(response(problem(401)))
        return key

    async def _body(self, scope: MutableMapping[str, Any], receive: Receive) -> Receive:
        """Read the whole body, within its limit, and hand it on in one piece."""
        if scope["method"] != "POST" or TAKES_A_BODY.fullmatch(scope["path"]) is None:
            return receive
        kind, _, parameters = _header(scope, b"content-type").partition(";")
        charset = parameters.replace(" ", "").replace('"', "").lower().partition("charset=")[2] or "utf-8"
        encoded = _header(scope, b"content-encoding").lower() not in ("", "identity")
        if kind.strip().lower() != "application/json" or charset not in ("utf-8", "utf8") or encoded:
            raise _RefusedError(response(problem(415)))
        largest = MAX_BODY_BYTES.get(scope["path"].rstrip("/"), MAX_OTHER_BODY_BYTES)
        declared = _header(scope, b"content-length")
        if declared.isdecimal() and int(declared[:20]) > largest:
            raise _RefusedError(_too_large(largest))
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                scope["body"] = await self._read(scope, receive, largest)
        except TimeoutError as error:
            raise _RefusedError(response(problem(408), {"Connection": "close"})) from error
        content = np.frombuffer(scope["body"], np.uint8)
        for marks, each in BYTES_PER_MARK.items():
            if sum(np.count_nonzero(content == mark) for mark in marks) > largest // each:
                raise _RefusedError(response(problem(413, "the request holds too many values for its size")))
        handed_on = False

        async def receive_body() -> Message:
            nonlocal handed_on
            if handed_on:
                return await receive()
            handed_on = True
            return {"type": "http.request", "body": scope["body"], "more_body": False}

        return receive_body

    async def _read(self, scope: MutableMapping[str, Any], receive: Receive, largest: int) -> bytes:
        parts, more = [], True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _GoneError
            parts.append(message.get("body", b""))
            scope["body_size"] += len(parts[-1])
            self._bytes_at_once += len(parts[-1])
            if scope["body_size"] > largest:
                raise _RefusedError(_too_large(largest))
            if self._bytes_at_once > MAX_CONCURRENT_BYTES:
                raise _RefusedError(_busy())
            more = message.get("more_body", False)
        return b"".join(parts)


class _Outgoing:
    """Adds the security headers to an answer, and gives an error our shape."""

    def __init__(self, send: Send) -> None:
        self._connection = send
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Hand a message on, or keep it until the whole error is known."""
        if message["type"] == "http.response.start":
            headers = [(name, value) for name, value in message["headers"] if name.decode().title() not in HEADERS]
            headers += [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": headers}
            if message["status"] >= 400 and not _is_problem(headers):
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._send_reshaped(self._start)
            return
        await self._send(message)

    async def _send(self, message: Message) -> None:
        """Send; where the request was no HTTP after its head, uvicorn has said so itself, and takes no other answer."""
        try:
            await self._connection(message)
        except LocalProtocolError as error:
            log.info("not answered: %s", error)

    async def _send_reshaped(self, start: Message) -> None:
        found = response(reshaped(start["status"], b"".join(self._parts)))
        replaced = {name for name, _ in found.raw_headers}
        kept = [(name, value) for name, value in start["headers"] if name.lower() not in replaced]
        await self._send({**start, "status": found.status_code, "headers": [*kept, *found.raw_headers]})
        await self._send({"type": "http.response.body", "body": found.body})


def _busy() -> Response:
    return response(problem(429, "too many requests are in work; wait, then try again"))


def _too_large(largest: int) -> Response:
    size = f"{largest / MIB:.0f} MB" if largest >= MIB else f"{largest / 2**10:.0f} kB"
    return response(problem(413, f"the request is larger than {size}"), {"Connection": "close"})


def _header(scope: MutableMapping[str, Any], name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _give_back_memory() -> None:
    """Have Python and glibc return what is free: they would keep a hundred megabytes after the largest batch."""
    gc.collect()
    if trim := getattr(_C, "malloc_trim", None):
        trim(0)


def _is_problem(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(MEDIA_TYPE.encode()) for name, value in headers)


def _is_loopback(server: tuple[str, int | None] | None) -> bool:
    """Whether the address that was called is one of this machine alone."""
    try:
        return server is not None and ipaddress.ip_address(server[0]).is_loopback
    except ValueError:
        return False
