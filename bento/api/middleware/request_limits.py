"""Limits of a request: rate and share of its key, and the type, size, density and duration of its body."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bento.api.endpoints import endpoint_of, formatted_size
from bento.api.keys import LOCAL
from bento.api.middleware.concurrency import too_busy
from bento.api.middleware.framing import CLOSE
from bento.api.middleware.key_share import KeyShare
from bento.api.middleware.rate_limit import RateLimit
from bento.api.problems import ProblemError, problem, response
from bento.api.process_tuning import return_free_memory
from bento.settings import Limits

MIN_BYTES_PER_CHARACTER = {b",:[": 8, b"{": 48}
"""Bytes of the size limit for each structural character of JSON in a body; the densest histories come close to it.

Without this limit a batch could hold millions of empty objects, and each takes hundreds of bytes once it is parsed.
"""


class RequestLimitsMiddleware:
    """ASGI middleware: refuses a request beyond the limits, and reads the body of the others whole.

    Sets `scope["body"]`, the body as it was sent, where the endpoint takes one, and `scope["charge"]`, a function that
    takes further tokens of the key's rate. Large bodies are processed one after the other, and the memory that they
    took is returned to the system.
    """

    def __init__(self, app: ASGIApp, load_limits: Callable[[], Limits]) -> None:
        self.app, self.limits = app, load_limits()
        self._rate = RateLimit(self.limits.requests_per_second, self.limits.max_burst)
        self._share = KeyShare(self.limits)
        self._bytes_in_work = 0
        self._large_body = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body, or answer it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["body_size"] = 0
        key_id = _limited_key(scope)
        scope["charge"] = partial(self._charge, key_id)
        with contextlib.ExitStack() as place:
            try:
                self._check_rate(scope, key_id)
                place.enter_context(self._share.place(key_id))
                receive = await self._receive_body(scope, receive)
            except ProblemError as error:
                await response(error.problem, error.headers)(scope, receive, send)
            except ClientDisconnect:
                return
            else:
                is_large = scope["body_size"] > self.limits.large_body_bytes
                async with self._large_body if is_large else contextlib.nullcontext():
                    await self.app(scope, receive, send)
            finally:
                self._bytes_in_work -= scope["body_size"]
                self._share.remove_bytes(key_id, scope["body_size"])
                if scope["body_size"] > self.limits.large_body_bytes:
                    return_free_memory()

    def _check_rate(self, scope: Scope, key_id: str | None) -> None:
        endpoint = endpoint_of(scope["path"])
        cost = 1.0 if endpoint is None else endpoint.cost
        now = time.monotonic()
        if key_id is not None and not self._rate.allows(key_id, now, cost):
            wait = {"Retry-After": str(math.ceil(self._rate.wait_s(key_id, now)))}
            raise ProblemError(problem(429, "too many requests of this API key; wait, then try again"), wait)

    def _charge(self, key_id: str | None, cost: float) -> None:
        if key_id is not None:
            self._rate.charge(key_id, time.monotonic(), cost)

    async def _receive_body(self, scope: Scope, receive: Receive) -> Receive:
        """Read the whole body, within its limits; return a `receive` that gives it in one message."""
        endpoint = endpoint_of(scope["path"])
        if endpoint is None or not endpoint.max_body_bytes or scope["method"] != endpoint.method:
            return receive
        maximum = endpoint.max_body_bytes
        _check_headers(Headers(scope=scope), maximum)
        try:
            async with asyncio.timeout(self.limits.body_timeout_s):
                scope["body"] = await self._read(scope, receive, maximum)
        except TimeoutError as error:
            raise ProblemError(problem(408), CLOSE) from error
        _check_density(scope["body"], maximum)
        is_given = False

        async def receive_body() -> Message:
            nonlocal is_given
            if is_given:
                return await receive()
            is_given = True
            return {"type": "http.request", "body": scope["body"], "more_body": False}

        return receive_body

    async def _read(self, scope: Scope, receive: Receive, maximum: int) -> bytes:
        chunks, more = [], True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunks.append(message.get("body", b""))
            scope["body_size"] += len(chunks[-1])
            self._bytes_in_work += len(chunks[-1])
            self._share.add_bytes(_limited_key(scope), len(chunks[-1]))
            if scope["body_size"] > maximum:
                raise _too_large(maximum)
            if self._bytes_in_work > self.limits.max_concurrent_bytes:
                raise ProblemError(too_busy())
            more = message.get("more_body", False)
        return b"".join(chunks)


def _limited_key(scope: Scope) -> str | None:
    """Return the key whose rate and share count; None at an open address, and where keys are switched off: there is
    one caller then, this machine.
    """
    key = scope["api_key"]
    return None if key is None or key is LOCAL else key.id


def _check_headers(headers: Headers, maximum: int) -> None:
    """Refuse what is declared to be no JSON in UTF-8, to be compressed, or to be too large."""
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.replace(" ", "").replace('"', "").lower().partition("charset=")[2] or "utf-8"
    is_encoded = headers.get("content-encoding", "").lower() not in ("", "identity")
    if media_type.strip().lower() != "application/json" or charset not in ("utf-8", "utf8") or is_encoded:
        raise ProblemError(problem(415))
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > maximum:
        raise _too_large(maximum)


def _check_density(body: bytes, maximum: int) -> None:
    content = np.frombuffer(body, np.uint8)
    for characters, min_bytes in MIN_BYTES_PER_CHARACTER.items():
        if sum(np.count_nonzero(content == character) for character in characters) > maximum // min_bytes:
            raise ProblemError(problem(413, "the request holds too many values for its size"))


def _too_large(maximum: int) -> ProblemError:
    return ProblemError(problem(413, f"the request is larger than {formatted_size(maximum)}"), CLOSE)
