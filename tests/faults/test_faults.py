"""Faults around the running service: it says so in time, recovers by itself, and loses no decision that it gave."""

import os
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import ON_POSTGRESQL
from tests.faults.serving import TIMEOUT_S, Load, Service, assert_journalled, problem, served, wait_until
from tests.support import postgresql
from tests.support.journals import locked, opened

GONE = 10.0
"""Seconds for which a database is gone."""
AT_MOST = 5.0
"""Seconds for a refusal: 3 for the journal, the rest for a machine that is busy with other tests."""


on_sqlite = pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("running_service", [ON_POSTGRESQL], indirect=True)


@pytest.fixture
def before(service: Service) -> set[str]:
    """The decisions in the journal before the fault."""
    return set(service.journal.ids())


@contextmanager
def _disk_full(service: Service) -> Iterator[None]:
    """No file of the workers' may grow beyond what the journal has by now; room is left for what they log."""
    database = service.journal.engine.url.database
    assert database is not None
    written_ahead, log = Path(f"{database}-wal").stat().st_size, service.log.stat().st_size
    limits = {worker.pid: resource.prlimit(worker.pid, resource.RLIMIT_FSIZE) for worker in service.workers}
    for pid, (_, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (max(written_ahead, log + 2**16), hard))
    try:
        yield
    finally:
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


@on_sqlite  # the disk of a server is the server's to watch
def test_while_the_disk_is_full_nothing_is_decided_and_then_all_is(service: Service, before: set[str]):
    with Load(service.url) as load:
        load.goes_on()
        with _disk_full(service):
            wait_until(lambda: bool(load.refused))
            wait_until(lambda: not service.is_ready())
            assert service.get("/livez").status_code == 200
            problem(service.predict(), 503)
            assert service.predict(params={"purpose": "simulation"}).status_code == 200
            assert service.get(f"/decisions/{next(iter(load.answered.values()))}").status_code == 200
        load.goes_on()
        wait_until(service.is_ready)
    for answer in load.refused:
        problem(answer, 503)
    assert not load.broken
    assert_journalled(service.journal, load, before)


def test_while_another_holds_the_journal_there_is_an_answer_in_time(service: Service, before: set[str]):
    with Load(service.url) as load:
        load.goes_on()
        with locked(service.journal):
            wait_until(lambda: len(load.refused) >= 4)
            assert service.get("/livez").status_code == 200
            assert service.get(f"/decisions/{next(iter(load.answered.values()))}").status_code == 200
        load.goes_on()
    for answer in load.refused:
        problem(answer, 503)
    assert max(load.seconds) < AT_MOST
    assert not load.broken
    assert_journalled(service.journal, load, before)


def _journal_files(service: Service) -> list[Path]:
    database = Path(service.journal.engine.url.database or "")
    return [path for path in (database, Path(f"{database}-wal"), Path(f"{database}-shm")) if path.exists()]


@on_sqlite
def test_while_the_file_of_the_journal_is_gone_nothing_is_decided_and_then_all_is(service: Service, before: set[str]):
    with Load(service.url) as load:
        load.goes_on()
        moved = {path: path.rename(path.with_name(f"moved_{path.name}")) for path in _journal_files(service)}
        wait_until(lambda: len(load.refused) >= 4)
        assert not service.is_ready()
        problem(service.predict(), 503)
        for path, away in moved.items():
            away.rename(path)
        load.goes_on()
    for answer in load.refused:
        problem(answer, 503)
    assert not load.broken
    assert_journalled(service.journal, load, before)


@on_sqlite
def test_once_the_file_of_the_journal_is_another_decisions_go_there(service: Service, tmp_path: Path):
    another = tmp_path / "journal.db"
    with opened(f"sqlite:///{another}"):
        pass
    for path in _journal_files(service):
        path.rename(path.with_name(f"old_{path.name}"))
    another.rename(service.journal.engine.url.database or "")
    with Load(service.url) as load:
        load.goes_on()
    assert_journalled(service.journal, load, before=set())


@on_postgresql
def test_while_the_database_is_gone_nothing_is_decided_and_then_all_is(
    service: Service, before: set[str], postgresql_server: postgresql.Server
):
    with Load(service.url) as load:
        load.goes_on()
        postgresql_server.stop()
        gone_at = time.monotonic()
        wait_until(lambda: not service.is_ready())
        problem(service.predict(), 503)
        problem(service.get("/decisions/any"), 503)
        assert service.get("/livez").status_code == 200
        assert service.predict(params={"purpose": "simulation"}).status_code == 200
        time.sleep(max(0, gone_at + GONE - time.monotonic()))
        answered = len(load.answered)
        assert not service.is_ready()
        postgresql_server.start()
        load.goes_on()
        wait_until(service.is_ready, within=AT_MOST)
    assert len(load.refused) >= GONE
    assert len(load.answered) > answered
    for answer in load.refused:
        problem(answer, 503)
    assert max(load.seconds) < AT_MOST
    assert not load.broken
    assert_journalled(service.journal, load, before)


@contextmanager
def _frozen(server: postgresql.Server) -> Iterator[None]:
    """The database takes everything and answers nothing."""
    named = f"--port={server.port}"
    master = next(process for process in psutil.process_iter(["cmdline"]) if named in (process.info["cmdline"] or ()))
    processes = [master, *master.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


@on_postgresql
def test_while_the_database_does_not_answer_there_is_an_answer_in_time(
    service: Service, before: set[str], postgresql_server: postgresql.Server
):
    with Load(service.url) as load:
        load.goes_on()
        with _frozen(postgresql_server):
            wait_until(lambda: len(load.refused) >= 4)
            start = time.monotonic()
            assert not service.is_ready()
            assert service.get("/livez").status_code == 200
            assert time.monotonic() < start + AT_MOST
        load.goes_on()
    for answer in load.refused:
        problem(answer, 503)
    assert max(load.seconds) < AT_MOST
    assert not load.broken
    assert_journalled(service.journal, load, before)


def test_workers_that_are_killed_are_replaced_and_a_repeated_request_is_decided_once(
    service: Service, before: set[str]
):
    killed = service.workers
    with Load(service.url) as load:
        load.goes_on()
        for worker in killed:
            worker.kill()
        wait_until(lambda: load.broken > 0)
        load.goes_on(100)
    wait_until(lambda: len(service.workers) == len(killed))
    assert {worker.pid for worker in service.workers}.isdisjoint(worker.pid for worker in killed)
    assert_journalled(service.journal, load, before)


def test_a_clock_that_jumps_changes_nothing_but_the_time(service: Service, before: set[str]):
    clock = service.log.parent / "clock"
    with Load(service.url) as load:
        for days in (0, 9, -9, 0):
            (clock.parent / "next").write_text(str(days * 86_400))
            os.replace(clock.parent / "next", clock)
            load.goes_on()
            found = service.predict().json()
            off = datetime.fromisoformat(found["decided_at"]) - datetime.now(UTC) - timedelta(days=days)
            assert abs(off) < timedelta(seconds=TIMEOUT_S)
            assert service.is_ready()
            before = {*before, found["decision_id"]}
    assert not load.refused
    assert not load.broken
    assert_journalled(service.journal, load, before)


def test_the_latest_review_stays_the_latest_although_the_clock_is_set_back(service: Service):
    clock = service.log.parent / "clock"
    given = service.predict().json()
    other = {"granted": "refused", "refused": "granted", "review": "granted"}[given["decision"]]
    address = f"/decisions/{given['decision_id']}"
    review = {"outcome": other, "reason": "income was seen on paper", "reviewer": "A. Officer"}
    for days, verdict in ((9, "overturned"), (0, "confirmed"), (-9, "confirmed")):
        clock.write_text(str(days * 86_400))
        assert service.post(f"{address}/review", review | {"verdict": verdict}).status_code == 201
    clock.write_text("0")
    found = service.get(address).json()
    assert found["outcome"] == other
    assert [each["verdict"] for each in found["reviews"]] == ["overturned", "confirmed", "confirmed"]
    times = [each["reviewed_at"] for each in found["reviews"]]
    assert times == sorted(times)


def test_of_reviews_that_come_at_once_each_stands_on_those_before(service: Service):
    """Each overturns what stands: granted and refused take turns, however many try at the same time."""
    given = service.predict().json()
    address, outcomes = f"/decisions/{given['decision_id']}", ("granted", "refused")

    def review(number: int) -> int:
        content = {
            "verdict": "overturned",
            "outcome": outcomes[number % 2],
            "reason": "second thoughts",
            "reviewer": "x",
        }
        return service.post(f"{address}/review", content).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(review, range(40)))
    assert set(statuses) == {201, 409}
    found = [each["outcome"] for each in service.get(address).json()["reviews"]]
    assert len(found) == statuses.count(201)
    assert all(before != after for before, after in pairwise([given["decision"], *found]))


def test_whoever_was_accepted_when_the_service_is_told_to_end_is_answered(
    bento_tag: str, journal_url: str, tmp_path: Path
):
    with served(bento_tag, journal_url, tmp_path) as service, Load(service.url, persistent=False) as load:
        load.goes_on()
        with locked(service.journal):
            time.sleep(0.5)
            accepted = set(load.waiting.values())
            service.process.terminate()
            time.sleep(0.5)
        service.process.wait(TIMEOUT_S)
        wait_until(lambda: load.broken > 0)
    assert len(accepted) == 4
    assert accepted <= load.answered.keys()
    assert not load.refused
    assert_journalled(service.journal, load, before=set())


def test_under_load_no_decision_is_lost_between_the_journal_and_its_answer_when_the_service_ends(
    bento_tag: str, tmp_path: Path
):
    url = f"sqlite:///{tmp_path}/journal.db"
    with served(bento_tag, url, tmp_path) as service, Load(service.url, clients=16, persistent=False) as load:
        load.goes_on(100)
        service.process.terminate()
        service.process.wait(TIMEOUT_S)
    assert not load.refused
    assert_journalled(service.journal, load, before=set())
