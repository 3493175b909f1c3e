import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp

from bento.api.endpoints import PREDICT, endpoint_of
from bento.api.middleware import request_limits
from bento.settings import LIMITS, MIB, Limits
from tests.bento.api.middleware.asgi import (
    JSON,
    POSTS,
    Message,
    Recorder,
    ask,
    ask_all,
    behind_gateway,
    problem_of,
    send_raw,
)


@pytest.mark.parametrize("path", [*POSTS, "/predict/", "/decisions/0a1b/review"])
def test_a_body_may_be_as_large_as_its_limit(local: ASGIApp, recorder: Recorder, path: str):
    endpoint = endpoint_of(path)
    assert endpoint is not None
    maximum = endpoint.max_body_bytes
    assert ask(local, "POST", path, headers=JSON, content=b" " * maximum).status_code == 200
    problem = problem_of(ask(local, "POST", path, headers=JSON, content=b" " * (maximum + 1)), 413)
    assert problem.detail == f"the request is larger than {maximum // MIB} MB".replace("0 MB", "64 kB")
    assert [len(body) for body in recorder.bodies] == [maximum]


def test_a_body_that_is_declared_too_large_is_not_read(local: ASGIApp):
    async def receive() -> Message:
        raise AssertionError("the body was read")

    for declared in (b"2097153", b"9" * 30):
        sent = send_raw(local, receive, headers=[(b"content-type", b"application/json"), (b"content-length", declared)])
        assert sent[0]["status"] == 413
        assert (b"connection", b"close") in sent[0]["headers"]


@pytest.mark.promise("a body is read up to its limit, and not further")
def test_a_body_without_a_declared_size_is_read_up_to_its_limit(local: ASGIApp, recorder: Recorder):
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += MIB // 4
            yield b" " * (MIB // 4)

    problem_of(ask(local, "POST", "/predict", headers=JSON, content=endless()), 413)
    assert read <= 3 * MIB
    assert recorder.scopes == []


def test_a_body_in_pieces_is_passed_on_whole(local: ASGIApp, recorder: Recorder):
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"a', b"", b'": ', b"1}"):
            yield piece

    assert ask(local, "POST", "/predict", headers=JSON, content=pieces()).status_code == 200
    assert recorder.bodies == [b'{"a": 1}']
    assert recorder.scopes[0]["body"] == b'{"a": 1}'


@given(body=st.binary(max_size=300))
def test_a_body_is_passed_on_as_it_was_sent(body: bytes):
    recorder = Recorder()
    assert ask(behind_gateway(recorder), "POST", "/predict", headers=JSON, content=body).status_code == 200
    assert recorder.bodies == [recorder.scopes[0]["body"]] == [body]


@pytest.mark.promise("a body that arrives too slowly is cut off")
def test_a_body_that_arrives_too_slowly_gets_408(recorder: Recorder):
    async def receive() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    began = time.monotonic()
    sent = send_raw(behind_gateway(recorder, limits=Limits(body_timeout_s=0.05)), receive)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert time.monotonic() - began < 1
    assert recorder.scopes == []


@pytest.mark.parametrize("character", [b"[", b",", b"{", b":"])
def test_a_body_with_too_many_values_for_its_size_gets_413(local: ASGIApp, recorder: Recorder, character: bytes):
    (min_bytes,) = (
        min_bytes for characters, min_bytes in request_limits.MIN_BYTES_PER_CHARACTER.items() if character in characters
    )
    maximum = PREDICT.max_body_bytes // min_bytes
    assert ask(local, "POST", "/predict", headers=JSON, content=character * maximum).status_code == 200
    problem = problem_of(ask(local, "POST", "/predict", headers=JSON, content=character * (maximum + 1)), 413)
    assert problem.detail == "the request holds too many values for its size"
    assert len(recorder.scopes) == 1


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json ; Charset=utf8",
    ],
)
def test_json_in_utf_8_is_accepted(local: ASGIApp, content_type: str):
    assert ask(local, "POST", "/predict", headers={"Content-Type": content_type}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/vnd.bentoml+pickle"},
        {"Content-Type": "application/octet-stream"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/json, text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json; charset=utf-16"},
        {**JSON, "Content-Encoding": "gzip"},
        {**JSON, "Content-Encoding": "br"},
        {**JSON, "Content-Encoding": "identity, gzip"},
    ],
)
def test_other_content_than_plain_json_gets_415(local: ASGIApp, recorder: Recorder, headers: dict[str, str]):
    bomb = gzip.compress(b" " * MIB)
    problem = problem_of(ask(local, "POST", "/predict", headers=headers, content=bomb), 415)
    assert problem.detail == "send JSON in UTF-8, uncompressed: Content-Type: application/json"
    assert recorder.scopes == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/decisions/0a1b", "/predict"])
def test_a_request_without_a_body_needs_no_content_type(local: ASGIApp, recorder: Recorder, method: str, path: str):
    assert ask(local, method, path).status_code == 200
    assert "body" not in recorder.scopes[0]


def test_a_body_to_an_unlisted_address_is_not_read(local: ASGIApp, recorder: Recorder):
    assert ask(local, "POST", "/nowhere", content=b"x", headers={"Content-Type": "text/plain"}).status_code == 200
    assert "body" not in recorder.scopes[0]


def test_a_disconnect_after_the_body_reaches_the_application():
    seen = []

    async def app(_: Message, receive: Any, __: Any) -> None:
        seen.extend([(await receive())["type"], (await receive())["type"]])

    messages = iter([{"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(messages)

    send_raw(behind_gateway(app), receive)
    assert seen == ["http.request", "http.disconnect"]


def test_the_bytes_of_all_bodies_in_work_are_limited(recorder: Recorder):
    local = behind_gateway(recorder, limits=Limits(max_concurrent_bytes=2500))
    recorder.wait = lambda: asyncio.sleep(0.1)
    statuses = [
        answer.status_code
        for answer in ask_all(local, [("POST", "/predict", {"headers": JSON, "content": b" " * 1000})] * 3)
    ]
    assert sorted(statuses) == [200, 200, 429]
    recorder.wait = None
    assert ask(local, "POST", "/predict", headers=JSON, content=b" " * 2500).status_code == 200


def test_large_bodies_wait_for_each_other_and_small_ones_do_not(local: ASGIApp, recorder: Recorder):
    in_work: list[int] = []
    maxima = {"large": 0, "all": 0}

    async def work() -> None:
        size = len(recorder.bodies[-1])
        in_work.append(size)
        maxima["large"] = max(maxima["large"], sum(size > LIMITS.large_body_bytes for size in in_work))
        maxima["all"] = max(maxima["all"], len(in_work))
        await asyncio.sleep(0.05)
        in_work.remove(size)

    recorder.wait = work
    sizes = [LIMITS.large_body_bytes + 1] * 3 + [LIMITS.large_body_bytes] * 3
    requests = [("POST", "/predict", {"headers": JSON, "content": b" " * size}) for size in sizes]
    assert [answer.status_code for answer in ask_all(local, requests)] == [200] * 6
    assert maxima == {"large": 1, "all": 4}


def test_memory_is_returned_after_a_large_body_only(recorder: Recorder, monkeypatch: pytest.MonkeyPatch):
    returned: list[bool] = []
    monkeypatch.setattr(request_limits, "return_free_memory", lambda: returned.append(True))
    local = behind_gateway(recorder, limits=Limits(large_body_bytes=10))
    ask(local, "POST", "/predict", headers=JSON, content=b" " * 10)
    assert returned == []
    ask(local, "POST", "/predict", headers=JSON, content=b" " * 11)
    assert returned == [True]
