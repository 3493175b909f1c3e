"""Faults of the journal's database: what was refused is never written, and another server takes over."""

import hashlib
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from bento.journal.backup import backup
from bento.journal.verify import Verified, faults
from tests.faults.conftest import ON_POSTGRESQL
from tests.faults.load import Load, assert_journalled
from tests.support import postgresql
from tests.support.deadlines import wait_until
from tests.support.journals import locked, rows
from tests.support.services import Service, problem, served

MAX_TAKEOVER_S = 10.0
"""Seconds until the service is ready on the other server, on a quiet machine."""

on_sqlite = pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("running_service", [ON_POSTGRESQL], indirect=True)


def _keys(service: Service) -> set[str]:
    return {row["idempotency_hash"] for row in rows(service.journal)}


def _hash(key: str) -> str:
    return hashlib.sha256(f"local\n{key}".encode()).hexdigest()


@pytest.mark.promise("what is answered 503 is never journalled later")
def test_what_is_refused_behind_a_lock_is_never_journalled(service: Service):
    """A 504 says that it is not known; some of these are written once the lock is released."""
    answers: dict[str, httpx.Response] = {}

    def ask(number: int) -> None:
        for turn in range(50):
            key = f"lock-{number}-{turn}-{service.url}"
            answers[key] = service.predict(headers={"Idempotency-Key": key})
            if any(answer.status_code == 504 for answer in list(answers.values())):
                return

    with ThreadPoolExecutor(8) as pool:
        with locked(service.journal):
            asked = [pool.submit(ask, number) for number in range(8)]
            wait_until(lambda: any(answer.status_code == 504 for answer in list(answers.values())))
        for client in asked:
            client.result()
    wait_until(service.is_ready)
    wait_until(lambda: service.predict().status_code == 200)
    refused = {key for key, answer in answers.items() if answer.status_code == 503}
    unknown = {key for key, answer in answers.items() if answer.status_code == 504}
    assert refused
    assert unknown
    for key in refused:
        assert "nothing was decided" in problem(answers[key], 503).detail
    for key in unknown:
        assert "it is not known whether this was decided" in problem(answers[key], 504).detail
    assert not {_hash(key) for key in refused} & _keys(service)
    for key in refused | unknown:
        assert service.predict(headers={"Idempotency-Key": key}).status_code == 200
    assert len([row for row in rows(service.journal) if row["idempotency_hash"] in map(_hash, answers)]) == len(answers)


def test_a_locked_table_is_not_ready_without_any_request(service: Service):
    with locked(service.journal):
        wait_until(lambda: not service.is_ready())
    wait_until(service.is_ready)
    assert "not ready: " in service.log.read_text(encoding="utf-8")


@on_sqlite
@pytest.mark.promise("a journal file that was replaced is never written beside the log of another")
def test_a_file_moved_onto_the_journal_is_not_written_beside_the_old_log(service: Service, tmp_path: Path):
    path = Path(service.journal.engine.url.database or "")
    with Load(service.url) as load:
        load.wait_for_answers()
        backup(service.journal, tmp_path / "backup.db", None)
        content = (tmp_path / "backup.db").read_bytes()
        load.wait_for_answers()
        os.replace(tmp_path / "backup.db", path)
        wait_until(lambda: len(load.refused) >= 8)
        assert not service.is_ready()
        for _ in range(4):  # both workers
            problem(service.predict(), 503, 504)
        assert path.read_bytes() == content
        assert "of the former is still beside it" in service.log.read_text(encoding="utf-8")
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink()
        wait_until(service.is_ready)
        restored = set(load.answered)
        load.wait_for_answers(40)
    later = {load.answered[key] for key in load.answered.keys() - restored}
    assert later <= set(service.journal.ids())
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert list(faults(service.journal, Verified())) == []


def test_the_chain_of_a_service_has_no_faults_and_its_heads_are_logged(service: Service):
    with Load(service.url) as load:
        load.wait_for_answers(50)
    assert list(faults(service.journal, Verified())) == []
    assert "journal head " in service.log.read_text(encoding="utf-8")


@pytest.mark.postgresql
@pytest.mark.promise("a promoted standby takes over without a lost decision")
def test_a_promoted_standby_takes_over_without_a_lost_decision(bento_tag: str, tmp_path: Path):
    with postgresql.running() as primary:
        database = primary.new_database().rpartition("/")[2]
        with postgresql.running(primary) as standby:
            primary.require_standby()
            url = primary.url_with(standby, database)
            with served(bento_tag, url, tmp_path) as service:
                with Load(service.url) as load:
                    load.wait_for_answers(50)
                    primary.stop()
                    wait_until(lambda: load.refused)
                    wait_until(lambda: not service.is_ready())
                    standby.promote()
                    wait_until(service.is_ready, MAX_TAKEOVER_S)
                    load.wait_for_answers(50)
                for answer in load.refused:
                    problem(answer, 503, 504)
                assert_journalled(service.journal, load, before=set())
                assert list(faults(service.journal, Verified())) == []
