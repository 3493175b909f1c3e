"""Time the page of the officers in headless Chromium, and its searches, and write `page_speed.json`.

python -m tests.benchmarks.page_speed --data data/synthetic

The page asks the service of a Bento of the store, by default the latest, which it starts.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bentoml
import polars as pl
from playwright.sync_api import Browser, Page, expect, sync_playwright

from research.cli import ROOT
from research.data.dataset import open_folder
from research.deployment.processes import free_port, serving
from tests.benchmarks.__main__ import machine, source
from tests.benchmarks.calibration import Calibration
from tests.benchmarks.measure import Figures, in_process, spread
from tests.browser.conftest import ARGUMENTS, installed, running_page
from tests.browser.steps import amount, find_client, simulated
from tests.browser.test_accessibility import open_page
from ui.entry import TYPING_PAUSE

RESULT = "page_speed.json"
OPENINGS = 7
"""Browsers that open the page, each without anything of it."""
WHAT_IFS = 40
"""Amounts that are tried, one after the other."""
OPENED = """() => document.querySelector("h1")?.checkVisibility()
    && document.querySelector("input[aria-label='Numéro de client']:enabled")?.checkVisibility()"""
"""Whether the page can be worked on: its heading and the field of the client are there."""
WHEN_ANSWERED = """(field, amount) => {
    const about = new RegExp("Montant du crédit\\\\s: .* → " + amount + "\\\\s");
    const isAnswered = () => about.test(document.querySelector("[data-testid=stMain]").textContent)
        && ![...document.querySelectorAll("[data-stale=true]")].some(part => part.textContent.includes("Simulation"));
    window.answeredMs = 0;
    field.addEventListener("input", () => {
        const start = performance.now();
        const look = () => {
            if (isAnswered()) window.answeredMs = performance.now() - start;
            else requestAnimationFrame(look);
        };
        look();
    }, {once: true});
}"""
"""Times, in the page and at each of its frames, from the next change of a field to the answer about that amount."""
TYPING_PAUSE_MS = int(TYPING_PAUSE.removesuffix("ms"))
MAX_WAIT_MS = 60_000.0
"""Milliseconds after which a step has failed."""


def openings(browser: Browser, url: str, count: int) -> list[float]:
    """Return the seconds from the address to a page that can be worked on, each time in a new browser."""
    taken = []
    for _ in range(count):
        start = time.perf_counter()
        page = open_page(browser, url, "fr-FR", "wide")
        page.wait_for_function(OPENED, polling="raf")
        taken.append(time.perf_counter() - start)
        page.context.close()
    return taken


def what_ifs(page: Page, client: int, count: int) -> list[float]:
    """Return the seconds from the last digit of an amount to the answer on the screen, timed in the page itself."""
    find_client(page, str(client))
    simulated(page)
    taken = []
    for thousands in range(101, 101 + count):
        amount(page).evaluate(WHEN_ANSWERED, thousands)
        amount(page).fill(f"{thousands} 000")
        taken.append(page.wait_for_function("() => window.answeredMs").json_value() / 1000)
    return taken


def in_browser(url: str, client: int) -> Figures:
    """Return the figures of the page at an address, in milliseconds."""
    expect.set_options(timeout=MAX_WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed("chromium"), args=ARGUMENTS)
        first, *later = openings(browser, url, OPENINGS)
        page = open_page(browser, url, "fr-FR", "wide")
        answered = what_ifs(page, client, WHAT_IFS)
        browser.close()
    return {
        "first_opening_ms": 1000 * first,
        "opening_ms": spread(later),
        "what_if_ms": spread(answered),
        "openings": len(later),
        "what_ifs": len(answered),
    }


def sentence(figures: Figures) -> str:
    """Return what a document says of the figures."""
    browser, search = figures["browser"], figures["search"]
    return (
        f"On {figures['machine']['cores']} cores, in headless Chromium on the same machine, the page can be worked on "
        f"{browser['first_opening_ms'] / 1000:.1f} s after it is opened for the first time, then "
        f"{browser['opening_ms']['median'] / 1000:.1f} s; a what-if is answered on the screen "
        f"{browser['what_if_ms']['median']:.0f} ms after the last digit (median of {browser['what_ifs']}), of which "
        f"{TYPING_PAUSE_MS} ms are the pause in typing; a client is found among {search['clients']:,} in "
        f"{search['parquet']['by_number']['wall_ms']['median']:.0f} ms (Parquet) or "
        f"{search['csv']['by_number']['wall_ms']['median']:.0f} ms (CSV)."
    )


def benchmark(bento: str, data: Path) -> Figures:
    """Return the figures of the page in a browser and of its searches.

    Args:
        bento: tag of the Bento that answers.
        data: folder of the tables that can be searched.
    """
    number = int(pl.read_parquet(data / "application_test.parquet", columns=["SK_ID_CURR"])["SK_ID_CURR"].min())  # type: ignore[arg-type]
    calibration, port = Calibration(), free_port()
    calibration.take("before")
    search: dict[str, Any] = in_process(Path(sys.executable), "tests.benchmarks.page")
    calibration.take("between")
    with (
        tempfile.TemporaryDirectory(prefix="page_bench_") as folder,
        serving(bento, port),
        running_page(f"http://127.0.0.1:{port}", Path(folder), free_port(), UI_CLIENTS=str(data.resolve())) as url,
    ):
        figures = in_browser(url, number)
    calibration.take("after")
    return source(data) | {
        "machine": machine(),
        "calibration": calibration.figures(),
        "browser": figures,
        "search": search,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bento", default="credit_scoring:latest", help="tag of the Bento that answers (%(default)s)")
    options.add_argument("--data", type=Path, default=ROOT / "data" / "synthetic", help="folder of clients to search")
    options.add_argument("--out", type=Path, default=ROOT / "research" / "results", help=f"where {RESULT} goes")
    chosen = options.parse_args(arguments)
    open_folder(chosen.data)
    chosen.out.mkdir(parents=True, exist_ok=True)
    figures = benchmark(str(bentoml.bentos.get(chosen.bento).tag), chosen.data)
    (chosen.out / RESULT).write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures["browser"] | {"calibration": figures["calibration"]}, indent=1))  # noqa: T201
    print(f"docs/operate.md: {sentence(figures)}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
