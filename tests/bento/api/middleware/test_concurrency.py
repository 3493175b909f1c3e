import asyncio
from typing import Any

import pytest
from starlette.types import ASGIApp

from bento.settings import LIMITS, MIB
from tests.bento.api.middleware.asgi import JSON, Recorder, ask, ask_all, behind_gateway, problem_of, send_raw

MAXIMUM = LIMITS.max_concurrent_requests


def _places_left(app: ASGIApp, recorder: Recorder) -> int:
    """How many requests are accepted at once."""
    recorder.wait = lambda: asyncio.sleep(0.05)
    answers = ask_all(app, [("POST", "/predict", {"headers": JSON})] * (MAXIMUM + 5))
    recorder.wait = None
    return [answer.status_code for answer in answers].count(200)


def test_requests_beyond_the_limit_get_429_and_health_checks_do_not(local: ASGIApp, recorder: Recorder):
    recorder.wait = lambda: asyncio.sleep(0.1)
    requests: list[Any] = [("POST", "/predict", {"headers": JSON})] * (MAXIMUM + 3) + [("GET", "/livez", {})]
    answers = ask_all(local, requests)
    assert [answer.status_code for answer in answers] == MAXIMUM * [200] + 3 * [429] + [200]
    problem = problem_of(answers[-2], 429)
    assert problem.detail == "too many requests are in work; wait, then try again"
    assert answers[-2].headers["Retry-After"] == "2"
    assert _places_left(local, recorder) == MAXIMUM


def test_the_limit_is_checked_before_the_key(recorder: Recorder, guarded: ASGIApp):
    recorder.wait = lambda: asyncio.sleep(0.1)
    full = behind_gateway(recorder, limits=LIMITS.__class__(max_concurrent_requests=0))
    problem_of(ask(full, "POST", "/predict", "http://192.168.1.7", headers={}), 429)


def test_a_place_is_free_again_after_a_failure_or_a_refusal(local: ASGIApp, recorder: Recorder):
    async def fail() -> None:
        raise ZeroDivisionError

    recorder.wait = fail
    for _ in range(MAXIMUM):
        ask(local, "POST", "/predict", headers=JSON)
        ask(local, "POST", "/predict", headers={"Content-Type": "text/plain"})
        ask(local, "POST", "/predict", headers=JSON, content=b" " * (2 * MIB + 1))
    assert _places_left(local, recorder) == MAXIMUM


def test_a_place_is_free_again_after_a_disconnect(local: ASGIApp, recorder: Recorder):
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(messages)

    assert send_raw(local, receive) == []
    assert recorder.scopes == []
    assert _places_left(local, recorder) == MAXIMUM


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_other_scopes_than_http_pass_all_middlewares(kind: str):
    seen = []

    async def app(scope: dict[str, Any], *_: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(behind_gateway(app)({"type": kind}, None, None))  # type: ignore[arg-type]
    assert seen == [kind]
