"""Run a service of the pipeline's Bento, as its container starts it, and ask it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from bento.api.problems import Problem
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault
from research.data.example_credit_files import example_credit_files
from research.deployment.processes import free_port, running
from tests.support.commands import bentoml_serve
from tests.support.deadlines import timeout_s
from tests.support.workers import workers_of

FILES = example_credit_files(4)
READY_TIMEOUT_S = 60.0
"""Seconds for a service to get ready, or to end, on a quiet machine; about ten times what it takes."""
REQUEST_TIMEOUT_S = 30.0
"""Seconds that a client waits for an answer; it takes tens of milliseconds."""

_MIGRATION = threading.Lock()
"""Alembic's migrations must not run in several threads."""


@dataclass(frozen=True)
class Service:
    """A running service; `process` starts its workers, and a new one where one ends."""

    url: str
    process: psutil.Process
    journal: Journal
    log: Path

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that answer."""
        return workers_of(self.process)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=timeout_s(REQUEST_TIMEOUT_S))

    def post(self, path: str, content: dict[str, Any]) -> httpx.Response:
        return httpx.post(self.url + path, json=content, timeout=timeout_s(REQUEST_TIMEOUT_S))

    def predict(self, file: dict[str, Any] = FILES[1], **options: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/predict", json=file, timeout=timeout_s(REQUEST_TIMEOUT_S), **options)

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def served(
    bento_tag: str,
    journal_url: str,
    folder: Path,
    ready: str = "/readyz",
    port: int | None = None,
    **environment: str,
) -> Iterator[Service]:
    """Run a service with a journal, without API keys, in the serving environment, once the path `ready` answers.

    It listens on a free port where none is given.
    """
    journal, port = Journal(journal_url, Vault(None)), port or free_port()
    with _MIGRATION:
        upgrade(journal)
    url, log = f"http://127.0.0.1:{port}", folder / f"service_{port}.log"
    settings = {"JOURNAL_URL": journal_url, "SCORING_AUTH": "off", **environment}
    command = bentoml_serve(bento_tag, port)
    with running(command, url + ready, log, **settings) as process:
        yield Service(url, psutil.Process(process.pid), journal, log)
    journal.close()


@contextmanager
def suspended(process: psutil.Process) -> Iterator[None]:
    """Suspend a process and those that it started: it accepts connections and answers nothing."""
    processes = [process, *process.children(recursive=True)]
    for member in processes:
        member.suspend()
    try:
        yield
    finally:
        for member in processes:
            member.resume()


def problem(answer: httpx.Response, *statuses: int) -> Problem:
    """Return the problem that an answer must hold, with one of these statuses."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:500])
    assert answer.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(answer.content)
    assert problem.status == answer.status_code
    if problem.status in (429, 503):
        assert int(answer.headers["retry-after"]) > 0
    return problem
