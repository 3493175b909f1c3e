"""What the first process of the service hands to its workers."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bentoml.serving
import pytest
import uvicorn
from circus.sighandler import SysHandler
from tornado.ioloop import IOLoop
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from bento.api import processes
from bento.api.processes import HANDED_VARIABLE, PROXIES_VARIABLE, hand_over, own_metrics_folder, read_settings
from bento.settings import Settings


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the variables that a first process sets."""
    for name in (HANDED_VARIABLE, PROXIES_VARIABLE):
        monkeypatch.setenv(name, "")
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)


def test_a_worker_reads_what_the_first_process_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCORING_KEYS_FILE", "keys.json")
    monkeypatch.setenv("SCORING_KEY_RATE", "7.5")
    settings = read_settings()
    hand_over(settings)
    monkeypatch.chdir("/")
    monkeypatch.setenv("JOURNAL_URL", "sqlite:////journal/journal.db")  # as the Bento declares for its workers
    monkeypatch.setenv("SCORING_RULES", "elsewhere.toml")
    assert read_settings() == settings
    assert settings.keys_file == f"{tmp_path}/keys.json"
    assert settings.journal_address == f"sqlite:///{tmp_path}/data/journal.db"
    assert settings.rules_file is None


def _client_behind(proxies: str, peer: str) -> Any:
    """Return the address of the client that an application sees, of a request forwarded by a peer."""
    hand_over(Settings(SCORING_TRUSTED_PROXIES=proxies))
    seen: list[Any] = []

    async def app(scope: Any, *_: Any) -> None:
        seen.append(scope["client"][0])

    allowed = uvicorn.Config(app, log_config=None).forwarded_allow_ips
    headers = [(b"x-forwarded-for", b"203.0.113.9")]
    scope = {"type": "http", "client": (peer, 4000), "headers": headers, "scheme": "http"}
    asyncio.run(ProxyHeadersMiddleware(app, allowed)(scope, None, None))  # type: ignore[arg-type]
    return seen[0]


@pytest.mark.parametrize(
    ("proxies", "peer", "client"),
    [
        ("", "127.0.0.1", "127.0.0.1"),
        ("10.0.0.7", "127.0.0.1", "127.0.0.1"),
        ("10.0.0.7 , 192.168.0.0/16", "10.0.0.7", "203.0.113.9"),
        ("10.0.0.7,192.168.0.0/16", "192.168.3.4", "203.0.113.9"),
    ],
)
def test_only_a_named_proxy_names_the_client(proxies: str, peer: str, client: str):
    assert _client_behind(proxies, peer) == client


def test_each_service_has_a_folder_of_metrics_that_ends_with_it():
    import bento.service  # noqa: F401 - replaces BentoML's function

    assert bentoml.serving.ensure_prometheus_dir is own_metrics_folder
    assert SysHandler.quit is processes.quit_until_done
    code = "from bento.api.processes import own_metrics_folder as make; print(make()); print(make())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = run.stdout.split()
    assert first != second
    assert not os.path.exists(first)
    assert not os.path.exists(second)


def _metrics_folder_of_a_process(parent: Path, *, killed: bool) -> tuple[Path, subprocess.Popen[str]]:
    """Return the folder that another process has made below `parent`, and the process, which waits or was killed."""
    code = "from bento.api.processes import own_metrics_folder; print(own_metrics_folder(), flush=True); input()"
    environment = os.environ | {"TMPDIR": str(parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    if killed:
        process.kill()
        process.wait()
    return folder, process


def test_the_folder_of_a_killed_service_is_removed_by_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    used, living = _metrics_folder_of_a_process(tmp_path, killed=False)
    left, _ = _metrics_folder_of_a_process(tmp_path, killed=True)
    young, _ = _metrics_folder_of_a_process(tmp_path, killed=True)
    (left / "counter.db").write_bytes(b"0")
    linked = tmp_path / f"{processes.METRICS_PREFIX}link"
    linked.symlink_to(tmp_path)
    for folder in (used, left):
        os.utime(folder, (0, 0))
    os.utime(linked, (0, 0), follow_symlinks=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    own = Path(own_metrics_folder())

    assert set(tmp_path.iterdir()) == {used, young, linked, own}
    living.communicate("\n")
    assert not used.exists()


def test_without_a_folder_for_metrics_the_start_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(**_: str) -> str:
        raise OSError(28, "No space left on device", "/srv/credit_scoring_metrics_x")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(SystemExit) as ended:
        own_metrics_folder()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "error: /srv/credit_scoring_metrics_x: No space left on device; free some space and run this again"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl(2) is Linux's")
def test_a_worker_whose_parent_has_ended_before_it_asks_ends_at_once():
    processes.hand_over(Settings())
    code = "from bento.api.processes import end_with_parent; end_with_parent(); print('goes on')"
    environment = os.environ | {HANDED_VARIABLE: os.environ[HANDED_VARIABLE].replace(str(os.getpid()), "1")}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (-signal.SIGTERM, "")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "goes on\n")


def test_a_service_that_cannot_stop_yet_is_asked_again():
    """As circus does: it refuses to stop while it starts its workers."""
    loop = IOLoop(make_current=False)
    commands: list[str] = []

    class Controller:
        def __init__(self) -> None:
            self.loop = loop

        def dispatch(self, job: tuple[object, bytes]) -> None:
            commands.append(json.loads(job[1])["command"])
            if len(commands) == 3:
                loop.stop()

    processes.quit_until_done(SimpleNamespace(controller=Controller()))  # type: ignore[arg-type]
    loop.start()
    loop.close()
    assert commands == ["quit"] * 3
