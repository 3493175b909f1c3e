"""No command prints the secret in the address of MLflow, however MLflow fails."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from research import tracking
from research.__main__ import main

SECRET = "hidden-word"  # noqa: S105 - a word that no output may hold
COMMANDS = ("train", "compare", "promote", "explain", "pipeline", "rollback", "import")
"""The commands that connect to MLflow; those that make models or results read the data before."""
WITHOUT_DATA = ("rollback", "import")


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@contextmanager
def _server(status_of: Callable[[BaseHTTPRequestHandler], int]) -> Iterator[str]:
    """Run a server that answers every request with a status, and return its host and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status_of(self))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that sets the address of MLflow."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return lambda address: monkeypatch.setenv("MLFLOW_TRACKING_URI", address)


def _assert_one_line(capfd: pytest.CaptureFixture[str], place: str) -> None:
    captured = capfd.readouterr()
    assert SECRET not in captured.out + captured.err
    assert "Traceback" not in captured.err
    assert captured.err.splitlines()[-1].startswith("error: ")
    assert place in captured.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("place", ["127.0.0.1:1", "nowhere.invalid"])
def test_a_server_out_of_reach_is_named_without_its_secret(
    command: str,
    place: str,
    address: Callable[[str], None],
    synthetic_folder: Path,
    capfd: pytest.CaptureFixture[str],
):
    address(f"http://me:{SECRET}@{place}")
    assert _run(command, *([] if command in WITHOUT_DATA else ["--data", str(synthetic_folder)])) == 2
    _assert_one_line(capfd, place)


@pytest.mark.parametrize("user_info", [f"me:{SECRET}", f"me:{SECRET}%40%2F", SECRET])
def test_a_server_that_fails_is_named_without_its_secret(
    user_info: str, address: Callable[[str], None], capfd: pytest.CaptureFixture[str]
):
    with _server(lambda request: 200 if request.path == "/health" else 500) as place:
        address(f"http://{user_info}@{place}")
        assert _run("rollback") == 2
    _assert_one_line(capfd, place)


def test_a_server_that_refuses_the_secret_is_named_without_it(
    address: Callable[[str], None], capfd: pytest.CaptureFixture[str]
):
    with _server(lambda _: 401) as place:
        address(f"http://me:{SECRET}@{place}")
        assert _run("rollback") == 2
    _assert_one_line(capfd, "401")


def test_the_health_of_a_server_is_asked_with_user_and_password(address: Callable[[str], None]):
    seen = []
    with _server(lambda request: seen.append((request.path, request.headers["Authorization"])) or 200) as place:
        address(f"http://me:{SECRET}%40@{place}/mlflow/")
        tracking.connect()
    assert seen == [("/mlflow/health", "Basic bWU6aGlkZGVuLXdvcmRA")]
