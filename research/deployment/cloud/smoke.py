"""Test a deployed service from outside: ready, the expected model, one client decided, read back and decided again."""

import http.client
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bento.api import endpoints
from research.cli import CommandError
from research.data.example_credit_files import example_credit_files

READY_TIMEOUT_S = 120.0
"""Seconds for a release to become ready behind its address."""
ANSWER_TIMEOUT_S = 30.0
SIMULATED = "?purpose=simulation"
COMPARED = ("decision", "probability_of_default", "threshold", "rules", "rules_version", "reasons")
"""Fields of a decision that must come out the same when it is decided again."""
TOLERANCE = 1e-9
PAUSE_S = 1.0

_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class SmokeError(CommandError):
    """A deployed service does not do what it must; the message names the step."""

    exit_code = 1


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service as a client reaches it: address, key, and the headers of a request."""

    url: str
    key: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def ask(self, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Return status and JSON of an answer; None where it is no JSON.

        Raises:
            SmokeError: nothing answers.
        """
        content = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **self.headers, **headers}
        request = urllib.request.Request(self.url.rstrip("/") + path, content, sent)  # noqa: S310 - the user's address
        try:
            with _open(request, timeout=ANSWER_TIMEOUT_S) as answer:
                return answer.status, _json(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _json(error.read())
        except (OSError, http.client.HTTPException) as error:
            raise SmokeError(f"{self.url} does not answer: {error}") from error


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def smoke(service: Service, model_version: str, ready_timeout_s: float = READY_TIMEOUT_S) -> str:
    """Test a service, and return the id of the decision that the test has left in the journal.

    Raises:
        SmokeError: with the step that failed, and what was answered instead.
    """
    _wait_until_ready(service, ready_timeout_s)
    card = _answer(service, "model", endpoints.MODEL.path)
    served = str(card["model"]["version"])
    if served != model_version:
        raise SmokeError(f"model: version {served} is served, not {model_version}")
    credit_file = example_credit_files(2)[1]
    key = {"Idempotency-Key": f"smoke-{uuid.uuid4()}"}
    decided = _answer(service, "decide", endpoints.PREDICT.path, credit_file, **key)
    decision_id = str(decided["decision_id"])
    repeated = _answer(service, "repeat", endpoints.PREDICT.path, credit_file, **key)
    if repeated != decided:
        raise SmokeError("repeat: the same request is answered differently under the same Idempotency-Key")
    stored = _answer(service, "read back", endpoints.DECISION.path.format(decision_id=decision_id))
    _compare("read back", decided, stored)
    again = _answer(service, "replay", endpoints.PREDICT.path + SIMULATED, stored["credit_file"])
    _compare("replay", stored, again)
    return decision_id


def _wait_until_ready(service: Service, timeout_s: float) -> None:
    start = time.monotonic()
    while True:
        try:
            status, _ = service.ask(endpoints.READYZ.path)
            answered = f"answers {status}"
        except SmokeError as error:
            status, answered = 0, str(error)
        if status == http.client.OK:
            return
        if time.monotonic() - start > timeout_s:
            raise SmokeError(f"ready: {endpoints.READYZ.path} {answered} after {timeout_s:.0f} s")
        time.sleep(PAUSE_S)


def _answer(service: Service, step: str, path: str, body: object = None, **headers: str) -> dict[str, Any]:
    status, content = service.ask(path, body, **headers)
    if status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        raise SmokeError(f"{step}: {status}: the key is not one of the service, or lacks the scopes score and read")
    if status != http.client.OK or not isinstance(content, dict):
        detail = content.get("detail") or content.get("title") if isinstance(content, dict) else None
        raise SmokeError(f"{step}: {path.partition('?')[0]} answers {status}" + (f": {detail}" if detail else ""))
    return content


def _compare(step: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    for name in COMPARED:
        first, second = one.get(name), other.get(name)
        if isinstance(first, float) and isinstance(second, float):
            is_same = abs(first - second) <= TOLERANCE
        else:
            is_same = first == second
        if not is_same:
            raise SmokeError(f"{step}: {name} is {second}, and was {first}")
