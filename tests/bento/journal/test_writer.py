"""Many who write at once, and a database that fails them; on SQLite and PostgreSQL."""

import logging
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bento.journal.entries import JournalUnavailableError, StoredDecision
from bento.journal.readiness import Readiness
from bento.journal.store import Journal
from bento.journal.vault import VaultError
from bento.journal.writer import Writer
from tests.support.journals import CLIENT, SECONDS, VAULTS, another, entry, execute, locked, opened, wait_for
from tests.support.postgresql import Server


@pytest.fixture
def journal(journal_url: str) -> Iterator[Journal]:
    with opened(journal_url, VAULTS["encrypted"]) as made:
        yield made


@pytest.fixture
def writing(journal: Journal) -> Iterator[Writer]:
    made = Writer(journal)
    yield made
    made.close()


@pytest.fixture
def commits(journal: Journal) -> list[None]:
    """Grows with every transaction that the journal commits."""
    commits: list[None] = []
    sa.event.listen(journal.engine, "commit", lambda _: commits.append(None))
    return commits


# Concurrent writes


def test_waiting_writes_are_committed_together(journal: Journal, writing: Writer, commits: list[None]):
    with another(journal) as other, locked(other):
        first = writing.submit([entry()])
        wait_for(first.running)
        others = [writing.submit([entry(), entry()]) for _ in range(50)]
    assert [future.result(SECONDS) for future in (first, *others)] == [[None]] + 50 * [[None, None]]
    assert len(commits) == 2
    assert len(journal.ids()) == 101


def test_the_size_of_a_commit_is_limited(journal: Journal, commits: list[None]):
    writing = Writer(journal, max_decisions_per_commit=10)
    with another(journal) as other, locked(other):
        first = writing.submit([entry()])
        wait_for(first.running)
        others = [writing.submit([entry()]) for _ in range(25)]
    for future in (first, *others):
        assert future.result(SECONDS) == [None]
    assert len(commits) == 1 + 3
    writing.close()


def test_each_write_gets_its_own_result(journal: Journal, writing: Writer):
    taken = entry(idempotency_hash="i" * 64)
    assert writing.submit([taken]).result(SECONDS) == [None]
    with another(journal) as other, locked(other):
        first = writing.submit([entry()])
        wait_for(first.running)
        late = writing.submit([entry(), entry(idempotency_hash="i" * 64)])
        last = writing.submit([entry(idempotency_hash="j" * 64)])
    assert late.result(SECONDS) == [None, journal.find(taken.id)]
    assert last.result(SECONDS) == [None]


def test_concurrent_writes_of_one_idempotency_key_give_one_decision(journal: Journal):
    together = threading.Barrier(8)

    def decide(number: int) -> list[StoredDecision | None]:
        with another(journal) as mine:
            together.wait(SECONDS)
            return mine.write([entry(idempotency_hash="i" * 64, answer=str(number).encode())])

    with ThreadPoolExecutor(8) as pool:
        existing = [decision for (decision,) in pool.map(decide, range(8))]
    (stored,) = journal.ids()
    assert existing.count(None) == 1
    assert {decision.id for decision in existing if decision is not None} == {stored}


def test_writes_of_the_same_keys_in_other_orders_do_not_deadlock(journal_url: str):
    together, rounds = threading.Barrier(2), range(10)
    keys = [f"{number:04}" for number in range(100)]

    def decide(order: int) -> list[StoredDecision | None]:
        mine = Journal(journal_url, VAULTS["plain"])  # with keys of clients, they would already meet there
        given = []
        for number in rounds:
            assert mine.revision()
            together.wait(SECONDS)
            given += mine.write([entry(idempotency_hash=f"{number}-{key}") for key in keys[::order]])
        mine.close()
        return given

    with opened(journal_url) as journal, ThreadPoolExecutor(2) as pool:
        forth, back = pool.map(decide, (1, -1))
        assert forth.count(None) + back.count(None) == len(rounds) * len(keys) == len(journal.ids())


OTHER_PROCESS = """
import sys, time
from bento.journal.store import Journal
from tests.support.journals import VAULTS, entry
journal = Journal(sys.argv[1], VAULTS["encrypted"])
print("ready", flush=True)
input()
for _ in range(25):
    assert journal.write([entry(), entry(idempotency_hash="i" * 64)])[0] is None
    time.sleep(0.002)
"""


def test_two_processes_write_at_the_same_time(journal: Journal):
    url = journal.engine.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        other.stdin.write("\n")
        other.stdin.flush()
        for _ in range(25):
            journal.write([entry(), entry(idempotency_hash="i" * 64)])
            time.sleep(0.002)  # as between two groups: SQLite gives its lock to the process that asks first
        assert other.wait(30) == 0
    assert len(journal.ids()) == 51


# Writes that are not waited for


def test_a_cancelled_write_is_not_written(journal: Journal, writing: Writer):
    with another(journal) as other, locked(other):
        first = writing.submit([kept := entry()])
        wait_for(first.running)
        given_up = writing.submit([entry()])
        last = writing.submit([also_kept := entry()])
        assert given_up.cancel()
        assert not first.cancel()
    assert first.result(SECONDS) == last.result(SECONDS) == [None]
    assert set(journal.ids()) == {kept.id, also_kept.id}


def test_closing_writes_what_is_waiting(journal: Journal):
    closing = Writer(journal)
    with another(journal) as other, locked(other):
        futures = [closing.submit([entry()]) for _ in range(20)]
    closing.close()
    assert [future.result(0) for future in futures] == 20 * [[None]]
    assert len(journal.ids()) == 20


def test_too_many_waiting_writes_fail_at_once(journal: Journal):
    busy = Writer(journal, max_waiting=2)
    with another(journal) as other, locked(other):
        first = busy.submit([entry()])
        wait_for(first.running)
        waiting = [busy.submit([entry()]) for _ in range(2)]
        with pytest.raises(JournalUnavailableError, match="too many decisions wait"):
            busy.submit([entry()]).result(0)
    busy.close()
    assert [future.result(0) for future in (first, *waiting)] == 3 * [[None]]


# Faults


def test_a_lock_held_too_long_fails_the_write(journal: Journal, writing: Writer):
    began = time.monotonic()
    with another(journal) as other, locked(other), pytest.raises(JournalUnavailableError):
        writing.submit([entry()]).result(SECONDS)
    assert time.monotonic() - began < SECONDS
    assert writing.failed_at is not None
    assert writing.submit([kept := entry()]).result(SECONDS) == [None]
    assert writing.failed_at is None
    assert journal.ids() == [kept.id]


@pytest.mark.postgresql
def test_a_stopped_server_is_used_again_after_its_restart(postgresql_server: Server):
    with opened(postgresql_server.emptied_database()) as journal:
        writing = Writer(journal)
        before, lost, after = entry(), entry(), entry()
        assert writing.submit([before]).result(SECONDS) == [None]
        assert Readiness(journal).fault() is None
        postgresql_server.stop()
        try:
            began = time.monotonic()
            assert Readiness(journal).fault() is not None
            with pytest.raises(JournalUnavailableError):
                writing.submit([lost]).result(SECONDS)
            with pytest.raises(JournalUnavailableError):
                journal.find(before.id)
            assert writing.failed_at is not None
            assert time.monotonic() - began < SECONDS
        finally:
            postgresql_server.start()
        assert writing.submit([lost, after]).result(SECONDS) == [None, None]
        assert Readiness(journal).fault() is None
        assert writing.failed_at is None
        assert sorted(journal.ids()) == sorted([before.id, lost.id, after.id])
        writing.close()


FULL_DISK = """
import os, resource, sys
from bento.journal.entries import JournalUnavailableError
from bento.journal.readiness import Readiness
from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault
from tests.support.journals import entry
journal = Journal(sys.argv[1], Vault(None))
upgrade(journal)
kept = [entry(), entry()]
journal.write(kept[:1])
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(sys.argv[1].removeprefix("sqlite:///") + "-wal"), hard))
for _ in range(3):
    try:
        journal.write([entry(credit_file=os.urandom(100_000))])
    except JournalUnavailableError as error:
        print(error)
assert Readiness(journal, 0).fault()
assert journal.ids() == [kept[0].id]
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
journal.write(kept[1:])
assert sorted(journal.ids()) == sorted(written.id for written in kept)
"""


def test_a_full_disk_fails_the_write_as_a_whole(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/journal.db"
    run = subprocess.run([sys.executable, "-c", FULL_DISK, url], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    errors = run.stdout.splitlines()
    assert len(errors) == 3
    assert all(line.startswith(url) for line in errors)


def test_an_entry_that_cannot_be_sealed_fails_alone(journal: Journal, writing: Writer):
    journal.write([entry(client=CLIENT + 1)])
    execute(journal, "UPDATE client_keys SET wrapped_key = (SELECT credit_file FROM decisions)")
    with another(journal) as other, locked(other):
        first = writing.submit([entry(client=3)])
        wait_for(first.running)
        good, bad, good_too = (writing.submit([entry(client=client)]) for client in (1, CLIENT + 1, 2))
    assert first.result(SECONDS) == good.result(SECONDS) == good_too.result(SECONDS) == [None]
    with pytest.raises(VaultError):
        bad.result(SECONDS)
    assert len(journal.ids()) == 4
    assert writing.failed_at is None


@pytest.mark.promise("errors and logs of the journal hold no personal data")
def test_errors_and_logs_hold_no_personal_data(journal_url: str, caplog: pytest.LogCaptureFixture):
    canaries = [str(CLIENT), "0.0123456789", "DAYS_CREDIT"]
    for name in ("sqlalchemy", "sqlalchemy.engine", "bentoml"):
        caplog.set_level(logging.DEBUG, name)
    with opened(journal_url) as journal:
        journal.write([entry()])
        with pytest.raises(JournalUnavailableError) as caught:
            journal.write([replace(entry(), threshold=None)])  # type: ignore[arg-type]
    texts = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "INSERT INTO decisions" in caplog.text
    assert "threshold" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [canary for canary in canaries if canary in texts] == []
