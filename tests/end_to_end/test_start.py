"""Starting the service as the manual says, from any folder, and what it says when its keys fail."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from bento.api.keys import new_key, read_keys
from bento.api.middleware.authentication import NOT_READABLE
from research.cli import ROOT, SERVING_PYTHON
from research.deployment.processes import free_port
from tests.support.commands import bentoml_serve
from tests.support.deadlines import timeout_s, wait_until
from tests.support.doc_blocks import manual_environment, project_copy, running_block, sh_blocks
from tests.support.services import FILES, READY_TIMEOUT_S, REQUEST_TIMEOUT_S, Service, problem, served

MANUAL = ROOT / "docs" / "operate.md"


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=timeout_s(REQUEST_TIMEOUT_S)).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def _started(block: str, folder: Path, environment: dict[str, str], log: Path) -> Iterator[str]:
    """Run a block that starts a service, and return the address once it is ready."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running_block(block, folder, environment | {"BENTOML_PORT": str(port)}, log) as process:
        wait_until(lambda: process.poll() is not None or _is_ready(url), READY_TIMEOUT_S)
        assert process.poll() is None, log.read_text()
        yield url


@pytest.mark.promise("the start of the manual gives a service that decides")
def test_the_start_of_the_manual_gives_a_service_that_decides(bento_tag: str, tmp_path: Path):
    folder, log = project_copy(tmp_path / "project"), tmp_path / "log"
    with _started(sh_blocks(MANUAL, "Start")[0], folder, manual_environment(), log) as url:
        printed = re.search(r"^pad_\S+$", log.read_text(), re.MULTILINE)
        assert printed is not None
        headers = {"Authorization": f"Bearer {printed[0]}"}
        with httpx.Client(base_url=url, headers=headers, timeout=timeout_s(REQUEST_TIMEOUT_S)) as client:
            answer = client.post("/predict", json=FILES[0])
            assert answer.status_code == 200, answer.text
            assert client.get(f"/decisions/{answer.json()['decision_id']}").status_code == 200
            assert client.get("/model", headers={"Authorization": "Bearer x"}).status_code == 401
        key_id = read_keys(folder / "secrets" / "keys.json").keys[0].id
        revoke = [SERVING_PYTHON, "-m", "bento", "keys", "revoke", key_id, "--file", folder / "secrets" / "keys.json"]
        subprocess.run(revoke, cwd=ROOT, check=True, capture_output=True)
        assert httpx.get(f"{url}/model", headers=headers).status_code == 401
    assert (folder / "data" / "journal.db").is_file()


def test_relative_paths_are_those_of_the_folder_of_the_start(bento_tag: str, tmp_path: Path):
    """The workers run in the folder of the Bento, where none of these files is."""
    new_key(tmp_path / "keys.json", ["score"])
    (tmp_path / "rules.toml").write_bytes((ROOT / "bento" / "rules" / "rules.toml").read_bytes())
    (tmp_path / "master.key").write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    settings = {
        "SCORING_KEYS_FILE": "keys.json",
        "SCORING_RULES": "rules.toml",
        "SCORING_MASTER_KEY_FILE": "master.key",
        "JOURNAL_URL": "sqlite:///decisions/journal.db",
        "PYTHONPATH": str(ROOT),
    }
    (tmp_path / "decisions").mkdir()
    block = f"python -m bento journal upgrade\nexec bentoml serve {bento_tag} --host 127.0.0.1"
    with _started(block, tmp_path, manual_environment(".venv-serve", **settings), tmp_path / "log") as url:
        key, _ = new_key(tmp_path / "keys.json", ["score"])
        answer = httpx.post(
            f"{url}/predict",
            json=FILES[0],
            headers={"Authorization": f"Bearer {key}"},
            timeout=timeout_s(REQUEST_TIMEOUT_S),
        )
        assert answer.status_code == 200, answer.text
    assert (tmp_path / "decisions" / "journal.db").is_file()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SCORING_KEY_PLACES", "many", "SCORING_KEY_PLACES: Input should be a valid integer"),
        ("SCORING_KEYS_FILE", "nowhere/keys.json", "nowhere/keys.json: No such file or directory"),
    ],
)
def test_an_unusable_setting_ends_the_start_with_one_line(bento_tag: str, name: str, value: str, reason: str):
    run = subprocess.run(
        list(map(str, bentoml_serve(bento_tag, free_port()))),
        cwd=ROOT,
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
        timeout=timeout_s(READY_TIMEOUT_S),
        check=False,
    )
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith("error: ")
    assert reason in line


@pytest.fixture(scope="module")
def with_keys(bento_tag: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Path]]:
    """Return a service that asks for API keys, also at /metrics, and the file of the keys."""
    folder = tmp_path_factory.mktemp("keys")
    keys = folder / "keys.json"
    new_key(keys, ["score"])
    settings = {"SCORING_AUTH": "", "SCORING_KEYS_FILE": str(keys), "SCORING_METRICS_AUTH": "on"}
    with served(bento_tag, f"sqlite:///{folder}/journal.db", folder, **settings) as service:
        yield service, keys


def test_keys_that_cannot_be_read_show_everywhere(with_keys: tuple[Service, Path]):
    service, keys = with_keys
    key, _ = new_key(keys, ["score", "metrics"])
    headers = {"Authorization": f"Bearer {key}"}
    readable = re.compile(r"^credit_keys_readable (\S+)$", re.MULTILINE)

    def metric() -> float:
        shown = readable.search(httpx.get(f"{service.url}/metrics", headers=headers).text)
        assert shown is not None
        return float(shown[1])

    assert service.predict(headers=headers).status_code == 200
    assert metric() == 1
    good = keys.read_bytes()
    keys.write_text("{broken")
    not_ready = problem(service.get("/readyz"), 503)
    assert (not_ready.detail, not_ready.type) == (NOT_READABLE, "urn:credit-scoring:problem:keys-not-readable")
    assert problem(service.predict(headers=headers), 503).detail == NOT_READABLE
    assert service.get("/livez").status_code == 200
    assert f"{keys}: no file of keys" in service.log.read_text()
    keys.write_bytes(good)
    wait_until(service.is_ready)
    assert service.predict(headers=headers).status_code == 200
    assert metric() == 1


def test_metrics_ask_for_a_key_where_the_settings_say_so(with_keys: tuple[Service, Path]):
    service, _ = with_keys
    problem(service.get("/metrics"), 401)


@pytest.mark.promise("a review carries the name of its key")
def test_a_review_carries_the_name_of_its_key(with_keys: tuple[Service, Path]):
    service, keys = with_keys
    score, _ = new_key(keys, ["score", "read"])
    review, _ = new_key(keys, ["review"], name="Ana Diaz")
    decision = service.predict(headers={"Authorization": f"Bearer {score}"}).json()
    address = f"{service.url}/decisions/{decision['decision_id']}"
    stands = {"granted": "granted", "refused": "refused", "review": "granted"}[decision["decision"]]
    content = {"outcome": stands, "reason": "income was seen on paper"}
    content["verdict"] = "confirmed" if stands == decision["decision"] else "overturned"

    def ask(**more: str) -> httpx.Response:
        return httpx.post(f"{address}/review", json=content | more, headers={"Authorization": f"Bearer {review}"})

    assert "belongs to another person" in problem(ask(reviewer="Somebody Else"), 403).detail
    assert ask().status_code == 201
    content["verdict"] = "confirmed"
    assert ask(reviewer="Ana Diaz").status_code == 201
    record = httpx.get(address, headers={"Authorization": f"Bearer {score}"}).json()
    assert [review["reviewer"] for review in record["reviews"]] == ["Ana Diaz", "Ana Diaz"]


def test_the_workers_believe_no_proxy_unless_it_is_named(with_keys: tuple[Service, Path]):
    service, _ = with_keys
    assert [worker.environ()["FORWARDED_ALLOW_IPS"] for worker in service.workers] == ["", ""]


def test_a_redirect_does_not_repeat_the_host(with_keys: tuple[Service, Path]):
    service, keys = with_keys
    key, _ = new_key(keys, ["score"])
    headers = {"Authorization": f"Bearer {key}", "Host": "elsewhere.example", "Content-Type": "application/json"}
    answer = httpx.post(f"{service.url}/predict/", content=b"{}", headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (307, "/predict")


@pytest.mark.promise("two services of one store keep separate metrics")
def test_two_services_of_one_store_keep_separate_metrics(bento_tag: str, tmp_path: Path):
    url = f"sqlite:///{tmp_path}/journal.db"

    def decided(service: Service) -> float:
        counts = re.findall(r"^credit_decisions_total\{.*\} (\S+)$", service.get("/metrics").text, re.MULTILINE)
        return sum(map(float, counts))

    with served(bento_tag, url, tmp_path) as first:
        for _ in range(5):
            first.predict()
        with served(bento_tag, url, tmp_path) as second:
            second.predict()
            assert (decided(first), decided(second)) == (5, 1)
            folder = {process.environ()["PROMETHEUS_MULTIPROC_DIR"] for process in second.workers}
        assert decided(first) == 5
        assert len(folder) == 1
        wait_until(lambda: not Path(folder.pop()).exists() if folder else True)
    assert not psutil.pid_exists(second.process.pid)
