import pytest
from starlette.types import ASGIApp

from tests.bento.api.middleware.asgi import JSON, Recorder, ask, problem_of


@pytest.mark.parametrize(("method", "path"), [("POST", "/predict"), ("GET", "/livez"), ("GET", "/nowhere")])
def test_a_request_with_two_lengths_is_refused_and_its_connection_closed(
    local: ASGIApp, recorder: Recorder, method: str, path: str
):
    headers = {**JSON, "Content-Length": "2", "Transfer-Encoding": "chunked"}
    answer = ask(local, method, path, headers=headers, content=b"{}")
    assert problem_of(answer, 400).detail.startswith("Content-Length and Transfer-Encoding exclude each other")
    assert answer.headers["Connection"] == "close"
    assert recorder.scopes == []


@pytest.mark.parametrize("header", [{"Content-Length": "2"}, {"Transfer-Encoding": "chunked"}])
def test_a_request_with_one_length_passes(local: ASGIApp, header: dict[str, str]):
    async def body():
        yield b"{}"

    answer = ask(local, "POST", "/predict", headers={**JSON, **header}, content=body())
    assert answer.status_code == 200
