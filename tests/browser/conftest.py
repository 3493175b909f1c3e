"""Headless browsers, and the page as the loan officers see it, before the real service."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from research.deployment.processes import free_port
from tests.support.deadlines import timeout_s, wait_until

ROOT = Path(__file__).parents[2]
READY_TIMEOUT_S = STOP_TIMEOUT_S = 60.0
"""Seconds for the page to start, to change and to stop on a quiet machine."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Run the one driver that a thread may have."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Launch Chromium of the system, or the one that CHROMIUM names."""
    chromium = playwright.chromium.launch(executable_path=installed("chromium"), args=ARGUMENTS)
    yield chromium
    chromium.close()


@pytest.fixture(scope="session")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    """Launch Firefox of the system, or the one that FIREFOX_ESR names.

    The channel has Playwright drive it by WebDriver BiDi, which every Firefox speaks; without it, Playwright needs
    its patched Firefox, which is downloaded.
    """
    program = installed("firefox-esr")
    launched = playwright.firefox.launch(channel="moz-firefox", executable_path=program)
    yield launched
    launched.close()


def installed(program: str) -> str:
    """Return the path of a browser; fail, with the package to install, where there is none."""
    path = shutil.which(os.environ.get(program.upper().replace("-", "_"), program))
    if path is None:
        pytest.fail(f"no {program} found; install the Debian package: apt-get install {program}", pytrace=False)
    return path


class OtherHost(ThreadingHTTPServer):
    """A server that notes what is fetched from it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _NotFound)
        self.fetched: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _NotFound(BaseHTTPRequestHandler):
    server: OtherHost

    def do_GET(self) -> None:
        self.server.fetched.append(self.path)
        self.send_error(404)

    def log_message(self, format: str, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="session")
def other_host() -> Iterator[OtherHost]:
    with OtherHost() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def drift_folder(tmp_path_factory: pytest.TempPathFactory, other_host: OtherHost) -> Path:
    """Return a folder with one run of the watch on drift, whose report would fetch a picture and reach the page."""
    folder = tmp_path_factory.mktemp("drift")
    (folder / "drift.html").write_text(
        "<html lang='en'><head><title>Drift</title></head><body><main><h1>Income</h1><p id='origin'></p></main>"
        f"<img alt='' src='{other_host.url}/picture.png' onerror='this.alt = \"no picture\"'>"
        "<script>let reached = true; try { parent.parent.document.title } catch { reached = false }"
        "document.getElementById('origin').textContent = reached ? 'reached the page' : 'runs apart'</script></body>"
        "</html>"
    )
    run = {
        "kind": "report",
        "created": "2026-11-25T09:41:07Z",
        "verdict": "drift",
        "exit_code": 1,
        "sentence": {"en": "The income has drifted.", "fr": "Le revenu a dérivé."},
        "html": "drift.html",
        "json": "drift.json",
        "markdown": "drift.md",
    }
    (folder / "index.json").write_text(json.dumps([run]))
    return folder


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the page keeps its log and, in `drafts`, what officers have begun."""
    return tmp_path_factory.mktemp("streamlit")


@pytest.fixture(scope="session")
def page_url(
    browser: Browser, service_url: str, synthetic_folder: Path, drift_folder: Path, page_folder: Path
) -> Iterator[str]:
    """Return the address of the page, with a sample of clients."""
    settings = {"UI_CLIENTS": str(synthetic_folder), "UI_DRIFT": str(drift_folder)}
    with running_page(service_url, page_folder, free_port(), **settings) as url:
        yield url


@contextmanager
def running_page(service_url: str, folder: Path, port: int, *options: str, **settings: str) -> Iterator[str]:
    """Run `streamlit run ui/app.py` from the root of the project, with its log in a folder, and yield its address."""
    log = folder / "log"
    streamlit = Path(sys.executable).with_name("streamlit")  # not `python -m`, which would add the root to sys.path
    with log.open("w") as output:
        program = subprocess.Popen(
            [streamlit, "run", "ui/app.py", "--server.port", str(port), *options],
            cwd=ROOT,
            env=os.environ | {"API_URL": service_url, "UI_DRAFTS": str(folder / "drafts")} | settings,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_healthy(f"{url}/_stcore/health", program, log)
        yield url
    finally:
        program.terminate()
        program.wait(timeout=timeout_s(STOP_TIMEOUT_S))


def wait_until_healthy(url: str, program: subprocess.Popen[bytes], log: Path) -> None:
    def is_healthy() -> bool:
        try:
            return httpx.get(url).is_success
        except httpx.TransportError:
            return False

    wait_until(lambda: program.poll() is not None or is_healthy(), READY_TIMEOUT_S, pause_s=0.2)
    if program.poll() is not None:
        pytest.fail(f"the page did not start:\n{log.read_text()}", pytrace=False)


@pytest.fixture(autouse=True)
def _patience() -> None:
    """Wait for what is expected as long as this machine needs just now."""
    expect.set_options(timeout=1000 * timeout_s(READY_TIMEOUT_S))


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of a French officer, without cookies; it notes what it fetches."""
    made = browser.new_context(viewport={"width": 1280, "height": 1400}, locale="fr-FR")
    made.set_default_timeout(1000 * timeout_s(READY_TIMEOUT_S))
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, page_url: str) -> Page:
    """Open the page, 1280 pixels wide."""
    opened = context.new_page()
    opened.goto(page_url)
    return opened
