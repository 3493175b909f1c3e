"""The processes of the service: its first one killed, stopped while it starts, or made to replace its workers."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bento.journal.store import Journal
from bento.journal.upgrade import upgrade
from bento.journal.vault import Vault
from research.cli import ROOT
from research.deployment.processes import free_port, running
from tests.faults.load import Load, assert_journalled
from tests.support.commands import bentoml_serve
from tests.support.deadlines import timeout_s, wait_until
from tests.support.services import READY_TIMEOUT_S, served
from tests.support.workers import workers_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl(2) is Linux's")


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Return the settings of a service with an empty journal, without keys."""
    url = f"sqlite:///{tmp_path}/journal.db"
    journal = Journal(url, Vault(None))
    upgrade(journal)
    journal.close()
    return {"JOURNAL_URL": url, "SCORING_AUTH": "off"}


def _is_over(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_workers_end_with_the_first_process_and_a_restart_can_listen(
    bento_tag: str, settings: dict[str, str], tmp_path: Path
):
    port = free_port()
    command, ready = bentoml_serve(bento_tag, port), f"http://127.0.0.1:{port}/readyz"
    with running(command, ready, tmp_path / "first.log", **settings) as process:
        workers = workers_of(psutil.Process(process.pid))
        assert len(workers) == 2
        process.kill()
        process.wait()
        wait_until(lambda: all(map(_is_over, workers)))
        with running(command, ready, tmp_path / "second.log", **settings) as second:
            assert len(workers_of(psutil.Process(second.pid))) == 2
    assert "Could not bind" not in (tmp_path / "second.log").read_text()


@contextmanager
def _starting(command: list[str], log: Path, settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | settings, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("moment", ["at once", "with the first worker", "once it listens"])
def test_a_service_that_is_stopped_while_it_starts_leaves_no_process(
    moment: str, bento_tag: str, settings: dict[str, str], tmp_path: Path
):
    log = tmp_path / "log"
    with _starting(list(map(str, bentoml_serve(bento_tag, free_port()))), log, settings) as process:
        parent = psutil.Process(process.pid)
        wait_until(
            {
                "at once": lambda: True,
                "with the first worker": lambda: workers_of(parent),
                "once it listens": lambda: "Starting production" in log.read_text(),
            }[moment],
            READY_TIMEOUT_S,
        )
        family = [parent, *parent.children(recursive=True)]
        process.terminate()
        assert process.wait(timeout_s(READY_TIMEOUT_S)) in (0, -signal.SIGTERM)
        wait_until(lambda: all(map(_is_over, family)))
    assert "Traceback" not in log.read_text()


def test_a_hangup_restarts_the_workers_without_a_lost_decision(bento_tag: str, tmp_path: Path):
    with served(bento_tag, f"sqlite:///{tmp_path}/journal.db", tmp_path) as service, Load(service.url) as load:
        load.wait_for_answers()
        before = {worker.pid for worker in service.workers}
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(service.workers) == 2 and before.isdisjoint(worker.pid for worker in service.workers))
        wait_until(service.is_ready, READY_TIMEOUT_S)
        load.wait_for_answers()
    assert not load.refused
    assert_journalled(service.journal, load, before=set())
