"""Nothing that can be sent brings the service down, slows it without bound, or fills its memory."""

import copy
import gzip
import json
import random
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bento.answers import BatchPrediction, Prediction, Problem
from tests.faults.serving import FILES, WITHIN, Service

Json = dict[str, Any]
JSON = {"Content-Type": "application/json"}
CANARY = "a-value-that-no-log-may-hold"
AT_MOST = 10.0
"""Seconds for any answer, on a machine that is busy with other tests."""
MORE_MEMORY = 150 * 2**20
"""Bytes that the worker may have more afterwards: a batch of 8 MB takes most of it while it is read."""

pytestmark = pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)


@pytest.fixture
def memory(service: Service) -> Iterator[None]:
    """The worker survives, and has not much more memory afterwards."""
    worker = service.worker
    before = worker.memory_info().rss
    yield
    assert service.worker.pid == worker.pid
    assert worker.memory_info().rss < before + MORE_MEMORY


def _fair(answer: httpx.Response, seconds: float) -> None:
    """A decision, or a problem of the sender's, in time."""
    assert seconds < AT_MOST
    if answer.status_code == 200:
        return
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 2**17
    Problem.model_validate_json(answer.content)


def _sent(service: Service, path: str, content: Any, headers: Json = JSON) -> httpx.Response:
    start = time.monotonic()
    answer = httpx.post(service.url + path, content=content, headers=headers, timeout=WITHIN)
    _fair(answer, time.monotonic() - start)
    return answer


def _with(**fields: str) -> bytes:
    """A credit file with fields of the application written as they are: what no encoder would write."""
    text = json.dumps({"application": FILES[1]["application"]})
    return (text[:-2] + "".join(f', "{name}": {value}' for name, value in fields.items()) + "}}").encode()


def _nested(levels: int, around: str = "[]") -> str:
    return around[0] * levels + around[1] * levels


BODIES: dict[str, Callable[[], bytes]] = {
    "huge number": lambda: _with(AMT_CREDIT="1e308"),
    "number beyond all floats": lambda: _with(AMT_CREDIT="1e400"),
    "integer of 10,000 digits": lambda: _with(AMT_CREDIT="1" + "0" * 10_000),
    "integer of 64 bits": lambda: _with(DAYS_EMPLOYED=str(-(2**63)), CNT_CHILDREN=str(2**63)),
    "minus nothing": lambda: _with(AMT_CREDIT="-0.0", AMT_ANNUITY="-0.0"),
    "smallest number": lambda: _with(AMT_CREDIT="5e-324", AMT_ANNUITY="5e-324", AMT_INCOME_TOTAL="5e-324"),
    "NaN": lambda: _with(AMT_CREDIT="NaN"),
    "Infinity": lambda: _with(AMT_GOODS_PRICE="-Infinity"),
    "NaN in a column that nobody knows": lambda: _with(SHOE_SIZE="NaN"),
    "true": lambda: _with(AMT_CREDIT="true"),
    "nested deeply": lambda: _nested(100_000).encode(),
    "nested deeply in a column that nobody knows": lambda: _with(SHOE_SIZE=_nested(100_000)),
    "nested objects": lambda: (b'{"a":' * 100_000) + b"1" + b"}" * 100_000,
    "a million rows": lambda: b'{"application":{},"bureau":[' + b"{}," * 400_000 + b"{}]}",
    "rows above the limit": lambda: json.dumps(FILES[1] | {"bureau": [{"DAYS_CREDIT": -1}] * 10_001}).encode(),
    "columns that nobody knows": lambda: json.dumps(
        {"application": FILES[1]["application"] | {f"c{n}": n for n in range(20_000)}}
    ).encode(),
    "an enormous name": lambda: _with(**{"X" * 10**6: "1"}),
    "an enormous category": lambda: _with(NAME_INCOME_TYPE='"' + "x" * 10**6 + '"'),
    "NUL": lambda: _with(NAME_INCOME_TYPE='"\\u0000"'),
    "half a surrogate": lambda: _with(NAME_INCOME_TYPE='"\\ud800"'),
    "the same key twice": lambda: b'{"application": {}, ' + json.dumps(FILES[1]).encode()[1:],
    "UTF-16": lambda: json.dumps(FILES[1]).encode("utf-16"),
    "latin-1": lambda: _with(NAME_INCOME_TYPE='"\u00e9"').decode().encode("latin-1"),
    "a byte order mark": lambda: b"\xef\xbb\xbf" + json.dumps(FILES[1]).encode(),
    "no UTF-8": lambda: b'{"application": "\xff\xfe"}',
    "null": lambda: b"null",
    "a text": lambda: json.dumps(CANARY).encode(),
    "nothing": lambda: b"",
    "too large": lambda: b'{"application": "' + b"x" * 9 * 2**20 + b'"}',
    "wrong types": lambda: json.dumps(
        {"application": {name: [CANARY] for name in FILES[1]["application"]}, "bureau": {"a": 1}}
    ).encode(),
}


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("path", ["/predict", "/explain", "/predict_batch"])
@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_any_kind_is_answered_fairly(service: Service, path: str, name: str):
    body = BODIES[name]()
    _sent(service, path, body)
    if path == "/predict_batch" and body:
        answer = _sent(service, path, b'{"credit_files": [' + body + b"]}")
        if answer.status_code == 200:
            BatchPrediction.model_validate_json(answer.content)
    assert service.predict().status_code == 200


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/vnd.bentoml+pickle"},
        JSON | {"Content-Encoding": "gzip"},
        JSON | {"Content-Encoding": "br"},
        {},
    ],
)
def test_nothing_but_plain_json_is_read(service: Service, headers: dict[str, str]):
    bomb = gzip.compress(b"[" + b" " * 50 * 2**20 + b"]")
    assert _sent(service, "/predict", bomb, headers).status_code == 415


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    "lines",
    [
        "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{}",
        "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: -1\r\n\r\n{}",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /predict HTTP/1.1\r\nHost: x\r\n" + "X-Y: z\r\n" * 20_000 + "\r\n",
        "GET /" + "x" * 200_000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "NONSENSE\r\n\r\n",
    ],
)
def test_broken_http_is_refused(service: Service, lines: str):
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port), timeout=WITHIN) as connection:
        try:
            connection.sendall(lines.encode())
            answered = connection.recv(100)
        except ConnectionError:
            answered = b""
    assert answered == b"" or answered.split()[1].startswith(b"4"), answered
    assert service.predict().status_code == 200


@pytest.mark.usefixtures("memory")
def test_a_body_without_an_end_is_cut_off_at_its_limit(service: Service):
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b" " * 2**17

    try:
        answer = httpx.post(f"{service.url}/predict", content=endless(), headers=JSON, timeout=WITHIN)
    except httpx.TransportError:
        pass  # cut off while it was still sending
    else:
        assert answer.status_code == 413
    assert service.predict().status_code == 200


def test_what_was_sent_stays_out_of_the_log(service: Service):
    application = FILES[1]["application"] | {"NAME_INCOME_TYPE": CANARY, "AMT_CREDIT": CANARY, CANARY: CANARY}
    _sent(service, "/predict", json.dumps({"application": application}).encode())
    _sent(service, "/predict", json.dumps({"application": application | {"AMT_CREDIT": 1}, CANARY: 1}).encode())
    httpx.post(f"{service.url}/predict?{CANARY}=1", json=FILES[0], timeout=WITHIN)
    log = service.log.read_text(encoding="utf-8")
    assert CANARY not in log
    assert "Traceback" not in log


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)


def _mutated(file: Json, random_: random.Random, value: Any) -> Json:
    """The credit file with one of its values, anywhere in it, replaced."""
    changed = copy.deepcopy(file)
    place: Any = changed
    while True:
        key = random_.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or random_.random() < 0.1:
            place[key] = value
            return changed
        place = place[key]


@given(st.sampled_from(FILES), st.randoms(use_true_random=False), VALUES)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_any_change_of_a_credit_file_is_decided_or_refused(service: Service, file: Json, random_, value: Any):
    content = json.dumps(_mutated(file, random_, value)).encode()
    answer = _sent(service, "/predict?purpose=simulation", content)
    if answer.status_code == 200:
        Prediction.model_validate_json(answer.content)
    else:
        assert answer.status_code in (400, 422)
