"""Running the service: keys, refusals to start, replay, and a new champion without a lost request."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bento.api.keys import new_key
from bento.api.problems import Problem
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault
from research.cli import ROOT, SERVING_PYTHON
from research.data.example_credit_files import example_credit_files
from research.deployment.processes import free_port, running

FILES = example_credit_files(4)


def _bentoml(bento_tag: str, port: int) -> list[str | Path]:
    """As the container starts it."""
    return [SERVING_PYTHON, "-m", "bentoml", "serve", bento_tag, "--host", "127.0.0.1", "--port", str(port)]


@contextmanager
def _served(bento_tag: str, folder: Path, **environment: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address and the process of a service with a journal in the folder."""
    url = f"sqlite:///{folder}/journal.db"
    upgrade(Journal(url, Vault(None)))
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"JOURNAL_URL": url, **environment}.items():
            patch.setenv(name, value)
        service = running(_bentoml(bento_tag, port), f"http://127.0.0.1:{port}/readyz", folder / f"{port}.log")
        with service as process:
            yield f"http://127.0.0.1:{port}", process


def _starts(bento_tag: str, **environment: str) -> tuple[int, str]:
    """Exit code and words of a service that is expected not to start."""
    done = subprocess.run(
        _bentoml(bento_tag, free_port()),
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


def test_without_keys_it_refuses_to_start_and_says_how_to_make_one(bento_tag: str):
    code, said = _starts(bento_tag)
    assert code == 2
    assert "python -m bento keys new-key" in said
    assert "SCORING_KEYS_FILE" in said
    assert "Traceback" not in said


def test_without_a_journal_it_refuses_to_start_and_says_how_to_make_one(bento_tag: str, tmp_path: Path):
    code, said = _starts(bento_tag, SCORING_AUTH="off", JOURNAL_URL=f"sqlite:///{tmp_path}/none.db")
    assert code == 2
    assert "python -m bento journal upgrade" in said
    assert "Traceback" not in said


def test_a_master_key_that_is_none_is_named(bento_tag: str, tmp_path: Path):
    (tmp_path / "key").write_text("no key")
    code, said = _starts(bento_tag, SCORING_AUTH="off", SCORING_MASTER_KEY_FILE=str(tmp_path / "key"))
    assert code == 2
    assert "SCORING_MASTER_KEY_FILE" in said


def test_only_loopback_may_go_without_keys():
    command = [sys.executable, "-m", "bento", "serve", "--no-auth", "--host", "0.0.0.0"]  # noqa: S104 - to be refused
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "loopback" in done.stderr


def test_each_key_opens_what_its_scope_says_and_a_new_one_works_at_once(bento_tag: str, tmp_path: Path):
    keys = tmp_path / "keys.json"
    score, _ = new_key(keys, ["score"])
    with _served(bento_tag, tmp_path, SCORING_KEYS_FILE=str(keys)) as (url, _), httpx.Client(base_url=url) as client:

        def status(method: str, path: str, key: str | None, body: Any = None) -> int:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            answer = client.request(method, path, json=body, headers=headers, timeout=30)
            if answer.status_code >= 400:
                Problem.model_validate_json(answer.content)
            return answer.status_code

        assert status("POST", "/predict", None, FILES[0]) == 401
        assert status("POST", "/predict", score + "x", FILES[0]) == 401
        assert status("GET", "/model", None) == 401
        assert status("GET", "/livez", None) == status("GET", "/docs.json", None) == 200
        given = client.post("/predict", json=FILES[0], headers={"Authorization": f"Bearer {score}"}).json()
        address = f"/decisions/{given['decision_id']}"
        assert status("GET", address, score) == 403
        read, key = new_key(keys, ["read"])
        assert status("GET", address, read) == 200
        assert status("POST", "/predict", read, FILES[0]) == 403
        review = {"verdict": "confirmed", "outcome": given["decision"], "reason": "nothing to add", "reviewer": "x"}
        assert status("POST", f"{address}/review", read, review) == 403
        assert status("GET", "/model", read) == 200
        revoke = ["-m", "bento", "keys", "revoke", key.id, "--file", str(keys)]
        subprocess.run([sys.executable, *revoke], cwd=ROOT, check=True, capture_output=True)
        assert status("GET", address, read) == 401


def _replay(url: str, *arguments: str) -> tuple[int, str]:
    command = [SERVING_PYTHON, "-m", "bento", "journal", "--url", url, "replay", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout + done.stderr


def test_decisions_replayed_come_out_the_same_and_other_code_is_said(bento_tag: str, tmp_path: Path):
    with _served(bento_tag, tmp_path, SCORING_AUTH="off") as (url, _), httpx.Client(base_url=url) as client:
        for file in FILES:
            assert client.post("/predict", json=file).status_code == 200
        batch = {"credit_files": FILES * 5}
        assert client.post("/predict_batch", json=batch, params={"reasons": "true"}).status_code == 200
        given = client.post("/predict", json=FILES[-1]).json()["decision_id"]
    address = f"sqlite:///{tmp_path}/journal.db"
    assert _replay(address, "--random", "1000") == (0, "25 decisions replayed: 25 same\n")
    assert _replay(address, given) == (0, f"{given}: same\n")
    journal = Journal(address, Vault(None))
    entry = _entry_of(journal, given)
    others = [replace(entry, id=name, code="0123456789abcdef") for name in ("of-other-code", "of-other-code-too")]
    journal.write(others)
    code, said = _replay(address)
    assert (code, said.count(": other code;")) == (2, 1)
    assert said.endswith("27 decisions replayed: 25 same, 2 other code\n")
    journal.write([replace(entry, id="of-other-data", credit_file=json.dumps(FILES[0]).encode())])
    code, said = _replay(address, "of-other-code")
    assert code == 2
    assert "of-other-code: other code" in said
    code, said = _replay(address, "of-other-data")
    assert code == 1
    assert "of-other-data: different; probability of default" in said
    assert _replay(address, "unknown")[0] == 2


def _entry_of(journal: Journal, decision_id: str):
    from bento.journal.entries import Entry

    found = journal.find(decision_id)
    assert found is not None
    values = {name: value for name, value in vars(found).items() if name != "purged_at"}
    return Entry(client=1, **values)


def test_a_new_champion_takes_over_without_a_lost_request(bento_tag: str, tmp_path: Path):
    """The second instance is ready before the first drains; whoever routes sends new requests to the second."""
    answered: list[dict[str, Any]] = []
    failed: list[object] = []
    with (
        _served(bento_tag, tmp_path, SCORING_AUTH="off") as (first, process),
        _served(bento_tag, tmp_path, SCORING_AUTH="off") as (second, _),
    ):
        target, ended = [first], threading.Event()

        def ask() -> None:
            with httpx.Client(timeout=30) as client:
                while not ended.is_set():
                    try:
                        answer = client.post(f"{target[0]}/predict", json=FILES[1])
                    except httpx.HTTPError as error:
                        failed.append(error)
                    else:
                        (answered if answer.status_code == 200 else failed).append(answer.json())

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        time.sleep(1)
        target[0] = second  # what a proxy would do
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        before = len(answered)
        time.sleep(1)
        ended.set()
        for asker in askers:
            asker.join()
    assert not failed
    assert len(answered) > before > 0
    journal = Journal(f"sqlite:///{tmp_path}/journal.db", Vault(None))
    ids = [answer["decision_id"] for answer in answered]
    assert len(set(ids)) == len(ids)
    assert set(ids) == set(journal.ids())
