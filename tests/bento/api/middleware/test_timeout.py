import asyncio
import gc
import time
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from bentoml._internal.server.http import traffic

from bento.api.middleware.authentication import AuthenticationMiddleware
from bento.api.middleware.problem_details import SECURITY_HEADERS, ProblemDetailsMiddleware
from bento.api.middleware.timeout import RequestTimeoutMiddleware
from bento.api.problems import MEDIA_TYPE, Problem
from tests.support import small_service

Message = dict[str, Any]
HTTP: Message = {"type": "http", "method": "GET", "path": "/", "headers": []}


def _classes(app: Any) -> list[type]:
    return [middleware.cls for middleware in app.user_middleware]


def test_bentoml_builds_the_service_with_it_around_the_gateway():
    from bento.service import CreditScoring
    from bento.settings import LIMITS

    built = CreditScoring.to_asgi()
    (timeout,) = (middleware for middleware in built.user_middleware if middleware.cls is RequestTimeoutMiddleware)
    classes = _classes(built)
    assert timeout.kwargs == {"timeout": LIMITS.request_timeout_s}
    assert "TimeoutMiddleware" not in [present.__name__ for present in classes]
    assert classes.index(RequestTimeoutMiddleware) < classes.index(ProblemDetailsMiddleware)
    assert classes.index(ProblemDetailsMiddleware) < classes.index(AuthenticationMiddleware)
    assert traffic.TimeoutMiddleware is RequestTimeoutMiddleware


def _handles(loop: asyncio.AbstractEventLoop) -> int:
    """Timers that wait in the loop, cancelled ones aside."""
    return len([handle for handle in loop._scheduled if not handle.cancelled()])  # type: ignore[attr-defined]


def _run(app: Any, seconds: float, then: Callable[[], Awaitable[None]] | None = None) -> tuple[list[Message], int]:
    """What is sent in answer to one request, and the timers it leaves behind."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def request() -> int:
        await RequestTimeoutMiddleware(app, seconds)(dict(HTTP), receive, send)
        return _handles(asyncio.get_running_loop())

    return sent, asyncio.run(request())


async def _answer(send: Any, *parts: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def test_the_timer_ends_with_the_request():
    async def app(scope: Message, receive: Any, send: Any) -> None:
        assert _handles(asyncio.get_running_loop()) == 1
        await _answer(send)

    sent, left = _run(app, 60)
    assert sent[0]["status"] == 200
    assert left == 0


def test_a_finished_request_is_freed():
    class Content:
        pass

    references: list[weakref.ref[Content]] = []

    async def app(scope: Message, receive: Any, send: Any) -> None:
        scope["content"] = Content()
        references.append(weakref.ref(scope["content"]))
        await _answer(send)

    async def requests() -> int:
        async def send(_: Message) -> None:
            pass

        for _ in range(100):
            await RequestTimeoutMiddleware(app, 60)(dict(HTTP), None, send)  # type: ignore[arg-type]
        gc.collect()
        return len([reference for reference in references if reference() is not None])

    assert asyncio.run(requests()) <= 1  # the last one may still stand in a variable


def test_an_answer_that_does_not_begin_in_time_becomes_a_504():
    cancelled = []

    async def app(scope: Message, receive: Any, send: Any) -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    began = time.monotonic()
    (start, body), left = _run(app, 0.05)
    assert time.monotonic() - began < 2
    assert start["status"] == 504
    assert (
        Problem.model_validate_json(body["body"]).detail == "no answer in time; ask again with the same Idempotency-Key"
    )
    assert (cancelled, left) == ([True], 0)


def test_an_answer_that_has_begun_is_not_cut():
    async def app(scope: Message, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.2)
        await send({"type": "http.response.body", "body": b"late"})

    sent, left = _run(app, 0.05)
    assert [message.get("body") for message in sent] == [None, b"late"]
    assert left == 0


def test_a_timeout_error_of_the_application_is_not_a_504():
    async def app(scope: Message, receive: Any, send: Any) -> None:
        raise TimeoutError("the journal")

    with pytest.raises(TimeoutError, match="the journal"):
        _run(app, 60)


def test_other_exceptions_pass():
    async def app(scope: Message, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _run(app, 60)


def test_a_lifespan_scope_has_no_timeout():
    async def app(scope: Message, receive: Any, send: Any) -> None:
        assert _handles(asyncio.get_running_loop()) == 0

    asyncio.run(RequestTimeoutMiddleware(app, 60)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]


def test_in_a_service_only_slow_answers_become_problems():
    slow, quick, stream = small_service.ask_all(
        [("POST", "/slow", b'{"amount": 1}'), ("POST", "/predict", b'{"amount": 1}'), ("GET", "/stream", b"")]
    )
    assert slow.status_code == 504
    assert slow.headers["Content-Type"] == MEDIA_TYPE
    assert {name: slow.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert (quick.status_code, quick.json()) == (200, {"amount": 1})
    assert (stream.status_code, stream.text) == (200, "012")


def test_a_finished_request_is_freed_while_its_send_is_referenced():
    references: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        references.append(send)  # as a connection that is kept alive does

    async def ask() -> weakref.ref[Any]:
        task = asyncio.create_task(RequestTimeoutMiddleware(app, 10)({"type": "http"}, None, None))  # type: ignore[arg-type]
        await task
        return weakref.ref(task)

    gc.disable()  # a cycle would hide a reference
    try:
        assert asyncio.run(ask())() is None
    finally:
        gc.enable()
    assert references
