"""The image on a careful platform: read-only root, any user of group 0, another port, health check, JSON log."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from research.data.example_credit_files import example_credit_files
from research.deployment.processes import free_port, running
from tests.container.base_image import buildah
from tests.container.hardened import FILES, USER, bundle, image_settings, prepare
from tests.support.deadlines import timeout_s, wait_until
from tests.support.services import REQUEST_TIMEOUT_S

LOG_TIMEOUT_S = 10.0
"""Seconds for a line to be written once its request is answered."""


@dataclass(frozen=True)
class Hardened:
    """A running container, its address, a key, its log, and how a command is run beside it."""

    url: str
    key: str
    log: Path
    journal: Path


@pytest.fixture(scope="module")
def service(container: str, bento_tag: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hardened]:
    folder = tmp_path_factory.mktemp("hardened")
    (journal := folder / "journal").mkdir()
    root, port = Path(buildah("mount", container)), free_port()

    def command(name: str, *arguments: str, **environment: str) -> list[str]:
        return bundle(folder / name, root, bento_tag, list(arguments), journal, **environment)

    key = prepare(command, **FILES)
    url = f"http://127.0.0.1:{port}"
    serve = command("serve", PORT=str(port), **FILES)
    with running(serve, f"{url}/readyz", folder / "service.log"):
        yield Hardened(url, key, folder / "service.log", journal)


@pytest.mark.promise("the container runs with a read-only root, as any user of group 0, at the port of PORT")
def test_it_decides_with_a_read_only_root_as_an_unknown_user(service: Hardened) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {service.key}"}
    body = json.dumps(example_credit_files(2)[0]).encode()
    request = urllib.request.Request(f"{service.url}/predict", body, headers)  # noqa: S310 - loopback

    with urllib.request.urlopen(request, timeout=timeout_s(REQUEST_TIMEOUT_S)) as response:  # noqa: S310
        answer = json.load(response)
        request_id = response.headers["X-Request-ID"]

    assert (service.journal / "journal.db").stat().st_uid == USER
    wait_until(lambda: request_id in service.log.read_text(), LOG_TIMEOUT_S)
    lines = [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line.get("request_id") == request_id]
    assert line["decision_id"] == answer["decision_id"]
    assert (line["route"], line["status"], line["model_version"]) == ("/predict", 200, answer["model"]["version"])


def test_every_line_of_the_log_is_json(service: Hardened) -> None:
    lines = service.log.read_text().splitlines()

    assert [line for line in lines if not line.startswith("{")][1:] == []  # the first is the entry point's, about PORT
    assert all(json.loads(line)["level"] for line in lines if line.startswith("{"))


def test_the_health_check_follows_readiness(service: Hardened, container: str, bento_tag: str) -> None:
    kind, *check = image_settings(bento_tag)["Healthcheck"]["Test"]
    port = service.url.rpartition(":")[2]

    def code(at: str) -> int:
        command = ["buildah", "run", "--network", "host", f"--env=PORT={at}", container, "--", *check]
        return subprocess.run(command, check=False, capture_output=True).returncode

    assert kind == "CMD"
    assert code(port) == 0
    assert code(str(free_port())) != 0
