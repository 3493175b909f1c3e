"""The timeout that takes the place of BentoML's."""

import asyncio
import gc
import time
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from bentoml._internal.server.http import traffic

from bento.api.middleware.gateway import HEADERS, Doors
from bento.api.middleware.timeout import Timeout
from bento.api.problems import MEDIA_TYPE, Problem
from tests.support import small_service

Message = dict[str, Any]
HTTP: Message = {"type": "http", "method": "GET", "path": "/", "headers": []}


def _classes(app: Any) -> list[type]:
    return [middleware.cls for middleware in app.user_middleware]


def test_bentoml_builds_the_service_with_it_and_around_the_doors():
    from bento.service import REQUEST_TIMEOUT_S, CreditScoring

    built = CreditScoring.to_asgi()
    (timeout,) = (middleware for middleware in built.user_middleware if middleware.cls is Timeout)
    assert timeout.kwargs == {"timeout": REQUEST_TIMEOUT_S}
    assert not [found for found in _classes(built) if found.__name__ == "TimeoutMiddleware"]
    assert _classes(built).index(Timeout) < _classes(built).index(Doors)
    assert traffic.TimeoutMiddleware is Timeout


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
        await Timeout(app, seconds)(dict(HTTP), receive, send)
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


def test_nothing_keeps_a_finished_request_in_memory():
    class Held:
        pass

    held: list[weakref.ref[Held]] = []

    async def app(scope: Message, receive: Any, send: Any) -> None:
        scope["held"] = Held()
        held.append(weakref.ref(scope["held"]))
        await _answer(send)

    async def requests() -> int:
        async def send(_: Message) -> None:
            pass

        for _ in range(100):
            await Timeout(app, 60)(dict(HTTP), None, send)  # type: ignore[arg-type]
        gc.collect()
        return len([found for found in held if found() is not None])

    assert asyncio.run(requests()) <= 1  # the last one may still stand in a variable


def test_an_answer_that_has_not_begun_in_time_becomes_a_problem():
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


def test_a_timeout_of_the_application_itself_is_no_timeout_of_the_request():
    async def app(scope: Message, receive: Any, send: Any) -> None:
        raise TimeoutError("the journal")

    with pytest.raises(TimeoutError, match="the journal"):
        _run(app, 60)


def test_whatever_else_fails_fails_as_before():
    async def app(scope: Message, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _run(app, 60)


def test_who_is_no_request_has_no_timeout():
    async def app(scope: Message, receive: Any, send: Any) -> None:
        assert _handles(asyncio.get_running_loop()) == 0

    asyncio.run(Timeout(app, 60)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]


def test_in_a_service_the_slow_become_problems_and_the_others_do_not():
    slow, quick, stream = small_service.ask_all(
        [("POST", "/slow", b'{"amount": 1}'), ("POST", "/predict", b'{"amount": 1}'), ("GET", "/stream", b"")]
    )
    assert slow.status_code == 504
    assert slow.headers["Content-Type"] == MEDIA_TYPE
    assert {name: slow.headers.get(name) for name in HEADERS} == HEADERS
    assert (quick.status_code, quick.json()) == (200, {"amount": 1})
    assert (stream.status_code, stream.text) == (200, "012")


def test_nothing_of_a_finished_request_is_held_by_whoever_still_holds_its_send():
    held: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        held.append(send)  # as a connection that is kept alive does

    async def ask() -> weakref.ref[Any]:
        task = asyncio.create_task(Timeout(app, 10)({"type": "http"}, None, None))  # type: ignore[arg-type]
        await task
        return weakref.ref(task)

    gc.disable()  # a cycle would hide what is held
    try:
        assert asyncio.run(ask())() is None
    finally:
        gc.enable()
    assert held
