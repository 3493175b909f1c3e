"""The smoke test passes on a real service, and names the step where one does not hold."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from research.deployment.cloud import smoke as module
from research.deployment.cloud.smoke import Service, SmokeError, smoke
from tests.cloud.conftest import VERSION, Deployed
from tests.support.commands import CommandRunner

Answer = Callable[[str, str, bytes, dict[str, Any]], tuple[int, Any]]
"""From method, path, body and what the real service answers to what a client is answered."""


def test_a_real_service_passes_and_the_decision_is_in_its_journal(deployed: Deployed):
    decision_id = smoke(deployed.service, VERSION)

    stored = deployed.journal.find(decision_id)
    assert stored is not None
    assert stored.model_version == VERSION


def test_the_command_tells_what_it_found(deployed: Deployed, capsys: pytest.CaptureFixture[str], tmp_path):
    (tmp_path / "key").write_text(deployed.service.key + "\n")
    options = ("--url", deployed.service.url, "--key-file", tmp_path / "key", "--ready-timeout", 5)
    run = CommandRunner(capsys)

    code, output, _ = run("cloud", "smoke", "--model-version", VERSION, *options)
    other, _, error = run("cloud", "smoke", "--model-version", "8", *options)

    assert (code, other) == (0, 1)
    assert f"serves model version {VERSION}" in output
    assert error == f"error: model: version {VERSION} is served, not 8\n"


def test_the_key_may_come_from_the_environment(
    deployed: Deployed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    run = CommandRunner(capsys)
    monkeypatch.delenv("SCORING_KEY", raising=False)
    code, _, error = run("cloud", "smoke", "--url", deployed.service.url, "--model-version", VERSION)
    assert (code, "SCORING_KEY" in error) == (2, True)

    monkeypatch.setenv("SCORING_KEY", deployed.service.key)

    assert run("cloud", "smoke", "--url", deployed.service.url, "--model-version", VERSION)[0] == 0


def test_a_wrong_key_and_one_without_the_scope_are_named(deployed: Deployed):
    with pytest.raises(SmokeError, match="model: 401: the key"):
        smoke(Service(url=deployed.service.url, key="none"), VERSION)
    with pytest.raises(SmokeError, match="decide: 403: the key"):
        smoke(Service(url=deployed.service.url, key=deployed.reader_key), VERSION)


def test_an_address_that_does_not_answer_is_not_ready():
    with pytest.raises(SmokeError, match=r"ready: .* does not answer"):
        smoke(Service(url="http://127.0.0.1:9", key="any"), VERSION, ready_timeout_s=0)


@contextmanager
def changed(service: Service, change: Answer) -> Iterator[Service]:
    """Pass requests on to a service, and change what it answers."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            key = self.headers.get("Idempotency-Key")
            headers = {"Idempotency-Key": key} if key else {}
            status, content = service.ask(self.path, json.loads(body) if body else None, **headers)
            status, content = change(self.command, self.path, body, content or {"status": status})
            answer = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET  # noqa: N815 - the name that http.server asks for

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Service(url=f"http://127.0.0.1:{server.server_port}", key=service.key)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _not_ready(method: str, path: str, body: bytes, answer: dict[str, Any]) -> tuple[int, Any]:
    return (503, answer) if path == "/readyz" else (200, answer)


def _no_journal(method: str, path: str, body: bytes, answer: dict[str, Any]) -> tuple[int, Any]:
    return (503, {"detail": "nothing was decided"}) if path == "/predict" else (200, answer)


def _other_decision(method: str, path: str, body: bytes, answer: dict[str, Any]) -> tuple[int, Any]:
    return 200, answer | {"probability_of_default": 0.5} if path.startswith("/decisions/") else answer


def _other_replay(method: str, path: str, body: bytes, answer: dict[str, Any]) -> tuple[int, Any]:
    return 200, answer | {"decision": "another"} if "simulation" in path else answer


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_not_ready, "ready: /readyz answers 503 after 0 s"),
        (_no_journal, "decide: /predict answers 503: nothing was decided"),
        (_other_decision, "read back: probability_of_default is 0.5, and was"),
        (_other_replay, "replay: decision is another, and was"),
    ],
)
def test_each_step_that_fails_is_named(deployed: Deployed, change: Answer, message: str):
    with changed(deployed.service, change) as service, pytest.raises(SmokeError) as raised:
        smoke(service, VERSION, ready_timeout_s=0)

    assert str(raised.value).startswith(message)


def test_a_decision_that_a_repeat_changes_is_noticed(deployed: Deployed):
    count = iter(range(10))

    def change(method: str, path: str, body: bytes, answer: dict[str, Any]) -> tuple[int, Any]:
        return 200, answer | {"decision_id": str(next(count))} if path == "/predict" else answer

    with changed(deployed.service, change) as service, pytest.raises(SmokeError, match="repeat: "):
        smoke(service, VERSION, ready_timeout_s=0)


def test_what_is_compared_is_what_both_answers_hold():
    from bento.api.schemas import DecisionOut, Prediction

    assert set(module.COMPARED) <= set(Prediction.model_fields) & set(DecisionOut.model_fields)
