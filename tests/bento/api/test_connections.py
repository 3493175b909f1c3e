"""Limits of connections, with a real server and raw sockets."""

import asyncio
import contextlib
import logging
import resource
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http import auto

from bento.api import connections
from bento.api.connections import LimitedProtocol, max_connections
from bento.settings import Limits
from tests.support.deadlines import timeout_s, wait_until

LIMITS = Limits(head_timeout_s=timeout_s(0.3), idle_timeout_s=timeout_s(0.6), max_connections=8)
"""Longer on a slow machine, which takes longer to send a request."""
PAUSE_S = 0.05
"""Seconds between two bytes of a slow sender."""
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
IN_WORK = threading.Event()
"""Set once a request for `/slow` is in work."""


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer at once; `/slow` after longer than a connection may be idle."""
    if scope["path"] == "/slow":
        IN_WORK.set()
        await asyncio.sleep(LIMITS.head_timeout_s + LIMITS.idle_timeout_s)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Run a server with the limits in a thread."""
    monkeypatch.setattr(LimitedProtocol, "load_limits", staticmethod(lambda: LIMITS))
    monkeypatch.setattr(LimitedProtocol, "_idle", {})
    monkeypatch.setattr(LimitedProtocol, "_reported_at", None)
    monkeypatch.setattr(LimitedProtocol, "is_ending", False)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application, http=LimitedProtocol, lifespan="off", log_config=None, timeout_keep_alive=60)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    wait_until(lambda: server.started)
    yield listener.getsockname()
    server.should_exit = True
    thread.join()


def _connect(address: tuple[str, int], *sent: bytes) -> socket.socket:
    connection = socket.create_connection(address, timeout=timeout_s(10))
    for data in sent:
        connection.sendall(data)
    return connection


def _answer(connection: socket.socket) -> bytes:
    """Read one answer, whose head and body may arrive apart."""
    received = b""
    while not received.endswith(b"\r\n\r\nok") and (part := connection.recv(1000)):
        received += part
    return received


def _send_until_closed(connection: socket.socket, byte: bytes) -> None:
    """Send byte by byte until the other side closes the connection."""
    connection.settimeout(PAUSE_S)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while True:
            connection.sendall(byte)
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1000):
                    return


def _seconds_until_closed(connection: socket.socket) -> float:
    start = time.monotonic()
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(1000):
            pass
    return time.monotonic() - start


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_connection_without_a_whole_head_is_closed(address: tuple[str, int], sent: bytes):
    with _connect(address, sent) as connection:
        assert LIMITS.head_timeout_s * 0.9 < _seconds_until_closed(connection) < LIMITS.head_timeout_s + timeout_s(2)


def test_a_head_that_arrives_byte_by_byte_does_not_prolong_its_time(address: tuple[str, int]):
    start = time.monotonic()
    with _connect(address) as connection:
        _send_until_closed(connection, b"G")
    assert time.monotonic() - start < LIMITS.head_timeout_s + timeout_s(2)


@pytest.mark.parametrize("second", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nHost: a\r\n"])
def test_a_connection_that_is_idle_after_an_answer_is_closed(address: tuple[str, int], second: bytes):
    with _connect(address, GET) as connection:
        assert b"200 OK" in _answer(connection)
        connection.sendall(second)
        assert LIMITS.idle_timeout_s * 0.8 < _seconds_until_closed(connection) < LIMITS.idle_timeout_s + timeout_s(3)


def test_a_wish_for_another_protocol_is_answered_as_any_request(address: tuple[str, int]):
    upgrade = GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    upgrade += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    with _connect(address, upgrade) as connection:
        assert b"200 OK" in _answer(connection)
        connection.sendall(GET)
        assert b"200 OK" in _answer(connection)
    wait_until(lambda: not LimitedProtocol._idle)


def test_a_body_that_no_answer_waits_for_does_not_hold_the_connection(address: tuple[str, int]):
    start = time.monotonic()
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
    with _connect(address, head) as connection:
        _send_until_closed(connection, b" ")
    assert time.monotonic() - start < LIMITS.idle_timeout_s + timeout_s(3)


def test_requests_on_one_connection_are_answered_for_longer_than_the_limits(address: tuple[str, int]):
    start = time.monotonic()
    with _connect(address) as connection:
        while time.monotonic() - start < LIMITS.head_timeout_s + LIMITS.idle_timeout_s:
            connection.sendall(GET)
            assert _answer(connection).endswith(b"ok")
        connection.sendall(GET.replace(b"/ ", b"/slow "))
        assert _answer(connection).endswith(b"ok")
        connection.sendall(GET + GET)  # pipelined
        answers = b""
        while answers.count(b"ok") < 2:
            answers += connection.recv(1000)


def test_a_new_connection_takes_the_place_of_the_one_idle_for_longest(
    address: tuple[str, int], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    patient = Limits(head_timeout_s=60, idle_timeout_s=60, max_connections=12)
    monkeypatch.setattr(connections, "MIN_IDLE_S", 0)
    monkeypatch.setattr(LimitedProtocol, "load_limits", staticmethod(lambda: patient))
    with contextlib.ExitStack() as stack, caplog.at_level(logging.WARNING):
        IN_WORK.clear()
        busy = stack.enter_context(_connect(address, GET.replace(b"/ ", b"/slow ")))
        wait_until(IN_WORK.is_set)
        idle = [stack.enter_context(_connect(address)) for _ in range(20)]
        asking = stack.enter_context(_connect(address, GET))
        assert _answer(asking).endswith(b"ok")
        for connection in idle[:13]:
            _seconds_until_closed(connection)
        assert _answer(busy).endswith(b"ok")
        idle[-1].sendall(GET)
        assert _answer(idle[-1]).endswith(b"ok")
    lines = [record.getMessage() for record in caplog.records if "connections of this worker" in record.getMessage()]
    assert lines == ["9 of the 12 connections of this worker are taken; those idle for longest are closed"]


def test_a_new_connection_has_time_for_its_request_up_to_the_bound(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
):
    patient = Limits(head_timeout_s=60, idle_timeout_s=60, max_connections=12)
    monkeypatch.setattr(LimitedProtocol, "load_limits", staticmethod(lambda: patient))
    monkeypatch.setattr(connections, "MIN_IDLE_S", 60)
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(_connect(address)) for _ in range(15)]
        for connection in opened[:3]:  # those beyond the bound, although they are new
            _seconds_until_closed(connection)
        for connection in opened[3:]:
            connection.sendall(GET)
            assert _answer(connection).endswith(b"ok")


def test_a_connection_that_was_accepted_at_the_end_gets_one_answer(address: tuple[str, int]):
    LimitedProtocol.is_ending = True
    with _connect(address, GET) as connection:
        assert _answer(connection).endswith(b"ok")
        assert _seconds_until_closed(connection) < LIMITS.idle_timeout_s


def test_a_server_that_ends_says_so_to_its_connections(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(LimitedProtocol, "is_ending", False)
    monkeypatch.setattr(LimitedProtocol, "load_limits", LimitedProtocol.load_limits)
    connections.install(lambda: LIMITS)
    config = uvicorn.Config(application, http=LimitedProtocol, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        wait_until(lambda: server.started)
        assert not LimitedProtocol.is_ending
        server.should_exit = True
        thread.join()
    assert LimitedProtocol.is_ending


def test_the_bound_leaves_open_files_for_other_uses(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 256))
    assert max_connections(Limits()) == 160
    assert max_connections(Limits(max_connections=20)) == 20


def test_a_worker_makes_its_server_with_these_limits():
    import bento.service  # noqa: F401 - installs them

    config = uvicorn.Config(application, log_config=None)
    config.load()
    assert config.http_protocol_class is LimitedProtocol
    assert auto.AutoHTTPProtocol is LimitedProtocol
    assert connections.LimitedProtocol.load_limits().max_connections >= 8


def test_a_worker_leaves_waiting_connections_to_others_while_it_answers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uvicorn.Server, "startup", connections._startup)
    listener, accepted = socket.create_server(("127.0.0.1", 0), backlog=16), []

    async def count(scope: Any, receive: Any, send: Any) -> None:
        accepted.append(len(server.server_state.connections))
        await application(scope, receive, send)

    config = uvicorn.Config(count, http=LimitedProtocol, loop="asyncio", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(_connect(listener.getsockname(), GET)) for _ in range(16)]
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        answers = [_answer(connection) for connection in waiting]
        server.should_exit = True
        thread.join()

    assert all(b"200 OK" in answer for answer in answers)
    assert accepted[0] < 8
