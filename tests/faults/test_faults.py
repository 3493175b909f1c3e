"""Faults around the running service: it answers in time, recovers by itself, and loses no decision."""

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

from bento.api.health import NOT_WRITABLE
from tests.faults.conftest import ON_POSTGRESQL
from tests.faults.load import Load, assert_journalled
from tests.support import postgresql
from tests.support.deadlines import timeout_s, wait_until
from tests.support.journals import locked, opened
from tests.support.services import READY_TIMEOUT_S, Service, problem, served, suspended

OUTAGE_S = 10.0
"""Seconds for which a database is stopped."""
MAX_REFUSAL_S = 5.0
"""Seconds for a refusal: 3 for the journal, the rest for a machine that is busy with other tests."""


on_sqlite = pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("running_service", [ON_POSTGRESQL], indirect=True)


@pytest.fixture
def before(service: Service) -> set[str]:
    """Return the ids of the decisions in the journal before the fault."""
    return set(service.journal.ids())


@contextmanager
def _disk_full(service: Service) -> Iterator[None]:
    """Let no file of the workers grow beyond the present size of the journal; there is room for their log."""
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


@on_sqlite  # PostgreSQL watches its disk by itself
@pytest.mark.promise("a full disk stops decisions, and they resume once there is room")
def test_decisions_stop_while_the_disk_is_full_and_resume(service: Service, before: set[str]):
    with Load(service.url) as load:
        load.wait_for_answers()
        with _disk_full(service):
            wait_until(lambda: bool(load.refused))
            wait_until(lambda: not service.is_ready())
            not_ready = problem(service.get("/readyz"), 503)
            assert not_ready.detail == NOT_WRITABLE
            assert not_ready.type.rpartition(":")[2] in ("journal-full", "journal-disk")
            assert service.get("/livez").status_code == 200
            problem(service.predict(), 503)
            assert service.predict(params={"purpose": "simulation"}).status_code == 200
            assert service.get(f"/decisions/{next(iter(load.answered.values()))}").status_code == 200
        load.wait_for_answers()
        wait_until(service.is_ready)
    for answer in load.refused:
        problem(answer, 503)
    assert not load.broken
    assert_journalled(service.journal, load, before)


def test_requests_are_refused_in_time_while_the_journal_is_locked(service: Service, before: set[str]):
    with Load(service.url) as load:
        load.wait_for_answers()
        with locked(service.journal):
            wait_until(lambda: len(load.refused) >= 4)
            assert service.get("/livez").status_code == 200
            assert service.get(f"/decisions/{next(iter(load.answered.values()))}").status_code == 200
        load.wait_for_answers()
    for answer in load.refused:
        problem(answer, 503, 504)
    assert max(load.seconds) < timeout_s(MAX_REFUSAL_S)
    assert not load.broken
    assert_journalled(service.journal, load, before)


def _journal_files(service: Service) -> list[Path]:
    database = Path(service.journal.engine.url.database or "")
    return [path for path in (database, Path(f"{database}-wal"), Path(f"{database}-shm")) if path.exists()]


@on_sqlite
def test_decisions_stop_while_the_journal_file_is_missing_and_resume(service: Service, before: set[str]):
    with Load(service.url) as load:
        load.wait_for_answers()
        moved = {path: path.rename(path.with_name(f"moved_{path.name}")) for path in _journal_files(service)}
        wait_until(lambda: len(load.refused) >= 4)
        assert problem(service.get("/readyz"), 503).type == "urn:credit-scoring:problem:journal-missing"
        problem(service.predict(), 503)
        for path, away in moved.items():
            away.rename(path)
        load.wait_for_answers()
    for answer in load.refused:
        problem(answer, 503, 504)  # 504 where the file was moved just after a commit
    assert not load.broken
    assert_journalled(service.journal, load, before)


@on_sqlite
def test_decisions_go_to_the_journal_file_that_replaced_the_first(service: Service, tmp_path: Path):
    another = tmp_path / "journal.db"
    with opened(f"sqlite:///{another}"):
        pass
    for path in _journal_files(service):
        path.rename(path.with_name(f"old_{path.name}"))
    another.rename(service.journal.engine.url.database or "")
    with Load(service.url) as load:
        load.wait_for_answers()
    assert_journalled(service.journal, load, before=set())


@on_postgresql
@pytest.mark.promise("a stopped PostgreSQL server stops decisions, and they resume with it")
def test_decisions_stop_while_the_database_is_stopped_and_resume(
    service: Service, before: set[str], postgresql_server: postgresql.Server
):
    with Load(service.url) as load:
        load.wait_for_answers()
        postgresql_server.stop()
        stopped_at = time.monotonic()
        wait_until(lambda: not service.is_ready())
        problem(service.predict(), 503)
        problem(service.get("/decisions/any"), 503)
        assert service.get("/livez").status_code == 200
        assert service.predict(params={"purpose": "simulation"}).status_code == 200
        time.sleep(max(0, stopped_at + OUTAGE_S - time.monotonic()))
        answered = len(load.answered)
        assert not service.is_ready()
        postgresql_server.start()
        load.wait_for_answers()
        wait_until(service.is_ready, MAX_REFUSAL_S)
    assert len(load.refused) >= OUTAGE_S
    assert len(load.answered) > answered
    for answer in load.refused:
        problem(answer, 503, 504)
    assert max(load.seconds) < timeout_s(MAX_REFUSAL_S)
    assert not load.broken
    assert_journalled(service.journal, load, before)


def _master(server: postgresql.Server) -> psutil.Process:
    """Return the process of the database that started the others."""
    named = f"--port={server.port}"
    return next(process for process in psutil.process_iter(["cmdline"]) if named in (process.info["cmdline"] or ()))


@on_postgresql
def test_requests_are_refused_in_time_while_the_database_hangs(
    service: Service, before: set[str], postgresql_server: postgresql.Server
):
    with Load(service.url) as load:
        load.wait_for_answers()
        with suspended(_master(postgresql_server)):
            wait_until(lambda: len(load.refused) >= 4)
            start = time.monotonic()
            assert not service.is_ready()
            assert service.get("/livez").status_code == 200
            assert time.monotonic() < start + timeout_s(MAX_REFUSAL_S)
        load.wait_for_answers()
    for answer in load.refused:
        problem(answer, 503, 504)
    assert max(load.seconds) < timeout_s(MAX_REFUSAL_S)
    assert not load.broken
    assert_journalled(service.journal, load, before)


@pytest.mark.promise("a killed worker is replaced, and a repeated request is decided once")
def test_killed_workers_are_replaced_and_retries_decide_once(service: Service, before: set[str]):
    killed = service.workers
    with Load(service.url) as load:
        load.wait_for_answers()
        for worker in killed:
            worker.kill()
        wait_until(lambda: load.broken > 0)
        load.wait_for_answers(100)
    wait_until(lambda: len(service.workers) == len(killed))
    assert {worker.pid for worker in service.workers}.isdisjoint(worker.pid for worker in killed)
    assert_journalled(service.journal, load, before)


def test_a_jumping_clock_changes_only_the_times(service: Service, before: set[str]):
    clock = service.log.parent / "clock"
    with Load(service.url) as load:
        for days in (0, 9, -9, 0):
            (clock.parent / "next").write_text(str(days * 86_400))
            os.replace(clock.parent / "next", clock)
            load.wait_for_answers()
            decision = service.predict().json()
            off = datetime.fromisoformat(decision["decided_at"]) - datetime.now(UTC) - timedelta(days=days)
            assert abs(off) < timedelta(seconds=timeout_s(READY_TIMEOUT_S))
            assert service.is_ready()
            before = {*before, decision["decision_id"]}
    assert not load.refused
    assert not load.broken
    assert_journalled(service.journal, load, before)


def test_reviews_keep_their_order_when_the_clock_is_set_back(service: Service):
    clock = service.log.parent / "clock"
    given = service.predict().json()
    other = {"granted": "refused", "refused": "granted", "review": "granted"}[given["decision"]]
    address = f"/decisions/{given['decision_id']}"
    review = {"outcome": other, "reason": "income was seen on paper", "reviewer": "A. Officer"}
    for days, verdict in ((9, "overturned"), (0, "confirmed"), (-9, "confirmed")):
        clock.write_text(str(days * 86_400))
        assert service.post(f"{address}/review", review | {"verdict": verdict}).status_code == 201
    clock.write_text("0")
    record = service.get(address).json()
    assert record["outcome"] == other
    assert [review["verdict"] for review in record["reviews"]] == ["overturned", "confirmed", "confirmed"]
    times = [review["reviewed_at"] for review in record["reviews"]]
    assert times == sorted(times)


@pytest.mark.promise("concurrent reviews build on each other, and none is lost")
def test_concurrent_reviews_build_on_each_other(service: Service):
    """Each review overturns the outcome before it: granted and refused alternate in any order of arrival."""
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
    reviewed = [review["outcome"] for review in service.get(address).json()["reviews"]]
    assert len(reviewed) == statuses.count(201)
    assert all(before != after for before, after in pairwise([given["decision"], *reviewed]))


@pytest.mark.promise("a service that is stopped answers what it has accepted")
def test_accepted_requests_are_answered_when_the_service_is_stopped(bento_tag: str, journal_url: str, tmp_path: Path):
    with served(bento_tag, journal_url, tmp_path) as service, Load(service.url, persistent=False) as load:
        load.wait_for_answers()
        with locked(service.journal):
            time.sleep(0.5)
            accepted = set(load.waiting.values())
            service.process.terminate()
            time.sleep(0.5)
        service.process.wait(timeout_s(READY_TIMEOUT_S))
        wait_until(lambda: load.broken > 0)
    assert len(accepted) == 4
    assert accepted <= load.answered.keys()
    assert not load.refused
    assert_journalled(service.journal, load, before=set())


@pytest.mark.promise("no decision that was answered is lost when the service is stopped under load")
def test_no_decision_is_lost_when_the_service_is_stopped_under_load(bento_tag: str, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/journal.db"
    with served(bento_tag, url, tmp_path) as service, Load(service.url, clients=16, persistent=False) as load:
        load.wait_for_answers(100)
        service.process.terminate()
        service.process.wait(timeout_s(READY_TIMEOUT_S))
    assert not load.refused
    assert_journalled(service.journal, load, before=set())
