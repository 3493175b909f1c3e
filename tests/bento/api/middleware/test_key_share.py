import asyncio
from pathlib import Path
from typing import Any

import pytest

from bento.api.keys import KeyRing, new_key
from bento.api.middleware.key_share import KeyShare
from bento.api.problems import ProblemError
from bento.settings import Limits
from tests.bento.api.middleware.asgi import JSON, Recorder, ask_all, bearer, behind_gateway

LIMITS = Limits(max_concurrent_per_key=2, max_bytes_per_key=1500, max_concurrent_requests=8)


@pytest.fixture
def two_keys(tmp_path: Path) -> tuple[KeyRing, dict[str, str], dict[str, str]]:
    """Return the keys of a file with two, and the headers of each."""
    path = tmp_path / "keys.json"
    headers = [bearer(new_key(path, ["score"])[0]) for _ in range(2)]
    return KeyRing(path), headers[0], headers[1]


def _statuses(recorder: Recorder, keys: KeyRing | None, requests: list[Any]) -> list[int]:
    recorder.wait = lambda: asyncio.sleep(0.1)
    return [answer.status_code for answer in ask_all(behind_gateway(recorder, lambda: keys, LIMITS), requests)]


def test_one_key_takes_its_share_of_places_and_the_other_is_answered(
    recorder: Recorder, two_keys: tuple[KeyRing, dict[str, str], dict[str, str]]
):
    ring, first, second = two_keys
    requests = [("POST", "/predict", {"headers": first})] * 4 + [("POST", "/predict", {"headers": second})] * 2
    assert _statuses(recorder, ring, requests) == [200, 200, 429, 429, 200, 200]
    assert _statuses(recorder, ring, requests[:2]) == [200, 200]  # the places are free again


def test_one_key_takes_its_share_of_bytes_and_the_other_is_answered(
    recorder: Recorder, two_keys: tuple[KeyRing, dict[str, str], dict[str, str]]
):
    ring, first, second = two_keys
    requests = [
        ("POST", "/predict", {"headers": headers, "content": b" " * 1000}) for headers in (first, first, second)
    ]
    assert _statuses(recorder, ring, requests) == [200, 429, 200]
    assert _statuses(recorder, ring, requests[:1]) == [200]


def test_places_and_bytes_are_free_again_after_a_disconnect(
    recorder: Recorder, two_keys: tuple[KeyRing, dict[str, str], dict[str, str]]
):
    ring, first, _ = two_keys
    app = behind_gateway(recorder, lambda: ring, LIMITS)
    headers = [(name.lower().encode(), value.encode()) for name, value in first.items()]
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": headers, "server": ("127.0.0.1", 3000)}

    async def disconnected() -> None:
        messages = iter([{"type": "http.request", "body": b" " * 1000, "more_body": True}, {"type": "http.disconnect"}])

        async def receive() -> dict[str, Any]:
            return next(messages)

        async def send(_: object) -> None:
            raise AssertionError("answered")

        await app(dict(scope), receive, send)

    async def four() -> None:
        for _ in range(4):
            await disconnected()

    asyncio.run(four())
    assert recorder.scopes == []


def test_without_keys_this_machine_has_no_share(recorder: Recorder):
    assert _statuses(recorder, None, [("POST", "/predict", {"headers": JSON})] * 4) == [200] * 4


def test_a_share_is_counted_for_each_key():
    share = KeyShare(LIMITS)
    with share.place("a"), share.place("a"), share.place("b"), share.place(None):
        with pytest.raises(ProblemError), share.place("a"):
            pass
        with share.place("b"):
            pass
