"""Clients that hold connections, send slowly, or send requests whose end is ambiguous."""

import contextlib
import json
import resource
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from bento.api.keys import new_key
from bento.settings import LIMITS
from tests.support.deadlines import timeout_s, wait_until
from tests.support.services import FILES, REQUEST_TIMEOUT_S, Service, served

OPEN_FILES = 256
CONNECTIONS = 700
MAX_ANSWER_S = 10.0
"""Seconds for an answer while all connections are taken, on a quiet machine."""


@pytest.fixture(scope="module")
def two_keys(
    bento_tag: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, dict[str, str], dict[str, str]]]:
    """Return a service whose workers may open 256 files, and the headers of two keys."""
    folder = tmp_path_factory.mktemp("connections")
    keys = folder / "keys.json"
    headers = [{"Authorization": f"Bearer {new_key(keys, ['score'])[0]}"} for _ in range(2)]
    settings = {"SCORING_AUTH": "", "SCORING_KEYS_FILE": str(keys)}
    with served(bento_tag, f"sqlite:///{folder}/journal.db", folder, **settings) as service:
        for worker in service.workers:
            resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
        yield service, headers[0], headers[1]


def _socket(service: Service) -> socket.socket:
    address = urlsplit(service.url)
    return socket.create_connection((address.hostname, address.port), timeout=timeout_s(REQUEST_TIMEOUT_S))


def _head(headers: dict[str, str], **more: str) -> bytes:
    lines = {"Host": "127.0.0.1", "Content-Type": "application/json", **headers, **more}
    return b"POST /predict HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()


@pytest.mark.parametrize("sent", [b"", b"POST /pred"])
@pytest.mark.promise("idle connections do not stop answers")
def test_answers_come_while_more_connections_than_open_files_are_idle(
    two_keys: tuple[Service, dict[str, str], dict[str, str]], sent: bytes
):
    service, headers, _ = two_keys
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTIONS):
            connection = stack.enter_context(_socket(service))
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                connection.sendall(sent)
        for _ in range(5):
            start = time.monotonic()
            answer = httpx.post(
                f"{service.url}/predict", json=FILES[1], headers=headers, timeout=timeout_s(REQUEST_TIMEOUT_S)
            )
            assert answer.status_code == 200
            assert time.monotonic() - start < timeout_s(MAX_ANSWER_S)
    assert all(worker.num_fds() < OPEN_FILES for worker in service.workers)
    assert "connections of this worker are taken" in service.log.read_text()


def test_a_connection_that_sends_no_request_is_cut(two_keys: tuple[Service, dict[str, str], dict[str, str]]):
    service, _, _ = two_keys
    start = time.monotonic()
    with _socket(service) as connection, contextlib.suppress(ConnectionResetError):
        connection.sendall(b"GET /livez HTTP/1.1\r\n")
        assert connection.recv(100) == b""
    assert time.monotonic() - start < timeout_s(LIMITS.head_timeout_s + 5)


@pytest.mark.promise("a key that sends slowly does not keep another from its answer")
def test_one_key_that_sends_slowly_does_not_keep_another_from_its_answer(
    two_keys: tuple[Service, dict[str, str], dict[str, str]],
):
    service, first, second = two_keys
    ended = threading.Event()
    statuses: list[bytes] = []

    def send_slowly() -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError), _socket(service) as connection:
                connection.sendall(_head(first, **{"Content-Length": "1000"}) + b"\r\n")
                connection.settimeout(0.2)
                answer = b""
                while not ended.is_set() and not answer:
                    connection.sendall(b" ")
                    with contextlib.suppress(TimeoutError):
                        answer = connection.recv(1000)
                statuses.append(answer.split(b" ", 2)[1] if answer else b"")

    senders = [threading.Thread(target=send_slowly) for _ in range(200)]
    for sender in senders:
        sender.start()
    try:
        wait_until(lambda: b"429" in statuses)  # the first key has more in work than its share
        answers = [
            httpx.post(f"{service.url}/predict", json=FILES[1], headers=second, timeout=timeout_s(REQUEST_TIMEOUT_S))
            for _ in range(20)
        ]
    finally:
        ended.set()
        for sender in senders:
            sender.join()
    assert [answer.status_code for answer in answers] == [200] * 20


def test_the_rate_bites_for_one_key_and_not_for_another(two_keys: tuple[Service, dict[str, str], dict[str, str]]):
    service, first, second = two_keys
    ended = threading.Event()
    statuses: list[int] = []

    def ask_fast() -> None:
        with httpx.Client(base_url=service.url, headers=first, timeout=timeout_s(REQUEST_TIMEOUT_S)) as client:
            while not ended.is_set():
                statuses.append(client.get("/model").status_code)

    clients = [threading.Thread(target=ask_fast) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        wait_until(lambda: 429 in statuses)
        answer = httpx.get(f"{service.url}/model", headers=second, timeout=timeout_s(REQUEST_TIMEOUT_S))
    finally:
        ended.set()
        for client in clients:
            client.join()
    assert answer.status_code == 200
    assert set(statuses) == {200, 429}


@pytest.mark.promise("a request with two lengths is refused, and its connection closed")
def test_a_request_with_two_lengths_closes_its_connection(two_keys: tuple[Service, dict[str, str], dict[str, str]]):
    service, _, headers = two_keys
    body = json.dumps(FILES[1]).encode()
    chunked = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    smuggled = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    lengths = {"Content-Length": str(len(chunked)), "Transfer-Encoding": "chunked"}
    received = b""
    with _socket(service) as connection, contextlib.suppress(ConnectionResetError):
        connection.sendall(_head(headers, **lengths) + b"\r\n" + chunked + smuggled)
        while part := connection.recv(10_000):
            received += part
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1 ") == 1


def test_the_worker_serves_on_after_all_that(two_keys: tuple[Service, dict[str, str], dict[str, str]], tmp_path: Path):
    service, _, second = two_keys
    wait_until(lambda: service.predict(headers=second).status_code == 200)
    assert "Traceback" not in service.log.read_text()
