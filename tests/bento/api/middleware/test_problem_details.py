from typing import Any

import pytest
from starlette.types import ASGIApp

from bento.api.middleware.problem_details import SECURITY_HEADERS
from bento.api.problems import MEDIA_TYPE, Problem
from tests.bento.api.middleware.asgi import JSON, Message, Recorder, ask, behind_gateway, problem_of, send_raw


@pytest.mark.promise("every answer carries the security headers")
def test_every_answer_carries_the_security_headers_once(local: ASGIApp):
    for method, path in (("GET", "/livez"), ("POST", "/predict"), ("GET", "/")):
        answer = ask(local, method, path, headers=JSON)
        assert {name: answer.headers.get_list(name) for name in SECURITY_HEADERS} == {
            name: [value] for name, value in SECURITY_HEADERS.items()
        }


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
def test_no_answer_allows_another_origin(local: ASGIApp, method: str):
    headers = {**JSON, "Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answer = ask(local, method, "/predict", headers=headers)
    assert [name for name in answer.headers if name.startswith("access-control")] == []


@pytest.mark.parametrize("status", [400, 401, 404, 405, 409, 413, 422, 429, 500, 503, 504])
@pytest.mark.promise("every error is a problem of RFC 9457")
def test_every_error_becomes_a_problem(status: int):
    parts = [b'[{"error": "it was ', b'SK_ID_CURR 100002"}]']
    answer = ask(behind_gateway(Recorder(status, parts=parts)), "GET", "/model")
    assert "100002" not in problem_of(answer, status).model_dump_json()


def test_a_problem_is_sent_unchanged():
    body = Problem(status=409, title="Conflict", detail="the decision has been purged").model_dump_json().encode()
    answer = ask(behind_gateway(Recorder(409, MEDIA_TYPE, [body[:20], body[20:]])), "GET", "/model")
    assert answer.status_code == 409
    assert answer.content == body


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        (b"http://elsewhere.example/predict?a=1", b"/predict?a=1"),
        (b"https://elsewhere.example:8443//evil.example/", b"/evil.example/"),
        (b"//evil.example/a", b"/a"),
        (b"/predict", b"/predict"),
    ],
)
def test_a_redirect_names_a_path_and_no_host(target: bytes, kept: bytes):
    async def app(scope: Message, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 307, "headers": [(b"location", target)]})
        await send({"type": "http.response.body", "body": b""})

    assert ask(behind_gateway(app), "GET", "/livez").headers.raw.count((b"location", kept)) == 1


def test_an_answer_is_streamed_part_by_part(local: ASGIApp, recorder: Recorder):
    recorder.parts = [b"one", b"two"]

    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}"}

    bodies = [message["body"] for message in send_raw(local, receive) if message["type"] == "http.response.body"]
    assert bodies == [b"one", b"two", b""]
