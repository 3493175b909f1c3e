"""Decisions of the service are replayed by the command that operators run."""

import json
import subprocess
from dataclasses import replace

import httpx
import pytest

from bento.journal.entries import Entry
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault
from bento.settings import Settings
from research.cli import ROOT, SERVING_PYTHON
from tests.support.commands import bento
from tests.support.deadlines import timeout_s
from tests.support.services import FILES, REQUEST_TIMEOUT_S

REPLAY_TIMEOUT_S = 120.0
"""Seconds for a replay of a few decisions, which takes about five."""


def _replay(url: str, *arguments: str) -> tuple[int, str]:
    command = bento("journal", "--url", url, "replay", *arguments, python=SERVING_PYTHON)
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s(REPLAY_TIMEOUT_S), check=False
    )
    return run.returncode, run.stdout + run.stderr


@pytest.fixture(scope="module")
def recorded(service_url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the address of a journal with 25 decisions of the service, and the id of one on the last file."""
    with httpx.Client(base_url=service_url, timeout=timeout_s(REQUEST_TIMEOUT_S)) as client:
        ids = [client.post("/predict", json=file).json()["decision_id"] for file in (*FILES, FILES[-1])]
        batch = client.post("/predict_batch?reasons=true", json={"credit_files": FILES * 5}).json()
    ids += [result["prediction"]["decision_id"] for result in batch["results"]]
    source, copy = (
        Journal(Settings.read().journal_address, Vault(None)),
        Journal(f"sqlite:///{tmp_path_factory.mktemp('replay')}/journal.db", Vault(None)),
    )
    upgrade(copy)
    copy.write([_entry_of(source, decision_id) for decision_id in ids])
    return copy.engine.url.render_as_string(), ids[len(FILES)]


@pytest.mark.promise("a decision that is replayed comes out the same")
def test_replayed_decisions_come_out_the_same(recorded: tuple[str, str]):
    url, decision_id = recorded
    assert _replay(url, "--random", "1000") == (0, "25 decisions replayed: 25 same\n")
    assert _replay(url, decision_id) == (0, f"{decision_id}: same\n")
    assert _replay(url, "unknown")[0] == 2


def test_a_replay_reports_other_code_and_other_results(recorded: tuple[str, str]):
    url, decision_id = recorded
    journal = Journal(url, Vault(None))
    entry = _entry_of(journal, decision_id)
    names = ("of-other-code", "of-other-code-too")
    journal.write([replace(entry, id=name, code="0123456789abcdef") for name in names])

    code, output = _replay(url)

    assert (code, output.count(": other code;")) == (2, 1)
    assert output.endswith("27 decisions replayed: 25 same, 2 other code\n")
    code, output = _replay(url, "of-other-code")
    assert code == 2
    assert "of-other-code: other code" in output
    journal.write([replace(entry, id="of-other-data", credit_file=json.dumps(FILES[0]).encode())])
    code, output = _replay(url, "of-other-data")
    assert code == 1
    assert "of-other-data: different; probability of default" in output


def _entry_of(journal: Journal, decision_id: str) -> Entry:
    decision = journal.find(decision_id)
    assert decision is not None
    values = {name: value for name, value in vars(decision).items() if name != "purged_at"}
    return Entry(client=1, rulebook=journal.rulebook(decision.rules), **values)
