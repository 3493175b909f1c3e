"""Clients that keep a service busy while something breaks, and what its journal must hold afterwards."""

import hashlib
import secrets
import threading
import time
from types import TracebackType
from typing import Self

import httpx

from bento.journal.store import Journal
from tests.support.deadlines import timeout_s, wait_until
from tests.support.journals import rows
from tests.support.services import FILES, REQUEST_TIMEOUT_S

PAUSE_S = 0.02
"""Seconds between two requests of a client: four clients stay below the rate that one key may ask for."""


class Load:
    """Clients that ask for decisions, one request after another, over a connection that is kept alive.

    Each request has a separate Idempotency-Key, and is repeated under it until it is answered; without `persistent`,
    once.
    """

    def __init__(
        self, url: str, clients: int = 4, *, persistent: bool = True, headers: dict[str, str] | None = None
    ) -> None:
        self.url, self.persistent, self.headers = url, persistent, headers
        self.answered: dict[str, str] = {}
        """By Idempotency-Key the id of the decision."""
        self.seconds: list[float] = []
        """That each answer took, of any status."""
        self.refused: list[httpx.Response] = []
        """Answers that were no decision."""
        self.unanswered: dict[str, httpx.TransportError] = {}
        """By Idempotency-Key why there was no answer at all; only requests that were not repeated."""
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

    def wait_for_answers(self, answers: int = 20) -> None:
        """Wait for this number of further decisions."""
        wanted = len(self.answered) + answers
        wait_until(lambda: len(self.answered) >= wanted)

    def _ask(self, client: int) -> None:
        timeout = timeout_s(REQUEST_TIMEOUT_S)
        with httpx.Client(base_url=self.url, headers=self.headers, timeout=timeout) as http:
            while not self._ended.is_set():
                self.waiting[client] = key = secrets.token_hex()
                self._decide(http, key)
                del self.waiting[client]
                self._ended.wait(PAUSE_S)

    def _decide(self, http: httpx.Client, key: str) -> None:
        deadline = time.monotonic() + 2 * timeout_s(REQUEST_TIMEOUT_S)
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
            time.sleep(5 * PAUSE_S)


def assert_journalled(journal: Journal, load: Load, before: set[str]) -> None:
    """Check that each answered decision is in the journal once, under its Idempotency-Key, and no other is."""
    assert load.answered
    ids = journal.ids()
    assert len(ids) == len(set(ids))
    assert set(ids) - before == set(load.answered.values())
    assert len(set(load.answered.values())) == len(load.answered)
    recorded = {row["idempotency_hash"]: row["id"] for row in rows(journal)}
    for key, decision_id in load.answered.items():
        assert recorded[hashlib.sha256(f"local\n{key}".encode()).hexdigest()] == decision_id
