"""The page is soon there and a what-if soon answered; the limits are of a quiet machine, and grow with its slowness."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import polars as pl
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import amount, find_client, simulated
from tests.browser.test_accessibility import open_page
from tests.support.deadlines import slowdown

MAX_FIRST_PAINT_S = 2.5
"""From the address to a page that can be worked on, in a browser that holds nothing of it."""
MAX_WHAT_IF_S = 0.4
"""From the last digit to the answer on the screen; half of it is the pause in typing."""


def quiet_seconds(step: Callable[[], object]) -> float:
    """Return how long a step would take on a quiet machine: its time, over the slowness before and after it."""
    before, start = slowdown(), time.perf_counter()
    step()
    seconds = time.perf_counter() - start
    return seconds / max(before, slowdown())


def test_the_page_can_be_worked_on_soon(browser: Browser, page_url: str):
    seconds = []
    for _ in range(3):
        opened: list[Page] = []

        def open_in_new_browser(opened: list[Page] = opened) -> None:
            opened.append(open_page(browser, page_url, "fr-FR", "wide"))
            expect(opened[0].get_by_role("heading", level=1)).to_be_visible()
            expect(opened[0].get_by_label("Numéro de client", exact=True).first).to_be_editable()

        seconds.append(quiet_seconds(open_in_new_browser))
        opened[0].context.close()

    assert median(seconds) < MAX_FIRST_PAINT_S, seconds


def test_a_what_if_is_answered_while_the_officer_types(page: Page, synthetic_folder: Path):
    numbers = sorted(pl.read_parquet(synthetic_folder / "application_test.parquet")["SK_ID_CURR"])
    find_client(page, str(numbers[11]))
    simulated(page)
    seconds = []
    for thousands in range(101, 110):

        def type_amount(thousands: int = thousands) -> None:
            amount(page).fill(f"{thousands} 000")
            expect(page.get_by_text(re.compile(rf"Montant du crédit\s: .* → {thousands}"))).to_be_visible()
            expect(page.locator("[data-stale=true]").filter(has_text="Simulation")).to_have_count(0)

        seconds.append(quiet_seconds(type_amount))

    assert median(seconds) < MAX_WHAT_IF_S, seconds
