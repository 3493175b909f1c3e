"""Running the service: keys, refusals to start, replay, and a new champion without a lost request."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bento.api.keys import new_key
from bento.api.problems import Problem
from research.cli import ROOT
from research.deployment.processes import free_port
from tests.support.commands import bento, bentoml_serve
from tests.support.deadlines import timeout_s, wait_until
from tests.support.services import FILES, READY_TIMEOUT_S, REQUEST_TIMEOUT_S, Service, served

REFUSALS = {
    "no keys": ({}, ["python -m bento keys new-key", "SCORING_KEYS_FILE"]),
    "no journal": (
        {"SCORING_AUTH": "off", "JOURNAL_URL": "sqlite:///{folder}/none.db"},
        ["python -m bento journal upgrade"],
    ),
    "faulty rules": (
        {"SCORING_AUTH": "off", "SCORING_RULES": "{folder}/rules.toml"},
        ["rules.toml: usual_margin: Field required"],
    ),
    "broken master key": (
        {"SCORING_AUTH": "off", "SCORING_MASTER_KEY_FILE": "{folder}/master_key"},
        ["SCORING_MASTER_KEY_FILE"],
    ),
}
"""By fault the environment of a service, and what it names before it ends."""


@pytest.fixture(scope="module")
def refused(bento_tag: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Start a service with each fault, all at once, and return exit codes and error output."""
    folder = tmp_path_factory.mktemp("refusals")
    (folder / "master_key").write_text("no key")
    (folder / "rules.toml").write_text("income_months = 1\nrules = []\n")
    processes = {}
    for fault, (environment, _) in REFUSALS.items():
        settings = {name: value.format(folder=folder) for name, value in environment.items()}
        processes[fault] = subprocess.Popen(
            list(map(str, bentoml_serve(bento_tag, free_port()))),
            cwd=ROOT,
            env=os.environ | settings,
            stderr=subprocess.PIPE,
            text=True,
        )
    errors = {fault: process.communicate(timeout=timeout_s(READY_TIMEOUT_S))[1] for fault, process in processes.items()}
    return {fault: (processes[fault].returncode, error) for fault, error in errors.items()}


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_service_that_may_not_start_names_the_remedy(refused: dict[str, tuple[int, str]], fault: str):
    code, error = refused[fault]
    assert code == 2
    assert "Traceback" not in error
    assert all(word in error for word in REFUSALS[fault][1])


def test_only_loopback_may_go_without_keys():
    command = bento("serve", "--no-auth", "--host", "0.0.0.0")  # noqa: S104 - to be refused
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s(READY_TIMEOUT_S), check=False
    )
    assert run.returncode == 2
    assert "loopback" in run.stderr


@pytest.fixture(scope="module")
def with_keys(bento_tag: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Path]]:
    """Return a client of a service that asks for API keys, and the file of the keys."""
    folder = tmp_path_factory.mktemp("keys")
    keys = folder / "keys.json"
    new_key(keys, ["score"])
    settings = {"SCORING_AUTH": "", "SCORING_KEYS_FILE": str(keys)}
    with (
        served(bento_tag, f"sqlite:///{folder}/journal.db", folder, **settings) as service,
        httpx.Client(base_url=service.url, timeout=timeout_s(REQUEST_TIMEOUT_S)) as client,
    ):
        yield client, keys


def _status(client: httpx.Client, method: str, path: str, key: str | None, body: Any = None) -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = client.request(method, path, json=body, headers=headers)
    if answer.status_code >= 400:
        Problem.model_validate_json(answer.content)
    return answer.status_code


@pytest.mark.promise("without a valid key only health, metrics and documentation answer")
def test_without_a_valid_key_only_open_addresses_answer(with_keys: tuple[httpx.Client, Path]):
    client, keys = with_keys
    score, _ = new_key(keys, ["score"])
    assert _status(client, "POST", "/predict", None, FILES[0]) == 401
    assert _status(client, "POST", "/predict", score + "x", FILES[0]) == 401
    assert _status(client, "GET", "/model", None) == 401
    assert _status(client, "GET", "/livez", None) == _status(client, "GET", "/docs.json", None) == 200


def test_a_new_key_works_at_once_and_only_for_its_scope(with_keys: tuple[httpx.Client, Path]):
    client, keys = with_keys
    score, _ = new_key(keys, ["score"])
    decision = client.post("/predict", json=FILES[0], headers={"Authorization": f"Bearer {score}"}).json()
    address = f"/decisions/{decision['decision_id']}"
    assert _status(client, "GET", address, score) == 403
    read, _ = new_key(keys, ["read"])
    assert _status(client, "GET", address, read) == 200
    assert _status(client, "POST", "/predict", read, FILES[0]) == 403
    review = {"verdict": "confirmed", "outcome": decision["decision"], "reason": "nothing to add", "reviewer": "x"}
    assert _status(client, "POST", f"{address}/review", read, review) == 403
    assert _status(client, "GET", "/model", read) == 200


def test_a_revoked_key_is_refused_at_once(with_keys: tuple[httpx.Client, Path]):
    client, keys = with_keys
    read, key = new_key(keys, ["read"])
    assert _status(client, "GET", "/model", read) == 200
    subprocess.run(bento("keys", "revoke", key.id, "--file", keys), cwd=ROOT, check=True, capture_output=True)
    assert _status(client, "GET", "/model", read) == 401


class _Clients:
    """Four clients that ask for decisions at the address `target` until they are stopped."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.answered: list[dict[str, Any]] = []
        self.failed: list[object] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        with httpx.Client(timeout=timeout_s(REQUEST_TIMEOUT_S)) as client:
            while not self._ended.is_set():
                try:
                    answer = client.post(f"{self.target}/predict", json=FILES[1])
                except httpx.HTTPError as error:
                    self.failed.append(error)
                else:
                    (self.answered if answer.status_code == 200 else self.failed).append(answer.json())

    def wait_for_answers(self, count: int = 20) -> None:
        wanted = len(self.answered) + count
        wait_until(lambda: self.failed or len(self.answered) >= wanted)

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


def _stop(service: Service) -> None:
    service.process.send_signal(signal.SIGTERM)
    service.process.wait(timeout=timeout_s(READY_TIMEOUT_S))


@pytest.mark.promise("a new champion takes over without a lost request")
def test_a_new_champion_takes_over_without_a_lost_request(bento_tag: str, tmp_path: Path):
    """The second instance is ready before the first ends; a proxy then sends new requests to the second."""
    url = f"sqlite:///{tmp_path}/journal.db"
    with served(bento_tag, url, tmp_path) as first, served(bento_tag, url, tmp_path) as second:
        clients = _Clients(first.url)
        try:
            clients.wait_for_answers()
            clients.target = second.url  # as a proxy does
            _stop(first)
            clients.wait_for_answers()
        finally:
            clients.stop()
        ids = [answer["decision_id"] for answer in clients.answered]
        assert not clients.failed
        assert len(set(ids)) == len(ids)
        assert set(ids) == set(second.journal.ids())
