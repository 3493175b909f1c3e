"""The hardened image with its journal on PostgreSQL: it answers as the service outside, and ends without a loss."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bento.journal.store import Journal
from bento.journal.vault import Vault
from research.data.example_credit_files import example_credit_files
from research.deployment.processes import free_port, running
from tests.container.base_image import buildah
from tests.container.hardened import FILES, bundle, prepare
from tests.faults.load import Load
from tests.support.deadlines import timeout_s
from tests.support.postgresql import Server
from tests.support.services import READY_TIMEOUT_S, REQUEST_TIMEOUT_S

pytestmark = pytest.mark.postgresql

DECIDED_AT = re.compile(rb'"decided_at":"[^"]+",')
"""All of an answer to a simulation that differs from one request to the next."""
WRONG = [b"", b"{", b"[]", b'{"application": {}}', b'{"application": {"SK_ID_CURR": 1, "AMT_CREDIT": "many"}}']


@dataclass(frozen=True)
class OnPostgreSQL:
    """A running container, its process, its address, the header of a key, and its journal."""

    process: subprocess.Popen[bytes]
    url: str
    headers: dict[str, str]
    journal: Journal


@pytest.fixture
def service(container: str, bento_tag: str, postgresql_server: Server, tmp_path: Path) -> Iterator[OnPostgreSQL]:
    (files := tmp_path / "journal").mkdir()
    root, port = Path(buildah("mount", container)), free_port()
    database = postgresql_server.emptied_database()
    settings = FILES | {"JOURNAL_URL": database}

    def command(name: str, *arguments: str, **environment: str) -> list[str]:
        return bundle(tmp_path / name, root, bento_tag, list(arguments), files, **environment)

    key = prepare(command, **settings)
    url = f"http://127.0.0.1:{port}"
    serve = command("serve", PORT=str(port), **settings)
    with running(serve, f"{url}/readyz", tmp_path / "service.log") as process:
        yield OnPostgreSQL(process, url, {"Authorization": f"Bearer {key}"}, Journal(database, Vault(None)))


def test_it_answers_byte_for_byte_as_the_service_outside(service: OnPostgreSQL, service_url: str):
    bodies = [json.dumps(file).encode() for file in example_credit_files(6)] + WRONG

    def answers(url: str, **headers: str) -> list[tuple[int, bytes]]:
        headers |= {"Content-Type": "application/json"}
        with httpx.Client(base_url=url, headers=headers, timeout=timeout_s(REQUEST_TIMEOUT_S)) as client:
            paths = ("/predict?purpose=simulation", "/explain")
            received = [client.post(path, content=body) for body in bodies for path in paths]
        return [(answer.status_code, DECIDED_AT.sub(b"", answer.content)) for answer in received]

    inside = answers(service.url, **service.headers)

    assert inside == answers(service_url)
    assert {status for status, _ in inside} >= {200, 400, 422}


def test_stopped_under_load_it_loses_no_decision_that_it_answered(service: OnPostgreSQL):
    with Load(service.url, persistent=False, headers=service.headers) as load:
        load.wait_for_answers()
        service.process.terminate()
        assert service.process.wait(timeout_s(READY_TIMEOUT_S)) == 0

    assert not load.refused
    assert sorted(service.journal.ids()) == sorted(load.answered.values())
