"""Programs that are started: ready only when they, and no other program, answer; stopped with their children."""

import http.server
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from research.cli import CommandError
from research.deployment import processes
from research.deployment.processes import ask, free_port, running, serving, wait_for_end
from tests.support.deadlines import timeout_s, wait_until

SERVER = """
import http.server, json, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"bento": "credit_scoring:served"}).encode())

    def do_POST(self):
        self.send_error(503)

time.sleep(float(sys.argv[2]))
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
SLEEPER = [sys.executable, "-c", "import time; time.sleep(1000)"]


def server(port: int, delay_s: float = 0) -> list[str]:
    """Return the command line of a program that answers every GET on a port, after a delay."""
    return [sys.executable, "-c", SERVER, str(port), str(delay_s)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "program.log"


@pytest.fixture
def foreign_port() -> Iterator[int]:
    """Return a port on which a program that the code under test has not started answers every GET."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as program:
        thread = threading.Thread(target=program.serve_forever)
        thread.start()
        yield program.server_port
        program.shutdown()
        thread.join()


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_program_whose_child_listens_is_ready_and_both_are_stopped(log: Path):
    port = free_port()
    command = [sys.executable, "-c", f"import subprocess; subprocess.run({server(port)!r})"]
    with running(command, f"http://127.0.0.1:{port}/", log) as process:
        (child,) = psutil.Process(process.pid).children()
        assert is_listening(port)
    wait_until(lambda: not child.is_running())
    assert not is_listening(port)


def test_children_of_a_program_that_is_killed_are_stopped_too(log: Path):
    port = free_port()
    start = f"import subprocess; subprocess.run({server(port)!r}, start_new_session=True)"
    with running([sys.executable, "-c", start], f"http://127.0.0.1:{port}/", log) as process:
        process.kill()
        process.wait()
        assert is_listening(port)
    wait_until(lambda: not is_listening(port))


def test_program_that_ends_by_itself_later_is_reported(log: Path):
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with running(server(port), url, log) as process:
        process.kill()
        with pytest.raises(CommandError, match=rf"program has ended by itself, with exit code -9 \(log: {log}\)"):
            wait_for_end({log: process})


def test_answer_of_another_program_is_not_taken_for_ready(log: Path, foreign_port: int):
    with (
        pytest.raises(
            CommandError, match=rf"another program answers on port {foreign_port}: stop it, or choose another"
        ),
        running(SLEEPER, f"http://127.0.0.1:{foreign_port}/", log),
    ):
        pytest.fail("it was taken for ready")


def test_program_that_ends_is_reported_by_its_last_line(log: Path):
    command = [sys.executable, "-c", "import sys; sys.exit('first line\\nerror: no master key')"]
    with (
        pytest.raises(CommandError, match=rf"^no master key \(log: {log}\)$"),
        running(command, f"http://127.0.0.1:{free_port()}/", log),
    ):
        pytest.fail("it was taken for ready")


def test_slow_start_is_waited_for_and_told(log: Path, monkeypatch, capsys):
    monkeypatch.setattr(processes, "NOTICE_INTERVAL_S", 0.2)
    port = free_port()
    with running(server(port, delay_s=1), f"http://127.0.0.1:{port}/", log):
        assert is_listening(port)
    assert f"program is still starting after 0 s (log: {log})" in capsys.readouterr().err


def test_start_that_never_ends_is_given_up_with_the_name_of_the_log(log: Path):
    with (
        pytest.raises(CommandError, match=rf"not ready after 1 s \(log: {log}\); run this again"),
        running(SLEEPER, f"http://127.0.0.1:{free_port()}/", log, ready_timeout_s=1),
    ):
        pytest.fail("it was taken for ready")


def test_proxy_of_the_environment_is_not_asked_for_this_machine(log: Path, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    port = free_port()
    with running(server(port), f"http://127.0.0.1:{port}/", log, timeout_s(30)):
        pass


@pytest.fixture
def serving_python(tmp_path: Path, monkeypatch) -> Path:
    """Start `SERVER` in place of the service: it serves the Bento `credit_scoring:served`."""
    path = tmp_path / "python"
    (tmp_path / "server.py").write_text(SERVER)
    # The arguments are `-m bento serve --bento TAG --port PORT …`.
    path.write_text(f'#!/bin/sh\nexec {sys.executable} {tmp_path}/server.py "$7" 0\n')
    path.chmod(0o755)
    monkeypatch.setattr(processes, "SERVING_PYTHON", path)
    monkeypatch.setattr(processes, "LOGS", tmp_path / "logs")
    return path


def test_service_of_the_bento_just_built_is_accepted(serving_python: Path):
    port = free_port()
    with serving("credit_scoring:served", port):
        assert is_listening(port)


def test_service_of_another_bento_is_refused_and_stopped(serving_python: Path):
    port = free_port()
    with (
        pytest.raises(CommandError, match="serves Bento credit_scoring:served, not credit_scoring:built"),
        serving("credit_scoring:built", port),
    ):
        pytest.fail("it was taken for the Bento just built")
    assert not is_listening(port)


def test_refused_request_is_one_line(log: Path):
    port = free_port()
    with (
        running(server(port), f"http://127.0.0.1:{port}/", log),
        pytest.raises(CommandError, match=rf"http://127\.0\.0\.1:{port}/predict answers 503 Service Unavailable"),
    ):
        ask(f"http://127.0.0.1:{port}/predict", b"{}")
