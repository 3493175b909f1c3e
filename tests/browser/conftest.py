"""A headless Chromium, and the page as it is run for the officers, before the real service."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
WAIT_MS = 60_000
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of the system, or the one that CHROMIUM names."""
    program = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    if program is None:
        pytest.fail("no Chromium found; install the Debian package: apt-get install chromium", pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def page_url(browser: Browser, service_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `streamlit run ui/app.py`, started from the root of the project."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("streamlit") / "log"
    streamlit = Path(sys.executable).with_name("streamlit")  # not `python -m`, which would add the root to sys.path
    with log.open("w") as output:
        program = subprocess.Popen(
            [streamlit, "run", "ui/app.py", "--server.port", str(port)],
            cwd=ROOT,
            env=os.environ | {"API_URL": service_url},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_healthy(f"{url}/_stcore/health", program, log)
        yield url
    finally:
        program.terminate()
        program.wait(timeout=20)


def wait_until_healthy(url: str, program: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + WAIT_MS / 1000
    while time.monotonic() < end and program.poll() is None:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(f"the page did not start:\n{log.read_text()}", pytrace=False)


@pytest.fixture
def page(browser: Browser, page_url: str) -> Iterator[Page]:
    """The page as just opened, 1280 pixels wide."""
    opened = browser.new_page(viewport={"width": 1280, "height": 2040})
    opened.set_default_timeout(WAIT_MS)
    opened.goto(page_url)
    yield opened
    opened.close()
