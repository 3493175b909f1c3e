"""What passes the doors, what does not, and in which words; before a small application of the tests' own."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.api.keys import KeyRing, new_key
from bento.api.middleware import gateway as doors
from bento.api.middleware.gateway import HEADERS, MAX_BODY_BYTES, MAX_OTHER_BODY_BYTES, MIB, Doors, RateLimit
from bento.api.problems import MEDIA_TYPE, Problem

JSON = {"Content-Type": "application/json"}
POSTS = ("/predict", "/predict_batch", "/explain")
OPEN = (
    "/",
    "/livez",
    "/readyz",
    "/healthz",
    "/metrics",
    "/docs.json",
    "/schema.json",
    "/static_content/swagger-ui.css",
)

Message = dict[str, Any]


class Behind:
    """An application that reads the whole body, remembers what it was asked, and answers as it is told."""

    def __init__(self, status: int = 200, content_type: str = "application/json", parts: Iterable[bytes] = (b"{}",)):
        self.status, self.content_type, self.parts = status, content_type, list(parts)
        self.asked: list[Message] = []
        self.bodies: list[bytes] = []
        self.wait: Callable[[], Awaitable[object]] | None = None

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        self.asked.append(scope)
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        self.bodies.append(body)
        if self.wait is not None:
            await self.wait()
        headers = [(b"content-type", self.content_type.encode()), (b"x-frame-options", b"ALLOWALL")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for part in self.parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def behind() -> Behind:
    return Behind()


@pytest.fixture
def local(behind: Behind) -> Doors:
    """Doors without keys, on loopback."""
    return Doors(behind, keys=lambda: None)


def _ask(app: Any, method: str, path: str, base: str = "http://127.0.0.1:3000", **request: Any) -> httpx.Response:
    return _ask_all(app, [(method, path, request)], base)[0]


def _ask_all(
    app: Any, requests: list[tuple[str, str, dict[str, Any]]], base: str = "http://127.0.0.1:3000"
) -> list[httpx.Response]:
    """The answers to requests that are made at once."""

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport) as client:
            asked = (client.request(method, base + path, **more) for method, path, more in requests)
            return await asyncio.gather(*asked)

    return asyncio.run(ask())


def _problem(answer: httpx.Response, status: int) -> Problem:
    """The problem that an answer tells; all of them have the one shape."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    found = Problem.model_validate_json(answer.content, strict=True)
    assert found.status == status
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    return found


# Keys


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """One key for each scope."""
    return {scope: new_key(tmp_path / "keys.json", [scope])[0] for scope in ("score", "read", "review")}


@pytest.fixture
def guarded(behind: Behind, keys: dict[str, str], tmp_path: Path) -> Doors:
    return Doors(behind, keys=lambda: KeyRing(tmp_path / "keys.json"))


def _bearer(key: str) -> dict[str, str]:
    return {**JSON, "Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    "path", ["/predict", "/decisions/1", "/decisions/1/review", "/model", "/nowhere", "//predict", "/Livez"]
)
def test_without_a_key_nothing_is_told(guarded: Doors, behind: Behind, keys: dict[str, str], path: str):
    given = ("", "Bearer", "Bearer ", f"Basic {keys['score']}", keys["score"], f"Bearer {keys['score']}x", "Bearer é")
    answers = [_ask(guarded, "POST", path, headers=JSON)]
    answers += [
        _ask(guarded, "POST", path, headers={**JSON, "Authorization": text.encode("latin-1")}) for text in given
    ]
    told = {(_problem(answer, 401).detail, answer.headers["WWW-Authenticate"]) for answer in answers}
    assert told == {("give an API key: Authorization: Bearer KEY", "Bearer")}
    assert behind.asked == []


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        *(("POST", path, "score") for path in POSTS),
        ("POST", "/predict/", "score"),
        ("GET", "/decisions/0a1b", "read"),
        ("GET", "/decisions/0a1b/", "read"),
        ("POST", "/decisions/0a1b/review", "review"),
    ],
)
def test_a_key_opens_what_its_scope_names_and_nothing_else(
    guarded: Doors, behind: Behind, keys: dict[str, str], method: str, path: str, scope: str
):
    for held, key in keys.items():
        answer = _ask(guarded, method, path, headers=_bearer(key))
        if held == scope:
            assert answer.status_code == 200
        else:
            assert _problem(answer, 403).detail == f"the API key lacks the scope {scope}"
    assert [asked["api_key"].scopes for asked in behind.asked] == [{scope}]


def test_any_key_opens_what_concerns_nobody(guarded: Doors, keys: dict[str, str]):
    for key in keys.values():
        assert _ask(guarded, "GET", "/model", headers=_bearer(key)).status_code == 200


@pytest.mark.parametrize("path", OPEN)
def test_health_metrics_and_documentation_are_open(guarded: Doors, behind: Behind, path: str):
    assert _ask(guarded, "GET", path).status_code == 200
    assert behind.asked[0]["api_key"] is None


@pytest.mark.parametrize("end", ["%0A", "%0D", "%00", "%E2%80%A8", "/%0A"])
@pytest.mark.parametrize("path", ["/predict", "/decisions/0a1b/review", "/livez"])
def test_no_spelling_of_an_address_gets_around_its_scope(
    guarded: Doors, behind: Behind, keys: dict[str, str], path: str, end: str
):
    for key in keys.values():
        _problem(_ask(guarded, "POST", path + end, headers=_bearer(key)), 404)
    assert behind.asked == []


def test_a_key_that_is_made_or_revoked_counts_at_once(guarded: Doors, keys: dict[str, str], tmp_path: Path):
    path = tmp_path / "keys.json"
    assert _ask(guarded, "POST", "/predict", headers=_bearer(keys["score"])).status_code == 200
    late, _ = new_key(path, ["score"])
    assert _ask(guarded, "POST", "/predict", headers=_bearer(late)).status_code == 200
    path.write_text('{"keys": []}')
    for key in (late, keys["score"]):
        _problem(_ask(guarded, "POST", "/predict", headers=_bearer(key)), 401)


def test_without_its_file_of_keys_the_service_opens_to_nobody(behind: Behind, keys: dict[str, str], tmp_path: Path):
    path = tmp_path / "keys.json"
    content = path.read_bytes()
    path.unlink()
    guarded = Doors(behind, keys=lambda: KeyRing(path))
    _problem(_ask(guarded, "POST", "/predict", headers=_bearer(keys["score"])), 503)
    assert _ask(guarded, "GET", "/livez").status_code == 200
    path.write_bytes(content)
    assert _ask(guarded, "POST", "/predict", headers=_bearer(keys["score"])).status_code == 200


@pytest.mark.parametrize("base", ["http://127.0.0.1:3000", "http://127.8.8.8", "http://[::1]:3000"])
def test_without_keys_loopback_is_served(local: Doors, behind: Behind, base: str):
    assert _ask(local, "POST", "/predict", base, headers=JSON).status_code == 200
    assert behind.asked[0]["api_key"].id == "local"


@pytest.mark.parametrize(
    "base", ["http://192.168.1.7:3000", "http://[2001:db8::1]", "http://0.0.0.0:3000", "http://localhost"]
)
def test_without_keys_no_other_address_is_served(local: Doors, behind: Behind, base: str):
    for headers in (JSON, {**JSON, "Host": "127.0.0.1", "X-Forwarded-For": "127.0.0.1"}):
        found = _problem(_ask(local, "POST", "/predict", base, headers=headers), 403)
        assert found.detail == "without API keys the service answers on loopback alone"
    assert behind.asked == []


# Bodies


@pytest.mark.parametrize("path", [*POSTS, "/predict/", "/decisions/0a1b/review"])
def test_a_body_may_be_as_large_as_its_limit_and_no_larger(local: Doors, behind: Behind, path: str):
    largest = MAX_BODY_BYTES.get(path.rstrip("/"), MAX_OTHER_BODY_BYTES)
    assert _ask(local, "POST", path, headers=JSON, content=b" " * largest).status_code == 200
    found = _problem(_ask(local, "POST", path, headers=JSON, content=b" " * (largest + 1)), 413)
    assert found.detail == f"the request is larger than {largest // MIB} MB".replace("0 MB", "64 kB")
    assert [len(body) for body in behind.bodies] == [largest]


def test_a_body_that_is_declared_too_large_is_not_read(local: Doors):
    async def receive() -> Message:
        raise AssertionError("the body was read")

    for declared in (b"2097153", b"9" * 30):
        sent = _raw(local, receive, headers=[(b"content-type", b"application/json"), (b"content-length", declared)])
        assert sent[0]["status"] == 413
        assert (b"connection", b"close") in sent[0]["headers"]


def test_a_body_without_a_declared_size_is_read_no_further_than_its_limit(local: Doors, behind: Behind):
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += MIB // 4
            yield b" " * (MIB // 4)

    _problem(_ask(local, "POST", "/predict", headers=JSON, content=endless()), 413)
    assert read <= 3 * MIB
    assert behind.asked == []


def test_a_body_that_arrives_in_pieces_is_handed_on_whole(local: Doors, behind: Behind):
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"a', b"", b'": ', b"1}"):
            yield piece

    assert _ask(local, "POST", "/predict", headers=JSON, content=pieces()).status_code == 200
    assert behind.bodies == [b'{"a": 1}']
    assert behind.asked[0]["body"] == b'{"a": 1}'


@given(body=st.binary(max_size=300))
def test_a_body_is_handed_on_as_it_was_sent(body: bytes):
    behind = Behind()
    assert _ask(Doors(behind, keys=lambda: None), "POST", "/predict", headers=JSON, content=body).status_code == 200
    assert behind.bodies == [behind.asked[0]["body"]] == [body]


def test_a_body_that_dribbles_is_refused_in_time(local: Doors, behind: Behind, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doors, "BODY_TIMEOUT_S", 0.05)

    async def receive() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    began = time.monotonic()
    sent = _raw(local, receive)
    assert sent[0]["status"] == 408
    assert time.monotonic() - began < 1
    assert behind.asked == []


@pytest.mark.parametrize("mark", [b"[", b",", b"{", b":"])
def test_a_body_of_more_values_than_a_credit_file_can_hold_is_refused(local: Doors, behind: Behind, mark: bytes):
    (bytes_per_mark,) = (each for marks, each in doors.BYTES_PER_MARK.items() if mark in marks)
    most = MAX_BODY_BYTES["/predict"] // bytes_per_mark
    assert _ask(local, "POST", "/predict", headers=JSON, content=mark * most).status_code == 200
    found = _problem(_ask(local, "POST", "/predict", headers=JSON, content=mark * (most + 1)), 413)
    assert found.detail == "the request holds too many values for its size"
    assert len(behind.asked) == 1


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
def test_json_in_utf_8_is_taken(local: Doors, content_type: str):
    assert _ask(local, "POST", "/predict", headers={"Content-Type": content_type}).status_code == 200


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
def test_whatever_is_not_plain_json_is_refused(local: Doors, behind: Behind, headers: dict[str, str]):
    bomb = gzip.compress(b" " * MIB)
    found = _problem(_ask(local, "POST", "/predict", headers=headers, content=bomb), 415)
    assert found.detail == "send JSON in UTF-8, uncompressed: Content-Type: application/json"
    assert behind.asked == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_what_has_no_body_needs_no_content_type(local: Doors, behind: Behind, method: str):
    assert _ask(local, method, "/decisions/0a1b").status_code == 200
    assert "body" not in behind.asked[0]


def _raw(
    app: Any, receive: Callable[[], Awaitable[Message]], headers: list[tuple[bytes, bytes]] | None = None
) -> list[Message]:
    """What is sent in answer to a POST to /predict whose body comes from `receive`."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "headers": [(b"content-type", b"application/json")] if headers is None else headers,
        "server": ("127.0.0.1", 3000),
    }
    asyncio.run(app(scope, receive, send))
    return sent


def test_who_hangs_up_meanwhile_is_asked_nothing_and_answered_nothing(local: Doors, behind: Behind):
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(messages)

    assert _raw(local, receive) == []
    assert behind.asked == []
    assert _places_left(local) == doors.MAX_CONCURRENT_REQUESTS


def test_who_hangs_up_later_is_noticed_by_the_application():
    seen = []

    async def app(_: Message, receive: Any, __: Any) -> None:
        seen.extend([(await receive())["type"], (await receive())["type"]])

    messages = iter([{"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(messages)

    _raw(Doors(app, keys=lambda: None), receive)
    assert seen == ["http.request", "http.disconnect"]


# Limits


def _places_left(app: Doors) -> int:
    """How many requests it takes at once, by the answers that it gives."""
    behind = app.app
    assert isinstance(behind, Behind)
    behind.wait = lambda: asyncio.sleep(0.05)
    answers = _ask_all(app, [("POST", "/predict", {"headers": JSON})] * (doors.MAX_CONCURRENT_REQUESTS + 5))
    behind.wait = None
    return [answer.status_code for answer in answers].count(200)


def test_so_many_are_in_work_at_once_and_the_others_told_to_come_again(local: Doors, behind: Behind):
    behind.wait = lambda: asyncio.sleep(0.1)
    requests = [("POST", "/predict", {"headers": JSON})] * (doors.MAX_CONCURRENT_REQUESTS + 3) + [("GET", "/livez", {})]
    answers = _ask_all(local, requests)
    assert [answer.status_code for answer in answers] == doors.MAX_CONCURRENT_REQUESTS * [200] + 3 * [429] + [200]
    found = _problem(answers[-2], 429)
    assert found.detail == "too many requests are in work; wait, then try again"
    assert answers[-2].headers["Retry-After"] == "2"
    assert _places_left(local) == doors.MAX_CONCURRENT_REQUESTS


def test_so_many_bytes_are_in_work_at_once(local: Doors, behind: Behind, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doors, "MAX_CONCURRENT_BYTES", 2500)
    behind.wait = lambda: asyncio.sleep(0.1)
    statuses = [
        answer.status_code
        for answer in _ask_all(local, [("POST", "/predict", {"headers": JSON, "content": b" " * 1000})] * 3)
    ]
    assert sorted(statuses) == [200, 200, 429]
    behind.wait = None
    assert _ask(local, "POST", "/predict", headers=JSON, content=b" " * 2500).status_code == 200


def test_large_bodies_are_worked_on_one_after_the_other_and_small_ones_meanwhile(local: Doors, behind: Behind):
    at_once: list[int] = []
    most = {"large": 0, "all": 0}

    async def work() -> None:
        size = len(behind.bodies[-1])
        at_once.append(size)
        most["large"] = max(most["large"], sum(each > doors.LARGE_BODY for each in at_once))
        most["all"] = max(most["all"], len(at_once))
        await asyncio.sleep(0.05)
        at_once.remove(size)

    behind.wait = work
    sizes = [doors.LARGE_BODY + 1] * 3 + [doors.LARGE_BODY] * 3
    requests = [("POST", "/predict", {"headers": JSON, "content": b" " * size}) for size in sizes]
    assert [answer.status_code for answer in _ask_all(local, requests)] == [200] * 6
    assert most == {"large": 1, "all": 4}


def test_a_place_is_free_again_however_its_request_ends(local: Doors, behind: Behind):
    async def fail() -> None:
        raise ZeroDivisionError

    behind.wait = fail
    for _ in range(doors.MAX_CONCURRENT_REQUESTS):
        _ask(local, "POST", "/predict", headers=JSON)
        _ask(local, "POST", "/predict", headers={"Content-Type": "text/plain"})
        _ask(local, "POST", "/predict", headers=JSON, content=b" " * (2 * MIB + 1))
    assert _places_left(local) == doors.MAX_CONCURRENT_REQUESTS


def test_who_asks_too_often_is_told_to_wait_and_others_are_not(behind: Behind, keys: dict[str, str], tmp_path: Path):
    guarded = Doors(behind, keys=lambda: KeyRing(tmp_path / "keys.json"), limit=RateLimit(per_second=1e-9, burst=3))
    for _ in range(3):
        assert _ask(guarded, "POST", "/predict", headers=_bearer(keys["score"])).status_code == 200
    answer = _ask(guarded, "POST", "/predict", headers=_bearer(keys["score"]))
    assert _problem(answer, 429).detail == "too many requests of this API key; wait, then try again"
    assert answer.headers["Retry-After"] == "2"
    assert _ask(guarded, "GET", "/decisions/1", headers=_bearer(keys["read"])).status_code == 200
    assert _ask(guarded, "GET", "/livez").status_code == 200


@given(pauses=st.lists(st.floats(0, 10), max_size=50))
def test_no_more_pass_than_the_rate_and_the_burst_allow(pauses: list[float]):
    limit, now, passed = RateLimit(per_second=2, burst=5), 100.0, 0
    for pause in pauses:
        now += pause
        passed += limit.allows("a", now)
        assert passed <= 5 + 2 * (now - 100) + 1e-6


def test_who_keeps_to_the_rate_always_passes():
    limit = RateLimit(per_second=2, burst=1)
    assert all(limit.allows("a", now / 2) for now in range(100))
    assert limit.allows("b", 50)
    assert not limit.allows("a", 49.6)


def test_setting_the_clock_neither_shuts_anybody_out_nor_lets_anybody_in(
    local: Doors, behind: Behind, monkeypatch: pytest.MonkeyPatch
):
    local.limit = RateLimit(per_second=1e-9, burst=2)
    began = time.time()
    statuses = []
    for jump in (0, -86_400, 86_400):
        monkeypatch.setattr(time, "time", lambda jump=jump: began + jump)
        statuses.append(_ask(local, "POST", "/predict", headers=JSON).status_code)
    assert statuses == [200, 200, 429]


# Answers


def test_every_answer_carries_the_security_headers_once(local: Doors):
    for method, path in (("GET", "/livez"), ("POST", "/predict"), ("GET", "/")):
        answer = _ask(local, method, path, headers=JSON)
        assert {name: answer.headers.get_list(name) for name in HEADERS} == {
            name: [value] for name, value in HEADERS.items()
        }


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
def test_no_answer_allows_another_origin(local: Doors, method: str):
    asking = {**JSON, "Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answer = _ask(local, method, "/predict", headers=asking)
    assert [name for name in answer.headers if name.startswith("access-control")] == []


@pytest.mark.parametrize("status", [400, 401, 404, 405, 409, 413, 422, 429, 500, 503, 504])
def test_every_error_gets_the_one_shape(status: int):
    said = [b'[{"error": "it was ', b'SK_ID_CURR 100002"}]']
    answer = _ask(Doors(Behind(status, parts=said), keys=lambda: None), "GET", "/model")
    assert "100002" not in _problem(answer, status).model_dump_json()


def test_a_problem_is_sent_as_it_is():
    said = Problem(status=409, title="Conflict", detail="the decision has been purged").model_dump_json().encode()
    answer = _ask(Doors(Behind(409, MEDIA_TYPE, [said[:20], said[20:]]), keys=lambda: None), "GET", "/model")
    assert answer.status_code == 409
    assert answer.content == said


def test_an_answer_is_sent_on_piece_by_piece(local: Doors, behind: Behind):
    behind.parts = [b"one", b"two"]

    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}"}

    bodies = [message["body"] for message in _raw(local, receive) if message["type"] == "http.response.body"]
    assert bodies == [b"one", b"two", b""]


def test_what_is_no_request_passes(local: Doors):
    seen = []

    async def app(scope: Message, *_: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(Doors(app, keys=lambda: None)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
