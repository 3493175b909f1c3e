"""A real service to be hurt, clients that load it, and what its journal must hold afterwards."""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

from bento.api.problems import Problem
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault
from research.cli import SERVING_PYTHON
from research.data.example_credit_files import example_credit_files
from research.deployment.processes import free_port, running
from tests.support.journals import rows
from tests.support.workers import workers_of

FILES = example_credit_files(4)
TIMEOUT_S = 30.0
"""Seconds within which whatever is waited for must have come; generous, because the machine may have other work."""
PAUSE = 0.02
"""Seconds between two requests of a client: with four clients below what one key may ask for."""

ONE_AT_A_TIME = threading.Lock()
"""Alembic's migrations are not for several threads."""


@dataclass(frozen=True)
class Service:
    """A running service; `process` starts its workers, and a new one where one dies."""

    url: str
    process: psutil.Process
    journal: Journal
    log: Path

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that answer."""
        return workers_of(self.process)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=TIMEOUT_S)

    def post(self, path: str, content: dict[str, Any]) -> httpx.Response:
        return httpx.post(self.url + path, json=content, timeout=TIMEOUT_S)

    def predict(self, file: dict[str, Any] = FILES[1], **options: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/predict", json=file, timeout=TIMEOUT_S, **options)

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def served(
    bento_tag: str, journal_url: str, folder: Path, ready: str = "/readyz", **environment: str
) -> Iterator[Service]:
    """The service as the container starts it, in the serving environment, once the address `ready` answers."""
    journal, port = Journal(journal_url, Vault(None)), free_port()
    with ONE_AT_A_TIME:
        upgrade(journal)
    command: list[str | Path] = [SERVING_PYTHON, "-m", "bentoml", "serve", bento_tag]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    url, log = f"http://127.0.0.1:{port}", folder / f"service_{port}.log"
    settings = {"JOURNAL_URL": journal_url, "SCORING_AUTH": "off", **environment}
    with running(command, url + ready, log, **settings) as process:
        yield Service(url, psutil.Process(process.pid), journal, log)
    journal.close()


def wait_until(condition: Callable[[], bool], within: float = TIMEOUT_S) -> float:
    """Wait for something to come true; the seconds that it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() < start + within, "it has not come true in time"
        time.sleep(0.02)
    return time.monotonic() - start


def problem(answer: httpx.Response, *statuses: int) -> Problem:
    """The problem that an answer must hold, with one of these statuses."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:500])
    assert answer.headers["content-type"] == "application/problem+json"
    found = Problem.model_validate_json(answer.content)
    assert found.status == answer.status_code
    if found.status in (429, 503):
        assert int(answer.headers["retry-after"]) > 0
    return found


class Load:
    """Clients that ask for decisions one after the other, each on a connection of its own that is kept alive.

    Each request has its own Idempotency-Key, and is repeated under it until it is answered; without `persistent`, once.
    """

    def __init__(self, url: str, clients: int = 4, *, persistent: bool = True) -> None:
        self.url, self.persistent = url, persistent
        self.answered: dict[str, str] = {}
        """By Idempotency-Key the id of the decision."""
        self.seconds: list[float] = []
        """That each answer took, whatever it said."""
        self.refused: list[httpx.Response] = []
        """Answers that were no decision."""
        self.unanswered: dict[str, httpx.TransportError] = {}
        """By Idempotency-Key why there was no answer at all; only what was not repeated."""
        self.broken = 0
        """Requests without an answer, repeated or not."""
        self.waiting: dict[int, str] = {}
        """By client the Idempotency-Key of the request that is not answered yet."""
        self._ended = threading.Event()
        self._clients = [threading.Thread(target=self._ask, args=(number,)) for number in range(clients)]

    def __enter__(self) -> Self:
        for client in self._clients:
            client.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        for client in self._clients:
            client.join()

    def goes_on(self, answers: int = 20) -> None:
        """Wait for so many more decisions."""
        wanted = len(self.answered) + answers
        wait_until(lambda: len(self.answered) >= wanted)

    def _ask(self, client: int) -> None:
        with httpx.Client(base_url=self.url, timeout=TIMEOUT_S) as http:
            while not self._ended.is_set():
                self.waiting[client] = key = secrets.token_hex()
                self._decide(http, key)
                del self.waiting[client]
                time.sleep(PAUSE)

    def _decide(self, http: httpx.Client, key: str) -> None:
        deadline = time.monotonic() + 2 * TIMEOUT_S
        while time.monotonic() < deadline:
            start = time.monotonic()
            try:
                answer = http.post("/predict", json=FILES[1], headers={"Idempotency-Key": key})
            except httpx.TransportError as error:
                self.broken += 1
                self.unanswered[key] = error
            else:
                self.unanswered.pop(key, None)
                self.seconds.append(time.monotonic() - start)
                if answer.status_code == 200:
                    self.answered[key] = answer.json()["decision_id"]
                    break
                self.refused.append(answer)
            if not self.persistent:
                break
            time.sleep(5 * PAUSE)


def assert_journalled(journal: Journal, load: Load, before: set[str]) -> None:
    """Every answered decision is in the journal exactly once, under its Idempotency-Key, and no other is."""
    assert load.answered
    ids = journal.ids()
    assert len(ids) == len(set(ids))
    assert set(ids) - before == set(load.answered.values())
    assert len(set(load.answered.values())) == len(load.answered)
    by_key = {row["idempotency_hash"]: row["id"] for row in rows(journal)}
    for key, decision_id in load.answered.items():
        owned = hashlib.sha256(f"local\n{key}".encode()).hexdigest()
        assert by_key[owned] == decision_id
