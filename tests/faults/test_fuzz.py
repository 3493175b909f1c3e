"""No request brings the service down, slows it without bound, or fills its memory."""

import copy
import gzip
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bento.api.endpoints import PREDICT_BATCH, endpoint_of
from bento.api.problems import Problem
from bento.api.schemas import BatchPrediction, Prediction
from bento.scoring.explanation import Explanation
from bento.settings import LIMITS, MIB
from tests.support.deadlines import timeout_s
from tests.support.sampling import examples
from tests.support.services import FILES, REQUEST_TIMEOUT_S, Service, problem

Json = dict[str, Any]
JSON = {"Content-Type": "application/json"}
CANARY = "a-value-that-no-log-may-hold"
PATHS = {"/predict": Prediction, "/explain": Explanation, "/predict_batch": BatchPrediction}
MAX_ANSWER_S = 10.0
"""Seconds for any answer, on a machine that is busy with other tests."""
MAX_MEMORY_BYTES = 512 * MIB
"""Bytes of a worker at any moment."""
MAX_KEPT_BYTES = 100 * MIB
"""Bytes by which a worker may be larger after a test than before it."""

pytestmark = pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def sound(service: Service) -> Iterator[None]:
    """Check after each test that the workers are the same, within their memory, and logged no value of a request."""
    workers, ended, peak = service.workers, threading.Event(), 0

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.01):
            peak = max(peak, *_memory(workers))

    before = _memory(workers)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
        assert service.predict().status_code == 200
    finally:
        ended.set()
        watcher.join()
    assert service.workers == workers
    assert peak < MAX_MEMORY_BYTES
    assert all(now < then + MAX_KEPT_BYTES for now, then in zip(_memory(workers), before, strict=True))
    assert CANARY not in service.log.read_text(encoding="utf-8")


def _memory(workers: list[psutil.Process]) -> list[int]:
    return [worker.memory_info().rss for worker in workers]


def _assert_fair(answer: httpx.Response, seconds: float) -> None:
    """Check that an answer is a result or a problem of the client, in time and of moderate length."""
    assert seconds < timeout_s(MAX_ANSWER_S)
    if answer.status_code == 200:
        PATHS[answer.request.url.path].model_validate_json(answer.content)
    else:
        assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
        problem(answer, answer.status_code)
    assert len(answer.content) < MIB


def _sent(service: Service, path: str, content: Any, headers: Any = JSON) -> httpx.Response:
    start = time.monotonic()
    answer = httpx.post(service.url + path, content=content, headers=headers, timeout=timeout_s(REQUEST_TIMEOUT_S))
    _assert_fair(answer, time.monotonic() - start)
    return answer


def _with(**fields: str) -> bytes:
    """Return a credit file whose application holds fields written as they are, as no encoder would write them."""
    application = {name: value for name, value in FILES[1]["application"].items() if name not in fields}
    text = json.dumps({"application": application})
    return (text[:-2] + "".join(f', "{name}": {value}' for name, value in fields.items()) + "}}").encode()


def _nested(levels: int) -> str:
    return "[" * levels + "]" * levels


BODIES: dict[str, Callable[[], bytes]] = {
    "huge number": lambda: _with(AMT_CREDIT="1e308"),
    "number beyond all floats": lambda: _with(AMT_CREDIT="1e400"),
    "integer of 10,000 digits": lambda: _with(AMT_CREDIT="1" + "0" * 10_000),
    "integer of 400 digits of no meaning": lambda: _with(SHOE_SIZE="1" + "0" * 400),
    "integer of 64 bits": lambda: _with(DAYS_EMPLOYED=str(-(2**63)), CNT_CHILDREN=str(2**63)),
    "minus nothing": lambda: _with(AMT_CREDIT="-0.0", AMT_ANNUITY="-0.0"),
    "smallest number": lambda: _with(AMT_CREDIT="5e-324", AMT_ANNUITY="5e-324", AMT_INCOME_TOTAL="5e-324"),
    "largest amounts": lambda: _with(AMT_CREDIT="1e12", AMT_ANNUITY="5e-324", AMT_GOODS_PRICE="1e12"),
    "NaN": lambda: _with(AMT_CREDIT="NaN"),
    "Infinity": lambda: _with(AMT_GOODS_PRICE="-Infinity"),
    "NaN in a column of no meaning": lambda: _with(SHOE_SIZE="NaN", HAT_SIZE="-Infinity"),
    "true": lambda: _with(AMT_CREDIT="true"),
    "nested deeply": lambda: _nested(100_000).encode(),
    "nested deeply in a column of no meaning": lambda: _with(SHOE_SIZE=_nested(100_000)),
    "nested as deeply as is read": lambda: _with(SHOE_SIZE=_nested(190)),
    "nested objects": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a million rows": lambda: _with()[:-1] + b', "bureau": [' + b"{}," * 999_999 + b"{}]}",
    "as many rows as fit": lambda: _with()[:-1] + b', "bureau": [' + b"{}," * 40_000 + b"{}]}",
    "rows above the limit": lambda: json.dumps(FILES[1] | {"bureau": [{"DAYS_CREDIT": -1}] * 10_001}).encode(),
    "nothing but wrong rows": lambda: json.dumps(FILES[1] | {"bureau": [1] * 10_000}).encode(),
    "columns of no meaning": lambda: _with(**{f"c{n}": str(n) for n in range(50_000)}),
    "tables of no meaning": lambda: json.dumps(FILES[1] | {f"t{n}": 1 for n in range(100_000)}).encode(),
    "an enormous name": lambda: _with(**{CANARY * 40_000: "1"}),
    "an enormous table": lambda: json.dumps(FILES[1] | {CANARY * 40_000: 1}).encode(),
    "an enormous category": lambda: _with(NAME_INCOME_TYPE=f'"{CANARY * 40_000}"'),
    "no name": lambda: _with(**{"": "1"}),
    "NUL": lambda: _with(NAME_INCOME_TYPE='"\\u0000"', **{"\\u0000": "1"}),
    "half a surrogate": lambda: _with(NAME_INCOME_TYPE='"\\ud800"'),
    "half a surrogate in UTF-8": lambda: _with(NAME_INCOME_TYPE='"?"').replace(b"?", b"\xed\xa0\x80"),
    "the same key twice": lambda: b'{"application": {}, ' + json.dumps(FILES[1]).encode()[1:],
    "the same column twice": lambda: _with(AMT_CREDIT='1, "AMT_CREDIT": 1'),
    "the same column in capitals and not": lambda: _with(AMT_CREDIT="1", amt_credit="2"),
    "a column 100,000 times": lambda: _with(SHOE_SIZE="1" + ', "SHOE_SIZE": 1' * 100_000),
    "100,000 columns twice": lambda: (
        _with()[:-2] + b", " + b", ".join(b'"c%d":1' % (number % 50_000) for number in range(100_000)) + b"}}"
    ),
    "UTF-16": lambda: json.dumps(FILES[1]).encode("utf-16"),
    "latin-1": lambda: _with(NAME_INCOME_TYPE='"\u00e9"').decode().encode("latin-1"),
    "a byte order mark": lambda: b"\xef\xbb\xbf" + json.dumps(FILES[1]).encode(),
    "no UTF-8": lambda: b'{"application": "\xff\xfe"}',
    "null": lambda: b"null",
    "a text": lambda: json.dumps(CANARY).encode(),
    "nothing": lambda: b"",
    "too large": lambda: b'{"application": "' + b"x" * 9 * MIB + b'"}',
    "wrong types": lambda: json.dumps(
        {"application": {name: [CANARY] for name in FILES[1]["application"]}, "bureau": {"a": CANARY}}
    ).encode(),
    "wrong values": lambda: json.dumps(
        {"application": dict.fromkeys(FILES[1]["application"], CANARY), CANARY: CANARY}
    ).encode(),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.promise("any body gets a result or a problem in time, and no 500")
def test_any_body_gets_a_result_or_a_problem_in_time(service: Service, name: str):
    body = BODIES[name]()
    for path in PATHS:
        _sent(service, path, body)
    if body:
        _sent(service, "/predict_batch", b'{"credit_files": [' + body + b"]}")


UNITS = (b"[]", b"{}", b'{"":1}', b"1", b"5.5", b'"\xc3\xa9"', b"null", b'{"a":{"b":{}}}')


@pytest.mark.parametrize("path", PATHS)
def test_a_body_packed_with_values_takes_little_memory(service: Service, path: str):
    """Try the largest number of values that passes the limit, and the largest that fits into the body."""
    largest = endpoint_of(path).max_body_bytes - 1_000
    start, end = (b'{"credit_files": [[', b"]]}") if path == "/predict_batch" else (_with()[:-2] + b', "x": [', b"]}}")
    for unit in UNITS:
        for count in (largest // 50 // (1 + unit.count(b"{")), largest // 2 // (len(unit) + 1)):
            _sent(service, path, start + b",".join(repeat(unit, count)) + end)


def test_a_batch_of_nothing_but_unknown_fields_takes_little_memory(service: Service):
    fields = b",".join(b'"%x":1' % number for number in range(500_000))
    _sent(service, "/predict_batch", b'{"credit_files": [], ' + fields + b"}")
    _sent(service, "/predict_batch", b'{"credit_files": [{' + fields + b"}]}")


@pytest.mark.promise("concurrent batches of the largest size do not fill the memory")
def test_concurrent_batches_do_not_fill_the_memory(service: Service):
    row = {"SK_ID_BUREAU": 5_000_001, "STATUS": "C"}
    file = FILES[1] | {"bureau_balance": [row | {"MONTHS_BALANCE": -month} for month in range(1_050)]}
    content = json.dumps({"credit_files": [file] * 100}, separators=(",", ":")).encode()
    together = 12
    assert len(content) < PREDICT_BATCH.max_body_bytes
    assert together * len(content) > 2 * LIMITS.max_concurrent_bytes

    def sent(_: int) -> httpx.Response:
        return httpx.post(
            f"{service.url}/predict_batch", content=content, headers=JSON, timeout=timeout_s(REQUEST_TIMEOUT_S)
        )

    with ThreadPoolExecutor(together) as pool:
        answers = list(pool.map(sent, range(together)))
    assert 200 in [answer.status_code for answer in answers]
    for answer in answers:
        if answer.status_code != 200:
            problem(answer, 429)


def test_credit_files_with_shared_ids_are_decided_as_if_alone(service: Service):
    files = copy.deepcopy([FILES[3], FILES[2], FILES[3], {**FILES[3], "application": FILES[2]["application"]}])
    for rows in (rows for file in files for rows in file.values() if isinstance(rows, list)):
        for row in rows:  # the rows do not name their client
            row.pop("SK_ID_CURR", None)
    alone = [service.predict(file, params={"purpose": "simulation"}).json() for file in files]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [0, 1, 2, 3] * 20):
        batch = {"credit_files": [files[at] for at in order]}
        answer = service.post("/predict_batch?purpose=simulation", batch).json()
        for item, at in zip(answer["results"], order, strict=True):
            expected = alone[at]["probability_of_default"]
            assert item["prediction"]["probability_of_default"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/vnd.bentoml+pickle"},
        JSON | {"Content-Encoding": "gzip"},
        JSON | {"Content-Encoding": "deflate"},
        JSON | {"Content-Encoding": "br"},
        {},
    ],
)
def test_only_plain_json_is_read(service: Service, headers: dict[str, str]):
    bomb = gzip.compress(b"[" + b" " * 20 * MIB + b"]")
    assert _sent(service, "/predict", bomb, headers).status_code == 415


def _answered(service: Service, content: bytes) -> bytes:
    """Send bytes as they are and return the beginning of the answer; nothing where the connection is closed."""
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port), timeout=timeout_s(MAX_ANSWER_S)) as connection:
        try:
            connection.sendall(content)
            return connection.recv(2**16)
        except ConnectionError:  # closed while the rest was still being sent
            return b""


POST = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
BROKEN = {
    "a length without end": POST + b"Content-Length: 99999999999\r\n\r\n{}",
    "a length of 5,000 digits": POST + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n{}",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
    "a chunk that is none": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk that is none, for a static page": POST.replace(b"/predict", b"/")
    + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk that is none, for an address without a body": POST.replace(b"/predict", b"/model")
    + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "twenty thousand headers": POST + b"X-Y: z\r\n" * 20_000 + b"\r\n",
    "an address without end": b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "no HTTP": b"NONSENSE\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.promise("broken HTTP is refused")
def test_broken_http_is_refused(service: Service, name: str):
    answered = _answered(service, BROKEN[name])
    assert answered == b"" or answered.split()[1].startswith(b"4"), answered


def test_a_body_shorter_than_declared_times_out(service: Service):
    start = time.monotonic()
    answered = _answered(service, POST + b"Content-Length: 1000\r\n\r\n{")
    assert answered.startswith(b"HTTP/1.1 408")
    assert LIMITS.body_timeout_s <= time.monotonic() - start < timeout_s(MAX_ANSWER_S)


def test_chunks_of_a_byte_each_are_read_in_time(service: Service):
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in json.dumps(FILES[0]).encode())
    start = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    assert _answered(service, start + chunks + b"0\r\n\r\n").startswith(b"HTTP/1.1 200")
    answered = _answered(service, start + b"1\r\n \r\n" * 100_000 + b"0\r\n\r\n")
    assert answered.startswith(b"HTTP/1.1 400"), answered


def test_a_body_without_an_end_is_cut_off_at_its_limit(service: Service):
    endless = repeat(b" " * 2**17, 1_000)
    try:
        answer = httpx.post(
            f"{service.url}/predict", content=iter(endless), headers=JSON, timeout=timeout_s(REQUEST_TIMEOUT_S)
        )
    except httpx.TransportError:
        return  # cut off while it was still sending
    problem(answer, 413)


ODD_KEYS = ("", "x" * 201, "x" * 10_000, "a b", "\u00e9", "\x7f", "{}", "'OR/**/1=1--")


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_odd_idempotency_key_is_refused_or_works(service: Service, key: str):
    headers = [(b"Content-Type", b"application/json"), (b"Idempotency-Key", key.encode("latin-1"))]
    first, again = (_sent(service, "/predict", json.dumps(FILES[1]).encode(), headers) for _ in range(2))
    assert first.status_code == again.status_code
    assert first.status_code in (200, 422)
    assert first.content == again.content


def test_several_idempotency_keys_are_refused_and_decide_nothing(service: Service):
    body = json.dumps(FILES[1]).encode()
    before = len(service.journal.ids())
    both = [*JSON.items(), ("Idempotency-Key", "first-of-two"), ("Idempotency-Key", "second-of-two")]
    assert _sent(service, "/predict", body, both).status_code == 422
    assert len(service.journal.ids()) == before


ODD_ADDRESSES = (
    "/decisions/" + "x" * 30_000,
    "/decisions/%00",
    "/decisions/%ff%fe",
    "/decisions/..%2f..%2fetc%2fpasswd",
    "/decisions/'OR/**/1=1--",
    "/" + "a/" * 10_000,
    "//",
    "/static_content/..%2f..%2fservice.py",
    "/static_content/../service.py",
    "/predict/submit",
    "/unheard_of?" + "a=1&" * 5_000,
)


@pytest.mark.parametrize("address", ODD_ADDRESSES)
def test_an_odd_address_finds_nothing(service: Service, address: str):
    problem(service.get(address), 404)


def test_a_query_that_is_too_long_is_refused(service: Service):
    body = json.dumps(FILES[1]).encode()
    assert _sent(service, "/predict?purpose=" + "x" * 30_000, body).status_code == 422
    assert _sent(service, "/predict?" + "purpose=simulation&" * 2_000, body).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_another_method_is_refused(service: Service, method: str):
    for path in PATHS:
        answer = httpx.request(method, service.url + path, timeout=timeout_s(REQUEST_TIMEOUT_S))
        assert answer.status_code == 405
        assert method == "HEAD" or Problem.model_validate_json(answer.content).status == 405


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)


def _mutated(file: Json, choice: random.Random, value: Any) -> Json:
    """Return the credit file with one of its values, anywhere in it, replaced."""
    changed = copy.deepcopy(file)
    place: Any = changed
    while True:
        key = choice.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or choice.random() < 0.1:
            place[key] = value
            return changed
        place = place[key]


@given(st.sampled_from(FILES), st.randoms(use_true_random=False), VALUES)
@settings(max_examples=examples(150), suppress_health_check=list(HealthCheck), derandomize=True)
def test_any_change_of_a_credit_file_is_decided_or_refused(service: Service, file: Json, choice: Any, value: Any):
    content = json.dumps(_mutated(file, choice, value)).encode()
    answer = _sent(service, "/predict?purpose=simulation", content)
    assert answer.status_code in (200, 400, 422)
